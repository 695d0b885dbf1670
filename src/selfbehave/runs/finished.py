"""Read finished runs: every row of their data with its verdicts and its origin."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..axes.table import axis_values
from ..bdd.faults import FaultCode, sentence
from ..bdd.fences import GHERKIN, PYTHON, first_block
from ..bdd.ladder import Ladder, Rung, climb_rows
from ..bdd.older_faults import code_in_older_file
from ..core.errors import SelfBehaveError
from ..core.fields import object_field, text_field
from ..core.four_criteria import all_hold
from ..core.jsonl import each_record, read_records
from ..core.judged import JudgedScenario
from ..core.records import Attempt, Example
from ..core.run_files import (
    ATTEMPTS_FILE,
    CLASSIFICATION_FILE,
    EXAMPLES_FILE,
    FINETUNING_DIR,
    INSTANCES_FILE,
    JUDGEMENTS_FILE,
    LADDER_FILE,
)
from ..core.rungs import RUNGS
from ..evolution.family import Descent, descent_of, scenario_id
from ..novelty.rule import MAX_COMPARED_CHARACTERS
from ..stages.classify import read_classifications
from ..stories.story import story_source
from .run_file import read_settings

__all__ = [
    "CriteriaVerdicts",
    "FinishedRow",
    "FinishedRun",
    "named_folders",
    "read_run",
    "read_runs",
    "row_id",
    "rows_of",
]

_ID_DIGITS = 16  # 64 bits: for a million rows, the chance of a collision is 1 in 37 million


@dataclass(frozen=True, slots=True)
class CriteriaVerdicts:
    """Whether the four criteria hold for a scenario; None for an unanswered one.

    Attributes:
        by: "consensus" (of a study), "rater" (the only one of a study), or "auto" (by rules).
    """

    by: str
    essential: bool | None
    singular: bool | None
    complete: bool | None
    integrous: bool | None

    @property
    def high_quality(self) -> bool | None:
        """Whether all four hold; None while one is unanswered and none fails."""
        return all_hold((self.essential, self.singular, self.complete, self.integrous))


@dataclass(frozen=True, slots=True)
class FinishedRow:
    """A row of a run's data, with everything that the run's files say about it.

    Attributes:
        id: depends only on instruction, input and output.
        run: name of the run that made it.
        scenario, step_functions: the row's Gherkin and Python without fences; None if it has
        none.
        rung: the rung of the BDD ladder; None if there is no scenario.
        faults: the faults, as sentences: those that kept it from the next rung, and minor ones.
        fault_codes: the code of each fault.
        idle_steps: texts of the Given steps that change nothing.
        novelty: 1 − the highest ROUGE-L F1 of the instruction to those before it and the seed
            tasks, when it was made; None if the run does not record it.
        engine: the model that wrote the row; None if the run does not record it.
        instruction_request, instance_request: keys, in the run's journal, of the requests that
            the instruction and its instance came from.
        is_classification: stage 2's result for the instruction.
        reasoning: the thoughts that the model wrote before the output; None if they are not asked
            for.
        domain: the row's topic within a group of rows; None before they are sorted by domain.
        verdicts: for the four criteria; None before the row is judged.
        axes: what its scenario was steered by, by the names of axes; empty if by nothing.
        story: the place, id and title of the user's story that its scenario was asked for with,
            and the kind of scenario; empty if with none.
        family: the id of the scenario that its own descends from: its own id if from none. None
            for a row without a scenario.
        evolved_from: the id of the scenario that its own was made from; None if from none.
        evolved_by: the operation that changed that one into its own.
        overlap: the held-out text that it is like, with the reason; "" if there is none, None if
            it was not compared or such rows are left out.
        attempts: how many attempts were made at its scenario; None if the run does not record it.
        attempts_reached: how many of them reached the row's rung: the fewer, the more difficult
            the scenario was for the model.
        judged: the verdicts of the run's judge on its scenario; None if it was not asked.
    """

    id: str
    run: str
    instruction: str
    input: str
    output: str
    scenario: str | None
    step_functions: str | None
    rung: str | None
    faults: tuple[str, ...]
    fault_codes: tuple[FaultCode, ...]
    novelty: float | None
    engine: str | None
    instruction_request: str | None
    instance_request: str | None
    is_classification: bool = False
    verdicts: CriteriaVerdicts | None = None
    domain: str | None = None
    idle_steps: tuple[str, ...] = ()
    reasoning: str | None = None
    axes: Mapping[str, str] = field(default_factory=dict, hash=False)
    story: Mapping[str, Any] = field(default_factory=dict, hash=False)
    family: str | None = None
    evolved_from: str | None = None
    evolved_by: str | None = None
    attempts: int | None = None
    attempts_reached: int | None = None
    overlap: str | None = None
    judged: JudgedScenario | None = None

    @property
    def subject(self) -> str:
        """The text for comparing rows: the scenario, or the task if there is none.

        A long text is cut to the length that an audit compares.
        """
        return (self.scenario or f"{self.instruction}\n{self.input}")[:MAX_COMPARED_CHARACTERS]


@dataclass(frozen=True)
class FinishedRun:
    """A run: its name, its settings from `run.toml`, and its rows in order."""

    name: str
    settings: Mapping[str, Any]
    rows: tuple[FinishedRow, ...]


@dataclass(frozen=True, slots=True)
class _Origin:
    instruction: str
    novelty: float | None
    engine: str | None
    instruction_request: str | None
    instance_request: str | None
    axes: Mapping[str, str]
    story: Mapping[str, Any]
    descent: Descent


@dataclass(frozen=True, slots=True)
class _Climbed:
    id: str
    rung: str
    faults: tuple[str, ...]
    fault_codes: tuple[FaultCode, ...]
    idle_steps: tuple[str, ...]


def read_run(given: str) -> FinishedRun:
    """Read a finished run.

    If a run has no `ladder.jsonl`, its rows climb to `bound`, which runs no code.

    Args:
        given: its folder, or `NAME=FOLDER` to give it another name.

    Raises:
        SelfBehaveError: it is not a folder, has no data, or has a broken file.
    """
    return _read(*named_folder(given))


def read_runs(given: Sequence[str]) -> list[FinishedRun]:
    """Read finished runs, each with `read_run`.

    Raises:
        SelfBehaveError: as `read_run`, or two runs have the same name.
    """
    return [_read(*one) for one in named_folders(given)]


def _read(name: str, folder: Path) -> FinishedRun:
    examples = read_records(folder / FINETUNING_DIR / EXAMPLES_FILE, Example.from_dict)
    return FinishedRun(name, read_settings(folder), tuple(rows_of(name, folder, examples)))


def named_folders(given: Sequence[str]) -> list[tuple[str, Path]]:
    """The names and folders of several runs, each given as `FOLDER` or as `NAME=FOLDER`.

    Raises:
        SelfBehaveError: one is not a folder, or two have the same name.
    """
    found = [named_folder(one) for one in given]
    names = [name for name, _ in found]
    for name in names:
        if names.count(name) > 1:
            raise SelfBehaveError(f"two runs are named {name!r}", mend="rename one: NAME=FOLDER")
    return found


def named_folder(given: str) -> tuple[str, Path]:
    """A run's name and folder, given as `FOLDER` or as `NAME=FOLDER`.

    Raises:
        SelfBehaveError: it is not a folder.
    """
    name, equals, path_text = given.partition("=")
    if not equals or Path(given).exists():
        name, path_text = "", given
    folder = Path(path_text)
    if not folder.is_dir():
        raise SelfBehaveError("not a run's folder", where=folder, mend="give a --batch_dir")
    return name or folder.resolve().name, folder


def rows_of(name: str, folder: Path, examples: Sequence[Example]) -> list[FinishedRow]:
    """Rows of a run, each with everything that the files in its folder say about it.

    Raises:
        SelfBehaveError: one of the files is broken.
    """
    data = folder / FINETUNING_DIR
    origins: dict[str, _Origin] = {}
    if (folder / INSTANCES_FILE).exists():
        for origin in read_records(folder / INSTANCES_FILE, _origin):
            origins.setdefault(origin.instruction, origin)
    climbed: dict[str, _Climbed] = {}
    if (data / LADDER_FILE).exists():
        climbed = {one.id: one for one in read_records(data / LADDER_FILE, _climbed)}
    labels: dict[str, bool] = {}
    if (folder / CLASSIFICATION_FILE).exists():
        labels = read_classifications([folder / CLASSIFICATION_FILE])
    judged: dict[tuple[str, str], JudgedScenario] = {}
    if (folder / JUDGEMENTS_FILE).exists() and (folder / JUDGEMENTS_FILE).stat().st_size:
        found = each_record(folder / JUDGEMENTS_FILE, JudgedScenario.from_dict)
        judged = {(one.instruction, one.input): one for one in found}
    rows = [
        replace(
            _row(name, one, origins.get(one.instruction), climbed),
            is_classification=labels.get(one.instruction, False),
            judged=judged.get((one.instruction, one.input)),
        )
        for one in examples
    ]
    return _with_attempts(_with_rungs(rows), folder / ATTEMPTS_FILE)


def row_id(instruction: str, input: str, output: str) -> str:
    """A row's id: the same for the same texts, in any run."""
    texts = json.dumps([instruction, input, output])
    return hashlib.sha256(texts.encode("ascii")).hexdigest()[:_ID_DIGITS]


