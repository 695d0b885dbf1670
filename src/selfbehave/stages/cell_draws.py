"""The cells of the axes in the order of a bootstrap: what yields nothing is drawn less often."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from ..axes.tally import Tally
from .base import Block

if TYPE_CHECKING:
    from ..axes.cells import Cell
    from ..axes.table import Axes

__all__ = ["CellDraws"]


class _Accepted(Protocol):
    @property
    def text(self) -> str: ...
    @property
    def cell(self) -> Cell | None: ...


class CellDraws:
    """Draws cells, and keeps the tally that later draws depend on.

    Args:
        blocks: the blocks of the run that ended, in order.
    """

    def __init__(self, axes: Axes, random_seed: int, blocks: Sequence[Block]) -> None:
        self._axes = axes
        self._random_seed = random_seed
        self._blocks = blocks
        self._tally = Tally()
        self._told = 0  # blocks whose unproven instructions the tally knows

    def draw(self, index: int, accepted: Sequence[_Accepted]) -> Cell:
        """The cell of a request, given the instructions that were accepted before it is drawn."""
        from ..axes.cells import draw_from

        self._tell_unproven(accepted)
        cell = draw_from(self._axes, index, self._random_seed, self._tally)
        self._tally.note_drawn(cell.axes)
        return cell

    def note_ended(self, cell: Cell, *, has_yielded: bool) -> None:
        """Note that the answer to a cell is committed."""
        self._tally.note_ended(cell.axes, has_yielded=has_yielded)

    def _tell_unproven(self, accepted: Sequence[_Accepted]) -> None:
        """Tell the tally which accepted instructions of the blocks that ended gave no row."""
        while self._told < len(self._blocks):
            block = self._blocks[self._told]
            if block.goal > len(accepted):
                return
            before = self._blocks[self._told - 1].goal if self._told else 0
            for one in accepted[before : block.goal]:
                if one.cell is not None and one.text not in block.proven:
                    self._tally.note_unproven(one.cell.axes)
            self._told += 1
