"""RPyC calls are noted with what was called, cheaply, and many quick ones are told as one."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from rpyc.core import consts
from rpyc.core.async_ import AsyncResult

from glusto.calls import MANY, Call, Calls, stretches

COST = 20e-6  # seconds a noted call may cost at most, on a loaded machine; it is about 2.5 µs


class Requests:
    """In the place of a connection: requests wait until they are answered."""

    def __init__(self) -> None:
        self.results: list[AsyncResult] = []

    def __call__(self, handler: int, *args: Any, **kwargs: Any) -> AsyncResult:
        self.results.append(AsyncResult(None))
        return self.results[-1]


@pytest.fixture
def calls() -> Calls:
    return Calls(lambda: 7, lambda: None)


def test_a_call_has_its_duration_and_its_test(calls: Calls) -> None:
    requests = Requests()
    calls.watch(requests)(consts.HANDLE_PING, "hello")
    assert calls.take() == []
    requests.results[0](False, None)
    (call,) = calls.take()
    assert (call.text, call.test, call.error) == ("ping('hello')", 7, "")
    assert call.seconds >= 0
    assert calls.take() == []


def test_an_exception_is_named(calls: Calls) -> None:
    requests = Requests()
    calls.watch(requests)(consts.HANDLE_PING, "x")
    requests.results[0](True, FileNotFoundError())
    assert [call.error for call in calls.take()] == ["FileNotFoundError"]


def test_a_request_that_can_not_be_sent_is_told_too(calls: Calls) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise EOFError

    with pytest.raises(EOFError):
        calls.watch(fail)(consts.HANDLE_PING, "x")
    assert [call.error for call in calls.take()] == ["EOFError"]


def test_what_nobody_answers_is_told_when_the_connection_closes(calls: Calls) -> None:
    calls.watch(Requests())(consts.HANDLE_PING, "x")
    assert calls.waits
    calls.closed()
    assert [call.error for call in calls.take()] == ["no answer"]
    assert calls.over and not calls.waits


def test_a_long_call_is_told_before_it_ends_and_once(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    calls.watch(Requests())(consts.HANDLE_PING, "x")
    assert calls.take_long() == []
    monkeypatch.setattr("glusto.calls.LONG", 0)
    assert [call.text for call in calls.take_long()] == ["ping('x')"]
    assert calls.take_long() == []
    assert not calls.waits


def test_collected_objects_are_not_told(calls: Calls) -> None:
    requests = Requests()
    calls.watch(requests)(consts.HANDLE_DEL, "x")
    requests.results[0](False, None)
    assert calls.take() == []


def test_many_quick_calls_become_stretches_and_long_or_failed_ones_stay() -> None:
    quick = [Call(number * 0.0003, f"os.f{number % 5}", None, 1, seconds=0.0002) for number in range(100)]
    slow = Call(0.01501, "time.sleep", 1, 1, seconds=0.5)
    failed = Call(0.02001, "os.stat", "/x", 1, seconds=0.0001, error="OSError")
    told = list(stretches([*quick, slow, failed]))
    assert sum(call.count for call in told) == 102
    assert slow in told and failed in told
    assert len(told) == 5
    assert told[0].what == "os.f0 ×11, os.f1 ×10, os.f2 ×10, 2 more"


def test_a_stretch_ends_with_its_test_and_at_a_pause() -> None:
    calls = [Call(t, "f", None, test, seconds=0.001) for t, test in ((0, 1), (0.002, 1), (0.004, 2), (0.5, 2))]
    assert [call.count for call in stretches(calls)] == [2, 1, 1]


def test_few_calls_are_told_one_by_one(calls: Calls) -> None:
    requests = Requests()
    request = calls.watch(requests)
    for _ in range(MANY):
        request(consts.HANDLE_PING, "x")
    for result in requests.results:
        result(False, None)
    assert len(calls.take()) == MANY


def test_noting_a_call_costs_next_to_nothing(calls: Calls) -> None:
    def seconds(request: Callable[..., Any]) -> float:
        began = time.process_time()
        for _ in range(5000):
            request(consts.HANDLE_PING, "x")(False, None)
        calls.take()
        return (time.process_time() - began) / 5000

    def bare(*args: Any, **kwargs: Any) -> AsyncResult:
        return AsyncResult(None)

    watched = calls.watch(bare)
    assert min(seconds(watched) for _ in range(5)) - min(seconds(bare) for _ in range(5)) < COST
