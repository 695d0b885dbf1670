"""The requests for new instructions, and what is kept of their answers."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

from .. import prompts
from ..core.errors import SelfBehaveError
from ..core.records import Dropped, Instruction, SeedTask
from ..events.events import Accepted, Emit, ignore
from ..events.stage_report import StageReport
from ..evolution.family import descent_of, scenario_id
from ..prompts.base import WritesCells, WritesChanges, WritesStories
from ..stories.story import story_source
from .asking import Asked, asked_for_cell, asked_for_change, asked_for_story, asked_plainly
from .base import Block, OneRequestEach
from .cell_draws import CellDraws
from .novelty_rules import OFF, NoveltyRules
from .requests import Sampling, answer_metadata, make_request

if TYPE_CHECKING:
    from ..axes.cells import Cell
    from ..axes.table import Axes
    from ..engines.base import Completion, Engine, Request
    from ..novelty.meaning import NearestMeaning
    from ..stories.kinds import StoryRequest
    from ..stories.story import Story
    from .change_draws import ChangeDraws

__all__ = ["NAME", "NO_CANDIDATE", "NO_TEXT", "NewInstructions", "NovelInstruction"]

NAME = "bootstrap"
MACHINE_EXAMPLES = 2  # of a prompt's examples (Wang et al., section 2.2)
MAX_BARREN_REQUESTS = 100  # consecutive requests without a novel instruction, then the run stops
TEMPERATURE, TOP_P = 0.8, 0.95
# The reasons to drop an answer without a candidate: it has text, or it has none at all.
NO_CANDIDATE, NO_TEXT = "no_candidate", "no_text"


class _Settings(Sampling, Protocol):
    """The fields of `BootstrapSettings` that requests are made with."""

    @property
    def num_instructions_to_generate(self) -> int: ...
    @property
    def num_prompt_instructions(self) -> int: ...
    @property
    def evolve(self) -> float: ...
    @property
    def novelty_of(self) -> str: ...
    @property
    def paraphrases(self) -> str: ...


@dataclass(frozen=True)
class NovelInstruction:
    """An accepted instruction, and where it comes from; `cell` if it was asked for with one."""

    text: str
    request_idx: int
    metadata: dict[str, Any]
    cell: Cell | None = None


class NewInstructions(OneRequestEach):
    """The requests for new instructions, and the results: the pool, the accepted, the dropped.

    Args:
        emit: takes an event for each instruction that is accepted or dropped.
        blocks: the blocks of the run that ended, in order.
        axes: the table that scenarios are steered by; None for none.
        stories: what scenarios are asked for with; empty for the axes or the plain method.
    """

    def __init__(
        self,
        settings: _Settings,
        seeds: Sequence[SeedTask],
        family: prompts.Family,
        engine: Engine,
        emit: Emit = ignore,
        blocks: Sequence[Block] = (),
        axes: Axes | None = None,
        stories: Sequence[Story] = (),
    ) -> None:
        self._blocks = blocks
        self._settings = settings
        self._seeds = [task.instruction for task in seeds]
        self._family = family
        self._engine = engine
        self._emit = emit
        self._stories = stories
        self._story_requests = _requests_of(stories)
        self._cells: CellDraws | None = None
        shown: Sequence[str] = ()
        if stories:
            assert isinstance(family, WritesStories), "refused before"
            shown = family.story_instructions
        elif axes is not None and isinstance(family, WritesCells):
            self._cells = CellDraws(axes, settings.random_seed, blocks)
            shown = family.fixed_instructions
        self._changes: ChangeDraws | None = None
        self._families: dict[str, list[str]] = {}  # the accepted instructions of each
        if settings.evolve:
            # Imported only when it is asked for: it reads scenarios, which is slow to import.
            from .change_draws import ChangeDraws

            assert isinstance(family, WritesChanges), "refused before"
            self._changes = ChangeDraws(settings.evolve, settings.random_seed)
            shown = [*dict.fromkeys([*shown, *family.evolution_instructions])]
        known = [*self._seeds, *shown]
        self._rules = NoveltyRules(known, settings.novelty_of, settings.paraphrases)
        self._nearest: list[NearestMeaning | None] | None = None  # once all are accepted
        self._asked: dict[int, Asked] = {}
        self._is_out_of_stories = False
        self._last_fruitful = -1
        self._textless: Counter[str] = Counter()  # answers since then, by finish reason
        self.accepted: list[NovelInstruction] = []
        self.dropped: list[Dropped] = []
        self.report = StageReport(NAME, "instructions", settings.num_instructions_to_generate)

    def draw(self, index: int) -> Request | None:
        """The request of an index. Its examples are drawn from the current pool."""
        if len(self.accepted) >= self._settings.num_instructions_to_generate:
            return None
        chance = random.Random(f"{self._settings.random_seed} {NAME} {index}")
        asked = self._change(index) or self._new(index, chance)
        if asked is None:
            self._is_out_of_stories = True
            return None
        self._asked[index] = asked
        return make_request(
            NAME, index, asked.prompt, self._engine, self._settings, TEMPERATURE, TOP_P
        )

    def _new(self, index: int, chance: random.Random) -> Asked | None:
        """A new scenario, by the method of the run; None once the stories are used up."""
        if self._stories:
            return self._story()
        if self._cells is not None:
            return self._cell(self._cells, index, chance)
        return self._plain(chance)

    def _change(self, index: int) -> Asked | None:
        """A changed scenario, if this request asks for one and there is a parent."""
        if self._changes is None:
            return None
        assert isinstance(self._family, WritesChanges), "refused before"
        drawn = self._changes.draw(index, self._examples_now())
        if drawn is None:
            return None
        parent, request, descent = drawn
        place = {
            name: value
            for name, value in story_source(parent.metadata).items()
            if name not in ("kind", "criterion")  # of the parent's scenario alone
        }
        return asked_for_change(self._family, request, descent, place)

    def _story(self) -> Asked | None:
        assert isinstance(self._family, WritesStories), "refused before"
        request = next(self._story_requests, None)
        return None if request is None else asked_for_story(self._family, request)

    def _cell(self, cells: CellDraws, index: int, chance: random.Random) -> Asked:
        assert isinstance(self._family, WritesCells), "cells are drawn for such a family"
        cell = cells.draw(index, self.accepted)
        proven = self._proven_now()
        own = chance.sample(proven, min(MACHINE_EXAMPLES, len(proven)))
        examples = [(one.cell.request, one.text) for one in own if one.cell]
        return asked_for_cell(self._family, cell, examples)

    def _plain(self, chance: random.Random) -> Asked:
        wanted = self._settings.num_prompt_instructions
        known = self._examples_now()
        own = chance.sample(known, min(MACHINE_EXAMPLES, len(known), wanted))
        examples = [one.text for one in own]
        examples += chance.sample(self._seeds, min(wanted - len(examples), len(self._seeds)))
        chance.shuffle(examples)
        return asked_plainly(self._family, examples, self._engine.api)

    def tell_changes(self) -> None:
        """Note in the report how many of the accepted instructions are changed ones, and how."""
        made = Counter(descent_of(one.text, one.metadata).operation for one in self.accepted)
        del made[""]
        if self._changes is not None:
            kinds = ", ".join(f"{name} {count}" for name, count in sorted(made.items()))
            self.report.notes.append(
                f"{made.total()} of {len(self.accepted)} are changed from an earlier one"
                f"{f': {kinds}' if kinds else ''}"
            )

    def tell_used_up(self) -> None:
        """Note in the report that the stories ended before the goal, if they did."""
        report = self.report
        if self._is_out_of_stories and report.done < report.goal and report.budget_end is None:
            report.is_used_up = True
            report.notes.append(
                f"the stories are used up: {len(self._stories)} stories were asked for "
                f"{report.requests} scenarios, and {report.accepted} of them are kept"
            )

    def needed(self) -> int:
        """The number of further answers probably needed, estimated from the yield so far."""
        missing = self._settings.num_instructions_to_generate - len(self.accepted)
        yielded = (len(self.accepted) + 1) / (self.report.requests + 1)
        return math.ceil(missing / yielded)

    def commit(self, request: Request, completion: Completion) -> bool:
        """Keep an answer's novel instructions; return whether more are wanted."""
        self.report.count(completion)
        asked = self._asked.pop(request.index)
        text = asked.prompt.prefix + completion.text
        candidates = asked.read(prompts.Answer(text, completion.is_truncated))
        if not candidates:
            self._drop_whole(text, asked, request, completion)
        for candidate in candidates:
            if candidate.fault:
                self._drop(candidate.fault, candidate.instruction, asked, request, candidate.detail)
            else:
                self._consider(candidate.instruction, asked, request, completion)
        if self._cells is not None and asked.cell is not None:
            has_yielded = self._last_fruitful == request.index
            self._cells.note_ended(asked.cell, has_yielded=has_yielded)
        self.report.done = self.report.accepted = len(self.accepted)
        if request.index - self._last_fruitful >= MAX_BARREN_REQUESTS:
            textless = "".join(
                f"; {count} answers had no text ({reason})"
                for reason, count in self._textless.most_common()
            )
            raise SelfBehaveError(
                f"no novel instruction in the last {MAX_BARREN_REQUESTS} requests{textless}; "
                f"{len(self.accepted)} of {self._settings.num_instructions_to_generate} accepted",
                mend="ask for fewer with --num_instructions_to_generate, or use a better engine, "
                "more seed tasks or a higher --temperature",
            )
        return len(self.accepted) < self._settings.num_instructions_to_generate

    def instructions(self) -> Iterator[Instruction]:
        """The accepted instructions, each with its similarity to all earlier texts of the pool.

        The similarity is only for the output file. Computing it for all instructions together is
        several times as fast.
        """
        compared = self._rules.comparisons()
        nearest = self._nearest_meanings() or [None] * len(self.accepted)
        for one, likeness, near in zip(self.accepted, compared, nearest, strict=True):
            yield Instruction(
                instruction=one.text,
                most_similar=likeness.most_similar,
                avg_similarity_score=likeness.average,
                metadata=one.metadata | ({"nearest_meaning": asdict(near)} if near else {}),
                request_idx=one.request_idx,
            )

    def tell_alike(self) -> None:
        """Note in the report how many accepted instructions are alike in meaning, if asked for."""
        if self._settings.paraphrases != OFF:
            # Imported only when it is asked for: it needs numpy, and help texts come without it.
            from ..novelty.meaning import LIKE

            alike = sum(one is not None and one.cosine > LIKE for one in self._nearest_meanings())
            self.report.notes.append(
                f"{alike} of {len(self.accepted)} are like an earlier scenario in meaning "
                f"(cosine above {LIKE})"
            )

    def _nearest_meanings(self) -> list[NearestMeaning | None]:
        """The nearest scenario before each accepted instruction; empty if this is off."""
        if self._nearest is None:
            self._nearest = list(self._rules.nearest_meanings())
        return self._nearest

    def _examples_now(self) -> Sequence[NovelInstruction]:
        """The accepted instructions that later requests may show or change.

        Where it is known what was proven in earlier blocks, these alone.
        """
        return self._proven_now() if self._blocks else self.accepted

    def _proven_now(self) -> list[NovelInstruction]:
        """The instructions proven in the blocks that ended before the present one."""
        ended = [block for block in self._blocks if block.goal <= len(self.accepted)]
        proven = ended[-1].proven if ended else frozenset()
        return [one for one in self.accepted if one.text in proven]

    def _consider(
        self, instruction: str, asked: Asked, request: Request, completion: Completion
    ) -> None:
        if len(self.accepted) >= self._settings.num_instructions_to_generate:
            self._drop("surplus", instruction, asked, request)
            return
        kin = self._families.get(asked.family, ()) if asked.family else ()
        refusal = self._rules.admit(instruction, kin)
        if refusal is not None:
            self._drop(refusal.reason, instruction, asked, request, refusal.detail)
            return
        metadata = answer_metadata(request, completion, self._engine) | dict(asked.metadata)
        self.accepted.append(NovelInstruction(instruction, request.index, metadata, asked.cell))
        if self._changes is not None:
            family = asked.family or scenario_id(instruction)
            self._families.setdefault(family, []).append(instruction)
        self._emit(Accepted(NAME, instruction, None, request.index))
        self._last_fruitful = request.index
        self._textless.clear()

    def _drop_whole(
        self, text: str, asked: Asked, request: Request, completion: Completion
    ) -> None:
        """Drop an answer without a candidate; an answer without text has its finish reason."""
        if completion.text.strip():
            self._drop(NO_CANDIDATE, text, asked, request)
        else:
            self._textless[completion.finish_reason] += 1
            self._drop(NO_TEXT, text, asked, request, completion.finish_reason)

    def _drop(
        self, reason: str, text: str, asked: Asked, request: Request, detail: str | None = None
    ) -> None:
        story = asked.metadata.get("story")
        dropped = Dropped(NAME, reason, text, request.index, detail, story)
        self.dropped.append(dropped)
        self.report.dropped[reason] += 1
        self._emit(dropped)


def _requests_of(stories: Sequence[Story]) -> Iterator[StoryRequest]:
    if stories:
        # Imported only when stories are asked for, as all that not every run needs.
        from ..stories.kinds import story_requests

        yield from story_requests(stories)
