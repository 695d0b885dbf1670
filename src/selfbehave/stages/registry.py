"""The stages of a run, in order: those built in, and those of installed packages.

A package adds a stage by an entry point of the group `selfbehave.stages` that names a `Stage`.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from ..core.extensions import STAGES, Extension, extension_names, find_extension
from .base import Stage
from .bootstrap import BOOTSTRAP
from .classify import CLASSIFY
from .instances import INSTANCES
from .judge import JUDGE
from .prepare import PREPARE

__all__ = ["BUILT_IN", "all_stages", "in_order"]

BUILT_IN: tuple[Stage[Any], ...] = (
    BOOTSTRAP,
    CLASSIFY,
    INSTANCES,
    JUDGE,
    PREPARE,
)


def all_stages() -> tuple[Stage[Any], ...]:
    """Every stage, in the order of a run.

    Raises:
        SelfBehaveError: a package's stage cannot be loaded or has no place in a run.
    """
    return _with_added(tuple(extension_names(STAGES)))


def in_order(extensions: Iterable[Extension]) -> tuple[Stage[Any], ...]:
    """The stages in the order of a run: each added stage follows the stage that it names.

    Raises:
        SelfBehaveError: a package adds something that is not a stage, repeats the name of another
            one, names a missing stage to follow, or reads a file that no earlier stage writes.
    """
    stages = list(BUILT_IN)
    for extension in extensions:
        stage = extension.load()
        names = [one.name for one in stages]
        if not isinstance(stage, Stage):
            raise extension.broken(f"it names a {type(stage).__name__}, not a Stage")
        if stage.name in names:
            raise extension.broken(f"the stage '{stage.name}' already exists")
        if stage.after is not None and stage.after not in names:
            raise extension.broken(f"it follows the unknown stage '{stage.after}'")
        place = len(stages) if stage.after is None else names.index(stage.after) + 1
        written = {file for before in stages[:place] for file in before.writes}
        if missing := [file for file in stage.reads if file not in written]:
            raise extension.broken(f"no stage before it writes {', '.join(missing)}")
        stages.insert(place, stage)
    return tuple(stages)


@cache
def _with_added(names: tuple[str, ...]) -> tuple[Stage[Any], ...]:
    return in_order(filter(None, (find_extension(STAGES, name) for name in names)))
