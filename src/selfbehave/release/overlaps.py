"""Rows of a release that are like held-out data: near duplicates, or a long run of words in common.

Step functions of unrelated scenarios share their imports, so the answers of held-out data are not
compared: what they bind is in the scenario.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from ..novelty.rule import MAX_COMPARED_CHARACTERS, Pool
from ..novelty.shared_runs import SharedRuns
from ..runs.finished import FinishedRow
from ..runs.finished_attempts import TriedPrompt
from .held_out import HeldOutText

__all__ = [
    "OVERLAPS_FILE",
    "HeldOutIndex",
    "Overlap",
    "OverlapReason",
    "counted",
    "overlaps_with",
    "without_overlaps",
]

OVERLAPS_FILE = "overlaps.jsonl"


class OverlapReason(StrEnum):
    """Why a row is like held-out data."""

    NEAR_DUPLICATE = "near_duplicate"
    SHARED_RUN = "shared_run"


@dataclass(frozen=True)
class Overlap:
    """A row that is like held-out data.

    Attributes:
        id, run: the row's id and run.
        file, line: the place of the text that it is like.
        score: the ROUGE-L F1 of a near duplicate; None for a shared run.
    """

    id: str
    run: str
    reason: OverlapReason
    file: str
    line: int
    score: float | None

    @property
    def told(self) -> str:
        """The reason and the place in one phrase."""
        return f"{self.reason}: {self.file}:{self.line}"

    def to_dict(self) -> dict[str, Any]:
        """The overlap as a JSON object."""
        return {
            "id": self.id,
            "run": self.run,
            "reason": str(self.reason),
            "file": self.file,
            "line": self.line,
            "score": self.score,
        }


@dataclass(frozen=True)
class Likeness:
    """What a text is like; `score` is as in `Overlap`."""

    reason: OverlapReason
    source: HeldOutText
    score: float | None


class HeldOutIndex:
    """Held-out texts, to compare rows and attempts with."""

    def __init__(self, held_out: Sequence[HeldOutText]) -> None:
        texts = [one.text[:MAX_COMPARED_CHARACTERS] for one in held_out]
        self._held_out = held_out
        self._pool, self._shared = Pool(texts), SharedRuns(one.text for one in held_out)
        self._first = {text: place for place, text in reversed(list(enumerate(texts)))}

    def likeness(self, subject: str) -> Likeness | None:
        """What a scenario (or task) is like; None if it is like nothing.

        It is a near duplicate if its ROUGE-L F1 to a held-out text is above the novelty threshold.
        """
        near = self._pool.nearest_too_similar(subject)
        if near is None:
            return self.shared_run(subject)
        source = self._held_out[self._first[near.text]]
        return Likeness(OverlapReason.NEAR_DUPLICATE, source, near.score)

    def shared_run(self, text: str) -> Likeness | None:
        """The held-out text that has 13 words in a row of a text; None if there is none."""
        place = self._shared.text_with_run_of(text)
        if place is None:
            return None
        return Likeness(OverlapReason.SHARED_RUN, self._held_out[place], None)


def overlaps_with(rows: Sequence[FinishedRow], held_out: HeldOutIndex) -> dict[str, Overlap]:
    """The rows whose scenario (or task) or output is like held-out data, by id."""
    found: dict[str, Overlap] = {}
    for row in rows:
        like = held_out.likeness(row.subject) or held_out.shared_run(row.output)
        if like is not None:
            found[row.id] = Overlap(
                row.id, row.run, like.reason, like.source.file, like.source.line, like.score
            )
    return found


def without_overlaps(
    prompts: Sequence[TriedPrompt], held_out: HeldOutIndex
) -> tuple[list[TriedPrompt], int]:
    """Prompts and their attempts, without those that are like held-out data.

    Returns:
        The prompts, and the number of attempts that are left out.
    """
    kept = [
        replace(
            prompt,
            attempts=tuple(
                one for one in prompt.attempts if held_out.shared_run(one.output) is None
            ),
        )
        for prompt in prompts
        if held_out.likeness(prompt.scenario[:MAX_COMPARED_CHARACTERS]) is None
    ]
    return kept, _attempts(prompts) - _attempts(kept)


def counted(overlaps: Sequence[Overlap]) -> dict[str, int]:
    """The number of overlaps by reason, the most common first."""
    return dict(Counter(str(one.reason) for one in overlaps).most_common())


def _attempts(prompts: Sequence[TriedPrompt]) -> int:
    return sum(len(prompt.attempts) for prompt in prompts)
