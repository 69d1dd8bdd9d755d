"""Files and directories on their way between two machines, as a stream of bytes; the same code at both ends.

An entry is a head, its name below the tree, and its content: what is in a file, where a link leads. The first is the
tree itself, whose name is empty; the last says that this was all.
"""

import errno
import os
import stat
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BLOCK = 1 << 18
HEAD = struct.Struct("!cIqQH")  # kind, mode, time of modification in ns, bytes of content, bytes of name
DIRECTORY, FILE, LINK, HARD_LINK, END = b"d", b"f", b"l", b"h", b"."
LONGEST = 1 << 16  # bytes of where a link leads


class TreeError(Exception):
    """The tree can't be packed or unpacked; the text says why."""


def send(path: str) -> None:
    """Write the tree at `path` to standard output; runs on the host for a download."""
    for piece in pack(path):
        write(1, piece)


def receive(destination: str, name: str) -> None:
    """Take a tree from standard input; runs on the host for an upload."""
    unpack(destination, name, iter(lambda: os.read(0, BLOCK), b""))


def write(descriptor: int, data: "bytes | memoryview") -> None:
    """Write all of it."""
    while data:
        data = data[os.write(descriptor, data) :]


def pack(path: str) -> "Iterator[bytes]":
    """Yield a file, or a directory with all that is below it, in pieces of about 256 kB.

    Symbolic links below it stay links; sockets, FIFOs and devices are left out.

    Raises:
        TreeError, OSError: it is neither, or something of it can't be read.
    """
    top = os.path.realpath(os.path.expanduser(path))
    mode = os.stat(top).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise TreeError(f"{path} is neither a file nor a directory")
    small: "list[bytes]" = []
    size = 0
    for part in entries(top):
        if len(part) < BLOCK:
            small.append(part)
            size += len(part)
        if small and (size >= BLOCK or len(part) >= BLOCK):
            yield b"".join(small)
            small, size = [], 0
        if len(part) >= BLOCK:
            yield part
    yield b"".join(small)


def entries(top: str) -> "Iterator[bytes]":
    """Yield the entries of a tree, in parts."""
    names: "dict[tuple[int, int], str]" = {}  # of files that have several
    waiting = [(top, "", os.lstat(top))]
    while waiting:
        path, name, info = waiting.pop()
        if stat.S_ISDIR(info.st_mode):
            yield head(DIRECTORY, name, info)
            with os.scandir(path) as found:
                below = sorted((entry.name, entry.stat(follow_symlinks=False)) for entry in found)
            prefix = f"{name}/" if name else ""
            waiting += [(f"{path}/{one}", prefix + one, its) for one, its in reversed(below)]
        elif stat.S_ISLNK(info.st_mode):
            yield head(LINK, name, info, os.fsencode(os.readlink(path)))
        elif stat.S_ISREG(info.st_mode):
            first = names.setdefault((info.st_dev, info.st_ino), name) if info.st_nlink > 1 else name
            if first == name:
                yield from file_entry(path, name)
            else:
                yield head(HARD_LINK, name, info, os.fsencode(first))
    yield HEAD.pack(END, 0, 0, 0, 0)


