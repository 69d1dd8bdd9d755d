"""The machine under a test host: makes the namespaces, builds the root filesystem, boots, reaps.

A script of its own, standard library only, started by its path as ``machine.py DIRECTORY``. Two processes
carry that command line: the launcher, in the namespaces of whoever started it, which plugs in the network
cable and waits; and its child, which is PID 1 of the host. When either is killed, so is everything in the
host. What the host writes lands in ``DIRECTORY/disk`` and is still there at the next boot, except for
/tmp, /run and /dev, which are made anew.
"""

import ctypes
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

ACCOUNTS = {"george": 2001, "alexander": 2002}
SSHD = ("/usr/sbin/sshd", "-E", "/var/log/sshd.log")
HOST_KEY = "/etc/ssh/ssh_host_ed25519_key"
SSHD_EXTRA = "/etc/ssh/sshd_config.d/extra.conf"
SSHD_CONFIG = """\
# What an Include brings comes first, and in sshd_config the first value wins.
Include /etc/ssh/sshd_config.d/*.conf
HostKey {host_key}
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
Subsystem sftp {sftp_server}
"""
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
PYTHONS = "/opt/pythons"

_SFTP_SERVERS = ("/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server")
_MEMORY_DEVICES = {"null": 3, "zero": 5, "full": 7, "random": 8, "urandom": 9}
_CLONE_NEWNS, _CLONE_NEWUTS, _CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
_CLONE_NEWPID, _CLONE_NEWNET = 0x20000000, 0x40000000
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 1, 2, 4, 8
_MS_REC, _MS_PRIVATE = 16384, 1 << 18
_MNT_DETACH = 2
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Spec:
    """What a machine has to know about itself; ``machine.json`` in its directory."""

    name: str
    address: str
    mac: str
    link: str
    bridge: str
    group: int
    neighbours: dict[str, str]
    public_key: str
    pythons: dict[str, str]
    pythons_from: list[str]
    hidden: str

    @classmethod
    def read(cls, directory: Path) -> "Spec":
        """The spec that ``write`` left in ``directory``."""
        return cls(**json.loads((directory / "machine.json").read_text()))

    def write(self, directory: Path) -> None:
        """Leave the spec in ``directory``."""
        (directory / "machine.json").write_text(json.dumps(asdict(self), indent=2))