def _row(
    run: str, example: Example, origin: _Origin | None, climbed: Mapping[str, _Climbed]
) -> FinishedRow:
    scenario = first_block(f"{example.instruction}\n\n{example.input}", GHERKIN)
    code = first_block(example.output, PYTHON) if scenario is not None else None
    id = row_id(example.instruction, example.input, example.output)
    found = climbed.get(id)
    return FinishedRow(
        id=id,
        run=run,
        instruction=example.instruction,
        input=example.input,
        output=example.output,
        scenario=None if scenario is None else scenario.body,
        step_functions=None if code is None else code.body,
        rung=None if found is None else found.rung,
        faults=() if found is None else found.faults,
        fault_codes=() if found is None else found.fault_codes,
        novelty=origin.novelty if origin else None,
        engine=origin.engine if origin else None,
        instruction_request=origin.instruction_request if origin else None,
        instance_request=origin.instance_request if origin else None,
        idle_steps=() if found is None else found.idle_steps,
        axes=origin.axes if origin else {},
        story=origin.story if origin else {},
        family=None if scenario is None else _family(example, origin),
        evolved_from=(origin.descent.parent or None) if origin else None,
        evolved_by=(origin.descent.operation or None) if origin else None,
    )


def _family(example: Example, origin: _Origin | None) -> str:
    return origin.descent.family if origin else scenario_id(example.instruction)


