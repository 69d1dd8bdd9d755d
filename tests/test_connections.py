"""RPyC connections, as every account: got, listed, shared, closed, reopened, and gone afterwards."""

import concurrent.futures
import importlib
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import rpyc

from glusto.connection import HostConnection
from glusto.errors import ConfigError, LinkLostError
from glusto.harness import Harness
from tests.hosts import Fleet, Process, TestHost, why_not
from tests.hosts.waiting import until
from tests.traces import open_sockets, traces_here, traces_on

pytestmark = pytest.mark.live

HOSTS = ("h1", "h2", "h3")
USERS = ("root", "george", "alexander")
HELPERS = """
import getpass, socket

LIMIT = 17

def whoami():
    return getpass.getuser(), socket.gethostname()

def count(text, times):
    return len(text) * times
"""


def servers_on(host: TestHost) -> list[Process]:
    """The deployed servers of a host, as its ps shows them."""
    return [process for process in host.processes() if process.args.startswith("deployed-rpyc")]


def sleep_on(connection: HostConnection) -> Callable[[float], rpyc.AsyncResult]:
    return rpyc.async_(connection.modules.time.sleep)  # type: ignore[no-any-return]


@pytest.fixture(scope="module", autouse=True)
def forty_seconds() -> Iterator[dict[str, concurrent.futures.Future[str]]]:
    """A call of 40 seconds for each user, under way while the other tests run, on a host of its own."""
    if reason := why_not():
        pytest.skip(reason)
    with Fleet(1) as fleet:
        g = Harness()
        g.config = fleet.lab()
        opened = g.provision(["h1"], USERS)
        for conn in opened.values():
            conn.execute("import getpass, time\ndef wait(seconds):\n    time.sleep(seconds); return getpass.getuser()")
        with concurrent.futures.ThreadPoolExecutor(len(USERS)) as pool:
            yield {name: pool.submit(conn.namespace["wait"], 40) for name, conn in opened.items()}
            g.close()


# Getting


def test_a_connection_is_a_live_python_of_that_user_on_that_host(g: Harness, user: str) -> None:
    for name in HOSTS:
        conn = g.rpyc_get_connection(name, user)
        assert conn.modules.sys.platform == "linux"
        assert conn.modules.getpass.getuser() == user
        assert conn.modules.socket.gethostname() == name
        assert conn.modules["os.path"].expanduser("~") == ("/root" if user == "root" else f"/home/{user}")


def test_the_user_is_root_unless_the_config_says_otherwise(g: Harness, fleet: Fleet) -> None:
    assert g.rpyc_get_connection("h1").modules.getpass.getuser() == "root"
    g.config["ssh"]["user"] = "george"
    assert g.rpyc_get_connection("h1").modules.getpass.getuser() == "george"
    g.config["servers"]["h2"]["user"] = "alexander"
    assert g.rpyc_get_connection("h2").modules.getpass.getuser() == "alexander"
    assert g.rpyc_get_connection(fleet.host("h3").address).modules.getpass.getuser() == "george"
    assert list(g.rpyc_get_connections()) == ["root@h1:1", "george@h1:1", "alexander@h2:1", "george@h3:1"]


def test_the_same_user_twice_gives_the_same_object(g: Harness, user: str) -> None:
    conn = g.rpyc_get_connection("h1", user)
    assert g.rpyc_get_connection("h1", user) is conn
    assert g.rpyc_get_connection("h1", user, 1) is conn
    assert g.rpyc_get_connection("h1", user=user, instance=2) is not conn
    assert g.rpyc_get_connection("h2", user) is not conn


def test_a_host_by_its_address_is_the_same_host(g: Harness, fleet: Fleet) -> None:
    assert g.rpyc_get_connection(fleet.hosts[0].address) is g.rpyc_get_connection("h1")


