"""One RPyC connection to a deployed server: RPyC's own class, with Glusto's errors and a bounded close."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rpyc.core import consts
from rpyc.core.channel import Channel
from rpyc.core.protocol import Connection
from rpyc.core.service import FakeSlaveService

from glusto.agent.codec import with_codec
from glusto.agent.server import EVALUATE, EXECUTE, GET_MODULE, GET_NAMESPACE
from glusto.agent.stream import Stream
from glusto.errors import HostError, LinkLostError

if TYPE_CHECKING:
    from glusto.calls import Calls

REASON_SECONDS = 2.0  # for the link to tell why a connection broke

# The host may use what a test hands to it (call it, read its public attributes: enough for `sys.stdout` or a
# callback), and nothing else here: it can't import, evaluate or set anything on the controller.
CONFIG = {
    "allow_public_attrs": True,
    "instantiate_custom_exceptions": True,
    "sync_request_timeout": None,
}


class Modules:
    """The modules of a host, by attribute or by item; each is imported there at its first use."""

    def __init__(self, connection: HostConnection) -> None:
        self._connection = connection
        self._imported: dict[str, Any] = {}

    def __getitem__(self, name: str | tuple[str, ...]) -> Any:
        name = ".".join(name) if isinstance(name, tuple) else name
        if name not in self._imported:
            self._imported[name] = self._connection.sync_request(GET_MODULE, name)
        return self._imported[name]

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except ImportError as error:
            raise AttributeError(name) from error

    def __contains__(self, name: str) -> bool:
        return self["importlib.util"].find_spec(name) is not None


class HostConnection(Connection):  # type: ignore[misc]
    """A live Python on a host, as one user.

    `conn.modules.os.listdir("/")`, `conn.execute("x = 1")`, `conn.eval("x + 1")`, `conn.namespace["x"]`,
    `conn.builtins.open(...)`: RPyC's classic interface. A call has no time limit. Calls on one connection
    are served one after the other, those on two instances at the same time.

    Attributes:
        name: `user@host:instance`.
        used: a call has been made since it was last set to False.
    """

    _closed: bool
    _send = with_codec("_send")

    def __init__(self, name: str, peer: socket.socket, calls: Calls | None = None) -> None:
        self.name = name
        self.used = False
        self._reason = "the connection is closed"
        self._reason_known = threading.Event()
        super().__init__(FakeSlaveService(), Channel(Stream(peer)), {**CONFIG, "connid": name})
        self._calls = calls
        if calls is not None:
            self.async_request = calls.watch(super().async_request)

    @cached_property
    def modules(self) -> Modules:
        """The host's modules by name: `modules.os.path`, `modules["os.path"]`."""
        return Modules(self)

    @property
    def builtins(self) -> Any:
        """The host's built-in functions."""
        return self.modules.builtins

    @property
    def builtin(self) -> Any:
        """The same under its name of old."""
        return self.modules.builtins

    @cached_property
    def namespace(self) -> Any:
        """The dictionary that `execute` and `eval` work in."""
        return self.sync_request(GET_NAMESPACE)

    def execute(self, text: str) -> None:
        """Execute statements on the host."""
        self.sync_request(EXECUTE, text)

    def eval(self, text: str) -> Any:
        """Evaluate an expression on the host."""
        return self.sync_request(EVALUATE, text)

    def teleport(self, function: Callable[..., Any]) -> Any:
        """Define a local function on the host and return the remote one."""
        from rpyc.utils.classic import teleport_function

        return teleport_function(self, function)

    @property
    def is_busy(self) -> bool:
        """A call on it is not answered yet."""
        return bool(self._request_callbacks)

    def close(self) -> None:
        """Close the connection, without waiting for what its host may be doing."""
        if not self._channel.closed:  # else rpyc closes what it finds broken, and the reason is still to come
            self._reason_known.set()
        if not self._closed:
            self._cleanup(_anyway=False)  # which leaves the locks to calls on other threads: they let go themselves
            if self._calls is not None:
                self._calls.closed()

    def lose(self, reason: str) -> None:
        """Close the connection because its host or its server is gone."""
        if not self._reason_known.is_set():
            self._reason = reason
            self._reason_known.set()
        self.close()

    def forget(self) -> None:
        """In a forked child: let go of the parent's connection without a word to its host."""
        self._closed = True
        self._channel.stream.peer.close()

    def serve(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().serve(*args, **kwargs)
        except (EOFError, OSError, AttributeError) as error:
            raise self._translate(error) from error

    def _async_request(self, handler: int, *args: Any, **kwargs: Any) -> None:
        self.used = True
        try:
            super()._async_request(handler, *args, **kwargs)
        except (EOFError, OSError, AttributeError) as error:
            if handler == consts.HANDLE_DEL:  # a remote object is collected here: that waits for no reason
                raise
            raise self._translate(error) from error

    def _translate(self, error: Exception) -> Exception:
        """Return the error to raise instead, when it is that the connection is gone."""
        if isinstance(error, HostError) or not (self._closed or self._channel.closed):
            return error
        if not self._reason_known.wait(REASON_SECONDS):
            self._reason_known.set()
            self._reason = "the deployed server closed the connection"
        return LinkLostError(self.name, self._reason)
