"""`python -m glusto`."""

import sys

from glusto.cli import main

sys.exit(main())
