"""What the live tests share: one fleet of test hosts, and harnesses that must leave nothing behind."""

import gc
import logging
import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from glusto.harness import Harness
from tests.hosts import Fleet, HostError, TestHost, why_not
from tests.hosts.waiting import until
from tests.traces import open_sockets, traces_here, traces_on

USERS = ("root", "george", "alexander")
SCRATCH = "/srv/scratch"
GONE_SECONDS = 5.0  # for sshd's session processes to be gone, once the link is closed


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Have Hypothesis take a seed that can be told, so that what it has found can be found again."""
    if config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = str(random.getrandbits(32))


def pytest_report_header(config: pytest.Config) -> str:
    """Tell it."""
    return f"the same generated cases again: --hypothesis-seed={config.option.hypothesis_seed}"


@pytest.fixture(scope="session")
def fleet() -> Iterator[Fleet]:
    """Three hosts: h1, h2 and h3."""
    if reason := why_not():
        pytest.skip(reason)
    with Fleet(3) as fleet:
        yield fleet


@pytest.fixture
def g(fleet: Fleet, private_tmp: Path) -> Iterator[Harness]:
    """A harness for the fleet. Once it is closed nothing of it may be left, there or here."""
    with leaving_no_trace(fleet, private_tmp):
        harness = Harness()
        harness.config = fleet.lab()
        yield harness
        harness.close()


@pytest.fixture
def private_tmp(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A temporary directory for harnesses alone, in $TMPDIR too; beside tmp_path, whose name is long for sockets."""
    directory = Path(tempfile.mkdtemp(prefix="gt-"))
    monkeypatch.setenv("TMPDIR", str(directory))
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    yield directory
    shutil.rmtree(directory)


@contextmanager
def leaving_no_trace(fleet: Fleet, directory: Path) -> Iterator[None]:
    """Assert that what is done within leaves nothing on any host of the fleet, and nothing here."""
    gc.collect()
    before = open_sockets()
    complaints = Complaints()
    logging.getLogger("asyncio").addHandler(complaints)
    try:
        yield
    finally:
        gc.collect()
        logging.getLogger("asyncio").removeHandler(complaints)

        def traces() -> list[str]:
            return [*traces_here(directory, before), *(line for host in fleet.hosts for line in traces_on(host))]

        try:
            until(lambda: not traces(), GONE_SECONDS, "no trace is left")
        except HostError:
            left = traces()
            for host in fleet.hosts:  # for the tests to come
                if traces_on(host):
                    host.execute("sh", "-c", "rm -rf /var/tmp/* /home/*/glusto-* /root/glusto-*")
                    host.reboot()
            pytest.fail("left behind:\n  " + "\n  ".join(left))
        assert complaints.said == []


class Complaints(logging.Handler):
    """What asyncio says of tasks that were never finished, and of exceptions that nobody retrieved."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


@pytest.fixture(params=USERS)
def user(request: pytest.FixtureRequest) -> str:
    """Each of the accounts that the hosts have."""
    return str(request.param)


@pytest.fixture
def host(fleet: Fleet) -> Iterator[TestHost]:
    """The first host, set right again after a test that did something to it."""
    host = fleet.hosts[0]
    key = host.host_key
    yield host
    if not host.is_on:
        host.power_on()
    host.heal()
    host.configure_sshd("")
    if host.host_key != key:
        fleet.learn_host_keys()


@pytest.fixture
def scratch(fleet: Fleet) -> Iterator[str]:
    """A directory on every host where every account may write; what tests leave there is no trace."""
    for host in fleet.hosts:
        host.execute("install", "-d", "-m", "1777", SCRATCH)
    yield SCRATCH
    for host in fleet.hosts:
        host.execute("rm", "-rf", SCRATCH)
