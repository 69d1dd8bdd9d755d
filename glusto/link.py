"""A link: the one live connection to `user@host`, with the agent at its end. It carries everything else."""

from __future__ import annotations

import asyncio
import getpass
import itertools
import logging
import os
import secrets
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from glusto import answers, payload, ssh
from glusto.dialing import dialed, greeted
from glusto.errors import ConnectError, DeployError, HostError, LinkLostError
from glusto.inventory import Host, Inventory
from glusto.process import Process
from glusto.tunnel import Tunnel
from glusto.wire import Wire, status_text

if TYPE_CHECKING:
    from glusto.lab import Lab

log = logging.getLogger("glustolog")

LOGIN_SECONDS = 30.0  # for rc files and the start of Python, once ssh has had its connect_timeout
FRESH_SECONDS = 0.1  # a host that was heard of so lately is taken to be there
PROBE_SECONDS = 5.0  # for one that was not, to answer


class Channel(Protocol):
    """What takes the frames of one command, transfer or tunnel."""

    def frame(self, header: dict[str, Any], body: bytes) -> None:
        """A frame for this channel; one with `returncode` or `error` is the last."""

    def lost(self, error: HostError) -> None:
        """The link is lost: nothing more will come."""


class Link:
    """A connection to `user@host`. All of it runs on the loop's thread.

    Attributes:
        name: `user@host`.
        hello: what the agent said of its host: python, system, hostname, user, pid, time, swept.
        seconds: from the start of ssh to that.
        error: why it is lost; None while it lives.
        closing: it is being closed on purpose.
        told: that it was lost has been raised as an error of a cleanup, or a new link has taken its place.
        control: ssh's control socket, on which other ssh commands can ride; None for a local link.
        socket: where the deployed server listens on the host; "" until one is deployed.
    """

    def __init__(
        self, host: Host, user: str, inventory: Inventory, directory: Path, lab: Lab, replaces: Link | None = None
    ) -> None:
        self.host, self.user, self.inventory = host, user, inventory
        self.name = f"{user}@{host.name}"
        self.hello: dict[str, Any] = {}
        self.seconds = 0.0
        self.error: HostError | None = None
        self.closing = self.told = False
        self.socket = ""
        self._lab = lab
        self._token = secrets.token_hex(8)
        self._replaces: list[str] = [replaces._token, *replaces._replaces] if replaces is not None else []
        remote = host.connection == "ssh"
        self.control = directory / f"{self._token}.ctl" if remote else None
        self._forward = directory / f"{self._token}.fwd" if remote else None
        self._forwarded = f"/tmp/glusto-{self._token}/socket"  # the agent's first choice
        self._numbers = itertools.count(1)
        self._answers: dict[int, tuple[str, asyncio.Future[dict[str, Any]]]] = {}  # → what was asked
        self._channels: dict[int, Channel] = {}
        self._heard = time.monotonic()

    # Opening

    def start(self) -> None:
        """Start the process and send it the agent; `ready` waits for the answer."""
        loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[None] = loop.create_future()
        label = f"{self.name} for {getpass.getuser()}@{socket.gethostname()}:{os.getpid()}"
        settings: dict[str, object] = {
            "label": label,
            "dead_man_seconds": self.inventory.dead_man_seconds,
            "keep_residue": self.inventory.keep_residue,
            "replaces": self._replaces,
            "sweep": self._lab.sweep,
        }
        self._started = time.monotonic()
        first_input = payload.first_input(self._token, settings)
        self._wire = Wire(self._command(), payload.here(self._token), first_input, self)
        self._watch = loop.create_task(self._watch_over())

    def _command(self) -> list[str]:
        command = payload.remote_command(self._token, self._pythons())
        if self.control is None or self._forward is None:
            return ["/bin/sh", "-c", command]
        control, forward = str(self.control), (str(self._forward), self._forwarded)
        words = ssh.link_arguments(self.host, self.user, self.inventory.ssh, control=control, forward=forward)
        return [*words, command]

    def _pythons(self) -> list[str]:
        if self.host.python:
            return [self.host.python]
        return [sys.executable] if self.control is None else list(payload.PYTHONS)

    @property
    def is_ready(self) -> bool:
        """The agent has answered."""
        return bool(self.hello)

    @property
    def is_fresh(self) -> bool:
        """The link lives, and its host was heard of just now."""
        return bool(self.hello) and self.error is None and time.monotonic() - self._heard < FRESH_SECONDS

    async def ready(self) -> None:
        """Wait until the agent has answered.

        Raises:
            ConnectError: the host can't be reached, or its login does not lead to a shell.
            DeployError: there is no Python to be used.
        """
        limit = self.inventory.ssh.connect_timeout + LOGIN_SECONDS
        try:
            await asyncio.wait_for(asyncio.shield(self._ready), limit)
        except TimeoutError:
            self._lose(self._why_no_agent())
            await self._ready

    def _why_no_agent(self) -> HostError:
        """Say why there is no agent, from what ssh and the login shell have written."""
        status = self._wire.status
        complaint = self._wire.complaint.decode("utf-8", "replace")
        noise = self._wire.noise.decode("utf-8", "replace")
        if payload.none(self._token).decode() in noise:
            tried = ", ".join(self._pythons())
            advice = "Install one, or set the host's `python` to the path of one"
            return DeployError(self.name, f"no Python 3.6 or newer there (tried {tried}). {advice}")
        if self._wire.marked:
            said = complaint.strip()[-2000:] or "it said nothing. Does an rc file read standard input (cat, head)?"
            return DeployError(self.name, f"the agent did not start: {said}")
        if status == 255 and self.control is not None:
            return ssh.explain(self.host, self.user, self.inventory.ssh, complaint, status)
        words = ssh.last_line(noise) or ssh.last_line(complaint) or "nothing"
        if status is None:
            problem = "logged in, but the shell does not run our command. Does an rc file wait for input?"
        else:
            problem = f"the login shell ended with {status_text(status)}. Can this user run commands?"
        return ConnectError(self.name, f"{problem} (its last words: {words})", "login")

    # What the wire tells

    def frame(self, header: dict[str, Any], body: bytes) -> None:
        self._heard = time.monotonic()
        number = header.get("id")
        if number in self._answers:
            asked, future = self._answers[number]
            answer = None if "error" in header else answers.check(header.get("ok"), answers.SHAPES[asked], asked)
            del self._answers[number]
            if future.done():
                return
            if answer is None:
                future.set_exception(DeployError(self.name, str(header["error"])))
            else:
                future.set_result(answer)
        elif number in self._channels:
            self._channels[number].frame(header, body)
            if "returncode" in header or "error" in header:
                self._channels.pop(number, None)
        else:
            self._told(header, body)

    def _told(self, header: dict[str, Any], body: bytes) -> None:
        """Take what the agent tells unasked."""
        if header.get("op") == "hello":
            self.hello = answers.check(header, answers.HELLO, "hello")
            self.seconds = self._heard - self._started
            if not self._ready.done():
                self._ready.set_result(None)
        elif header.get("op") == "source":
            self._wire.send_bytes(payload.second_input(self._token))
        elif header.get("op") == "printed":
            self._lab.printed.add(self.name, body)
        elif header.get("op") == "exited":
            self._lab.server_ended(self, answers.check(header, answers.EXITED, "exited"))

    def complained(self, text: str) -> None:
        for line in text.splitlines():
            if line.strip():
                log.debug("%s: ssh: %s", self.name, ssh.said_by_ssh(line))

    def damaged(self, problem: str) -> None:
        self._lose(LinkLostError(self.name, f"what it sends makes no sense ({problem})"))

    def ended(self) -> None:
        if not self._ready.done():
            self._lose(self._why_no_agent())
        else:
            said = ssh.said_by_ssh(self._wire.complaint.decode("utf-8", "replace"))
            how = "its agent is gone" if self._wire.outlived else status_text(self._wire.status)
            self._lose(LinkLostError(self.name, f"the link was lost ({said or how})"))

    def _lose(self, error: HostError) -> None:
        """Mark the link as lost, and tell everybody who waits; the first reason found is the one."""
        if self.error is not None:
            return
        self.error = LinkLostError(self.name, "the link is closed") if self.closing else error
        self._watch.cancel()
        self._wire.kill()
        if not self._ready.done():
            self._ready.set_exception(self.error)
            self._ready.exception()  # whoever waits gets it; nobody may be waiting
        elif not self.closing:
            log.warning("%s", error)
        unanswered, self._answers = self._answers, {}
        for _, future in unanswered.values():
            if not future.done():
                future.set_exception(self.error)
                future.exception()
        channels, self._channels = self._channels, {}
        for channel in channels.values():
            channel.lost(self.error)
        self._lab.server_gone(self, self.error)

    async def _watch_over(self) -> None:
        """Let the agent hear from us, and notice when nothing comes back."""
        silence = self.inventory.dead_man_seconds
        pause = min(silence / 4, 15)
        while self.error is None:
            before = time.monotonic()
            await asyncio.sleep(pause)
            if not self._ready.done() or self.error is not None:
                continue
            if time.monotonic() - before > 2 * pause + 1:  # this process was stopped, not the host silent
                self._heard = time.monotonic()
            self.ask("ping").add_done_callback(_retrieve)
            if time.monotonic() - self._heard > silence + pause:
                self._lose(LinkLostError(self.name, f"nothing was heard of it for {silence:g} s"))

    # Asking

    def send(self, header: dict[str, Any], body: bytes = b"") -> None:
        """Send one frame; what is sent before the agent runs is kept for it."""
        self._wire.send(header, body)

    def widen(self) -> None:
        """Prepare for much to come and go."""
        self._wire.widen()

    def ask(self, op: str, body: bytes = b"", **fields: Any) -> asyncio.Future[dict[str, Any]]:
        """Send a request, now; the future gives its answer, or raises a HostError."""
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        if self.error is not None:
            future.set_exception(self.error)
            return future
        number = next(self._numbers)
        self._answers[number] = fields.get("what", op), future
        self.send({"op": op, "id": number, **fields}, body)
        return future

    async def probe(self) -> None:
        """See whether the host is still there.

        One that is gone for good (it was rebooted, its sshd killed) shows at once, as `error`. One that only
        does not answer is given time: the network may come back.
        """
        if self.error is None and self.is_ready:
            await asyncio.wait([self.ask("ping")], timeout=PROBE_SECONDS)

    def open_channel(self, channel: Channel, op: str, **fields: Any) -> int:
        """Start a command, a transfer or a tunnel; `channel` takes its frames. Returns its number."""
        number = next(self._numbers)
        if self.error is not None:
            channel.lost(self.error)
            return number
        self._channels[number] = channel
        self.send({"op": op, "id": number, **fields})
        return number

    def commands(self) -> list[Process]:
        """Return the commands that run."""
        return [channel for channel in self._channels.values() if isinstance(channel, Process)]

    async def dial(self) -> socket.socket:
        """Return a socket that is connected to the deployed server, past its greeting.

        Raises:
            HostError: the server does not answer.
        """
        if self.control is None:
            path = self.socket
        else:
            path = str(self._forward) if self.socket == self._forwarded else ""
        if path:
            peer = await dialed(self.name, path)
            if peer is not None:
                return peer
            log.info("%s: its sshd does not forward to a socket; connections go through the link itself", self.name)
        peer = await greeted(self.name, Tunnel.open(self))
        if peer is None:
            raise self.error or LinkLostError(self.name, "the deployed server does not accept connections")
        self.socket = ""  # it is the tunnel from now on
        return peer

    # The end

    def give_up(self, seconds: float) -> None:
        """Take the link for lost, since its agent did not answer for so long."""
        self._lose(LinkLostError(self.name, f"it did not answer for {seconds:g} s"))

    async def close(self, seconds: float) -> dict[str, Any]:
        """Have the agent clean up and end, and wait for the process to end; what the agent found.

        Raises:
            HostError: the link was lost before, or its agent did not answer within so many seconds.
        """
        ending = self.ask("end")
        self.closing = True
        if not self.is_ready:
            self._wire.kill()
        try:
            return await asyncio.wait_for(ending, seconds)
        except TimeoutError:
            self.give_up(seconds)
            raise LinkLostError(self.name, f"it did not answer for {seconds:g} s") from None
        finally:
            await self._wire.end(2)
            self._lose(LinkLostError(self.name, "the link is closed"))
            for path in (self.control, self._forward):
                if path is not None:
                    path.unlink(missing_ok=True)

    def forget(self) -> None:
        """In a forked child: let go of the parent's link without a word to its host."""
        self._wire.forget()


def _retrieve(future: asyncio.Future[Any]) -> None:
    """Nobody waits for this answer; when the link is lost, that shows elsewhere."""
    if not future.cancelled():
        future.exception()
