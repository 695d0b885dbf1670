"""The engines of an evaluation, as they are given: `ENGINE` or `NAME=ENGINE`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..core.errors import EXIT_USAGE, SelfBehaveError
from ..engines.base import Engine
from ..engines.settings import EngineSettings

__all__ = ["NamedEngine", "named_engines"]

# A name has no slash, colon or question mark, as an address with an equals sign has before it.
_NAMED = re.compile(r"(?P<name>[\w .@+-]+)=(?P<engine>.+)", re.S)


@dataclass(frozen=True)
class NamedEngine:
    """An engine, or settings that name one, and what it is called side by side with others."""

    name: str
    engine: EngineSettings | Engine


def named_engines(given: Sequence[str], common: EngineSettings) -> list[NamedEngine]:
    """The engines of a command line.

    Args:
        given: each as `ENGINE` or `NAME=ENGINE`.
        common: the other settings of all of them.

    Raises:
        SelfBehaveError: two have the same name.
    """
    found = [_named(one, common) for one in given]
    names = [one.name for one in found]
    for name in names:
        if names.count(name) > 1:
            raise SelfBehaveError(
                f"two engines are named {name!r}",
                mend="name one: --engine NAME=ENGINE",
                exit_code=EXIT_USAGE,
            )
    return found


def _named(given: str, common: EngineSettings) -> NamedEngine:
    match = None if Path(given).exists() else _NAMED.fullmatch(given)
    if match is not None:
        return NamedEngine(match["name"], replace(common, engine=match["engine"]))
    is_address = given.startswith(("http://", "https://"))
    name = common.model if is_address and common.model else given
    return NamedEngine(name, replace(common, engine=given))
