"""Command-line options made from settings records, and settings records made from options."""

from __future__ import annotations

import argparse
import typing
from collections.abc import Collection
from dataclasses import fields
from types import NoneType
from typing import Any, TypeVar

__all__ = ["add_options", "settings_of"]

Settings = TypeVar("Settings")


def add_options(
    parser: argparse.ArgumentParser, record: type[Any], besides: Collection[str] = ()
) -> None:
    """Give a parser an option for each field of a settings record.

    Args:
        besides: names of fields that need no option of their own.
    """
    types = typing.get_type_hints(record)
    for field in fields(record):
        if field.name in besides:
            continue
        kind = types[field.name]
        option: dict[str, Any] = {"help": field.metadata["help"], "default": field.default}
        if kind is bool:
            option["action"] = "store_true"
        else:
            option["choices"] = field.metadata["choices"] or None
            if field.metadata["is_repeatable"]:
                option["action"] = _Joined
            if kind == tuple[str, ...]:
                option["nargs"] = "+"
            else:
                option["type"] = next(
                    (one for one in typing.get_args(kind) if one is not NoneType), kind
                )
            if field.metadata["is_required"]:
                option |= {"required": True, "default": argparse.SUPPRESS}
            elif field.default in (None, ()):
                option["default"] = argparse.SUPPRESS  # its help text explains the default
        parser.add_argument(f"--{field.name}", **option)


def settings_of(record: type[Settings], options: argparse.Namespace) -> Settings:
    """Make a settings record from the options given for its fields."""
    given = vars(options)
    values = {
        field.name: given[field.name]
        for field in fields(record)  # type: ignore[arg-type]
        if field.name in given
    }
    return record(
        **{
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()
        }
    )


class _Joined(argparse.Action):
    """An option that may be given several times: its values are joined by commas."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        given = f"given_{self.dest}"
        joined = [*getattr(namespace, given, []), values]
        setattr(namespace, given, joined)
        setattr(namespace, self.dest, ",".join(joined))
