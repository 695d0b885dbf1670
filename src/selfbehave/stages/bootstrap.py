"""Stage 1, bootstrap: new instructions from the seed tasks, only the novel ones kept."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.errors import SelfBehaveError
from ..core.records import Dropped, Instruction, SeedTask
from ..engines.base import Completion, Engine, Request
from ..events.stage_report import StageReport
from ..novelty.rule import Pool
from ..prompts import Answer, Family, Prompt
from .requests import answer_metadata, make_request
from .settings import BootstrapSettings

__all__ = ["Bootstrap", "NovelInstruction"]

STAGE = "bootstrap"
MACHINE_EXAMPLES = 2  # of a prompt's examples (Wang et al., section 2.2)
MAX_BARREN_REQUESTS = 100  # in a row without a novel instruction: the engine has run dry
TEMPERATURE, TOP_P = 0.8, 0.95


@dataclass(frozen=True)
class NovelInstruction:
    """An instruction that was accepted, and where it comes from."""

    text: str
    request_idx: int
    metadata: dict[str, Any]


class Bootstrap:
    """The state of a bootstrap: the pool, what was accepted and what was dropped.

    `draw` and `commit` are called in the order that `commit_in_order` keeps.
    """

    def __init__(
        self,
        settings: BootstrapSettings,
        seeds: Sequence[SeedTask],
        family: Family,
        engine: Engine,
    ) -> None:
        self._settings = settings
        self._seeds = [task.instruction for task in seeds]
        self._family = family
        self._engine = engine
        self._pool = Pool(self._seeds)
        self._prefixes: dict[int, str] = {}
        self._last_fruitful = -1
        self.accepted: list[NovelInstruction] = []
        self.dropped: list[Dropped] = []
        self.report = StageReport(STAGE, "instructions", settings.num_instructions_to_generate)

    def draw(self, index: int) -> Request | None:
        """The request of an index, its examples drawn from the pool as it stands."""
        if len(self.accepted) >= self._settings.num_instructions_to_generate:
            return None
        chance = random.Random(f"{self._settings.random_seed} {STAGE} {index}")
        wanted = self._settings.num_prompt_instructions
        own = chance.sample(self.accepted, min(MACHINE_EXAMPLES, len(self.accepted), wanted))
        examples = [one.text for one in own]
        examples += chance.sample(self._seeds, min(wanted - len(examples), len(self._seeds)))
        chance.shuffle(examples)
        prompt: Prompt = self._family.bootstrap_prompt(examples, self._engine.api)
        self._prefixes[index] = prompt.prefix
        return make_request(STAGE, index, prompt, self._engine, self._settings, TEMPERATURE, TOP_P)

    def needed(self) -> int:
        """How many more answers it will probably take, by what those so far have yielded."""
        missing = self._settings.num_instructions_to_generate - len(self.accepted)
        yielded = (len(self.accepted) + 1) / (self.report.requests + 1)
        return math.ceil(missing / yielded)

    def commit(self, request: Request, completion: Completion) -> bool:
        """Keep an answer's novel instructions; return whether more are wanted."""
        self.report.count(completion)
        text = self._prefixes.pop(request.index) + completion.text
        candidates = self._family.candidates(Answer(text, completion.is_truncated))
        if not candidates:
            self._drop("no_candidate", text, request)
        for candidate in candidates:
            if candidate.fault:
                self._drop(candidate.fault, candidate.instruction, request, candidate.detail)
            else:
                self._consider(candidate.instruction, request, completion)
        self.report.done = self.report.accepted = len(self.accepted)
        if request.index - self._last_fruitful >= MAX_BARREN_REQUESTS:
            raise SelfBehaveError(
                f"no novel instruction in the last {MAX_BARREN_REQUESTS} requests; "
                f"{len(self.accepted)} of {self._settings.num_instructions_to_generate} accepted",
                mend="ask for fewer with --num_instructions_to_generate, or use a better engine, "
                "more seed tasks or a higher --temperature",
            )
        return len(self.accepted) < self._settings.num_instructions_to_generate

    def instructions(self) -> Iterator[Instruction]:
        """What was accepted, each with how it compares with all that was in the pool before it.

        That takes no part in the decision, and is told of all together because it is several
        times as fast.
        """
        compared = self._pool.comparisons(len(self._seeds))
        for one, novelty in zip(self.accepted, compared, strict=True):
            yield Instruction(
                instruction=one.text,
                most_similar=novelty.most_similar,
                avg_similarity_score=novelty.average,
                metadata=one.metadata,
                request_idx=one.request_idx,
            )

    def _consider(self, instruction: str, request: Request, completion: Completion) -> None:
        if len(self.accepted) >= self._settings.num_instructions_to_generate:
            self._drop("surplus", instruction, request)
            return
        nearest = self._pool.admit(instruction)
        if nearest is not None:
            self._drop("not_novel", instruction, request, f"ROUGE-L {nearest.score:.4f}")
            return
        metadata = answer_metadata(request, completion, self._engine)
        self.accepted.append(NovelInstruction(instruction, request.index, metadata))
        self._last_fruitful = request.index

    def _drop(self, reason: str, text: str, request: Request, detail: str | None = None) -> None:
        self.dropped.append(Dropped(STAGE, reason, text, request.index, detail))
        self.report.dropped[reason] += 1
