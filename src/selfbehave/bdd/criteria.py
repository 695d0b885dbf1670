"""Verdicts on a scenario by the four criteria Essential, Singular, Complete and Integrous.

Verdicts come from rules about the scenario's steps, its words and the syntax tree of its step
functions. Nothing is run, and the same texts always get the same verdicts. If the pair has been run
before, steps that change nothing are evidence too. A criterion holds unless a rule finds evidence
against it; evidence names the step and the reason.

The criteria are those of Oliveira, Marczak and Moralles ("How to evaluate BDD scenarios' quality?",
SBES 2019), based on the Quality User Story framework (Lucassen et al., Requirements Engineering
21, 2016). Sources of the rules:

- Cucumber's documentation ("Gherkin reference", "Writing better Gherkin"): a scenario has 3 to 5
  steps and describes behaviour rather than the user interface; Given, When and Then are context,
  one event and outcomes.
- Binamungu, Embury and Konstantinou (SANER 2018): repetition makes scenarios hard to maintain.
- Femmer et al. (Journal of Systems and Software 123, 2017): vague words are requirement smells.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from .criteria_rules import Case, Evidence, Limits, evidence_against
from .extract import find_block, unfinished_tail
from .fences import GHERKIN, PYTHON, first_block
from .reading import read_scenarios
from .row_repair import repair
from .steps import StepFunction, read_step_functions

__all__ = ["Evidence", "Judgement", "Limits", "Verdict", "judge", "judge_row"]

_BARE = re.compile(r"^[ \t]*(?:feature|scenario(?: outline| template)?)[ \t]*:", re.I | re.M)


@dataclass(frozen=True)
class Verdict:
    """Whether a criterion holds; it holds if there is no evidence against it."""

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


def judge(
    scenario: str,
    code: str | None,
    *,
    raw: str = "",
    limits: Limits | None = None,
    idle_steps: Collection[str] = (),
) -> Judgement:
    """Judge a scenario. It may be badly formatted, or not be valid Gherkin.

    A text without steps, and one that was cut off, meet none of the criteria, because their full
    content is unknown. A scenario with an unclosed fence counts as complete if its last step has a
    step function.

    Args:
        scenario: its text, without fences.
        code: its step functions, or None.
        raw: the text that contains the scenario and its fence, to check whether the fence is
            closed; without it the scenario counts as complete.
        limits: upper limits of the rules.
        idle_steps: the texts of the Given steps that change nothing, from `Ladder.idle_steps`.
    """
    code = code or ""
    functions = _functions(code)
    scenarios = read_scenarios(scenario, functions)
    if not scenarios:
        return _none(Evidence("nothing_to_read", "no step that could be read"))
    last = scenarios[-1].steps[-1]
    if _is_unclosed(raw) and not any(
        one.kind in (last.kind, "step") and one.matches(last.text) for one in functions
    ):
        reason = "cut off: no closing fence, and no step function for the last step"
        return _none(Evidence("cut_off", reason, last.line, last.text))
    idle = frozenset(" ".join(text.split()) for text in idle_steps)
    case = Case(scenarios, functions, code, limits or Limits(), idle)
    return Judgement(
        essential=Verdict(evidence_against("essential", case)),
        singular=Verdict(evidence_against("singular", case)),
        complete=Verdict(evidence_against("complete", case)),
        integrous=Verdict(evidence_against("integrous", case)),
    )


def judge_row(
    instruction: str,
    input: str,
    output: str,
    *,
    limits: Limits | None = None,
    idle_steps: Collection[str] = (),
) -> Judgement:
    """Judge a row of a dataset: the scenario in its task, the step functions in its output.

    Args:
        limits: as for `judge`.
        idle_steps: as for `judge`.
    """
    found = find_block(instruction, GHERKIN)
    # A scenario with an unclosed fence continues in the input, often in the middle of a line.
    task = f"{instruction} {input}" if found and not found.is_closed else f"{instruction}\n{input}"
    block = first_block(repair(instruction, output).output, PYTHON)
    code = block.body if block is not None and block.is_closed else None
    found = find_block(task, GHERKIN)
    if found is not None:
        return judge(found.body, code, raw=task, limits=limits, idle_steps=idle_steps)
    bare = _BARE.search(task)
    if bare is None:
        return _none(Evidence("nothing_to_read", "no scenario"))
    text = task[bare.start() :].partition("```")[0]
    return judge(text, code, limits=limits, idle_steps=idle_steps)


def _none(evidence: Evidence) -> Judgement:
    verdict = Verdict((evidence,))
    return Judgement(verdict, verdict, verdict, verdict)


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
    # Backticks followed by a language open another block; they do not close one.
    return not found.is_closed or found.after.lower().startswith(GHERKIN)
