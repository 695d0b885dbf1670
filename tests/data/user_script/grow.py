"""A user's script: a run with an engine of one's own, and what it came to. mypy checks it."""

from pathlib import Path

import selfbehave
from selfbehave import (
    Client,
    Completion,
    Engine,
    EngineSettings,
    Fault,
    Ladder,
    PrepareSettings,
    Request,
    Rung,
    RunReport,
    RunSettings,
    SelfBehaveError,
    StageReport,
)


class Echo(Engine):
    """Answers with the prompt."""

    identity = "echo"

    async def complete(self, request: Request) -> Completion:
        return Completion(request.prompt, "stop")


def grow(folder: Path, engine: Engine | EngineSettings) -> dict[str, int]:
    """How many rows each stage kept."""
    settings = RunSettings(num_instructions_to_generate=5, top_rung="bound")
    try:
        report: RunReport = selfbehave.run(folder, settings, engine)
    except SelfBehaveError as error:
        raise SystemExit(str(error)) from error
    stages: tuple[StageReport, ...] = report.stages
    return {stage.stage: stage.accepted for stage in stages}


def again(folder: Path) -> StageReport:
    """The last stage once more, with a higher rung."""
    settings = PrepareSettings(
        instance_files=(str(folder / "machine_generated_instances.jsonl"),),
        classification_type_files=(str(folder / "is_clf_or_not_template_1.jsonl"),),
        output_dir=str(folder / "finetuning_data"),
        min_rung="passing",
    )
    return selfbehave.prepare(settings)


def faults(scenario: str, code: str) -> tuple[Fault, ...]:
    """Why a pair is not bound."""
    ladder: Ladder = selfbehave.climb(scenario, code)
    return () if ladder.rung >= Rung.BOUND else ladder.faults


def bad_rows(file: str) -> list[int]:
    """The rows of a file in which an audit finds a fault."""
    return [row.row for row in selfbehave.audit_file(file, Rung.BOUND).rows if row.faults]


grow(Path("runs/echo"), Client(Echo(), request_batch_size=16))
