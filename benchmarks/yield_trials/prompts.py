"""The messages that ask for a scenario and for its step functions, examples as turns of a chat."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from functools import cache

from selfbehave.bdd.fences import fence
from selfbehave.bdd.heads import Head, imports_of
from selfbehave.bdd.ladder import Ladder
from selfbehave.core.records import SeedTask
from selfbehave.prompts.attempts import repair_prompt, with_reasoning
from selfbehave.prompts.base import Prompt
from selfbehave.prompts.bdd import BddFamily, instruction_for
from selfbehave.prompts.bdd_turns import BddTurnsFamily
from selfbehave.prompts.solved_examples import EXAMPLES
from selfbehave.seeds.load import load_seeds
from selfbehave.stages.instances import InstancesSettings
from selfbehave.stages.solving import SOLVED_EXAMPLES

__all__ = [
    "Message",
    "messages_of_glue",
    "messages_of_present",
    "messages_of_scenario",
    "messages_of_seeds",
    "messages_of_whole",
    "with_faults",
    "with_sum",
]

Message = dict[str, str]  # role and content

_SCENARIO_SYSTEM = """\
You write Gherkin scenarios. You get a system, a rule, its values and the outcome. Put them into \
one scenario of that system, in natural words that a customer understands:
- Given steps state the rule with all the values listed after Given.
- The When step is the one action of a person, with its value.
- The Then step states the outcome.
Write every number as digits, and no other numbers. Keep to the form, if one is given. Write only \
the scenario."""

_WHOLE_SYSTEM = """\
You write Python step functions for behave. The user gives a Gherkin scenario. Answer with one \
```python block: a small class that models the system, then one function for each step.
- Given functions only store their parameters in the model.
- The method that the When function calls works out the outcome from what is stored.
- Then functions only compare what the model worked out with their parameter.
- Never write a value of the scenario into the code: all values come from the parameters."""

_GLUE_SYSTEM = """\
You write Python step functions for behave. The user gives a Gherkin scenario. Answer with one \
```python block: a function for each step, a comment that works the outcome out with the numbers \
of the scenario, then a small class that models the system.
- Given functions only store each of their parameters in a field of the model.
- The When function calls the one method of the model.
- Then functions only compare what the model worked out with their parameter.
- The method works out the outcome from all the fields, as the comment does. Never write a value \
of the scenario into the class."""

# The order in which solved examples are shown, that of the trials in docs/explanation/yield.md.
_FERRY, _POTTERY_CLASS, _COLD_STORE, _SEED_CATALOGUE = EXAMPLES
_SOLVED = (_POTTERY_CLASS, _SEED_CATALOGUE, _FERRY, _COLD_STORE)


def messages_of_scenario(request: str) -> list[Message]:
    """Ask for the scenario of a cell."""
    return _turns(_SCENARIO_SYSTEM, ((one.request, one.scenario) for one in EXAMPLES), request)


def messages_of_whole(scenario_text: str, heads: Sequence[Head]) -> list[Message]:
    """Ask for a whole block of step functions; the heads are shown."""
    turns = (
        (_with_heads(one.scenario, one.heads), fence("python", one.class_first)) for one in _SOLVED
    )
    return _turns(_WHOLE_SYSTEM, turns, _with_heads(scenario_text, heads))


def messages_of_seeds(scenario_text: str) -> list[Message]:
    """Ask as the prompts `bdd_turns` do, with seed tasks as turns."""
    settings = InstancesSettings()
    prompt = BddTurnsFamily().instances_prompt(
        instruction_for(scenario_text),
        False,
        _solved_seeds(settings.seed_tasks_path, settings.random_seed),
        settings.max_instances_to_generate,
        "chat",
    )
    before = [{"role": str(one.role), "content": one.content} for one in prompt.before]
    return [*before, {"role": "user", "content": prompt.text}]


def with_sum(messages: list[Message], known_sum: str | None) -> list[Message]:
    """Messages whose last one also tells how the outcome follows."""
    if known_sum is None:
        return messages
    *before, last = messages
    return [*before, {**last, "content": with_reasoning(Prompt(last["content"]), known_sum).text}]


def with_faults(messages: list[Message], code: str, ladder: Ladder) -> list[Message]:
    """Messages that show an answer and its faults, as a run with `--repair` does."""
    *before, last = messages
    repair = repair_prompt(Prompt(last["content"]), fence("python", code), ladder)
    turns = [{"role": str(one.role), "content": one.content} for one in repair.before]
    return [*before, *turns, {"role": "user", "content": repair.text}]


def messages_of_glue(scenario_text: str) -> list[Message]:
    """Ask for step functions that the program writes most of, the class last."""
    turns = (
        (fence("gherkin", one.scenario), fence("python", one.functions_first)) for one in _SOLVED
    )
    return _turns(_GLUE_SYSTEM, turns, fence("gherkin", scenario_text))


def messages_of_present(scenario_text: str) -> list[Message]:
    """Ask as the stage `instances` does: one message, with solved seed tasks."""
    settings = InstancesSettings()
    prompt = BddFamily().instances_prompt(
        instruction_for(scenario_text),
        False,
        _solved_seeds(settings.seed_tasks_path, settings.random_seed),
        settings.max_instances_to_generate,
        "chat",
    )
    return [{"role": "user", "content": prompt.text}]


@cache
def _solved_seeds(path: str, random_seed: int) -> tuple[SeedTask, ...]:
    chance = random.Random(f"{random_seed} instances")
    return tuple(chance.sample(load_seeds(path).tasks, SOLVED_EXAMPLES))


def _with_heads(scenario_text: str, heads: Sequence[Head]) -> str:
    code = imports_of(heads) + "\n\n".join(head.code + head.note for head in heads)
    return f"{fence('gherkin', scenario_text)}\n\nHeads:\n\n{fence('python', code)}"


def _turns(system: str, examples: Iterable[tuple[str, str]], request: str) -> list[Message]:
    messages = [{"role": "system", "content": system}]
    for asked, answered in examples:
        messages.append({"role": "user", "content": asked})
        messages.append({"role": "assistant", "content": answered})
    return [*messages, {"role": "user", "content": request}]