def _with_rungs(rows: Sequence[FinishedRow]) -> list[FinishedRow]:
    """The rows; those with a scenario but no rung climb to `bound`."""
    missing = [row for row in rows if row.scenario is not None and row.rung is None]
    ladders = climb_rows([(row.instruction, row.input, row.output) for row in missing], Rung.BOUND)
    of_row = dict(zip((row.id for row in missing), ladders, strict=True))
    return [_with_ladder(row, of_row[row.id]) if row.id in of_row else row for row in rows]


def _with_attempts(rows: Sequence[FinishedRow], path: Path) -> list[FinishedRow]:
    """The rows with the attempts at their scenarios; unchanged if the run has no file of them."""
    if not path.exists() or not path.stat().st_size:
        return list(rows)
    rungs: dict[str, list[Rung]] = {}
    for instruction, rung in each_record(path, _attempted):
        if rung is not None:
            rungs.setdefault(instruction, []).append(rung)
    return [
        row
        if row.rung is None or row.instruction not in rungs
        else replace(
            row,
            attempts=len(rungs[row.instruction]),
            attempts_reached=sum(rung >= Rung.named(row.rung) for rung in rungs[row.instruction]),
        )
        for row in rows
    ]


def _attempted(source: Mapping[str, Any]) -> tuple[str, Rung | None]:
    """The instruction of an attempt, and the rung that it reached; None without a scenario."""
    attempt = Attempt.from_dict(source)
    return attempt.instruction, None if attempt.rung is None else _rung(attempt.rung)


def _rung(name: str) -> Rung:
    if name not in (*RUNGS, str(Rung.NONE)):
        raise ValueError(f"field 'rung' must be one of {', '.join(RUNGS)}, not {name!r}")
    return Rung.named(name)


def _with_ladder(row: FinishedRow, ladder: Ladder) -> FinishedRow:
    return replace(
        row,
        rung=str(ladder.rung),
        faults=tuple(map(sentence, ladder.faults)),
        fault_codes=tuple(FaultCode(fault.code) for fault in ladder.faults),
    )


def _origin(source: Mapping[str, Any]) -> _Origin:
    similar = object_field(source, "most_similar")
    instance = object_field(source, "instance_metadata")
    instruction = object_field(source, "instruction_metadata")
    text = text_field(source, "instruction")
    return _Origin(
        text,
        1 - max(map(float, similar.values())) if similar else None,
        text_field(instance, "engine") if "engine" in instance else None,
        text_field(instruction, "request_key") if "request_key" in instruction else None,
        text_field(instance, "request_key") if "request_key" in instance else None,
        axis_values(instruction),
        story_source(instruction),
        descent_of(text, instruction),
    )


def _climbed(source: Mapping[str, Any]) -> _Climbed:
    rung = str(_rung(text_field(source, "rung")))
    texts = (text_field(source, name) for name in ("instruction", "input", "output"))
    faults = _texts(source, "faults")
    codes = _codes(source, faults)
    return _Climbed(row_id(*texts), rung, faults, codes, _texts(source, "idle_steps"))


def _texts(source: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A field that holds a list of texts; empty if it is missing."""
    texts = source.get(name) or []
    if not isinstance(texts, list):
        raise ValueError(f"field '{name}' must be a list of texts, not {type(texts).__name__}")
    return tuple(map(str, texts))


def _codes(source: Mapping[str, Any], faults: Sequence[str]) -> tuple[FaultCode, ...]:
    """The code of each fault in a line of `ladder.jsonl`."""
    codes = source.get("fault_codes")
    if codes is None:
        return tuple(map(code_in_older_file, faults))
    if not isinstance(codes, list) or len(codes) != len(faults):
        raise ValueError("field 'fault_codes' must be a list with a code for each of 'faults'")
    known = set(FaultCode)
    # A later version may have more kinds of faults.
    return tuple(
        FaultCode(code) if isinstance(code, str) and code in known else FaultCode.OTHER
        for code in codes
    )
