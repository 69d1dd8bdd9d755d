"""What waits to be written goes out whole and in order, however little is taken at a time."""

import os
import random
from collections.abc import Iterator

import pytest

from glusto.agent.outbox import SMALL, Outbox


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    for descriptor in (reading, writing):
        os.set_blocking(descriptor, False)
    yield reading, writing
    for descriptor in (reading, writing):
        os.close(descriptor)


def test_all_of_it_arrives_in_order(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    chance = random.Random(7)
    outbox, sent, arrived = Outbox(), b"", b""
    for size in (0, 1, 10, SMALL - 1, SMALL, SMALL + 1, 100_000, 0, 1_000_000, *[20_000] * 40):
        head, body = chance.randbytes(8), chance.randbytes(size)
        outbox.put(head, body)
        sent += head + body
    assert outbox.size == len(sent)
    while outbox.size:
        left = outbox.size
        assert outbox.write(writing) == left - outbox.size
        arrived += os.read(reading, chance.randrange(1, 100_000))
    while len(arrived) < len(sent):
        arrived += os.read(reading, 1 << 20)
    assert arrived == sent


def test_nothing_is_written_where_there_is_no_room(pipe: tuple[int, int]) -> None:
    outbox = Outbox()
    assert outbox.write(pipe[1]) == 0
    outbox.put(b"x" * 1_000_000)
    assert 0 < outbox.write(pipe[1]) < 1_000_000
    left = outbox.size
    assert outbox.write(pipe[1]) == 0 and outbox.size == left
    outbox.clear()
    assert outbox.size == 0 and outbox.write(pipe[1]) == 0


def test_an_end_that_nobody_reads_is_an_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    outbox = Outbox()
    outbox.put(b"x")
    with pytest.raises(BrokenPipeError):
        outbox.write(writing)
    os.close(writing)
