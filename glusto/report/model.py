"""The model of a run: its events put together into tests, hosts, commands, calls; what the page is made of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from glusto.events import Event

UNFINISHED = "unfinished"  # the outcome of a test that the run did not survive


def read_events(filename: str) -> Iterator[Event]:
    """Yield the events of a file; a line that is damaged, as the last of a killed run may be, is passed over."""
    with open(filename, encoding="utf-8", errors="backslashreplace") as file:
        for line in file:
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict) and isinstance(event.get("kind"), str):
                yield event


def read_model(filename: str) -> dict[str, Any]:
    """Return the model of the run whose events a file holds."""
    return Model(read_events(filename)).told()


class Model:
    """Puts events together.

    Commands and calls, of which there may be many, are lists and not dictionaries, and what recurs in them (hosts,
    names of calls) is a number in a table.
    """

    def __init__(self, events: Iterable[Event]) -> None:
        self.run: dict[str, Any] = {}
        self.end: Event | None = None
        self.tests: dict[int, dict[str, Any]] = {}
        self.suites: dict[str, dict[str, Any]] = {}
        self.hosts: dict[str, dict[str, Any]] = {}
        self.commands: dict[int, dict[str, Any]] = {}
        self.transfers: dict[int, dict[str, Any]] = {}
        self.calls: list[list[Any]] = []
        self.cleanups: list[dict[str, Any]] = []
        self._long: dict[tuple[Any, ...], Event] = {}
        self._texts: dict[str, int] = {}
        self._last = 0.0
        for event in events:
            self._last = max(self._last, float(event.get("t", 0)) + float(event.get("seconds") or 0) * _starts(event))
            take = getattr(self, f"_{event['kind']}", None)
            if take is not None:
                take(event)
        for event in self._long.values():
            self._call(event, None)

    def told(self) -> dict[str, Any]:
        """Return all of it as plain data."""
        for test in self.tests.values():
            test.setdefault("outcome", UNFINISHED)
        for host in self.hosts.values():
            host["places"] = sorted(host["places"])
        end = self.end or {}
        return {
            "run": {**self.run, "status": end.get("status"), "exit": end.get("exit"), "killed": self.end is None},
            "seconds": self._last,
            "suites": list(self.suites.values()),
            "tests": list(self.tests.values()),
            "hosts": [{"name": name, **host} for name, host in self.hosts.items()],
            "commands": list(self.commands.values()),
            "transfers": list(self.transfers.values()),
            "calls": self.calls,
            "texts": list(self._texts),
            "cleanups": self.cleanups,
        }

    def _text(self, text: str) -> int:
        return self._texts.setdefault(text, len(self._texts))

    def _place(self, name: str) -> int:
        """Return the number of `user@host`, in the table of texts."""
        host = self._host(name.rpartition("@")[2])
        if name not in host["places"]:
            host["places"].append(name)
        return self._text(name)

    def _host(self, name: str) -> dict[str, Any]:
        return self.hosts.setdefault(name, {"places": [], "opened": [], "troubles": [], "facts": {}})

    # Runs, classes, tests

    def _run_started(self, event: Event) -> None:
        self.run = {name: value for name, value in event.items() if name not in ("kind", "t")}

    def _run_ended(self, event: Event) -> None:
        self.end = event

    def _class_started(self, event: Event) -> None:
        self._suite(event)["t"] = event["t"]

    def _class_ended(self, event: Event) -> None:
        self._suite(event)["end"] = event["t"]

    def _suite(self, event: Event) -> dict[str, Any]:
        return self.suites.setdefault(event["suite"], {"name": event["suite"]})

    def _test_started(self, event: Event) -> None:
        self._suite(event)
        self.tests[event["id"]] = {name: event[name] for name in ("id", "name", "suite", "t")}

    def _test_ended(self, event: Event) -> None:
        known = self.tests.setdefault(event["id"], {"t": event["t"] - event.get("seconds", 0)})
        known.update((name, value) for name, value in event.items() if name not in ("kind", "t"))

    def _fixture_ended(self, event: Event) -> None:
        began = self._suite(event).get("t", event["t"])
        fixture = {name: value for name, value in event.items() if name != "kind"}
        is_setup = event["name"].rpartition(".")[2].startswith("setUp")
        seconds = event["t"] - began if is_setup else 0.0
        self.tests[event["id"]] = {**fixture, "t": event["t"] - seconds, "seconds": seconds, "fixture": True}

    # Hosts

    def _host_connecting(self, event: Event) -> None:
        self._place(event["host"])
        opened = {"place": event["host"], "t": event["t"], "address": event.get("address")}
        self._host(event["host"].rpartition("@")[2])["opened"].append(opened)

    def _opened(self, event: Event) -> dict[str, Any]:
        """Return the attempt that this event ends."""
        attempts: list[dict[str, Any]] = self._host(event["host"].rpartition("@")[2])["opened"]
        return next(one for one in reversed(attempts) if one["place"] == event["host"])

    def _host_connected(self, event: Event) -> None:
        self._opened(event)["seconds"] = event["seconds"]
        facts = self._host(event["host"].rpartition("@")[2])["facts"]
        facts[event["host"]] = event.get("facts", {})

    def _host_failed(self, event: Event) -> None:
        self._opened(event).update(seconds=event["seconds"], error=event["why"])

    def _trouble(self, event: Event) -> None:
        name = str(event.get("host", "")).partition(":")[0]
        trouble = {"kind": event["kind"], "t": event["t"], "place": name, "why": event["why"]}
        self._host(name.rpartition("@")[2])["troubles"].append(trouble)

    _link_lost = _server_lost = _residue = _trouble

    def _cleanup_started(self, event: Event) -> None:
        self.cleanups.append({"t": event["t"], "what": event["what"]})

    def _cleanup_ended(self, event: Event) -> None:
        if self.cleanups:
            self.cleanups[-1]["seconds"] = event["seconds"]

    # What is done on them

    def _started(self, known: dict[int, dict[str, Any]], event: Event) -> None:
        kept = {name: value for name, value in event.items() if name not in ("kind", "host")}
        known[event["id"]] = {**kept, "place": self._place(event["host"])}

    def _ended(self, known: dict[int, dict[str, Any]], event: Event) -> None:
        if event["id"] in known:
            known[event["id"]].update((name, value) for name, value in event.items() if name not in ("kind", "t"))

    def _command_started(self, event: Event) -> None:
        self._started(self.commands, event)

    def _command_ended(self, event: Event) -> None:
        self._ended(self.commands, event)

    def _transfer_started(self, event: Event) -> None:
        self._started(self.transfers, event)

    def _transfer_ended(self, event: Event) -> None:
        self._ended(self.transfers, event)

    def _rpyc_started(self, event: Event) -> None:
        self._long[_key(event)] = event

    def _rpyc(self, event: Event) -> None:
        self._long.pop(_key(event), None)
        self._call(event, event["seconds"])

    def _call(self, event: Event, seconds: float | None) -> None:
        error = self._text(event["error"]) if event.get("error") else -1
        what, place = self._text(event["what"]), self._place(event["host"])
        count, test = event.get("count", 1), event.get("test", 0)
        self.calls.append([event["t"], seconds, place, event["instance"], what, count, error, test])


def _starts(event: Event) -> bool:
    """Whether `t` of an event is when it began, and not when it ended."""
    return str(event["kind"]) == "rpyc"


def _key(event: Event) -> tuple[Any, ...]:
    return event["t"], event["host"], event["instance"]
