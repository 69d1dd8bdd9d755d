"""The address that tests of old import from: `from glusto.core import Glusto as g`."""

from glusto.harness import Harness, g

Glusto = g

__all__ = ["Glusto", "Harness", "g"]
