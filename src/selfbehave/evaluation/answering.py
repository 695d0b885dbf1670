"""The requests of an evaluation: so many answers to each scenario, proven as they arrive.

They are the work of a stage that belongs to no run: answers and verdicts are kept in the journal of
its own folder, and are neither asked for nor proven twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from .. import prompts
from ..bdd.ladder import Rung
from ..core.jsonl import writing_jsonl
from ..core.records import SeedTask
from ..engines.base import Completion, Engine, Request
from ..events.stage_report import StageReport
from ..seeds.load import load_seeds
from ..stages.base import Ask, Session, Stage
from ..stages.parsing import valid_instances
from ..stages.requests import answer_metadata, make_request
from ..stages.together import Together, writer_for
from .benchmark import Benchmark, Problem
from .examples_shown import examples_apart, refuse_shown
from .proof import Judge, Proof, prove_one
from .scores import Answered
from .settings import TEMPERATURE, AnswerSettings

__all__ = ["ANSWERS_FILE", "Asked", "answering"]

NAME = "evaluate"
ANSWERS_FILE = "answers.jsonl"
_TOP_P = 0.95


@dataclass(frozen=True)
class Asked:
    """A request for an answer: an item of the generation.

    Attributes:
        place: the scenario's place in the whole benchmark.
        attempt: the number of the answer to it, from 0.
    """

    place: int
    problem: Problem
    attempt: int
    prompt: prompts.Prompt


@dataclass(frozen=True)
class _Answer:
    """An answer and its proof.

    Attributes:
        request: the last one, if the answer took several.
        completion: with the tokens of all of them.
        parts: the completions of all of them.
    """

    request: Request
    completion: Completion
    parts: Sequence[Completion]
    text: str
    proof: Proof


def answering(
    benchmark: Benchmark, places: Sequence[int], keep: Callable[[Answered, Engine], None]
) -> Stage[AnswerSettings]:
    """The stage that has scenarios of a benchmark answered.

    Args:
        places: which scenarios, by their places in the benchmark.
        keep: called with each answer and its engine, scenario by scenario.
    """
    return Stage(
        name=NAME,
        summary="answers to a benchmark",
        settings=AnswerSettings,
        run=partial(_run, benchmark, places, keep),
        writes=(ANSWERS_FILE,),
    )


async def _run(
    benchmark: Benchmark,
    places: Sequence[int],
    keep: Callable[[Answered, Engine], None],
    session: Session,
    settings: AnswerSettings,
) -> StageReport:
    texts = (one.task.instruction for one in benchmark.problems)
    families = prompts.families_for(settings.prompts, texts, benchmark.path)
    seeds = load_seeds(settings.seed_tasks_path)
    # Apart from the whole benchmark: with other places, the prompts stay the same.
    solved = examples_apart(
        seeds.tasks, benchmark.problems, settings.examples, settings.random_seed
    )
    session.open_journal()
    engine = await session.open_engine()
    family = families.of(engine)
    refuse_shown(family, benchmark.problems)
    more = {
        "benchmark": benchmark.path,
        "benchmark_sha256": benchmark.sha256,
        "scenarios": len(places),
        "seed_tasks_sha256": seeds.sha256,
    }
    # Not binding: every answer is kept under all that it depends on.
    session.note_settings(NAME, settings, engine, more, is_binding=False)
    file = session.batch_dir / ANSWERS_FILE
    with writing_jsonl(file) as write:

        def keep_and_write(answer: Answered) -> None:
            write(answer.to_dict())
            keep(answer, engine)

        problems = [(place, benchmark.problems[place]) for place in places]
        answers = _Answers(
            problems,
            settings,
            family,
            solved,
            engine,
            session.in_flight,
            session.judge,
            keep_and_write,
        )
        with session.reporter.stage(answers.report):
            await session.generate(answers, engine)
    answers.report.files.append(str(file))
    return answers.report


class _Answers:
    """A `stages.base.Generation` whose items are answers.

    Args:
        problems: each with its place in the whole benchmark.
        in_flight: how many requests the engine answers at once.
    """

    def __init__(
        self,
        problems: Sequence[tuple[int, Problem]],
        settings: AnswerSettings,
        family: prompts.Family,
        solved: Sequence[SeedTask],
        engine: Engine,
        in_flight: int,
        judge: Judge,
        keep: Callable[[Answered], None],
    ) -> None:
        self._problems = problems
        self._settings = settings
        self._family = family
        self._solved = solved
        self._engine = engine
        self._writer = writer_for(family, engine)
        self._together = Together(in_flight)
        self._judge = judge
        self._keep = keep
        self.report = StageReport(NAME, "answers", len(problems) * settings.attempts)

    def draw(self, index: int) -> Asked | None:
        number, attempt = divmod(index, self._settings.attempts)
        if number >= len(self._problems):
            return None
        place, problem = self._problems[number]
        prompt = self._family.instances_prompt(
            problem.task.instruction, False, self._solved, 1, self._engine.api
        )
        return Asked(place, problem, attempt, prompt)

    async def answer(self, item: Asked, ask: Ask) -> _Answer:
        request = make_request(
            NAME,
            item.place,
            item.prompt,
            self._engine,
            self._settings,
            TEMPERATURE,
            _TOP_P,
            item.attempt,
        )
        instruction = item.problem.task.instruction
        # As a first attempt each: answers to a scenario must be drawn alike.
        writer = self._writer
        writing = None if writer is None else writer.writing(instruction, prompts.Known(), 0)
        if writing is None:
            completion = await ask(request)
            parts = [completion]
            text = item.prompt.prefix + completion.text
        else:
            request, completion, parts = await self._together.write(writing, request, ask)
            text = completion.text
        output = self._output(item.problem, prompts.Answer(text, completion.is_truncated))
        proof = await prove_one(item.problem, output, self._judge)
        return _Answer(request, completion, parts, text, proof)

    def commit(self, item: Asked, result: _Answer) -> bool:
        ladder = result.proof.ladder
        for completion in result.parts:
            self.report.count(completion)
        self.report.reached[str(ladder.rung)] += 1
        self.report.proven += ladder.rung == Rung.CAUSAL
        self._keep(
            Answered(
                problem=item.problem.task.id,
                attempt=item.attempt,
                rung=str(ladder.rung),
                faults=tuple(str(fault.code) for fault in ladder.faults),
                is_general=result.proof.is_general if item.problem.checks else None,
                text=result.text,
                metadata=answer_metadata(result.request, result.completion, self._engine),
                canary=item.problem.canary,
            )
        )
        self.report.done += 1
        self.report.accepted += 1
        return True

    def _output(self, problem: Problem, answer: prompts.Answer) -> str:
        """The first valid solution in an answer; the whole answer if there is none."""
        valid, _ = valid_instances(self._family, problem.task.instruction, answer, False)
        return valid[0].output if valid else answer.text
