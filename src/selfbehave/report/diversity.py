"""How varied the scenarios of a run are: distinct n-grams, lengths, domains, deeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..novelty.rule import tokenize
from .deeds import Deed
from .facts import ReportRow

__all__ = ["ORDERS", "OTHERS", "Branch", "deed_tree", "distinct", "domain_counts", "words_of"]

ORDERS = (1, 2, 3)
OTHERS = "others"

_MOST_ACTORS, _MOST_VERBS, _MOST_OBJECTS = 16, 12, 5


@dataclass(frozen=True)
class Branch:
    """A branch of the tree of deeds.

    Attributes:
        path: the actor, verb and object, down to the branch's depth; `OTHERS` groups rare values.
        count: the number of scenarios.
    """

    path: tuple[str, ...]
    count: int


def distinct(texts: Iterable[str], order: int) -> float | None:
    """Return the number of distinct n-grams divided by the number of all n-grams.

    This is distinct-n of Li et al. (2016), "A diversity-promoting objective function for neural
    conversation models", section 5.1, computed over all texts together with ROUGE tokens. It falls
    as the number of texts grows, so compare only sets of the same size.
    """
    seen: set[tuple[str, ...]] = set()
    total = 0
    for text in texts:
        tokens = tokenize(text)
        grams = list(zip(*(tokens[start:] for start in range(order)), strict=False))
        total += len(grams)
        seen.update(grams)
    return len(seen) / total if total else None


def words_of(row: ReportRow) -> int | None:
    """Return the number of words in a row's scenario."""
    return None if row.finished.scenario is None else len(row.finished.scenario.split())


def domain_counts(rows: Sequence[ReportRow]) -> Counter[str]:
    """Count the rows of each domain."""
    return Counter(row.finished.domain for row in rows if row.finished.domain is not None)


def deed_tree(deeds: Sequence[Deed]) -> list[Branch]:
    """Return the most common actors, with their most common verbs and the objects of those verbs.

    Rare values are grouped as `OTHERS`, so the counts of a branch's children add up to its own.
    """
    branches = []
    for actor, by_actor in _commonest([(deed.actor, deed) for deed in deeds], _MOST_ACTORS):
        branches.append(Branch((actor,), len(by_actor)))
        for verb, by_verb in _commonest([(deed.verb, deed) for deed in by_actor], _MOST_VERBS):
            branches.append(Branch((actor, verb), len(by_verb)))
            objects = _commonest([(deed.object, deed) for deed in by_verb], _MOST_OBJECTS)
            branches += [Branch((actor, verb, name), len(some)) for name, some in objects]
    return branches


def _commonest(pairs: Sequence[tuple[str, Deed]], most: int) -> list[tuple[str, list[Deed]]]:
    """Group the deeds by name, the most common names first; the rest become `OTHERS`."""
    groups: dict[str, list[Deed]] = {}
    for name, one in pairs:
        groups.setdefault(name, []).append(one)
    ordered = sorted(groups.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    named, rest = ordered[:most], ordered[most:]
    if rest:
        named.append((OTHERS, [one for _, some in rest for one in some]))
    return named
