"""Stage 2, classify: is an instruction a classification task with a finite set of labels?"""

from __future__ import annotations

from collections.abc import Sequence

from ..engines.protocol import Completion, Engine, Request
from ..prompts import Family
from ..records import Classification, is_yes
from ..settings import ClassifySettings
from .report import StageReport
from .requests import answer_metadata, make_request

__all__ = ["Classify", "decide_by_rule"]

STAGE = "classify"
TEMPERATURE, TOP_P = 0.0, 1.0  # the likeliest word


def decide_by_rule(instructions: Sequence[str], family: Family) -> list[Classification | None]:
    """Classify what the family's rule is certain of; None stands for what an engine must decide."""
    decided: list[Classification | None] = []
    for instruction in instructions:
        certain = family.certain_class(instruction)
        decided.append(None if certain is None else Classification(instruction, certain, "rule"))
    return decided


class Classify:
    """The state of a classification: what no rule decided is asked of the engine.

    Args:
        decided: of `decide_by_rule`, one for each instruction.
        engine: may be None where nothing is left to ask.
    """

    def __init__(
        self,
        settings: ClassifySettings,
        instructions: Sequence[str],
        decided: Sequence[Classification | None],
        family: Family,
        engine: Engine | None,
    ) -> None:
        self._settings = settings
        self._instructions = instructions
        self._decided = list(decided)
        self._undecided = [place for place, known in enumerate(decided) if known is None]
        self._family = family
        self._engine = engine
        by_rule = len(instructions) - len(self._undecided)
        self.report = StageReport(STAGE, "instructions", len(instructions), by_rule, by_rule)
        if by_rule:
            self.report.notes.append(f"{by_rule} decided by rule, without a request")

    @property
    def classifications(self) -> list[Classification]:
        """In the order of the instructions."""
        return [known for known in self._decided if known is not None]

    def draw(self, index: int) -> Request | None:
        """The request of the index-th instruction that no rule decides."""
        if index >= len(self._undecided) or self._engine is None:
            return None
        instruction = self._instructions[self._undecided[index]]
        prompt = self._family.classify_prompt(instruction, self._engine.api)
        return make_request(STAGE, index, prompt, self._engine, self._settings, TEMPERATURE, TOP_P)

    def commit(self, request: Request, completion: Completion) -> bool:
        """Read the answer's Yes or No."""
        assert self._engine is not None, "an answer without an engine"
        self.report.count(completion)
        place = self._undecided[request.index]
        self._decided[place] = Classification(
            self._instructions[place],
            is_yes(completion.text),
            "engine",
            answer_metadata(request, completion, self._engine),
        )
        self.report.done += 1
        self.report.accepted += 1
        return True
