"""Fields of settings records: each has a default and a help text, and becomes an option."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Any

__all__ = ["option"]


def option(default: Any, help: str, choices: Sequence[str] = ()) -> Any:
    """A field of a settings record (a dataclass with keyword fields).

    The command line makes an option of it, the documentation a row of its table.

    Args:
        help: what it is for, with its unit, in a phrase.
        choices: the only values allowed.
    """
    return field(default=default, metadata={"help": help, "choices": tuple(choices)})
