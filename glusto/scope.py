"""Scopes: the stretches of a run for which things on the hosts are needed, such as a class of tests, or one test.

A connection stays open until the last scope that asked for it ends; a command runs at most until the end of the
scope in which it started. So a class closes what it opened, and leaves to its module what that had opened before.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING
from weakref import WeakSet

from glusto.errors import GlustoError

if TYPE_CHECKING:
    from glusto.process import Process


class Scopes:
    """The open scopes, the innermost last: the one that what is asked for now is for. The first is the whole run."""

    def __init__(self) -> None:
        self.stack: list[Scope] = []
        Scope("run", self, lambda scope: None)

    def asked(self, connection: str) -> None:
        """The connection `user@host:instance` is asked for."""
        self.stack[-1].connections.add(connection)
        self.stack[-1].used = True

    def started(self, process: Process) -> None:
        """A command starts."""
        self.stack[-1].commands.add(process)
        self.stack[-1].used = True

    def clear(self) -> None:
        """All is closed: nothing of it is needed any more."""
        for scope in self.stack:
            scope.connections.clear()

    def alone(self, scope: Scope) -> set[str]:
        """Return the connections, and the deployed servers `user@host`, that no open scope but this one needs."""
        others = {name for other in self.stack if other is not scope for name in needed(other)}
        return needed(scope) - others


class Scope:
    """One stretch of a run, from when it is made until `close`; what `g.scope()` gives.

    Args:
        what: its name in events: "class", "module", …
        scopes: the others.
        end: closes on the hosts what only this scope needs.

    Attributes:
        connections: the names of those that were asked for in it.
        commands: what started in it, as far as somebody still knows of it.
        used: it had any of these.
    """

    def __init__(self, what: str, scopes: Scopes, end: Callable[[Scope], None]) -> None:
        self.what = what
        self.connections: set[str] = set()
        self.commands: WeakSet[Process] = WeakSet()
        self.used = False
        self._scopes, self._end = scopes, end
        scopes.stack.append(self)

    @contextlib.contextmanager
    def innermost(self) -> Iterator[None]:
        """Within this, what is asked for is for this scope, though others have begun since."""
        stack = self._scopes.stack
        stack.append(self)
        try:
            yield
        finally:
            if self in stack:  # it may have been closed
                del stack[-1 - stack[::-1].index(self)]

    def close(self) -> None:
        """End it: close what only this scope needs, and kill its commands that still run. SSH links stay.

        Raises:
            CleanupError: something could not be closed or confirmed; all the rest is closed.
        """
        stack = self._scopes.stack
        if self in stack:
            stack[:] = [scope for scope in stack if scope is not self]
            self._end(self)

    def __enter__(self) -> Scope:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self.close()
        except GlustoError as trouble:
            if error is None:
                raise
            error.add_note(f"and afterwards: {trouble}")


def needed(scope: Scope) -> set[str]:
    """Return the names of a scope's connections, and of the deployed servers that these go to."""
    return scope.connections | {name.rpartition(":")[0] for name in scope.connections}
