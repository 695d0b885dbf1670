"""The rules of the four criteria: each rule finds evidence against one criterion in a scenario.

See `criteria` for the sources of the rules, and `Limits` for their three thresholds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from operator import attrgetter

from .idle_setup import idle_setup
from .reading import ReadScenario, ReadStep
from .steps import StepFunction
from .wording import (
    acts,
    acts_on_looks,
    expects,
    follows_action,
    is_action_of,
    is_vague,
    lists_fields,
    tells_ability,
)

__all__ = ["Case", "Evidence", "Limits", "evidence_against"]

_RANKS = {"given": 0, "when": 1, "then": 2}


@dataclass(frozen=True)
class Evidence:
    """Evidence against a criterion.

    Attributes:
        rule: the name of the rule that found it.
        reason: one line.
        line: the line of the step in the scenario, reformatted if necessary, from 1; None if the
            evidence concerns the whole scenario.
        step: the step's text; "" if the evidence concerns the whole scenario.
    """

    rule: str
    reason: str
    line: int | None = None
    step: str = ""

    def __str__(self) -> str:
        return f"{self.reason}: '{self.step}' (line {self.line})" if self.step else self.reason


@dataclass(frozen=True)
class Limits:
    """Upper limits for a scenario. `abilities` and `looks` are this project's choice.

    Attributes:
        steps: the number of steps; twice the five that Cucumber recommends at most.
        abilities: the number of outcomes of the form "… should be able to …".
        looks: the number of steps that describe how something on the screen looks.
    """

    steps: int = 10
    abilities: int = 2
    looks: int = 1


@dataclass(frozen=True)
class Case:
    """The input of the rules: all scenarios of a text, and its step functions with their code.

    Attributes:
        idle_steps: the texts of Given steps that change nothing when the pair is run.
    """

    scenarios: tuple[ReadScenario, ...]
    functions: Sequence[StepFunction]
    code: str
    limits: Limits
    idle_steps: frozenset[str]


def evidence_against(criterion: str, case: Case) -> tuple[Evidence, ...]:
    """The evidence against one of the four criteria, rule by rule."""
    return tuple(
        Evidence(rule.__name__.strip("_"), reason, *((step.line, step.text) if step else ()))
        for rule in _RULES[criterion]
        for scenario in case.scenarios
        for reason, step in rule(scenario, case)
    )


# A reason, and the step it concerns; None for the whole scenario.
_Found = Iterator[tuple[str, ReadStep | None]]
_Rule = Callable[[ReadScenario, Case], _Found]


def _kinds(scenario: ReadScenario, kind: str) -> list[ReadStep]:
    return [step for step in scenario.steps if step.kind == kind]


def _blocks(scenario: ReadScenario) -> list[list[ReadStep]]:
    """The runs of consecutive steps of one kind."""
    return [list(steps) for _, steps in groupby(scenario.steps, attrgetter("kind"))]


# Essential: every part of the scenario is needed.


def _is_long(scenario: ReadScenario, case: Case) -> _Found:
    steps = scenario.steps
    if len(steps) > case.limits.steps:
        yield f"{len(steps)} steps, more than {case.limits.steps}", None


def _repeats_itself(scenario: ReadScenario, case: Case) -> _Found:
    """Finds a step repeated word for word. A Given after outcomes starts again and may repeat."""
    seen: set[tuple[str | None, str, str]] = set()
    before: ReadStep | None = None
    for step in scenario.steps:
        if step.kind == "given" and before is not None and before.kind == "then":
            return
        words = " ".join(re.findall(r"\w+", step.text.lower()))
        said = (step.kind, words, step.argument)
        if said in seen:
            yield "repeats a step", step
        seen.add(said)
        before = step


def _inspects_fields(scenario: ReadScenario, case: Case) -> _Found:
    """Finds checks of a page's fields before the outcome: they test the page, not the behaviour."""
    last = max((n for n, step in enumerate(scenario.steps) if step.kind == "when"), default=0)
    for step in scenario.steps[:last]:
        if step.kind == "then" and lists_fields(step.text):
            yield "checks a page's fields on the way", step


def _tells_looks(scenario: ReadScenario, case: Case) -> _Found:
    looks = [step for step in scenario.steps if acts_on_looks(step.text)]
    if len(looks) > case.limits.looks:
        yield from (("tells how the user interface looks", step) for step in looks)


