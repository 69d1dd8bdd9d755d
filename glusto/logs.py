"""Logs: loggers of the standard library, with named handlers that can be changed while tests run."""

from __future__ import annotations

import logging
import os

from glusto.errors import ConfigError, GlustoError
from glusto.handlers import Completing, FileHandler, Follower, StdoutHandler, formatter_for, locked, open_handler

LOG_NAME = "glustolog"
LOG_FILE = "/tmp/glusto.log"  # where it has always been, when a log is asked for and no file named
LOG_FORMAT = "%(asctime)s %(levelname)s (%(funcName)s) %(message)s"


def get_log(name: str = LOG_NAME) -> logging.Logger:
    """Return the logger of that name, prepared as `prepare` does; it gets no handler."""
    return prepare(logging.getLogger(name))


def prepare(log: logging.Logger) -> logging.Logger:
    """Have a logger bear what old tests do to it: `warn`, and messages whose arguments don't fit.

    >>> log = prepare(logging.Logger("example"))
    >>> log.addHandler(StdoutHandler())
    >>> log.warn("%s is on %s", "data")
    %s is on %s ('data',)
    """
    if not any(isinstance(each, Completing) for each in log.filters):
        log.addFilter(Completing())
    log.warn = log.warning  # type: ignore[method-assign]  # deprecated, and to be gone from logging one day
    return log


def create_log(
    name: str = LOG_NAME,
    filename: str = LOG_FILE,
    level: str | int = "DEBUG",
    log_format: str | None = None,
    allow_multiple: bool = False,
) -> logging.Logger:
    """Have a logger write to a file.

    Args:
        name: the logger's name. Its handlers are named after it: the first is `<name>1`.
        filename: the file, to which is added; its directory is made. `STDOUT` is standard output.
        level: the least level that is written.
        log_format: as logging has it; by default time, level, function and message.
        allow_multiple: keep the handlers it has; else they are removed.

    Raises:
        ConfigError: the file can't be written, or there is no such level.
    """
    log = get_log(name)
    number = level_number(level)
    handler = open_handler(filename)
    handler.setLevel(number)
    handler.setFormatter(formatter_for(handler, log_format or LOG_FORMAT))
    if not allow_multiple:
        remove_log(log)
        log.setLevel(number)
    handler.set_name(_free_name(log))
    log.addHandler(handler)
    log.propagate = False
    _let_through(log, number)
    return log


def add_log(
    logobj: logging.Logger, filename: str = LOG_FILE, level: str | int = "INFO", log_format: str | None = None
) -> logging.Logger:
    """Have a logger write to one more file; arguments and errors as for `create_log`."""
    return create_log(logobj.name, filename, level, log_format, allow_multiple=True)


def remove_log(logobj: logging.Logger, name: str | None = None) -> None:
    """Remove a handler from a logger, all of them without a name, and close its files."""
    for handler in logobj.handlers[:]:
        if name in (None, handler.get_name()):
            logobj.removeHandler(handler)
            if isinstance(handler, logging.FileHandler):
                handler.close()


def show_logs(logobj: logging.Logger) -> list[str]:
    """Print what a logger writes to, one handler a line, and return the handlers' names."""
    print(f"Log:  {logobj.name}")  # noqa: T201 - as was asked for
    for handler in logobj.handlers:
        print(f"- {handler.get_name()}: {_target(handler)} ({logging.getLevelName(handler.level)})")  # noqa: T201
    return [str(handler.get_name()) for handler in logobj.handlers]


def disable_log_levels(level: str | int) -> None:
    """Log nothing of this level and those below it, in any logger, until `reset_log_levels`."""
    logging.disable(level_number(level))


def reset_log_levels() -> None:
    """Log again what `disable_log_levels` has silenced."""
    logging.disable(logging.NOTSET)


