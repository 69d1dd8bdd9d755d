"""The command line: `python -m glusto [VERB] …`, where the verb is `run` unless it is given."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from glusto.errors import ConfigError

VERBS = {
    "run": "run tests; this is done when no verb is given",
    "check": "see whether every host can be used, and say what is in the way",
    "clean": "remove from the hosts what runs that were killed have left there",
    "shell": "open a Python prompt with `g` connected to the lab",
    "config": "print the config as merged, and where each value comes from",
    "report": "make the HTML report of a run from its events, also of one that was killed",
    "schema": "print the JSON Schema of a config, for editors",
}
STATUSES = """\
exit status of a run: 0 all passed, 1 tests failed, 2 usage or config error, 3 hosts could not be provisioned
or cleaned, 5 no test was found, 130 interrupted
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: the words after the program's name; those of this process when None.

    Returns:
        The exit status.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    named = bool(words) and words[0] in VERBS
    verb = words.pop(0) if named else "run"
    module = importlib.import_module(f"glusto.verbs.{verb}")
    listed = "".join(f"  {name:<8} {line}\n" for name, line in VERBS.items())
    parser = argparse.ArgumentParser(
        prog=f"glusto {verb}" if named else "glusto",
        description=module.__doc__,
        epilog=(STATUSES if verb == "run" else None) if named else f"verbs:\n{listed}\n{STATUSES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    module.add_arguments(parser)
    options = parser.parse_args(joined(words))
    try:
        return int(module.main(options))
    except ConfigError as error:
        sys.stderr.writelines(f"{part}\n" for part in (f"glusto: {error}", error.excerpt) if part)
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("glusto: interrupted\n")
        return 130


def joined(words: Sequence[str]) -> list[str]:
    """Return the words with `--pytest ARGS` as `--pytest=ARGS`: argparse takes ARGS that begin with - for options.

    >>> joined(["-c", "lab.yml", "--pytest", "-x tests"])
    ['-c', 'lab.yml', '--pytest=-x tests']
    """
    rest = iter(words)
    passed_on = ("--pytest", "--unittest", "--nosetests")
    return [f"{word}={next(rest, '')}" if word in passed_on else word for word in rest]
