"""How often an engine recognizes classification tasks among labelled seed tasks.

Usage: python -m benchmarks classification [--engine=…] [any engine option of `selfbehave classify`]

The baseline gives every task the more frequent answer. A rule decides every packaged BDD seed task
without the engine; the same run compares its decisions with the labels.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from selfbehave.cli.main import main as selfbehave
from selfbehave.core.jsonl import read_records, write_jsonl
from selfbehave.core.records import Classification, SeedTask
from selfbehave.core.run_files import CLASSIFICATION_FILE, INSTRUCTIONS_FILE
from selfbehave.prompts import FAMILIES
from selfbehave.seeds.load import load_seeds
from selfbehave.seeds.packaged_names import PACKAGED
from selfbehave.stages.classify import decide_by_rule

from .tables import Table

LABELLED = Path(__file__).parent.parent / "tests" / "data" / "classic_seed_tasks.jsonl"


def rule_accuracy() -> tuple[int, int]:
    """The number of packaged seed tasks that the bdd family's rule gets right, and of all tasks."""
    tasks = [task for name in PACKAGED for task in load_seeds(name).tasks]
    decided = [decide_by_rule(task.instruction, FAMILIES["bdd"]) for task in tasks]
    right = sum(
        known is not None and known.is_classification == task.is_classification
        for known, task in zip(decided, tasks, strict=True)
    )
    return right, len(tasks)


def engine_accuracy(options: list[str]) -> tuple[int, int, int]:
    """The numbers of correct Yes, correct No, and labelled tasks."""
    tasks = read_records(LABELLED, SeedTask.from_dict)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        write_jsonl(path / INSTRUCTIONS_FILE, (task.to_dict() for task in tasks))
        if selfbehave(["classify", "--batch_dir", folder, "--prompts", "classic", *options]):
            sys.exit(1)
        decided = read_records(path / CLASSIFICATION_FILE, Classification.from_dict)
    pairs = [
        (task.is_classification, one.is_classification)
        for task, one in zip(tasks, decided, strict=True)
    ]
    return pairs.count((True, True)), pairs.count((False, False)), len(pairs)


def main(argv: list[str] | None = None) -> None:
    """Print how many tasks each method decides correctly."""
    options = [option for option in argv or () if option != "--full"]
    table = Table("classification tasks told from others", "by", "on", "right", "of", "ratio")
    right, total = rule_accuracy()
    table.row("rule", "packaged BDD seed tasks", right, total)
    labels = [json.loads(line)["is_classification"] for line in LABELLED.open()]
    baseline = max(labels.count(True), labels.count(False))
    table.row("one answer for all", "classic seed tasks", baseline, len(labels), "1")
    yes, no, total = engine_accuracy(options)
    ratio = f"{(yes + no) / baseline:.2f}"
    table.row("engine", "classic seed tasks", yes + no, total, ratio)
    table.print()
    print(f"  Yes told as Yes {yes}/{labels.count(True)}, No as No {no}/{labels.count(False)}")
