"""The rater "llm": a language model that follows a rubric, one request per item and criterion.

The journal in the folder stores each answer as soon as it arrives, so a second run sends only the
unanswered requests. Item and criterion identify a request, so a sample may grow or change order.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..core.errors import SelfBehaveError
from ..engines import Completion, Engine, Journal, Request, open_engine, requests_in_flight
from ..engines.budget import BudgetEndError, BudgetGate, Purse, budget_refusal
from ..engines.settings import EngineSettings
from ..events.events import EngineOpened, Stopping
from ..events.stage_report import StageReport
from ..prompts.rubric import CRITERIA_ASKED, read_verdict
from ..runs.event_loop import run_coroutine
from ..runs.scheduler import commit_in_order
from ..stages.rubric_requests import rubric_request
from ..views.display import Display
from .items import StudyItem
from .layout import lay_out
from .ratings import Rating

__all__ = ["RATER", "rate"]

RATER = "llm"
STAGE = "rate"
UNREADABLE = "unreadable"  # neither Yes nor No
_LONGEST_QUOTE = 80  # characters of an answer


def rate(
    items: Sequence[StudyItem],
    engine: EngineSettings,
    journal_folder: Path,
    display: Display | None = None,
    *,
    max_tokens: int | None = None,
) -> list[Rating]:
    """Have a model rate items, in order.

    An answer that is neither Yes nor No leaves its criterion unanswered. The rating's note quotes
    the answer, and the display counts it.

    Args:
        journal_folder: the journal's folder; created if missing.
        max_tokens: the token limit of an answer, for models that reason first; a few by default.

    Raises:
        SelfBehaveError: the engine cannot be opened or reports an error, or another process uses
            the journal. The journal keeps the answers that arrived.
    """
    return run_coroutine(_rate(items, engine, journal_folder, display or Display(), max_tokens))


async def _rate(
    items: Sequence[StudyItem],
    settings: EngineSettings,
    journal_folder: Path,
    display: Display,
    max_tokens: int | None,
) -> list[Rating]:
    with Journal(journal_folder) as journal:
        async with open_engine(settings, display.emit) as engine:
            display.emit(EngineOpened(engine.identity, engine.api, engine.notice))
            work = _Questions(items, engine, max_tokens)

            purse = Purse(settings.budget, await journal.spent(), settings.thinking_tokens)
            gate = BudgetGate(purse, requests_in_flight(settings))

            async def ask(request: Request) -> Completion:
                try:
                    return await journal.ask(gate.before(engine, 0), request)
                except BudgetEndError as error:
                    raise budget_refusal(error.end, "some ratings lack answers") from error

            def commit(request: Request, completion: Completion) -> bool:
                work.commit(completion)
                display.progress(work.report)
                return True

            def break_off(in_flight: int) -> None:
                gate.close(SelfBehaveError("not asked: the rating breaks off"))
                engine.stop_retrying()
                if in_flight:
                    display.emit(Stopping(in_flight))

            with display.stage(work.report):
                # No question depends on another answer, so a slow one need not block the rest.
                await commit_in_order(
                    draw=work.draw,
                    ask=ask,
                    commit=commit,
                    lag=lambda _: 4 * requests_in_flight(settings),
                    break_off=break_off,
                )
            return work.ratings()


class _Questions:
    """The questions about some items, by criterion, and the answers in the same order."""

    def __init__(self, items: Sequence[StudyItem], engine: Engine, max_tokens: int | None) -> None:
        self._items = items
        self._engine = engine
        self._max_tokens = max_tokens
        self._scenarios = [lay_out(item).scenario for item in items]  # what people see
        # Ordered by criterion, so that consecutive prompts share a prefix.
        self._asked = [
            (criterion, place) for criterion in CRITERIA_ASKED for place in range(len(items))
        ]
        self._answers: list[Completion] = []
        self.report = StageReport(STAGE, "answers", len(self._asked))

    def draw(self, index: int) -> Request | None:
        if index >= len(self._asked):
            return None
        criterion, place = self._asked[index]
        item = self._items[place]
        # The item identifies the request, not its position in this sample.
        stage = f"{STAGE} {item.dataset} {item.scenario_id} {criterion}"
        return rubric_request(
            stage, criterion, self._scenarios[place], self._engine, max_tokens=self._max_tokens
        )

    def commit(self, completion: Completion) -> None:
        self._answers.append(completion)
        self.report.count(completion)
        self.report.done += 1
        if read_verdict(completion.text, completion.is_truncated) is None:
            self.report.dropped[UNREADABLE] += 1
        else:
            self.report.accepted += 1

    def ratings(self) -> list[Rating]:
        answered = dict(zip(self._asked, self._answers, strict=True))
        ratings = []
        for place, item in enumerate(self._items):
            answers = {name: answered[name, place] for name in CRITERIA_ASKED}
            verdicts = {
                name: read_verdict(one.text, one.is_truncated) for name, one in answers.items()
            }
            unreadable = [
                f"{name}: neither Yes nor No: {answers[name].text[:_LONGEST_QUOTE]!r}"
                for name, verdict in verdicts.items()
                if verdict is None
            ]
            note = "\n".join([f"by {self._engine.identity}", *unreadable])
            ratings.append(
                Rating(
                    item.dataset,
                    item.scenario_id,
                    RATER,
                    essential=verdicts["essential"],
                    singular=verdicts["singular"],
                    complete=verdicts["complete"],
                    integrous=verdicts["integrous"],
                    note=note,
                )
            )
        return ratings
