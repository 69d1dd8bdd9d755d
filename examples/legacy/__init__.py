"""A suite as it was written for Glusto on Python 2, unchanged but for what Python 3 itself asks."""