def file_entry(path: str, name: str) -> "Iterator[bytes]":
    """Yield the entry of a file."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        info = os.fstat(descriptor)
        left = info.st_size
        if not left:  # so say the files of /proc, whatever is in them
            content = b"".join(iter(lambda: os.read(descriptor, BLOCK), b""))
            yield head(FILE, name, info, content)
            return
        yield head(FILE, name, info, size=left)
        while left:
            part = os.read(descriptor, min(left, BLOCK))
            if not part:
                raise TreeError(f"{path} became shorter while it was read")
            left -= len(part)
            yield part
    finally:
        os.close(descriptor)


def head(kind: bytes, name: str, info: os.stat_result, content: bytes = b"", size: int = 0) -> bytes:
    """Return the head of an entry and its name, and its content as far as it is given."""
    raw = os.fsencode(name)
    mode = stat.S_IMODE(info.st_mode)
    return HEAD.pack(kind, mode, info.st_mtime_ns, size or len(content), len(raw)) + raw + content


def unpack(destination: str, name: str, pieces: "Iterable[bytes]") -> None:
    """Make the tree that comes in pieces at `destination`, or within it as `name` when it is a directory there.

    Modes and times of modification are kept; owner and group are those of whoever runs this. Nothing is written
    outside the tree, whatever the stream asks for.

    Raises:
        TreeError, OSError: it did not come whole, leads out of the tree, or can't be written.
    """
    target = os.path.expanduser(destination)
    if os.path.isdir(target):
        target = os.path.join(target, name)
    target = os.path.abspath(target)
    os.stat(os.path.dirname(target))  # else it is the first entry for which it is missing, if there is one
    Unpacking(target, Source(pieces)).run()


class Source:
    """Bytes that come in pieces, taken by number."""

    def __init__(self, pieces: "Iterable[bytes]") -> None:
        self._pieces = iter(pieces)
        self._piece = memoryview(b"")
        self._begun = False

    def some(self, limit: int) -> memoryview:
        """Return one byte at least, and so many at most.

        Raises:
            TreeError: no more come.
        """
        while not self._piece:
            piece = next(self._pieces, None)
            if piece is None:
                raise TreeError("it broke off" if self._begun else "the other end sent nothing")
            self._begun = True
            self._piece = memoryview(piece)
        part, self._piece = self._piece[:limit], self._piece[limit:]
        return part

    def exactly(self, count: int) -> bytes:
        """Return so many bytes."""
        found = bytes(self.some(count)) if count else b""
        while len(found) < count:
            found += self.some(count - len(found))
        return found


class Unpacking:
    """Makes a tree at `target`."""

    def __init__(self, target: str, source: Source) -> None:
        self.target, self.source = target, source
        self.inside: "set[str]" = set()  # directories that are known to be in the tree, as long as no link changes
        self.directories: "list[tuple[str, int, int]]" = []

    def run(self) -> None:
        """Take every entry."""
        while True:
            kind, mode, modified, size, length = HEAD.unpack(self.source.exactly(HEAD.size))
            if kind == END:
                break
            path = self.place(os.fsdecode(self.source.exactly(length)))
            if kind == FILE:
                self.make_file(path, mode, modified, size)
            elif kind == DIRECTORY:
                self.make_directory(path)
                self.directories.append((path, mode, modified))
            elif kind in (LINK, HARD_LINK) and size <= LONGEST:
                self.make_link(path, os.fsdecode(self.source.exactly(size)), kind)
            else:
                raise TreeError("what came is no tree")
        for path, mode, modified in reversed(self.directories):
            os.chmod(path, mode & 0o7777)
            os.utime(path, ns=(modified, modified))

    def place(self, name: str) -> str:
        """Return where a name of the stream belongs.

        Raises:
            TreeError: the name, or a symbolic link on its way, leads out of the tree.
        """
        if not name:
            return self.target
        parent, _, last = name.rpartition("/")
        if last in ("", ".", "..") or name[0] == "/":
            raise TreeError(f"refused the name {name!r}: it leads out of the tree")
        if parent not in self.inside:
            if parent and not {"", ".", ".."}.isdisjoint(parent.split("/")):  # checked once for all that is in it
                raise TreeError(f"refused the name {name!r}: it leads out of the tree")
            top, real = os.path.realpath(self.target), os.path.realpath(os.path.join(self.target, parent))
            if real != top and not real.startswith(top.rstrip("/") + "/"):
                raise TreeError(f"refused the name {name!r}: a link on its way leads out of the tree")
            self.inside.add(parent)
        return f"{self.target}/{name}"

    def make_directory(self, path: str) -> None:
        if path != self.target:
            self.unlink_link(path)
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            if not os.path.isdir(path):
                raise

    def make_file(self, path: str, mode: int, modified: int, size: int) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            descriptor = os.open(path, flags, 0o600)
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            self.unlink_link(path)
            descriptor = os.open(path, flags, 0o600)
        try:
            while size:
                part = self.source.some(size)
                write(descriptor, part)
                size -= len(part)
            os.fchmod(descriptor, mode & 0o7777)
            os.utime(descriptor, ns=(modified, modified))
        finally:
            os.close(descriptor)

    def make_link(self, path: str, leads: str, kind: bytes) -> None:
        """Make a symbolic link, or give a file of the tree a second name; a file or a link there is replaced."""
        if path == self.target:
            raise TreeError("refused a link in the place of the tree: it leads out of it")
        first = self.place(leads) if kind == HARD_LINK else ""
        if first and os.path.islink(first):  # a second name of it would be a link too
            raise TreeError(f"refused the name {leads!r}: it is a link")
        if os.path.lexists(path):
            os.unlink(path)
        self.inside.clear()
        if first:
            os.link(first, path)
        else:
            os.symlink(leads, path)

    def unlink_link(self, path: str) -> None:
        """Remove a symbolic link where something is to be, so that nothing goes through it."""
        if os.path.islink(path):
            os.unlink(path)
            self.inside.clear()
