"""What the study's owner sees: progress, agreement so far, and the disagreements."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..answers import YES, is_finished, rating_of, verdict, verdicts
from ..consensus import disputed, open_questions, settle
from ..ratings import CONSENSUS, CRITERIA, HIGH_QUALITY, Rating
from ..store import OWNER, Rater, Study
from .places import walk_of

__all__ = ["CRITERION_NAMES", "overview"]

CRITERION_NAMES = {name: name.capitalize() for name in CRITERIA} | {HIGH_QUALITY: "High quality"}


@dataclass(frozen=True)
class _Progress:
    name: str
    total: int
    finished: int
    begun: int
    high_quality: int
    ill_formed: int
    link: str


@dataclass(frozen=True)
class _Disagreement:
    item_id: int
    dataset: str
    scenario_id: str
    name: str
    criteria: str
    settled: str


def overview(study: Study, link: Callable[[Rater], str]) -> dict[str, Any]:
    """The values of the overview page.

    Args:
        link: the whole address of a rater's private link.
    """
    items, everyone = study.items_by_id(), study.raters()
    told = study.answers_of_all(everyone)
    people = study.people()
    progress = []
    for rater in everyone:
        if rater.role == OWNER:
            continue
        given, total = told[rater.id], len(items)
        finished = sum(map(is_finished, given.values()))
        if rater.role == CONSENSUS:
            walk = walk_of(study, rater)
            total, finished = len(walk.entries), walk.finished
        progress.append(
            _Progress(
                rater.name,
                total,
                finished,
                len(given),
                sum(all(verdicts(answers).values()) for answers in given.values()),
                sum(answers.get("ill_formed") == YES for answers in given.values()),
                link(rater) if rater.role in ("rater", CONSENSUS) else "",
            )
        )
    consensus = next(rater for rater in everyone if rater.role == CONSENSUS)
    disagreements = []
    for item_id, item in items.items():
        by_raters = [told[rater.id].get(item_id, {}) for rater in people]
        criteria = disputed(by_raters)
        if criteria:
            own = told[consensus.id].get(item_id, {})
            disagreements.append(
                _Disagreement(
                    item_id,
                    item.dataset,
                    item.scenario_id,
                    item.name,
                    ", ".join(CRITERION_NAMES[name] for name in criteria),
                    "" if open_questions(own, by_raters) else _words(criteria, own, by_raters),
                )
            )
    ratings = [
        rating_of(items[item_id].dataset, items[item_id].scenario_id, rater.name, answers)
        for rater in people
        for item_id, answers in told[rater.id].items()
    ]
    return {
        "items": len(items),
        "datasets": study.datasets(),
        "progress": progress,
        "agreement": _agreement(ratings),
        "disagreements": disagreements,
        "settled": sum(bool(one.settled) for one in disagreements),
    }


def _words(
    criteria: Sequence[str], own: Mapping[str, str], by_raters: Sequence[Mapping[str, str]]
) -> str:
    settled = settle(own, by_raters)
    return ", ".join(
        f"{CRITERION_NAMES[name]}: {'yes' if verdict(name, settled) else 'no'}" for name in criteria
    )


def _agreement(ratings: list[Rating]) -> list[dict[str, Any]]:
    """Agreement of every two people, over all datasets together.

    The report tells it for each dataset; while people rate, the figures are too few for that.
    """
    from ..agreement import Agreement, agreements  # takes a second to load, so not before asked

    together = [
        replace(one, dataset="", scenario_id=f"{one.dataset} {one.scenario_id}") for one in ratings
    ]
    pairs: dict[tuple[str, str], list[Agreement]] = {}
    for one in agreements(together):
        if one.confusion.total:
            pairs.setdefault(one.raters, []).append(one)
    return [
        {
            "first": first,
            "second": second,
            "rows": [
                {
                    "name": CRITERION_NAMES[one.measure],
                    "judged": one.confusion.total,
                    "agree": one.confusion.agreed,
                    "share": f"{one.confusion.agreed / one.confusion.total:.0%}",
                    "kappa": one.kappa.remark
                    if one.kappa.value is None
                    else f"{one.kappa.value:.2f}",
                }
                for one in rows
            ],
        }
        for (first, second), rows in pairs.items()
    ]
