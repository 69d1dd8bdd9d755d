"""The one private directory that a deployed server has on its host: a socket and a lock in it."""

import errno
import fcntl
import os
import stat
import time

PREFIX = "glusto-"
TOKEN = 16  # characters of a link's token, hexadecimal
SOCKET, LOCK = "socket", "lock"
SETTLING = 60  # a directory without a lock may be just being made for so many seconds


class NoDirectory(Exception):
    """No place on this host takes a directory; the text says which were tried, and why not."""


def places() -> "list[str]":
    """Return where a directory may be made, the preferred first."""
    found = ["/tmp", "/var/tmp", "/dev/shm"]
    for variable in ("XDG_RUNTIME_DIR", "TMPDIR", "HOME"):
        place = os.environ.get(variable)
        if place and place.startswith("/") and place not in found:
            found.append(place)
    return found


class Directory:
    """A 0700 directory, this user's alone; whoever holds its lock owns it, and nobody else sweeps it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.socket = os.path.join(path, SOCKET)
        os.mkdir(path, 0o700)
        try:
            os.chmod(path, 0o700)
            self.lock = hold_lock(path)
        except OSError:
            remove(path)
            raise

    def remove(self) -> None:
        """Remove the directory and let go of its lock."""
        try:
            remove(self.path)
        finally:
            os.close(self.lock)


def create(token: str) -> Directory:
    """Make the directory in the first place that takes it.

    Raises:
        NoDirectory: none does.
    """
    tried = []
    for place in places():
        path = os.path.join(place, PREFIX + token)
        if len(os.path.join(path, SOCKET)) > 100:
            tried.append(f"{place}: too long a name for a socket")
            continue
        try:
            return Directory(path)
        except OSError as error:
            tried.append(f"{place}: {error.strerror or error}")
    raise NoDirectory("; ".join(tried))


def hold_lock(path: str) -> int:
    """Put a lock file in place that is locked from the moment it can be seen; return its descriptor."""
    new = os.path.join(path, LOCK + ".new")
    lock = os.open(new, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.rename(new, os.path.join(path, LOCK))
    except OSError:
        os.close(lock)
        raise
    return lock


def is_abandoned(path: str) -> bool:
    """True when the directory is this user's, is really a directory, and nobody holds its lock."""
    found = os.lstat(path)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        return False
    try:
        lock = os.open(os.path.join(path, LOCK), os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    except FileNotFoundError:
        return time.time() - found.st_mtime > SETTLING
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise
    finally:
        os.close(lock)
    return True


def remove(path: str) -> None:
    """Remove a directory of ours, whatever test code put into it, following no symbolic link."""
    for name in os.listdir(path):
        inner = os.path.join(path, name)
        if stat.S_ISDIR(os.lstat(inner).st_mode):
            remove(inner)
        else:
            os.unlink(inner)
    os.rmdir(path)


def is_ours(name: str) -> bool:
    """True for a name that an agent gives: ~/glusto-tests and the like are nobody's business."""
    token = name[len(PREFIX) :]
    return name.startswith(PREFIX) and len(token) == TOKEN and not token.strip("0123456789abcdef")


def abandoned() -> "list[str]":
    """Return the directories that earlier agents of this user were killed too hard to remove."""
    found = []
    for place in places():
        try:
            names = [name for name in os.listdir(place) if is_ours(name)]
        except OSError:
            continue
        for name in names:
            path = os.path.join(place, name)
            try:
                if is_abandoned(path):
                    found.append(path)
            except OSError:
                continue  # another agent swept it first, or it is not ours to touch
    return found


def sweep() -> "list[str]":
    """Remove them; return those that are gone."""
    return [path for path in abandoned() if is_removed(path)]


def is_removed(path: str) -> bool:
    try:
        remove(path)
    except OSError:
        return False  # as above
    return True
