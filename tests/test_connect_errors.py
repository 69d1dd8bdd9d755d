"""Hosts that can't be connected: which, why and what to do is said in time, and the others go on."""

import re
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from glusto.errors import ConfigError, ConnectError, DeployError, HostError, ParallelError
from glusto.harness import Harness
from tests.hosts import Fleet, TestHost
from tests.hosts.network import ip
from tests.hosts.pythons import interpreters
from tests.traces import processes_below

pytestmark = pytest.mark.live

CONNECT_SECONDS = 2
IN_TIME = CONNECT_SECONDS + 2
OLD = [path for version, path in interpreters(Path.home() / ".pyenv" / "versions").items() if version.startswith("2.")]


@pytest.fixture(autouse=True)
def _short(g: Harness) -> None:
    g.config["ssh"]["connect_timeout"] = CONNECT_SECONDS


@pytest.fixture
def silent(fleet: Fleet) -> Iterator[str]:
    """An address to which packets go out, and from which nothing ever comes back."""
    host = fleet.hosts[0]
    bridge, address = host._link.partition("-")[0], host.address.rpartition(".")[0] + ".250"
    ip("neighbour", "add", address, "lladdr", "02:98:00:00:00:fa", "nud", "permanent", "dev", bridge)
    yield address
    ip("neighbour", "delete", address, "dev", bridge)


def failure(g: Harness, name: str, user: str | None = None) -> HostError:
    """Connect to a host that can't be, together with h2 and h3, which can: the error, once it is seen to be in time."""
    started = time.monotonic()
    with pytest.raises(ParallelError) as caught:
        g.rpyc_create_connections(["h2", name, "h3"], user)
    assert time.monotonic() - started < IN_TIME
    user = user or "root"
    assert list(caught.value.results) == [f"{user}@h2:1", f"{user}@{name}:1", f"{user}@h3:1"]
    good, bad, also_good = caught.value.results.values()
    assert good.modules.socket.gethostname() == "h2"
    assert also_good.modules.socket.gethostname() == "h3"
    assert isinstance(bad, HostError)
    assert bad.host == f"{user}@{name}"
    assert str(bad).startswith(f"{user}@{name}: ")
    assert str(bad) in str(caught.value)
    assert g.ssh_list_connections() == [f"{user}@h2", f"{user}@h3"]
    return bad


def check(error: HostError, reason: str, *told: str) -> None:
    """Assert the kind of an error, and that it says why, and what to do."""
    assert isinstance(error, ConnectError)
    assert error.reason == reason, error
    for words in told:
        assert words in str(error)


def add(g: Harness, name: str, **fields: Any) -> str:
    """Put a host into the config."""
    g.config["servers"][name] = fields
    return name


def test_a_host_that_drops_all_packets(g: Harness, silent: str) -> None:
    error = failure(g, add(g, "silent", address=silent))
    check(error, "timeout", "no answer within 2 s", "connect_timeout", silent, "firewall")


def test_an_address_that_nobody_has(g: Harness, silent: str) -> None:
    nobody = silent.removesuffix("250") + "251"
    error = failure(g, add(g, "nobody", address=nobody))
    assert isinstance(error, ConnectError) and error.reason in ("timeout", "unreachable")
    assert nobody in str(error) and "Is it up" in str(error)


def test_a_host_that_is_switched_off(g: Harness, host: TestHost) -> None:
    host.power_off()
    error = failure(g, "h1", "george")
    assert isinstance(error, ConnectError) and error.reason in ("timeout", "unreachable")
    assert host.address in str(error) and "Is it up" in str(error)


def test_a_host_whose_sshd_hangs(g: Harness, host: TestHost) -> None:
    host.execute("pkill", "-STOP", "^sshd")
    try:
        check(failure(g, "h1"), "timeout", "no answer within 2 s", "connect_timeout")
    finally:
        host.execute("pkill", "-CONT", "^sshd")


def test_a_host_that_refuses(g: Harness, host: TestHost) -> None:
    host.kill_sshd()
    try:
        check(failure(g, "h1", "george"), "refused", "nothing listens on port 22", "Start sshd", "`port`")
        with pytest.raises(ConnectError, match="george@h1: nothing listens on port 22"):
            g.rpyc_get_connection("h1", "george")
    finally:
        host.start_sshd()
    assert g.rpyc_get_connection("h1", "george").modules.socket.gethostname() == "h1"


def test_a_port_that_is_wrong(g: Harness, fleet: Fleet) -> None:
    error = failure(g, add(g, "elsewhere", address=fleet.hosts[0].address, port=2222))
    check(error, "refused", "nothing listens on port 2222")


