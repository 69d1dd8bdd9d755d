"""Events: what a run does, told as it happens to whoever listens: the events file, the display."""

from __future__ import annotations

import contextlib
import itertools
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from glusto.errors import CleanupError, CommandTimeout, HostError, ResidueError
from glusto.masking import Mask, cut

if TYPE_CHECKING:
    from glusto.calls import Call, Calls

log = logging.getLogger("glustolog")

BATCH_SECONDS = 0.2  # between two tellings of RPyC calls
FACTS = ("python", "executable", "system", "hostname", "swept")

Event = dict[str, Any]
Listener = Callable[[Event], None]
CommandOutcome = tuple[int, str, str] | BaseException


class Events:
    """Tells events to its listeners. With no listener nothing is recorded, and nothing costs anything.

    An event is a dictionary with `kind`, and `t`, the seconds since the run began; docs/events.rst has them all.
    Texts are without secrets and not too long.

    Attributes:
        test: the number of the test that runs; 0 between tests.
        mask: hides secrets in a text.
    """

    def __init__(self) -> None:
        self.test = 0
        self._listeners: list[Listener] = []
        self.mask = Mask()
        self._began = time.monotonic()
        self._numbers = itertools.count(1)
        self._calls: dict[str, list[Calls]] = {}
        self._noted = threading.Event()
        self._teller: threading.Thread | None = None
        self._telling = threading.Lock()

    # Listening

    @property
    def on(self) -> bool:
        """Somebody listens."""
        return bool(self._listeners)

    def begin(self, config: Mapping[str, Any] | None = None) -> None:
        """From now on time counts from 0, and the secrets of this config are hidden."""
        self._began = time.monotonic()
        self.mask = Mask(config)

    def listen(self, listener: Listener) -> None:
        """Tell `listener` every event from now on, on whatever thread it happens; it must not raise."""
        self._listeners.append(listener)

    def end(self) -> None:
        """Tell what is left to tell, and forget all listeners."""
        self.flush()
        self._listeners = []
        self._calls = {}
        self._noted.set()  # the teller finds that nobody listens, and ends

    def forget(self) -> None:
        """In a forked child: the listeners are the parent's."""
        self.__init__()  # type: ignore[misc]

    # Telling

    def now(self) -> float:
        """Return the seconds since the run began."""
        return time.monotonic() - self._began

    def number(self) -> int:
        """Return a new number, for the `id` of what has a start and an end."""
        return next(self._numbers)

    def record(self, kind: str, t: float | None = None, **fields: Any) -> None:
        """Tell an event. What is None is left out; texts are masked and cut."""
        if not self._listeners:
            return
        event: Event = {"kind": kind, "t": round(self.now() if t is None else t, 6)}
        event.update((name, self._safe(value)) for name, value in fields.items() if value is not None)
        for listener in self._listeners:
            listener(event)

    def _safe(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.mask(cut(value))
        if isinstance(value, float):
            return round(value, 6)
        if isinstance(value, Mapping):
            return {str(name): self._safe(part) for name, part in value.items() if part is not None}
        if isinstance(value, list | tuple):
            return [self._safe(part) for part in value]
        return value

    # What has a start and an end

    @contextlib.contextmanager
    def connecting(self, host: str, address: str) -> Iterator[Callable[[Mapping[str, Any]], None]]:
        """Within this a link is opened; what it gives is called with what the host says of itself."""
        began = self.now()
        facts: Mapping[str, Any] = {}

        def connected(hello: Mapping[str, Any]) -> None:
            nonlocal facts
            facts = {name: hello[name] for name in FACTS if name in hello}

        self.record("host_connecting", t=began, host=host, address=address)
        try:
            yield connected
        except BaseException as error:
            reason = getattr(error, "reason", None)
            self.record("host_failed", host=host, seconds=self.now() - began, why=problem(error), reason=reason)
            raise
        self.record("host_connected", host=host, seconds=self.now() - began, facts=facts)

    def command(self, host: str, command: str) -> Callable[[CommandOutcome], None]:
        """A command starts; call what this returns with its result, or with the exception it raises."""
        if not self._listeners:
            return _nothing
        number, began = self.number(), self.now()
        self.record("command_started", t=began, id=number, host=host, command=command, test=self.test)

        def ended(outcome: CommandOutcome) -> None:
            returncode, stdout, stderr = (None, "", "") if isinstance(outcome, BaseException) else outcome
            why = problem(outcome) if isinstance(outcome, BaseException) else None
            if isinstance(outcome, CommandTimeout):
                stdout, stderr = outcome.stdout, outcome.stderr
            lost = getattr(outcome, "error", None)
            self.record(
                "command_ended",
                id=number,
                returncode=returncode,
                seconds=self.now() - began,
                stdout=stdout or None,
                stdout_size=len(stdout) or None,
                stderr=stderr or None,
                stderr_size=len(stderr) or None,
                error=why if lost is None else problem(lost),
            )

        return ended

    @contextlib.contextmanager
    def transfer(self, host: str, direction: str, source: str, target: str) -> Iterator[None]:
        """Within this something is uploaded or downloaded."""
        number, began = self.number(), self.now()
        self.record(
            "transfer_started", t=began, id=number, host=host, direction=direction, source=source, target=target,
            test=self.test,
        )  # fmt: skip
        error: str | None = None
        try:
            yield
        except BaseException as failure:
            error = problem(failure)
            raise
        finally:
            self.record("transfer_ended", id=number, seconds=self.now() - began, error=error)

    @contextlib.contextmanager
    def cleaning(self, what: str) -> Iterator[None]:
        """Within this hosts are cleaned, at the end of a "class" or of the "run"."""
        began = self.now()
        self.record("cleanup_started", t=began, what=what)
        try:
            yield
        except CleanupError as failure:
            for error in failure.exceptions:
                host = error.host if isinstance(error, HostError) else ""
                found = error.residue if isinstance(error, ResidueError) else None
                self.record("residue", host=host, why=problem(error), found=found)
            raise
        finally:
            self.record("cleanup_ended", what=what, seconds=self.now() - began)

    # RPyC

    def calls(self, name: str) -> Calls | None:
        """Return what notes the calls of the connection `user@host:instance`; None when nobody listens."""
        if not self._listeners:
            return None
        from glusto.calls import Calls

        calls = Calls(lambda: self.test, self._note)
        self._calls.setdefault(name, []).append(calls)
        if self._teller is None or not self._teller.is_alive():
            self._teller = threading.Thread(target=self._tell_on, name="glusto-events", daemon=True)
            self._teller.start()
        return calls

    def _note(self) -> None:
        if not self._noted.is_set():
            self._noted.set()

    def _tell_on(self) -> None:
        """Tell of calls in batches for as long as somebody listens; sleep while there are none."""
        while self._noted.wait() and self._listeners:
            time.sleep(BATCH_SECONDS)
            self._noted.clear()
            self.flush()
            if any(calls.waits for some in list(self._calls.values()) for calls in list(some)):
                self._noted.set()  # it may become a long one, of which is to be told

    def flush(self) -> None:
        """Tell the RPyC calls that have ended up to now."""
        with self._telling:
            for name, some in list(self._calls.items()):
                for calls in list(some):
                    if calls.over:
                        some.remove(calls)
                    for call in calls.take():
                        self._record_call("rpyc", name, call, call.seconds)
                    for call in calls.take_long():
                        self._record_call("rpyc_started", name, call, None)

    def _record_call(self, kind: str, name: str, call: Call, seconds: float | None) -> None:
        host, _, instance = name.rpartition(":")
        self.record(
            kind,
            t=call.began - self._began,
            host=host,
            instance=int(instance),
            what=call.text,
            seconds=seconds,
            count=call.count if call.count > 1 else None,
            error=call.error or None,
            test=call.test,
        )


class EventsFile:
    """A listener that writes each event as one line of JSON, at once.

    Args:
        filename: made when the first event comes.
    """

    def __init__(self, filename: str | os.PathLike[str]) -> None:
        self.filename = os.fspath(filename)
        self._descriptor = -1
        self._broken = False

    def __call__(self, event: Event) -> None:
        """Write an event. A disk that is full is told of in the log, and stops nothing."""
        if self._broken:
            return
        try:
            if self._descriptor < 0:
                os.makedirs(os.path.dirname(self.filename) or ".", exist_ok=True)
                flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
                self._descriptor = os.open(self.filename, flags, 0o644)
            line = json.dumps(event, ensure_ascii=False, separators=(",", ":"), default=str)
            os.write(self._descriptor, line.encode("utf-8", "backslashreplace") + b"\n")
        except OSError as error:
            self._broken = True
            log.error("%s: %s; events are not written any more", self.filename, error.strerror)

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        self._broken = True


def problem(error: BaseException) -> str:
    """Say what went wrong, in one line or a few, without the host's name before it."""
    return error.problem if isinstance(error, HostError) else str(error) or type(error).__name__


def _nothing(outcome: CommandOutcome) -> None:
    """Nobody listens."""