def test_instances_are_connections_of_their_own_and_share_one_server(g: Harness, host: TestHost, user: str) -> None:
    first, second = (g.rpyc_get_connection(host.name, user, instance=number) for number in (1, 2))
    assert first is not second
    assert first.modules.os.getpid() == second.modules.os.getpid()
    assert [process.user for process in servers_on(host)] == [user]
    assert g.rpyc_list_deployed_servers() == [f"{user}@{host.name}"]


def test_two_users_have_a_server_process_each_that_ps_shows_as_theirs(g: Harness, host: TestHost) -> None:
    pids = {user: g.rpyc_get_connection(host.name, user).modules.os.getpid() for user in ("root", "george")}
    assert {process.user: process.pid for process in servers_on(host)} == pids
    rows = host.execute("sh", "-c", "ps -ef | grep deployed | grep -v grep").stdout.splitlines()
    assert {row.split()[0] for row in rows if "deployed-rpyc" in row} == {"root", "george"}


@pytest.mark.parametrize("instance", [0, -1, 1.5, "2", True, None])
def test_an_instance_is_a_whole_number_from_1_up(g: Harness, instance: int) -> None:
    with pytest.raises(ConfigError, match="whole number"):
        g.rpyc_get_connection("h1", instance=instance)


def test_many_are_opened_at_once_in_the_order_asked_for(g: Harness) -> None:
    opened = g.rpyc_create_connections(HOSTS, "george", 2)
    assert list(opened) == [f"george@{name}:{number}" for name in HOSTS for number in (1, 2)]
    assert all(g.rpyc_get_connection("h2", "george", number) is opened[f"george@h2:{number}"] for number in (1, 2))


def test_hosts_times_users_times_instances_are_provisioned_at_once(g: Harness, fleet: Fleet) -> None:
    opened = g.provision(HOSTS, USERS, 2)
    assert list(opened) == [f"{user}@{name}:{n}" for name in HOSTS for user in USERS for n in (1, 2)]
    for host in fleet.hosts:
        assert sorted(process.user for process in servers_on(host)) == sorted(USERS)
    for name, conn in opened.items():
        assert conn.modules.getpass.getuser() == name.partition("@")[0]


# Listing


def test_open_connections_are_printed_and_returned_sorted(g: Harness, capsys: pytest.CaptureFixture[str]) -> None:
    assert g.rpyc_list_connections() == []
    g.rpyc_create_connections(["h2", "h1"], num_instances=2)
    g.rpyc_get_connection("h1", "george")
    expected = ["george@h1:1", "root@h1:1", "root@h1:2", "root@h2:1", "root@h2:2"]
    capsys.readouterr()
    assert g.rpyc_list_connections() == expected
    assert capsys.readouterr().out.splitlines() == expected
    assert sorted(g.rpyc_get_connections()) == expected


def test_deployed_servers_are_printed_and_returned_sorted(g: Harness, capsys: pytest.CaptureFixture[str]) -> None:
    assert g.rpyc_list_deployed_servers() == []
    g.provision(["h2", "h1"], ["root", "george"], 2)
    capsys.readouterr()
    expected = ["george@h1", "george@h2", "root@h1", "root@h2"]
    assert g.rpyc_list_deployed_servers() == expected
    assert capsys.readouterr().out.splitlines() == expected


def test_check_says_open_or_closed_and_never_opens(g: Harness, capsys: pytest.CaptureFixture[str], user: str) -> None:
    assert not g.rpyc_check_connection("h1", user)
    assert g.rpyc_get_connections() == {} and g.ssh_list_connections() == []
    g.rpyc_get_connection("h1", user)
    capsys.readouterr()
    assert g.rpyc_check_connection("h1", user)
    assert not g.rpyc_check_connection("h1", user, 2)
    assert capsys.readouterr().out == f"{user}@h1:1 is open\n{user}@h1:2 is closed\n"


