"""The rows as records of files: typed columns, forms for fine-tuning, seed tasks for new runs.

What `datasets` loads as a configuration is Parquet too: it reads all of a dataset in one format.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from ..bdd.titles import scenario_title
from ..core.four_criteria import CRITERIA, HIGH_QUALITY
from ..core.records import Example, Instance, SeedTask
from ..runs.finished import CriteriaVerdicts, FinishedRow
from ..stages.encoding import encode
from .judgements import AUTOMATIC

__all__ = ["COLUMNS", "FORMS", "SCHEMA", "Form", "instance", "record", "seed_tasks"]

# Name, type and meaning of each column; the card and the metadata have the same.
COLUMNS: tuple[tuple[str, pa.DataType, str], ...] = (
    ("id", pa.string(), "Follows from instruction, input and output alone."),
    ("scenario", pa.string(), "The Gherkin scenario, without fences."),
    ("step_functions", pa.string(), "The Python step functions, without fences."),
    ("instruction", pa.string(), "The task, with the scenario fenced in it."),
    ("input", pa.string(), "The task's input; may be empty."),
    ("output", pa.string(), "The answer, with the step functions fenced in it."),
    ("rung", pa.string(), "The highest rung of the BDD ladder that was reached."),
    (
        "faults",
        pa.list_(pa.string()),
        "What kept the row from the next rung, or is poor all the same.",
    ),
    ("essential", pa.bool_(), "Whether the scenario tells only what its behaviour needs."),
    ("singular", pa.bool_(), "Whether it tells one behaviour."),
    ("complete", pa.bool_(), "Whether it tells all that the behaviour needs."),
    ("integrous", pa.bool_(), "Whether Given, When and Then are used as what they are."),
    ("high_quality", pa.bool_(), "Whether all four criteria hold."),
    (
        "criteria_by",
        pa.string(),
        "Who judged: consensus or rater (people, in a study), auto (rules).",
    ),
    (
        "novelty",
        pa.float64(),
        "1 - the highest ROUGE-L F1 of the instruction to the seed tasks and those before it.",
    ),
    (
        "domain",
        pa.string(),
        "What the row is about, among the others here: words typical of its cluster.",
    ),
    ("engine", pa.string(), "The language model that wrote the row."),
    ("run", pa.string(), "The run that the row is from."),
    ("instruction_request", pa.string(), "Key of the request that the instruction came from."),
    ("instance_request", pa.string(), "Key of the request that the output came from."),
)
SCHEMA = pa.schema([pa.field(name, type) for name, type, _ in COLUMNS])


def record(row: FinishedRow) -> dict[str, Any]:
    """A row by the columns' names."""
    verdicts = {name: getattr(row.verdicts, name, None) for name in (*CRITERIA, HIGH_QUALITY)}
    found = verdicts | {"criteria_by": row.verdicts and row.verdicts.by, "faults": list(row.faults)}
    return {name: found[name] if name in found else getattr(row, name) for name in SCHEMA.names}


def instance(row: FinishedRow) -> dict[str, Any]:
    """A row as the seed project's files of generated instances have it."""
    return _example(row).to_dict()


def seed_tasks(rows: Sequence[FinishedRow]) -> Iterator[dict[str, Any]]:
    """Rows as seed tasks, for a new run to start from: one for each instruction, in order.

    They have criteria where people judged all four of the first row.
    """
    by_instruction: dict[str, list[FinishedRow]] = {}
    for row in rows:
        by_instruction.setdefault(row.instruction, []).append(row)
    for instruction, group in by_instruction.items():
        first = group[0]
        yield SeedTask(
            id=first.id,
            name=scenario_title(f"{instruction}\n\n{first.input}"),
            instruction=instruction,
            instances=tuple(Instance(row.input, row.output) for row in group),
            is_classification=first.is_classification,
            criteria=_criteria(first.verdicts),
        ).to_dict()


def _criteria(verdicts: CriteriaVerdicts | None) -> dict[str, bool] | None:
    if verdicts is None or verdicts.by == AUTOMATIC:
        return None
    answers = {name: getattr(verdicts, name) for name in CRITERIA}
    return None if None in answers.values() else answers


def _example(row: FinishedRow) -> Example:
    return Example(row.instruction, row.input, row.output)


def _prompt_completion(row: FinishedRow) -> dict[str, Any]:
    # Drawn by the row alone: the same in each release.
    return encode(_example(row), random.Random(f"encoding {row.id}"))


def _chat(row: FinishedRow) -> dict[str, Any]:
    asked = f"{row.instruction}\n\n{row.input}" if row.input else row.instruction
    return {
        "messages": [
            {"role": "user", "content": asked},
            {"role": "assistant", "content": row.output},
        ]
    }


@dataclass(frozen=True)
class Form:
    """A form for fine-tuning: how a row is written, and the types of its columns."""

    write: Callable[[FinishedRow], dict[str, Any]]
    schema: pa.Schema


_MESSAGE = pa.struct([("role", pa.string()), ("content", pa.string())])

FORMS = {
    "chat": Form(_chat, pa.schema([("messages", pa.list_(_MESSAGE))])),
    "prompt_completion": Form(
        _prompt_completion, pa.schema([("prompt", pa.string()), ("completion", pa.string())])
    ),
}
"""The forms by their names, which are those of the card's configurations."""
