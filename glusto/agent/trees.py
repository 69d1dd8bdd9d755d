"""Files and directories on their way between two machines, as a tar stream; the same code at both ends."""

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from io import RawIOBase
    from typing import BinaryIO

ROOT = "root"  # what the transferred file or directory is called within the stream
BLOCK = 1 << 18


class TreeError(Exception):
    """The tree can't be packed or unpacked; the text says why."""


def send(path: str) -> None:
    """Write the tree at `path` to standard output; runs on the host for a download."""
    with os.fdopen(1, "wb", BLOCK) as stream:
        pack(path, stream)


def receive(destination: str, name: str) -> None:
    """Take a tree from standard input; runs on the host for an upload."""
    with os.fdopen(0, "rb", BLOCK) as stream:
        unpack(destination, name, stream)


def pack(path: str, stream: "BinaryIO | RawIOBase") -> None:
    """Write a file, or a directory with all that is below it, to `stream`.

    Symbolic links below it stay links; sockets, FIFOs and devices are left out.
    """
    import tarfile

    top = os.path.realpath(os.path.expanduser(path))
    mode = os.stat(top).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise TreeError(f"{path} is neither a file nor a directory")

    def wanted(member: "tarfile.TarInfo") -> "tarfile.TarInfo | None":
        return member if member.isreg() or member.isdir() or member.issym() or member.islnk() else None

    with tarfile.open(fileobj=stream, mode="w|", bufsize=BLOCK, format=tarfile.GNU_FORMAT) as archive:
        archive.add(top, arcname=ROOT, filter=wanted)


def unpack(destination: str, name: str, stream: "BinaryIO | RawIOBase") -> None:
    """Make the tree in `stream` at `destination`, or within it as `name` when it is a directory there.

    Modes are kept; owner and group are those of whoever runs this. Nothing is written outside the tree,
    whatever the stream asks for.
    """
    import tarfile

    target = os.path.expanduser(destination)
    if os.path.isdir(target):
        target = os.path.join(target, name)
    target = os.path.abspath(target)
    os.stat(os.path.dirname(target))  # tarfile would make it, for the sake of a typing error too
    trusted = {"filter": "fully_trusted"} if hasattr(tarfile, "fully_trusted_filter") else {}
    modes = []
    arrived = False
    with tarfile.open(fileobj=stream, mode="r|", bufsize=BLOCK) as archive:
        archive.copybufsize = BLOCK  # type: ignore[attr-defined]
        for member in archive:
            path = place(target, member.name)
            if path == target and member.issym():
                raise TreeError("refused a link in the place of the tree: it leads out of it")
            arrived = True
            if path != target or not member.isdir():
                unlink_link(path)
            if member.isdir():
                os.makedirs(path, exist_ok=True)
                modes.append((path, member.mode))
                continue
            if member.islnk():
                member.linkname = os.path.relpath(place_linked(target, member.linkname), os.path.dirname(target))
            elif not member.isreg() and not member.issym():
                raise TreeError(f"{member.name} is neither a file, a directory nor a link")
            member.name = os.path.relpath(path, os.path.dirname(target))
            member.uid, member.gid, member.uname, member.gname = os.getuid(), os.getgid(), "", ""
            archive.extract(member, os.path.dirname(target), **trusted)  # type: ignore[arg-type]
    if not arrived:
        raise TreeError("the other end sent nothing")
    for path, mode in reversed(modes):
        os.chmod(path, mode & 0o7777)


def unlink_link(path: str) -> None:
    """Remove a symbolic link where something is to be, so that nothing goes through it."""
    if os.path.islink(path):
        os.unlink(path)


def place(target: str, name: str) -> str:
    """Return where the stream's `name` belongs below `target`.

    Raises:
        TreeError: the name, or a symbolic link on its way, leads out of the tree.
    """
    parts = name.split("/")
    if parts[0] != ROOT or ".." in parts or "" in parts:
        raise TreeError(f"refused the name {name!r}: it leads out of the tree")
    path = os.path.join(target, *parts[1:])
    if parts[1:]:
        real = os.path.realpath(target)
        parent = os.path.realpath(os.path.dirname(path))
        if parent != real and not parent.startswith(real.rstrip("/") + "/"):
            raise TreeError(f"refused the name {name!r}: a link on its way leads out of the tree")
    return path


def place_linked(target: str, name: str) -> str:
    """Return where the file is that the stream wants to give a second name.

    Raises:
        TreeError: it is a symbolic link, which may lead out of the tree.
    """
    path = place(target, name)
    if os.path.islink(path):
        raise TreeError(f"refused the name {name!r}: it is a link")
    return path
