"""Runs with a journal for tests of reports: a scripted engine asked through the real journal."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from selfbehave.core.jsonl import write_jsonl
from selfbehave.core.records import Classification, Dropped, Instruction, RawInstances
from selfbehave.core.run_files import CLASSIFICATION_FILE, INSTANCES_FILE, INSTRUCTIONS_FILE
from selfbehave.engines import Completion, Journal, Request
from selfbehave.novelty.rule import Pool
from selfbehave.prompts import FAMILIES
from selfbehave.runs.dropped_file import write_dropped
from selfbehave.runs.pipeline import prepare
from selfbehave.runs.run_file import note_settings
from selfbehave.seeds.load import load_seeds
from selfbehave.stages.prepare import PrepareSettings
from selfbehave.stages.requests import answer_metadata
from selfbehave.views.display import Display


@dataclass
class Engine:
    """Answers each request with the text that it is given beforehand."""

    identity: str = "scripted"
    api: Any = "chat"
    takes_grammar: bool = False
    notice: str | None = None
    answers: dict[str, Completion] = field(default_factory=dict)

    async def complete(self, request: Request) -> Completion:
        return self.answers[f"{request.stage} {request.index}"]

    def stop_retrying(self) -> None:
        pass


def journalled_run(
    folder: Path,
    pairs: Sequence[tuple[str, str]],
    dropped: Sequence[Dropped] = (),
    axes: Sequence[Mapping[str, str]] = (),
) -> Path:
    """A finished run, bound at the most, whose model gave these instructions and outputs.

    The first answer of each stage took three attempts; the last of bootstrap was cut off.

    Args:
        axes: what the first instructions were steered by.
    """
    folder.mkdir(parents=True)
    engine, family, pool = Engine(), FAMILIES["bdd"], Pool()
    seeds = load_seeds("high_quality").tasks
    instructions: list[Instruction] = []
    raw: list[RawInstances] = []

    async def ask(journal: Journal) -> None:
        for number, (instruction, output) in enumerate(pairs):
            shown = [task.instruction for task in seeds[number : number + 2]]
            shown += [one.instruction for one in instructions[-2:]]
            metadata = {}
            for stage, prompt, text in (
                ("bootstrap", family.bootstrap_prompt(shown, "chat"), instruction),
                (
                    "instances",
                    family.instances_prompt(instruction, False, seeds[:1], 5, "chat"),
                    output,
                ),
            ):
                request = Request(stage, number, prompt.text, 0.8, 0.95, 500, number)
                is_cut = stage == "bootstrap" and number == len(pairs) - 1
                engine.answers[f"{stage} {number}"] = Completion(
                    text, "length" if is_cut else "stop", 1_000, 100, 1 if number else 3
                )
                answer = await journal.ask(engine, request)
                metadata[stage] = answer_metadata(request, answer, engine)
            if number < len(axes):
                metadata["bootstrap"]["axes"] = dict(axes[number])
            novelty = pool.compare(instruction)
            pool.add(instruction)
            likeness = (novelty.most_similar, novelty.average)
            instructions.append(Instruction(instruction, *likeness, metadata["bootstrap"], number))
            raw.append(
                RawInstances(
                    instruction, output, metadata["instances"], metadata["bootstrap"], *likeness
                )
            )

    with Journal(folder) as journal:
        asyncio.run(ask(journal))
    note_settings(folder, "bootstrap", {"seed_tasks_path": "high_quality"})
    write_jsonl(folder / INSTRUCTIONS_FILE, [one.to_dict() for one in instructions])
    labels = [Classification(one.instruction, False, "rule").to_dict() for one in raw]
    write_jsonl(folder / CLASSIFICATION_FILE, labels)
    write_jsonl(folder / INSTANCES_FILE, [one.to_dict() for one in raw])
    write_dropped(folder, "bootstrap", dropped)
    settings = PrepareSettings(
        instance_files=(str(folder / INSTANCES_FILE),),
        classification_type_files=(str(folder / CLASSIFICATION_FILE),),
        output_dir=str(folder / "finetuning_data"),
        min_rung="bound",
        top_rung="bound",
    )
    prepare(settings, Display())
    return folder
