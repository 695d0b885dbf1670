"""Render pages that need no network; their security policy allows only their own content."""

from __future__ import annotations

import base64
import hashlib
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

__all__ = ["render_page", "templates_of"]


def templates_of(package: str, *, is_html: bool) -> Environment:
    """Load the templates in a package's folder; they can also use those of this package.

    Args:
        is_html: whether to escape values for HTML.
    """
    return Environment(
        loader=ChoiceLoader([PackageLoader(package, "."), PackageLoader(__package__, ".")]),
        autoescape=is_html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=not is_html,
    )


def render_page(
    package: str,
    template: str,
    *,
    style: str,
    program: str | None = None,
    **values: Any,
) -> str:
    """Render a page that extends `frame.html`.

    Args:
        package: the package that contains its files.
        template: its template.
        style: its style sheet, in addition to the shared one.
        program: its script, or None.
        values: the values for the template.
    """
    css = _file(__package__, "frame.css") + _file(package, style)
    script = None if program is None else _file(package, program)
    policy = f"default-src 'none'; style-src {_digest(css)}; "
    if script is not None:
        policy += f"script-src {_digest(script)}; "
    return (
        templates_of(package, is_html=True)
        .get_template(template)
        .render(
            style=Markup(css),
            program=None if script is None else Markup(script),
            policy=f"{policy}base-uri 'none'; form-action 'none'",
            version=version("selfbehave"),
            **values,
        )
    )


def _file(package: str, name: str) -> str:
    return (files(package) / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """Return the policy source that allows this text as the content of its element."""
    digest = hashlib.sha256(f"\n{text}".encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
