"""What the agent waits for: descriptors, and the sources among them that wait when it is behind."""

import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Poller:
    """Calls back with a descriptor whenever it is ready."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._callbacks: "dict[int, Any]" = {}
        self._sources: "set[int]" = set()
        self._held = False

    def watch(self, descriptor: int, callback: object, writing: bool = False) -> None:
        """Watch a descriptor, unless it is watched already."""
        if descriptor not in self._callbacks:
            self._callbacks[descriptor] = callback
            self._poll.register(descriptor, select.POLLOUT if writing else select.POLLIN)

    def watch_source(self, descriptor: int, callback: object) -> None:
        """Like `watch`, for output to be sent on: it waits while the sources are held."""
        if descriptor in self._callbacks:
            return
        self._sources.add(descriptor)
        self._callbacks[descriptor] = callback
        if not self._held:
            self._poll.register(descriptor, select.POLLIN)

    def unwatch(self, descriptor: int) -> None:
        if self._callbacks.pop(descriptor, None) is None:
            return
        if not (self._held and descriptor in self._sources):
            self._poll.unregister(descriptor)
        self._sources.discard(descriptor)

    def hold(self, held: bool) -> None:
        """Let the sources wait, or have them go on."""
        if held == self._held:
            return
        self._held = held
        for descriptor in self._sources:
            if held:
                self._poll.unregister(descriptor)
            else:
                self._poll.register(descriptor, select.POLLIN)

    def wait(self, seconds: float) -> None:
        """Wait for what is ready, and call back."""
        for descriptor, _ in self._poll.poll(max(seconds, 0) * 1000 + 1):
            if self._held and descriptor in self._sources:
                continue
            callback = self._callbacks.get(descriptor)
            if callback is not None:  # not closed by the one before it
                callback(descriptor)