def set_log_level(log_name: str, handler_name: str, level: str | int) -> None:
    """Change the least level that a handler writes.

    Raises:
        GlustoError: the logger has no such handler.
        ConfigError: there is no such level.
    """
    number = level_number(level)
    log, handler = _find(log_name, handler_name)
    handler.setLevel(number)
    _let_through(log, number)


def set_log_filename(log_name: str, handler_name: str, filename: str) -> None:
    """Have a handler write to another file, or to `STDOUT`, from now on.

    Raises:
        GlustoError: the logger has no such handler.
        ConfigError: the file can't be written; then the handler is as it was.
    """
    log, old = _find(log_name, handler_name)
    new = open_handler(filename)
    if isinstance(old, FileHandler) and isinstance(new, FileHandler):
        old.take_over(new)
        return
    new.setLevel(old.level)
    if old.formatter is not None:
        layout = getattr(old.formatter, "_fmt", None) or LOG_FORMAT
        new.setFormatter(formatter_for(new, layout))
    for each in old.filters:
        new.addFilter(each)
    remove_log(log, handler_name)
    new.set_name(handler_name)
    log.addHandler(new)


def clear_log(log_name: str, handler_name: str) -> None:
    """Empty the file of a handler.

    Raises:
        GlustoError: the logger has no such handler, or it has no file.
    """
    _, handler = _find(log_name, handler_name)
    if not isinstance(handler, logging.FileHandler):
        raise GlustoError(f"{handler_name} can't be cleared: it writes to {_target(handler)}, which is no file")
    try:
        with locked(handler):
            handler.flush()
            os.truncate(handler.baseFilename, 0)
    except OSError as error:
        raise GlustoError(f"{handler.baseFilename} can't be cleared: {error.strerror}") from error


def level_number(level: str | int) -> int:
    """Return a level as logging has it.

    Raises:
        ConfigError: there is no such level.

    >>> level_number("info"), level_number(logging.ERROR)
    (20, 40)
    """
    if isinstance(level, int) and not isinstance(level, bool):
        return level
    number = logging.getLevelNamesMapping().get(str(level).strip().upper())
    if number is None:
        raise ConfigError(f"{level!r} is no log level; write DEBUG, INFO, WARNING, ERROR or CRITICAL")
    return number


def follow(log: logging.Logger) -> None:
    """Have what Glusto itself logs go to this logger too, in the place of one that did so before."""
    own = get_log()
    for handler in own.handlers[:]:
        if isinstance(handler, Follower):
            own.removeHandler(handler)
    if own not in _line_of(log):
        own.addHandler(Follower(log))
        _let_through(own, log.getEffectiveLevel())


def _find(log_name: str, handler_name: str) -> tuple[logging.Logger, logging.Handler]:
    log = logging.getLogger(log_name)
    for handler in log.handlers:
        if handler.get_name() == handler_name:
            return log, handler
    names = ", ".join(str(handler.get_name()) for handler in log.handlers) or "none"
    raise GlustoError(f"the log {log_name} has no handler {handler_name}; it has {names}")


def _free_name(log: logging.Logger) -> str:
    taken = {handler.get_name() for handler in log.handlers}
    numbers = range(1, len(taken) + 2)
    return next(name for name in (f"{log.name}{number}" for number in numbers) if name not in taken)


def _let_through(log: logging.Logger, number: int) -> None:
    """Lower the logger's own level, if a handler is to write what it would stop."""
    if log.level == logging.NOTSET or number < log.level:
        log.setLevel(number)


def _line_of(log: logging.Logger) -> list[logging.Logger]:
    """Return a logger and those above it that its records go to anyway."""
    line = [log]
    while line[-1].propagate and line[-1].parent is not None:
        line.append(line[-1].parent)
    return line


def _target(handler: logging.Handler) -> str:
    if isinstance(handler, StdoutHandler):
        return "sys.stdout"
    return str(getattr(handler, "baseFilename", None) or type(handler).__name__)
