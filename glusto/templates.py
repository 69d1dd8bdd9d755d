"""Templates: Jinja2 files rendered to text."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from glusto.errors import ConfigError, GlustoError


def render_template(
    template_filename: str | os.PathLike[str],
    template_vars: Mapping[str, Any] | None = None,
    output_file: str | os.PathLike[str] | None = None,
    searchpath: str | os.PathLike[str] | None = None,
) -> str:
    """Render a Jinja2 template; what it names and isn't given is empty.

    Args:
        template_filename: the template, from the searchpath.
        template_vars: name → value.
        output_file: where the text is written, too.
        searchpath: the directory in which it, and what it includes, is searched. By default that is the working
            directory, and for what it includes, the template's own directory first.

    Returns:
        The text.

    Raises:
        GlustoError: Jinja2 is not installed.
        ConfigError: the template can't be read or rendered, or the text can't be written.
    """
    try:
        import jinja2
    except ImportError:
        raise GlustoError("templates need Jinja2: pip install 'glusto[templates]'") from None

    name = os.path.expanduser(os.fspath(template_filename))
    if searchpath is None:
        directory, name = os.path.split(name)
        folders = [directory or ".", ".", "/"]
    else:
        folders = [os.path.expanduser(os.fspath(searchpath))]
    loader = jinja2.FileSystemLoader(folders)
    environment = jinja2.Environment(loader=loader)  # noqa: S701 - it is text, and seldom HTML
    try:
        text = environment.get_template(name).render(template_vars or {})
    except jinja2.TemplateSyntaxError as error:
        raise ConfigError(str(error.message), error.filename or name, error.lineno) from error
    except jinja2.TemplateNotFound as error:
        problem = f"there is no template {error.name} in {' or '.join(dict.fromkeys(folders))}"
        raise ConfigError(problem, os.fspath(template_filename)) from error
    except (jinja2.TemplateError, OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"can't be rendered: {error}", os.fspath(template_filename)) from error
    if output_file is not None:
        _write(os.path.expanduser(os.fspath(output_file)), text)
    return text


def _write(name: str, text: str) -> None:
    try:
        with open(name, "w", encoding="utf-8", newline="") as file:
            file.write(text)
    except (OSError, ValueError) as error:
        raise ConfigError(f"can't be written: {getattr(error, 'strerror', None) or error}", name) from error
