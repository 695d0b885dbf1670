"""The built-in checks of an audit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..bdd.extract import Found, unfinished_tail
from ..bdd.faults import Fault, FaultCode
from ..bdd.smells import code_smells, scenario_smells
from ..bdd.unfold import is_folded
from ..novelty.rule import MAX_COMPARED_CHARACTERS, Pool
from .base import AuditedRow

__all__ = [
    "Answers",
    "Binding",
    "Cheats",
    "CodeSmells",
    "Duplicates",
    "Fences",
    "Portability",
    "PythonSyntax",
    "ScenarioSmells",
    "ScenarioSyntax",
]


class Fences:
    """Whether there is a block of Gherkin and one of Python, with correct fences."""

    faults: Mapping[str, str] = {
        "no_scenario": "no ```gherkin block",
        "no_python": "no ```python block",
        "unclosed_fence": "a block that is never closed",
        "text_on_fence_line": "scenario or code on the line of its fence",
    }

    def find(self, row: AuditedRow) -> Iterator[Fault]:
        for block, missing in ((row.scenario, "no_scenario"), (row.answer, "no_python")):
            if block is None:
                yield Fault(missing)
            else:
                yield from _fence_faults(block)


class Answers:
    """Whether the answer is complete, and ends in the right place."""

    faults: Mapping[str, str] = {
        "truncated": "Python that compiles except for its last statement",
        "leaked_task": "the next task's text after the answer",
    }

    def find(self, row: AuditedRow) -> Iterator[Fault]:
        if row.leak is not None:
            yield Fault("leaked_task")
        if row.code is not None and not row.compiles and unfinished_tail(row.code) is not None:
            yield Fault("truncated")


class ScenarioSyntax:
    """Whether the scenario is valid Gherkin with at least one step."""

    faults: Mapping[str, str] = {
        "folded": "a scenario folded onto one line",
        "zero_steps": "a scenario without a step",
        "scenario_not_parsed": "Gherkin that behave cannot parse",
    }

    def find(self, row: AuditedRow) -> Iterator[Fault]:
        if row.scenario is None or row.scenario_error is None:
            return
        fault = row.scenario_error.fault
        code = "zero_steps" if fault.code == FaultCode.NO_STEP else "scenario_not_parsed"
        yield Fault(code, fault.line, fault.detail)
        if is_folded(row.scenario.body):
            yield Fault("folded")


class _OfLadder:
    """Faults found by the ladder, under the audit's names."""

    names: Mapping[str, str]

    def find(self, row: AuditedRow) -> Iterator[Fault]:
        for fault in row.ladder.faults:
            if name := self.names.get(fault.code):
                yield Fault(name, fault.line, fault.detail)


class Portability(_OfLadder):
    """Whether tools other than behave read the scenario in the same way."""

    faults: Mapping[str, str] = {
        "not_portable": "Gherkin that Cucumber's parser refuses, or reads differently from behave"
    }
    names: Mapping[str, str] = {FaultCode.NOT_PORTABLE: "not_portable"}


class PythonSyntax:
    """Whether the Python compiles."""

    faults: Mapping[str, str] = {"python_not_compiled": "not valid Python"}

    def find(self, row: AuditedRow) -> Iterator[Fault]:
        if row.code is not None and not row.compiles:
            yield Fault("python_not_compiled")


class Binding(_OfLadder):
    """Whether each step is bound by exactly one function, and each function is used."""

    faults: Mapping[str, str] = {
        "undefined_steps": "a step with no function",
        "ambiguous_steps": "a step with two functions",
        "unused_functions": "a function with no step",
    }
    names: Mapping[str, str] = {
        FaultCode.UNDEFINED_STEP: "undefined_steps",
        FaultCode.AMBIGUOUS_STEP: "ambiguous_steps",
        FaultCode.UNUSED_STEP_FUNCTION: "unused_functions",
    }


class CodeSmells:
    """Poor practice in step functions."""

    faults: Mapping[str, str] = {
        "duplicate_names": "two step functions with the same name",
        "then_without_assert": "a Then function that asserts nothing",
        "empty_bodies": "a step function that does nothing",
    }

    def find(self, row: AuditedRow) -> Iterator[Fault]:
        if row.code is not None and row.compiles:
            yield from map(Fault, code_smells(row.code))


class Cheats(_OfLadder):
    """Step functions that pass without testing what the scenario says."""

    faults: Mapping[str, str] = {
        "hard_coded_outcome": "a Then that compares its own values only with constants",
        "idle_action": "a When that does nothing",
        "idle_step": "a Given that changes nothing: the run stays green without it",
    }
    names: Mapping[str, str] = {
        FaultCode.HARD_CODED_OUTCOME: "hard_coded_outcome",
        FaultCode.IDLE_ACTION: "idle_action",
        FaultCode.IDLE_STEP: "idle_step",
    }


class ScenarioSmells:
    """Poor practice in a scenario."""

    faults: Mapping[str, str] = {
        "out_of_order": "steps not in the order Given, When, Then",
        "more_than_one_when": "more than one When",
    }

    def find(self, row: AuditedRow) -> Iterator[Fault]:
        if row.scenario is not None and row.scenario_error is None:
            yield from map(Fault, scenario_smells(row.scenario.body))


class Duplicates:
    """Whether an earlier row is the same or very similar."""

    faults: Mapping[str, str] = {
        "exact_duplicate": "the same row as an earlier one",
        "near_duplicate": "a scenario with ROUGE-L above 0.7 to an earlier one",
    }

    def __init__(self) -> None:
        self._rows: set[tuple[str, str, str]] = set()
        self._scenarios: set[str] = set()
        self._pool = Pool()

    def find(self, row: AuditedRow) -> Iterator[Fault]:
        whole = (row.row.instruction, row.row.input, row.row.output)
        if whole in self._rows:
            yield Fault("exact_duplicate")
        elif row.scenario is not None and len(row.scenario.body) <= MAX_COMPARED_CHARACTERS:
            text = row.scenario.body
            if text in self._scenarios or self._pool.nearest_too_similar(text):
                yield Fault("near_duplicate")
            if text not in self._scenarios:
                self._pool.add(text)
            self._scenarios.add(text)
        self._rows.add(whole)


def _fence_faults(block: Found) -> Iterator[Fault]:
    if not block.is_closed:
        yield Fault("unclosed_fence")
    if block.begins_on_fence_line or block.ends_on_fence_line:
        yield Fault("text_on_fence_line")
