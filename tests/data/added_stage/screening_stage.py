"""A stage of another package: the engine says which instructions are worth solving."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from selfbehave.core.jsonl import write_jsonl
from selfbehave.core.option_fields import option
from selfbehave.core.records import Dropped
from selfbehave.core.run_files import INSTRUCTIONS_FILE
from selfbehave.events.stage_report import StageReport
from selfbehave.prompts.base import Prompt
from selfbehave.stages.base import OneRequestEach, SamplingSettings, Session, Stage
from selfbehave.stages.bootstrap import read_instructions
from selfbehave.stages.requests import make_request

SCREENED_FILE = "screened.jsonl"


@dataclass(frozen=True, kw_only=True)
class ScreenSettings(SamplingSettings):
    """Which instructions are worth solving?"""

    label: str = option("", "text that each row carries", is_required=True)
    wanted: str = option("Yes", "answer of an instruction that is worth solving", ("Yes", "No"))
    random_seed: int = option(42, "seed of every random draw")


class Screening(OneRequestEach):
    """One question an instruction."""

    def __init__(self, settings: ScreenSettings, texts: list[str], engine: Any) -> None:
        self._settings, self._texts, self._engine = settings, texts, engine
        self.report = StageReport("screen", "instructions", len(texts))
        self.rows: list[dict[str, str]] = []
        self.dropped: list[Dropped] = []

    def draw(self, index: int) -> Any:
        if index == len(self._texts):
            return None
        prompt = Prompt(f"Scenario to review:\n{self._texts[index]}\nIs it testable? Yes or No.")
        return make_request("screen", index, prompt, self._engine, self._settings, 0.0, 1.0)

    def commit(self, request: Any, completion: Any) -> bool:
        self.report.count(completion)
        self.report.done += 1
        text = self._texts[request.index]
        if completion.text.strip() == self._settings.wanted:
            self.rows.append({"instruction": text, "label": self._settings.label})
            self.report.accepted += 1
        else:
            self.dropped.append(Dropped("screen", "not_testable", text, request.index))
            self.report.dropped["not_testable"] += 1
        return True


async def _run(session: Session, settings: ScreenSettings) -> StageReport:
    path = session.batch_dir / INSTRUCTIONS_FILE
    texts = [one.instruction for one in read_instructions(path)]
    session.open_journal()
    engine = await session.open_engine()
    session.note_settings("screen", settings, engine)
    screening = Screening(settings, texts, engine)
    with session.reporter.stage(screening.report):
        await session.generate(screening, engine)
    write_jsonl(session.batch_dir / SCREENED_FILE, screening.rows)
    session.write_dropped("screen", screening.dropped)
    screening.report.files.append(str(session.batch_dir / SCREENED_FILE))
    return screening.report


SCREEN = Stage(
    name="screen",
    summary="what is worth solving",
    settings=ScreenSettings,
    run=_run,
    reads=(INSTRUCTIONS_FILE,),
    writes=(SCREENED_FILE,),
    after="instances",
    in_run=lambda folder: {"label": "of a run"},
)