def launch(directory: Path) -> int:
    """Start the host, plug its cable in, and wait until it ends; ``DIRECTORY/pid`` appears once it is up."""
    spec = Spec.read(directory)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    outside = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    _call("unshare", _CLONE_NEWPID)
    pid = os.fork()
    if pid == 0:
        ours.close()
        boot(spec, directory, theirs)
    theirs.close()
    _call("setns", outside, _CLONE_NEWPID)
    _expect(ours, b"isolated")
    its_end = f"peer name eth0 address {spec.mac} netns {pid}"
    _ip(
        f"link add name {spec.link} group {spec.group} type veth {its_end}",
        f"link set {spec.link} master {spec.bridge} up",
    )
    ours.send(b"plugged")
    _expect(ours, b"booted")
    ready = directory / "pid.new"
    ready.write_text(str(pid))
    ready.rename(directory / "pid")
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def boot(spec: Spec, directory: Path, launcher: socket.socket) -> NoReturn:
    """Be PID 1 of the host."""
    _call("prctl", _PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    _call("unshare", _CLONE_NEWNS | _CLONE_NEWUTS | _CLONE_NEWIPC | _CLONE_NEWNET)
    launcher.send(b"isolated")
    os.umask(0o022)
    disk = directory / "disk"
    if not (disk / "upper").exists():
        install(spec, disk)
    socket.sethostname(spec.name)
    _expect(launcher, b"plugged")
    # It announces its hardware address when it boots, as operating systems do: nobody waits for ARP.
    Path("/proc/sys/net/ipv4/conf/all/arp_notify").write_text("1")
    _ip("link set lo up", f"address add {spec.address}/24 dev eth0", "link set eth0 up")
    mount_root(spec, disk)
    os.environ.clear()
    os.environ.update(ENVIRONMENT)
    subprocess.run(SSHD, stdin=subprocess.DEVNULL, check=True, timeout=30)
    launcher.send(b"booted")
    launcher.close()
    _reap_for_ever()


def install(spec: Spec, disk: Path) -> None:
    """Write the host's own files: the upper layer of its root filesystem, over that of the machine."""
    upper = disk / "new"
    upper.mkdir(parents=True)
    (disk / "work").mkdir()
    for path, mode in (("/root", 0o700), ("/home", 0o755), ("/var/tmp", 0o1777), ("/etc/ssh", 0o755)):
        _empty_directory(upper, path, mode)
    if os.path.isdir(spec.hidden) and not spec.hidden.startswith(("/root/", "/home/", "/var/tmp/", "/tmp/")):
        _empty_directory(upper, spec.hidden, 0o755)
    _put(upper, "/etc/hostname", f"{spec.name}\n")
    neighbours = "".join(f"{address} {name}\n" for name, address in spec.neighbours.items())
    _put(upper, "/etc/hosts", f"127.0.0.1 localhost\n{neighbours}")
    sftp_server = next(filter(os.path.exists, _SFTP_SERVERS), "internal-sftp")
    _put(upper, "/etc/ssh/sshd_config", SSHD_CONFIG.format(host_key=HOST_KEY, sftp_server=sftp_server))
    _put(upper, SSHD_EXTRA, "")
    keygen = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", spec.name, "-f", f"{upper}{HOST_KEY}")
    subprocess.run(keygen, check=True, timeout=30)
    _install_accounts(spec, upper)
    if spec.pythons:
        _directory(upper, PYTHONS)
    upper.rename(disk / "upper")


def _install_accounts(spec: Spec, upper: Path) -> None:
    homes = {"root": "/root", **{name: f"/home/{name}" for name in ACCOUNTS}}
    numbers = {"root": 0, **ACCOUNTS}
    # "*" is no password, where "!" would be a locked account, which sshd turns away without PAM.
    ours = {
        "/etc/passwd": [f"{n}:x:{uid}:{uid}:{n}:{homes[n]}:/bin/bash" for n, uid in numbers.items()],
        "/etc/group": [f"{n}:x:{gid}:" for n, gid in numbers.items()],
        "/etc/shadow": [f"{n}:*:19000:0:99999:7:::" for n in numbers],
    }
    taken = {str(number) for number in numbers.values()}
    for path, lines in ours.items():
        for line in Path(path).read_text().splitlines():
            name, _, number = line.split(":")[:3]
            if name not in numbers and (path == "/etc/shadow" or number not in taken):
                lines.append(line)
        _put(upper, path, "".join(f"{line}\n" for line in lines), 0o640 if path == "/etc/shadow" else 0o644)
    for name, home in homes.items():
        if name in ACCOUNTS and os.path.isdir("/etc/skel"):
            shutil.copytree("/etc/skel", f"{upper}{home}")
        _put(upper, f"{home}/.ssh/authorized_keys", spec.public_key, 0o600)
        os.chmod(f"{upper}{home}/.ssh", 0o700)
        for parent, _, files in os.walk(f"{upper}{home}"):
            for path in (parent, *(os.path.join(parent, file) for file in files)):
                os.chown(path, numbers[name], numbers[name])


def mount_root(spec: Spec, disk: Path) -> None:
    """Mount the host's filesystems and make them all that is left of this process's."""
    root = str(disk / "root")
    os.makedirs(root, exist_ok=True)
    _mount("none", "/", flags=_MS_REC | _MS_PRIVATE)
    _mount("overlay", root, "overlay", 0, f"lowerdir=/,upperdir={disk}/upper,workdir={disk}/work")
    _mount("proc", f"{root}/proc", "proc", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
    _mount("sysfs", f"{root}/sys", "sysfs", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC | _MS_RDONLY)
    _mount("tmpfs", f"{root}/dev", "tmpfs", _MS_NOSUID, "mode=755")
    os.umask(0)
    for name, minor in _MEMORY_DEVICES.items():
        os.mknod(f"{root}/dev/{name}", stat.S_IFCHR | 0o666, os.makedev(1, minor))
    os.mknod(f"{root}/dev/tty", stat.S_IFCHR | 0o666, os.makedev(5, 0))
    os.umask(0o022)
    for name, target in (("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        os.symlink(target, f"{root}/dev/{name}")
    os.symlink("pts/ptmx", f"{root}/dev/ptmx")
    os.mkdir(f"{root}/dev/pts")
    os.mkdir(f"{root}/dev/shm")
    terminals = "newinstance,ptmxmode=0666,mode=620,gid=5"
    _mount("devpts", f"{root}/dev/pts", "devpts", _MS_NOSUID | _MS_NOEXEC, terminals)
    _mount("tmpfs", f"{root}/dev/shm", "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=1777")
    _mount("tmpfs", f"{root}/tmp", "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=1777")
    _mount("tmpfs", f"{root}/run", "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=755")
    os.mkdir(f"{root}/run/sshd")
    if spec.pythons:
        _mount("overlay", root + PYTHONS, "overlay", _MS_RDONLY, f"lowerdir={':'.join(spec.pythons_from)}")
    os.chdir(root)
    # The new root goes over the old one in place, and the old one, now on top of it, is let go.
    _call("pivot_root", b".", b".")
    _call("umount2", b".", _MNT_DETACH)
    os.chdir("/")


def _reap_for_ever() -> NoReturn:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    while True:
        while _reap():
            continue
        signal.sigwait({signal.SIGCHLD})


def _reap() -> bool:
    try:
        return os.waitpid(-1, os.WNOHANG)[0] > 0
    except ChildProcessError:
        return False  # nobody to reap: the next child is an orphan to come


def _call(function: str, *arguments: Any) -> None:
    if getattr(_libc, function)(*arguments):
        code = ctypes.get_errno()
        raise OSError(code, f"{function}{arguments}: {os.strerror(code)}")


def _mount(
    source: str, target: str, kind: str | None = None, flags: int = 0, options: str | None = None
) -> None:
    type_, data = (text and text.encode() for text in (kind, options))
    _call("mount", source.encode(), target.encode(), type_, flags, data)


def _expect(peer: socket.socket, word: bytes) -> None:
    received = peer.recv(64)
    if received != word:
        raise RuntimeError(f"waited for {word!r}, got {received!r}: the other side has ended")


def _ip(*commands: str) -> None:
    batch = "".join(f"{command}\n" for command in commands)
    argv = ("ip", "-batch", "-")
    done = subprocess.run(argv, input=batch, capture_output=True, text=True, check=False, timeout=30)
    if done.returncode:
        raise RuntimeError(f"ip did not take\n{batch}{done.stderr}")


def _directory(upper: Path, path: str) -> None:
    """Make ``path`` in the upper layer, each directory of it with the mode and owner it has below."""
    for part in (*reversed(Path(path).parents), Path(path)):
        ours = f"{upper}{part}"
        if not os.path.isdir(ours):
            os.mkdir(ours)
            if os.path.isdir(part):
                shutil.copystat(part, ours)
                os.chown(ours, part.stat().st_uid, part.stat().st_gid)


def _empty_directory(upper: Path, path: str, mode: int) -> None:
    _directory(upper, path)
    os.chmod(f"{upper}{path}", mode)
    os.setxattr(f"{upper}{path}", "trusted.overlay.opaque", b"y")


def _put(upper: Path, path: str, text: str, mode: int = 0o644) -> None:
    _directory(upper, os.path.dirname(path))
    Path(f"{upper}{path}").write_text(text)
    os.chmod(f"{upper}{path}", mode)


if __name__ == "__main__":
    sys.exit(launch(Path(sys.argv[1])))
