"""Highlight Gherkin and Python as HTML; all text is escaped."""

from __future__ import annotations

from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers.python import PythonLexer
from pygments.lexers.testing import GherkinLexer

__all__ = ["MAX_HIGHLIGHTED_CHARACTERS", "gherkin", "python"]

# Longer texts are not highlighted, because a lexer's time may grow faster than its input.
MAX_HIGHLIGHTED_CHARACTERS = 10_000

_FORMATTER = HtmlFormatter(nowrap=True)
_KEEP = {"stripnl": False, "ensurenl": False}


def gherkin(text: str) -> Markup:
    """Return a scenario as HTML for a `pre` element."""
    return _highlighted(text, GherkinLexer(**_KEEP))


def python(text: str) -> Markup:
    """Return Python code as HTML for a `pre` element."""
    return _highlighted(text, PythonLexer(**_KEEP))


def _highlighted(text: str, lexer: Lexer) -> Markup:
    if len(text) > MAX_HIGHLIGHTED_CHARACTERS:
        html: str = escape(text)
    else:
        html = highlight(text, lexer, _FORMATTER)
    # The formatter's elements never span lines. Each line gets its own element, so that CSS can
    # indent wrapped lines.
    lines = html.removesuffix("\n").split("\n")
    return Markup("").join(
        Markup('<span class="line">{}\n</span>').format(Markup(line)) for line in lines
    )
