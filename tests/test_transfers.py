"""Files and directories to and from hosts: they arrive whole, with their modes, where they were sent, or not at all."""

import os
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from glusto.agent import trees
from glusto.errors import ConnectError, TransferError
from glusto.harness import Harness
from tests.hosts import Fleet, TestHost

NAMES = ("plain", "with space", "line\nbreak", "päth-ü-€", "-rf", "a'b\"c", "$(reboot)", "trailing ", "x" * 200)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A directory with everything in it that a directory may hold and a transfer has to keep."""
    top = tmp_path / "tree"
    (top / "sub" / "deep").mkdir(parents=True)
    (top / "empty-directory").mkdir()
    (top / "empty-file").touch()
    (top / "binary").write_bytes(bytes(range(256)) * 4096)
    (top / "script").write_text("#!/bin/sh\n")
    (top / "sub" / "deep" / "file").write_text("deep")
    (top / "hard").write_text("linked")
    os.link(top / "hard", top / "sub" / "hard-too")
    for name in NAMES:
        (top / "sub" / name).write_text(f"this is {name}")
    (top / "to-file").symlink_to("binary")
    (top / "to-directory").symlink_to("sub/deep")
    (top / "to-outside").symlink_to("/etc/hostname")
    (top / "to-nowhere").symlink_to("no/such/file")
    for path, mode in (
        ("script", 0o755),
        ("binary", 0o600),
        ("empty-file", 0o444),
        ("sub/deep", 0o500),
        ("sub", 0o750),
    ):
        (top / path).chmod(mode)
    return top


def shape(top: Path) -> dict[str, tuple[str, int, object]]:
    """What is below a directory: path → kind, mode, content."""
    found: dict[str, tuple[str, int, object]] = {}
    for path in (top, *sorted(top.rglob("*"))):
        name, mode = str(path.relative_to(top)), stat.S_IMODE(path.lstat().st_mode)
        if path.is_symlink():
            found[name] = "link", 0, os.readlink(path)
        elif path.is_dir():
            found[name] = "directory", mode, None
        else:
            found[name] = "file", mode, path.read_bytes()
    return found


# The stream itself


Entry = tuple[bytes, str, bytes, int]


def entry(name: str, kind: bytes = trees.FILE, content: str = "", mode: int = 0o644) -> Entry:
    return kind, name, content.encode(), mode


def stream(*entries: Entry) -> bytes:
    """A stream as a host may send it, whatever is in it."""
    heads = [
        trees.HEAD.pack(kind, mode, 0, len(content), len(name)) + name.encode() + content
        for kind, name, content, mode in entries
    ]
    return b"".join(heads) + trees.HEAD.pack(trees.END, 0, 0, 0, 0)


def unpack(target: Path, *entries: Entry) -> None:
    trees.unpack(str(target), "x", [stream(*entries)])


FOLDER = entry("", trees.DIRECTORY, mode=0o755)


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Path]:
    """A directory to unpack in, beside things that must stay as they are."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "precious").write_text("precious")
    yard = tmp_path / "yard"
    yard.mkdir()
    before = shape(tmp_path / "outside")
    yield yard
    assert shape(tmp_path / "outside") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["outside", "yard"]


@pytest.mark.parametrize(
    "name",
    [
        "../outside/precious",
        "sub/../../outside/precious",
        "sub/../../../outside/new",
        "/etc/glusto-was-here",
        "/glusto-was-here",
        "sub//glusto-was-here",
        "./glusto-was-here",
        "sub/.",
        "sub/",
        "..",
        "/",
    ],
)
def test_a_name_that_leads_out_of_the_tree_is_refused(yard: Path, name: str) -> None:
    with pytest.raises(trees.TreeError, match="refused the name"):
        unpack(yard / "target", FOLDER, entry("sub", trees.DIRECTORY), entry(name, content="evil"))
    assert not os.path.lexists("/etc/glusto-was-here") and not os.path.lexists("/glusto-was-here")


@pytest.mark.parametrize("way", ["../../outside", "{outside}"])
@pytest.mark.parametrize("kind", [trees.FILE, trees.DIRECTORY, trees.LINK])
def test_a_link_on_the_way_is_not_followed_out_of_the_tree(yard: Path, way: str, kind: bytes) -> None:
    link = entry("way", trees.LINK, way.format(outside=yard.parent / "outside"))
    for name in ("way/precious", "way/new"):
        with pytest.raises(trees.TreeError, match="a link on its way"):
            unpack(yard / "target", FOLDER, link, entry(name, kind, "/etc/passwd" if kind == trees.LINK else ""))