def _sets_up_idly(scenario: ReadScenario, case: Case) -> _Found:
    try:
        idle = idle_setup(scenario.steps, case.functions, case.code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return  # code that is not valid Python says nothing about the setup
    yield from (("sets up what no other step uses", step) for step in idle)


def _changes_nothing(scenario: ReadScenario, case: Case) -> _Found:
    """Finds steps that change nothing: the pair stays green without them.

    If this holds for every Given, the code ignores its setup and tells nothing about the scenario.
    A Given after outcomes starts again, so it may repeat a state that already holds.
    """
    kinds = [step.kind for step in scenario.steps]
    end = kinds.index("then") if "then" in kinds else len(kinds)
    givens = [step for step in scenario.steps[:end] if step.kind == "given"]
    idle = [step for step in givens if step.text in case.idle_steps]
    if len(idle) < len(givens):
        yield from (("all stays green without it", step) for step in idle)


# Singular: one action, and only its outcomes.


def _has_not_one_action(scenario: ReadScenario, case: Case) -> _Found:
    starts = [block[0] for block in _blocks(scenario) if block[0].kind == "when"]
    if not starts:
        yield "no When", None
    yield from (("another When", step) for step in starts[1:])


def _acts_in_outcome(scenario: ReadScenario, case: Case) -> _Found:
    actors = [step.text for step in _kinds(scenario, "when")]
    for step in _kinds(scenario, "then"):
        if is_action_of(step.text, actors):
            yield "an action among the outcomes", step


def _lists_abilities(scenario: ReadScenario, case: Case) -> _Found:
    """Finds lists of abilities: each is a separate behaviour, and the scenario exercises none."""
    abilities = [step for step in _kinds(scenario, "then") if tells_ability(step.text)]
    if len(abilities) > case.limits.abilities:
        yield from (("tells one of many abilities", step) for step in abilities)


def _needs_another_action(scenario: ReadScenario, case: Case) -> _Found:
    for step in _kinds(scenario, "then"):
        if follows_action(step.text):
            yield "an outcome of another action", step


def _is_not_alone(scenario: ReadScenario, case: Case) -> _Found:
    if scenario is not case.scenarios[0]:
        yield f"another scenario: '{scenario.title}'", None


# Complete: everything needed to understand and run the scenario.


def _lacks_action(scenario: ReadScenario, case: Case) -> _Found:
    """Finds scenarios without an action. An action under Given counts, though misplaced."""
    if not _kinds(scenario, "when") and not any(acts(step.text) for step in scenario.steps):
        yield "nothing happens: no When, and no action among the other steps", None


def _lacks_outcome(scenario: ReadScenario, case: Case) -> _Found:
    if scenario.steps[-1].kind == "when":
        yield "no Then after it", scenario.steps[-1]
    elif not _kinds(scenario, "then"):
        yield "no Then", None


def _lacks_context(scenario: ReadScenario, case: Case) -> _Found:
    if not _kinds(scenario, "given"):
        yield "no Given", None


def _lacks_examples(scenario: ReadScenario, case: Case) -> _Found:
    for name in scenario.missing_parameters:
        yield f"no example of <{name}>", None


def _leaves_open(scenario: ReadScenario, case: Case) -> _Found:
    for step in _kinds(scenario, "then"):
        if is_vague(step.text):
            yield "does not tell what is to be observed", step


# Integrous: Given, When and Then in this order, each used for its purpose: context, event, outcome.


def _out_of_order(scenario: ReadScenario, case: Case) -> _Found:
    highest = 0
    for step in scenario.steps:
        if step.kind is None:
            yield "no Given, When or Then before it", step
        elif _RANKS[step.kind] < highest:
            yield f"{step.kind.title()} after a later kind of step", step
        else:
            highest = _RANKS[step.kind]


def _lacks_event(scenario: ReadScenario, case: Case) -> _Found:
    for kind in ("when", "then"):
        if not _kinds(scenario, kind):
            yield f"no {kind.title()}", None


def _begins_again(scenario: ReadScenario, case: Case) -> _Found:
    """Finds When or Then directly repeated: instead of And, it starts another event or outcome."""
    for before, step in pairwise(scenario.steps):
        if step.keyword in ("when", "then") and step.kind == before.kind:
            yield f"{step.keyword.title()} again", step


def _expects_too_early(scenario: ReadScenario, case: Case) -> _Found:
    for step in scenario.steps:
        if step.kind in ("given", "when") and expects(step.text):
            yield f"an expectation under {step.kind.title()}", step


_RULES: Mapping[str, Sequence[_Rule]] = {
    "essential": (
        _is_long,
        _repeats_itself,
        _inspects_fields,
        _tells_looks,
        _sets_up_idly,
        _changes_nothing,
    ),
    "singular": (
        _has_not_one_action,
        _acts_in_outcome,
        _needs_another_action,
        _lists_abilities,
        _is_not_alone,
    ),
    "complete": (
        _lacks_action,
        _lacks_outcome,
        _lacks_context,
        _lacks_examples,
        _leaves_open,
    ),
    "integrous": (_out_of_order, _lacks_event, _begins_again, _acts_in_outcome, _expects_too_early),
}
