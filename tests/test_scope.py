"""Scopes: what each closes at its end, on local hosts."""

import getpass
from collections.abc import Iterator
from pathlib import Path

import pytest

from glusto.errors import CleanupError
from glusto.harness import Harness
from tests.hosts.waiting import until
from tests.traces import processes_below

ME = getpass.getuser()


@pytest.fixture
def g(private_tmp: Path) -> Iterator[Harness]:
    harness = Harness()
    harness.config = {"servers": {"one": {"connection": "local"}, "two": {"connection": "local"}}}
    yield harness
    harness.close()
    assert processes_below(private_tmp) == []


def connections(g: Harness) -> list[str]:
    return sorted(name.removeprefix(f"{ME}@") for name in g.rpyc_get_connections())


def servers(g: Harness) -> list[str]:
    return [name.removeprefix(f"{ME}@") for name in g.rpyc_list_deployed_servers()]


def test_a_scope_closes_what_was_opened_in_it_and_nothing_else(g: Harness) -> None:
    before = g.rpyc_get_connection("one")
    with g.scope():
        within = g.rpyc_get_connection("one", instance=2)
        g.rpyc_get_connection("two")
        assert connections(g) == ["one:1", "one:2", "two:1"]
    assert connections(g) == ["one:1"]
    assert servers(g) == ["one"]
    assert before.eval("6 * 7") == 42
    assert within.closed


def test_links_stay_when_a_scope_ends(g: Harness) -> None:
    with g.scope():
        g.rpyc_get_connection("one")
    assert g.ssh_list_connections() == [f"{ME}@one"]


def test_what_was_open_stays_though_a_scope_asks_for_it(g: Harness) -> None:
    before = g.rpyc_get_connection("one")
    with g.scope():
        assert g.rpyc_get_connection("one") is before
    assert before.eval("6 * 7") == 42


def test_the_last_scope_that_needs_a_connection_closes_it(g: Harness) -> None:
    module = g.scope("module")
    with g.scope("class"):
        opened = g.rpyc_get_connection("one")
        with module.innermost():
            assert g.rpyc_get_connection("one") is opened
    assert opened.eval("6 * 7") == 42
    module.close()
    assert opened.closed
    assert servers(g) == []


def test_scopes_may_end_in_any_order(g: Harness) -> None:
    outer, inner = g.scope(), g.scope()
    g.rpyc_get_connection("one")
    outer.close()
    assert connections(g) == ["one:1"]
    inner.close()
    assert connections(g) == []


def test_a_scope_that_was_made_in_one_that_is_innermost_for_a_while_is_innermost_afterwards(g: Harness) -> None:
    outer, other = g.scope(), g.scope()
    with outer.innermost():
        inner = g.scope()
    g.rpyc_get_connection("one")
    outer.close()
    other.close()
    assert connections(g) == ["one:1"]
    inner.close()
    assert connections(g) == []


def test_a_command_ends_with_the_scope_in_which_it_started(g: Harness) -> None:
    before = g.run_async("one", "sleep 1000")
    with g.scope():
        within = g.run_async("one", "sleep 1001")
        g.run("one", "true")
    until(lambda: within.poll() is not None, 5, "the command is dead")
    assert before.poll() is None
    before.kill()


def test_a_command_whose_link_is_not_open_yet_does_not_outlive_the_scope(g: Harness) -> None:
    with g.scope():
        started = g.run_async("one", "sleep 1000")
    until(lambda: started.poll() is not None, 10, "the command is dead")


def test_residue_is_an_error_of_the_scope(g: Harness) -> None:
    with pytest.raises(CleanupError, match="sleep 1004"), g.scope():
        g.rpyc_get_connection("one").modules.subprocess.Popen(["sleep", "1004"], start_new_session=True)


def test_an_error_within_is_not_hidden_by_one_of_the_cleanup(g: Harness) -> None:
    with pytest.raises(RuntimeError, match="the test's own") as caught, g.scope():
        g.rpyc_get_connection("one").modules.subprocess.Popen(["sleep", "1005"], start_new_session=True)
        raise RuntimeError("the test's own")
    assert "sleep 1005" in "".join(caught.value.__notes__)


def test_close_may_be_called_again_and_after_the_harness_is_closed(g: Harness) -> None:
    scope = g.scope()
    g.rpyc_get_connection("one")
    g.close()
    with g.scope():
        g.rpyc_get_connection("one")
    assert connections(g) == []
    scope.close()
    scope.close()


def test_a_scope_opens_nothing(g: Harness, private_tmp: Path) -> None:
    with g.scope():
        pass
    assert g._live is None
    assert list(private_tmp.iterdir()) == []
