"""What the test hosts raise."""


class HostError(RuntimeError):
    """A test host, or the fleet it belongs to, did not do what was asked; the message names the host."""
