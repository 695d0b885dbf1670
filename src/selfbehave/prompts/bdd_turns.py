"""The bdd prompts for chat models that follow instructions: their examples are turns of a chat.

A small model learns more from turns than from the same examples in one message (see
docs/explanation/yield.md). The answers are parsed as those of the bdd prompts are.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache

from ..bdd.fences import GHERKIN, PYTHON, fence, fenced_blocks, first_block
from ..bdd.formatting import format_scenario
from ..bdd.heads import Head, heads_of, imports_of
from ..bdd.scenario import ScenarioError
from ..bdd.syntax import tree_of
from ..core.records import SeedTask
from .base import Answer, Api, Candidate, Prompt, ScreenFault
from .bdd import (
    BddFamily,
    candidate_of,
    has_scenario,
    instruction_for,
    parsed_scenario,
    scenario_of,
)
from .evolution_examples import EVOLUTION_EXAMPLES
from .solved_examples import EXAMPLES, OUTLINE, CellExample
from .story_examples import STORY_EXAMPLES
from .turns import turns

__all__ = ["PLAIN_EXAMPLES", "BddTurnsFamily", "scenario_in"]

_CELL_SYSTEM = """\
You write Gherkin scenarios. You get a system, a rule, its values and the outcome. Put them into \
one scenario of that system, in natural words that a customer understands:
- Given steps state the rule with all the values listed after Given.
- The When step is the one action of a person, with its value.
- The Then step states the outcome.
Write every number as digits, and no other numbers. Write texts and names in quotes as they are \
given. Write only the scenario."""

_STORY_SYSTEM = """\
You write Gherkin scenarios for the stories of a product. You get a story with its rules, the rule \
to show, and the kind of scenario.
- Given steps state the rule with all its numbers and names.
- The When step is the one action of a person, with its value.
- The Then step states the exact outcome that follows: a number, or a text in quotes.
Write every number as digits, and texts in quotes. Write only the scenario."""

_CHANGE_SYSTEM = """\
You write Gherkin scenarios. You get a scenario that works, and what to change. Write a new \
scenario of the same system with this change.
- Given steps state all rules with all their numbers and names.
- The When step is the one action of a person, with its value.
- The Then step states the exact outcome that follows from all the rules.
Write every number as digits, and texts in quotes. Write only the scenario."""

_SCENARIO_SYSTEM = """\
You write Gherkin scenarios. Each is about a system that no other one has. Given steps state the \
context and the rule with all the values that it needs, the When step is the one action, and Then \
steps state the exact outcome that follows. Write only the scenario."""
_NEXT_SCENARIO = "Write a scenario about another system, with another rule."

_SOLVE_SYSTEM = """\
You write Python step functions for behave. The user gives a Gherkin scenario. Answer with one \
```python block: a small class that models the system, then one function for each step.
- Given functions only store their parameters in the model.
- The method that the When function calls works out the outcome from what is stored.
- Then functions only compare what the model worked out with their parameter.
- Never write a value of the scenario into the code: all values come from the parameters."""

_OPENING = re.compile(r"^[ \t]*(?:Feature|Background|Scenario(?: Outline)?)[ \t]*:", re.M)
_FERRY, _POTTERY_CLASS, _COLD_STORE, _SEED_CATALOGUE = EXAMPLES
PLAIN_EXAMPLES = (
    _POTTERY_CLASS,
    _SEED_CATALOGUE,
    _FERRY,
    _COLD_STORE,
)  # in the order that was measured
_ATTEMPT_TEMPERATURES = (0.3, 0.8)  # the first attempt sober, the others unlike it
_CELL_TEMPERATURE = 0.5
_STEP_FUNCTIONS_TOKENS = 700  # of an answer; most take 200 to 350
_SCENARIO_TOKENS = 220  # of an answer; an outline with its examples takes about 180


class BddTurnsFamily(BddFamily):
    """See `Family`. One new scenario a request; step functions with their heads shown."""

    name = "bdd_turns"

    def bootstrap_prompt(self, examples: Sequence[str], api: Api) -> Prompt:
        if api != "chat":
            return super().bootstrap_prompt(examples, api)
        shown = ((_NEXT_SCENARIO, fence("gherkin", scenario_of(one))) for one in examples)
        return Prompt(
            text=_NEXT_SCENARIO,
            before=turns(_SCENARIO_SYSTEM, shown),
            max_tokens=_SCENARIO_TOKENS,
        )

    def cell_prompt(self, request: str, examples: Sequence[tuple[str, str]]) -> Prompt:
        shown = [(one.request, one.scenario) for one in (*EXAMPLES, OUTLINE)]
        shown += [(asked, scenario_of(instruction)) for asked, instruction in examples]
        return _asked(_CELL_SYSTEM, shown, request)

    def screened_candidates(
        self,
        answer: Answer,
        form: Callable[[str], str],
        screen: Callable[[str], ScreenFault | None],
    ) -> list[Candidate]:
        scenario = scenario_in(answer.text)
        if not scenario:
            return []
        if answer.is_truncated:
            return [candidate_of(scenario, "truncated")]
        scenario = form(scenario)
        fault = screen(scenario)
        if fault is not None:
            return [Candidate(instruction_for(scenario), str(fault.code), fault.detail or None)]
        return [candidate_of(_laid_out(scenario))]

    @property
    def fixed_instructions(self) -> Sequence[str]:
        return [instruction_for(one.scenario) for one in (*EXAMPLES, OUTLINE)]

    def story_prompt(self, request: str) -> Prompt:
        return _asked(_STORY_SYSTEM, _fenced(STORY_EXAMPLES), request)

    @property
    def story_instructions(self) -> Sequence[str]:
        return [instruction_for(one.scenario) for one in STORY_EXAMPLES]

    def evolution_prompt(self, request: str) -> Prompt:
        return _asked(_CHANGE_SYSTEM, _fenced(EVOLUTION_EXAMPLES), request)

    @property
    def evolution_instructions(self) -> Sequence[str]:
        return [
            instruction_for(scenario)
            for scenario in (
                *(one.scenario for one in EXAMPLES),
                *(one.scenario for one in EVOLUTION_EXAMPLES),
            )
        ]

    def candidates(self, answer: Answer) -> list[Candidate]:
        found = super().candidates(answer)
        if found:
            return found
        scenario = scenario_in(answer.text)
        if not scenario:
            return []
        return [candidate_of(scenario, "truncated" if answer.is_truncated else None)]

    def instances_prompt(
        self,
        instruction: str,
        is_classification: bool,
        solved: Sequence[SeedTask],
        limit: int,
        api: Api,
    ) -> Prompt:
        scenario = parsed_scenario(instruction) if has_scenario(instruction) else None
        heads = heads_of(scenario) if scenario is not None else None
        if api != "chat" or heads is None:
            return super().instances_prompt(instruction, is_classification, solved, limit, api)
        shown = [turn for task in solved if (turn := _solved_turn(task)) is not None]
        # The plain examples come last: a small model follows the style of the nearest ones.
        shown += _plain_turns()
        return Prompt(
            text=_with_heads(scenario_of(instruction), _code_of(heads)),
            before=turns(_SOLVE_SYSTEM, shown),
            max_tokens=_STEP_FUNCTIONS_TOKENS,
            temperatures=_ATTEMPT_TEMPERATURES,
        )


def scenario_in(answer: str) -> str:
    """The scenario in an answer: its first block of Gherkin, or its whole text without a fence.

    Returns "" if there is neither.
    """
    for block in fenced_blocks(answer):
        if not block.language or block.language in GHERKIN:
            return block.body
    found = _OPENING.search(answer)
    return answer[found.start() :].strip() if found else ""


def _asked(system: str, shown: Iterable[tuple[str, str]], request: str) -> Prompt:
    """Ask for one scenario."""
    return Prompt(
        text=request,
        before=turns(system, shown),
        max_tokens=_SCENARIO_TOKENS,
        temperatures=(_CELL_TEMPERATURE,),
    )


def _fenced(examples: Iterable[CellExample]) -> Iterator[tuple[str, str]]:
    return ((one.request, fence("gherkin", one.scenario)) for one in examples)


def _laid_out(scenario_text: str) -> str:
    """A scenario with its tables aligned: a small model seldom counts the spaces right."""
    try:
        return format_scenario(scenario_text)
    except ScenarioError:  # the official parser is stricter than behave's
        return scenario_text


def _with_heads(scenario_text: str, heads: str) -> str:
    return f"{fence('gherkin', scenario_text)}\n\nHeads:\n\n{fence('python', heads)}"


def _code_of(heads: Sequence[Head]) -> str:
    return imports_of(heads) + "\n\n".join(head.code + head.note for head in heads)


@cache  # the heads are found by binding, and every prompt shows them
def _plain_turns() -> tuple[tuple[str, str], ...]:
    return tuple(
        (
            _with_heads(example.scenario, _code_of(example.heads)),
            fence("python", example.class_first),
        )
        for example in PLAIN_EXAMPLES
    )


def _solved_turn(task: SeedTask) -> tuple[str, str] | None:
    """A seed task as a turn: its scenario with the heads of its own step functions."""
    if not has_scenario(task.instruction):
        return None
    block = first_block(task.instances[0].output, PYTHON)
    heads = _heads_in(block.body) if block is not None else None
    if block is None or heads is None:
        return None
    return _with_heads(scenario_of(task.instruction), heads), fence("python", block.body)


def _heads_in(code: str) -> str | None:
    """The import of behave and the heads of the decorated functions of a module."""
    tree = tree_of(code)
    if tree is None:
        return None
    imports = [n for n in tree.body if isinstance(n, ast.ImportFrom) and n.module == "behave"]
    parts = [ast.unparse(n) for n in imports[:1]]
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.decorator_list:
            parts.append(ast.unparse(ast.fix_missing_locations(_without_body(node))))
    return "\n\n".join(parts) if len(parts) > 1 else None


def _without_body(function: ast.FunctionDef) -> ast.FunctionDef:
    return ast.FunctionDef(
        name=function.name,
        args=function.args,
        body=[ast.Expr(ast.Constant(...))],
        decorator_list=function.decorator_list,
        returns=None,
    )
