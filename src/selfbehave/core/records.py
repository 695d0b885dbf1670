"""The typed records that flow between stages.

Each reads itself from a JSON object of its file, and gives that object back. Fields that other
tools leave out have defaults; a field of the wrong kind is a ValueError that names it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from .fields import object_field, text_field, typed_field
from .four_criteria import CRITERIA

__all__ = [
    "Attempt",
    "Classification",
    "Dropped",
    "Example",
    "Instance",
    "Instruction",
    "RawInstances",
    "SeedTask",
    "is_yes",
]


@dataclass(frozen=True)
class Instance:
    """One (input, output) pair of a task."""

    input: str
    output: str

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Instance:
        """The record of a JSON object.

        Raises:
            ValueError: a field is missing, or of another type.
        """
        return cls(input=text_field(row, "input"), output=text_field(row, "output"))

    def to_dict(self) -> dict[str, Any]:
        """The record as a JSON object."""
        return asdict(self)


@dataclass(frozen=True)
class SeedTask:
    """A hand-written task: an instruction with solved instances."""

    id: str
    name: str
    instruction: str
    instances: tuple[Instance, ...]
    is_classification: bool
    criteria: Mapping[str, bool] | None = None

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> SeedTask:
        """The record of a JSON object.

        Raises:
            ValueError: a field is missing, or of another type.
        """
        instances = typed_field(row, "instances", list, "a list of {input, output}")
        if not instances:
            raise ValueError("field 'instances' is empty")
        if not all(isinstance(instance, dict) for instance in instances):
            raise ValueError("field 'instances' must hold objects {input, output}")
        instruction = text_field(row, "instruction")
        if not instruction.strip():
            raise ValueError("field 'instruction' is empty")
        criteria = row.get("criteria")
        if criteria is not None and not (
            isinstance(criteria, dict)
            and set(criteria) == set(CRITERIA)
            and all(isinstance(value, bool) for value in criteria.values())
        ):
            raise ValueError(f"field 'criteria' must map {', '.join(CRITERIA)} to true or false")
        return cls(
            id=text_field(row, "id"),
            name=text_field(row, "name"),
            instruction=instruction,
            instances=tuple(Instance.from_dict(instance) for instance in instances),
            is_classification=typed_field(row, "is_classification", bool, "true or false"),
            criteria=criteria,
        )

    def to_dict(self) -> dict[str, Any]:
        """The record as a JSON object."""
        row = asdict(self) | {"instances": [instance.to_dict() for instance in self.instances]}
        return _without_nones(row, "criteria")


@dataclass(frozen=True)
class Instruction:
    """An accepted machine-generated instruction.

    `most_similar` maps the ten most similar texts of the pool to their ROUGE-L F1, highest
    first; `avg_similarity_score` is the mean ROUGE-L F1 to the whole pool.
    """

    instruction: str
    most_similar: Mapping[str, float]
    avg_similarity_score: float
    metadata: Mapping[str, Any]
    request_idx: int

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Instruction:
        """The record of a JSON object.

        Raises:
            ValueError: a field is missing, or of another type.
        """
        return cls(
            instruction=text_field(row, "instruction"),
            most_similar=object_field(row, "most_similar"),
            avg_similarity_score=float(row.get("avg_similarity_score") or 0.0),
            metadata=object_field(row, "metadata"),
            request_idx=int(row.get("request_idx") or 0),
        )

    def to_dict(self) -> dict[str, Any]:
        """The record as a JSON object."""
        return asdict(self)


@dataclass(frozen=True)
class Classification:
    """Whether an instruction is a classification task, and how that was decided.

    `is_classification` is written as Yes or No; `decided_by` is "rule" or "engine".
    """

    instruction: str
    is_classification: bool
    decided_by: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Classification:
        """The record of a JSON object.

        Raises:
            ValueError: a field is missing, or of another type.
        """
        value = row.get("is_classification")
        if not isinstance(value, (bool, str)):
            raise ValueError("field 'is_classification' must be Yes or No")
        return cls(
            instruction=text_field(row, "instruction"),
            is_classification=value if isinstance(value, bool) else is_yes(value),
            decided_by=row.get("decided_by"),
            metadata=object_field(row, "metadata"),
        )

    def to_dict(self) -> dict[str, Any]:
        """The record as a JSON object."""
        return asdict(self) | {"is_classification": "Yes" if self.is_classification else "No"}


@dataclass(frozen=True)
class RawInstances:
    """The engine's whole answer for one instruction, before it is parsed."""

    instruction: str
    raw_instances: str
    instance_metadata: Mapping[str, Any]
    instruction_metadata: Mapping[str, Any]
    most_similar: Mapping[str, float]
    avg_similarity_score: float

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> RawInstances:
        """The record of a JSON object.

        Raises:
            ValueError: a field is missing, or of another type.
        """
        return cls(
            instruction=text_field(row, "instruction"),
            raw_instances=text_field(row, "raw_instances"),
            instance_metadata=object_field(row, "instance_metadata"),
            instruction_metadata=object_field(row, "instruction_metadata"),
            most_similar=object_field(row, "most_similar"),
            avg_similarity_score=float(row.get("avg_similarity_score") or 0.0),
        )

    def to_dict(self) -> dict[str, Any]:
        """The record as a JSON object."""
        return asdict(self)


