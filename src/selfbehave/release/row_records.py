"""The rows as records of files: typed columns, forms for fine-tuning, seed tasks for new runs.

`datasets` reads all configurations of a dataset in one format, so these are all Parquet files.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from ..bdd.titles import scenario_title
from ..core.four_criteria import CRITERIA, HIGH_QUALITY
from ..core.records import Example, Instance, SeedTask
from ..runs.finished import CriteriaVerdicts, FinishedRow
from ..stages.encoding import encode
from .judgements import AUTOMATIC

__all__ = ["FORMS", "MESSAGE", "SCHEMA", "Form", "columns_of", "instance", "record", "seed_tasks"]

# The name, type and meaning of each column, also used in the card and the metadata.
COLUMNS: tuple[tuple[str, pa.DataType, str], ...] = (
    ("id", pa.string(), "Computed from instruction, input and output only."),
    ("scenario", pa.string(), "The Gherkin scenario, without fences."),
    ("step_functions", pa.string(), "The Python step functions, without fences."),
    ("instruction", pa.string(), "The task, with the scenario fenced in it."),
    ("input", pa.string(), "The task's input; may be empty."),
    ("output", pa.string(), "The answer, with the step functions fenced in it."),
    ("rung", pa.string(), "The highest rung of the BDD ladder that the row reached."),
    (
        "faults",
        pa.list_(pa.string()),
        "The faults that keep the row from the next rung, and others that do not affect the rung.",
    ),
    ("essential", pa.bool_(), "Whether the scenario contains only what its behaviour needs."),
    ("singular", pa.bool_(), "Whether it describes exactly one behaviour."),
    ("complete", pa.bool_(), "Whether it contains everything that the behaviour needs."),
    ("integrous", pa.bool_(), "Whether Given, When and Then are in order and used correctly."),
    ("high_quality", pa.bool_(), "Whether all four criteria hold."),
    (
        "criteria_by",
        pa.string(),
        "The judge: consensus or rater (people, in a study), auto (rules).",
    ),
    (
        "novelty",
        pa.float64(),
        "1 - the highest ROUGE-L F1 of the instruction to seed tasks and earlier instructions.",
    ),
    (
        "domain",
        pa.string(),
        "The subject of the row: typical words of its cluster in this dataset.",
    ),
    ("system_group", pa.string(), "The group of the system that the scenario was asked for with."),
    ("system", pa.string(), "That system; empty, as the next four, if nothing steered the row."),
    ("rule_kind", pa.string(), "The kind of rule that the scenario was asked for with."),
    ("outcome_kind", pa.string(), "The side of the rule on which its values fall."),
    ("gherkin_feature", pa.string(), "The part of Gherkin that it was to use."),
    ("difficulty", pa.string(), "How difficult its step functions are, by the kind of rule."),
    ("story_id", pa.string(), "The id of the user's story that the scenario was asked for with."),
    ("story_title", pa.string(), "Its title; empty, as the others of the story, without one."),
    ("story_at", pa.string(), "The file of the story, and its line or record there."),
    (
        "story_kind",
        pa.string(),
        "The side of the story's rule on which the scenario lies: happy, refused or boundary.",
    ),
    (
        "family",
        pa.string(),
        "The id of the scenario that this one descends from; its own id, by its instruction, if "
        "it was not made from another. A family is in one split.",
    ),
    ("evolved_from", pa.string(), "The id of the scenario that this one was made from, if any."),
    ("evolved_by", pa.string(), "How: boundary, refusal, outline or rule_more."),
    ("attempts", pa.int64(), "How many attempts were made at its step functions."),
    (
        "attempts_reached",
        pa.int64(),
        "How many of these reached the row's rung: the fewer, the more difficult.",
    ),
    ("judge", pa.string(), "The language model that judged the scenario, if one was asked."),
    ("judge_essential", pa.bool_(), "Whether it says that the scenario is essential."),
    ("judge_singular", pa.bool_(), "Whether it says that it is singular."),
    ("judge_complete", pa.bool_(), "Whether it says that it is complete."),
    ("judge_integrous", pa.bool_(), "Whether it says that it is integrous."),
    (
        "judge_score",
        pa.float64(),
        "The share of the four that it says are met; empty if it left one without an answer.",
    ),
    ("engine", pa.string(), "The language model that wrote the row."),
    ("run", pa.string(), "The run that made the row."),
    ("instruction_request", pa.string(), "The key of the request that produced the instruction."),
    ("instance_request", pa.string(), "The key of the request that produced the output."),
)
SCHEMA = pa.schema([pa.field(name, type) for name, type, _ in COLUMNS])
_REASONING: tuple[str, pa.DataType, str] = (
    "reasoning",
    pa.string(),
    "The thoughts that the model wrote before the output; empty if there are none.",
)


_OVERLAP: tuple[str, pa.DataType, str] = (
    "overlap",
    pa.string(),
    "The held-out text that the row is like: reason, file and line; empty if there is none.",
)


def columns_of(rows: Iterable[FinishedRow]) -> tuple[tuple[str, pa.DataType, str], ...]:
    """The columns of rows: one more if they come with thoughts, one if overlaps are flagged."""
    every = list(rows)
    has_reasoning = any(row.reasoning is not None for row in every)
    has_overlap = any(row.overlap is not None for row in every)
    return (*COLUMNS, *[_REASONING] * has_reasoning, *[_OVERLAP] * has_overlap)


_COLUMN_OF_AXIS = {
    "group": "system_group",
    "system": "system",
    "kind": "rule_kind",
    "outcome": "outcome_kind",
    "feature": "gherkin_feature",
    "difficulty": "difficulty",
}


def record(row: FinishedRow) -> dict[str, Any]:
    """A row as values by column name."""
    verdicts = {name: getattr(row.verdicts, name, None) for name in (*CRITERIA, HIGH_QUALITY)}
    found = verdicts | {"criteria_by": row.verdicts and row.verdicts.by, "faults": list(row.faults)}
    found |= {column: row.axes.get(axis) for axis, column in _COLUMN_OF_AXIS.items()}
    found |= _story_columns(row.story)
    found |= {"judge": row.judged and row.judged.by, "judge_score": row.judged and row.judged.score}
    found |= {f"judge_{name}": getattr(row.judged, name, None) for name in CRITERIA}
    names = [name for name, _, _ in columns_of([row])]
    return {name: found[name] if name in found else getattr(row, name) for name in names}


def _story_columns(story: Mapping[str, Any]) -> dict[str, str | None]:
    """The columns of a row's story, from its metadata; None for what it does not have."""

    def text(name: str) -> str | None:
        return str(story[name]) if story.get(name) else None

    at = None
    if story:
        place = f"record {story['record']}" if "record" in story else f"line {story.get('line')}"
        at = f"{story.get('file')}, {place}"
    return {
        "story_id": text("id"),
        "story_title": text("title"),
        "story_at": at,
        "story_kind": text("kind"),
    }


def instance(row: FinishedRow) -> dict[str, Any]:
    """A row in the format of the published code's files of generated instances."""
    return _example(row).to_dict()


def seed_tasks(rows: Sequence[FinishedRow]) -> Iterator[dict[str, Any]]:
    """Rows as seed tasks for a new run: one for each instruction, in order.

    A seed task has criteria if people judged all four of its first row.
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
    # Drawn from the row's content, so that it is the same in every release.
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
    """A fine-tuning format: how a row is written, and the types of its columns."""

    write: Callable[[FinishedRow], dict[str, Any]]
    schema: pa.Schema


MESSAGE = pa.struct([("role", pa.string()), ("content", pa.string())])

FORMS = {
    "chat": Form(_chat, pa.schema([("messages", pa.list_(MESSAGE))])),
    "prompt_completion": Form(
        _prompt_completion, pa.schema([("prompt", pa.string()), ("completion", pa.string())])
    ),
}
"""The fine-tuning formats by the names of the card's configurations."""
