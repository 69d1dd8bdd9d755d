"""The deployed server: RPyC's classic service on a Unix socket, in a child process of the agent."""

import _signal
import _socket
import fcntl
import io
import os
import sys
import threading

from .stream import Stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

GREETING = b"glusto\n"  # the first bytes of a connection: they tell a served socket from a refused forward

# Requests beside RPyC's own, each one round trip where the classic service takes several.
GET_MODULE, EXECUTE, EVALUATE, GET_NAMESPACE = 101, 102, 103, 104


class Site:
    """Sets up site-packages at the first import that needs them: most tests do without, and it is slow."""

    lock = threading.RLock()
    begun = False

    @classmethod
    def find_spec(cls, name: str, path: object = None, target: object = None) -> object:
        from importlib.machinery import PathFinder

        with cls.lock:  # another thread's import waits until all is set up
            if not cls.begun:
                cls.begun = True
                import site

                site.main()
                sys.meta_path.remove(cls)  # type: ignore[arg-type]
        return PathFinder.find_spec(name, path)  # type: ignore[arg-type]


def die_with_agent(alive: int) -> None:
    """Have this process and its group killed as soon as the agent is gone, whatever we are doing then.

    `alive` is the read end of a pipe whose write end only the agent holds. On Linux the kernel sends the
    signal itself; elsewhere a thread waits for the end of the pipe.
    """
    if hasattr(fcntl, "F_SETSIG"):
        fcntl.fcntl(alive, fcntl.F_SETOWN, -os.getpid())
        fcntl.fcntl(alive, fcntl.F_SETSIG, _signal.SIGKILL)
        fcntl.fcntl(alive, fcntl.F_SETFL, fcntl.fcntl(alive, fcntl.F_GETFL) | os.O_ASYNC)
        return

    def wait() -> None:
        os.read(alive, 1)
        os.killpg(0, _signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()


def preload() -> None:
    """Import what serving needs; done in the agent, so that every server it forks starts at once."""
    import rpyc.core.channel
    import rpyc.core.service  # noqa: F401

    from . import codec  # noqa: F401


def forget_streams(connection: object) -> None:
    """Put back the standard streams that a closed connection had replaced with its own objects."""
    for name in ("stdin", "stdout", "stderr"):
        stream = getattr(sys, name)
        try:
            owner = object.__getattribute__(stream, "____conn__")
        except AttributeError:
            continue
        if owner is connection:
            setattr(sys, name, getattr(sys, f"__{name}__"))


def is_remote(value: object) -> bool:
    """True for what lives at the other end of a connection."""
    try:
        object.__getattribute__(value, "____conn__")
    except AttributeError:
        return False
    return True


def fetched(value: "Any") -> "Any":
    """Return a container with the containers of the other end in it, itself among them, copied to here."""
    kind = next((kind for kind in (dict, list, tuple, set, frozenset) if isinstance(value, kind)), None)
    if kind is dict:
        return {fetched(key): fetched(value[key]) for key in value}
    if kind in (list, tuple):
        return kind(fetched(item) for item in value)
    return kind(value) if kind is not None else value


def make_service() -> "Any":
    """Return a classic service that takes our requests too."""
    from rpyc.core.consts import HANDLE_CMP
    from rpyc.core.protocol import Connection
    from rpyc.core.service import SlaveService

    from .codec import with_codec

    def compare(connection: "Any", ours: "Any", theirs: "Any", operator: str = "__cmp__") -> "Any":
        """Compare as Python does; with a list or a dictionary of the other end by what is in it."""
        if is_remote(theirs) and isinstance(ours, (dict, list, tuple, set, frozenset)):
            theirs = fetched(theirs)
        return connection._handle_cmp(ours, theirs, operator)

    class Served(Connection):  # type: ignore[misc]
        _dispatch = with_codec("_dispatch")

        @classmethod
        def _request_handlers(cls) -> "dict[int, Any]":
            handlers: "dict[int, Any]" = super()._request_handlers()
            handlers[GET_MODULE] = lambda self, name: self._local_root.getmodule(name)
            handlers[HANDLE_CMP] = compare
            handlers[EXECUTE] = lambda self, text: self._local_root.execute(text)
            handlers[EVALUATE] = lambda self, text: self._local_root.eval(text)
            handlers[GET_NAMESPACE] = lambda self: self._local_root.namespace
            return handlers

    class Service(SlaveService):  # type: ignore[misc]
        _protocol = Served

    return Service()


def serve_connection(peer: "Any") -> None:
    """Serve one connection until its other end closes it."""
    from rpyc.core.channel import Channel

    try:
        peer.sendall(GREETING)
    except OSError:
        return
    connection = make_service()._connect(Channel(Stream(peer)), {"sync_request_timeout": None})
    try:
        connection.serve_all()
    except Exception:
        import traceback

        traceback.print_exc(file=sys.__stderr__)
    finally:
        forget_streams(connection)


def run(listener: "Any") -> None:
    """Serve connections for ever, each in a thread of its own."""
    sys.argv = ["deployed-rpyc"]
    for number, name in ((1, "stdout"), (2, "stderr")):
        raw = open(number, "wb", buffering=0)
        stream = io.TextIOWrapper(raw, encoding="utf-8", errors="replace", write_through=True)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    sys.path[:0] = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    sys.meta_path.append(Site)  # type: ignore[arg-type]
    while True:
        peer = _socket.socket(fileno=listener._accept()[0])
        threading.Thread(target=serve_connection, args=(peer,), daemon=True).start()
