"""Verdicts on a scenario by the four criteria Essential, Singular, Complete and Integrous.

Each verdict follows from rules on the scenario's steps, its words and the syntax tree of its step
functions; nothing is run, and the same texts always get the same verdicts. A criterion holds where
no rule speaks against it, and each rule that does tells the step and the reason.

The criteria are those of Oliveira, Marczak and Moralles ("How to evaluate BDD scenarios' quality?",
SBES 2019), which go back to the Quality User Story framework (Lucassen et al., Requirements
Engineering 21, 2016). The rules take from Cucumber's documentation that a scenario has 3 to 5
steps, tells behaviour rather than the user interface, and that Given, When and Then are context,
one event and outcomes ("Gherkin reference", "Writing better Gherkin"); from Binamungu, Embury and
Konstantinou (SANER 2018) that repeated steps are the commonest defect of scenarios; and vague words
from requirement smells (Femmer et al., Journal of Systems and Software 123, 2017).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from operator import attrgetter

from .extract import find_block, unfinished_tail
from .fences import GHERKIN, PYTHON, first_block
from .idle_setup import idle_setup
from .reading import ReadScenario, ReadStep, read_scenarios
from .repair import repair
from .steps import StepFunction, read_step_functions
from .wording import (
    acts,
    acts_on_looks,
    expects,
    is_action_of,
    is_vague,
    lists_fields,
    tells_ability,
)

__all__ = [
    "MOST_ABILITIES",
    "MOST_STEPS",
    "Evidence",
    "Judgement",
    "Verdict",
    "judge",
    "judge_row",
]

MOST_STEPS = 10  # of a scenario: twice the five that Cucumber advises at most
MOST_ABILITIES = 2  # told as outcomes: "… should be able to …"
_MOST_LOOKS = 1  # steps that tell how a thing on the screen looks
_RANKS = {"given": 0, "when": 1, "then": 2}
_BARE = re.compile(r"^[ \t]*(?:feature|scenario(?: outline| template)?)[ \t]*:", re.I | re.M)


@dataclass(frozen=True)
class Evidence:
    """What speaks against a criterion.

    Attributes:
        reason: in one line.
        line: of the step in the scenario, laid out if it had to be, from 1; None for the whole.
        step: its text, "" for the whole.
    """

    reason: str
    line: int | None = None
    step: str = ""

    def __str__(self) -> str:
        return f"{self.reason}: '{self.step}' (line {self.line})" if self.step else self.reason


@dataclass(frozen=True)
class Verdict:
    """Whether a criterion holds; there is evidence exactly where it does not."""

    evidence: tuple[Evidence, ...] = ()

    @property
    def holds(self) -> bool:
        return not self.evidence


@dataclass(frozen=True)
class Judgement:
    """The four verdicts on a scenario."""

    essential: Verdict
    singular: Verdict
    complete: Verdict
    integrous: Verdict

    @property
    def high_quality(self) -> bool:
        """All four criteria hold."""
        return all(
            verdict.holds
            for verdict in (self.essential, self.singular, self.complete, self.integrous)
        )


def judge(scenario: str, code: str | None, *, raw: str = "") -> Judgement:
    """Judge a scenario; it need not be well laid out, or Gherkin at all.

    A text with no step in it, and one that was cut off, meet none of the criteria: what they
    would have said is not known. A scenario whose fence is never closed counts as whole where its
    last step has a step function.

    Args:
        scenario: its text, without fences.
        code: its step functions, None where there are none.
        raw: the text that the scenario was found in, which tells whether its fence is closed;
            without it the scenario counts as whole.
    """
    code = code or ""
    functions = _functions(code)
    scenarios = read_scenarios(scenario, functions)
    if not scenarios:
        return _none("no step that could be read")
    last = scenarios[-1].steps[-1]
    if _is_unclosed(raw) and not any(
        one.kind in (last.kind, "step") and one.matches(last.text) for one in functions
    ):
        return _none("cut off: no closing fence, and no step function for the last step", last)
    case = _Case(scenarios, functions, code)
    return Judgement(*(Verdict(tuple(_evidence(rules, case))) for rules in _RULES))


def judge_row(instruction: str, input: str, output: str) -> Judgement:
    """Judge a row of a dataset: the scenario in its task, the step functions in its output."""
    found = find_block(instruction, GHERKIN)
    # A scenario whose fence is open goes on in the input, often in the midst of a line.
    task = f"{instruction} {input}" if found and not found.is_closed else f"{instruction}\n{input}"
    block = first_block(repair(instruction, output).output, PYTHON)
    code = block.body if block is not None and block.is_closed else None
    found = find_block(task, GHERKIN)
    if found is not None:
        return judge(found.body, code, raw=task)
    bare = _BARE.search(task)
    if bare is None:
        return _none("no scenario")
    return judge(task[bare.start() :].partition("```")[0], code)


@dataclass(frozen=True)
class _Case:
    """What rules look at."""

    scenarios: tuple[ReadScenario, ...]
    functions: Sequence[StepFunction]
    code: str


def _none(reason: str, step: ReadStep | None = None) -> Judgement:
    verdict = Verdict((Evidence(reason) if step is None else _at(step, reason),))
    return Judgement(verdict, verdict, verdict, verdict)


def _at(step: ReadStep, reason: str) -> Evidence:
    return Evidence(reason, step.line, step.text)


def _functions(code: str) -> Sequence[StepFunction]:
    for text in (code, code[: unfinished_tail(code)]):
        try:
            return read_step_functions(text).functions
        except SyntaxError:
            continue
    return ()


def _is_unclosed(raw: str) -> bool:
    found = find_block(raw, GHERKIN)
    if found is None:
        return False
    # Ticks with the language behind them open another block, and close none.
    return not found.is_closed or found.after.lower().startswith(GHERKIN)


def _evidence(rules: Sequence[_Rule], case: _Case) -> Iterator[Evidence]:
    for rule in rules:
        for scenario in case.scenarios:
            yield from rule(scenario, case)


def _kinds(scenario: ReadScenario, kind: str) -> list[ReadStep]:
    return [step for step in scenario.steps if step.kind == kind]


# Essential: nothing in it that it could do without.


def _is_long(scenario: ReadScenario, case: _Case) -> Iterator[Evidence]:
    steps = scenario.steps
    if len(steps) > MOST_STEPS:
        yield Evidence(f"{len(steps)} steps, more than {MOST_STEPS}")


def _repeats_itself(scenario: ReadScenario, case: _Case) -> Iterator[Evidence]:
    """A step again in the same words. A Given after outcomes begins anew and may repeat."""
    seen: set[tuple[str | None, str]] = set()
    before: ReadStep | None = None
    for step in scenario.steps:
        if step.kind == "given" and before is not None and before.kind == "then":
            return
        words = " ".join(re.findall(r"\w+", step.text.lower()))
        if (step.kind, words) in seen:
            yield _at(step, "repeats a step")
        seen.add((step.kind, words))
        before = step


def _inspects_fields(scenario: ReadScenario, case: _Case) -> Iterator[Evidence]:
    """Fields observed on the way are no outcome of the behaviour, but of the page it uses."""
    last = max((n for n, step in enumerate(scenario.steps) if step.kind == "when"), default=0)
    for step in scenario.steps[:last]:
        if step.kind == "then" and lists_fields(step.text):
            yield _at(step, "checks a page's fields on the way")


def _tells_looks(scenario: ReadScenario, case: _Case) -> Iterator[Evidence]:
    looks = [step for step in scenario.steps if acts_on_looks(step.text)]
    if len(looks) > _MOST_LOOKS:
        yield from (_at(step, "tells how the user interface looks") for step in looks)


def _sets_up_idly(scenario: ReadScenario, case: _Case) -> Iterator[Evidence]:
    try:
        idle = idle_setup(scenario.steps, case.functions, case.code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return  # code that is no Python says nothing about the setup
    yield from (_at(step, "sets up what no other step uses") for step in idle)


# Singular: one action, and the outcomes of that.


def _has_not_one_action(scenario: ReadScenario, case: _Case) -> Iterator[Evidence]:
    blocks = [list(steps) for _, steps in groupby(scenario.steps, attrgetter("kind"))]
    starts = [steps[0] for steps in blocks if steps[0].kind == "when"]
    if not starts:
        yield Evidence("no When")
    yield from (_at(step, "another When") for step in starts[1:])


def _acts_in_outcome(scenario: ReadScenario, case: _Case) -> Iterator[Evidence]:
    actors = [step.text for step in _kinds(scenario, "when")]
    for step in _kinds(scenario, "then"):
        if is_action_of(step.text, actors):
            yield _at(step, "an action among the outcomes")


def _lists_abilities(scenario: ReadScenario, case: _Case) -> Iterator[Evidence]:
    """Each ability is a behaviour of its own, and none of them is exercised."""
    abilities = [step for step in _kinds(scenario, "then") if tells_ability(step.text)]
    if len(abilities) > MOST_ABILITIES:
        yield from (_at(step, "tells one of many abilities") for step in abilities)


def _is_not_alone(scenario: ReadScenario, case: _Case) -> Iterator[Evidence]:
    if scenario is not case.scenarios[0]:
        yield Evidence(f"another scenario: '{scenario.title}'")


# Complete: all that is needed to understand and run it.


def _lacks_action(scenario: ReadScenario, case: _Case) -> Iterator[Evidence]:
    """An action under Given is there, if in the wrong place."""
    if not _kinds(scenario, "when") and not any(acts(step.text) for step in scenario.steps):
        yield Evidence("nothing happens: no When, and no action among the other steps")


def _lacks_outcome(scenario: ReadScenario, case: _Case) -> Iterator[Evidence]:
    if scenario.steps[-1].kind == "when":
        yield _at(scenario.steps[-1], "no Then after it")
    elif not _kinds(scenario, "then"):
        yield Evidence("no Then")


def _lacks_context(scenario: ReadScenario, case: _Case) -> Iterator[Evidence]:
    if not _kinds(scenario, "given"):
        yield Evidence("no Given")


def _lacks_examples(scenario: ReadScenario, case: _Case) -> Iterator[Evidence]:
    for name in scenario.missing_parameters:
        yield Evidence(f"no example of <{name}>")


def _is_vague(scenario: ReadScenario, case: _Case) -> Iterator[Evidence]:
    for step in _kinds(scenario, "then"):
        if is_vague(step.text):
            yield _at(step, "does not tell what is to be observed")


# Integrous: Given, When and Then in this order, and each what it says: context, event, outcome.


def _is_out_of_order(scenario: ReadScenario, case: _Case) -> Iterator[Evidence]:
    highest = 0
    for step in scenario.steps:
        if step.kind is None:
            yield _at(step, "no Given, When or Then before it")
        elif _RANKS[step.kind] < highest:
            yield _at(step, f"{step.kind.title()} after a later kind of step")
        else:
            highest = _RANKS[step.kind]


def _lacks_event(scenario: ReadScenario, case: _Case) -> Iterator[Evidence]:
    for kind in ("when", "then"):
        if not _kinds(scenario, kind):
            yield Evidence(f"no {kind.title()}")


def _begins_again(scenario: ReadScenario, case: _Case) -> Iterator[Evidence]:
    """When or Then written again, where And would go on, begins another event or outcome."""
    for before, step in pairwise(scenario.steps):
        if step.keyword in ("when", "then") and step.kind == before.kind:
            yield _at(step, f"{step.keyword.title()} again")


def _expects_before_outcome(scenario: ReadScenario, case: _Case) -> Iterator[Evidence]:
    for step in scenario.steps:
        if step.kind in ("given", "when") and expects(step.text):
            yield _at(step, f"an expectation under {step.kind.title()}")


_Rule = Callable[[ReadScenario, _Case], Iterator[Evidence]]
_RULES: tuple[tuple[_Rule, ...], ...] = (
    (_is_long, _repeats_itself, _inspects_fields, _tells_looks, _sets_up_idly),
    (_has_not_one_action, _acts_in_outcome, _lists_abilities, _is_not_alone),
    (_lacks_action, _lacks_outcome, _lacks_context, _lacks_examples, _is_vague),
    (_is_out_of_order, _lacks_event, _begins_again, _acts_in_outcome, _expects_before_outcome),
)