def test_a_host_key_that_has_changed_and_the_advice_given_helps(g: Harness, host: TestHost) -> None:
    host.new_host_key()
    error = failure(g, "h1", "alexander")
    check(error, "host key", "its host key has changed", "ssh-keygen -f", host.address)
    advice = re.search(r"ssh-keygen -f \S+ -R '\S+'", str(error))
    assert advice
    subprocess.run(shlex.split(advice[0]), check=True, capture_output=True, timeout=30)
    assert g.rpyc_get_connection("h1", "alexander").modules.socket.gethostname() == "h1"


def test_a_host_key_that_is_not_known_where_it_must_be(g: Harness, tmp_path: Path, fleet: Fleet) -> None:
    host = fleet.hosts[0]
    known = tmp_path / "known_hosts"
    known.write_text(fleet.known_hosts.read_text().replace(f"{host.address},", ""))
    g.config["ssh"]["options"]["UserKnownHostsFile"] = str(known)
    g.config["ssh"]["strict_host_key_checking"] = "yes"
    error = failure(g, "h1")
    check(error, "host key", "is not known", "strict_host_key_checking is yes", f"ssh-keyscan {host.address}")
    advice = re.search(r"ssh-keyscan \S+ >> \S+", str(error))
    assert advice
    subprocess.run(advice[0], shell=True, check=True, capture_output=True, timeout=30)
    assert g.rpyc_get_connection("h1").modules.socket.gethostname() == "h1"


def test_a_key_that_is_not_accepted(g: Harness, tmp_path: Path, fleet: Fleet) -> None:
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], check=True, timeout=30)
    error = failure(g, add(g, "locked", address=fleet.hosts[0].address, keyfile=str(other)), "george")
    check(error, "auth", f"does not let george in with {other}", "authorized_keys", "ssh-copy-id", "keyfile")


def test_a_keyfile_that_does_not_exist(g: Harness, tmp_path: Path, fleet: Fleet) -> None:
    missing = tmp_path / "missing"
    error = failure(g, add(g, "keyless", address=fleet.hosts[0].address, keyfile=str(missing)))
    check(error, "auth", f"the keyfile {missing} does not exist", "ssh: keyfile")


def test_a_user_whom_the_host_does_not_have(g: Harness) -> None:
    with pytest.raises(ConnectError, match="nobody-here@h1: it does not let nobody-here in") as caught:
        g.rpyc_get_connection("h1", "nobody-here")
    assert caught.value.reason == "auth"


def test_a_name_that_nobody_knows(g: Harness) -> None:
    check(failure(g, "no-such-host.invalid"), "name", "the name no-such-host.invalid is not known", "`address`")


@pytest.mark.parametrize("python", ["/nonexistent", *OLD])
@pytest.mark.parametrize("user", ["root", "george"])
def test_an_interpreter_that_does_not_exist_or_is_too_old(g: Harness, fleet: Fleet, user: str, python: str) -> None:
    error = failure(g, add(g, "bare", address=fleet.hosts[0].address, python=python), user)
    assert isinstance(error, DeployError)
    assert f"no Python 3.6 or newer there (tried {python})" in str(error)
    assert "Install one, or set the host's `python`" in str(error)


def test_something_that_is_no_python_at_all(g: Harness, fleet: Fleet) -> None:
    error = failure(g, add(g, "odd", address=fleet.hosts[0].address, python="/bin/cat"))
    assert isinstance(error, HostError)
    assert "/bin/cat" in str(error)


def test_a_user_without_a_shell(g: Harness, host: TestHost) -> None:
    host.execute("usermod", "--shell", "/usr/sbin/nologin", "alexander")
    try:
        error = failure(g, "h1", "alexander")
    finally:
        host.execute("usermod", "--shell", "/bin/bash", "alexander")
    check(error, "login", "the login shell ended with exit status 1", "Can this user run commands?", "not available")


def test_a_shell_that_does_not_exist(g: Harness, host: TestHost) -> None:
    host.execute("usermod", "--shell", "/bin/gone", "alexander")
    try:
        error = failure(g, "h1", "alexander")
    finally:
        host.execute("usermod", "--shell", "/bin/bash", "alexander")
    assert isinstance(error, ConnectError) and error.reason in ("auth", "login")


def test_a_forced_command_that_is_not_ours(g: Harness, host: TestHost) -> None:
    host.configure_sshd("Match User george\nForceCommand echo forced")
    error = failure(g, "h1", "george")
    check(error, "login", "the login shell ended with exit status 0", "its last words: forced")


