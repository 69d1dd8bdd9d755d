"""Whatever comes in, as a config, as output of a command or over a link: only Glusto's own errors come out."""

import asyncio
import contextlib
import json
import logging
import os
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from glusto import payload, ssh
from glusto.agent.frames import MAX_BODY, MAX_HEADER, Decoder, answer_head, request_head
from glusto.config import Config, load
from glusto.errors import ConfigError, GlustoError, HostError
from glusto.events import Events
from glusto.harness import Harness
from glusto.inventory import Inventory
from glusto.junit import Reports, TestRecord, clean
from glusto.lab import Lab
from glusto.link import Link
from glusto.process import Process
from tests.hosts.waiting import until

SECONDS = 10.0  # nothing hangs
many = settings(max_examples=3000, deadline=None, suppress_health_check=list(HealthCheck))
some = settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
few = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))

# Configs

WORDS = st.sampled_from(
    ["servers", "clients", "roles", "users", "instances", "ssh", "reports", "unittest", "dead_man_seconds", "address",
     "user", "port", "keyfile", "python", "connection", "vars", "options", "dir", "local", "root", "yes", "~", "1",
     "-oProxyCommand=touch made", "root; touch made", "$(touch made)", "`touch made`", "a\nb", "..", "/", "", "\x00"]
)  # fmt: skip
TEXTS = WORDS | st.text(max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.dates() | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=16,
)
CONFIGS = st.dictionaries(TEXTS, VALUES, max_size=6)
TAGS = st.sampled_from(
    ["!!python/object/apply:os.system ['touch made']", "!!python/object/new:os.system [touch made]",
     "!!python/name:os.system", "!!python/module:os", "!include /etc/passwd", "!!binary aGVsbG8=", "!!set {a, b}",
     "!!omap [a: 1]", "!!timestamp 2020-01-01", "&a [*a]", "&a {b: *a}", "*nowhere", "{<<: *nowhere}", "<<: [1]",
     "? [a]\n: b", "|\n  text", ">-\n  text", "%YAML 1.1\n---", "--- a\n--- b", "'unclosed",
     "{a: {b: [", "\t- a", "a: b: c", "\ufeff{}", "0o17", "1e999", ".inf", "@", "`", "%"]
)  # fmt: skip
YAML = st.builds(lambda value: yaml.safe_dump(value, allow_unicode=True), CONFIGS).flatmap(
    lambda text: (
        st.builds(
            lambda tag, at: text[: at % (len(text) + 1)] + tag + text[at % (len(text) + 1) :],
            TAGS,
            st.integers(0, 10_000),
        )
        | st.just(text)
    )
)
DOCUMENTS = (
    st.builds(str.encode, YAML)
    | st.binary(max_size=200)
    | st.builds(lambda value: json.dumps(value, default=str).encode(), VALUES)
    | st.builds(lambda tag, times: (tag * times).encode(), TAGS, st.integers(0, 2000))
)