def test_ping_is_true_for_what_answers_and_never_opens(g: Harness, user: str) -> None:
    assert not g.rpyc_ping_connection("h1", user)
    assert g.ssh_list_connections() == []
    g.rpyc_get_connection("h1", user)
    assert g.rpyc_ping_connection("h1", user)
    g.rpyc_close_connection("h1", user)
    assert not g.rpyc_ping_connection("h1", user)


def test_ping_is_false_in_bounded_time_for_a_server_that_hangs(g: Harness, host: TestHost) -> None:
    pid = g.rpyc_get_connection(host.name).modules.os.getpid()
    host.execute("kill", "-STOP", str(pid))
    started = time.monotonic()
    assert not g.rpyc_ping_connection(host.name)
    assert time.monotonic() - started < 7


# Using


def test_an_async_call_returns_at_once_and_can_be_waited_for(g: Harness, user: str) -> None:
    conn = g.rpyc_get_connection("h1", user)
    started = time.monotonic()
    result = sleep_on(conn)(1)
    assert time.monotonic() - started < 0.5
    assert not result.ready
    result.wait()
    assert time.monotonic() - started >= 1
    assert result.ready and result.value is None


def test_two_calls_take_turns_on_one_connection_and_run_together_on_two(g: Harness) -> None:
    sleeps = {user: [sleep_on(g.rpyc_get_connection("h1", user, number)) for number in (1, 2)] for user in USERS}

    def seconds(calls: list[Callable[[float], rpyc.AsyncResult]]) -> float:
        started = time.monotonic()
        for result in [call(1) for call in calls]:
            result.wait()
        return time.monotonic() - started

    with concurrent.futures.ThreadPoolExecutor(len(USERS)) as pool:
        on_one = list(pool.map(lambda user: seconds([sleeps[user][0]] * 2), USERS))
        on_two = list(pool.map(lambda user: seconds(sleeps[user]), USERS))
    assert all(2 <= took < 2.7 for took in on_one)
    assert all(1 <= took < 1.7 for took in on_two)


def test_a_remote_print_is_seen_here_once_stdout_is_patched(
    g: Harness, capsys: pytest.CaptureFixture[str], user: str
) -> None:
    conn = g.rpyc_get_connection("h1", user)
    conn.modules.sys.stdout = sys.stdout
    conn.execute("print('from', 'afar')")
    conn.builtins.print("and äöü")
    assert capsys.readouterr().out == "from afar\nand äöü\n"


