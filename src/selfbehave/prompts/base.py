"""The protocol of a prompt family: it makes the prompts of each stage and parses the answers."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from ..core.records import Instance, SeedTask
from ..engines.base import Api, Message

__all__ = [
    "Answer",
    "Api",
    "Candidate",
    "Family",
    "Known",
    "Parsed",
    "Prompt",
    "Segment",
    "WritesCells",
    "WritesChanges",
    "WritesStories",
    "WritesTogether",
    "Writing",
]


@dataclass(frozen=True)
class Prompt:
    """A prompt for a completions endpoint, or the messages for a chat endpoint.

    Attributes:
        text: the prompt; for a chat, the last user message.
        before: for a chat, the messages before it: a system message, and examples as turns.
        prefix: the beginning of the answer that is already part of the prompt; "" for chat.
        stop: texts that end the answer.
        grammar: a function that makes a llama.cpp grammar (GBNF) of the answer, for engines that
            support grammars. It is called only when needed, because it may take longer than the
            rest of a request. With a grammar, `stop` is not used: an answer that follows the
            grammar may contain such a text.
        max_tokens: the stage's default limit for an answer.
        temperatures: the default of each attempt, the last one for all further ones; empty for
            the stage's own.
    """

    text: str
    prefix: str = ""
    stop: tuple[str, ...] = ()
    grammar: Callable[[], str | None] | None = None
    max_tokens: int = 1024
    before: tuple[Message, ...] = ()
    temperatures: tuple[float, ...] = ()


@dataclass(frozen=True)
class Answer:
    """An answer to parse: the prompt's prefix and the engine's completion."""

    text: str
    is_truncated: bool


@dataclass(frozen=True)
class Segment:
    """A part of an answer that the program begins and the model goes on with.

    Attributes:
        begun: the answer so far. It should end where a token ends.
        stop: texts that end the segment.
        max_tokens: of the segment, at most.
        retry: how often it was asked before. Each time the temperature is higher, and the seed
            another one.
    """

    begun: str
    stop: tuple[str, ...]
    max_tokens: int
    retry: int = 0

    @property
    def hotter(self) -> float:
        """What is added to the temperature of the attempt."""
        return 0.4 * self.retry


# Asks for the segments of an answer one after another; gives the answer, or None if it fails.
Writing = Generator[Segment, Answer, str | None]


@dataclass(frozen=True)
class Candidate:
    """A new instruction found in an answer.

    `fault` is the family's reason to drop the candidate, or None.
    """

    instruction: str
    fault: str | None = None
    detail: str | None = None


@dataclass(frozen=True)
class Parsed:
    """An instance found in an answer, or text that is not an instance, with the reason."""

    instance: Instance | None
    text: str
    fault: str | None = None


class Family(Protocol):
    """The prompts of each stage, and the parsers of their answers. Stateless."""

    name: str

    def bootstrap_prompt(self, examples: Sequence[str], api: Api) -> Prompt:
        """Ask for new instructions after some example instructions."""
        ...

    def candidates(self, answer: Answer) -> list[Candidate]:
        """Find the new instructions in an answer."""
        ...

    def certain_class(self, instruction: str) -> bool | None:
        """Whether a rule says for certain that this is a classification task; None if unsure."""
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
        """Ask for instances of an instruction; `solved` are seed tasks to show as examples."""
        ...

    def instances(self, instruction: str, answer: Answer, is_classification: bool) -> list[Parsed]:
        """Find the instances in an answer."""
        ...


class WritesScreened(Protocol):
    """A family that writes one scenario a request, for those who know what it must hold."""

    def screened_candidates(
        self,
        answer: Answer,
        form: Callable[[str], str],
        screen: Callable[[str], ScreenFault | None],
    ) -> list[Candidate]:
        """The candidates in an answer; a scenario that the screen refuses has its fault.

        Args:
            form: gives a scenario the form that was asked for.
            screen: says what keeps a scenario from being solved.
        """
        ...


@runtime_checkable
class WritesCells(WritesScreened, Protocol):
    """A family that can ask for the scenario of a cell of the axes."""

    def cell_prompt(self, request: str, examples: Sequence[tuple[str, str]]) -> Prompt:
        """Ask for the scenario of a cell.

        Args:
            request: the cell, as the model reads it.
            examples: requests of other cells with the instructions that came of them.
        """
        ...

    @property
    def fixed_instructions(self) -> Sequence[str]:
        """The instructions of the scenarios that these prompts show: a copy is not novel."""
        ...


@runtime_checkable
class WritesStories(WritesScreened, Protocol):
    """A family that can ask for a scenario of a user's story."""

    def story_prompt(self, request: str) -> Prompt:
        """Ask for a scenario of a story.

        Args:
            request: the story with the rule to show, as the model reads it.
        """
        ...

    @property
    def story_instructions(self) -> Sequence[str]:
        """The instructions of the scenarios that these prompts show: a copy is not novel."""
        ...


@runtime_checkable
class WritesChanges(WritesScreened, Protocol):
    """A family that can ask for a changed scenario of the same system."""

    def evolution_prompt(self, request: str) -> Prompt:
        """Ask for a changed scenario.

        Args:
            request: the scenario and the change, as the model reads them.
        """
        ...

    @property
    def evolution_instructions(self) -> Sequence[str]:
        """The instructions of the scenarios that these prompts show: a copy is not novel."""
        ...


@runtime_checkable
class WritesTogether(Protocol):
    """A family whose answers to scenarios the program and the model write together."""

    def writing(self, instruction: str, known: Known, attempt: int) -> Writing | None:
        """The answer to an instruction; None if the model writes it alone.

        Args:
            known: what the program knows of the scenario's outcome.
            attempt: at this instruction, from 0.
        """
        ...


@dataclass(frozen=True)
class Known:
    """What the program knows of a scenario whose values it drew.

    Attributes:
        sum: how the outcome follows from the values, such as "30 + (5 - 2) * 8 = 54".
        first_row: of an outline's Examples, the values that the sum means, by column.
    """

    sum: str | None = None
    first_row: Mapping[str, str] = field(default_factory=dict)


class ScreenFault(Protocol):
    """Why a scenario is not what was asked for: a code, and a detail for people, or ""."""

    @property
    def code(self) -> str: ...
    @property
    def detail(self) -> str: ...
