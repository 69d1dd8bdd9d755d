"""Calls: what RPyC is asked on one connection, noted in memory at next to no cost, told in batches."""

from __future__ import annotations

import itertools
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from rpyc.core import consts
from rpyc.core.netref import BaseNetref

from glusto.agent.server import EVALUATE, EXECUTE, GET_MODULE, GET_NAMESPACE

MANY = 50  # calls in a batch, after which those that follow one another at once are told as one
SHORT = 0.005  # seconds that such a call takes at most, and such a pause
NAMES_KEPT = 10_000  # remote objects whose names are known
LONG = 1.0  # seconds after which a call is told of though it has no answer yet
ARGUMENT = 60  # characters of a first argument that are told
TOLD_NAMES = 3  # of the calls in a stretch

REQUESTS = {
    value: name.removeprefix("HANDLE_").lower()
    for name, value in vars(consts).items()
    if name.startswith("HANDLE_")
} | {GET_MODULE: "import", EXECUTE: "execute", EVALUATE: "eval", GET_NAMESPACE: "namespace"}
NAMING = (consts.HANDLE_GETATTR, consts.HANDLE_GETROOT)  # what these return is called as it was asked for
Request = Callable[..., Any]


@dataclass(slots=True)
class Call:
    """One request, or with `count` a stretch of many.

    Attributes:
        began, seconds: when, on the monotonic clock, and for how long.
        what: `os.listdir`, the attribute or what was called.
        argument: the first argument of a call, when it is text or a number.
        test: the number of the test that was running.
        error: the exception that came back; "no answer" when none can come.
        told: it was told of before it ended.
    """

    began: float
    what: str
    argument: object
    test: int
    seconds: float = 0.0
    error: str = ""
    count: int = 1
    told: bool = False

    @property
    def text(self) -> str:
        """What was called, with its argument."""
        if self.argument is None:
            return self.what
        shown = repr(self.argument)
        return f"{self.what}({shown if len(shown) <= ARGUMENT else shown[:ARGUMENT] + '…'})"


class Calls:
    """The calls of one connection.

    Args:
        test: returns the number of the test that runs.
        noted: called once there is something to `take`.

    Attributes:
        over: the connection is closed; nothing more comes.
    """

    def __init__(self, test: Callable[[], int], noted: Callable[[], None]) -> None:
        self._test, self._noted = test, noted
        self._ended: deque[Call] = deque()
        self._pending: dict[int, Call] = {}
        self._numbers = itertools.count()
        self.over = False
        self._names: dict[tuple[str, int, int], str] = {}

    def watch(self, request: Request) -> Request:
        """Return a connection's `async_request`, through which every call goes, so that its calls are noted."""
        pending, numbers, names, current, clock = self._pending, self._numbers, self._names, self._test, time.monotonic

        def async_request(handler: int, *args: Any, **kwargs: Any) -> Any:
            if handler == consts.HANDLE_DEL:
                return request(handler, *args, **kwargs)
            what, argument = describe(handler, args, names)
            number = next(numbers)
            call = pending[number] = Call(clock(), what, argument, current())
            self._noted()
            try:
                result = request(handler, *args, **kwargs)
            except BaseException as error:
                self._end(number, call, type(error).__name__)
                raise

            def answered(result: Any) -> None:
                value = result._obj  # noqa: SLF001 - `value` would wait, and raise
                if result._is_exc:  # noqa: SLF001
                    self._end(number, call, type(value).__name__)
                    return
                if handler in NAMING and isinstance(value, BaseNetref):
                    if len(names) > NAMES_KEPT:
                        names.clear()
                    names[object.__getattribute__(value, "____id_pack__")] = what if args else ""
                self._end(number, call, "")

            result.add_callback(answered)
            return result

        return async_request

    def _end(self, number: int, call: Call, error: str) -> None:
        if self._pending.pop(number, None) is not None:
            call.seconds, call.error = time.monotonic() - call.began, error
            self._ended.append(call)
            self._noted()

    def closed(self) -> None:
        """The connection is closed: what has no answer will have none."""
        self.over = True
        for number, call in list(self._pending.items()):
            self._end(number, call, "no answer")

    def take(self) -> list[Call]:
        """Return the calls that have ended since this was last called, many quick ones as one."""
        taken = [self._ended.popleft() for _ in range(len(self._ended))]
        return taken if len(taken) <= MANY else list(stretches(taken))

    def take_long(self) -> list[Call]:
        """Return the calls that go on for long, each once."""
        before = time.monotonic() - LONG
        found = [call for call in list(self._pending.values()) if call.began < before and not call.told]
        for call in found:
            call.told = True
        return found

    @property
    def waits(self) -> bool:
        """A call has no answer yet and has not been told of."""
        return any(not call.told for call in list(self._pending.values()))


def describe(handler: int, args: tuple[Any, ...], names: dict[tuple[str, int, int], str]) -> tuple[str, object]:
    """Return what a request asks for, and the first argument of a call, from what is known here."""
    if not args or not isinstance(args[0], BaseNetref):
        return REQUESTS.get(handler, str(handler)), args[0] if args and type(args[0]) is str else None
    identity = object.__getattribute__(args[0], "____id_pack__")
    name = names.get(identity, identity[0])
    if handler == consts.HANDLE_CALL:
        first = args[1][0] if args[1] else None
        return name, first if type(first) in (str, int, float) else None
    if handler in (consts.HANDLE_GETATTR, consts.HANDLE_SETATTR, consts.HANDLE_DELATTR, consts.HANDLE_CALLATTR):
        attribute = args[1]
        return (f"{name}.{attribute}" if name else str(attribute)), None
    return f"{name}.{REQUESTS[handler]}", None


def stretches(calls: list[Call]) -> Iterator[Call]:
    """Join short calls that follow one another at once; long ones and failed ones stay as they are."""
    run: list[Call] = []
    for call in sorted(calls, key=lambda one: one.began):
        quick = call.seconds <= SHORT and not call.error and not call.told
        follows = run and call.test == run[-1].test and call.began - run[-1].began - run[-1].seconds <= SHORT
        if run and not (quick and follows):
            yield joined(run)
            run = []
        if quick:
            run.append(call)
        else:
            yield call
    if run:
        yield joined(run)


def joined(run: list[Call]) -> Call:
    """Return a stretch of calls as one."""
    if len(run) == 1:
        return run[0]
    counted = Counter(call.what for call in run).most_common()
    told = ", ".join(f"{what} ×{count}" for what, count in counted[:TOLD_NAMES])
    more = "" if len(counted) <= TOLD_NAMES else f", {len(counted) - TOLD_NAMES} more"
    first, last = run[0], run[-1]
    return Call(first.began, told + more, None, first.test, last.began + last.seconds - first.began, count=len(run))
