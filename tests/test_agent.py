"""The agent: its frames, and that it cleans up whatever happens to the server, to the commands and to itself."""

import logging
import random
import struct
import time
from collections.abc import Callable
from typing import Any

import pytest
import rpyc
from hypothesis import given
from hypothesis import strategies as st

from glusto.agent import frames
from glusto.connection import HostConnection
from glusto.errors import CleanupError, LinkLostError, ResidueError, TransferError
from glusto.harness import Harness
from tests.hosts import Fleet, Process, TestHost
from tests.hosts.waiting import until
from tests.traces import traces_on

live = pytest.mark.live

# Frames

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)
headers = st.dictionaries(st.text(max_size=9), values, max_size=5)
sent = st.lists(st.tuples(headers, st.binary(max_size=300)), max_size=5)


def from_agent(header: dict[str, Any], body: bytes) -> bytes:
    return frames.answer_head(header, len(body)) + body


def pieces(data: bytes, seed: int) -> list[bytes]:
    """Cut data at random."""
    cuts = sorted(random.Random(seed).choices(range(len(data) + 1), k=min(len(data), 12)))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


@given(sent, st.integers())
def test_frames_arrive_whole_however_the_stream_is_cut(messages: list[tuple[dict[str, Any], bytes]], seed: int) -> None:
    data = b"".join(from_agent(header, body) for header, body in messages)
    decoder = frames.Decoder()
    assert [frame for piece in pieces(data, seed) for frame in decoder.feed(piece)] == messages


@given(sent, st.integers())
def test_frames_to_an_agent_arrive_too(messages: list[tuple[dict[str, Any], bytes]], seed: int) -> None:
    import marshal

    data = b"".join(frames.request_head(header, len(body)) + body for header, body in messages)
    decoder = frames.Decoder(marshal.loads)
    assert [frame for piece in pieces(data, seed) for frame in decoder.feed(piece)] == messages


@given(headers, st.binary(max_size=300), st.data())
def test_a_frame_that_is_cut_off_is_no_frame_yet(header: dict[str, Any], body: bytes, data: st.DataObject) -> None:
    whole = from_agent(header, body)
    cut = data.draw(st.integers(0, len(whole) - 1))
    decoder = frames.Decoder()
    assert list(decoder.feed(whole[:cut])) == []
    assert list(decoder.feed(whole[cut:] + whole)) == [(header, body)] * 2  # and one that comes twice is two


@given(st.binary(max_size=400), st.booleans())
def test_noise_is_an_error_or_nothing_and_never_anything_else(noise: bytes, begun: bool) -> None:
    decoder = frames.Decoder()
    if begun:
        list(decoder.feed(from_agent({"a": 1}, b"x")))
    try:
        for header, body in decoder.feed(noise):
            assert isinstance(header, dict) and isinstance(body, bytes)
    except frames.FrameError:
        pass


@given(st.binary(max_size=60))
def test_a_header_that_is_no_json_object_is_an_error(text: bytes) -> None:
    decoder = frames.Decoder()
    data = struct.pack("!II", len(text), 0) + text
    try:
        found = list(decoder.feed(data))
    except frames.FrameError:
        return
    assert len(found) == 1 and isinstance(found[0][0], dict)


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"1", b'"text"', b"null", b"{", b"{]", b'{"a": 1}x', b"\xff", b"[" * 50_000]
)
def test_what_is_no_json_object_is_refused(text: bytes) -> None:
    with pytest.raises(frames.FrameError):
        list(frames.Decoder().feed(struct.pack("!II", len(text), 0) + text))


@pytest.mark.parametrize(
    ("header", "body"), [(frames.MAX_HEADER + 1, 0), (0, frames.MAX_BODY + 1), (2**32 - 1, 2**32 - 1)]
)
def test_lengths_that_would_fill_the_memory_are_refused_at_once(header: int, body: int) -> None:
    with pytest.raises(frames.FrameError, match="over the limit"):
        list(frames.Decoder().feed(struct.pack("!II", header, body)))


# On hosts


def named(host: TestHost, name: str, user: str = "") -> list[Process]:
    return [p for p in host.processes() if p.args.startswith(name) and (not user or p.user == user)]


