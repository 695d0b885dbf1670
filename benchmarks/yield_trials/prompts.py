"""The messages that ask for a scenario and for its step functions, examples as turns of a chat."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

from selfbehave.bdd.fences import fence
from selfbehave.bdd.ladder import Ladder
from selfbehave.core.records import SeedTask
from selfbehave.prompts.attempts import repair_prompt, with_reasoning
from selfbehave.prompts.base import Family, Prompt
from selfbehave.prompts.bdd import BddFamily, instruction_for
from selfbehave.prompts.bdd_glue import BddGlueFamily
from selfbehave.prompts.bdd_turns import BddTurnsFamily
from selfbehave.prompts.solved_examples import EXAMPLES
from selfbehave.prompts.turns import turns
from selfbehave.seeds.load import load_seeds
from selfbehave.stages.instances import InstancesSettings
from selfbehave.stages.solving import solved_examples

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


def messages_of_scenario(request: str) -> list[Message]:
    """Ask for the scenario of a cell."""
    return _turns(_SCENARIO_SYSTEM, ((one.request, one.scenario) for one in EXAMPLES), request)


def messages_of_whole(scenario_text: str) -> list[Message]:
    """Ask for a whole block of step functions as `bdd_turns` does, without seed tasks."""
    return _of_family(BddTurnsFamily(), scenario_text, ())


def messages_of_seeds(scenario_text: str) -> list[Message]:
    """Ask as the prompts `bdd_turns` do, with seed tasks as turns."""
    return _of_family(BddTurnsFamily(), scenario_text, _solved_seeds())


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
    return [*before, *_messages(repair)]


def messages_of_glue(scenario_text: str) -> list[Message]:
    """Ask for step functions that the program writes most of, as `bdd_glue` does."""
    return _of_family(BddGlueFamily(), scenario_text, ())


def messages_of_present(scenario_text: str) -> list[Message]:
    """Ask as the stage `instances` does: one message, with solved seed tasks."""
    return _of_family(BddFamily(), scenario_text, _solved_seeds())


def _of_family(family: Family, scenario_text: str, solved: Sequence[SeedTask]) -> list[Message]:
    limit = InstancesSettings().max_instances_to_generate
    prompt = family.instances_prompt(instruction_for(scenario_text), False, solved, limit, "chat")
    return _messages(prompt)


@cache
def _solved_seeds() -> list[SeedTask]:
    settings = InstancesSettings()
    return solved_examples(load_seeds(settings.seed_tasks_path).tasks, settings.random_seed)


def _turns(system: str, examples: Iterable[tuple[str, str]], request: str) -> list[Message]:
    return _messages(Prompt(request, before=turns(system, examples)))


def _messages(prompt: Prompt) -> list[Message]:
    before = [{"role": str(one.role), "content": one.content} for one in prompt.before]
    return [*before, {"role": "user", "content": prompt.text}]
