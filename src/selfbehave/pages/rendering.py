"""Rendering a page: it asks no network, and its security policy allows its own parts alone."""

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
    """The templates in a package's folder; those in this package can be used from within them.

    Args:
        is_html: whether values are escaped as text of HTML.
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
    """A page that extends `frame.html`.

    Args:
        package: where its files are.
        template: its template.
        style: its style sheet, added to the one of all pages.
        program: its script; None for none.
        values: what the template shows.
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
    """The source of a policy that allows this text, as it stands in its element."""
    digest = hashlib.sha256(f"\n{text}".encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