def test_a_link_in_the_place_of_another_is_not_followed_out_of_the_tree(yard: Path) -> None:
    """A way that has been found good may lead elsewhere later."""
    good, evil = entry("way", trees.LINK, "sub"), entry("way", trees.LINK, "../../outside")
    with pytest.raises(trees.TreeError, match="a link on its way"):
        unpack(
            yard / "target", FOLDER, entry("sub", trees.DIRECTORY), good, entry("way/file"), evil, entry("way/precious")
        )
    assert (yard / "target" / "sub" / "file").exists()


@pytest.mark.parametrize("way", ["../outside/precious", "{outside}/precious"])
def test_a_file_replaces_a_link_of_its_name_and_does_not_go_through_it(yard: Path, way: str) -> None:
    link = entry("f", trees.LINK, way.format(outside=yard.parent / "outside"))
    unpack(yard / "target", FOLDER, link, entry("f", content="mine"))
    assert not (yard / "target" / "f").is_symlink()
    assert (yard / "target" / "f").read_text() == "mine"


def test_a_directory_replaces_a_link_of_its_name_and_does_not_go_through_it(yard: Path) -> None:
    link = entry("d", trees.LINK, str(yard.parent / "outside"))
    folder = entry("d", trees.DIRECTORY, mode=0o700)
    unpack(yard / "target", FOLDER, link, folder, entry("d/precious", content="mine"))
    assert shape(yard / "target" / "d") == {
        ".": ("directory", 0o700, None),
        "precious": ("file", 0o644, b"mine"),
    }


@pytest.mark.parametrize("first", [None, trees.FILE, trees.DIRECTORY])
@pytest.mark.parametrize("kind", [trees.LINK, trees.HARD_LINK])
def test_the_tree_itself_can_be_no_link(yard: Path, first: bytes | None, kind: bytes) -> None:
    link = entry("", kind, str(yard.parent / "outside"))
    before = [entry("", first)] if first is not None else []
    with pytest.raises(trees.TreeError, match="refused"):
        unpack(yard / "target", *before, link, entry("precious", content="evil"))


def test_a_hard_link_to_a_link_is_refused_and_nothing_is_written_through_it(yard: Path) -> None:
    way = entry("way", trees.LINK, str(yard.parent / "outside" / "precious"))
    with pytest.raises(trees.TreeError, match="refused"):
        unpack(yard / "target", FOLDER, way, entry("hard", trees.HARD_LINK, "way"), entry("hard", content="evil"))


def test_a_link_replaces_a_file_of_its_name(yard: Path) -> None:
    (yard / "target").mkdir()
    for name in ("soft", "hard"):
        (yard / "target" / name).write_text("old")
    links = entry("soft", trees.LINK, "file"), entry("hard", trees.HARD_LINK, "file")
    trees.unpack(str(yard), "target", [stream(FOLDER, entry("file", content="new"), *links)])
    assert os.readlink(yard / "target" / "soft") == "file"
    assert (yard / "target" / "hard").stat().st_ino == (yard / "target" / "file").stat().st_ino


def test_a_parent_that_is_not_there_is_not_made(yard: Path) -> None:
    with pytest.raises(FileNotFoundError):
        unpack(yard / "typing-error" / "target", entry("", content="x"))
    with pytest.raises(FileNotFoundError):
        unpack(yard / "target", entry("sub/file", content="x"))
    assert list(yard.iterdir()) == []


@pytest.mark.parametrize("name", ["../outside/precious", "/etc/passwd", "way/precious", "sub/../../outside/precious"])
def test_a_hard_link_to_what_is_outside_is_refused(yard: Path, name: str) -> None:
    way = entry("way", trees.LINK, "../../outside")
    with pytest.raises(trees.TreeError, match="refused"):
        unpack(yard / "target", FOLDER, way, entry("hard", trees.HARD_LINK, name))
    assert not (yard / "target" / "hard").exists()


@pytest.mark.parametrize("content", ["", "x" * (trees.LONGEST + 1)])
def test_what_is_no_entry_is_refused(yard: Path, content: str) -> None:
    kind = trees.LINK if content else b"c"
    with pytest.raises(trees.TreeError, match="what came is no tree"):
        unpack(yard / "target", FOLDER, entry("odd", kind, content))


