"""One cell: its scenario asked for and screened, then solved under a policy."""

from __future__ import annotations

from dataclasses import dataclass

from selfbehave.axes.cells import Cell
from selfbehave.axes.screen import ScreenFault, screen
from selfbehave.bdd.fences import PYTHON, fenced_blocks
from selfbehave.bdd.heads import heads_of
from selfbehave.bdd.ladder import Rung, climb_pairs
from selfbehave.bdd.scenario import parse_scenario
from selfbehave.prompts import Answer as Segmented
from selfbehave.prompts import Writing
from selfbehave.prompts.bdd_turns import scenario_in
from selfbehave.prompts.glue import Outcome, write_with_glue

from .asking import Answer, Asker
from .joint_answer import JointAnswer
from .judging import Judge, Verdict
from .policies import Mode, Policy
from .prompts import (
    Message,
    messages_of_glue,
    messages_of_present,
    messages_of_scenario,
    messages_of_seeds,
    messages_of_whole,
    with_faults,
    with_sum,
)

__all__ = ["Attempt", "Cost", "Posed", "cost_of", "pose", "solve"]

_SCENARIO_TEMPERATURES = (0.4, 0.7)
_SCENARIO_TOKENS, _WHOLE_TOKENS = 160, 1024
_SCENARIO_SLOT = 0
_SLOT_OF = {Mode.PRESENT: 1, Mode.TURNS: 2, Mode.SEEDS: 2, Mode.GLUE: 3}
_NO_ANSWER = Verdict(str(Rung.NONE), (), 0.0)


@dataclass(frozen=True)
class Cost:
    """What answers cost; the fields are as in `Answer`."""

    answer_tokens: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    seconds: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.answer_tokens + other.answer_tokens,
            self.prompt_tokens + other.prompt_tokens,
            self.cached_tokens + other.cached_tokens,
            self.seconds + other.seconds,
        )


@dataclass(frozen=True)
class Posed:
    """A cell as the model put it into words.

    Attributes:
        scenario_text: that passed the screen; None if none did.
        faults: of the scenarios that did not pass.
        cost: of all of them.
    """

    cell: Cell
    scenario_text: str | None
    faults: tuple[ScreenFault, ...]
    cost: Cost


@dataclass(frozen=True)
class Attempt:
    """One attempt at a scenario.

    Attributes:
        code: the step functions; None where the answer holds none.
        verdict: on them.
        cost: of its answers, and of its verdict's time.
    """

    code: str | None
    verdict: Verdict
    cost: Cost


def cost_of(answers: list[Answer]) -> Cost:
    """What some answers cost together."""
    return sum(
        (Cost(a.answer_tokens, a.prompt_tokens, a.cached_tokens, a.seconds) for a in answers),
        start=Cost(),
    )


def pose(asker: Asker, cell: Cell) -> Posed:
    """Have the model put a cell into a scenario, again where the screen finds a fault."""
    answers: list[Answer] = []
    faults: list[ScreenFault] = []
    for number, temperature in enumerate(_SCENARIO_TEMPERATURES):
        answer = asker.ask(
            messages_of_scenario(cell.request),
            temperature=temperature,
            max_tokens=_SCENARIO_TOKENS,
            seed=cell.number + 1000 * number,
            slot=_SCENARIO_SLOT,
        )
        answers.append(answer)
        scenario_text = scenario_in(answer.text)
        fault = screen(scenario_text, cell)
        if fault is None:
            return Posed(cell, scenario_text, tuple(faults), cost_of(answers))
        faults.append(fault)
    return Posed(cell, None, tuple(faults), cost_of(answers))


def solve(
    asker: Asker, judge: Judge, cell: Cell, scenario_text: str, policy: Policy
) -> list[Attempt]:
    """Attempts at a scenario that passed the screen, until one is clean or none is left."""
    heads = heads_of(parse_scenario(scenario_text))
    if heads is None:
        raise ValueError("a scenario that the screen lets through can be bound")
    attempts: list[Attempt] = []
    for number, temperature in enumerate(policy.temperatures):
        joint = JointAnswer(
            asker,
            _messages_of_attempt(policy, cell, scenario_text, attempts),
            temperature,
            seed=cell.number * 10 + number,
            slot=_SLOT_OF[policy.mode],
        )
        if policy.mode is Mode.GLUE:
            known_sum = cell.sum if policy.shows_sum(number) else None
            outcome = Outcome(None if known_sum else cell.outcome, known_sum)
            code = _written(joint, write_with_glue(heads, outcome))
        else:
            code = _block_in(joint.go_on("", (), _WHOLE_TOKENS))
        verdict = _NO_ANSWER if code is None else judge.judge(scenario_text, code)
        cost = cost_of(joint.answers) + Cost(seconds=verdict.seconds)
        attempts.append(Attempt(code, verdict, cost))
        if verdict.is_clean:
            break
    return attempts


def _written(joint: JointAnswer, writing: Writing) -> str | None:
    """The code that the program writes together with the model."""
    segmented: Segmented | None = None
    while True:
        try:
            segment = next(writing) if segmented is None else writing.send(segmented)
        except StopIteration as end:
            code: str | None = end.value
            return code
        answer = joint.go_on(segment.begun, segment.stop, segment.max_tokens, hotter=segment.hotter)
        segmented = Segmented(answer.text, answer.finish_reason != "stop")


def _messages_of_attempt(
    policy: Policy,
    cell: Cell,
    scenario_text: str,
    attempts: list[Attempt],
) -> list[Message]:
    number = len(attempts)
    messages = _messages(policy.mode, scenario_text)
    if number in policy.repairs and attempts[-1].code is not None:
        (ladder,) = climb_pairs([(scenario_text, attempts[-1].code)], workers=1)
        return with_faults(messages, attempts[-1].code, ladder)
    if policy.mode is not Mode.GLUE and policy.shows_sum(number):
        return with_sum(messages, cell.sum)
    return messages


def _messages(mode: Mode, scenario_text: str) -> list[dict[str, str]]:
    match mode:
        case Mode.PRESENT:
            return messages_of_present(scenario_text)
        case Mode.TURNS:
            return messages_of_whole(scenario_text)
        case Mode.SEEDS:
            return messages_of_seeds(scenario_text)
        case Mode.GLUE:
            return messages_of_glue(scenario_text)


def _block_in(answer: Answer) -> str | None:
    """The first closed block of Python in an answer."""
    for block in fenced_blocks(answer.text):
        if block.is_closed and (not block.language or block.language in PYTHON):
            return block.body
    return None
