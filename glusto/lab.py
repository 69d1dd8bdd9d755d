"""The lab: the one registry of everything that is live. Whoever opens registers; it closes in reverse order.

Everything here runs on the loop's thread, so that it needs no locks; `Harness` waits for it from any thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import logging
from collections.abc import Awaitable, Callable, Container, Coroutine, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from glusto.cleanup import Cleanup, check_clean, take
from glusto.errors import ConnectError, HostError, LinkLostError
from glusto.events import Events
from glusto.inventory import Host, Inventory
from glusto.link import Link
from glusto.printed import Printed
from glusto.process import Process
from glusto.scope import Scope, Scopes
from glusto.wire import status_text
from glusto.workspace import Workspace

if TYPE_CHECKING:
    from glusto.connection import HostConnection
    from glusto.machines import Machines

log = logging.getLogger("glustolog")
T = TypeVar("T")

AT_ONCE = 64  # links that may be opening at the same time
BUSY_TRIES = 5  # for an sshd that hangs up because too many log in at once
CLOSE_SECONDS = 4.0  # for a host to confirm that it is clean
AGAIN_SECONDS = 1.0  # for a link to end on which nothing rides


class Lab:
    """Links, deployed servers and connections, by name.

    Attributes:
        sweep: agents remove what dead ones have left, as soon as they start.
        links: `user@host` → link.
        servers: `user@host` → the process id of the deployed server.
        connections: `user@host:instance` → connection.
        printed: what was printed on the hosts and not yet taken.
        cleanup: what has yet to be confirmed, or told, of hosts.
    """

    def __init__(self, events: Events, scopes: Scopes | None = None, *, sweep: bool = True) -> None:
        self.events = events
        self.sweep = sweep
        self._scopes = scopes or Scopes()
        self.links: dict[str, Link] = {}
        self.servers: dict[str, int] = {}
        self.connections: dict[str, HostConnection] = {}
        self.printed = Printed()
        self.cleanup = Cleanup(lambda link: self._open(link.inventory, link.host, link.user, deploy=False))
        self._opening: dict[str, asyncio.Task[Any]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._workspace = Workspace()
        self._machines: Machines | None = None

    @property
    def machines(self) -> Machines:
        """plumbum's machines on the links."""
        if self._machines is None:
            from glusto.machines import Machines

            self._machines = Machines()
        return self._machines

    # Opening

    async def _once(self, key: str, open_it: Callable[[], Awaitable[T]]) -> T:
        """Open what nobody is opening yet; who asks while it opens waits for the same."""
        task = self._opening.get(key)
        if task is None:
            task = asyncio.ensure_future(open_it())
            self._opening[key] = task
            task.add_done_callback(lambda _: self._opening.pop(key, None))
        return await asyncio.shield(task)

    async def _is_there(self, name: str) -> bool:
        """Whether there is a link of that name and its host is there."""
        link = self.links.get(name)
        if link is None or not link.is_ready:
            return False
        await link.probe()
        return link.error is None and self.links.get(name) is link

    async def link(self, inventory: Inventory, host: Host, user: str) -> Link:
        """Return the link to `user@host`, opened now if need be.

        Raises:
            HostError: it can't be opened.
        """
        name = f"{user}@{host.name}"
        if await self._is_there(name):
            return self.links[name]
        return await self._once(name, lambda: self._open(inventory, host, user, deploy=False))

    async def deploy(self, inventory: Inventory, host: Host, user: str) -> Link:
        """Have a deployed server at `user@host`; returns the link to it.

        Raises:
            HostError: that can't be done.
        """
        name = f"{user}@{host.name}"
        if name in self.servers and await self._is_there(name) and name in self.servers:
            return self.links[name]
        link = self.links.get(name)
        if link is not None and link.is_ready and link.error is None:
            try:
                return await self._serve_on(link)
            except LinkLostError:  # the request has shown it, as a probe would
                if link.closing:
                    raise
        link = await self._once(name, lambda: self._open(inventory, host, user, deploy=True))
        return link if name in self.servers else await self._serve_on(link)  # somebody opened it for commands

    async def _serve_on(self, link: Link) -> Link:
        """Have a server deployed over a link that is open; returns the link."""
        await self._once(f"{link.name} server", lambda: self._serve(link, link.ask("serve")))
        return link

    async def _open(self, inventory: Inventory, host: Host, user: str, *, deploy: bool) -> Link:
        """Open a link, and tell how that goes."""
        with self.events.connecting(f"{user}@{host.name}", host.address) as connected:
            link = await self._open_link(inventory, host, user, deploy=deploy)
            connected(link.hello)
            return link

    async def _open_link(self, inventory: Inventory, host: Host, user: str, *, deploy: bool) -> Link:
        """Open a link; with `deploy` the request for a server rides along, for one round trip less."""
        name = f"{user}@{host.name}"
        self.links.pop(name, None)
        lost = self.cleanup.lost.get(name)
        if lost is not None:
            log.warning("%s: connecting again", name)
        if host.connection == "local" and user != getpass.getuser():
            raise ConnectError(
                name, f"`connection: local` works as {getpass.getuser()} only; set `user`, or use ssh", "auth"
            )
        async with self._gate:
            for attempt in range(BUSY_TRIES):
                link = Link(host, user, inventory, self._workspace.path, self, replaces=lost)
                link.start()
                self.links[name] = link
                served = link.ask("serve") if deploy else None
                try:
                    await link.ready()
                    if served is not None:
                        await self._serve(link, served)
                except BaseException as error:
                    await asyncio.shield(self._discard(link))
                    if not isinstance(error, ConnectError) or error.reason != "busy" or attempt == BUSY_TRIES - 1:
                        raise
                    await asyncio.sleep(0.1 * 2**attempt)
                else:
                    self.cleanup.lost.pop(name, None)  # the new agent has ended and swept what the old one left
                    log.info("%s: connected, Python %s", name, link.hello["python"])
                    return link
        raise AssertionError("the last try returns or raises")

    async def _serve(self, link: Link, served: Awaitable[dict[str, Any]]) -> None:
        answer = await served
        link.socket = answer["socket"]
        self.servers[link.name] = answer["pid"]

    async def _discard(self, link: Link) -> None:
        """Close a link that did not become one; why not is on its way to whoever asked for it."""
        self.links.pop(link.name, None)
        with contextlib.suppress(HostError):
            await link.close(1)

    async def connect(self, inventory: Inventory, host: Host, user: str, instance: int) -> HostConnection:
        """Return the connection `user@host:instance`, opened now if need be.

        Raises:
            HostError: it can't be opened.
        """
        name = f"{user}@{host.name}:{instance}"
        self._scopes.asked(name)
        connection = self.connections.get(name)
        if connection is not None and await self._is_there(f"{user}@{host.name}") and not connection.closed:
            return connection
        return await self._once(name, lambda: self._connect(inventory, host, user, name))

    async def _connect(self, inventory: Inventory, host: Host, user: str, name: str) -> HostConnection:
        from glusto.connection import HostConnection

        if self.connections.pop(name, None) is not None:
            log.warning("%s: connecting again", name)
        link = await self.deploy(inventory, host, user)
        peer = await link.dial()
        connection = HostConnection(name, peer, self.events.calls(name))
        self.connections[name] = connection
        return connection

    async def connect_all(
        self, inventory: Inventory, wanted: Iterable[tuple[Host, str, int]]
    ) -> dict[str, HostConnection | BaseException]:
        """Open many connections at once; name → connection, or what prevented it."""
        wanted = list(wanted)
        opened = await asyncio.gather(
            *(self.connect(inventory, *one) for one in wanted), return_exceptions=True
        )
        return {f"{user}@{host.name}:{number}": got for (host, user, number), got in zip(wanted, opened, strict=True)}

    async def open_links(
        self, inventory: Inventory, wanted: Iterable[tuple[Host, str]]
    ) -> dict[str, Mapping[str, Any] | Exception]:
        """Open many links at once; name → what is known of the host, or what prevented it."""
        wanted = list(wanted)
        opened = await asyncio.gather(*(self.link(inventory, *one) for one in wanted), return_exceptions=True)
        results: dict[str, Mapping[str, Any] | Exception] = {}
        for (host, user), got in zip(wanted, opened, strict=True):
            if isinstance(got, BaseException) and not isinstance(got, Exception):
                raise got
            results[f"{user}@{host.name}"] = got.hello if isinstance(got, Link) else got
        return results

    def run(self, inventory: Inventory, host: Host, user: str, process: Process) -> None:
        """Start a command; `process` gets all that comes of it, the failure to start it too.

        Over a link that was heard of just now it is sent at once.
        """
        link = self.links.get(f"{user}@{host.name}")
        if link is not None and link.is_fresh:
            process.start(link)
        else:
            self._starting(self._run(inventory, host, user, process))

    async def _run(self, inventory: Inventory, host: Host, user: str, process: Process) -> None:
        try:
            link = await self.link(inventory, host, user)
        except HostError as error:
            process.lost(error)
        except asyncio.CancelledError:
            process.lost(LinkLostError(process.host, "the lab was closed before the command could start"))
            raise
        else:
            process.start(link)

    def _starting(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` as a task that is kept until it is done, and cancelled when the lab closes."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # What links tell

    def server_gone(self, link: Link, error: HostError) -> None:
        """The deployed server of this link is gone, with its connections."""
        if self.links.get(link.name) is not link:
            return
        served = self.servers.pop(link.name, None) is not None
        if link.error is not None and link.is_ready and not link.closing:
            self.cleanup.lost[link.name] = link
            self.events.record("link_lost", host=link.name, why=error.problem)
        elif served and not link.closing:
            self.events.record("server_lost", host=link.name, why=error.problem)
        for name, connection in self.connections.items():
            if name.rpartition(":")[0] == link.name:
                connection.lose(error.problem)

    def server_ended(self, link: Link, report: Mapping[str, Any]) -> None:
        """The deployed server of this link has ended by itself; `report` is what its agent found then."""
        ended = f"the deployed server ended: {status_text(report['status'])}"
        self.server_gone(link, LinkLostError(link.name, ended))
        self.cleanup.note(link.name, report)

    # Closing

    def close_connection(self, name: str) -> None:
        """Close one connection, if there is one of that name."""
        connection = self.connections.pop(name, None)
        if connection is not None:
            connection.close()

    def close_connections(self, link_name: str | None = None) -> None:
        """Close the connections of one link, or all."""
        for name in list(self.connections):
            if link_name is None or name.rpartition(":")[0] == link_name:
                self.close_connection(name)

    async def close_server(self, name: str) -> None:
        """Close a deployed server and its connections.

        Raises:
            HostError: its host did not confirm that it is clean, or is not: ResidueError.
        """
        self.close_connections(name)
        link = self.links.get(name)
        if self.servers.pop(name, None) is None or link is None:
            return
        try:
            check_clean(name, await asyncio.wait_for(link.ask("stop"), CLOSE_SECONDS))
        except TimeoutError:
            link.give_up(CLOSE_SECONDS)
            await self.cleanup.confirm(link)
        except LinkLostError:
            await self.cleanup.confirm(link)

    async def _stop_opening(self, names: Container[str] | None = None) -> None:
        """Stop what is being opened; with `names`, only these connections and deployed servers."""
        if names is None:
            tasks = [*self._opening.values(), *self._tasks]
        else:
            tasks = [task for key, task in self._opening.items() if key.removesuffix(" server") in names]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def end_work(self, scope: Scope | None = None) -> None:
        """Close all connections and deployed servers and kill the commands that still run; links stay.

        Args:
            scope: what only this one needs, and its commands; everything when None.

        Raises:
            CleanupError: all was tried, and something failed.
        """
        if scope is None:
            names = {*self.connections, *self.servers}
            self._scopes.clear()
        else:
            names = self._scopes.alone(scope)
        for name in names & self.connections.keys():
            self.close_connection(name)
        running = {process for link in self.links.values() for process in link.commands()}
        for process in running if scope is None else set(scope.commands):
            if process in running:
                log.warning("%s: still runs at the end, killed: %s", process.host, process.command)
            if process.poll() is None:  # one that waits for its link is killed when it starts
                process.kill_soon()
        await self._stop_opening(None if scope is None else names)
        servers = [name for name in reversed(list(self.servers)) if name in names]
        await take([*self.cleanup.to_confirm(), *map(self.close_server, servers), *self.cleanup.to_tell()])

    async def close_servers(self) -> None:
        """Close all deployed servers and connections.

        Raises:
            CleanupError: all was tried, and something failed.
        """
        self.close_connections()
        await take(map(self.close_server, reversed(list(self.servers))))

    def live_links(self) -> list[str]:
        """Return the names of the links that live."""
        return [name for name, link in self.links.items() if link.is_ready and link.error is None]

    async def close_links(self) -> None:
        """Close all links and what rides on them.

        Raises:
            CleanupError: all was tried, and something failed.
        """
        await take(map(self.close_link, reversed(list(self.links))))

    async def close_link(self, name: str, *, again: bool = False) -> None:
        """Close a link and what rides on it, if there is one.

        Args:
            again: it is the one that has confirmed the end of another; that it is lost as well is told.

        Raises:
            HostError: its host did not confirm that it is clean, or is not: ResidueError.
        """
        self.close_connections(name)
        link = self.links.get(name) or self.cleanup.lost.get(name)
        if link is None:
            return
        self.servers.pop(name, None)
        if self._machines is not None:
            await asyncio.to_thread(self._machines.close, name)
        try:
            check_clean(name, await link.close(AGAIN_SECONDS if again else CLOSE_SECONDS))
        except LinkLostError:
            if again:
                raise
            if not link.told:
                await self.cleanup.confirm(link)
                await self.close_link(name, again=True)
        finally:
            self.links.pop(name, None)

    async def close(self) -> None:
        """Close everything.

        Raises:
            CleanupError: all was tried, and something failed.
        """
        await self._stop_opening()
        self._scopes.clear()
        try:
            closing = map(self.close_link, reversed({**self.cleanup.lost, **self.links}))
            await take([*closing, *self.cleanup.to_tell()])
        finally:
            self._workspace.close()

    async def flush_output(self, seconds: float) -> None:
        """Wait until what the deployed servers in use have printed up to now is here."""
        used = {name.rpartition(":")[0] for name, connection in self.connections.items() if connection.used}
        for connection in self.connections.values():
            connection.used = False
        links = [link for name, link in self.links.items() if name in used and link.error is None]
        if links:
            await asyncio.wait([link.ask("ping") for link in links], timeout=seconds)

    def forget(self) -> None:
        """In a forked child: let go of what belongs to the parent, without a word to any host."""
        for connection in self.connections.values():
            connection.forget()
        for link in self.links.values():
            link.forget()
        self._workspace.forget()
