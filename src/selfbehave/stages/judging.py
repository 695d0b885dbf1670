"""Ask a model the questions of the rubric about scenarios, and read its verdicts."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..bdd.fences import GHERKIN, first_block
from ..core.judged import JudgedScenario
from ..engines.base import Completion, Engine, Request
from ..events.stage_report import StageReport
from ..prompts.rubric import CRITERIA_ASKED, read_verdict
from .base import Ask
from .rubric_requests import rubric_request

__all__ = ["Judging", "Question", "Task", "questions_of", "scenario_of"]

NAME = "judge"  # of the stage, in its report and in the journal
TRIES = 2  # at a question
_FIRST_SLOT = 3  # after those of the stages that write

Task = tuple[str, str]  # an instruction and its input


@dataclass(frozen=True)
class Question:
    """A question of the rubric: its criterion, and which example its prompt shows first."""

    criterion: str
    is_bad_first: bool

    @property
    def slot(self) -> int:
        """The prompt cache of the questions that begin alike."""
        return _FIRST_SLOT + 2 * CRITERIA_ASKED.index(self.criterion) + self.is_bad_first


def questions_of(task: Task, random_seed: int) -> list[Question]:
    """The questions about a task's scenario, in an order drawn from its text.

    The order of questions and of the examples they show varies from scenario to scenario, so that
    it favours no verdict; it is the same whenever the scenario is judged.
    """
    chance = random.Random(f"{random_seed} {NAME} {task[0]}\n{task[1]}")
    order = chance.sample(CRITERIA_ASKED, len(CRITERIA_ASKED))
    return [Question(criterion, chance.random() < 0.5) for criterion in order]


def scenario_of(task: Task) -> str:
    """The scenario in a task, without fences; the whole task if it has no block of Gherkin."""
    whole = "\n\n".join(task)
    block = first_block(whole, GHERKIN)
    return whole if block is None else block.body


class Judging:
    """A generation that judges scenarios, one item each; its questions are asked one by one."""

    def __init__(
        self,
        tasks: Sequence[Task],
        engine: Engine,
        random_seed: int,
        keep: Callable[[JudgedScenario], None],
    ) -> None:
        self.report = StageReport(NAME, "scenarios", len(tasks))
        self._tasks = tasks
        self._engine = engine
        self._random_seed = random_seed
        self._keep = keep
        self.unreadable = 0

    def draw(self, index: int) -> Task | None:
        """The task of an index."""
        return self._tasks[index] if index < len(self._tasks) else None

    async def answer(self, item: Task, ask: Ask) -> tuple[JudgedScenario, list[Completion]]:
        """Ask the questions, and once more those whose answer is none of the choices."""
        scenario = scenario_of(item)
        verdicts: dict[str, bool | None] = {}
        keys: dict[str, str] = {}
        completions: list[Completion] = []
        unreadable = 0
        for question in questions_of(item, self._random_seed):
            for attempt in range(TRIES):
                request = self._request(question, scenario, attempt)
                completion = await ask(request)
                completions.append(completion)
                verdict = read_verdict(completion.text, completion.is_truncated)
                verdicts[question.criterion] = verdict
                keys[question.criterion] = request.key(self._engine)
                if verdict is not None:
                    break
                unreadable += 1
        judged = JudgedScenario(
            *item,
            by=self._engine.identity,
            essential=verdicts["essential"],
            singular=verdicts["singular"],
            complete=verdicts["complete"],
            integrous=verdicts["integrous"],
            unreadable=unreadable,
            request_keys={criterion: keys[criterion] for criterion in CRITERIA_ASKED},
        )
        return judged, completions

    def commit(self, item: Task, result: tuple[JudgedScenario, list[Completion]]) -> bool:
        """Keep the verdicts."""
        judged, completions = result
        for completion in completions:
            self.report.count(completion)
        self.report.done += 1
        self.report.accepted += judged.score is not None
        self.unreadable += judged.unreadable
        self._keep(judged)
        return True

    def _request(self, question: Question, scenario: str, attempt: int) -> Request:
        return rubric_request(
            NAME,
            question.criterion,
            scenario,
            self._engine,
            is_bad_first=question.is_bad_first,
            attempt=attempt,
            slot=question.slot,
        )
