"""Faults: what goes wrong in a lab, each on test hosts, and what is left a moment later.

Each test of the matrix is a row of docs/faults-table.rst, which `make faults` writes from a run of them.
"""
