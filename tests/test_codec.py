"""What a test hands to a host arrives as it was, however it is written on the way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glusto.agent.codec import Codec
from glusto.harness import Harness

PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.complex_numbers(allow_nan=False),
    st.text(), st.binary(), st.just(Ellipsis), st.just(NotImplemented), st.slices(100),
)  # fmt: skip
VALUES = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=4).map(tuple), max_leaves=20)
HARD = (-1, 2**100, -0.0, 1j, "ä\n", b"\0\xff", (), ((),), frozenset({1, "a"}), slice(1, None, 2), NotImplemented, ...)


@given(st.tuples(st.integers(0), VALUES))
def test_a_message_is_read_as_it_was_written(message: tuple[int, object]) -> None:
    assert Codec.load(Codec.dump(message)) == message


@pytest.mark.live
def test_what_a_host_is_handed_comes_back_the_same(g: Harness) -> None:
    echo = g.rpyc_get_connection("h1").eval("lambda *given, **named: (given, named['last'])")
    assert echo(*HARD, last="x" * 100_000) == (HARD, "x" * 100_000)
    assert [type(value) for value in echo(True, 1, 1.0, last=None)[0]] == [bool, int, float]
