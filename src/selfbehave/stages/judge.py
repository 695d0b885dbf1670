"""Stage 4, judge: a model's verdicts on the scenarios of proven rows, by the four criteria.

A run has this stage only if it is asked for. `judging` asks the questions.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..core.jsonl import read_records, writing_jsonl
from ..core.judged import JudgedScenario
from ..core.option_fields import option
from ..core.records import RawInstances
from ..core.run_files import CLASSIFICATION_FILE, INSTANCES_FILE, JUDGEMENTS_FILE
from ..core.rungs import RUNGS
from ..events.stage_report import StageReport
from .base import AimSettings, Session, Stage
from .classify import read_classifications
from .funnel import FunnelStep, RunCounts
from .instances import INSTANCES

__all__ = ["JUDGE", "JudgeSettings"]

NAME = "judge"


@dataclass(frozen=True, kw_only=True)
class JudgeSettings(AimSettings):
    """Stage 4: what does a model say of the scenarios of proven rows, by the four criteria?"""

    judge: str | None = option(
        None,
        "the model that judges the scenarios of proven rows, named as for --engine; default: for "
        "a run no judge, for the judge stage --engine",
    )
    random_seed: int = option(42, "seed of every random draw")


async def _run(session: Session, settings: JudgeSettings) -> StageReport:
    # Imported only when the stage runs: the command line imports this module for its help texts.
    from ..bdd.ladder import Rung
    from .aim import aim_of, check_sandbox, checking_for, with_aim
    from .finetuning_data import scenario_rows
    from .judging import Judging

    session.open_journal()
    raw = read_records(session.batch_dir / INSTANCES_FILE, RawInstances.from_dict)
    labels = read_classifications([session.batch_dir / CLASSIFICATION_FILE])
    noted = session.noted_settings(INSTANCES.name).get("min_rung")
    aim = aim_of(settings, Rung.named(noted) if noted in RUNGS else Rung.BOUND)
    check_sandbox(aim, (one.instruction for one in raw))
    rows = scenario_rows(raw, labels)
    texts = [(row.instruction, row.input, row.output) for row in rows]
    ladders = await session.judge(texts, checking_for(aim, Rung.named(settings.top_rung)).top)
    proven = [row for row, one in zip(rows, ladders, strict=True) if aim.lack(one) is None]
    tasks = list(dict.fromkeys((row.instruction, row.input) for row in proven))
    engine = await session.open_engine(settings.judge)
    session.note_settings(NAME, with_aim(settings, aim), engine, is_binding=False)
    file = session.batch_dir / JUDGEMENTS_FILE
    with writing_jsonl(file) as write:

        def keep(one: JudgedScenario) -> None:
            write(one.to_dict())

        judging = Judging(tasks, engine, settings.random_seed, keep)
        report = judging.report
        with session.reporter.stage(report):
            await session.generate(judging, engine)
    if judging.unreadable:
        report.notes.append(f"{judging.unreadable} answers were neither Yes nor No")
    if without := report.done - report.accepted:
        report.notes.append(f"{without} scenarios have no score: a question has no readable answer")
    report.files.append(str(file))
    return report


def _funnel(counts: RunCounts) -> list[FunnelStep]:
    judged = counts.records.get(JUDGEMENTS_FILE)
    return [] if judged is None else [FunnelStep("judged", judged, "proven scenarios, by a model")]


JUDGE = Stage(
    name=NAME,
    summary="a model's verdicts on proven scenarios (a run does it with --judge)",
    settings=JudgeSettings,
    run=_run,
    reads=(INSTANCES_FILE, CLASSIFICATION_FILE),
    writes=(JUDGEMENTS_FILE,),
    is_wanted=lambda settings: settings.judge is not None,
    funnel=_funnel,
)
