"""How Sphinx builds the documentation: `make docs`."""

import importlib.metadata
import re

from sphinx.application import Sphinx

project = "Glusto"
author = "The Glusto authors"
copyright = "The Glusto authors"
release = version = importlib.metadata.version("glusto")

extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["*-table.rst"]  # parts of other pages
html_theme = "furo"
html_title = "Glusto"

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True


def mark_code(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Make the `code` of docstrings the ``code`` of reStructuredText, before napoleon looks for colons."""
    lines[:] = [line if ">>>" in line else re.sub(r"(?<![`:])`([^`]+)`(?!`)", r"``\1``", line) for line in lines]


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", mark_code, priority=400)