@pytest.fixture(scope="module")
def empty() -> Iterator[Path]:
    """A directory to work in, in which nothing may be made but the configs themselves."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        try:
            yield Path(directory)
            assert [path.stem for path in Path(directory).iterdir()] in ([], ["lab"])
        finally:
            os.chdir(before)


def check(inventory: Inventory) -> None:
    """See that what was accepted can be given to ssh: no name of it is an option, or more than one word."""
    for host in inventory.hosts.values():
        user = inventory.user_of(host)
        words = ssh.link_arguments(host, user, inventory.ssh, control="/c", forward=("/a", "/b"))
        assert words[-4:] == ["-l", user, "--", host.address]
        assert all("\n" not in word and "\0" not in word for word in words)
        for name in (user, host.address, host.name):
            assert not name.startswith("-") and name.isprintable() and not set(name) & set(" ;$`'\"\\|&<>()")


@many
@given(content=DOCUMENTS, kind=st.sampled_from(["yml", "json", "ini", "csv"]))
def test_any_file_is_a_config_or_an_error_with_its_position(empty: Path, content: bytes, kind: str) -> None:
    path = empty / f"lab.{kind}"
    path.write_bytes(content)
    began = time.monotonic()
    refused = None
    try:
        check(Inventory.from_config(Config(load(str(path)))))
    except ConfigError as error:
        refused = error
    finally:
        path.unlink()
    assert refused is None or str(refused).startswith(f"{path}: ") or refused.line > 0
    assert refused is None or refused.file == str(path)
    assert time.monotonic() - began < SECONDS


HOSTS = st.dictionaries(TEXTS, VALUES | st.dictionaries(WORDS, VALUES, max_size=4), max_size=4) | st.lists(
    TEXTS, max_size=4
)
LABS = st.fixed_dictionaries(
    {},
    optional={
        "servers": HOSTS,
        "clients": HOSTS,
        "roles": VALUES | st.dictionaries(TEXTS, HOSTS, max_size=3),
        "users": VALUES | st.lists(TEXTS, max_size=3),
        "ssh": VALUES
        | st.dictionaries(WORDS, VALUES, max_size=4)
        | st.fixed_dictionaries({"options": st.dictionaries(TEXTS, TEXTS)}),
        "instances": VALUES,
        "dead_man_seconds": VALUES,
        "unittest": VALUES | st.dictionaries(WORDS, VALUES, max_size=4),
    },
)


@many
@given(data=LABS)
def test_any_data_is_an_inventory_or_an_error_that_names_its_key(data: dict[str, Any]) -> None:
    said = None
    try:
        check(Inventory.from_config(Config(data)))
    except ConfigError as error:
        said = str(error)
    assert said is None or any(key in said for key in data)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("!!python/object/apply:os.system ['touch made']", "lab.yml:1:1"),
        ("servers: !!python/object/apply:os.system ['touch made']", "lab.yml:1:10"),
        ("servers: ['-oProxyCommand=touch made']", "lab.yml:1:11"),
        ("servers: {one: {address: '-oProxyCommand=touch made'}}", "lab.yml:1:26"),
        ("servers: {one: {user: 'root; reboot'}}", "lab.yml:1:23"),
        ("users: ['root; reboot']", "lab.yml:1:9"),
        ('servers: {one: {keyfile: "a\\nb"}}', "lab.yml:1:26"),
        ('reports: {dir: "a\\nb"}', "lab.yml:1:16"),
        ('servers: {one: {python: "a\\nb"}}', "lab.yml:1:25"),
        ("ssh: {options: {'ProxyCommand touch made': x}}", "lab.yml:1:17"),
    ],
)
def test_what_would_be_executed_is_refused_with_its_position(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lab.yml").write_text(text)
    g = Harness()
    with pytest.raises(ConfigError, match=said):
        g.load_configs("lab.yml")
        g.run("one", "true")
    g.close()
    assert [path.name for path in tmp_path.iterdir()] == ["lab.yml"]


@pytest.mark.parametrize("host", ["-oProxyCommand=touch made", "a b", "a\nb", "a;b", "", "$(touch made)", "a\0b"])
def test_a_host_that_is_no_name_is_refused_wherever_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.chdir(tmp_path)
    g = Harness()
    for use in (g.run, g.run_async):
        with pytest.raises(ConfigError):
            use(host, "true")
    for ask in (g.rpyc_get_connection, g.rpyc_check_connection):
        with pytest.raises(ConfigError):
            ask(host)
    with pytest.raises(ConfigError):
        g.upload(host, __file__, "/tmp/x")
    with pytest.raises(ConfigError):
        g.run("good", "true", user=host or "-l")
    g.close()
    assert list(tmp_path.iterdir()) == []


# Output


@pytest.fixture(scope="module")
def g() -> Iterator[Harness]:
    """A harness with a host that is this machine."""
    harness = Harness()
    harness.config = {"servers": {"one": {"connection": "local"}}, "dead_man_seconds": 20}
    yield harness
    harness.close()


@some
@given(
    parts=st.lists(
        st.binary(max_size=30) | st.sampled_from([b"\0", b"\xff\xfe", "é€😀".encode(), b"\x1b[31m", b"\r\n"])
    )
)
@example(parts=["😀".encode()[:2], "😀".encode()[2:]])
def test_any_output_in_any_pieces_is_text_with_replacements(parts: list[bytes]) -> None:
    loop = asyncio.new_event_loop()
    process = Process("root@one", "x", loop, logging.getLogger("glustolog"))
    for part in parts:
        process.frame({"stream": "out"}, part)
        process.frame({"stream": "err"}, part[::-1])
    process.frame({"returncode": 0, "ended_by": None}, b"")
    loop.close()
    result = process.async_communicate()
    assert result.stdout == b"".join(parts).decode("utf-8", "replace")
    assert result.stderr == b"".join(part[::-1] for part in parts).decode("utf-8", "replace")


@few
@given(data=st.binary(max_size=3000))
def test_what_a_command_prints_comes_as_it_is_but_for_what_is_no_text(g: Harness, data: bytes) -> None:
    assert g.run("one", "cat", stdin=data) == (0, data.decode("utf-8", "replace"), "")


def test_a_line_of_50_megabytes_comes_whole(g: Harness) -> None:
    result = g.run("one", "head -c 50000000 /dev/zero | tr '\\0' x; printf '\\377\\000'")
    assert result.returncode == 0
    assert len(result.stdout) == 50_000_002
    assert result.stdout.startswith("xxx") and result.stdout.endswith("x\ufffd\0")


def test_50_megabytes_on_one_line_of_a_server_s_stdout_do_not_hold_it_up(g: Harness) -> None:
    conn = g.rpyc_get_connection("one")
    conn.execute("import sys\nsys.stdout.buffer.write(b'\\xff\\0' + b'x' * 50_000_000)\nsys.stdout.flush()")
    assert conn.eval("6 * 7") == 42
    assert len(g.take_output()) >= 50_000_000


@some
@given(
    texts=st.lists(
        st.text() | st.sampled_from(["]]>", "\0", "\ud800", "\x1b[31m", "&<>", "--"]), min_size=5, max_size=5
    )
)
def test_any_text_goes_into_a_report_that_parses(texts: list[str]) -> None:
    suite, name, message, stdout, stderr = texts
    case = type("Case", (), {"id": lambda self: f"Case.{name}", "shortDescription": lambda self: message})()
    record: Any = object.__new__(TestRecord)
    facts = {
        "test_result": None, "outcome": TestRecord.FAILURE, "elapsed_time": 0.0, "timestamp": "", "test_name": suite,
        "test_id": clean(case.id()), "test_description": case.id(), "test_exception_name": "E",
        "test_exception_message": message, "test_exception_info": message, "filename": "f", "lineno": 1, "doc": message,
    }  # fmt: skip
    for attribute, value in facts.items():
        setattr(record, attribute, value)
    record.attach(stdout, stderr)
    with tempfile.TemporaryDirectory() as directory:
        Reports(directory, "run").write(suite, [record], {name: message})
        (path,) = Path(directory).iterdir()
        root = ElementTree.parse(path).getroot()
    assert len(list(root.iter("testcase"))) == 1


# Frames from an agent, which may be hostile

HEADERS = st.dictionaries(
    st.sampled_from(
        ["id", "op", "ok", "error", "stream", "returncode", "ended_by", "taken", "status", "pid", "socket", "python"]
    )
    | st.text(max_size=4),
    st.sampled_from(
        [1, 2, 3, "hello", "printed", "exited", "source", "out", "err", "timeout", 1e999, -1e999, 2**70, {}, []]
    )
    | st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists, max_leaves=4),
    max_size=5,
)


def frame(header: object, body: bytes) -> bytes:
    """Return a frame as a host may write it."""
    text = json.dumps(header).encode()
    return struct.pack("!II", len(text), len(body)) + text + body


FRAMES = st.builds(frame, HEADERS, st.binary(max_size=40))
HELLO = {
    "op": "hello", "pid": 1, "python": "3.9.1", "executable": "/p", "system": "s", "hostname": "h", "user": "u",
    "time": 0.0, "alive": [], "swept": [],
}  # fmt: skip


def disturb(frame: bytes, how: int) -> bytes:
    """Cut a frame, double it, or change a byte of it."""
    at = (how // 4) % max(1, len(frame))
    ways = (frame[:at], frame + frame, frame[:at] + bytes([how % 256]) + frame[at + 1 :], frame)
    return ways[how % 4]


STREAMS = st.lists(st.builds(disturb, FRAMES, st.integers(0, 1 << 16)) | FRAMES | st.binary(max_size=20), max_size=8)


class Silent(Link):
    """A link whose process says nothing; what it is to have said is fed to it."""

    def _command(self) -> list[str]:
        return ["sleep", "1000"]


@some
@given(stream=STREAMS, greets=st.booleans())
def test_whatever_a_host_sends_only_a_host_error_comes_of_it(stream: list[bytes], greets: bool) -> None:
    async def feed() -> None:
        lab = Lab(Events())
        inventory = Inventory.from_config(Config({"servers": {"one": {"connection": "local"}}}))
        link = Silent(inventory.host("one"), "root", inventory, Path("/nowhere"), lab)
        link.start()
        lab.links[link.name] = link
        process = Process("root@one", "x", asyncio.get_running_loop(), logging.getLogger("glustolog"))
        asked = [link.ask("serve"), link.ask("stop")]
        process.start(link)
        try:
            link._wire._read(payload.here(link._token))
            if greets:
                link._wire._read(answer_head(HELLO))
            for part in stream:
                link._wire._read(part)
            link.give_up(1)
            for future in asked:
                with contextlib.suppress(HostError):
                    await asyncio.wait_for(future, SECONDS)
            with contextlib.suppress(HostError):
                process.async_communicate(SECONDS)
        finally:
            link._watch.cancel()
            link._wire.kill()
            await link._wire.end(SECONDS)

    logging.getLogger("glustolog").setLevel(logging.CRITICAL)
    try:
        asyncio.run(feed())
    finally:
        logging.getLogger("glustolog").setLevel(logging.NOTSET)


HOSTILE = """#!{python}
import os, struct, sys, time
token = sys.argv[6].encode()
def frame(text, body=b"", length=None, size=None):
    text = text.encode()
    lengths = len(text) if length is None else length, len(body) if size is None else size
    os.write(1, struct.pack("!II", *lengths) + text + body)
