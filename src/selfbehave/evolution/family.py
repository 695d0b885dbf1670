"""Who descends from whom: what the metadata of an instruction say of its parent and family."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Descent", "descent_of", "scenario_id"]

_FIELD = "evolution"  # of an instruction's metadata
_ID_DIGITS = 16  # 64 bits, as the ids of rows have


@dataclass(frozen=True, slots=True)
class Descent:
    """Where an instruction descends from.

    Attributes:
        family: the id of the instruction that the family began with: its own if it has no parent.
        parent: the id of the instruction that it was made from; "" if from none.
        operation: what was changed; "" if it has no parent.
        generation: how many parents lie before it.
    """

    family: str
    parent: str = ""
    operation: str = ""
    generation: int = 0

    @property
    def metadata(self) -> dict[str, Any]:
        """The field of the metadata of an instruction with a parent."""
        return {
            _FIELD: {
                "operation": self.operation,
                "parent": self.parent,
                "family": self.family,
                "generation": self.generation,
            }
        }


def scenario_id(instruction: str) -> str:
    """An instruction's id: the same for the same text, in any run."""
    return hashlib.sha256(instruction.encode("utf-8", "surrogatepass")).hexdigest()[:_ID_DIGITS]


def descent_of(instruction: str, metadata: Mapping[str, Any]) -> Descent:
    """Where an instruction descends from, by its metadata.

    Raises:
        ValueError: its metadata say so, and lack a part.
    """
    said = metadata.get(_FIELD)
    if said is None:
        return Descent(scenario_id(instruction))
    names = ("family", "parent", "operation")
    if not isinstance(said, Mapping) or not all(isinstance(said.get(name), str) for name in names):
        raise ValueError(f"field '{_FIELD}' must have the texts {', '.join(names)}")
    generation = said.get("generation")
    return Descent(
        said["family"],
        said["parent"],
        said["operation"],
        generation if isinstance(generation, int) else 1,
    )
