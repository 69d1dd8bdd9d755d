"""The warden: a small process that ends the running commands when the agent is killed too hard to do it."""

import _signal as signal
import os

from . import processes
from .command import close_all_but, restore_signals


class Warden:
    """Told of every command's process group over a pipe that only the agent holds open.

    Forked at the first command. When the pipe closes it kills the groups it has not been told to forget,
    of which there are none after an orderly end.
    """

    def __init__(self, title: str) -> None:
        told, self._tell = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.setsid()
                restore_signals()
                close_all_but({told})
                processes.rename("glusto-warden " + title)
                watch(told)
            finally:
                os._exit(0)
        os.close(told)

    def guard(self, group: int) -> None:
        """Have the group killed should the agent die."""
        os.write(self._tell, b"+%d\n" % group)

    def forget(self, group: int) -> None:
        """The group's command is over."""
        os.write(self._tell, b"-%d\n" % group)

    def dismiss(self) -> None:
        """End the warden, and wait for that."""
        os.close(self._tell)
        processes.reap(self.pid, 1)


def watch(told: int) -> None:
    """Keep the books until the pipe closes, then kill what is in them."""
    groups: "set[int]" = set()
    rest = b""
    while True:
        data = os.read(told, 4096)
        if not data:
            break
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            (groups.add if line[:1] == b"+" else groups.discard)(int(line[1:]))
    for group in groups:
        processes.send_signal(group, signal.SIGKILL, group=True)
