"""OpenSSH: the command line of a link, and what its complaints mean."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

from glusto.errors import ConnectError
from glusto.inventory import Host
from glusto.settings import SshSettings

TROUBLES = (
    # (what ssh writes, the reason's name, what to do, the command for it)
    (
        r"REMOTE HOST IDENTIFICATION HAS CHANGED",
        "host key",
        "its host key has changed since it was first seen. If that is expected, accept the new one: {forget}",
        "{forget}",
    ),
    (
        r"No \S+ host key is known for|Host key verification failed",
        "host key",
        "its host key is not known and strict_host_key_checking is {checking}. Add it: {learn}",
        "{learn}",
    ),
    (
        r"UNPROTECTED PRIVATE KEY FILE|bad permissions",
        "auth",
        "ssh refuses a key file that others can read: chmod 600 {keyfile}",
        "chmod 600 {keyfile}",
    ),
    (
        r"Permission denied|Too many authentication failures|No more authentication methods",
        "auth",
        "it does not let {user} in with {key}. Set ssh: keyfile (or the host's keyfile) to a key that is in "
        "{user}'s ~/.ssh/authorized_keys there, or add it: ssh-copy-id {port_option}{user}@{address}",
        "ssh-copy-id {identity}{port_option}{user}@{address}",
    ),
    (
        r"Could not resolve hostname|Name or service not known",
        "name",
        "the name {address} is not known here. Give the host an `address`, or mend DNS or /etc/hosts",
        "getent hosts {address}",
    ),
    (
        r"Connection refused",
        "refused",
        "nothing listens on port {port}. Start sshd there, or set the host's `port`",
        "systemctl start sshd  # on {address}",
    ),
    (
        r"timed out|timeout",
        "timeout",
        "no answer within {timeout:g} s (ssh: connect_timeout). Is it up, is {address} its address, does a firewall drop port {port}?",
        "ping -c 3 {address}",
    ),
    (
        r"No route to host|Network is unreachable|Host is down",
        "unreachable",
        "there is no way to {address} from here. Is it up, is that its address?",
        "ping -c 3 {address}",
    ),
    (
        r"Bad configuration option|bad configuration options|Unsupported option|Can't open user config file|Bad owner or permissions",
        "ssh",
        "ssh does not accept its configuration. Look at ssh: options and config_file",
        "{by_hand}",
    ),
    (
        r"kex_exchange_identification|Connection (?:closed|reset) by|banner exchange",
        "busy",
        "its sshd hung up before login. Do too many log in at once (MaxStartups), does it refuse this address?",
        "grep -i maxstartups /etc/ssh/sshd_config  # on {address}; then: systemctl reload sshd",
    ),
)


def link_arguments(
    host: Host, user: str, settings: SshSettings, *, control: str, forward: tuple[str, str] | None
) -> list[str]:
    """Return the command line that opens a link, up to the remote command.

    ssh takes the first value it sees of an option: what the link cannot do without comes first, then what the
    host itself has, then the user's own options, then our defaults.

    Args:
        control: where the control socket shall be.
        forward: the local and the remote Unix socket, the one to be forwarded to the other.
    """
    options = {
        "BatchMode": "yes",
        "ControlMaster": "yes",
        "ControlPath": control.replace("%", "%%"),
        "ControlPersist": "no",
        "ExitOnForwardFailure": "no",
        "RemoteCommand": "none",
        "RequestTTY": "no",
        "PermitLocalCommand": "no",
        **settings.options,
    }
    for name, value in {
        "ConnectTimeout": str(max(1, round(settings.connect_timeout))),
        "StrictHostKeyChecking": settings.strict_host_key_checking,
        "ForwardAgent": "yes" if settings.forward_agent else "no",
        "ForwardX11": "no",
        "ServerAliveInterval": "15",
        "ServerAliveCountMax": "3",
    }.items():
        if name.lower() not in {known.lower() for known in options}:
            options[name] = value
    words = ["ssh", "-T"]
    if settings.config_file:
        words += ["-F", settings.config_file]
    if host.port:
        words += ["-p", str(host.port)]
    for name, value in options.items():
        words.append(f"-o{name}={value}")
    keyfile = host.keyfile or settings.keyfile
    if keyfile:
        words += ["-i", keyfile]
    if forward:
        words += ["-L", f"{forward[0]}:{forward[1]}"]
    return [*words, "-l", user, "--", host.address]


def explain(host: Host, user: str, settings: SshSettings, complaint: str, status: int | None) -> ConnectError:
    """Turn what ssh wrote, and its exit status, into an error that says what to do."""
    name = f"{user}@{host.name}"
    keyfile = host.keyfile or settings.keyfile
    if keyfile and not Path(keyfile).exists():
        problem = f"the keyfile {keyfile} does not exist. Set ssh: keyfile to your private key"
        return ConnectError(name, problem, "auth", f"ssh-keygen -t ed25519 -f {shlex.quote(keyfile)}")
    offending = re.search(r"Offending .*?key in (\S+?):\d+", complaint)
    known_hosts = offending.group(1) if offending else settings.options.get("UserKnownHostsFile", "~/.ssh/known_hosts")
    port = port_of(host, settings, complaint)
    address = host.address if port == 22 else f"[{host.address}]:{port}"
    facts = {
        "user": user,
        "address": host.address,
        "port": port,
        "port_option": f"-p {port} " if port != 22 else "",
        "timeout": settings.connect_timeout,
        "keyfile": keyfile or "it",
        "key": keyfile or "the keys that ssh offered",
        "checking": settings.strict_host_key_checking,
        "known_hosts": known_hosts,
        "identity": f"-i {shlex.quote(keyfile)} " if keyfile else "",
        "by_hand": by_hand(host, user, settings),
        "learn": f"ssh-keyscan {f'-p {port} ' if port != 22 else ''}{host.address} >> {known_hosts}",
        "forget": f"ssh-keygen -f {os.path.expanduser(known_hosts)} -R '{address}'",
    }
    for pattern, reason, advice, fix in TROUBLES:
        if re.search(pattern, complaint):
            problem = f"{advice.format(**facts)} (ssh: {said_by_ssh(complaint)})"
            return ConnectError(name, problem, reason, fix.format(**facts))
    said = said_by_ssh(complaint) or "it said nothing"
    problem = f"ssh ended with {status} ({said}). Try it by hand: ssh {user}@{host.address}"
    return ConnectError(name, problem, fix=by_hand(host, user, settings))


def port_of(host: Host, settings: SshSettings, complaint: str = "") -> int:
    """Return the port that ssh goes to, as far as that is known here: ssh's own configuration may have another.

    >>> port_of(Host("web", "10.0.0.1"), SshSettings(options={"Port": "2222"}))
    2222
    >>> port_of(Host("web", "10.0.0.1"), SshSettings(), "ssh: connect to host 10.0.0.1 port 2200: Connection refused")
    2200
    """
    told = re.search(rf"connect to host {re.escape(host.address)} port (\d+)", complaint)
    configured = next((value for name, value in settings.options.items() if name.lower() == "port"), "")
    return int(told[1]) if told else host.port or (int(configured) if configured.isdecimal() else 22)


def by_hand(host: Host, user: str, settings: SshSettings) -> str:
    """Return the beginning of a command line that does by hand what a link does.

    >>> by_hand(Host("web", "10.0.0.1", port=2222), "root", SshSettings(keyfile="/k"))
    'ssh -p 2222 -i /k root@10.0.0.1'
    """
    words = ["ssh"]
    if settings.config_file:
        words += ["-F", settings.config_file]
    if host.port:
        words += ["-p", str(host.port)]
    words += [f"-o{name}={value}" for name, value in settings.options.items()]
    if keyfile := host.keyfile or settings.keyfile:
        words += ["-i", keyfile]
    return shlex.join([*words, f"{user}@{host.address}"])


def said_by_ssh(complaint: str) -> str:
    """Return the last of what ssh wrote, without its own name before it."""
    return last_line(complaint).removeprefix("ssh: ")


def last_line(complaint: str) -> str:
    """Return the last line that is not empty."""
    lines = [line.strip() for line in complaint.splitlines() if line.strip()]
    return lines[-1] if lines else ""
