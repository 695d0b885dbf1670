"""Finished runs for tests of releases, made of the packaged seed tasks by the prepare stage."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from selfbehave.core.jsonl import write_jsonl
from selfbehave.core.records import Classification, RawInstances
from selfbehave.core.run_files import CLASSIFICATION_FILE, INSTANCES_FILE
from selfbehave.prompts.bdd import instruction_for
from selfbehave.runs.pipeline import prepare
from selfbehave.runs.run_file import note_settings
from selfbehave.seeds.load import load_seeds
from selfbehave.stages.prepare import PrepareSettings
from selfbehave.views.display import Display


def seed_pairs(count: int, start: int = 0) -> list[tuple[str, str]]:
    """Instructions and outputs of high-quality seed tasks: pairs that bind and pass."""
    tasks = load_seeds("high_quality").tasks[start : start + count]
    return [(task.instruction, task.instances[0].output) for task in tasks]


def pair(title: str, subject: str, code: str = "pass") -> tuple[str, str]:
    """A bound pair; pairs of different subjects are not near duplicates."""
    text = f"{subject} {subject}s {subject}ing {subject}ed"
    scenario = f"Scenario: {title}\n  Given {text}\n  When {text} goes\n  Then {text} ends"
    functions = "\n\n".join(
        f"@{kind}({text + end!r})\ndef {kind}_it(context):\n    {code}"
        for kind, end in (("given", ""), ("when", " goes"), ("then", " ends"))
    )
    return (
        instruction_for(scenario),
        f"```python\nfrom behave import given, when, then\n\n{functions}\n```",
    )


def make_run(
    folder: Path, pairs: Sequence[tuple[str, str]], seed_tasks_path: str = "high_quality"
) -> Path:
    """A finished run whose model, "scripted", gave these instructions and outputs."""
    raw = [
        RawInstances(
            instruction,
            output,
            {"engine": "scripted", "request_key": f"b{number}", "finish_reason": "stop"},
            {"engine": "scripted", "request_key": f"a{number}"},
            {"another": 0.25, "a third": 0.125},
            0.1,
        )
        for number, (instruction, output) in enumerate(pairs)
    ]
    write_jsonl(folder / INSTANCES_FILE, [one.to_dict() for one in raw])
    labels = [Classification(one.instruction, False, "rule").to_dict() for one in raw]
    write_jsonl(folder / CLASSIFICATION_FILE, labels)
    note_settings(
        folder,
        "bootstrap",
        {
            "seed_tasks_path": seed_tasks_path,
            "seed_tasks_sha256": load_seeds(seed_tasks_path).sha256,
        },
    )
    settings = PrepareSettings(
        instance_files=(str(folder / INSTANCES_FILE),),
        classification_type_files=(str(folder / CLASSIFICATION_FILE),),
        output_dir=str(folder / "finetuning_data"),
        min_rung="bound",
        top_rung="bound",
    )
    prepare(settings, Display())
    return folder
