"""How well the automatic criteria agree with people, on the published ratings.

Usage: SELFBEHAVE_PUBLISHED=FOLDER python -m benchmarks criteria

The first table needs the sandbox, but no FOLDER. It compares verdicts on Essential with the labels
of the mixed-quality seed tasks: by the rules on the text, by the steps that change nothing when
they are left out, and by both.

FOLDER holds `Annotation.xlsx` and `*_sample_odd.jsonl`, from the replication package of SelfBehave
(DOI 10.5281/zenodo.14050108). Beside the rules stand the people with each other, and a baseline of
one regular expression a criterion.

The rules were written with knowledge of these ratings, so their agreement says little. The last
table is fairer: rules and limits are chosen on part of the scenarios, and tested on the others. It
cannot correct for the words of the rules, which were chosen with knowledge of all scenarios.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from statistics import mean

from selfbehave.bdd import sandbox
from selfbehave.bdd.criteria import Limits, judge_row
from selfbehave.bdd.criteria_by_running import judge_rows_by_running
from selfbehave.bdd.extract import find_block
from selfbehave.bdd.fences import GHERKIN
from selfbehave.core.jsonl import read_records
from selfbehave.seeds.load import load_seeds
from selfbehave.stats.coefficients import Confusion, cohen_kappa
from selfbehave.study import automatic_rater
from selfbehave.study.agreement import MEASURES, agreements
from selfbehave.study.exchange import read_ratings
from selfbehave.study.items import StudyItem
from selfbehave.study.ratings import CONSENSUS, CRITERIA, HIGH_QUALITY, Rating

from .tables import Table

BASELINE = "baseline"
_COUNTS = "yes-yes yes-no no-yes no-no"
RESAMPLES, REPEATS, FOLDS = 2000, 20, 5
# The limits tried: of steps for Essential, of abilities for Singular.
LIMITS = (Limits(), Limits(steps=8, abilities=1), Limits(steps=12, abilities=3))
NEVER_LEFT_OUT = frozenset({"cut_off", "nothing_to_read"})

Fired = Mapping[str, tuple[frozenset[str], ...]]
"""By criterion, the rules that find evidence against it, for each of `LIMITS`."""


@dataclass(frozen=True)
class Case:
    """A scenario with the results of the rules and the verdict of the consensus."""

    fired: Fired
    consensus: Rating


@dataclass(frozen=True)
class Choice:
    """Rules of a criterion, and one of `LIMITS`."""

    rules: frozenset[str]
    limit: int

    def holds(self, fired: Sequence[frozenset[str]]) -> bool:
        return not fired[self.limit] & (self.rules | NEVER_LEFT_OUT)


def main(argv: Sequence[str] | None = None) -> None:
    if lack := sandbox.missing():
        print(f"\ncriteria by running: left out; {lack}")
    else:
        seeds_table().print()
    folder = os.environ.get("SELFBEHAVE_PUBLISHED")
    if folder is None:
        print(
            "\ncriteria: left out; give the folder of the published ratings, SELFBEHAVE_PUBLISHED"
        )
        return
    ratings = read_ratings(Path(folder) / "Annotation.xlsx")
    items = {name: read_items(Path(folder), name) for name in ("HG", "MG")}
    agreement_table(items, ratings).print()
    print("  counts: first what the consensus says, then what the rules say")
    choice_table(items, ratings).print()


def seeds_table() -> Table:
    """Essential on the labels of the mixed seed tasks."""
    tasks = load_seeds("mixed_quality").tasks
    rows = [
        (task.instruction, one.input, one.output) for task in tasks for one in task.instances[:1]
    ]
    labels = [bool((task.criteria or {})["essential"]) for task in tasks]
    by_rules = [judge_row(*row).essential.holds for row in rows]
    evidence = [one.essential.evidence for one in judge_rows_by_running(rows)]
    idle = [any(one.rule == "changes_nothing" for one in some) for some in evidence]
    verdicts = {
        "rules on the text": by_rules,
        "steps that change nothing": [not one for one in idle],
        "both": [not some for some in evidence],
    }
    table = Table("Essential on the mixed seeds' labels", "evidence", "kappa", _COUNTS)
    for name, verdict in verdicts.items():
        pairs = list(zip(labels, verdict, strict=True))
        counts = " ".join(str(pairs.count(cell)) for cell in _CELLS)
        table.row(name, figure(kappa(labels, verdict)), counts)
    return table


def read_items(folder: Path, dataset: str) -> list[StudyItem]:
    """The scenarios of a dataset that were rated and are published here."""

    def item(row: Mapping[str, object]) -> StudyItem:
        texts = [str(row[name]) for name in ("scenario_id", "instruction", "input", "output")]
        return StudyItem(dataset, texts[0], "", *texts[1:])

    return read_records(folder / f"{dataset.lower()}_sample_odd.jsonl", item)


def agreement_table(items: Mapping[str, list[StudyItem]], ratings: Sequence[Rating]) -> Table:
    table = Table(
        "Cohen's kappa with the consensus",
        "dataset",
        "criterion",
        "rules",
        "bootstrap 95 %",
        _COUNTS,
        "rules and runs",
        "baseline",
        "people",
    )
    for dataset, rated in items.items():
        known = {item.scenario_id for item in rated}
        people = [one for one in ratings if one.dataset == dataset and one.scenario_id in known]
        by_running = [] if sandbox.missing() else automatic_rater.rate_by_running(rated)
        compared = [
            *people,
            *automatic_rater.rate(rated),
            *by_running,
            *map(baseline, rated),
        ]
        of = {(one.measure, frozenset(one.raters)): one for one in agreements(compared)}
        persons = frozenset(one.rater for one in people if one.rater != CONSENSUS)
        for measure in MEASURES:
            rules = of[measure, frozenset({automatic_rater.RATER, CONSENSUS})]
            running = of.get((measure, frozenset({automatic_rater.RUNNING_RATER, CONSENSUS})))
            cells = rules.confusion
            low, high = bootstrap(cells)
            counts = (cells.yes_yes, cells.yes_no, cells.no_yes, cells.no_no)
            table.row(
                dataset,
                measure,
                figure(rules.kappa.value),
                f"{low:.2f} to {high:.2f}",
                " ".join(map(str, counts)),
                "not run" if running is None else figure(running.kappa.value),
                figure(of[measure, frozenset({BASELINE, CONSENSUS})].kappa.value),
                figure(of[measure, persons].kappa.value),
            )
    return table


def choice_table(items: Mapping[str, list[StudyItem]], ratings: Sequence[Rating]) -> Table:
    settled = {(one.dataset, one.scenario_id): one for one in ratings if one.rater == CONSENSUS}
    cases = {
        dataset: [Case(fired(item), settled[dataset, item.scenario_id]) for item in rated]
        for dataset, rated in items.items()
    }
    table = Table(
        "Kappa where rules are chosen on other scenarios",
        "dataset",
        "criterion",
        "as they are",
        "5 folds, 20 times",
        "on the other set",
    )
    for dataset, all_cases in cases.items():
        other = next(cases[name] for name in cases if name != dataset)
        everything = {
            criterion: Choice(frozenset().union(*(rules_in(all_cases + other, criterion))), 0)
            for criterion in CRITERIA
        }
        as_they_are = kappas(all_cases, [everything] * len(all_cases))
        folded = [kappas(*across_folds(all_cases, seed)) for seed in range(REPEATS)]
        transferred = kappas(all_cases, [choose(other)] * len(all_cases))
        for measure in MEASURES:
            table.row(
                dataset,
                measure,
                figure(as_they_are[measure]),
                figure(mean(one[measure] for one in folded)),
                figure(transferred[measure]),
            )
    return table


def across_folds(cases: Sequence[Case], seed: int) -> tuple[list[Case], list[Mapping[str, Choice]]]:
    """The cases in random order, each with the rules chosen on the other folds."""
    order = list(cases)
    random.Random(seed).shuffle(order)
    chosen: dict[int, Mapping[str, Choice]] = {}
    for fold in range(FOLDS):
        choice = choose([case for place, case in enumerate(order) if place % FOLDS != fold])
        chosen |= dict.fromkeys(range(fold, len(order), FOLDS), choice)
    return order, [chosen[place] for place in range(len(order))]


def choose(cases: Sequence[Case]) -> dict[str, Choice]:
    """The rules and limit of each criterion that agree best with the consensus."""
    return {criterion: best_choice(cases, criterion) for criterion in CRITERIA}


def best_choice(cases: Sequence[Case], criterion: str) -> Choice:
    rules = sorted(frozenset().union(*rules_in(cases, criterion)) - NEVER_LEFT_OUT)
    limits = range(len(LIMITS)) if criterion in ("essential", "singular") else (0,)
    choices = [
        Choice(frozenset(some), limit)
        for count in range(len(rules), -1, -1)  # of equal choices, the one with the most rules
        for some in combinations(rules, count)
        for limit in limits
    ]
    settled = [bool(getattr(case.consensus, criterion)) for case in cases]

    def agreement(choice: Choice) -> float:
        return kappa(settled, [choice.holds(case.fired[criterion]) for case in cases])

    return max(choices, key=agreement)


def rules_in(cases: Sequence[Case], criterion: str) -> Iterator[frozenset[str]]:
    return (names for case in cases for names in case.fired[criterion])


def kappas(cases: Sequence[Case], choices: Sequence[Mapping[str, Choice]]) -> dict[str, float]:
    """Kappa with the consensus by measure, each case judged by its own choice of rules."""
    judged = [
        {name: choice[name].holds(case.fired[name]) for name in CRITERIA}
        for case, choice in zip(cases, choices, strict=True)
    ]
    verdicts = [one | {HIGH_QUALITY: all(one.values())} for one in judged]
    return {
        measure: kappa(
            [bool(getattr(case.consensus, measure)) for case in cases],
            [one[measure] for one in verdicts],
        )
        for measure in MEASURES
    }


def fired(item: StudyItem) -> Fired:
    judgements = [
        judge_row(item.instruction, item.input, item.output, limits=limits) for limits in LIMITS
    ]
    return {
        criterion: tuple(
            frozenset(one.rule for one in getattr(judgement, criterion).evidence)
            for judgement in judgements
        )
        for criterion in CRITERIA
    }


def baseline(item: StudyItem) -> Rating:
    """One regular expression per criterion, on the unchanged text; Essential always holds."""
    found = find_block(f"{item.instruction}\n{item.input}", GHERKIN)
    text = found.body if found else ""
    order = "".join(word[0] for word in re.findall(r"\b(?:given|when|then)\b", text.lower()))
    return Rating(
        item.dataset,
        item.scenario_id,
        BASELINE,
        essential=True,
        singular=order.count("w") == 1,
        complete=found is not None and found.is_closed,
        integrous=re.fullmatch(r"g+w+t+", order) is not None,
    )


def kappa(one: Sequence[bool], other: Sequence[bool]) -> float:
    pairs = list(zip(one, other, strict=True))
    cells = [pairs.count(pair) for pair in _CELLS]
    return cohen_kappa(Confusion(*cells)).value or 0.0


def bootstrap(cells: Confusion) -> tuple[float, float]:
    """The middle 95 % of kappas over samples of the scenarios with replacement (bootstrap)."""
    counts = (cells.yes_yes, cells.yes_no, cells.no_yes, cells.no_no)
    chance = random.Random(0)
    values = []
    for _ in range(RESAMPLES):
        drawn = chance.choices(range(len(counts)), counts, k=cells.total)
        resampled = Confusion(*(drawn.count(cell) for cell in range(len(counts))))
        values.append(cohen_kappa(resampled).value or 0.0)
    values.sort()
    return values[round(0.025 * RESAMPLES)], values[round(0.975 * RESAMPLES) - 1]


_CELLS = ((True, True), (True, False), (False, True), (False, False))


def figure(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.2f}"
