"""Stage 2, classify: is an instruction a classification task with a finite set of labels?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ..core.records import Classification, is_yes
from ..engines.base import Completion, Engine, Request
from ..events.stage_report import StageReport
from ..prompts import Family
from .requests import answer_metadata, make_request
from .settings import ClassifySettings

__all__ = ["Classify", "decide_by_rule"]

STAGE = "classify"
TEMPERATURE, TOP_P = 0.0, 1.0  # the likeliest word


def decide_by_rule(instruction: str, family: Family) -> Classification | None:
    """Classify an instruction that the family's rule is certain of; None leaves it to an engine."""
    certain = family.certain_class(instruction)
    return None if certain is None else Classification(instruction, certain, "rule")


class Classify:
    """The state of a classification: what no rule decides is asked of the engine.

    Args:
        instructions: goes through the instructions anew at each call; they are many, and so are
            not held in memory.
        engine: may be None where nothing is left to ask.
        keep: takes the classifications, in the order of the instructions.
    """

    def __init__(
        self,
        settings: ClassifySettings,
        instructions: Callable[[], Iterable[str]],
        family: Family,
        engine: Engine | None,
        keep: Callable[[Classification], None],
    ) -> None:
        self._settings = settings
        self._family = family
        self._engine = engine
        self._keep = keep
        self._to_draw = (one for one in instructions() if decide_by_rule(one, family) is None)
        self._to_commit: Iterator[str] = iter(instructions())
        total = by_rule = 0
        for instruction in instructions():
            total += 1
            by_rule += decide_by_rule(instruction, family) is not None
        self.report = StageReport(STAGE, "instructions", total, by_rule, by_rule)
        if by_rule:
            self.report.notes.append(f"{by_rule} decided by rule, without a request")

    def draw(self, index: int) -> Request | None:
        """The request of the next instruction that no rule decides."""
        instruction = next(self._to_draw, None)
        if instruction is None or self._engine is None:
            return None
        prompt = self._family.classify_prompt(instruction, self._engine.api)
        return make_request(STAGE, index, prompt, self._engine, self._settings, TEMPERATURE, TOP_P)

    def commit(self, request: Request, completion: Completion) -> bool:
        """Read the answer's Yes or No."""
        assert self._engine is not None, "an answer without an engine"
        self.report.count(completion)
        instruction = self._pass_decided()
        assert instruction is not None, "an answer without an instruction"
        self._keep(
            Classification(
                instruction,
                is_yes(completion.text),
                "engine",
                answer_metadata(request, completion, self._engine),
            )
        )
        self.report.done += 1
        self.report.accepted += 1
        return True

    def finish(self) -> None:
        """Keep what a rule decides behind the last answer."""
        undecided = self._pass_decided()
        assert undecided is None, "an instruction without an answer"

    def _pass_decided(self) -> str | None:
        """Keep what a rule decides; return the next instruction that none does, if any."""
        for instruction in self._to_commit:
            known = decide_by_rule(instruction, self._family)
            if known is None:
                return instruction
            self._keep(known)
        return None
