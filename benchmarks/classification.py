"""How often an engine recognizes classification tasks among labelled general tasks.

Usage: python -m benchmarks classification [--prompts=…] [any option of `selfbehave classify`]

Without `--prompts` the engine is asked by each classic family. The baseline gives every task the
more frequent answer. A rule decides every packaged BDD seed task without the engine; the same run
compares its decisions with the labels.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from selfbehave.cli.main import main as selfbehave
from selfbehave.core.jsonl import read_records, write_jsonl
from selfbehave.core.records import Classification
from selfbehave.core.run_files import CLASSIFICATION_FILE, INSTRUCTIONS_FILE
from selfbehave.prompts import FAMILIES
from selfbehave.seeds.load import load_seeds
from selfbehave.seeds.packaged_names import PACKAGED
from selfbehave.stages.classify import decide_by_rule

from .tables import Table

__all__ = ["LABELLED", "Labelled", "labelled_tasks", "main"]

LABELLED = Path(__file__).with_name("classification_tasks.jsonl")
_FAMILIES = ("classic", "classic_turns")


@dataclass(frozen=True)
class Labelled:
    """An instruction, whether it is a classification task, and what it asks for."""

    instruction: str
    is_classification: bool
    kind: str


def labelled_tasks() -> list[Labelled]:
    """The labelled tasks: half of them are classification tasks."""
    return [Labelled(**json.loads(line)) for line in LABELLED.read_text().splitlines()]


def main(argv: list[str] | None = None) -> None:
    """Print how many tasks each method decides correctly."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--prompts")
    parser.add_argument("--full", action="store_true")
    chosen, options = parser.parse_known_args(argv or [])
    tasks = labelled_tasks()
    table = Table(
        "classification tasks told from others",
        *("by", "on", "right", "of", "%", "Yes told as Yes", "No told as No"),
    )
    right, total = _rule_accuracy()
    table.row("rule", "packaged BDD seed tasks", right, total, _percent(right, total), "-", "-")
    labels = [task.is_classification for task in tasks]
    more = max(labels.count(True), labels.count(False))
    share = _percent(more, len(labels))
    table.row("one answer for all", "general tasks", more, len(labels), share, "-", "-")
    for family in [chosen.prompts] if chosen.prompts else _FAMILIES:
        said = _engine_answers(tasks, ["--prompts", family, *options])
        pairs = list(zip(labels, said, strict=True))
        yes, no = pairs.count((True, True)), pairs.count((False, False))
        share = _percent(yes + no, len(pairs))
        of_yes, of_no = f"{yes}/{labels.count(True)}", f"{no}/{labels.count(False)}"
        table.row(f"engine, {family}", "general tasks", yes + no, len(pairs), share, of_yes, of_no)
        for task, answer in zip(tasks, said, strict=True):
            if answer != task.is_classification:
                print(f"  {family}, {'Yes' if answer else 'No'}: {task.instruction}")
    table.print()


def _rule_accuracy() -> tuple[int, int]:
    """The number of packaged seed tasks that the bdd family's rule gets right, and of all tasks."""
    tasks = [task for name in PACKAGED for task in load_seeds(name).tasks]
    decided = [decide_by_rule(task.instruction, FAMILIES["bdd"]) for task in tasks]
    right = sum(
        known is not None and known.is_classification == task.is_classification
        for known, task in zip(decided, tasks, strict=True)
    )
    return right, len(tasks)


def _engine_answers(tasks: list[Labelled], options: list[str]) -> list[bool]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        write_jsonl(path / INSTRUCTIONS_FILE, ({"instruction": task.instruction} for task in tasks))
        if selfbehave(["classify", "--batch_dir", folder, *options]):
            sys.exit(1)
        decided = read_records(path / CLASSIFICATION_FILE, Classification.from_dict)
    return [one.is_classification for one in decided]


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f}"
