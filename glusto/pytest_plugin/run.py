"""A run of pytest that uses a lab: scopes that follow those of fixtures, signals, and what reports say of hosts."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
import threading
import unittest
from collections.abc import Callable, Generator, Iterable
from types import FrameType
from typing import Any, TypeVar

import pytest

from glusto.errors import GlustoError
from glusto.facts import properties
from glusto.harness import g
from glusto.interrupts import interrupt, signals_call
from glusto.pytest_plugin import INHERITED, NO_CONFIG
from glusto.pytest_plugin.hosts import Node, first_host, numbers_of, places
from glusto.scope import Scope

T = TypeVar("T")
SCOPE = pytest.StashKey[Scope]()
FACTS = ("python", "executable", "system", "hostname")
INSIDE = (  # modules whose lines help nobody in a traceback
    *(f"glusto.{name}" for name in ("case", "connection", "harness", "loop", "process")),
    *(f"rpyc.core.{name}" for name in ("async_", "netref", "protocol")),
)
REMOTE = "stdout on hosts"  # pytest takes "Captured stdout …" into the system-out of JUnit files


class Run:
    """The hooks of one run, in a worker of pytest-xdist those of its part.

    Args:
        config: pytest's.
        closes: everything is to be closed at the end, and not by whoever has started pytest.
    """

    def __init__(self, config: pytest.Config, *, closes: bool) -> None:
        self._config, self._closes = config, closes
        self._ending = self._interrupted = False
        self._facts: dict[str, dict[str, str]] = {}
        self._troubles: list[str] = []
        self._workers: dict[str, int] = {}
        self._signals = contextlib.ExitStack()
        if threading.current_thread() is threading.main_thread():
            self._signals.enter_context(signals_call(self._signal))

    # Signals

    def _signal(self, number: int, frame: FrameType | None) -> None:
        if not self._ending:
            self._ending = self._interrupted = True
            interrupt(number, frame)

    def restore_signals(self) -> None:
        """Put the handlers of before back."""
        self._signals.close()

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self) -> None:
        """Let go of connections that a call was interrupted on: else whoever uses them next waits for its end.

        That would be pytest itself, which shows what is in the frames of a traceback.
        """
        self._ending = True
        hide_inside()
        g.drop_interrupted()

    # Scopes

    def _scope_of(self, node: Node, what: str) -> Scope:
        """Return the scope that ends with a node; that of the session is the outermost."""
        if node.session is not node and SCOPE not in node.session.stash:
            self._scope_of(node.session, "session")
        if SCOPE not in node.stash:
            node.stash[SCOPE] = g.scope(what)
            node.addfinalizer(lambda: self._end(node))
        return node.stash[SCOPE]

    def _end(self, node: Node) -> None:
        scope = node.stash[SCOPE]
        del node.stash[SCOPE]
        try:
            self._clean(scope.what, scope.close)
        finally:
            if node is node.session and self._closes:
                self._clean("run", g.close)

    def _clean(self, what: str, close: Callable[[], None]) -> None:
        """Take a step of the cleanup; when it fails, that fails the test that ends, or else the run."""
        trouble = ""
        try:
            close()
        except GlustoError as error:
            trouble = f"end of the {what}: {error}"
        if trouble and not self._ending:
            pytest.fail(trouble, pytrace=False)
        elif trouble:
            self._troubles.append(trouble)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, request: pytest.FixtureRequest) -> Generator[None, T, T]:
        """What a fixture opens stays for as long as the fixture."""
        what = "test" if isinstance(request.node, pytest.Item) else request.scope
        with self._scope_of(request.node, what).innermost():
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, T, T]:
        """What a test opens is its own; in a class of unittest it is the class's, as it is under unittest."""
        cls, holder = getattr(item, "cls", None), item.getparent(pytest.Class)
        shared = holder is not None and cls is not None and issubclass(cls, unittest.TestCase)
        scope = self._scope_of(holder, "class") if shared and holder else self._scope_of(item, "test")
        with scope.innermost(), remote_output(item, "call"):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, T, T]:
        with remote_output(item, "setup"):
            self._need_hosts(item)
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, T, T]:
        with remote_output(item, "teardown"):
            self._note_facts()
            return (yield)

    # Markers

    def _need_hosts(self, item: pytest.Item) -> None:
        """Have a test skipped that needs more hosts than there are, or fail it."""
        wanted = numbers_of(item)
        roles = g.inventory.roles
        short = [f"{number} {role}, not {len(roles.get(role, ()))}" for role, number in wanted.items()
                 if number > len(roles.get(role, ()))]  # fmt: skip
        if short:
            reason = f"it needs {' and '.join(short)}" if g.config else NO_CONFIG
            if self._config.getoption("--glusto-strict"):
                pytest.fail(reason, pytrace=False)
            item.add_marker(pytest.mark.skip(reason=reason))

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Make one test for each connection that the nearest `connection` marker names."""
        marker = metafunc.definition.get_closest_marker("connection")
        if marker is None or "connection" not in metafunc.fixturenames:
            return
        try:
            found, scope = connection(*marker.args, **marker.kwargs)
        except TypeError as error:
            raise pytest.Collector.CollectError(f"@pytest.mark.{error}") from None
        if not found and self._config.getoption("--glusto-strict"):
            raise pytest.Collector.CollectError(f"the lab has no {' and no '.join(marker.args)}")
        metafunc.parametrize("connection", found, indirect=True, scope=scope)

    # Reports

    def pytest_report_header(self) -> str:
        roles = [f"{role}: {', '.join(names)}" for role, names in g.inventory.roles.items() if names]
        return f"glusto: {'; '.join(roles) or 'no config yet'}"

    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> None:
        if call.excinfo is not None:
            hide_inside()

    def _note_facts(self) -> None:
        for name, facts in g.facts().items():
            self._facts[name] = {fact: str(facts.get(fact, "")) for fact in FACTS}

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, T, T]:
        """Close what an interrupt has left open, once the fixtures have ended."""
        self._ending = True
        self._note_facts()
        self._tell_reports()
        if self._interrupted:  # Ctrl-C reaches the workers by itself
            for pid in self._workers.values():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
        try:
            return (yield)
        finally:
            if self._closes:
                self._clean("run", g.close)
            if self._troubles and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
                session.exitstatus = pytest.ExitCode.TESTS_FAILED
            if self._troubles and hasattr(self._config, "workerinput"):
                sys.stderr.writelines(f"glusto: {trouble}\n" for trouble in self._troubles)

    def _tell_reports(self) -> None:
        """Give what is known of the hosts to pytest's JUnit file, or to the controller of this worker."""
        if hasattr(self._config, "workeroutput"):
            self._config.workeroutput["glusto_facts"] = self._facts
        for plugin in self._config.pluginmanager.get_plugins():
            if self._facts and hasattr(plugin, "add_global_property"):
                for name, value in properties(self._facts).items():
                    plugin.add_global_property(name, value)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self) -> None:
        """Have what tests print, here and on hosts, in the JUnit file, unless the command line says otherwise."""
        overrides = self._config.getoption("override_ini", None) or []
        if any(word.startswith("junit_logging") for word in overrides):
            return
        for plugin in self._config.pluginmanager.get_plugins():
            if hasattr(plugin, "add_global_property") and getattr(plugin, "logging", "") == "no":
                plugin.logging = "system-out"

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self._troubles:
            terminalreporter.section("hosts are not clean", red=True)
            for trouble in self._troubles:
                terminalreporter.write_line(trouble)

    # pytest-xdist

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Give a worker the config that only this process was given."""
        if self._config.stash[INHERITED]:
            node.workerinput["glusto_config"] = pickle.dumps(g.config)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodeready(self, node: Any) -> None:
        if node.gateway.spec.popen:
            self._workers[node.gateway.id] = node.gateway._io.popen.pid  # noqa: SLF001 - nothing of xdist tells it

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self._workers.pop(node.gateway.id, None)
        self._facts.update(getattr(node, "workeroutput", {}).get("glusto_facts", {}))


def hide_inside() -> None:
    """Leave the inside of Glusto out of tracebacks; what its errors have to say is in their messages."""
    for name in INSIDE:
        if name in sys.modules:
            vars(sys.modules[name])["__tracebackhide__"] = True


@contextlib.contextmanager
def remote_output(item: pytest.Item, when: str) -> Generator[None]:
    """Attach what hosts print within this to the report of a test."""
    try:
        yield
    finally:
        text = g.take_output()
        if text:
            item.add_report_section(when, REMOTE, text)


def connection(
    *hosts: str, user: str | Iterable[str] | None = None, instance: int | Iterable[int] = 1, scope: Any = None
) -> tuple[list[str], Any]:
    """Return the places that a `connection` marker with these arguments names, and their scope."""
    return places(hosts or [first_host()], user, instance), scope