def answer(text):
    for number in range(9):
        frame('{{"id":%d%s}}' % (number, text))
hello = '{hello}'
os.write(1, b"\\0" + token + b"-here\\0")
{acts}
time.sleep(1000)
"""
ACTS = {
    "random bytes": "frame(hello); os.write(1, os.urandom(100_000))",
    "no frame at all": "os.write(1, b'HTTP/1.1 200 OK\\r\\n\\r\\n' * 100)",
    "a header past the limit": f"frame(hello); frame('', length={MAX_HEADER + 1}, size=0)",
    "a body past the limit": f"frame(hello); frame('', length=0, size={MAX_BODY + 1})",
    "a header that is no JSON": "frame(hello); frame('{')",
    "a header that is no object": "frame(hello); frame('[1]')",
    "a header nested without end": "frame(hello); frame('[' * 100_000)",
    "a number without end": "frame(hello); frame('{\"id\":' + '9' * 100_000 + '}')",
    "answers without anything in them": "frame(hello); answer('')",
    "answers of another kind": 'frame(hello); answer(\',"ok":"x"\')',
    "answers with half of what is to be in them": 'frame(hello); answer(\',"ok":{"pid":1}\')',
    "a return code that is infinite": 'frame(hello); answer(\',"returncode":1e999,"ended_by":null\')',
    "a socket elsewhere": 'frame(hello); answer(\',"ok":{"pid":1,"socket":"/etc/passwd"}\')',
    "hello without anything in it": 'frame(\'{"op":"hello"}\')',
    "hello again and again": "[frame(hello) for _ in range(1000)]; os._exit(0)",
    "the end in the middle of a frame": "frame(hello); frame('', b'x', length=0, size=100); os._exit(0)",
}


@pytest.mark.parametrize("act", ACTS)
def test_a_hostile_host_is_a_lost_link_and_no_more(tmp_path: Path, private_tmp: Path, act: str) -> None:
    path = tmp_path / "python"
    path.write_text(HOSTILE.format(python=sys.executable, hello=json.dumps(HELLO), acts=ACTS[act]))
    path.chmod(0o755)
    g = Harness()
    g.config = {"servers": {"one": {"connection": "local", "python": str(path)}}, "dead_man_seconds": 2}
    with pytest.raises(GlustoError, match="@one") as caught:
        g.rpyc_get_connection("one")
        g.run("one", "true", check=True)
    assert isinstance(caught.value, HostError), repr(caught.value)
    with contextlib.suppress(GlustoError):
        g.close()
    g.close()


# Frames to an agent

REQUESTS = st.builds(
    lambda op, number, more: request_head({"op": op, "id": number, **more}),
    st.sampled_from(["ping", "serve", "stop", "dial", "input", "kill", "nonsense", ""]),
    st.integers(0, 3),
    st.dictionaries(st.text(max_size=4), st.integers() | st.text(max_size=4), max_size=2),
)
INPUTS = st.lists(st.builds(disturb, REQUESTS, st.integers(0, 1 << 16)) | REQUESTS | st.binary(max_size=40), max_size=8)


@few
@given(stream=INPUTS)
@example(stream=[struct.pack("!II", MAX_HEADER, 0) + b"\xf3" * MAX_HEADER])
@example(stream=[request_head({"op": "run", "id": 1, "command": 7})])
@example(stream=[request_head({"op": "run", "id": 1, "call": "nothing", "arguments": []})])
def test_whatever_an_agent_is_sent_it_ends_with_its_input_and_leaves_nothing(stream: list[bytes]) -> None:
    token = f"{os.urandom(8).hex()}"
    told: dict[str, object] = {
        "label": "x",
        "dead_man_seconds": 20,
        "keep_residue": False,
        "replaces": [],
        "sweep": False,
    }

    limit = "ulimit -v 1048576; "  # what is no marshalled data may ask for any amount of memory
    command = ["/bin/sh", "-c", limit + payload.remote_command(token, [sys.executable])]
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, start_new_session=True, **streams) as agent:  # type: ignore[call-overload]
        try:
            with contextlib.suppress(BrokenPipeError):
                agent.communicate(payload.first_input(token, told) + b"".join(stream), timeout=SECONDS)
        finally:
            agent.kill()
    assert agent.returncode in (0, 1), "it crashed"
    until(lambda: not tagged(token), SECONDS, "all of its processes are gone")
    assert not os.path.exists(f"/tmp/glusto-{token}")


def tagged(token: str) -> list[int]:
    """Return the processes that an agent has started."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if f"GLUSTO_AGENT={token}".encode() in Path("/proc", entry, "environ").read_bytes():
                found.append(int(entry))
    return found


@some
@given(
    frames=st.lists(st.tuples(HEADERS, st.binary(max_size=50)), max_size=5),
    sizes=st.lists(st.integers(1, 30), min_size=1),
)
def test_frames_arrive_as_they_were_sent_in_pieces_of_any_size(
    frames: list[tuple[dict[str, Any], bytes]], sizes: list[int]
) -> None:
    data = b"".join(frame(header, body) for header, body in frames)
    decoder, found, at = Decoder(), [], 0
    for turn in range(len(data)):
        size = sizes[turn % len(sizes)]
        found += list(decoder.feed(data[at : at + size]))
        at += size
    assert [body for _, body in found] == [body for _, body in frames]
    assert [set(header) for header, _ in found] == [set(header) for header, _ in frames]
