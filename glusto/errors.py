"""Everything Glusto raises.

    GlustoError
    ├── ConfigError            a config that can't be used: file, line, key, what to write instead
    ├── HostError              something about one host, `.host` its name
    │   ├── ConnectError       it can't be reached: `.reason` says whether unreachable, refused, auth, …
    │   ├── LinkLostError      it was there and is gone, also an EOFError
    │   ├── DeployError        it is there, and nothing can be deployed: no Python, no directory, …
    │   ├── CommandFailed      `run(..., check=True)` and the command failed: `.result`
    │   ├── CommandTimeout     a command took too long, and is dead on the host now
    │   ├── TransferError      an upload or a download that did not happen, or not whole
    │   └── ResidueError       what was left on the host when it should have been clean
    ├── ParallelError          some hosts of many failed: `.results`, the good ones too
    └── CleanupError           an ExceptionGroup: every step of a cleanup that failed, after all were tried
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glusto.process import Result


class GlustoError(Exception):
    """The base of everything Glusto raises."""


class ConfigError(GlustoError):
    """A config that can't be used.

    Attributes:
        problem: what is wrong, and what to write instead.
        file, line, column: where it stands, as far as that is known; lines and columns count from 1.
        excerpt: that line, and below it a caret under the word; "" when the text is not known.
    """

    def __init__(self, problem: str, file: str = "", line: int = 0, column: int = 0, text: str = "") -> None:
        self.problem, self.file, self.line, self.column = problem, file, line, column
        self.excerpt = ""
        self.quote(text)
        place = ":".join(str(part) for part in (file, line, column) if part)
        super().__init__(f"{place}: {problem}" if place else problem)

    def quote(self, text: str) -> None:
        """Take the excerpt from the text of the file, unless there is one."""
        if text and not self.excerpt:
            from glusto.excerpt import excerpt

            self.excerpt = excerpt(text, self.line, self.column)


class HostError(GlustoError):
    """Something went wrong with one host.

    Attributes:
        host: its name; `user@name` where a user is concerned.
        problem: what happened, and what to do about it.
    """

    def __init__(self, host: str, problem: str) -> None:
        self.host, self.problem = host, problem
        super().__init__(f"{host}: {problem}")


class ConnectError(HostError):
    """The host can't be reached.

    Attributes:
        reason: "unreachable", "refused", "busy", "timeout", "name", "host key", "auth", "login" or "ssh".
        fix: a command that mends it, or shows more; "" when there is none.
    """

    def __init__(self, host: str, problem: str, reason: str = "ssh", fix: str = "") -> None:
        super().__init__(host, problem)
        self.reason, self.fix = reason, fix


class LinkLostError(HostError, EOFError):
    """The host was connected and is not any more: the link, or the server deployed there, is gone."""


class DeployError(HostError):
    """The host is there, but nothing can be deployed on it."""


class CommandFailed(HostError):  # noqa: N818 - named as subprocess names CalledProcessError's kin
    """A command ended with a return code other than 0, and `check=True` was asked for.

    Attributes:
        result: the whole result: return code, stdout, stderr.
    """

    def __init__(self, host: str, command: str, result: Result) -> None:
        tail = result.stderr.strip() or result.stdout.strip()
        said = f": {tail[-500:]}" if tail else ""
        super().__init__(host, f"`{command}` ended with {result.returncode}{said}")
        self.result = result


class CommandTimeout(HostError, TimeoutError):  # noqa: N818 - named as subprocess names TimeoutExpired
    """A command took longer than its timeout; it has been killed on the host.

    Attributes:
        stdout, stderr: what it had printed until then.
    """

    def __init__(self, host: str, problem: str, stdout: str = "", stderr: str = "") -> None:
        super().__init__(host, problem)
        self.stdout, self.stderr = stdout, stderr


class TransferError(HostError):
    """A file or directory that could not be transferred, or not whole."""


class ResidueError(HostError):
    """Something of a test was found on a host when it was cleaned.

    Attributes:
        residue: one line for each thing found.
    """

    def __init__(self, host: str, residue: Sequence[str]) -> None:
        self.residue = list(residue)
        super().__init__(host, "; ".join(self.residue))


class ParallelError(GlustoError):
    """Some of many hosts failed; all were tried.

    Attributes:
        results: name → what it gave, or the exception it raised; in the order asked for.
    """

    def __init__(self, results: Mapping[str, Any]) -> None:
        self.results = dict(results)
        failed = [value for value in self.results.values() if isinstance(value, Exception)]
        lines = "".join(f"\n  {error}" for error in failed)
        super().__init__(f"{len(failed)} of {len(self.results)} failed:{lines}")


class CleanupError(ExceptionGroup[Exception], GlustoError):
    """Every step of a cleanup that failed; all steps were tried before this was raised."""

    def __new__(cls, errors: Sequence[Exception]) -> CleanupError:
        lines = "".join(f"\n  {error}" for error in errors)
        return super().__new__(cls, f"the cleanup is not complete:{lines}", errors)

    def __init__(self, errors: Sequence[Exception]) -> None:
        super().__init__(str(self.args[0]), errors)

    def __str__(self) -> str:
        return self.message

    def derive(self, errors: Sequence[Exception]) -> CleanupError:  # type: ignore[override]
        return CleanupError(errors)
