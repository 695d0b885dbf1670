"""What a prompt family is: the prompts of each stage and the reading of their answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..core.records import Instance, SeedTask
from ..engines.base import Api

__all__ = ["Answer", "Api", "Candidate", "Family", "Parsed", "Prompt"]


@dataclass(frozen=True)
class Prompt:
    """A prompt for a completions endpoint, or one user message for a chat endpoint.

    Attributes:
        text: the prompt.
        prefix: the beginning of the answer that the prompt already holds; "" for chat.
        stop: texts that end the answer.
        grammar: makes a llama.cpp grammar (GBNF) of the answer, for engines that take one: it
            may cost more than all the rest of a request. It is used instead of `stop`, since it
            could produce such a text itself.
        max_tokens: the stage's default for the longest answer.
    """

    text: str
    prefix: str = ""
    stop: tuple[str, ...] = ()
    grammar: Callable[[], str | None] | None = None
    max_tokens: int = 1024


@dataclass(frozen=True)
class Answer:
    """An answer to be read: the prompt's prefix and what the engine added to it."""

    text: str
    is_truncated: bool


@dataclass(frozen=True)
class Candidate:
    """A new instruction found in an answer.

    `fault` is the reason to drop it that its family found, None if there is none.
    """

    instruction: str
    fault: str | None = None
    detail: str | None = None


@dataclass(frozen=True)
class Parsed:
    """An instance found in an answer, or text that is none and the reason."""

    instance: Instance | None
    text: str
    fault: str | None = None


class Family(Protocol):
    """The prompts of each stage, and how their answers are read. Stateless."""

    name: str

    def bootstrap_prompt(self, examples: Sequence[str], api: Api) -> Prompt:
        """Ask for new instructions after some example instructions."""
        ...

    def candidates(self, answer: Answer) -> list[Candidate]:
        """Find the new instructions in an answer."""
        ...

    def certain_class(self, instruction: str) -> bool | None:
        """Whether it is a classification task where a rule is certain, else None."""
        ...

    def classify_prompt(self, instruction: str, api: Api) -> Prompt:
        """Ask whether an instruction is a classification task with finite labels: Yes or No."""
        ...

    def instances_prompt(
        self,
        instruction: str,
        is_classification: bool,
        solved: Sequence[SeedTask],
        limit: int,
        api: Api,
    ) -> Prompt:
        """Ask for instances of an instruction, `solved` being seed tasks to show the way."""
        ...

    def instances(self, instruction: str, answer: Answer, is_classification: bool) -> list[Parsed]:
        """Find the instances in an answer."""
        ...