def test_the_next_connection_does_not_print_to_one_that_is_closed(
    g: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    conn = g.rpyc_get_connection("h1")
    conn.modules.sys.stdout = sys.stdout
    g.rpyc_close_connection("h1")
    again = g.rpyc_get_connection("h1")
    until(lambda: again.eval("__import__('sys').stdout is __import__('sys').__stdout__"), 5, "stdout is put back")
    again.execute("print('to nobody')")
    assert "to nobody" not in capsys.readouterr().out


def test_execute_eval_and_namespace_work_in_one_dictionary(g: Harness, user: str) -> None:
    conn = g.rpyc_get_connection("h1", user)
    conn.execute("x = 6\ndef twice(n):\n    return 2 * n")
    assert conn.eval("twice(x) + 1") == 13
    assert conn.namespace["x"] == 6
    conn.namespace["y"] = "told"
    assert conn.eval("y") == "told"
    assert conn.namespace["twice"](21) == 42
    assert "x" not in g.rpyc_get_connection("h1", user, 2).namespace


def test_builtins_are_those_of_the_host(g: Harness, user: str, scratch: str, fleet: Fleet) -> None:
    conn = g.rpyc_get_connection("h1", user)
    assert conn.builtins.len([1, 2]) == conn.builtin.len((1, 2)) == 2
    with conn.builtins.open(f"{scratch}/file", "w") as file:
        file.write("written from here")
    assert fleet.hosts[0].execute("cat", f"{scratch}/file", user=user).stdout == "written from here"


def test_a_local_module_is_defined_on_the_host(
    g: Harness, user: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there.py").write_text(HELPERS)
    monkeypatch.syspath_prepend(tmp_path)
    local = importlib.import_module("there")
    monkeypatch.delitem(sys.modules, "there")
    conn = g.rpyc_get_connection("h1", user)
    remote = g.rpyc_define_module(conn, local)
    assert remote.whoami() == (user, "h1")
    assert remote.LIMIT == local.LIMIT == 17
    assert remote.count("abc", 4) == 12
    assert conn.modules.there.count("x", 5) == 5
    conn.execute("import there; there.LIMIT = 3")
    assert (remote.LIMIT, local.LIMIT) == (3, 17)


def test_a_local_function_is_teleported(g: Harness) -> None:
    def where() -> str:
        import socket

        return socket.gethostname()

    assert g.rpyc_get_connection("h2").teleport(where)() == "h2"


def test_an_exception_raised_there_is_the_builtin_type_here(g: Harness, user: str) -> None:
    conn = g.rpyc_get_connection("h1", user)
    with pytest.raises(FileNotFoundError) as caught:
        conn.modules.os.listdir("/no/such/place")
    assert caught.value.errno == 2
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        conn.eval("1 / 0")
    with pytest.raises(KeyError):
        conn.namespace["nothing"]
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        conn.modules["no_such_module"]
    assert conn.eval("1 + 1") == 2


def test_an_exception_of_the_hosts_own_type_keeps_its_name(g: Harness) -> None:
    conn = g.rpyc_get_connection("h1")
    conn.execute("class QuotaExceeded(Exception): pass\ndef fail(): raise QuotaExceeded('no room', 7)")
    with pytest.raises(Exception, match="no room") as caught:
        conn.namespace["fail"]()
    assert type(caught.value).__name__.endswith("QuotaExceeded")
    assert caught.value.args == ("no room", 7)


def test_the_host_can_call_back_and_import_nothing_here(g: Harness) -> None:
    conn = g.rpyc_get_connection("h1")
    seen: list[int] = []
    conn.execute("def tell(callback):\n    for n in range(3): callback(n)")
    conn.namespace["tell"](seen.append)
    assert seen == [0, 1, 2]
    conn.execute("def abuse(conn, callback): return conn.root.getmodule('os')")
    conn.execute("def reach(callback): callback.__globals__")
    with pytest.raises(AttributeError):
        conn.namespace["reach"](lambda: None)


def test_several_threads_share_a_connection(g: Harness) -> None:
    conn = g.rpyc_get_connection("h1")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda n: conn.eval(f"{n} * 2"), range(200)))
    assert got == [2 * n for n in range(200)]


def test_several_threads_that_ask_for_one_connection_get_the_same(g: Harness, host: TestHost) -> None:
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda _: g.rpyc_get_connection(host.name, "george"), range(16)))
    assert all(one is got[0] for one in got)
    assert len(servers_on(host)) == 1


# Closing


def test_close_closes_that_one_and_only_that_one(g: Harness, user: str) -> None:
    for number in (1, 2, 11):
        g.rpyc_get_connection("h1", user, number)
    g.rpyc_get_connection("h2", user)
    g.rpyc_close_connection("h1", user)
    assert g.rpyc_list_connections() == sorted([f"{user}@h1:2", f"{user}@h1:11", f"{user}@h2:1"])
    assert g.rpyc_list_deployed_servers() == [f"{user}@h1", f"{user}@h2"]
    assert g.ssh_list_connections() == [f"{user}@h1", f"{user}@h2"]


