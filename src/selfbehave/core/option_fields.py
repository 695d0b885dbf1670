"""Fields of settings records: each has a default and a help text, and becomes an option."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import field, fields
from typing import Any

from .errors import SelfBehaveError

__all__ = ["at_least", "names_with", "option", "same_option"]


def option(
    default: Any,
    help: str,
    choices: Collection[str] = (),
    *,
    is_required: bool = False,
    is_repeatable: bool = False,
    may_grow: bool = False,
    may_change: bool = False,
) -> Any:
    """A field of a settings record (a dataclass with keyword fields).

    It becomes an option of the command line, a row of the documentation's table, and an entry in
    `run.toml`.

    Args:
        help: what it is for, with its unit, in a phrase.
        choices: the only values allowed.
        is_required: the command line demands it.
        is_repeatable: the option may be given several times; its values are joined by commas.
        may_grow: a folder made with one value may continue with a higher one: the field says how
            many, and a finished run's files are a prefix of a larger run's.
        may_change: a folder made with one value may continue with any other: the field says where
            or how fast, not what.
    """
    metadata = {
        "help": help,
        "choices": choices,
        "is_required": is_required,
        "is_repeatable": is_repeatable,
        "may_grow": may_grow,
        "may_change": may_change,
    }
    return field(default=default, metadata=metadata)


def same_option(record: type[Any], name: str) -> Any:
    """Copy a field of another settings record, with its default, help text and traits."""
    (found,) = (one for one in fields(record) if one.name == name)
    return field(default=found.default, metadata=found.metadata)


def names_with(trait: str, *records: type[Any]) -> Collection[str]:
    """The names of settings records' fields that have a trait, such as "may_grow"."""
    return frozenset(
        one.name for record in records for one in fields(record) if one.metadata.get(trait)
    )


def at_least(least: int, settings: Any, *names: str) -> None:
    """Refuse settings with a number that is too low; None stands for a default.

    Raises:
        SelfBehaveError: one of the named settings is lower than `least`.
    """
    for name in names:
        value = getattr(settings, name)
        if value is not None and value < least:
            raise SelfBehaveError(f"--{name} must be at least {least}, not {value}")
