"""The agent: one single-threaded loop that serves, stops, runs and reports, and cleans up when it ends.

It ends when its input does, at SIGTERM or SIGHUP, or when the controller has been silent for too long;
before it goes, the deployed server, the running commands and the private directory go.
"""

import _signal as signal
import marshal
import os
import sys
import time

from . import directory, processes, server
from .command import Command
from .deployed import Deployed
from .frames import Decoder, FrameError, answer_head
from .identity import identity
from .outbox import Outbox
from .poller import Poller
from .tunnel import Tunnel
from .warden import Warden

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HIGH_WATER = 1 << 19  # bytes on their way out past which commands' output has to wait
READ_SIZE = 1 << 19


class Agent(Poller):
    """The loop. Everything it waits for is a descriptor or a time."""

    def __init__(self, token: str, settings: "dict[str, Any]") -> None:
        super().__init__()
        self.token = token
        self.label = str(settings["label"])
        self.keep_residue = bool(settings["keep_residue"])
        self.silence = float(settings["dead_man_seconds"])
        self.heard = time.monotonic()
        self.input, self.output = os.dup(0), os.dup(1)
        self.wake_up, wake = os.pipe()
        with open(os.devnull, "r+b", buffering=0) as null:
            os.dup2(null.fileno(), 0)
        os.dup2(2, 1)
        for descriptor in (self.output, self.wake_up, wake):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(wake)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda number, frame: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.watch(self.input, self.read_input)
        self.watch(self.wake_up, self.read_signals)
        self.outbox = Outbox()
        self.decoder = Decoder(marshal.loads)
        self.timers: dict[int, tuple[float, Any]] = {}
        self.channels: dict[int, Any] = {}
        self.commands: dict[int, Command] = {}
        self.deployed: "Deployed | None" = None
        self.warden: "Warden | None" = None
        self.kept: "set[int]" = set()
        self.ending = False

    # What the loop waits for

    def later(self, number: int, seconds: float, callback: object) -> None:
        """Call back for a channel after so many seconds, unless it is dropped before."""
        self.timers[number] = (time.monotonic() + seconds, callback)

    def drop(self, number: int) -> bool:
        """Forget a channel that is over; False when it was over already."""
        self.timers.pop(number, None)
        return self.channels.pop(number, None) is not None

    def loop(self) -> None:
        """Run until it is time to end."""
        while not self.ending:
            now = time.monotonic()
            if now - self.heard > self.silence:
                return
            wait = min([self.heard + self.silence] + [due for due, _ in self.timers.values()]) - now
            self.wait(wait)
            now = time.monotonic()
            for number, (due, callback) in list(self.timers.items()):
                if due <= now:
                    del self.timers[number]
                    callback()

    def read_signals(self, descriptor: int) -> None:
        numbers = os.read(descriptor, 512)
        if signal.SIGTERM in numbers or signal.SIGHUP in numbers:
            self.ending = True
        self.bury()

    def bury(self) -> None:
        """Take note of the children that have ended."""
        for pid, status in processes.ended_children():
            command = self.commands.get(pid)
            if command is not None:
                command.ended(status)
            elif self.deployed is not None and pid == self.deployed.pid:
                self.send(dict(self.clean(), op="exited", status=status))

    # Frames

    def send(self, header: "dict[str, object]", body: bytes = b"") -> None:
        blocked = self.outbox.size > 0
        self.outbox.put(answer_head(header, len(body)), body)
        if not blocked:
            self.flush(self.output)

    def flush(self, descriptor: int) -> None:
        """Write what waits to go out; mind whether the sources have to wait."""
        try:
            self.outbox.write(descriptor)
        except OSError:
            self.ending = True
            self.outbox.clear()
        if self.outbox.size:
            self.watch(descriptor, self.flush, writing=True)
        else:
            self.unwatch(descriptor)
        self.hold(self.outbox.size > HIGH_WATER)

    def read_input(self, descriptor: int) -> None:
        data = os.read(descriptor, READ_SIZE)
        if not data:
            self.ending = True
            return
        self.heard = time.monotonic()
        self.take(data)

    def take(self, data: bytes) -> None:
        try:
            for header, body in self.decoder.feed(data):
                self.handle(header, body)
        except FrameError as error:
            self.send({"op": "confused", "reason": str(error)})
            self.ending = True

    def handle(self, header: "dict[str, Any]", body: bytes) -> None:
        """Do what one frame asks; a request that can't be done is answered with `error`."""
        number = header.get("id")
        try:
            verb = {
                "ping": self.ping,
                "serve": self.serve,
                "stop": self.stop,
                "run": self.run,
                "dial": self.dial,
                "input": self.give_input,
                "taken": self.taken,
                "kill": self.kill,
                "end": self.end,
                "survey": self.survey,
            }[header["op"]]
            verb(header, body)
        except Exception as error:
            self.send({"id": number, "error": f"{type(error).__name__}: {error}"})

    def ping(self, header: "dict[str, Any]", body: bytes) -> None:
        """Answer, once it is told what has ended before, and what was printed is on its way."""
        self.bury()
        if self.deployed is not None:
            self.deployed.drain()
        self.send({"id": header["id"], "ok": {"time": time.time()}})

    def serve(self, header: "dict[str, Any]", body: bytes) -> None:
        """Start the deployed server, unless it runs."""
        if self.deployed is None:
            self.deployed = Deployed(self)
        answer = {"pid": self.deployed.pid, "socket": self.deployed.directory.socket}
        self.send({"id": header["id"], "ok": answer})

    def stop(self, header: "dict[str, Any]", body: bytes) -> None:
        report = self.clean()
        self.send({"id": header["id"], "ok": report})

    def run(self, header: "dict[str, Any]", body: bytes) -> None:
        number = int(header["id"])
        command = Command(self, number, header)
        self.channels[number] = self.commands[command.pid] = command

    def dial(self, header: "dict[str, Any]", body: bytes) -> None:
        """Open a connection to the deployed server that goes through frames."""
        if self.deployed is None:
            raise RuntimeError("no server is deployed")
        number = int(header["id"])
        self.channels[number] = Tunnel(self, number, self.deployed.directory.socket)

    def give_input(self, header: "dict[str, Any]", body: bytes) -> None:
        channel = self.channels.get(header["id"])
        if channel is not None:
            channel.give_input(body)

    def taken(self, header: "dict[str, Any]", body: bytes) -> None:
        channel = self.channels.get(header["id"])
        if channel is not None:
            channel.acknowledge(header["count"])

    def kill(self, header: "dict[str, Any]", body: bytes) -> None:
        channel = self.channels.get(header["id"])
        if channel is not None:
            channel.kill("kill")

    def survey(self, header: "dict[str, Any]", body: bytes) -> None:
        """Answer with what a function of agent/survey.py, which comes along, says."""
        module = {"__name__": "glusto_agent.survey", "__package__": "glusto_agent"}
        exec(compile(body, "<glusto>/survey", "exec"), module)  # noqa: S102 - it comes from where this came from
        place = directory.places()[0] if self.deployed is None else os.path.dirname(self.deployed.directory.path)
        self.send({"id": header["id"], "ok": module[header["what"]](place)})  # type: ignore[operator]

    def end(self, header: "dict[str, Any]", body: bytes) -> None:
        """Clean up, say what was found, and end."""
        self.kill_all()
        self.send({"id": header["id"], "ok": self.clean()})
        self.ending = True

    def kill_all(self) -> None:
        """End the commands and the tunnels."""
        for channel in list(self.channels.values()):
            channel.kill("end")

    def guard(self, group: int) -> None:
        """Have a command's process group ended whatever becomes of the agent."""
        if self.warden is None:
            self.warden = Warden(self.label)
        self.warden.guard(group)

    def release(self, group: int) -> None:
        """A command is over."""
        self.commands.pop(group, None)
        if self.warden is not None:
            self.warden.forget(group)

    def clean(self) -> "dict[str, object]":
        """Stop the deployed server if there is one; what `Deployed.stop` returns."""
        deployed, self.deployed = self.deployed, None
        return deployed.stop() if deployed is not None else {"residue": [], "alive": [], "left": ""}

    def close(self) -> None:
        """Leave nothing: no command, no server, no directory; then say the last words."""
        self.kill_all()
        self.clean()
        if self.warden is not None:
            self.warden.dismiss()
        os.set_blocking(self.output, True)
        signal.signal(signal.SIGALRM, lambda *_: os._exit(1))
        signal.alarm(5)  # nobody may be reading any more
        while self.outbox.size:
            self.flush(self.output)

    def hello(self, replaces: "list[str]", sweep: bool) -> "dict[str, object]":
        """Return the first frame: who and what this host is, and what was left of agents before this one.

        `replaces` are the tokens of links that the controller has lost: what still runs of them is ended.
        """
        return {
            "op": "hello",
            **identity(),
            "time": time.time(),
            "alive": [processes.describe(pid) for token in replaces for pid in processes.evict(token)],
            "swept": directory.sweep() if sweep else [],
        }


def main(token: str, settings: bytes, early: bytes) -> None:
    """Run the agent to its end, and the process with it.

    `settings` are marshalled; `early` are frames that have come already.
    """
    status = 1
    try:
        told = marshal.loads(settings)
        agent = Agent(token, told)
        processes.rename("glusto-agent " + agent.label)
        agent.send(agent.hello(told["replaces"], told["sweep"]))
        agent.take(early)
        server.preload()
        try:
            agent.loop()
        finally:
            agent.close()
        status = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)
