"""Solve instructions: attempts at the step functions of each, until one is what the aim wants."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from .. import prompts
from ..bdd.faults import Fault, FaultCode
from ..bdd.ladder import Ladder, Rung
from ..bdd.verdicts import Row
from ..core.records import Attempt, Dropped, Instruction, RawInstances, SeedTask
from ..engines.base import Completion, Engine, Request
from ..events.stage_report import StageReport
from ..prompts.attempts import repair_prompt, with_reasoning
from ..prompts.bdd import has_scenario
from ..stories.story import story_source
from .aim import RUNG_BY_API, aim_of, checking_for
from .base import Ask
from .parsing import valid_instances
from .requests import Sampling, answer_metadata, known_of, make_request
from .together import Together, writer_for

__all__ = ["RawAnswers", "Solving", "Tried", "solved_examples"]

NAME = "instances"  # of the stage
SOLVED_EXAMPLES = 2  # seed tasks shown with their output (bdd)
# Low rather than 0: with greedy decoding, small models repeat themselves.
TEMPERATURE, TOP_P = 0.7, 0.95

_NO_ROW = Ladder(Rung.NONE, False, False, (Fault(FaultCode.PYTHON_NOT_FOUND),))


def solved_examples(seeds: Sequence[SeedTask], random_seed: int) -> list[SeedTask]:
    """The seed tasks that every request shows, the same so that an engine can cache them."""
    chance = random.Random(f"{random_seed} {NAME}")
    return chance.sample(list(seeds), min(SOLVED_EXAMPLES, len(seeds)))


class _Settings(Sampling, Protocol):
    """The fields of the stage's settings that matter here."""

    @property
    def attempts(self) -> int: ...
    @property
    def repair(self) -> bool: ...
    @property
    def min_rung(self) -> str | None: ...
    @property
    def top_rung(self) -> str: ...
    @property
    def allow_idle(self) -> bool: ...
    @property
    def max_instances_to_generate(self) -> int: ...
    @property
    def generation_tasks_only(self) -> bool: ...
    @property
    def classification_tasks_only(self) -> bool: ...


@dataclass(frozen=True)
class Solving:
    """An instruction to be solved: an item of the generation."""

    index: int
    instruction: Instruction
    prompt: prompts.Prompt


@dataclass(frozen=True)
class Tried:
    """An attempt: the answer, and the verdict on its best row; None if there is nothing to judge.

    Attributes:
        request: the last one, if the answer took several.
        temperature: of the first one.
        completion: with the tokens of all of them.
        parts: the completions of all of them.
        repairs: the number of the attempt that it repairs; None if it was made afresh.
    """

    request: Request
    temperature: float
    completion: Completion
    parts: Sequence[Completion]
    text: str
    ladder: Ladder | None
    repairs: int | None


