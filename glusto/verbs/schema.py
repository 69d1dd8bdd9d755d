"""Print the JSON Schema of a config.

Editors complete and check YAML by it, when the file says on its first line:
# yaml-language-server: $schema=lab.schema.json
"""

from __future__ import annotations

import argparse
import sys

from glusto.lab_schema import lab_schema
from glusto.store import format_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It takes none."""


def main(options: argparse.Namespace) -> int:
    """Print it."""
    sys.stdout.write(format_json(lab_schema()))
    return 0
