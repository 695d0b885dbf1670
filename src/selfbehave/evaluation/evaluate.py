"""Evaluate engines on a benchmark: have it answered, prove the answers, write what they reached.

Each engine has a folder of its own, with a journal: a repeated evaluation asks and proves nothing
twice, and one with more scenarios, answers or engines goes on from there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..bdd import sandbox
from ..core.errors import EXIT_USAGE, SelfBehaveError
from ..core.file_names import FileNames
from ..core.files import write_text
from ..core.option_fields import at_least
from ..engines.base import Engine
from ..engines.budget import budget_refusal
from ..events.reporter import Reporter
from ..runs.session import RunSession
from .answering import answering
from .benchmark import Benchmark
from .engines_given import NamedEngine
from .overlap import overlap_with
from .page import page
from .results import Evaluation
from .scores import Answered, EngineScores, scored
from .settings import AnswerSettings

__all__ = ["PAGE_FILE", "RESULTS_FILE", "Evaluated", "evaluate"]

PAGE_FILE = "evaluation.html"
RESULTS_FILE = "evaluation.json"


@dataclass(frozen=True)
class Evaluated:
    """What an evaluation found, and the files that it wrote."""

    evaluation: Evaluation
    files: tuple[Path, ...]


def evaluate(
    engines: Sequence[NamedEngine],
    benchmark: Benchmark,
    folder: Path,
    reporter: Reporter,
    settings: AnswerSettings | None = None,
    ks: Sequence[int] = (),
    limit: int | None = None,
    training: Sequence[Path] = (),
) -> Evaluated:
    """Evaluate engines, one after the other, and write the page and the results.

    Args:
        folder: where to write, and where the journals are.
        ks: for rung@k; by default 1 and the number of answers to a scenario.
        limit: evaluate only so many scenarios, spread evenly over the benchmark.
        training: files of training data to compare with the benchmark.

    Raises:
        SelfBehaveError: a setting is out of range, this machine has no sandbox, a file is broken,
            an engine cannot be opened or stays away, or its budget ended.
    """
    settings = settings or AnswerSettings()
    at_least(1, settings, "attempts")
    at_least(0, settings, "examples")
    ks = _checked(ks, settings.attempts)
    places = _spread(len(benchmark.problems), limit)
    sandbox.require()  # before any answer is paid for
    problems = tuple(benchmark.problems[place] for place in places)
    overlap = overlap_with(problems, training) if training else None
    reporter.say(f"evaluating {len(problems)} scenarios of the benchmark {benchmark.path}")
    names = FileNames()
    evaluated: list[EngineScores] = []
    for one in engines:
        reporter.say(f"asking {one.name}")
        engine, answers = _answers_of(
            one, benchmark, places, folder / names.of(one.name), reporter, settings
        )
        scores = scored(problems, answers, ks)
        evaluated.append(EngineScores(one.name, engine.identity, engine.api, answers, scores))
    evaluation = Evaluation(benchmark, problems, settings.attempts, ks, overlap, tuple(evaluated))
    files = folder / PAGE_FILE, folder / RESULTS_FILE
    write_text(files[0], page(evaluation))
    write_text(files[1], json.dumps(evaluation.to_dict(), indent=1, ensure_ascii=False) + "\n")
    return Evaluated(evaluation, files)


def _answers_of(
    one: NamedEngine,
    benchmark: Benchmark,
    places: Sequence[int],
    folder: Path,
    reporter: Reporter,
    settings: AnswerSettings,
) -> tuple[Engine, tuple[Answered, ...]]:
    """An engine, opened before, and its answers.

    Raises:
        SelfBehaveError: as `evaluate`.
    """
    answers: list[Answered] = []
    opened: list[Engine] = []

    def keep(answer: Answered, engine: Engine) -> None:
        answers.append(answer)
        opened[:] = [engine]

    with RunSession(folder, one.engine, reporter) as session:
        (report,) = session.do([(answering(benchmark, places, keep), settings)])
    if report.budget_end is not None:
        raise budget_refusal(
            report.budget_end, f"{one.name} has given {report.done} of {report.goal} answers"
        )
    return opened[0], tuple(answers)


def _checked(ks: Sequence[int], attempts: int) -> tuple[int, ...]:
    """The numbers of answers for rung@k, lowest first.

    Raises:
        SelfBehaveError: one is not from 1 to the number of answers to a scenario.
    """
    for k in ks:
        if not 1 <= k <= attempts:
            raise SelfBehaveError(
                f"--k must be from 1 to --attempts, {attempts}, not {k}", exit_code=EXIT_USAGE
            )
    return tuple(sorted(set(ks) or {1, attempts}))


def _spread(count: int, limit: int | None) -> list[int]:
    """So many places of a sequence, evenly spread.

    Raises:
        SelfBehaveError: the limit is below 1.
    """
    if limit is None or limit >= count:
        return list(range(count))
    if limit < 1:
        raise SelfBehaveError(f"--limit must be at least 1, not {limit}", exit_code=EXIT_USAGE)
    return [number * count // limit for number in range(limit)]
