"""Fields of JSON objects, checked when they are read.

A wrong field raises a ValueError that names it. The reader of the file adds file and line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["object_field", "text_field", "typed_field"]


def typed_field(row: Mapping[str, Any], name: str, kind: type, meaning: str) -> Any:
    """A field's value, which must have a given type.

    Args:
        meaning: the type in the user's words, such as "true or false".

    Raises:
        ValueError: the field is missing, or its value has another type.
    """
    if name not in row:
        raise ValueError(f"field '{name}' is missing")
    if not isinstance(row[name], kind):
        raise ValueError(f"field '{name}' must be {meaning}, not {type(row[name]).__name__}")
    return row[name]


def text_field(row: Mapping[str, Any], name: str) -> str:
    """A field's text.

    Raises:
        ValueError: the field is missing, or holds something else.
    """
    text: str = typed_field(row, name, str, "a text")
    return text


def object_field(row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A field's object; an empty one if other tools left the field out or set it to null.

    Raises:
        ValueError: the field holds something else.
    """
    value = row.get(name) or {}
    if not isinstance(value, dict):
        raise ValueError(f"field '{name}' must be an object, not {type(value).__name__}")
    return value