def test_a_stream_of_nothing_or_of_noise_is_refused(yard: Path) -> None:
    with pytest.raises(trees.TreeError, match="the other end sent nothing"):
        trees.unpack(str(yard / "target"), "x", [])
    with pytest.raises(trees.TreeError):
        trees.unpack(str(yard / "target"), "x", [b"no tree at all" * 1000])
    assert list(yard.iterdir()) == []


@pytest.mark.parametrize("cut", [0.001, 0.3, 0.99999])
def test_a_stream_that_breaks_off_is_an_error(yard: Path, cut: float) -> None:
    whole = stream(FOLDER, entry("file", content="x" * 100_000))
    with pytest.raises(trees.TreeError, match="it broke off"):
        trees.unpack(str(yard / "target"), "x", [whole[: int(len(whole) * cut)]])


@pytest.mark.parametrize("size", [1, 7, 1000, 10_000_000])
def test_what_is_packed_is_what_is_unpacked(yard: Path, tree: Path, size: int) -> None:
    os.utime(tree / "script", (1e9, 1e9))
    whole = b"".join(trees.pack(str(tree)))
    trees.unpack(str(yard / "copy"), "x", (whole[start : start + size] for start in range(0, len(whole), size)))
    assert shape(yard / "copy") == shape(tree)
    assert (yard / "copy" / "sub" / "hard-too").stat().st_ino == (yard / "copy" / "hard").stat().st_ino
    assert (yard / "copy" / "script").stat().st_mtime == 1e9
    tree.rename(yard / "original")  # which `yard` doesn't expect


def test_a_file_that_becomes_shorter_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * (2 * trees.BLOCK))
    pieces = trees.pack(str(tmp_path / "file"))
    next(pieces)
    os.truncate(tmp_path / "file", 10)
    with pytest.raises(trees.TreeError, match="became shorter"):
        list(pieces)


def test_what_the_kernel_makes_up_is_packed_whole(yard: Path) -> None:
    trees.unpack(str(yard / "mounts"), "x", trees.pack("/proc/self/mounts"))
    assert (yard / "mounts").read_text() == Path("/proc/self/mounts").read_text()


# To hosts and back

live = pytest.mark.live


@live
def test_a_file_goes_up_under_a_new_name_into_a_directory_and_over_another(
    g: Harness, scratch: str, tmp_path: Path, user: str, fleet: Fleet
) -> None:
    local = tmp_path / "some file"
    local.write_bytes(bytes(range(256)) * 5000)
    local.chmod(0o640)
    host = fleet.hosts[0]
    g.upload("h1", str(local), f"{scratch}/new", user)
    g.upload("h1", str(local), scratch, user)
    host.write_text(f"{scratch}/old", "something longer" * 100_000, mode=0o777, owner=user)
    g.upload("h1", str(local), f"{scratch}/old", user)
    for name in ("new", "some file", "old"):
        told = host.execute("stat", "-c", "%s %a %U", f"{scratch}/{name}").stdout
        assert told == f"1280000 640 {user}\n"
        host.execute("cmp", f"{scratch}/{name}", f"{scratch}/new")
    back = tmp_path / "back"
    g.download("h1", f"{scratch}/old", str(back), user)
    assert (back.read_bytes(), stat.S_IMODE(back.stat().st_mode)) == (local.read_bytes(), 0o640)


@live
def test_a_file_comes_down_under_a_new_name_into_a_directory_and_over_another(
    g: Harness, host: TestHost, scratch: str, tmp_path: Path, user: str
) -> None:
    host.write_text(f"{scratch}/file", "content\n", mode=0o750, owner=user)
    (tmp_path / "old").write_text("something longer")
    for where, arrived in (("new", "new"), ("", "file"), ("old", "old")):
        g.download("h1", f"{scratch}/file", str(tmp_path / where), user)
        assert (tmp_path / arrived).read_text() == "content\n"
        assert stat.S_IMODE((tmp_path / arrived).stat().st_mode) == 0o750


@live
def test_a_directory_goes_up_and_comes_down_with_all_that_is_in_it(
    g: Harness, host: TestHost, scratch: str, tree: Path, tmp_path: Path, user: str
) -> None:
    g.upload("h1", str(tree), f"{scratch}/new", user)
    g.upload("h1", f"{tree}/", scratch, user)  # into a directory that is there
    for number, name in enumerate(("new", "tree/")):
        g.download("h1", f"{scratch}/{name}", str(tmp_path / f"back{number}"), user)
        assert shape(tmp_path / f"back{number}") == shape(tree)
    assert set(host.execute("find", f"{scratch}/new", "-printf", "%u\n").stdout.split()) == {user}
    (tmp_path / "into").mkdir()
    g.download("h1", f"{scratch}/new", str(tmp_path / "into"), user)
    assert shape(tmp_path / "into" / "new") == shape(tree)


