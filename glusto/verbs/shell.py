"""Open a Python prompt with `g` connected to the lab: IPython's, if that is installed.

Its names: g; conns, the connections by name (conns["root@server1:1"]); and each host's own name, for its first
connection. Everything is closed at the end, and nothing is left on the hosts.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import keyword
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

from glusto.arguments import add_config_arguments, load_config
from glusto.errors import CleanupError, ParallelError
from glusto.harness import g
from glusto.interrupts import signals_call


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a shell."""
    add_config_arguments(parser)
    parser.add_argument("--plain", action="store_true", help="Python's own prompt, whether or not IPython is installed")


def main(options: argparse.Namespace) -> int:
    """Connect, and hand over to whoever types; 0 at the end, 3 when the hosts could not be cleaned.

    Raises:
        ConfigError: the config has a mistake, or no hosts.
    """
    inventory = load_config(options)
    inventory.everybody()
    status = 0
    with signals_call(end):
        try:
            conns, failed = connections()
            names = {"g": g, "conns": conns, **by_host(conns)}
            banner = f"{failed}{', '.join(names)}\nthe end (Ctrl-D) closes all connections and cleans the hosts"
            if options.plain or not ipython(names, banner):
                plain(names, banner)
        finally:
            try:
                g.close()
            except CleanupError as error:
                sys.stderr.write(f"glusto: {error}\n")
                status = 3
    return status


def connections() -> tuple[dict[str, Any], str]:
    """Connect to every host as every user; the connections, and a line for each that failed."""
    inventory = g.inventory
    try:
        return dict(g.provision(list(inventory.hosts), inventory.users, inventory.instances)), ""
    except ParallelError as error:
        found = {name: one for name, one in error.results.items() if not isinstance(one, BaseException)}
        failed = [str(one) for one in error.results.values() if isinstance(one, BaseException)]
        return found, "".join(f"{line}\n" for line in dict.fromkeys(failed))


def by_host(conns: Mapping[str, Any]) -> dict[str, Any]:
    """The first connection of each host, by the host's name as Python can say it.

    >>> by_host({"root@web-1:1": "a", "george@web-1:1": "b", "root@10.0.0.1:1": "c", "root@g:1": "d"})
    {'web_1': 'a'}
    """
    found: dict[str, Any] = {}
    for name, connection in conns.items():
        host = name.partition("@")[2].rpartition(":")[0].replace("-", "_")
        if host.isidentifier() and not keyword.iskeyword(host) and host not in ("g", "conns"):
            found.setdefault(host, connection)
    return found


def ipython(names: dict[str, Any], banner: str) -> bool:
    """IPython's prompt; False when it is not installed."""
    try:
        prompts: Any = importlib.import_module("IPython.terminal.ipapp")  # it may be there or not, and has no types
        settings: Any = importlib.import_module("traitlets.config")
    except ImportError:
        return False
    config = settings.Config()
    config.TerminalInteractiveShell.banner1 = f"{banner}\n"
    config.TerminalInteractiveShell.confirm_exit = False
    app = prompts.TerminalIPythonApp.instance(config=config, user_ns=names)
    app.initialize(argv=[])
    app.start()
    return True


def plain(names: dict[str, Any], banner: str) -> None:
    """Python's own prompt, with completion and history where there is readline."""
    import code

    with contextlib.suppress(ImportError):
        import readline
        import rlcompleter

        readline.set_completer(rlcompleter.Completer(names).complete)
        readline.parse_and_bind("tab: complete")
    code.interact(banner, local=names, exitmsg="")


def end(number: int, frame: object) -> NoReturn:
    """End the shell as Ctrl-D does: prompts take an interrupt for one of theirs."""
    raise SystemExit(128 + number)