@dataclass(frozen=True)
class Attempt:
    """One answer to an instruction, with its place in the chain of attempts.

    Attributes:
        attempt: its number, from 0.
        repairs: the number of the attempt that it repairs; None if it was made afresh.
        rung: the rung of the BDD ladder that its best row reached; None without a scenario.
        faults: the codes of that row's faults.
        is_kept: whether it is the attempt that the instruction's row comes from.
        raw_instances: the whole answer.
        metadata: of the answer: engine, key of its request, finish reason, tokens, temperature.
    """

    instruction: str
    attempt: int
    repairs: int | None
    rung: str | None
    faults: tuple[str, ...]
    is_kept: bool
    raw_instances: str
    metadata: Mapping[str, Any]

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Attempt:
        """The record of a JSON object.

        Raises:
            ValueError: a field is missing, or of another type.
        """
        faults = typed_field(row, "faults", list, "a list of codes")
        repairs, rung = row.get("repairs"), row.get("rung")
        return cls(
            instruction=text_field(row, "instruction"),
            attempt=typed_field(row, "attempt", int, "a number"),
            repairs=None if repairs is None else int(repairs),
            rung=None if rung is None else str(rung),
            faults=tuple(map(str, faults)),
            is_kept=typed_field(row, "is_kept", bool, "true or false"),
            raw_instances=text_field(row, "raw_instances"),
            metadata=object_field(row, "metadata"),
        )

    def to_dict(self) -> dict[str, Any]:
        """The record as a JSON object."""
        return asdict(self) | {"faults": list(self.faults)}


@dataclass(frozen=True)
class Example:
    """A row of the fine-tuning data: one instance with its task's instruction."""

    instruction: str
    input: str
    output: str

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Example:
        """The record of a JSON object.

        Raises:
            ValueError: a field is missing, or of another type.
        """
        return cls(*(text_field(row, name) for name in ("instruction", "input", "output")))

    def to_dict(self) -> dict[str, Any]:
        """The record as a JSON object."""
        return asdict(self)


@dataclass(frozen=True)
class Dropped:
    """A dropped candidate: the stage that dropped it, the reason, its text and its request.

    `story` is the place of the user's story that it was asked for with, if there is one.
    """

    stage: str
    reason: str
    text: str
    request_idx: int | None = None
    detail: str | None = None
    story: Mapping[str, Any] | None = field(default=None, hash=False)

    def to_dict(self) -> dict[str, Any]:
        """The record as a JSON object."""
        return _without_nones(asdict(self), "request_idx", "detail", "story")


def is_yes(answer: str) -> bool:
    """Read a Yes/No answer by its first word: " No\\n\\nTask: G" is No, and so is ""."""
    word = re.search(r"[A-Za-z]+", answer)
    return word is not None and word.group().lower() == "yes"


def _without_nones(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names or value is not None}
