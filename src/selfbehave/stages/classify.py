"""Stage 2, classify: is an instruction a classification task with a finite set of labels?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from .. import prompts
from ..core.jsonl import each_record, writing_jsonl
from ..core.option_fields import at_least, option
from ..core.records import Classification, is_yes
from ..core.run_files import CLASSIFICATION_FILE, INSTRUCTIONS_FILE
from ..events.events import Accepted
from ..events.stage_report import StageReport
from .base import OneRequestEach, SamplingSettings, Session, Stage
from .bootstrap import read_instructions
from .requests import answer_metadata, make_request

if TYPE_CHECKING:
    from ..engines.base import Completion, Engine, Request

__all__ = [
    "CLASSIFY",
    "ClassifySettings",
    "TaskClasses",
    "count_classified",
    "decide_by_rule",
    "read_classification_tasks",
    "read_classifications",
]

NAME = "classify"
TEMPERATURE, TOP_P = 0.0, 1.0  # greedy decoding: the most likely word


@dataclass(frozen=True, kw_only=True)
class ClassifySettings(SamplingSettings):
    """Stage 2: is each instruction a classification task?"""

    num_instructions: int | None = option(
        None, "classify only the first so many instructions", may_grow=True
    )
    template: str = option("template_1", "classification prompt", ("template_1",))
    prompts: str | None = option(
        None,
        "prompt family; default: bdd if every instruction holds a scenario, else classic, or "
        "classic_turns for a chat engine",
        prompts.FAMILIES,
    )
    random_seed: int = option(42, "seed of every random draw")


def read_classifications(files: Sequence[Path]) -> dict[str, bool]:
    """Whether each instruction is a classification task, from files of this stage.

    If an instruction occurs several times, the last one counts.

    Raises:
        SelfBehaveError: a file is missing or empty, or a line is broken.
    """
    return {
        one.instruction: one.is_classification
        for file in files
        for one in each_record(file, Classification.from_dict)
    }


def count_classified(file: Path, instructions: Iterable[str]) -> int | None:
    """How many instructions are classified, where the stage ended before their last one.

    Returns:
        None if the file of this stage does not hold the first instructions, in order, and no
        others: then it is whole, or of other instructions.

    Raises:
        SelfBehaveError: the file is missing or empty, or a line is broken.
    """
    waiting = iter(instructions)
    count = 0
    for one in each_record(file, Classification.from_dict):
        if next(waiting, None) != one.instruction:
            return None
        count += 1
    return None if next(waiting, None) is None else count


def read_classification_tasks(file: Path) -> set[str]:
    """The instructions that are classification tasks, from a file of this stage.

    Raises:
        SelfBehaveError: the file is missing or empty, or a line is broken.
    """
    tasks: set[str] = set()
    for one in each_record(file, Classification.from_dict):
        (tasks.add if one.is_classification else tasks.discard)(one.instruction)
    return tasks


async def _run(session: Session, settings: ClassifySettings) -> StageReport:
    at_least(1, settings, "num_instructions")
    path = session.batch_dir / INSTRUCTIONS_FILE

    def texts() -> Iterator[str]:
        return (one.instruction for one in read_instructions(path, settings.num_instructions))

    families = prompts.families_for(settings.prompts, texts(), str(path))
    family = families.completions
    session.open_journal()
    # If rules decide everything, the stage needs no model and no token.
    engine = None
    if not all(decide_by_rule(text, family) for text in texts()):
        engine = await session.open_engine()
        family = families.of(engine)
    session.note_settings(NAME, replace(settings, prompts=family.name), engine)
    file = session.batch_dir / CLASSIFICATION_FILE
    with writing_jsonl(file) as write:

        def keep(one: Classification) -> None:
            write(one.to_dict())
            label = "Yes" if one.is_classification else "No"
            session.reporter.emit(Accepted(NAME, one.instruction, label))

        classes = TaskClasses(settings, texts, family, engine, keep)
        with session.reporter.stage(classes.report):
            if engine is not None:
                await session.generate(classes, engine)
            classes.finish()
    classes.report.files.append(str(file))
    return classes.report


CLASSIFY = Stage(
    name=NAME,
    summary="classification or not",
    settings=ClassifySettings,
    run=_run,
    reads=(INSTRUCTIONS_FILE,),
    writes=(CLASSIFICATION_FILE,),
    # In a full run, the sampling options apply only to the stages that generate text.
    in_run=lambda folder: {"temperature": None, "top_p": None, "max_tokens": None},
    funnel=lambda counts: (),
)


def decide_by_rule(instruction: str, family: prompts.Family) -> Classification | None:
    """Classify an instruction by the family's rule; None if the rule is not certain."""
    certain = family.certain_class(instruction)
    return None if certain is None else Classification(instruction, certain, "rule")


class TaskClasses(OneRequestEach):
    """The classes of instructions. The engine is asked only if no rule decides.

    Args:
        instructions: iterates over the instructions anew at each call. There may be too many to
            hold in memory.
        engine: may be None if rules decide everything.
        keep: called with each classification, in the order of the instructions.
    """

    def __init__(
        self,
        settings: ClassifySettings,
        instructions: Callable[[], Iterable[str]],
        family: prompts.Family,
        engine: Engine | None,
        keep: Callable[[Classification], None],
    ) -> None:
        self._settings = settings
        self._family = family
        self._engine = engine
        self._keep_one = keep
        self._to_draw = (one for one in instructions() if decide_by_rule(one, family) is None)
        self._to_commit: Iterator[str] = iter(instructions())
        self._kept = 0
        self._textless: Counter[str] = Counter()  # answers, by finish reason
        total = by_rule = 0
        for instruction in instructions():
            total += 1
            by_rule += decide_by_rule(instruction, family) is not None
        self.report = StageReport(NAME, "instructions", total, by_rule, by_rule)
        if by_rule:
            self.report.notes.append(f"{by_rule} decided by rule, without a request")

    def draw(self, index: int) -> Request | None:
        """The request of the next instruction that no rule decides."""
        instruction = next(self._to_draw, None)
        if instruction is None or self._engine is None:
            return None
        prompt = self._family.classify_prompt(instruction, self._engine.api)
        return make_request(NAME, index, prompt, self._engine, self._settings, TEMPERATURE, TOP_P)

    def commit(self, request: Request, completion: Completion) -> bool:
        """Read the answer's Yes or No."""
        assert self._engine is not None, "an answer without an engine"
        self.report.count(completion)
        instruction = self._pass_decided()
        assert instruction is not None, "an answer without an instruction"
        if not completion.text.strip():
            self._textless[completion.finish_reason] += 1
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
        """Keep the instructions after the last answer, which a rule decides.

        If the budget ended the stage, they end before the first one without an answer.
        """
        undecided = self._pass_decided()
        if undecided is not None:
            assert self.report.budget_end is not None, "an instruction without an answer"
            self.report.done = self.report.accepted = self._kept
        self.report.notes += [
            f"{count} answers without text ({reason}), taken as No"
            for reason, count in self._textless.most_common()
        ]

    def _keep(self, one: Classification) -> None:
        self._keep_one(one)
        self._kept += 1

    def _pass_decided(self) -> str | None:
        """Keep the next instructions that a rule decides; return the first that no rule decides."""
        for instruction in self._to_commit:
            known = decide_by_rule(instruction, self._family)
            if known is None:
                return instruction
            self._keep(known)
        return None
