"""The record of a scenario that a model judged by the four criteria."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .fields import object_field, text_field, typed_field
from .four_criteria import CRITERIA

__all__ = ["JudgedScenario"]


@dataclass(frozen=True, slots=True)
class JudgedScenario:
    """A model's verdicts on the scenario of a task.

    Attributes:
        instruction, input: the task that holds the scenario.
        by: the model.
        essential, singular, complete, integrous: whether the criterion is met; None if the model
            gave no answer that is one of the choices.
        unreadable: how many answers were none of the choices.
        request_keys: the key, in the run's journal, of the last request of each criterion.
    """

    instruction: str
    input: str
    by: str
    essential: bool | None
    singular: bool | None
    complete: bool | None
    integrous: bool | None
    unreadable: int
    request_keys: Mapping[str, str]

    @property
    def score(self) -> float | None:
        """The share of the criteria that are met; None unless the model answered on all four."""
        verdicts = [getattr(self, name) for name in CRITERIA]
        return None if None in verdicts else sum(verdicts) / len(verdicts)

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> JudgedScenario:
        """The record of a JSON object; its score follows from the verdicts.

        Raises:
            ValueError: a field is missing, or of another type.
        """
        keys = object_field(row, "request_keys")
        return cls(
            instruction=text_field(row, "instruction"),
            input=text_field(row, "input"),
            by=text_field(row, "by"),
            essential=_verdict(row, "essential"),
            singular=_verdict(row, "singular"),
            complete=_verdict(row, "complete"),
            integrous=_verdict(row, "integrous"),
            unreadable=typed_field(row, "unreadable", int, "a number"),
            request_keys={name: str(key) for name, key in keys.items()},
        )

    def to_dict(self) -> dict[str, Any]:
        """The record as a JSON object."""
        return asdict(self) | {"request_keys": dict(self.request_keys), "score": self.score}


def _verdict(row: Mapping[str, Any], name: str) -> bool | None:
    verdict = row.get(name)
    if verdict is None or isinstance(verdict, bool):
        return verdict
    raise ValueError(f"field '{name}' must be true, false or null, not {type(verdict).__name__}")
