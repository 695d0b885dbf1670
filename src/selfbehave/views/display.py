"""A reporter whose listeners are views."""

from __future__ import annotations

from rich.console import Console

from ..events.reporter import Reporter
from .base import View
from .lines import Lines
from .live import LivePicture

__all__ = ["Display", "console_view"]


def console_view(console: Console | None = None) -> View:
    """The view that suits a console: a live picture on a terminal, lines elsewhere.

    Args:
        console: by default, standard output.
    """
    console = console or Console(highlight=False)
    return LivePicture(console) if console.is_terminal else Lines(console)


class Display(Reporter):
    """Passes the events of a run to views, in order.

    Args:
        views: show the events; by default the one that suits standard output.
    """

    def __init__(self, *views: View) -> None:
        super().__init__(*(view.show for view in views or (console_view(),)))
