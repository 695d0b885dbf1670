"""The bdd prompts: scenarios as fenced Gherkin, step functions as fenced Python.

Line breaks, case and indentation are kept. Text outside closed blocks is ignored.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from ..bdd.fences import GHERKIN, PYTHON, fence, fenced_blocks, first_block
from ..bdd.scenario import Scenario, ScenarioError, parse_scenario
from ..core.records import Instance, SeedTask
from . import classic
from .base import Answer, Api, Candidate, Family, Parsed, Prompt
from .grammars import scenario_grammar, step_functions_grammar
from .heuristics import length_fault, start_fault

__all__ = [
    "BddFamily",
    "candidate_of",
    "has_scenario",
    "instruction_for",
    "parsed_scenario",
    "scenario_of",
]

LEAD = "Write the Python step functions for this Gherkin scenario, using behave:"

_BOOTSTRAP_LEAD = (
    "Gherkin scenarios for behaviour-driven development. Each describes a different system, with "
    "other actors, data and rules. Given is the context, When the one action, Then its outcome."
)
_NEW_SCENARIOS = 8  # a prompt shows eight examples and asks for eight new ones, as in Self-Instruct
_INSTANCES_LEAD = (
    "Python step functions for Gherkin scenarios, written with behave. Every step has exactly one "
    "function, and every Then function asserts."
)
_FEWEST_WORDS, _MOST_WORDS = 8, 400  # of a whole scenario
_STEP_FUNCTIONS = re.compile(r"\b(step (function|definition|implementation)s?|behave)\b", re.I)


def instruction_for(scenario: str) -> str:
    """The instruction that asks for a scenario's step functions."""
    return f"{LEAD}\n\n{fence('gherkin', scenario)}"


@lru_cache(maxsize=65_536)  # an instruction is an example in many prompts
def scenario_of(instruction: str) -> str:
    """The scenario in an instruction.

    Raises:
        ValueError: the instruction has no closed block of Gherkin.
    """
    block = first_block(instruction, GHERKIN)
    if block is None or not block.is_closed:
        raise ValueError("no closed ```gherkin block in the instruction")
    return block.body


def has_scenario(instruction: str) -> bool:
    """Whether there is a closed block of Gherkin in an instruction."""
    block = first_block(instruction, GHERKIN)
    return block is not None and block.is_closed


def parsed_scenario(instruction: str) -> Scenario | None:
    """The scenario in an instruction, parsed; None if it is not valid.

    Raises:
        ValueError: the instruction has no closed block of Gherkin.
    """
    try:
        return parse_scenario(scenario_of(instruction))
    except ScenarioError:
        return None


class BddFamily(Family):
    """See `Family`. The classic family handles tasks without a scenario."""

    name = "bdd"

    def bootstrap_prompt(self, examples: Sequence[str], api: Api) -> Prompt:
        tasks = [
            f"Scenario {number}\n{fence('gherkin', scenario_of(example))}"
            for number, example in enumerate(examples, start=1)
        ]
        shown = "\n\n".join([_BOOTSTRAP_LEAD, *tasks])
        first, last = len(examples) + 1, len(examples) + _NEW_SCENARIOS
        if api == "chat":
            return Prompt(
                text=f"{shown}\n\nWrite scenarios {first} to {last} in the same form, each in a "
                "```gherkin block of its own. Make each about a system, actors and a rule that "
                "none of the others has. Write nothing after the last one.",
                grammar=lambda: scenario_grammar("```gherkin\n"),
            )
        return Prompt(
            text=f"{shown}\n\nScenario {first}\n```gherkin\n",
            prefix="```gherkin\n",
            stop=(f"\nScenario {last + 1}\n",),
            grammar=lambda: scenario_grammar(""),
        )

    def candidates(self, answer: Answer) -> list[Candidate]:
        found = []
        for block in fenced_blocks(answer.text):
            if block.language and block.language not in GHERKIN:
                continue
            cut_off = "truncated" if answer.is_truncated else "unclosed_fence"
            found.append(candidate_of(block.body, None if block.is_closed else cut_off))
        return found

    def certain_class(self, instruction: str) -> bool | None:
        # Step functions have no finite set of labels, so this is never a classification task.
        if has_scenario(instruction) and _STEP_FUNCTIONS.search(instruction):
            return False
        return None

    def classify_prompt(self, instruction: str, api: Api) -> Prompt:
        return classic.ClassicFamily().classify_prompt(instruction, api)

    def instances_prompt(
        self,
        instruction: str,
        is_classification: bool,
        solved: Sequence[SeedTask],
        limit: int,
        api: Api,
    ) -> Prompt:
        if not has_scenario(instruction):
            return classic.ClassicFamily().instances_prompt(
                instruction, is_classification, solved, limit, api
            )
        examples = [
            f"{task.instruction}\n\n{task.instances[0].output}"
            for task in solved
            if has_scenario(task.instruction)
        ]
        shown = "\n\n\n".join([_INSTANCES_LEAD, *examples, instruction])
        opening = "```python\n"
        if api == "chat":
            return Prompt(
                text=f"{shown}\n\nAnswer with one ```python block: the imports, a small model of "
                "the system under test, then one function for each step.",
                grammar=lambda: _step_functions_grammar(instruction, opening),
            )
        return Prompt(
            text=f"{shown}\n\n{opening}",
            prefix=opening,
            stop=(f"\n{LEAD}",),
            grammar=lambda: _step_functions_grammar(instruction, ""),
        )

    def instances(self, instruction: str, answer: Answer, is_classification: bool) -> list[Parsed]:
        if not has_scenario(instruction):
            return classic.ClassicFamily().instances(instruction, answer, is_classification)
        found = []
        for block in fenced_blocks(answer.text):
            if block.language and block.language not in PYTHON:
                continue
            if not block.is_closed:
                fault = "truncated" if answer.is_truncated else "unclosed_fence"
                found.append(Parsed(None, block.body, fault))
            else:
                found.append(Parsed(Instance("", fence("python", block.body)), block.body))
        return found


def _step_functions_grammar(instruction: str, opening: str) -> str | None:
    scenario = parsed_scenario(instruction)
    # None: not one of our instructions; the request is sent without a grammar.
    return None if scenario is None else step_functions_grammar(scenario, opening)


def candidate_of(scenario_text: str, fault: str | None = None) -> Candidate:
    """The candidate of a scenario: with the given fault, or else one found in its text."""
    instruction = instruction_for(scenario_text)
    if fault is not None:
        return Candidate(instruction, fault)
    return Candidate(instruction, *_fault(scenario_text))


def _fault(scenario_text: str) -> tuple[str | None, str | None]:
    """The reason to drop a scenario, and details; None and None to keep it."""
    try:
        scenario = parse_scenario(scenario_text)
    except ScenarioError as error:
        return "not_parsed", str(error)
    if fault := length_fault(scenario_text, _FEWEST_WORDS, _MOST_WORDS):
        return fault, None
    if not scenario.name:
        return "too_short", "no title"
    if fault := start_fault(scenario.name):
        return fault, None
    if scenario.scenario_count > 1:
        return "unwanted_kind", f"{scenario.scenario_count} scenarios in one"
    return None, None
