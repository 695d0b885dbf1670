"""The rules that a candidate must pass to be novel: its words, and if asked for its meaning."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import novelty
from ..core.errors import SelfBehaveError
from ..core.extras import needs_extra

if TYPE_CHECKING:
    from ..novelty.meaning import MeaningPool, NearestMeaning
    from ..novelty.rule import Novelty

__all__ = [
    "INSTRUCTION",
    "OFF",
    "REPORT",
    "SCENARIO",
    "NoveltyRules",
    "Refusal",
    "check_paraphrases",
]

OFF, REPORT = "off", "report"  # what to do with paraphrases, if no limit is given
INSTRUCTION, SCENARIO = "instruction", "scenario"  # what is compared by its words


@dataclass(frozen=True)
class Refusal:
    """Why a candidate is not novel: the reason it is dropped for, and its details."""

    reason: str
    detail: str


class NoveltyRules:
    """The known and the accepted instructions, and whether a candidate is novel to them.

    Args:
        known: the instructions that candidates are compared with from the start.
        compares: whether the whole instruction or the scenario alone is compared by its words.
        paraphrases: off, report, or a limit of the cosine of scenarios.

    """

    def __init__(
        self, known: Sequence[str], compares: str = INSTRUCTION, paraphrases: str = OFF
    ) -> None:
        self._limit = _limit_of(paraphrases)
        self._scenario_of = _as_it_is
        if compares == SCENARIO or paraphrases != OFF:
            # Imported only when it is asked for: it reads scenarios, which is slow to import.
            from ..seeds.dataset_rows import scenario_or_text

            self._scenario_of = scenario_or_text
        self._compared: Callable[[str], str] = (
            self._scenario_of if compares == SCENARIO else _as_it_is
        )
        self._known = len(known)
        self._pool = novelty.Pool(map(self._compared, known))
        self._meanings: MeaningPool | None = None
        if paraphrases != OFF:
            from ..novelty.meaning import MeaningPool

            self._meanings = MeaningPool([self._scenario_of(text) for text in known])

    def admit(self, candidate: str, kin: Collection[str] = ()) -> Refusal | None:
        """Add a candidate if it is novel; else return why it is not.

        Args:
            kin: accepted instructions that it may be like.
        """
        compared = self._compared(candidate)
        near = self._pool.nearest_too_similar(compared, [self._compared(one) for one in kin])
        if near is not None:
            return Refusal("not_novel", f"ROUGE-L {near.score:.4f}")
        if self._meanings is not None:
            scenario = self._scenario_of(candidate)
            if self._limit is not None:
                of_kin = [self._scenario_of(one) for one in kin]
                like = self._meanings.nearest_above(self._limit, scenario, of_kin)
                if like is not None:
                    return Refusal("paraphrase", f"cosine {like.cosine:.4f} to: {like.text}")
            self._meanings.add(scenario)
        self._pool.add(compared)
        return None

    def comparisons(self) -> Iterator[Novelty]:
        """How each accepted instruction compares with all before it, by its words."""
        return self._pool.comparisons(self._known)

    def nearest_meanings(self) -> Iterator[NearestMeaning | None]:
        """For each accepted instruction the nearest scenario before it; nothing if this is off."""
        return iter(()) if self._meanings is None else self._meanings.each_nearest(self._known)


def check_paraphrases(paraphrases: str) -> None:
    """Check the setting, and that its packages are installed.

    Raises:
        SelfBehaveError: it is none of off, report and a limit, or a package is missing.
    """
    _limit_of(paraphrases)
    if paraphrases != OFF:
        # Imported only when it is asked for: it needs numpy, and help texts come without it.
        from ..core.word_vectors import word_vectors

        with needs_extra("meaning", "--paraphrases"):
            word_vectors(["a"])


def _limit_of(paraphrases: str) -> float | None:
    """The limit of the cosine that a setting gives; None for off and report."""
    if paraphrases in (OFF, REPORT):
        return None
    try:
        limit = float(paraphrases)
    except ValueError:
        limit = -1.0
    if not 0 <= limit <= 1:
        raise SelfBehaveError(
            f"--paraphrases must be off, report or a limit from 0 to 1, not {paraphrases!r}"
        )
    return limit


def _as_it_is(text: str) -> str:
    return text