def call_under_way(conn: HostConnection) -> "rpyc.AsyncResult":
    return rpyc.async_(conn.modules.time.sleep)(1000)


@live
def test_a_server_that_is_killed_is_told_in_time_cleaned_up_and_replaced(g: Harness, host: TestHost, user: str) -> None:
    first, second = g.rpyc_create_connections(["h1"], user, 2).values()
    result = call_under_way(first)
    started = time.monotonic()
    host.execute("kill", "-KILL", str(second.modules.os.getpid()))
    with pytest.raises(LinkLostError, match=f"{user}@h1:1: the deployed server ended: killed by SIGKILL"):
        result.wait()
    assert time.monotonic() - started < 2
    with pytest.raises(EOFError, match=f"{user}@h1:2: the deployed server ended: killed by SIGKILL") as caught:
        second.eval("1")
    assert isinstance(caught.value, LinkLostError)
    assert host.execute("ls", "-A", "/tmp").stdout == ""
    assert g.rpyc_list_deployed_servers() == g.rpyc_list_connections() == []
    assert g.ssh_list_connections() == [f"{user}@h1"]
    assert g.rpyc_get_connection("h1", user).modules.getpass.getuser() == user
    assert len(named(host, "deployed-rpyc", user)) == 1


@live
@pytest.mark.parametrize(
    ("end", "told"),
    [
        ("__import__('os')._exit(3)", "exit status 3"),
        ("(__import__('os').kill(__import__('os').getpid(), 11), __import__('time').sleep(9))", "killed by SIGSEGV"),
        ("(__import__('os').killpg(0, 15), __import__('time').sleep(9))", "killed by SIGTERM"),
    ],
)
def test_a_server_that_ends_itself_is_told_with_how_it_ended(g: Harness, end: str, told: str) -> None:
    conn = g.rpyc_get_connection("h1", "george")
    with pytest.raises(LinkLostError, match=f"george@h1:1: the deployed server ended: {told}"):
        conn.eval(end)
    assert g.run("h1", "echo fine", "george").stdout == "fine\n"
    assert g.rpyc_get_connection("h1", "george").eval("1") == 1


@live
def test_what_a_test_does_to_its_server_does_not_reach_the_agent(g: Harness, host: TestHost) -> None:
    conn = g.rpyc_get_connection("h1", "george")
    conn.execute(
        "import os, resource, sys\n"
        "os.chdir('/proc'); os.umask(0o777); os.environ.clear(); sys.path.clear()\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))\n"
    )
    assert g.run("h1", "pwd; umask; echo $HOME", "george").stdout == "/home/george\n0022\n/home/george\n"
    started = time.monotonic()
    g.rpyc_close_deployed_server("h1", "george")
    assert time.monotonic() - started < 3
    assert host.execute("ls", "-A", "/tmp").stdout == ""


@live
def test_a_server_that_ignores_the_end_is_ended(g: Harness, host: TestHost) -> None:
    conn = g.rpyc_get_connection("h1", "george")
    conn.execute(
        "import subprocess\n"
        "child = subprocess.Popen(['sh', '-c', \"trap '' HUP INT TERM; echo deaf; sleep 1208; sleep 1208\"], stdout=-1)"
    )
    assert conn.eval("child.stdout.readline()") == b"deaf\n"
    host.execute("kill", "-STOP", str(conn.modules.os.getpid()))
    started = time.monotonic()
    g.rpyc_close_deployed_server("h1", "george")
    assert time.monotonic() - started < 3
    assert named(host, "sleep 1208") == named(host, "deployed-rpyc") == []


@live
def test_the_children_of_a_server_go_with_it(g: Harness, host: TestHost) -> None:
    conn = g.rpyc_get_connection("h1", "george")
    conn.modules.os.system("sleep 1201 & (sleep 1201 &)")
    assert len(named(host, "sleep 1201")) == 2
    g.rpyc_close_deployed_server("h1", "george")
    assert named(host, "sleep 1201") == []


