"""See whether every host can be used as every user, and say what is in the way. Nothing is changed on any of them.

Exit status: 0 all is well, warnings aside, 1 a host has a problem, 2 usage or config error.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from typing import TYPE_CHECKING

from glusto.arguments import add_config_arguments, need_config
from glusto.errors import CleanupError
from glusto.inventory import Inventory

if TYPE_CHECKING:
    from glusto.diagnosis import Problem
    from glusto.survey import Survey


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a check."""
    add_config_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object, for programs")


def main(options: argparse.Namespace) -> int:
    """Check the lab; 0 when all is well, 1 when a host has a problem.

    Raises:
        ConfigError: the config has a mistake, or no hosts.
    """
    from glusto import board
    from glusto.diagnosis import Diagnosis
    from glusto.survey import onlooker, survey_all

    config = need_config(options)
    inventory = Inventory.from_config(config)
    wanted = inventory.everybody()
    diagnose = Diagnosis(config, inventory, cleaning(options))
    users = {host.name: [user for other, user in wanted if other.name == host.name] for host, _ in wanted}
    names = [f"{user}@{host.name}" for host, user in wanted]

    def problems_of(survey: Survey) -> list[Problem]:
        return diagnose(survey, users[survey.host.name])

    screen = board.Plain(sys.stderr, names) if options.json else board.choose(sys.stdout, names)
    surveys: list[Survey] = []
    status = 0
    try:
        with onlooker() as (loop, lab), screen:
            show = survey_all(lab, inventory, wanted, lambda survey: screen.show(survey, problems_of(survey)))
            surveys = loop.wait_for(show)
    except CleanupError as error:
        sys.stderr.write(f"glusto: {error}\n")
        status = 1
    problems = [problem for survey in surveys for problem in problems_of(survey)]
    problems.sort(key=lambda problem: not problem.hurts)
    if options.json:
        from glusto.store import format_json

        sys.stdout.write(format_json(board.as_data(surveys, problems)))
    else:
        sys.stdout.write(f"\n{board.told(problems)}{summary(surveys, problems)}\n")
    return status or int(any(problem.hurts for problem in problems))


def cleaning(options: argparse.Namespace) -> str:
    """Return the command that cleans the lab that these options name."""
    words = ["python", "-m", "glusto", "clean"]
    for option, values in (("-c", options.config), ("-i", options.inventory), ("--set", options.assignments)):
        for value in values:
            words += [option, value]
    return shlex.join(words)


def summary(surveys: list[Survey], problems: list[Problem]) -> str:
    """Return the last line."""
    bad = len({problem.name for problem in problems if problem.hurts})
    warned = sum(not problem.hurts for problem in problems)
    told = f"{len(surveys) - bad} of {len(surveys)} can be used" if bad else f"all {len(surveys)} can be used"
    return told + (f", {warned} warning{'s' if warned > 1 else ''}" if warned else "")
