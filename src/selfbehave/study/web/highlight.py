"""Gherkin and Python as highlighted HTML, every character of the text escaped."""

from __future__ import annotations

from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers.python import PythonLexer
from pygments.lexers.testing import GherkinLexer

__all__ = ["MAX_HIGHLIGHTED_CHARACTERS", "gherkin", "python"]

# Longer texts are shown without colours: a lexer's time may grow faster than its text.
MAX_HIGHLIGHTED_CHARACTERS = 10_000

_FORMATTER = HtmlFormatter(nowrap=True)
_KEEP = {"stripnl": False, "ensurenl": False}


def gherkin(text: str) -> Markup:
    """A scenario as HTML to stand in a `pre` element."""
    return _highlighted(text, GherkinLexer(**_KEEP))


def python(text: str) -> Markup:
    """Python as HTML to stand in a `pre` element."""
    return _highlighted(text, PythonLexer(**_KEEP))


def _highlighted(text: str, lexer: Lexer) -> Markup:
    if len(text) > MAX_HIGHLIGHTED_CHARACTERS:
        html: str = escape(text)
    else:
        html = highlight(text, lexer, _FORMATTER)
    # No element of the formatter's goes over a line's end. Each line is one of its own, so that
    # what is wrapped can be indented.
    lines = html.removesuffix("\n").split("\n")
    return Markup("").join(
        Markup('<span class="line">{}\n</span>').format(Markup(line)) for line in lines
    )