@live
def test_a_directory_that_may_only_be_read_is_made_as_the_user_too(
    g: Harness, scratch: str, tmp_path: Path, fleet: Fleet
) -> None:
    top = tmp_path / "sealed"
    (top / "inner").mkdir(parents=True)
    (top / "inner" / "file").write_text("x")
    for path, mode in ((top / "inner" / "file", 0o400), (top / "inner", 0o500), (top, 0o500)):
        path.chmod(mode)
    g.upload("h1", str(top), f"{scratch}/sealed", "george")
    told = fleet.hosts[0].execute("find", f"{scratch}/sealed", "-printf", "%P %m %u\n").stdout
    assert told == " 500 george\ninner 500 george\ninner/file 400 george\n"
    g.download("h1", f"{scratch}/sealed", str(tmp_path / "back"), "george")
    assert shape(tmp_path / "back") == shape(top)


@live
def test_a_directory_goes_over_one_that_is_there_file_by_file(
    g: Harness, host: TestHost, scratch: str, tmp_path: Path
) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "a").write_text("new")
    host.execute("mkdir", f"{scratch}/conf")
    host.write_text(f"{scratch}/conf/a", "old")
    host.write_text(f"{scratch}/conf/b", "kept")
    g.upload("h1", str(tmp_path / "conf"), scratch)
    assert host.execute("cat", f"{scratch}/conf/a", f"{scratch}/conf/b").stdout == "newkept"


@live
@pytest.mark.parametrize("name", NAMES)
def test_odd_names_are_only_names(g: Harness, scratch: str, tmp_path: Path, name: str, fleet: Fleet) -> None:
    (tmp_path / name).write_text(name)
    g.upload("h1", str(tmp_path / name), f"{scratch}/{name}", "george")
    g.upload("h1", str(tmp_path / name), scratch, "george")
    assert fleet.hosts[0].execute("find", scratch, "-mindepth", "1", "-printf", "%f\\0").stdout == f"{name}\0"
    (tmp_path / "back").mkdir()
    g.download("h1", f"{scratch}/{name}", str(tmp_path / "back"), "george")
    assert (tmp_path / "back" / name).read_text() == name


