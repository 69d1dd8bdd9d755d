"""Test hosts by hand: ``python -m tests.hosts VERB``.

A fleet that ``up`` makes stays until ``down``; ``--name`` tells several apart.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence

from . import Fleet, HostError, TestHost, why_not

_ON_HOST = {
    "cut": (TestHost.cut, "pull its network cable"),
    "heal": (TestHost.heal, "plug the cable in again"),
    "kill-sshd": (TestHost.kill_sshd, "kill its sshd, listener and sessions"),
    "start-sshd": (TestHost.start_sshd, "start its sshd again"),
    "new-host-key": (TestHost.new_host_key, "give it another ssh host key"),
    "reboot": (TestHost.reboot, "cut its power and give it back"),
    "power-off": (TestHost.power_off, "cut its power"),
    "power-on": (TestHost.power_on, "give it power"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; the return value is the exit code."""
    options = _parser().parse_args(arguments)
    try:
        if options.verb == "up":
            _up(options.name, options.count)
        elif options.verb == "list":
            for fleet in Fleet.all():
                print(fleet.name, len(fleet.hosts), fleet.directory)
        else:
            _on_fleet(Fleet.find(options.name), options)
    except HostError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.hosts", description=__doc__)
    parser.add_argument("--name", default="lab", help="which fleet (default: %(default)s)")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    verbs.add_parser("up", help="make a fleet that stays").add_argument("count", type=int)
    verbs.add_parser("down", help="take the fleet down")
    verbs.add_parser("list", help="name, size and directory of every fleet on this machine")
    verbs.add_parser("lab", help="print the glusto configuration of the fleet")
    shell = verbs.add_parser("sh", help="run a command in a host, or a shell; not through ssh")
    shell.add_argument("--user", default="root")
    shell.add_argument("host")
    shell.add_argument("command", nargs=argparse.REMAINDER)
    for verb, (_, meaning) in _ON_HOST.items():
        verbs.add_parser(verb, help=meaning).add_argument("host")
    return parser


def _up(name: str, count: int) -> None:
    reason = why_not()
    if reason:
        raise HostError(reason)
    if any(fleet.name == name for fleet in Fleet.all()):
        raise HostError(f"a fleet named {name!r} is up already")
    with Fleet(count, name) as fleet:
        lab = fleet.directory / "lab.yml"
        lab.write_text(json.dumps(fleet.lab(), indent=2) + "\n")  # JSON is YAML
        fleet.keep()
        for host in fleet.hosts:
            print(host.name, host.address)
        print(f"configuration: {lab}\nby ssh: ssh -F {fleet.ssh_config} root@{fleet.hosts[0].name}")


def _on_fleet(fleet: Fleet, options: argparse.Namespace) -> None:
    if options.verb == "down":
        fleet.close()
    elif options.verb == "lab":
        print(json.dumps(fleet.lab(), indent=2))
    elif options.verb == "sh":
        command = fleet.host(options.host).enter(options.command or ["bash", "-l"], options.user)
        os.execvp(command[0], command)
    else:
        act, _ = _ON_HOST[options.verb]
        act(fleet.host(options.host))


if __name__ == "__main__":
    sys.exit(main())
