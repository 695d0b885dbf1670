"""Verdicts on a scenario by the four criteria Essential, Singular, Complete and Integrous.

Each verdict follows from rules on the scenario's steps, its words and the syntax tree of its step
functions; nothing is run, and the same texts always get the same verdicts. Where the pair was run
before, the steps that turned out to change nothing are evidence too. A criterion holds where no
rule speaks against it, and each rule that does gives the step and the reason.

The criteria are those of Oliveira, Marczak and Moralles ("How to evaluate BDD scenarios' quality?",
SBES 2019), which go back to the Quality User Story framework (Lucassen et al., Requirements
Engineering 21, 2016). The rules take from Cucumber's documentation that a scenario has 3 to 5
steps, tells behaviour rather than the user interface, and that Given, When and Then are context,
one event and outcomes ("Gherkin reference", "Writing better Gherkin"); from Binamungu, Embury and
Konstantinou (SANER 2018) that repetition is what makes scenarios hard to maintain; and vague words
from requirement smells (Femmer et al., Journal of Systems and Software 123, 2017).
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


def judge(
    scenario: str,
    code: str | None,
    *,
    raw: str = "",
    limits: Limits | None = None,
    idle_steps: Collection[str] = (),
) -> Judgement:
    """Judge a scenario; it need not be well laid out, or Gherkin at all.

    A text with no step in it, and one that was cut off, meet none of the criteria: what they
    would have said is not known. A scenario whose fence is never closed counts as whole where its
    last step has a step function.

    Args:
        scenario: its text, without fences.
        code: its step functions, None where there are none.
        raw: the text that the scenario was found in, which tells whether its fence is closed;
            without it the scenario counts as whole.
        limits: how much of something a scenario may have.
        idle_steps: texts of the Given steps without which all stays green, as
            `Ladder.idle_steps` has them.
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
    # A scenario whose fence is open goes on in the input, often in the midst of a line.
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
    # Ticks with the language behind them open another block, and close none.
    return not found.is_closed or found.after.lower().startswith(GHERKIN)
