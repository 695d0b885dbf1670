"""Forms of a release that are made of attempts: what can be learnt from answers of different rungs.

Each has the columns of one of TRL's dataset types, in the conversational format, and serves one of
its trainers. They need all answers to a prompt, so they are no formats of rows (see `formats`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import pyarrow as pa

from ..bdd.faults import Fault
from ..bdd.ladder import Ladder, Rung
from ..core.errors import EXIT_USAGE, SelfBehaveError
from ..reward.memorised import memorised
from ..reward.screen import tampering
from ..reward.weights import Evidence, score
from ..runs.finished_attempts import FinishedAttempt, TriedPrompt
from ..stages.aim import Aim
from .row_records import MESSAGE

__all__ = ["TRAINING_FORMS", "FormRows", "FormSettings", "TrainingForm", "named_forms", "rows_of"]

ALL = "all"


@dataclass(frozen=True, kw_only=True)
class FormSettings:
    """How the forms choose.

    Attributes:
        pairs: preference pairs of one prompt, at most.
        margin: rungs by which a better answer must be above a worse one, at least 1.
        good: the rung from which an answer is a good one.

    Raises:
        SelfBehaveError: a number is below 1.
    """

    pairs: int = 4
    margin: int = 1
    good: Rung = Rung.CAUSAL

    def __post_init__(self) -> None:
        for option, number in (("--pairs", self.pairs), ("--margin", self.margin)):
            if number < 1:
                raise SelfBehaveError(
                    f"{option} must be at least 1, not {number}", exit_code=EXIT_USAGE
                )


@dataclass(frozen=True)
class _Answer:
    """An attempt with what is known about its code."""

    attempt: FinishedAttempt
    evidence: Evidence

    @property
    def rung(self) -> Rung:
        return self.attempt.rung

    @property
    def is_suspect(self) -> bool:
        """Whether it may have reached its rung by cheating: it is never the better answer."""
        return self.evidence.is_suspect or self.evidence.tampering is not None


@dataclass(frozen=True)
class TrainingForm:
    """A form.

    Attributes:
        description: its columns, in a phrase.
        trainer: what it is for.
        unit: what a row is called, in the plural.
        schema: the types of its columns.
        write: yields the rows of a prompt, and counts what it leaves out.
    """

    description: str
    trainer: str
    unit: str
    schema: pa.Schema
    write: Callable[[TriedPrompt, FormSettings, Counter[str]], Iterator[dict[str, Any]]]


@dataclass(frozen=True)
class FormRows:
    """The rows of a form.

    Attributes:
        name: of the form.
        by_split: its rows by split; a split without rows is missing.
        prompts: the number of prompts that they come from.
        left_out: what was left out, by the reason.
    """

    name: str
    by_split: Mapping[str, Sequence[dict[str, Any]]]
    prompts: int
    left_out: Mapping[str, int]

    @property
    def sizes(self) -> dict[str, int]:
        """The number of rows by split."""
        return {split: len(rows) for split, rows in self.by_split.items()}


def rows_of(
    name: str, by_split: Mapping[str, Sequence[TriedPrompt]], settings: FormSettings
) -> FormRows:
    """The rows of a form.

    Args:
        by_split: the prompts of each split.
    """
    left_out: Counter[str] = Counter()
    write = TRAINING_FORMS[name].write
    written = {
        split: [list(write(one, settings, left_out)) for one in prompts]
        for split, prompts in by_split.items()
    }
    return FormRows(
        name,
        {
            split: [row for rows in of_prompts for row in rows]
            for split, of_prompts in written.items()
            if any(of_prompts)
        },
        sum(bool(rows) for of_prompts in written.values() for rows in of_prompts),
        dict(sorted(left_out.items())),
    )


def named_forms(names: Collection[str]) -> tuple[str, ...]:
    """The forms of these names, in a fixed order; `all` names each.

    Raises:
        SelfBehaveError: there is no such form.
    """
    if unknown := [one for one in names if one != ALL and one not in TRAINING_FORMS]:
        raise SelfBehaveError(
            f"no form {', '.join(unknown)}",
            mend=f"give some of {', '.join(TRAINING_FORMS)}, or {ALL}",
            exit_code=EXIT_USAGE,
        )
    return tuple(one for one in TRAINING_FORMS if one in names or ALL in names)


def _answers(prompt: TriedPrompt, left_out: Counter[str]) -> list[_Answer]:
    """The different answers to a prompt, in order."""
    first: dict[str, FinishedAttempt] = {}
    for attempt in prompt.attempts:
        if first.setdefault(attempt.output, attempt) is not attempt:
            left_out["repeated"] += 1
    return [_answer(prompt, attempt) for attempt in first.values()]


def _answer(prompt: TriedPrompt, attempt: FinishedAttempt) -> _Answer:
    evidence = Evidence(
        rung=attempt.rung,
        fault_codes=attempt.fault_codes,
        characters=len(attempt.code),
        tampering=tampering(attempt.code),
        is_memorised=memorised(prompt.scenario, attempt.code),
    )
    return _Answer(attempt, evidence)


def _preference(
    prompt: TriedPrompt, settings: FormSettings, left_out: Counter[str]
) -> Iterator[dict[str, Any]]:
    answers = _answers(prompt, left_out)
    if len({one.rung for one in answers}) < 2:
        left_out["prompts_of_one_rung"] += bool(answers)
        return
    pairs = []
    for chosen, rejected in product(answers, answers):
        if chosen.rung - rejected.rung < settings.margin:
            continue
        if chosen.is_suspect:
            left_out["better_by_cheating"] += 1
        elif not rejected.attempt.is_settled:
            left_out["not_checked_further"] += 1
        else:
            pairs.append((chosen, rejected))
    # The best answers first, and of their pairs the clearest.
    pairs.sort(key=lambda pair: (-pair[0].rung, pair[1].rung))
    left_out["over_the_limit"] += max(0, len(pairs) - settings.pairs)
    for chosen, rejected in pairs[: settings.pairs]:
        yield {
            "prompt": _asked(prompt),
            "chosen": _said(chosen),
            "rejected": _said(rejected),
            "margin": max(0.0, score(chosen.evidence) - score(rejected.evidence)),
        }


def _unpaired(
    prompt: TriedPrompt, settings: FormSettings, left_out: Counter[str]
) -> Iterator[dict[str, Any]]:
    aim = Aim(settings.good)
    for one in _answers(prompt, left_out):
        if one.rung < settings.good and not one.attempt.is_settled:
            left_out["not_checked_further"] += 1
            continue
        faults = tuple(Fault(code) for code in one.attempt.fault_codes)
        is_good = aim.lack(Ladder(one.rung, True, True, faults)) is None and not one.is_suspect
        yield {"prompt": _asked(prompt), "completion": _said(one), "label": is_good}


def _scored(
    prompt: TriedPrompt, settings: FormSettings, left_out: Counter[str]
) -> Iterator[dict[str, Any]]:
    for one in _answers(prompt, left_out):
        if not one.attempt.is_settled:
            left_out["not_checked_further"] += 1
            continue
        row = {"prompt": _asked(prompt), "completion": _said(one)}
        yield row | {"score": score(one.evidence)}


def _repairs(
    prompt: TriedPrompt, settings: FormSettings, left_out: Counter[str]
) -> Iterator[dict[str, Any]]:
    by_place = {(one.run, one.number): one for one in prompt.attempts}
    for attempt in prompt.attempts:
        if attempt.repairs is None:
            continue
        worse, better = by_place.get((attempt.run, attempt.repairs)), _answer(prompt, attempt)
        if worse is None:
            left_out["repaired_answer_without_code"] += 1
        elif better.rung - worse.rung < settings.margin:
            left_out["no_better"] += 1
        elif better.is_suspect:
            left_out["better_by_cheating"] += 1
        elif attempt.told is None:
            left_out["not_in_the_journal"] += 1
        else:
            messages = [
                *_asked(prompt),
                {"role": "assistant", "content": worse.output},
                {"role": "user", "content": attempt.told},
                *_said(better),
            ]
            yield {"messages": messages}


def _prompts(
    prompt: TriedPrompt, settings: FormSettings, left_out: Counter[str]
) -> Iterator[dict[str, Any]]:
    yield {"prompt": _asked(prompt), "scenario": prompt.scenario}


def _asked(prompt: TriedPrompt) -> list[dict[str, str]]:
    """The prompt, as the form `chat` has it."""
    return [{"role": "user", "content": prompt.instruction}]


def _said(answer: _Answer) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": answer.attempt.output}]


_MESSAGES = pa.list_(MESSAGE)

TRAINING_FORMS: Mapping[str, TrainingForm] = {
    "preference": TrainingForm(
        "`prompt`, `chosen` and `rejected`, by rung; `margin`, the difference of their scores",
        "DPO, reward models",
        "pairs",
        pa.schema(
            [
                ("prompt", _MESSAGES),
                ("chosen", _MESSAGES),
                ("rejected", _MESSAGES),
                ("margin", pa.float64()),
            ]
        ),
        _preference,
    ),
    "unpaired_preference": TrainingForm(
        "`prompt`, `completion` and `label`: whether it is a good answer",
        "KTO",
        "answers",
        pa.schema([("prompt", _MESSAGES), ("completion", _MESSAGES), ("label", pa.bool_())]),
        _unpaired,
    ),
    "language_modeling": TrainingForm(
        "`messages`: an answer, what behave said of it, and a better answer",
        "SFT",
        "repairs",
        pa.schema([("messages", _MESSAGES)]),
        _repairs,
    ),
    "scored_completion": TrainingForm(
        "`prompt`, `completion` and `score`, from 0 to 1, by `selfbehave.reward`",
        "reward models by regression",
        "answers",
        pa.schema([("prompt", _MESSAGES), ("completion", _MESSAGES), ("score", pa.float64())]),
        _scored,
    ),
    "prompt_only": TrainingForm(
        "`prompt` and `scenario`, for reinforcement learning with `selfbehave.reward`",
        "GRPO, RLOO",
        "prompts",
        pa.schema([("prompt", _MESSAGES), ("scenario", pa.string())]),
        _prompts,
    ),
}
"""The forms by the names of the card's configurations, which are those of TRL's dataset types."""
