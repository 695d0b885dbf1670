"""Every kind, outcome and feature of the packaged table draws values that hold what it promises."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from selfbehave.axes.axes_file import packaged_axes
from selfbehave.axes.cells import cell_of
from selfbehave.axes.formulas import Value
from selfbehave.axes.table import Feature, Kind, Outcome
from selfbehave.axes.values import draw_values, outcomes_stated

AXES = packaged_axes()
SIDES = [(kind, outcome) for kind in AXES.kinds for outcome in kind.outcomes]
SEEDS = 1_000
NAMES = [f"{kind.name}-{outcome.name}" for kind, outcome in SIDES]


def ranked(values: Mapping[str, Any]) -> list[tuple[int, str]]:
    return [(values[f"of_{letter}"], values[letter]) for letter in "abc"]


def after_new_points(values: Mapping[str, Any]) -> str:
    points = {name: had for had, name in ranked(values)}
    points[values["scorer"]] += values["more"]
    return max(points, key=points.__getitem__)


def in_state(values: Mapping[str, Any]) -> str:
    following = {values[letter]: values[f"after_{letter}"] for letter in "abc"}
    state = values["state"]
    for _ in range(values["steps"]):
        state = following[state]
    return str(state)


def after(values: Mapping[str, Any]) -> str:
    minutes = timedelta(minutes=values["travel"] + values["delay"])
    return (datetime.strptime(values["departs"], "%H:%M") + minutes).strftime("%H:%M")


def packed(values: Mapping[str, Any]) -> int:
    left = values["pieces"]
    while left >= values["size"]:
        left -= values["size"]
    return int(left)


def level(values: Mapping[str, Any]) -> str:
    names = [(values[f"{one}_from"], values[one]) for one in ("low", "middle", "high")]
    return str(max((limit, name) for limit, name in names if limit <= values["measured"])[1])


def answer(is_so: bool, yes: str, no: str) -> str:
    return yes if is_so else no


# Worked out by other means than the formulas of the table.
ORACLES: Mapping[str, Callable[[Mapping[str, Any]], Value]] = {
    "late_fine": lambda v: sum(v["daily_fine"] for _ in range(v["allowed"], v["kept"])),
    "overflow": lambda v: len(range(v["taken"] + v["new"])[v["places"] :]),
    "remainder": packed,
    "levels": level,
    "decision": lambda v: answer(v["limit"] - v["used"] >= v["requested"], "accepted", "refused"),
    "leader": after_new_points,
    "smallest_fit": lambda v: min((s, n) for s, n in ranked(v) if s >= v["people"])[1],
    "pass_list": lambda v: ", ".join(n for points, n in ranked(v) if points >= v["needed"]),
    "price_list": lambda v: {n: price for price, n in ranked(v)}[v["item"]] * v["pieces"],
    "stock_order": lambda v: answer(
        {n: stock for stock, n in ranked(v)}[v["item"]] - v["pieces"] >= 0, "accepted", "refused"
    ),
    "next_state": in_state,
    "arrival": after,
    "deadline": lambda v: answer(
        datetime.strptime(v["arrival"], "%H:%M") > datetime.strptime(v["closing"], "%H:%M"),
        "late",
        "on time",
    ),
    "majority": lambda v: answer(v["yes"] / v["members"] >= v["needed"] / 100, "passed", "failed"),
    "banned_word": lambda v: answer(
        f" {v['word']} " in f" {v['text']} ".lower(), "blocked", "delivered"
    ),
    "price_by_word": lambda v: v["base"] + (v["text"].count(" ") + 1) * v["price"],
    "extra_vehicles": lambda v: len(
        [n for n in range(99) if v["seats"] * (v["ready"] + n) < v["people"]]
    ),
    "capped_fee": lambda v: sorted([v["fee"] * v["units"], v["maximum"]])[0],
    "started_blocks": lambda v: sum(v["price"] for _ in range(0, v["minutes"], v["block"])),
}


@pytest.mark.parametrize(("kind", "outcome"), SIDES, ids=NAMES)
def test_values_are_distinct_and_positive_and_fall_on_the_side_of_their_outcome(
    kind: Kind, outcome: Outcome
) -> None:
    for seed in range(SEEDS):
        setting = kind.settings[seed % len(kind.settings)]
        values = draw_values(kind, outcome, setting, str(seed))
        stated = [values[name] for name in (*kind.given, *kind.when)]
        assert len({*map(str, stated)}) == len(stated), values
        assert all(value > 0 if isinstance(value, int) else value for value in stated), values
        for name in outcomes_stated(kind, outcome):
            value = values[name]
            assert value >= 0 if isinstance(value, int) else value, values
        words = {**setting.words, **values}
        if outcome.name in ("accepted", "refused"):
            first = words[next(iter(kind.then))]
            assert (outcome.name == "accepted") == (first in ACCEPTING or first == words.get("yes"))
        if kind.name in ORACLES:
            assert words[next(iter(kind.then))] == ORACLES[kind.name](words), words


ACCEPTING = {"accepted", "approved", "granted", "passed", "delivered", "on time", "open"}


@pytest.mark.parametrize("kind", AXES.kinds, ids=lambda kind: kind.name)
def test_every_feature_of_a_kind_gives_whole_cells(kind: Kind) -> None:
    for feature in kind.features:
        for outcome in kind.outcomes:
            for seed in range(30):
                setting = kind.settings[seed % len(kind.settings)]
                cell = cell_of(AXES, kind, outcome, setting, feature, 0, str(seed))
                assert bool(cell.table) == (feature is Feature.TABLE)
                assert bool(cell.doc_string) == (feature is Feature.DOC_STRING)
                if feature is not Feature.OUTLINE:
                    assert cell.rows == ()
                    continue
                assert 2 <= len(cell.rows) <= 4
                assert [*cell.rows[0].values()] == [*cell.when.values(), *cell.then.values()]
                of_then = {tuple(row.values())[len(cell.when) :] for row in cell.rows}
                assert len(of_then) > 1, "the outcome depends on what differs"
                assert len({next(iter(row.values())) for row in cell.rows}) == len(cell.rows)


def test_the_rows_of_an_outline_have_the_outcomes_of_their_own_values() -> None:
    kind = next(one for one in AXES.kinds if one.name == "decision")
    answers = set()
    for seed in range(200):
        cell = cell_of(
            AXES, kind, kind.outcomes[0], kind.settings[0], Feature.OUTLINE, 0, str(seed)
        )
        limit, used = map(int, cell.given.values())
        for requested, said in (row.values() for row in cell.rows):
            assert said == ("accepted" if int(requested) <= limit - used else "refused")
            answers.add(said)
    assert answers == {"accepted", "refused"}
