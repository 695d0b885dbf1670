"""The owner's overview of a study: progress, agreement so far, and the disagreements."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..consensus import disputed, open_questions, settle
from ..rater_answers import YES, is_finished, rating_of, verdict, verdicts
from ..ratings import CONSENSUS, CRITERIA, HIGH_QUALITY, Rating
from ..store import OWNER, RATER, Rater, Study
from .places import walk_of

__all__ = ["CRITERION_NAMES", "overview"]

CRITERION_NAMES = {name: name.capitalize() for name in CRITERIA} | {HIGH_QUALITY: "High-quality"}


@dataclass(frozen=True)
class _Progress:
    name: str
    total: int
    finished: int
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
    """Return the values for the overview page.

    Args:
        link: returns the full URL of a rater's private link.
    """
    items, everyone = study.items_by_id(), study.raters()
    answers_by_rater = study.answers_of_all(everyone)
    people = [rater for rater in everyone if rater.role == RATER]
    consensus = next(rater for rater in everyone if rater.role == CONSENSUS)
    by_raters = {
        item_id: [answers_by_rater[rater.id].get(item_id, {}) for rater in people]
        for item_id in items
    }
    walk = walk_of(study, consensus)
    settled = {
        item_id: settle(answers_by_rater[consensus.id].get(item_id, {}), given)
        for item_id, given in by_raters.items()
    }
    disagreements = [
        _Disagreement(
            item_id,
            items[item_id].dataset,
            items[item_id].scenario_id,
            items[item_id].name,
            ", ".join(CRITERION_NAMES[name] for name in disputed(given)),
            _words(disputed(given), settled[item_id])
            if not open_questions(answers_by_rater[consensus.id].get(item_id, {}), given)
            else "",
        )
        for item_id, given in by_raters.items()
        if disputed(given)
    ]
    ratings = [
        rating_of(items[item_id].dataset, items[item_id].scenario_id, rater.name, answers)
        for rater in people
        for item_id, answers in answers_by_rater[rater.id].items()
    ]
    progress = [
        _progress(
            rater,
            answers_by_rater[rater.id],
            len(items),
            link(rater) if rater.role == RATER else "",
        )
        for rater in everyone
        if rater.role not in (OWNER, CONSENSUS)
    ]
    of_consensus = _progress(consensus, settled, len(walk.entries), link(consensus))
    return {
        "items": len(items),
        "datasets": study.datasets(),
        "progress": [*progress, replace(of_consensus, finished=walk.finished)],
        "agreement": _agreement(ratings),
        "disagreements": disagreements,
        "settled": sum(bool(one.settled) for one in disagreements),
    }


def _progress(
    rater: Rater, answers: Mapping[int, Mapping[str, str]], total: int, link: str
) -> _Progress:
    return _Progress(
        rater.name,
        total,
        sum(map(is_finished, answers.values())),
        sum(all(verdicts(one).values()) for one in answers.values()),
        sum(one.get("ill_formed") == YES for one in answers.values()),
        link,
    )


def _words(criteria: Sequence[str], settled: Mapping[str, str]) -> str:
    return ", ".join(
        f"{CRITERION_NAMES[name]}: {'yes' if verdict(name, settled) else 'no'}" for name in criteria
    )


def _agreement(ratings: list[Rating]) -> list[dict[str, Any]]:
    """Return the agreement of each pair of people, over all datasets together.

    The report shows it for each dataset. During a study, there are too few ratings for that.
    """
    from ..agreement import Agreement, agreements  # slow to import: about 1 s

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