@live
def test_a_process_that_left_its_server_is_named_and_ended(g: Harness, host: TestHost) -> None:
    conn = g.rpyc_get_connection("h1", "george")
    conn.modules.subprocess.Popen(["sleep", "1202"], start_new_session=True)
    until(lambda: len(named(host, "sleep 1202")) == 1, 5, "the daemon runs")
    with pytest.raises(ResidueError, match=r"george@h1: process \d+ \(sleep\) was left: sleep 1202") as caught:
        g.rpyc_close_deployed_server("h1", "george")
    assert len(caught.value.residue) == 1
    assert named(host, "sleep 1202") == named(host, "deployed-rpyc") == []


@live
def test_residue_is_told_for_every_host_when_all_is_closed(g: Harness, fleet: Fleet) -> None:
    for conn in g.rpyc_create_connections(["h1", "h2", "h3"], "george").values():
        if conn.modules.socket.gethostname() != "h2":
            conn.modules.subprocess.Popen(["sleep", "1203"], start_new_session=True)
    with pytest.raises(CleanupError) as caught:
        g.end_class()
    assert sorted(error.host for error in caught.value.exceptions if isinstance(error, ResidueError)) == [
        "george@h1",
        "george@h3",
    ]
    assert [process for host in fleet.hosts for process in named(host, "sleep 1203")] == []


@live
def test_residue_is_kept_where_that_is_asked_for_and_told_all_the_same(g: Harness, host: TestHost) -> None:
    g.config["keep_residue"] = True
    g.rpyc_get_connection("h1", "george").modules.subprocess.Popen(["sleep", "1204"], start_new_session=True)
    with pytest.raises(ResidueError, match="sleep 1204"):
        g.rpyc_close_deployed_server("h1", "george")
    (kept,) = named(host, "sleep 1204")
    host.execute("kill", str(kept.pid))


@live
def test_an_agent_that_is_killed_takes_server_and_commands_along_and_is_replaced(g: Harness, host: TestHost) -> None:
    conn = g.rpyc_get_connection("h1", "george")
    result = call_under_way(conn)
    running = g.run_async("h1", "sleep 1205 & sleep 1205", "george")
    until(lambda: len(named(host, "sleep 1205")) == 2, 5, "the command runs")
    agent = named(host, "glusto-agent", "george")[0]  # a child that has just been forked is called the same
    host.execute("kill", "-KILL", str(agent.pid))
    with pytest.raises(LinkLostError, match="george@h1:1: the link was lost"):
        result.wait()
    assert isinstance(running.async_communicate(5).error, LinkLostError)
    until(lambda: not named(host, "deployed-rpyc") and not named(host, "sleep 1205"), 5, "all died with the agent")
    assert host.execute("ls", "-A", "/tmp").stdout != ""  # nobody is there to remove it, until the next one comes
    again = g.rpyc_get_connection("h1", "george")
    assert again.modules.getpass.getuser() == "george"
    assert len(host.execute("ls", "-A", "/tmp").stdout.split()) == 1


@live
@pytest.mark.parametrize("number", ["TERM", "HUP"])
def test_an_agent_that_is_told_to_end_cleans_up_first(g: Harness, host: TestHost, number: str) -> None:
    g.rpyc_get_connection("h1", "george").modules.subprocess.Popen(["sleep", "1206"], start_new_session=True)
    g.run_async("h1", "sleep 1207", "george")
    until(lambda: bool(named(host, "sleep 1206") and named(host, "sleep 1207")), 5, "all runs")
    agent = named(host, "glusto-agent", "george")[0]  # a child that has just been forked is called the same
    host.execute("kill", f"-{number}", str(agent.pid))
    until(lambda: not traces_on(host), 1.8, "the host is clean, at once")
    assert g.rpyc_get_connection("h1", "george").eval("1") == 1


@live
def test_server_and_agent_killed_at_once_are_replaced_and_swept(g: Harness, host: TestHost) -> None:
    g.rpyc_get_connection("h1", "george")
    host.execute("pkill", "-STOP", "-u", "george", "-f", "^glusto-agent")  # it can't clean up between the two kills
    host.execute("pkill", "-KILL", "-u", "george")
    until(lambda: not [p for p in host.processes() if p.user == "george"], 5, "all of george's is dead")
    assert host.execute("ls", "-A", "/tmp").stdout != ""
    assert g.run("h1", "ls -A /tmp", "george").stdout == ""


