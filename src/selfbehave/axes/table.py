"""The table of axes: systems in groups, kinds of rules, their outcomes, and weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from .formulas import Formula

__all__ = [
    "AXIS_NAMES",
    "DIFFICULTIES",
    "Axes",
    "Feature",
    "Kind",
    "Outcome",
    "Setting",
    "axis_values",
    "without_excluded",
]

AXIS_NAMES = ("group", "system", "kind", "outcome", "feature", "difficulty")
DIFFICULTIES = ("easy", "medium", "hard")


def axis_values(instruction_metadata: Mapping[str, Any]) -> dict[str, str]:
    """The value of each axis that an instruction was asked for with; empty if it was not."""
    axes = instruction_metadata.get("axes")
    if not isinstance(axes, dict):
        return {}
    return {name: str(axes[name]) for name in AXIS_NAMES if name in axes}


class Feature(StrEnum):
    """The part of Gherkin that a scenario is to use."""

    PLAIN = "plain"
    TABLE = "table"
    OUTLINE = "outline"
    BACKGROUND = "background"
    RULE = "rule"
    DOC_STRING = "doc_string"


@dataclass(frozen=True)
class Setting:
    """A system in which a kind of rule makes sense.

    Attributes:
        system: such as "public library".
        words: of the system, by the names that the kind's texts have for them in braces.
    """

    system: str
    words: Mapping[str, str]


@dataclass(frozen=True)
class Outcome:
    """On which side of its rule the values of a kind fall.

    Attributes:
        name: such as "accepted", "boundary" or "several".
        values: formulas that stand in place of the kind's own.
        holds: what must be true of the values; None if anything may.
    """

    name: str
    values: Mapping[str, Formula]
    holds: Formula | None


@dataclass(frozen=True)
class Kind:
    """A kind of rule.

    Attributes:
        name: of the kind.
        rule: as a sentence that names its quantities; settings' words stand in braces.
        difficulty: of its step functions.
        settings: where it makes sense.
        given, when, then: full names of the quantities, by their names in formulas. Only the
            outcome `several` states more than the first of `then`.
        values: how each quantity is drawn or follows, by its name in formulas.
        outcomes: on which sides of the rule its values can fall.
        features: the parts of Gherkin that suit it.
        table: the heads of a table that holds the named rows of Given; empty where there is none.
            The first head is of the names.
        doc_string: the quantity that a doc string can hold; "" if none.
        says: of each, at least one part (parts are separated by "|") must stand in Given.
        in_words: how the outcome follows, where no formula of a few numbers says it; else "".
    """

    name: str
    rule: str
    difficulty: str
    settings: tuple[Setting, ...]
    given: Mapping[str, str]
    when: Mapping[str, str]
    then: Mapping[str, str]
    values: Mapping[str, Formula]
    outcomes: tuple[Outcome, ...]
    features: tuple[Feature, ...]
    table: tuple[str, ...] = ()
    doc_string: str = ""
    says: tuple[str, ...] = ()
    in_words: str = ""


@dataclass(frozen=True)
class Axes:
    """A table of axes.

    Attributes:
        group_of: each system's group.
        kinds: of rules, each with at least one setting.
        weights: by axis, then by value: how often a value is drawn in relation to the others of
            its axis. 0 excludes it, and what is not named has 1.
        sha256: of the text that it was read from, and of the packaged one if it extends that.
    """

    group_of: Mapping[str, str]
    kinds: tuple[Kind, ...]
    weights: Mapping[str, Mapping[str, float]]
    sha256: str = ""

    def weight(self, axis: str, value: str) -> float:
        """How often a value is drawn in relation to the others of its axis."""
        return self.weights.get(axis, {}).get(value, 1.0)

    def values_of(self, axis: str) -> tuple[str, ...]:
        """All values of an axis that its kinds have, in the order of the table."""
        of_axis: Iterable[str]
        match axis:
            case "kind":
                of_axis = (kind.name for kind in self.kinds)
            case "difficulty":
                of_axis = (kind.difficulty for kind in self.kinds)
            case "outcome":
                of_axis = (outcome.name for kind in self.kinds for outcome in kind.outcomes)
            case "feature":
                of_axis = (
                    str(one) for one in Feature if any(one in k.features for k in self.kinds)
                )
            case "system":
                of_axis = (one.system for kind in self.kinds for one in kind.settings)
            case _:
                of_axis = (
                    self.group_of[one.system] for kind in self.kinds for one in kind.settings
                )
        return tuple(dict.fromkeys(of_axis))


def without_excluded(axes: Axes) -> Axes:
    """The table without what has the weight 0, and without kinds of which nothing is left."""

    def stays(axis: str, value: str) -> bool:
        return axes.weight(axis, value) > 0

    kinds = (
        replace(
            kind,
            settings=tuple(
                one
                for one in kind.settings
                if stays("system", one.system) and stays("group", axes.group_of[one.system])
            ),
            outcomes=tuple(one for one in kind.outcomes if stays("outcome", one.name)),
            features=tuple(one for one in kind.features if stays("feature", one)),
        )
        for kind in axes.kinds
        if stays("kind", kind.name) and stays("difficulty", kind.difficulty)
    )
    left = tuple(kind for kind in kinds if kind.settings and kind.outcomes and kind.features)
    return replace(axes, kinds=left)
