"""Fields of JSON objects, checked where they are read.

A wrong field is a ValueError that names it; the reader of the file adds file and line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["object_field", "text_field", "typed_field"]


def typed_field(row: Mapping[str, Any], name: str, kind: type, meaning: str) -> Any:
    """A field's value, which must be of a kind.

    Args:
        meaning: the kind in the user's words, such as "true or false".

    Raises:
        ValueError: the field is missing, or its value is of another kind.
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
    """A field's object; an empty one where the field is missing or null, as other tools leave it.

    Raises:
        ValueError: the field holds something else.
    """
    value = row.get(name) or {}
    if not isinstance(value, dict):
        raise ValueError(f"field '{name}' must be an object, not {type(value).__name__}")
    return value
