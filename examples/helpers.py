"""What test_connections.py defines on a host."""


def average(numbers):
    return sum(numbers) / len(numbers)