@live
def test_a_tilde_is_the_home_at_either_end(
    g: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: str, fleet: Fleet
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mine").write_text("x")
    g.upload("h1", "~/mine", "~/theirs", user)
    g.upload("h1", "~/mine", "~", user)
    g.upload("h1", "~/mine", "relative", user)
    g.download("h1", "~/theirs", "~/back", user)
    assert (tmp_path / "back").read_text() == "x"
    home = "/root" if user == "root" else f"/home/{user}"
    fleet.hosts[0].execute("rm", f"{home}/theirs", f"{home}/mine", f"{home}/relative")


@live
def test_a_link_given_by_name_is_followed(g: Harness, host: TestHost, scratch: str, tmp_path: Path) -> None:
    (tmp_path / "real").write_text("real")
    (tmp_path / "link").symlink_to("real")
    g.upload("h1", str(tmp_path / "link"), scratch)
    assert host.execute("stat", "-c", "%F", f"{scratch}/link").stdout == "regular file\n"
    host.execute("ln", "-s", "link", f"{scratch}/again")
    g.download("h1", f"{scratch}/again", str(tmp_path / "back"))
    assert (tmp_path / "back").read_text() == "real" and not (tmp_path / "back").is_symlink()


@live
def test_a_source_that_is_missing_is_named(g: Harness, scratch: str, tmp_path: Path, host: TestHost) -> None:
    with pytest.raises(TransferError, match=r"george@h1: upload of .*/missing to .*No such file or directory"):
        g.upload("h1", str(tmp_path / "missing"), f"{scratch}/new", "george")
    assert host.execute("ls", scratch).stdout == ""
    with pytest.raises(TransferError, match=r"george@h1: download of /no/such/file to .*No such file or directory"):
        g.download("h1", "/no/such/file", str(tmp_path / "new"), "george")
    assert not (tmp_path / "new").exists()
    assert g.run("h1", "echo fine", "george") == (0, "fine\n", "")


@live
def test_a_source_that_may_not_be_read_is_named(g: Harness, host: TestHost, scratch: str, tmp_path: Path) -> None:
    host.write_text(f"{scratch}/secret", "x", mode=0o600)
    with pytest.raises(TransferError, match=r"george@h1: download of .*/secret.*Permission denied"):
        g.download("h1", f"{scratch}/secret", str(tmp_path / "new"), "george")


@live
@pytest.mark.parametrize("size", [10, 60_000_000])
def test_a_destination_that_may_not_be_written_is_named(
    g: Harness, scratch: str, tmp_path: Path, size: int, fleet: Fleet
) -> None:
    source = tmp_path / "source"
    with source.open("wb") as file:
        file.truncate(size)
    started = time.monotonic()
    with pytest.raises(TransferError, match="george@h1: upload of .* to /root/x: .*Permission denied"):
        g.upload("h1", str(source), "/root/x", "george")
    with pytest.raises(TransferError, match="george@h1: upload of .* to /no/such/x: .*No such file or directory"):
        g.upload("h1", str(source), "/no/such/x", "george")
    fleet.hosts[0].execute("truncate", "-s", str(size), f"{scratch}/large")
    with pytest.raises(TransferError, match="george@h1: download of .* to .*/no/such/x: .*No such file or directory"):
        g.download("h1", f"{scratch}/large", str(tmp_path / "no" / "such" / "x"), "george")
    assert g.run("h1", "echo fine", "george", timeout=10) == (0, "fine\n", "")
    assert time.monotonic() - started < 15


@live
def test_a_disk_that_is_full_is_named(g: Harness, host: TestHost, scratch: str, tmp_path: Path) -> None:
    host.execute("mkdir", f"{scratch}/small")
    host.execute("mount", "-t", "tmpfs", "-o", "size=1m", "small", f"{scratch}/small")
    try:
        (tmp_path / "large").write_bytes(b"x" * 20_000_000)
        with pytest.raises(TransferError, match="No space left on device"):
            g.upload("h1", str(tmp_path / "large"), f"{scratch}/small/x")
    finally:
        host.execute("umount", f"{scratch}/small")
    assert g.run("h1", "echo fine") == (0, "fine\n", "")


@live
def test_a_local_disk_that_is_full_is_named_and_the_link_goes_on(
    g: Harness, host: TestHost, scratch: str, tmp_path: Path
) -> None:
    host.execute("truncate", "-s", "300M", f"{scratch}/large")
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "small", small], check=True, timeout=10)
    try:
        with pytest.raises(TransferError, match="root@h1: download of .*: .*No space left on device"):
            g.download("h1", f"{scratch}/large", str(small / "x"))
    finally:
        subprocess.run(["umount", small], check=True, timeout=10)
    assert g.run("h1", "echo fine", timeout=10) == (0, "fine\n", "")


@live
def test_what_is_no_file_is_refused(g: Harness, tmp_path: Path) -> None:
    for path in ("/dev/null", "/dev/zero"):
        with pytest.raises(TransferError, match="is neither a file nor a directory"):
            g.download("h1", path, str(tmp_path / "new"))
        with pytest.raises(TransferError, match="is neither a file nor a directory"):
            g.upload("h1", path, "/root/new")


@live
def test_an_unreachable_host_is_told_as_such(g: Harness, host: TestHost, tmp_path: Path) -> None:
    host.kill_sshd()
    try:
        with pytest.raises(ConnectError, match="root@h1: nothing listens"):
            g.upload("h1", "/etc/hostname", "/root/x")
        with pytest.raises(ConnectError, match="root@h1: nothing listens"):
            g.download("h1", "/etc/hostname", str(tmp_path / "x"))
    finally:
        host.start_sshd()


@live
def test_a_hundred_megabytes_pass_while_commands_run(g: Harness, scratch: str, tmp_path: Path) -> None:
    source = tmp_path / "large"
    with source.open("wb") as file:
        for number in range(100):
            file.write(number.to_bytes(4, "big") * 262_144)
    ticks = g.run_async("h1", "while :; do echo tick; sleep 0.1; done", "george")
    g.upload("h1", str(source), f"{scratch}/large", "george")
    g.download("h1", f"{scratch}/large", str(tmp_path / "back"), "george")
    ticks.kill()
    assert (tmp_path / "back").read_bytes() == source.read_bytes()
    assert ticks.async_communicate().stdout.count("tick") > 2
