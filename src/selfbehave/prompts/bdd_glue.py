"""The bdd prompts for models that go on from a begun answer: the program writes the glue.

See `glue`, and docs/explanation/yield.md for what it gives. New scenarios are asked for as
`bdd_turns` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from ..bdd.fences import fence
from ..bdd.heads import Head, heads_of
from ..core.records import SeedTask
from .base import Api, Known, Prompt, Writing
from .bdd import has_scenario, parsed_scenario, scenario_of
from .bdd_turns import PLAIN_EXAMPLES, BddTurnsFamily
from .glue import Outcome, write_with_glue
from .turns import turns

__all__ = ["BddGlueFamily"]

_SYSTEM = """\
You write Python step functions for behave. The user gives a Gherkin scenario. Answer with one \
```python block: a function for each step, a comment that works the outcome out with the numbers \
of the scenario, then a small class that models the system.
- Given functions only store each of their parameters in a field of the model.
- The When function calls the one method of the model.
- Then functions only compare what the model worked out with their parameter.
- The method works out the outcome from all the fields, as the comment does. Never write a value \
of the scenario into the class."""


_TEMPERATURES = (0.3, 0.6)  # of the first attempt, and of the others


class BddGlueFamily(BddTurnsFamily):
    """See `Family`. Step functions are written together with the model, from four examples.

    Seed tasks are not shown: their step functions have other forms than the glue's.
    """

    name = "bdd_glue"

    def instances_prompt(
        self,
        instruction: str,
        is_classification: bool,
        solved: Sequence[SeedTask],
        limit: int,
        api: Api,
    ) -> Prompt:
        asked = super().instances_prompt(instruction, is_classification, solved, limit, api)
        if api != "chat" or _heads_of(instruction) is None:
            return asked
        return replace(
            asked,
            text=fence("gherkin", scenario_of(instruction)),
            before=turns(_SYSTEM, _examples()),
            temperatures=_TEMPERATURES,
        )

    def writing(self, instruction: str, known: Known, attempt: int) -> Writing | None:
        heads = _heads_of(instruction)
        if heads is None:
            return None
        text = _outcome_in(heads) if attempt == 0 or known.sum is None else None
        return write_with_glue(heads, Outcome(text, known.sum, known.first_row))


def _heads_of(instruction: str) -> tuple[Head, ...] | None:
    """The heads that can be written together; None if there are none.

    A function that runs several times would make the object anew each time.
    """
    scenario = parsed_scenario(instruction) if has_scenario(instruction) else None
    heads = None if scenario is None else heads_of(scenario)
    return None if heads is None or any(head.is_repeated for head in heads) else heads


def _outcome_in(heads: Sequence[Head]) -> str | None:
    """The one value that Then states; None if it states several, or a placeholder."""
    stated = [value for head in heads if head.kind == "then" for value in head.values]
    return stated[0] if len(stated) == 1 and "<" not in stated[0] else None


@cache  # the heads are found by binding, and every prompt shows them
def _examples() -> tuple[tuple[str, str], ...]:
    return tuple(
        (fence("gherkin", one.scenario), fence("python", one.functions_first))
        for one in PLAIN_EXAMPLES
    )
