"""A long line: TCP proxies that deliver everything later, in a process of their own.

Each side of a connection sees what one over a link with that round-trip time shows: the handshake takes one,
and each byte arrives half of one after it was sent. Bandwidth is not limited, and TCP's slow start is that of
the short line. (`tc … netem` would do it in the kernel, where the kernel has it.)
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence

from benchmarks.apart import environment
from benchmarks.site import Site

READ_SIZE = 1 << 18
READY_SECONDS = 30


@contextlib.contextmanager
def far_away(site: Site, names: Sequence[str], round_trip: float) -> Iterator[Site]:
    """Give a site whose hosts of these names are so many seconds away, to and fro."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.proxy", str(round_trip), *(site.addresses[name][0] for name in names)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            ports = json.loads(process.stdout.readline())
            places = {name: ("127.0.0.1", port) for name, port in zip(names, ports, strict=True)}
            yield site.at(f"far-{round_trip:g}", places)
        finally:
            process.stdin.close()
            try:
                process.wait(READY_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


async def deliver(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float, starting: float = 0
) -> None:
    """Pass on what comes, so much later; nothing of it before a time."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def read() -> None:
        data = b"?"
        while data:
            data = await reader.read(READ_SIZE)
            await queue.put((max(loop.time(), starting) + delay, data))

    reading = asyncio.create_task(read())
    try:
        while True:
            due, data = await queue.get()
            await asyncio.sleep(due - loop.time())
            if not data:
                break
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        pass  # one side is gone, and so the other will be
    finally:
        reading.cancel()


async def serve(round_trip: float, addresses: Sequence[str]) -> None:
    """Listen for each address on a port of its own, print the ports, and serve until standard input ends."""
    half = round_trip / 2

    async def proxy(address: str) -> asyncio.Server:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            accepted = asyncio.get_running_loop().time()
            try:
                await asyncio.sleep(3 * half)
                far_reader, far_writer = await asyncio.open_connection(address, 22)
                try:
                    await asyncio.gather(
                        deliver(reader, far_writer, half, accepted + round_trip),
                        deliver(far_reader, writer, half),
                    )
                finally:
                    far_writer.close()
            except OSError:
                pass  # the host refuses; our side is closed, which says as much
            finally:
                writer.close()

        return await asyncio.start_server(connected, "127.0.0.1", 0)

    servers = await asyncio.gather(*(proxy(address) for address in addresses))
    print(json.dumps([server.sockets[0].getsockname()[1] for server in servers]), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    os._exit(0)  # connections that are still there need no goodbye


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]), sys.argv[2:]))