@live
def test_a_transfer_that_loses_its_host_is_an_error(g: Harness, host: TestHost, scratch: str, tmp_path: Any) -> None:
    host.execute("truncate", "-s", "2G", f"{scratch}/endless")
    errors: list[TransferError] = []

    def download() -> None:
        try:
            g.download("h1", f"{scratch}/endless", str(tmp_path / "x"), "george")
        except TransferError as error:
            errors.append(error)

    import threading

    thread = threading.Thread(target=download)
    thread.start()
    until(lambda: (tmp_path / "x").exists() and (tmp_path / "x").stat().st_size > 1_000_000, 10, "it is under way")
    host.execute("pkill", "-KILL", "-u", "george")
    thread.join(10)
    assert "george@h1: download of" in str(errors[0])


@live
def test_sweeping_follows_no_link_and_leaves_what_is_not_abandoned(g: Harness, host: TestHost, scratch: str) -> None:
    link, fresh, file, old, others = (f"/tmp/glusto-{digit * 16}" for digit in "abcde")
    host.write_text(f"{scratch}/precious", "precious", owner="george")
    as_george = (
        f"ln -s {scratch} {link}; mkdir {fresh}; touch {file} /tmp/other; mkdir /tmp/glusto-tests;"
        f"mkdir -p -m 700 {old}/a/b; touch {old}/lock; ln -s {scratch} {old}/way"
    )
    host.execute("sh", "-c", as_george, user="george")
    host.execute("sh", "-c", f"mkdir {others}; touch {others}/lock")
    other = g.rpyc_get_connection("h1", "alexander")
    assert g.run("h1", "true", "george").returncode == 0
    until(lambda: host.execute("test", "-e", old, check=False).returncode == 1, 5, "what was abandoned is swept")
    kept = [link, fresh, file, others, "/tmp/other", "/tmp/glusto-tests"]
    assert set(kept) < set(host.execute("find", "/tmp", "-maxdepth", "1").stdout.split())
    assert host.read_text(f"{scratch}/precious") == "precious"
    assert other.eval("1") == 1
    host.execute("rm", "-r", *kept)


@live
def test_ps_says_whose_the_processes_are(g: Harness, host: TestHost) -> None:
    import getpass
    import os
    import socket

    g.rpyc_get_connection("h1", "george")
    label = f"george@h1 for {getpass.getuser()}@{socket.gethostname()}:{os.getpid()}"
    assert [process.args for process in named(host, "deployed-rpyc")] == [f"deployed-rpyc {label}"]
    assert [process.args for process in named(host, "glusto-agent")] == [f"glusto-agent {label}"]


# What is printed there


@live
@pytest.mark.parametrize(
    "say",
    [
        lambda conn: conn.execute("print('said')"),
        lambda conn: conn.execute("import sys; print('said', file=sys.stderr)"),
        lambda conn: conn.modules.os.system("echo said"),
        lambda conn: conn.modules.os.system("echo said >&2"),
        lambda conn: conn.modules.os.write(1, b"said\n"),
    ],
    ids=["print", "stderr", "child", "child's stderr", "descriptor"],
)
def test_what_is_printed_there_is_in_the_log_with_the_hosts_name(
    g: Harness, caplog: pytest.LogCaptureFixture, say: Callable[[HostConnection], object]
) -> None:
    conn = g.rpyc_get_connection("h1", "george")
    with caplog.at_level(logging.INFO, "glustolog"):
        say(conn)
        until(lambda: "george@h1: said" in caplog.messages, 5, "it is in the log")


@live
def test_a_test_that_prints_a_lot_does_not_block(g: Harness) -> None:
    conn = g.rpyc_get_connection("h1", "george")
    started = time.monotonic()
    conn.execute("for number in range(20_000): print('x' * 100)")
    conn.modules.os.system("head -c 2000000 /dev/zero | tr '\\0' y")
    assert conn.eval("1") == 1
    assert time.monotonic() - started < 15


@live
def test_many_processes_that_begin_and_end_leave_no_zombie(g: Harness, host: TestHost) -> None:
    conn = g.rpyc_get_connection("h1", "george")
    for _ in range(5):
        conn.modules.os.system("true & true & true")
        g.run("h1", "true & true", "george")
    until(lambda: not [p for p in host.processes() if "<defunct>" in p.args], 5, "there is no zombie")
