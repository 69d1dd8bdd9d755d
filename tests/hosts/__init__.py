"""Real hosts on one Linux machine, for tests and for trying things out by hand.

Each host has an address, a hostname, processes, a filesystem and an OpenSSH server of its own, with the
accounts root, george and alexander. They are made of namespaces by root, within a second or two, and
leave no trace.

What a host sees of the machine is its root filesystem (so the same programs are installed) as it was,
with /root, /home, /tmp, /var/tmp, /run and /etc/ssh empty at first, and without this project's directory.
Below /opt/pythons are the Python versions of root's pyenv, if there is one (`Fleet.pythons`).

By hand: ``python -m tests.hosts --help``.
"""

from .errors import HostError
from .fleet import Fleet
from .host import Process, TestHost
from .permission import why_not

__all__ = ["Fleet", "HostError", "Process", "TestHost", "why_not"]
