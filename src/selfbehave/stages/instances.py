"""Stage 3, instances: inputs and outputs for each instruction, kept raw as they were answered."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from ..engines.protocol import Completion, Engine, Request
from ..prompts import Family
from ..records import Dropped, Instruction, RawInstances, SeedTask
from ..settings import InstancesSettings
from .report import StageReport
from .requests import answer_metadata, make_request

__all__ = ["Instances"]

STAGE = "instances"
SOLVED_EXAMPLES = 2  # seed tasks shown with their output (bdd)
# Low rather than greedy: greedy answers of small models repeat themselves.
TEMPERATURE, TOP_P = 0.7, 0.95


class Instances:
    """The state of instance generation: one request an instruction."""

    def __init__(
        self,
        settings: InstancesSettings,
        instructions: Sequence[Instruction],
        is_classification: Mapping[str, bool],
        seeds: Sequence[SeedTask],
        family: Family,
        engine: Engine,
    ) -> None:
        self._settings = settings
        self._is_classification = is_classification
        self._family = family
        self._engine = engine
        self._prefixes: dict[int, str] = {}
        self._instructions: list[Instruction] = []
        self.dropped: list[Dropped] = []
        self.raw: list[RawInstances] = []
        for instruction in instructions:
            is_label = is_classification.get(instruction.instruction, False)
            if (is_label and settings.generation_tasks_only) or (
                not is_label and settings.classification_tasks_only
            ):
                kind = "a classification task" if is_label else "not a classification task"
                self.dropped.append(Dropped(STAGE, "left_out", instruction.instruction, None, kind))
            else:
                self._instructions.append(instruction)
        # The same examples for every request: an engine can then keep their prefix in its cache.
        chance = random.Random(f"{settings.random_seed} {STAGE}")
        self._solved = chance.sample(list(seeds), min(SOLVED_EXAMPLES, len(seeds)))
        self.report = StageReport(STAGE, "instructions", len(self._instructions))
        self.report.dropped.update(dropped.reason for dropped in self.dropped)

    def draw(self, index: int) -> Request | None:
        """The request of the index-th instruction."""
        if index >= len(self._instructions):
            return None
        instruction = self._instructions[index].instruction
        prompt = self._family.instances_prompt(
            instruction,
            self._is_classification.get(instruction, False),
            self._solved,
            self._settings.max_instances_to_generate,
            self._engine.api,
        )
        self._prefixes[index] = prompt.prefix
        return make_request(STAGE, index, prompt, self._engine, self._settings, TEMPERATURE, TOP_P)

    def commit(self, request: Request, completion: Completion) -> bool:
        """Keep the whole answer, whatever it is: stage 4 reads it."""
        self.report.count(completion)
        instruction = self._instructions[request.index]
        self.raw.append(
            RawInstances(
                instruction=instruction.instruction,
                raw_instances=self._prefixes.pop(request.index) + completion.text,
                instance_metadata=answer_metadata(request, completion, self._engine),
                instruction_metadata=instruction.metadata,
                most_similar=instruction.most_similar,
                avg_similarity_score=instruction.avg_similarity_score,
            )
        )
        self.report.done = self.report.accepted = len(self.raw)
        return True