class RawAnswers:
    """Instances of instructions; the answers are stored unparsed.

    An instruction with a scenario is attempted until a row of an answer is what the aim wants, or
    until there have been enough attempts. The best attempt is kept. Any other instruction takes one
    request.

    Args:
        instructions: iterates over the instructions anew at each call. They are large, and there
            may be too many to hold in memory.
        classification_tasks: the instructions that are classification tasks.
        in_flight: how many requests the engine answers at once.
        judge: climbs with rows as far as a rung.
        keep: called with each kept answer and its attempts, in the order of the instructions.
    """

    def __init__(
        self,
        settings: _Settings,
        instructions: Callable[[], Iterable[Instruction]],
        classification_tasks: Container[str],
        seeds: Sequence[SeedTask],
        family: prompts.Family,
        engine: Engine,
        in_flight: int,
        judge: Callable[[Sequence[Row], Rung], Awaitable[list[Ladder]]],
        keep: Callable[[RawInstances, Sequence[Attempt]], None],
    ) -> None:
        self._settings = settings
        self._classification_tasks = classification_tasks
        self._family = family
        self._engine = engine
        self._together = Together(in_flight)
        self._writer = writer_for(family, engine)
        self._judge = judge
        self._keep = keep
        self._aim = aim_of(settings, RUNG_BY_API[engine.api])
        self._checking = checking_for(self._aim, Rung.named(settings.top_rung))
        self._to_draw = self._wanted(instructions())
        self.dropped: list[Dropped] = []
        goal = 0
        for instruction in instructions():
            if self._is_wanted(instruction):
                goal += 1
            else:
                is_label = instruction.instruction in classification_tasks
                kind = "a classification task" if is_label else "not a classification task"
                text, story = instruction.instruction, story_source(instruction.metadata)
                self.dropped.append(Dropped(NAME, "left_out", text, None, kind, story or None))
        self._solved = solved_examples(seeds, settings.random_seed)
        self.report = StageReport(NAME, "instructions", goal)
        self.report.dropped.update(dropped.reason for dropped in self.dropped)

    def draw(self, index: int) -> Solving | None:
        """The next instruction, with the prompt of its first attempt."""
        task = next(self._to_draw, None)
        if task is None:
            return None
        prompt = self._family.instances_prompt(
            task.instruction,
            task.instruction in self._classification_tasks,
            self._solved,
            self._settings.max_instances_to_generate,
            self._engine.api,
        )
        return Solving(index, task, prompt)

    async def answer(self, item: Solving, ask: Ask) -> list[Tried]:
        """Attempt an instruction until the aim is reached, or as often as the settings allow."""
        tried: list[Tried] = []
        while True:
            prompt, repairs = self._prompt_of_attempt(item, tried)
            request = make_request(
                NAME,
                item.index,
                prompt,
                self._engine,
                self._settings,
                TEMPERATURE,
                TOP_P,
                len(tried),
            )
            writing = self._writing(item, repairs, len(tried))
            if writing is None:
                completion = await ask(request)
                last, parts = request, [completion]
                text = prompt.prefix + completion.text
            else:
                last, completion, parts = await self._together.write(writing, request, ask)
                text = completion.text
            ladder = await self._verdict(item.instruction.instruction, text, completion)
            temperature = request.temperature
            tried.append(Tried(last, temperature, completion, parts, text, ladder, repairs))
            is_reached = ladder is None or self._aim.lack(ladder) is None
            if is_reached or len(tried) >= self._settings.attempts:
                return tried

    def commit(self, item: Solving, tried: list[Tried]) -> bool:
        """Keep the best attempt, whole: `prepare` parses it."""
        best = max(range(len(tried)), key=lambda place: self._rank(tried[place]))
        kept = tried[best]
        metadata = [self._metadata(one) for one in tried]
        instruction = item.instruction
        for one in tried:
            for completion in one.parts:
                self.report.count(completion)
        self.report.attempts += len(tried)
        if kept.ladder is not None:
            self.report.reached[str(kept.ladder.rung)] += 1
            self.report.proven += self._aim.lack(kept.ladder) is None
        self._keep(
            RawInstances(
                instruction=instruction.instruction,
                raw_instances=kept.text,
                instance_metadata=metadata[best] | {"attempt": best},
                instruction_metadata=instruction.metadata,
                most_similar=instruction.most_similar,
                avg_similarity_score=instruction.avg_similarity_score,
            ),
            [
                Attempt(
                    instruction=instruction.instruction,
                    attempt=place,
                    repairs=one.repairs,
                    rung=None if one.ladder is None else str(one.ladder.rung),
                    faults=tuple(str(f.code) for f in one.ladder.faults) if one.ladder else (),
                    is_kept=place == best,
                    raw_instances=one.text,
                    metadata=metadata[place] | {"temperature": one.temperature},
                )
                for place, one in enumerate(tried)
            ],
        )
        self.report.done += 1
        self.report.accepted += 1
        return True

    def _prompt_of_attempt(
        self, item: Solving, tried: Sequence[Tried]
    ) -> tuple[prompts.Prompt, int | None]:
        """The prompt of the next attempt, and the number of the attempt that it repairs."""
        if not tried:
            return item.prompt, None
        last = tried[-1]
        # A repair follows a fresh attempt only: the prompt would grow with each further one.
        if (
            self._settings.repair
            and self._engine.api == "chat"
            and last.repairs is None
            and last.ladder is not None
        ):
            return repair_prompt(item.prompt, last.text, last.ladder), len(tried) - 1
        if self._writer is not None:
            return item.prompt, None  # the answer itself shows how the outcome follows
        reasoning = known_of(item.instruction.metadata).sum
        return (with_reasoning(item.prompt, reasoning) if reasoning else item.prompt), None

    def _writing(self, item: Solving, repairs: int | None, attempt: int) -> prompts.Writing | None:
        """The answer, if the program writes it together with the engine; a repair it does not."""
        family = self._writer
        if family is None or repairs is not None:
            return None
        known = known_of(item.instruction.metadata)
        return family.writing(item.instruction.instruction, known, attempt)

    async def _verdict(self, instruction: str, text: str, completion: Completion) -> Ladder | None:
        """The verdict on the best row in an answer; None for an instruction without a scenario."""
        if not has_scenario(instruction):
            return None
        answer = prompts.Answer(text, completion.is_truncated)
        valid, _ = valid_instances(self._family, instruction, answer, False)
        rows = [(instruction, one.input, one.output) for one in valid]
        if not rows:
            return _NO_ROW
        return max(await self._judge(rows, self._checking.top), key=self._aim.rank)

    def _rank(self, tried: Tried) -> tuple[int, int, int]:
        if tried.ladder is None:
            return (0, 0, 0)
        return (self._aim.lack(tried.ladder) is None, *self._aim.rank(tried.ladder))

    def _metadata(self, tried: Tried) -> dict[str, Any]:
        return answer_metadata(
            tried.request, tried.completion, self._engine
        ) | prompts.family_metadata(self._family)

    def _wanted(self, instructions: Iterable[Instruction]) -> Iterator[Instruction]:
        return (one for one in instructions if self._is_wanted(one))

    def _is_wanted(self, instruction: Instruction) -> bool:
        if instruction.instruction in self._classification_tasks:
            return not self._settings.generation_tasks_only
        return not self._settings.classification_tasks_only
