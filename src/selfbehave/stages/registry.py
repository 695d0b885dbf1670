"""The stages of a run, in order: those built in, and those of installed packages.

A package adds a stage by an entry point of the group `selfbehave.stages` that leads to a `Stage`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from ..core.errors import SelfBehaveError
from .base import Stage
from .bootstrap import BOOTSTRAP
from .classify import CLASSIFY
from .instances import INSTANCES
from .prepare import PREPARE

__all__ = ["BUILT_IN", "GROUP", "all_stages", "in_order", "stage_named"]

BUILT_IN: tuple[Stage[Any], ...] = (
    BOOTSTRAP,
    CLASSIFY,
    INSTANCES,
    PREPARE,
)
GROUP = "selfbehave.stages"


@cache
def all_stages() -> tuple[Stage[Any], ...]:
    """Every stage, in the order of a run.

    Raises:
        SelfBehaveError: a package's stage cannot be loaded or has no place in a run.
    """
    return in_order(BUILT_IN, [(_loaded(point), _origin(point)) for point in _points()])


def stage_named(name: str) -> Stage[Any]:
    """The stage of a name.

    Raises:
        SelfBehaveError: there is none.
    """
    for stage in all_stages():
        if stage.name == name:
            return stage
    names = ", ".join(stage.name for stage in all_stages())
    raise SelfBehaveError(f"there is no stage '{name}'", mend=f"give one of {names}")


def in_order(
    built_in: Iterable[Stage[Any]], added: Iterable[tuple[Stage[Any], str]]
) -> tuple[Stage[Any], ...]:
    """Stages in the order of a run: each added one behind the stage that it names.

    Args:
        added: further stages, each with the name of the package that it comes from.

    Raises:
        SelfBehaveError: two have one name, one is to follow a stage that is not there, or one
            reads a file that no stage before it writes.
    """
    stages = list(built_in)
    for stage, origin in added:
        names = [one.name for one in stages]
        if stage.name in names:
            raise _refused(stage, origin, "there is a stage of that name already")
        if stage.after is not None and stage.after not in names:
            raise _refused(stage, origin, f"it follows '{stage.after}', which is no stage")
        place = len(stages) if stage.after is None else names.index(stage.after) + 1
        written = {file for before in stages[:place] for file in before.writes}
        if missing := [file for file in stage.reads if file not in written]:
            raise _refused(stage, origin, f"no stage before it writes {', '.join(missing)}")
        stages.insert(place, stage)
    return tuple(stages)


def _points() -> Sequence[EntryPoint]:
    return sorted(entry_points(group=GROUP), key=lambda point: (_origin(point), point.name))


def _origin(point: EntryPoint) -> str:
    return point.dist.name if point.dist else point.value


def _loaded(point: EntryPoint) -> Stage[Any]:
    try:
        stage = point.load()
    except (ImportError, AttributeError) as error:
        raise SelfBehaveError(
            f"the stage '{point.name}' of the package {_origin(point)} cannot be loaded: {error}",
            mend="repair the package, or uninstall it",
        ) from error
    if not isinstance(stage, Stage):
        raise SelfBehaveError(
            f"the entry point '{point.name}' of the package {_origin(point)} leads to "
            f"{type(stage).__name__}, not to a Stage",
            mend="repair the package, or uninstall it",
        )
    return stage


def _refused(stage: Stage[Any], origin: str, why: str) -> SelfBehaveError:
    return SelfBehaveError(
        f"the stage '{stage.name}' of the package {origin} has no place in a run: {why}",
        mend="repair the package, or uninstall it",
    )
