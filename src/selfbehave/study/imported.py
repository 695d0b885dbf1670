"""Ratings imported into a study, and the scenarios they rate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from ..core.errors import SelfBehaveError
from .items import StudyItem
from .ratings import Rating
from .sampling import Sample

__all__ = ["refuse_unknown", "samples_of"]


def samples_of(ratings: Sequence[Rating]) -> list[Sample]:
    """The rated scenarios, as samples without texts."""
    ids: dict[str, dict[str, None]] = defaultdict(dict)
    for rating in ratings:
        ids[rating.dataset].setdefault(rating.scenario_id)
    return [
        Sample(
            dataset,
            "imported ratings",
            len(of_dataset),
            tuple(StudyItem(dataset, one, "", "", "", "") for one in of_dataset),
            tuple(range(1, len(of_dataset) + 1)),
        )
        for dataset, of_dataset in ids.items()
    ]


def refuse_unknown(ratings: Sequence[Rating], known: Collection[tuple[str, str]]) -> None:
    """Reject ratings of scenarios whose dataset and scenario id are not in `known`.

    Raises:
        SelfBehaveError: at least one scenario is unknown.
    """
    unknown = {
        (rating.dataset, rating.scenario_id): None
        for rating in ratings
        if (rating.dataset, rating.scenario_id) not in known
    }
    if unknown:
        dataset, scenario_id = next(iter(unknown))
        raise SelfBehaveError(
            f"{len(unknown)} rated scenarios are not in the study, the first of them "
            f"{scenario_id} of {dataset}",
            mend="datasets and scenario ids must be those of the study; or import into a new file",
        )
