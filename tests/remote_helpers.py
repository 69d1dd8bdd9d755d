"""A module that tests define on a host; what it imports, it imports there."""

import getpass
import socket

LIMIT = 17


def whoami() -> tuple[str, str]:
    """Who runs this, and where."""
    return getpass.getuser(), socket.gethostname()


def twice(number: int) -> int:
    """A function that calls nothing."""
    return 2 * number
