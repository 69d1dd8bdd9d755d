"""A test host, seen by the controller: from the outside, and with no SSH in between."""

import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

from . import machine
from .errors import HostError
from .keeper import kill_machines, machines
from .network import ip
from .waiting import until

BOOT_SECONDS = 30.0
_SEND_FILE = 'set -e; umask 077; cat > "$1"; chmod "$2" "$1"; chown "$3:" "$1"'


@dataclass(frozen=True)
class Process:
    """A process of a host, by the numbers that it has there; ``args`` is its command line as ps shows it."""

    pid: int
    ppid: int
    user: str
    args: str


class TestHost:
    """One host of a `Fleet`.

    ``execute``, ``read_text`` and the like enter the host's namespaces directly. They work while the
    network is cut and while sshd is dead, and what they see does not depend on the code under test.
    """

    __test__ = False

    def __init__(self, directory: Path, spec: machine.Spec) -> None:
        self.directory = directory
        self.name = spec.name
        self.address = spec.address
        self._link = spec.link
        self._launcher: subprocess.Popen[bytes] | None = None

    def __repr__(self) -> str:
        return f"TestHost({self.name}, {self.address})"

    # Looking into it

    def enter(self, argv: Sequence[str], user: str = "root") -> list[str]:
        """The command line that runs ``argv`` in the host as ``user``, for Popen.

        It starts in / with a login's HOME, USER, SHELL and PATH and nothing else in its environment. When
        the process that Popen made is killed, so is the one in the host.

        Raises:
            HostError: the host is off.
        """
        namespaces = ("--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wd")
        account = (f"--reuid={user}", f"--regid={user}", "--init-groups", "--reset-env")
        return [
            *("nsenter", f"--target={self._init()}", *namespaces, "--"),
            *("setpriv", "--pdeathsig=KILL", *account, "--", *argv),
        ]

    def execute(
        self, *argv: str, user: str = "root", check: bool = True, timeout: float = 30, input: str = ""
    ) -> CompletedProcess[str]:
        """Run ``argv`` in the host and return what came of it.

        Args:
            argv: the program and its arguments; no shell takes part.
            user: the account that runs it.
            check: raise when it fails.
            timeout: seconds; then it is killed, in the host as well.
            input: what it reads from its stdin.

        Raises:
            HostError: the host is off, or ``check`` and a return code other than 0.
            subprocess.TimeoutExpired: it took longer than ``timeout``.
        """
        command = self.enter(argv, user)
        done = subprocess.run(
            command, input=input, capture_output=True, text=True, check=False, timeout=timeout
        )
        if check and done.returncode:
            says = (done.stderr or done.stdout).strip()
            raise HostError(f"{self.name}: {shlex.join(argv)} ended with {done.returncode}: {says}")
        return done

    def processes(self) -> list[Process]:
        """Every process of the host, its PID 1 and its sshd among them, without the ps that looks."""
        script = "echo $$; exec ps -ww -e -o pid=,ppid=,user:32=,args="
        first, *rows = self.execute("sh", "-c", script).stdout.splitlines()
        found = (row.split(None, 3) for row in rows)
        return [Process(int(pid), int(ppid), user, args) for pid, ppid, user, args in found if pid != first]

    def read_text(self, path: str) -> str:
        """The text of a file of the host."""
        return self.execute("cat", "--", path).stdout

    def write_text(self, path: str, text: str, mode: int = 0o644, owner: str = "root") -> None:
        """Write a file of the host, whose directory exists, with this mode and this owner."""
        self.execute("sh", "-c", _SEND_FILE, "sh", path, f"{mode:o}", owner, input=text)

    # Its cable

    def cut(self) -> None:
        """Pull the cable: what is sent to or from the host is lost without a word."""
        self._init()
        ip("link", "set", self._link, "down")

    def heal(self) -> None:
        """Plug the cable in again."""
        self._init()
        ip("link", "set", self._link, "up")

    # Its power

    @property
    def is_on(self) -> bool:
        """Whether the host has booted and runs."""
        return self._pid_of_init() is not None

    def power_off(self) -> None:
        """Cut the power: no process says goodbye, no connection is closed; the host stays off."""
        if Path("/sys/class/net", self._link).exists():
            ip("link", "delete", self._link)
        directory = str(self.directory)
        until(lambda: kill_machines(directory), BOOT_SECONDS, f"{self.name}: its processes die")
        self.reap()
        (self.directory / "pid").unlink(missing_ok=True)

    def reap(self) -> None:
        """Take note of the death of the machine, if this process is its parent."""
        if self._launcher is not None:
            self._launcher.wait(BOOT_SECONDS)
            self._launcher = None

    def power_on(self, wait: bool = True) -> None:
        """Boot the host, its cable plugged in; what was written to its disk before is still there.

        Args:
            wait: return when sshd answers, not before.

        Raises:
            HostError: it is on already, or did not come up; with the tail of its log.
        """
        if machines(str(self.directory)):
            raise HostError(f"{self.name} is on already")
        (self.directory / "pid").unlink(missing_ok=True)
        with (self.directory / "log").open("ab") as log:
            self._launcher = subprocess.Popen(
                (sys.executable, "-IS", machine.__file__, str(self.directory)),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/",
            )  # fmt: skip
        if wait:
            self.await_boot()

    def await_boot(self) -> None:
        """Wait until the host has booted and its sshd answers.

        Raises:
            HostError: it did not, with the tail of its log.
        """
        try:
            until(self._has_booted, BOOT_SECONDS, f"{self.name}: it boots")
            self.await_sshd()
        except HostError as error:
            raise HostError(f"{error}\n{self.log_tail()}") from None

    def reboot(self, wait: bool = True) -> None:
        """Cut the power and give it back: no process, socket or file in /tmp and /run is left then."""
        self.power_off()
        self.power_on(wait)

    def log_tail(self, lines: int = 20) -> str:
        """The last lines of what the machine and its sshd had to say."""
        logs = (self.directory / "log", self._on_disk(machine.SSHD[-1]))
        return "\n".join(
            line for log in logs if log.exists() for line in log.read_text().splitlines()[-lines:]
        )

    # Its sshd

    def kill_sshd(self) -> None:
        """Kill every sshd process there with SIGKILL, the listener and the sessions."""

        def all_dead() -> bool:
            return self.execute("pkill", "-KILL", "^sshd", check=False).returncode == 1

        until(all_dead, BOOT_SECONDS, f"{self.name}: every sshd dies")

    def start_sshd(self) -> None:
        """Start the listener and wait until it answers."""
        self.execute(*machine.SSHD)
        self.await_sshd()

    def restart_sshd(self) -> None:
        """End the listener if there is one and start another; open sessions live on."""
        for process in self._listeners():
            self.execute("kill", str(process.pid), check=False)
        until(lambda: not self._listeners(), BOOT_SECONDS, f"{self.name}: the sshd listener ends")
        self.start_sshd()

    def configure_sshd(self, text: str) -> None:
        """Put ``text`` before the other settings of sshd and restart the listener; "" takes it away again.

        A ``Match`` block in it ends where the text ends. The settings outlive a reboot.

        Raises:
            HostError: sshd does not accept the text; the settings are as before, the listener untouched.
        """
        before = self.read_text(machine.SSHD_EXTRA)
        self.write_text(machine.SSHD_EXTRA, text if text.endswith("\n") or not text else f"{text}\n")
        try:
            self.execute(machine.SSHD[0], "-t")
        except HostError:
            self.write_text(machine.SSHD_EXTRA, before)
            raise
        self.restart_sshd()

    def new_host_key(self) -> None:
        """Give the host another ssh host key, which the fleet's ``known_hosts`` does not know."""
        key = machine.HOST_KEY
        self.execute("rm", "-f", key, f"{key}.pub")
        self.execute("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", self.name, "-f", key)
        self.restart_sshd()

    @property
    def host_key(self) -> str:
        """The public half of the ssh host key that it has now."""
        return self._on_disk(f"{machine.HOST_KEY}.pub").read_text().strip()

    def await_sshd(self) -> None:
        """Wait until the host's sshd says its banner, on the first port that its settings name."""
        configured = re.search(r"(?im)^\s*Port[\s=]+(\d+)", self._on_disk(machine.SSHD_EXTRA).read_text())
        port = int(configured[1]) if configured else 22
        until(lambda: self._says_banner(port), BOOT_SECONDS, f"{self.name}: sshd answers on port {port}")

    def _says_banner(self, port: int) -> bool:
        try:
            with socket.create_connection((self.address, port), timeout=2) as connection:
                return connection.recv(4).startswith(b"SSH-")
        except OSError:
            return False

    def _listeners(self) -> list[Process]:
        return [process for process in self.processes() if "[listener]" in process.args]

    # Its machine

    def _has_booted(self) -> bool:
        if self._launcher is not None and self._launcher.poll() is not None:
            raise HostError(f"{self.name}: it ended while booting")
        return self.is_on

    def _on_disk(self, path: str) -> Path:
        return Path(f"{self.directory}/disk/upper{path}")

    def _init(self) -> int:
        pid = self._pid_of_init()
        if pid is None:
            raise HostError(f"{self.name} is off")
        return pid

    def _pid_of_init(self) -> int | None:
        try:
            pid = int((self.directory / "pid").read_text())
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            return None
        return pid if str(self.directory).encode() in arguments else None