def test_close_goes_by_the_whole_name_never_by_a_part_of_it(g: Harness, fleet: Fleet) -> None:
    address = fleet.hosts[0].address
    g.config["servers"] = {name: {"address": address} for name in ("web", "web1", "my-web")}
    g.rpyc_create_connections(["web", "web1", "my-web"], "george")
    g.rpyc_close_connection("web", "george")
    assert g.rpyc_list_connections() == ["george@my-web:1", "george@web1:1"]
    g.rpyc_close_deployed_server("web1", "george")
    assert g.rpyc_list_deployed_servers() == ["george@my-web", "george@web"]
    g.ssh_close_connection("web", "george")
    assert g.ssh_list_connections() == ["george@my-web", "george@web1"]
    assert g.rpyc_get_connections()["george@my-web:1"].eval("1") == 1


def test_closing_what_is_not_open_does_nothing(g: Harness, user: str) -> None:
    def close_everything() -> None:
        g.rpyc_close_connection("h1", user)
        g.rpyc_close_connection()
        g.rpyc_close_connections()
        g.rpyc_close_deployed_server("h1", user)
        g.rpyc_close_deployed_server()
        g.rpyc_close_deployed_servers()
        g.ssh_close_connection("h1", user)
        g.ssh_close_connections()

    close_everything()
    g.rpyc_get_connection("h2")
    g.rpyc_close_connection("h1", user)
    g.rpyc_close_deployed_server("h1", user)
    g.ssh_close_connection("h1", user)
    assert g.rpyc_list_connections() == ["root@h2:1"]
    close_everything()
    close_everything()
    assert g.ssh_list_connections() == []


def test_a_closed_connection_is_opened_again_on_the_same_server(g: Harness, user: str) -> None:
    conn = g.rpyc_get_connection("h1", user)
    pid = conn.modules.os.getpid()
    g.rpyc_close_connection("h1", user)
    assert conn.closed
    with pytest.raises(LinkLostError, match=f"{user}@h1:1: the connection is closed"):
        conn.modules.os.getpid()
    again = g.rpyc_get_connection("h1", user)
    assert again is not conn
    assert again.modules.os.getpid() == pid


def test_all_connections_close_and_the_servers_stay(g: Harness, host: TestHost, user: str) -> None:
    g.rpyc_create_connections(["h1", "h2"], user, 2)
    g.rpyc_close_connections()
    assert g.rpyc_list_connections() == []
    assert g.rpyc_list_deployed_servers() == [f"{user}@h1", f"{user}@h2"]
    assert [process.user for process in servers_on(host)] == [user]
    assert g.rpyc_get_connection("h1", user, 2).modules.getpass.getuser() == user


def test_a_closed_server_is_gone_with_its_connections_and_the_link_stays(g: Harness, host: TestHost, user: str) -> None:
    conn = g.rpyc_get_connection("h1", user)
    g.rpyc_get_connection("h1", user, 2)
    g.rpyc_get_connection("h2", user)
    pid = conn.modules.os.getpid()
    g.rpyc_close_deployed_server("h1", user)
    assert servers_on(host) == [] and host.execute("ls", "-A", "/tmp").stdout == ""
    assert g.rpyc_list_deployed_servers() == [f"{user}@h2"]
    assert g.rpyc_list_connections() == [f"{user}@h2:1"]
    assert g.ssh_list_connections() == [f"{user}@h1", f"{user}@h2"]
    assert conn.closed
    again = g.rpyc_get_connection("h1", user)
    assert again.modules.os.getpid() != pid
    assert again.modules.getpass.getuser() == user


def test_all_servers_close_and_the_links_stay(g: Harness, fleet: Fleet) -> None:
    g.provision(HOSTS, USERS)
    links = g.ssh_list_connections()
    assert len(links) == 9
    g.rpyc_close_deployed_servers()
    assert [server for host in fleet.hosts for server in servers_on(host)] == []
    assert g.rpyc_list_deployed_servers() == g.rpyc_list_connections() == []
    assert g.ssh_list_connections() == links
    assert len(g.provision(HOSTS, USERS)) == 9