def test_an_option_that_ssh_does_not_know(g: Harness) -> None:
    g.config["ssh"]["options"]["NoSuchOption"] = "yes"
    with pytest.raises(ConnectError, match="root@h1: .*ssh: options and config_file") as caught:
        g.rpyc_get_connection("h1")
    assert caught.value.reason == "ssh"


def test_every_kind_of_trouble_at_once_is_told_and_the_good_hosts_serve(
    g: Harness, host: TestHost, silent: str, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], check=True, timeout=30)
    kinds = {
        "silent": "timeout",
        "closed": "refused",
        "locked": "auth",
        "changed": "host key",
        "unknown.invalid": "name",
        "bare": "",
    }
    host.new_host_key()
    address = host.address
    good = g.config["servers"].pop("h2")["address"]
    g.config["ssh"]["options"] |= {"LogLevel": "ERROR"}
    g.config["servers"] = {
        "silent": {"address": silent},
        "closed": {"address": good, "port": 2222},
        "locked": {"address": good, "keyfile": str(other)},
        "changed": {"address": address},
        "unknown.invalid": {},
        "bare": {"address": good, "python": "/nonexistent"},
        "fine": {"address": good},
    }
    started = time.monotonic()
    with pytest.raises(ParallelError) as caught:
        g.provision([*kinds, "fine"], ["root", "george"], 2)
    assert time.monotonic() - started < IN_TIME
    results = caught.value.results
    assert len(results) == 2 * 2 * 7
    for name, outcome in results.items():
        user, host_name = name.rpartition(":")[0].split("@")
        if host_name == "fine":
            assert outcome.modules.getpass.getuser() == user
        else:
            assert getattr(outcome, "reason", "") == kinds[host_name]
            assert str(outcome).startswith(f"{user}@{host_name}: ")


REFUSED = (
    "-oProxyCommand=touch /tmp/owned",
    "-oProxyCommand=true",
    "--",
    "",
    " ",
    "h1 h2",
    "h1;reboot",
    "$(reboot)",
    "`reboot`",
    "h1\n",
    "h1\x00",
    "\x1b[31mh1",
    "h1|cat",
    "../h1",
    "h1:22",
    "h" * 300,
)


@pytest.mark.parametrize("name", [*REFUSED, "root@h1"])
def test_host_names_that_could_be_options_or_shell_text_are_refused_before_anything_starts(
    g: Harness, name: str, private_tmp: Path
) -> None:
    refuse(
        private_tmp,
        lambda: g.rpyc_get_connection(name),
        lambda: g.rpyc_create_connections(["h1", name]),
        lambda: g.provision(["h1", name], ["root"]),
        lambda: g.rpyc_check_connection(name),
        lambda: g.run(name, "true"),
        lambda: g.run_async(name, "true"),
        lambda: g.run_parallel(["h1", name], "true"),
        lambda: g.run_serial(["h1", name], "true"),
        lambda: g.upload(name, "/etc/hostname", "/tmp"),
        lambda: g.download(name, "/etc/hostname", str(private_tmp)),
    )


@pytest.mark.parametrize("name", REFUSED)
def test_user_names_that_could_be_options_or_shell_text_are_refused_before_anything_starts(
    g: Harness, name: str, private_tmp: Path
) -> None:
    refuse(
        private_tmp,
        lambda: g.rpyc_get_connection("h1", name),
        lambda: g.rpyc_create_connections(["h1"], name),
        lambda: g.provision(["h1"], ["root", name]),
        lambda: g.rpyc_ping_connection("h1", name),
        lambda: g.run("h1", "true", name),
        lambda: g.run_parallel(["h1"], "true", name),
        lambda: g.run_serial(["h1"], "true", name),
        lambda: g.upload("h1", "/etc/hostname", "/tmp", name),
        lambda: g.download("h1", "/etc/hostname", str(private_tmp), name),
    )


def refuse(private_tmp: Path, *calls: Callable[[], object]) -> None:
    for call in calls:
        with pytest.raises(ConfigError, match="refused"):
            call()
    assert processes_below(private_tmp) == []
    assert list(private_tmp.iterdir()) == []


@pytest.mark.parametrize("field", ["address", "user", "python", "keyfile"])
def test_the_config_may_not_smuggle_options_in(g: Harness, field: str, private_tmp: Path) -> None:
    add(g, "trap", **{"address": "h1", field: "-oProxyCommand=true\n"})
    with pytest.raises(ConfigError):
        g.rpyc_get_connection("trap")
    assert processes_below(private_tmp) == []
