"""The tally: how often each value of an axis was drawn, and how often it yielded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

__all__ = ["Tally"]

_PAIRED_WITH_KIND = ("feature", "outcome", "system")
_LEAST = 0.1  # of its share that is still drawn of what never yields


@dataclass
class Tally:
    """What was drawn, what of it has ended, and what yielded, by values of axes and pairs.

    Whoever draws cells notes each draw at once and each end in order. What was drawn and not yet
    ended counts as covered, but says nothing of yield.
    """

    drawn: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    yielded: Counter[str] = field(default_factory=Counter)

    def note_drawn(self, axes: Mapping[str, str]) -> None:
        """Count a cell that was drawn.

        Args:
            axes: the value of each axis, as in `Cell.axes`.
        """
        self.drawn.update(_keys(axes))

    def note_ended(self, axes: Mapping[str, str], *, has_yielded: bool) -> None:
        """Count a cell that has ended: it yielded what was wanted, or it was dropped."""
        self.ended.update(_keys(axes))
        if has_yielded:
            self.yielded.update(_keys(axes))

    def note_unproven(self, axes: Mapping[str, str]) -> None:
        """Take back that a cell yielded: its scenario was accepted, and no row of it is proven."""
        self.yielded.subtract(_keys(axes))

    def covered(self, *axis_values: str) -> int:
        """How often a value was drawn, or a pair: ("kind", "late_fine", "feature", "plain")."""
        return self.drawn[" ".join(axis_values)]

    def share(self, *axis_values: str) -> float:
        """How much of its share is to be drawn: 1 where half or more yields, less where less."""
        key = " ".join(axis_values)
        return min(1.0, max(_LEAST, 2 * (self.yielded[key] + 1) / (self.ended[key] + 2)))


def _keys(axes: Mapping[str, str]) -> Iterator[str]:
    for axis, value in axes.items():
        yield f"{axis} {value}"
    for axis in _PAIRED_WITH_KIND:
        yield f"kind {axes['kind']} {axis} {axes[axis]}"
