"""Measurements, side by side with what else could be used: `python -m benchmarks --help`, or `make bench`.

A family of rows a module, each with `HOSTS`, how many test hosts it wants, and `measure`, which yields the rows.
The contenders of a row take turns, round by round, on hosts that are made for it, and a row's ratio is the
median of the ratios within each round: whatever slows the machine down slows both sides of a pair.
"""
