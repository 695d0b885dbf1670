"""Stage 3, instances: inputs and outputs for each instruction, kept raw as they were answered."""

from __future__ import annotations

import random
from collections.abc import Callable, Container, Iterable, Iterator, Sequence

from ..core.records import Dropped, Instruction, RawInstances, SeedTask
from ..engines.base import Completion, Engine, Request
from ..events.stage_report import StageReport
from ..prompts import Family
from .requests import answer_metadata, make_request
from .settings import InstancesSettings

__all__ = ["Instances"]

STAGE = "instances"
SOLVED_EXAMPLES = 2  # seed tasks shown with their output (bdd)
# Low rather than greedy: greedy answers of small models repeat themselves.
TEMPERATURE, TOP_P = 0.7, 0.95


class Instances:
    """The state of instance generation: one request an instruction.

    Args:
        instructions: goes through the instructions anew at each call; with all that is known of
            them they are large, and so are not held in memory.
        classification_tasks: the instructions that are classification tasks.
        keep: takes the answers, in the order of the instructions.
    """

    def __init__(
        self,
        settings: InstancesSettings,
        instructions: Callable[[], Iterable[Instruction]],
        classification_tasks: Container[str],
        seeds: Sequence[SeedTask],
        family: Family,
        engine: Engine,
        keep: Callable[[RawInstances], None],
    ) -> None:
        self._settings = settings
        self._classification_tasks = classification_tasks
        self._family = family
        self._engine = engine
        self._keep = keep
        self._prefixes: dict[int, str] = {}
        self._to_draw = self._wanted(instructions())
        self._to_commit = self._wanted(instructions())
        self.dropped: list[Dropped] = []
        goal = 0
        for instruction in instructions():
            if self._is_wanted(instruction):
                goal += 1
            else:
                is_label = instruction.instruction in classification_tasks
                kind = "a classification task" if is_label else "not a classification task"
                self.dropped.append(Dropped(STAGE, "left_out", instruction.instruction, None, kind))
        # The same examples for every request: an engine can then keep their prefix in its cache.
        chance = random.Random(f"{settings.random_seed} {STAGE}")
        self._solved = chance.sample(list(seeds), min(SOLVED_EXAMPLES, len(seeds)))
        self.report = StageReport(STAGE, "instructions", goal)
        self.report.dropped.update(dropped.reason for dropped in self.dropped)

    def draw(self, index: int) -> Request | None:
        """The request of the next instruction."""
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
        self._prefixes[index] = prompt.prefix
        return make_request(STAGE, index, prompt, self._engine, self._settings, TEMPERATURE, TOP_P)

    def commit(self, request: Request, completion: Completion) -> bool:
        """Keep the whole answer, whatever it is: stage 4 reads it."""
        self.report.count(completion)
        instruction = next(self._to_commit)
        self._keep(
            RawInstances(
                instruction=instruction.instruction,
                raw_instances=self._prefixes.pop(request.index) + completion.text,
                instance_metadata=answer_metadata(request, completion, self._engine),
                instruction_metadata=instruction.metadata,
                most_similar=instruction.most_similar,
                avg_similarity_score=instruction.avg_similarity_score,
            )
        )
        self.report.done += 1
        self.report.accepted += 1
        return True

    def _wanted(self, instructions: Iterable[Instruction]) -> Iterator[Instruction]:
        return (one for one in instructions if self._is_wanted(one))

    def _is_wanted(self, instruction: Instruction) -> bool:
        if instruction.instruction in self._classification_tasks:
            return not self._settings.generation_tasks_only
        return not self._settings.classification_tasks_only