def test_closing_does_not_wait_for_a_call_under_way(g: Harness, user: str) -> None:
    sleep_on(g.rpyc_get_connection("h1", user))(1000)
    sleep_on(g.rpyc_get_connection("h1", user, 2))(1000)
    started = time.monotonic()
    g.rpyc_close_connection("h1", user)
    g.rpyc_close_deployed_servers()
    assert time.monotonic() - started < 2


def test_a_call_under_way_fails_when_its_connection_is_closed(g: Harness) -> None:
    conn = g.rpyc_get_connection("h1")
    result = sleep_on(conn)(1000)
    g.rpyc_close_connection("h1")
    with pytest.raises(LinkLostError, match="root@h1:1"):
        result.wait()


def test_closing_in_the_midst_of_calls_leaves_the_server_and_its_other_connections_alone(g: Harness) -> None:
    other = g.rpyc_get_connection("h1", "george", 2)
    pid = other.modules.os.getpid()

    def reached(answers: list[int], number: int) -> bool:
        return len(answers) > number

    def call_until_closed(conn: HostConnection, answers: list[int]) -> str:
        try:
            while True:
                answers.append(conn.eval("1"))
        except LinkLostError as error:
            return str(error)

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        for number in range(40):
            conn = g.rpyc_get_connection("h1", "george")
            answers: list[int] = []
            calling = [pool.submit(call_until_closed, conn, answers) for _ in range(3)]
            until(partial(reached, answers, number), 5, "calls are under way")
            g.rpyc_close_connection("h1", "george")
            assert {one.result(5) for one in calling} == {"george@h1:1: the connection is closed"}
    assert other.modules.os.getpid() == pid


def test_close_is_the_end_and_the_next_get_a_new_beginning(g: Harness) -> None:
    first = g.rpyc_get_connection("h1")
    g.close()
    g.close()
    assert first.closed
    assert g.rpyc_list_connections() == g.rpyc_list_deployed_servers() == g.ssh_list_connections() == []
    assert g.rpyc_get_connection("h1").eval("2 + 2") == 4


def test_a_dead_connection_is_replaced_and_that_is_logged(
    g: Harness, caplog: pytest.LogCaptureFixture, host: TestHost, user: str
) -> None:
    conn = g.rpyc_get_connection(host.name, user)
    host.execute("kill", "-KILL", str(conn.modules.os.getpid()))
    until(lambda: conn.closed, 5, "the connection is closed")
    with caplog.at_level(logging.WARNING, "glustolog"):
        again = g.rpyc_get_connection(host.name, user)
    assert again is not conn and again.modules.getpass.getuser() == user
    assert f"{user}@{host.name}:1: connecting again" in caplog.messages


def test_what_a_test_changes_there_stays_there(g: Harness) -> None:
    g.rpyc_get_connection("h1").modules.os.environ["ONLY_THERE"] = "1"
    assert "ONLY_THERE" not in os.environ
    assert g.rpyc_get_connection("h1", instance=2).modules.os.environ["ONLY_THERE"] == "1"
    assert "ONLY_THERE" not in g.rpyc_get_connection("h1", "george").modules.os.environ


def test_the_search_for_traces_finds_what_is_there(g: Harness, fleet: Fleet, private_tmp: Path) -> None:
    before = open_sockets()
    g.rpyc_get_connection("h1", "george")
    on_host = "\n".join(traces_on(fleet.hosts[0]))
    for trace in ("sshd: george", "glusto-agent", "deployed-rpyc", "/lock", "/socket"):
        assert trace in on_host
    assert traces_on(fleet.hosts[1]) == []
    here = "\n".join(traces_here(private_tmp, before))
    for trace in (": ssh ", "glusto-janitor", "file ", "socket:[", "pipe:["):
        assert trace in here


@pytest.mark.slow
def test_a_call_of_40_seconds_does_not_time_out(forty_seconds: dict[str, concurrent.futures.Future[str]]) -> None:
    told = {name: future.result() for name, future in forty_seconds.items()}
    assert told == {f"{user}@h1:1": user for user in USERS}
