"""What runs on a host: sent there over the link and imported from memory, never installed.

Only the standard library, and only what Python 3.6 has. The controller imports `frames` and `trees`
from here too, so that both ends of a link speak through the same code. Annotations are strings, because
importing `typing` would cost every host some milliseconds.
"""
