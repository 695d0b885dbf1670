"""Cells are drawn alike every time, cover all axes, and their outcomes follow from their values."""

from __future__ import annotations

import json
import re
from collections import Counter

from selfbehave.axes.axes_file import packaged_axes
from selfbehave.axes.cells import Cell, cell_of, draw_cell, draw_from
from selfbehave.axes.sums import is_right_sum
from selfbehave.axes.table import AXIS_NAMES, Feature
from selfbehave.axes.tally import Tally
from selfbehave.prompts.solved_examples import EXAMPLES

AXES = packaged_axes()
CELLS = [draw_cell(number) for number in range(500)]


def drawn(tally: Tally, count: int, seed: int = 1) -> list[Cell]:
    cells = []
    for number in range(count):
        cell = draw_from(AXES, number, seed, tally)
        tally.note_drawn(cell.axes)
        cells.append(cell)
    return cells


def test_the_same_number_and_seed_draw_the_same_cell() -> None:
    assert draw_cell(7, seed=3) == draw_cell(7, seed=3)
    assert draw_cell(7, seed=3) != draw_cell(7, seed=4)


def test_what_was_drawn_before_decides_with_the_number_and_the_seed() -> None:
    assert drawn(Tally(), 20) == CELLS[:20]
    before = Tally()
    drawn(before, 20)
    assert draw_from(AXES, 20, 1, before) == draw_from(AXES, 20, 1, before) == CELLS[20]
    assert draw_from(AXES, 20, 1, Tally()).axes != CELLS[20].axes


def test_every_value_of_every_axis_is_covered_as_its_weight_says() -> None:
    for axis in AXIS_NAMES:
        assert {cell.axes[axis] for cell in CELLS} >= {*AXES.values_of(axis)} or axis == "system"
    features = Counter(cell.feature for cell in CELLS)
    weights = {one: AXES.weight("feature", one) for one in Feature}
    for feature in Feature:
        share = weights[feature] / sum(weights.values())
        assert abs(features[feature] / len(CELLS) - share) < 0.01, feature
    kinds = Counter(cell.kind for cell in CELLS)
    assert min(kinds.values()) >= 5
    assert max(kinds.values()) <= 3 * min(kinds.values())
    groups = Counter(cell.group for cell in CELLS)
    assert max(groups.values()) <= 4 * min(groups.values())


def test_a_kind_takes_each_of_its_systems_before_one_comes_again() -> None:
    for kind in AXES.kinds:
        systems = [cell.system for cell in CELLS if cell.kind == kind.name]
        first = systems[: len(kind.settings)]
        assert len({*first}) == len(first), kind.name


def test_a_kind_takes_each_of_its_outcomes_in_turn() -> None:
    for kind in AXES.kinds:
        outcomes = Counter(cell.outcome_kind for cell in CELLS if cell.kind == kind.name)
        assert {*outcomes} == {one.name for one in kind.outcomes}


def test_what_never_yields_is_drawn_less_often() -> None:
    tally = Tally()
    cells = []
    for number in range(800):
        cell = draw_from(AXES, number, 1, tally)
        tally.note_drawn(cell.axes)
        is_barren = cell.kind == "discount" or (cell.kind, cell.feature) == ("share", "outline")
        tally.note_ended(cell.axes, has_yielded=not is_barren)
        cells.append(cell)
    kinds = Counter(cell.kind for cell in cells)
    assert kinds["late_fine"] >= 2 * kinds["discount"] > 0
    shares = Counter(cell.feature for cell in cells if cell.kind == "share")
    assert shares[Feature.OUTLINE] < shares[Feature.PLAIN]


def test_a_cell_whose_rows_are_not_proven_has_not_yielded() -> None:
    accepted, unproven = Tally(), Tally()
    for tally in (accepted, unproven):
        for cell in CELLS[:200]:
            tally.note_drawn(cell.axes)
            tally.note_ended(cell.axes, has_yielded=True)
    for cell in CELLS[:200]:
        if cell.kind == "discount":
            unproven.note_unproven(cell.axes)
    assert accepted.share("kind", "discount") == 1
    assert unproven.share("kind", "discount") < 0.6
    assert unproven.share("kind", "late_fine") == 1


def test_a_cell_that_is_still_under_way_says_nothing_of_its_yield() -> None:
    tally = Tally()
    drawn(tally, 50)
    assert tally.share("kind", "share", "feature", "plain") == 1
    assert 20 <= tally.covered("feature", "plain") <= 21


def test_a_cell_reads_as_the_model_gets_it() -> None:
    kind = next(one for one in AXES.kinds if one.name == "late_fine")
    cell = cell_of(AXES, kind, kind.outcomes[1], kind.settings[1], Feature.PLAIN, 3, "seed")
    allowed, fine = cell.given.values()
    assert cell.request == (
        "System: tool hire\n"
        "Rule: a drill may be kept for the days allowed, "
        "and each further day costs the daily fine\n"
        f"Given: days allowed {allowed}, daily fine in euros {fine}\n"
        f"When: days after which the drill comes back {int(allowed) + 1}\n"
        f"Then: fine in euros {fine}"
    )
    assert cell.sum == f"max(0, {int(allowed) + 1} - {allowed}) * {fine} = {fine}"
    assert cell.sum_in_names == (
        "max(0, days after which the drill comes back - days allowed) * daily fine in euros"
    )


def test_a_table_and_the_rows_of_an_outline_stand_in_the_request() -> None:
    table = next(cell for cell in CELLS if cell.feature is Feature.TABLE)
    head, *rows = table.table
    assert "\n".join(f"| {' | '.join(row)} |" for row in (head, *rows)) in table.request
    assert not any('"' in name for name in re.findall("Given: (.*)", table.request))
    outline = next(cell for cell in CELLS if cell.feature is Feature.OUTLINE)
    columns = [*outline.rows[0]]
    assert f"| {' | '.join(columns)} |\n" in outline.request
    assert outline.request.endswith(f"<{columns[-1]}>")
    assert [*outline.rows[0].values()] == [*outline.when.values(), *outline.then.values()]


def test_no_request_is_long_or_leaves_a_word_open() -> None:
    for cell in CELLS:
        assert len(cell.request) < 560, cell.request
        assert not re.search(r"[{}]", cell.request + (cell.sum or "") + cell.sum_in_names)


def test_no_system_is_that_of_an_example() -> None:
    shown = {re.findall(r"System: (.*)", one.request)[0] for one in EXAMPLES}
    assert shown == {"ferry", "pottery class", "cold store", "seed catalogue"}
    assert not shown & {*AXES.group_of}


def test_a_sum_holds_and_ends_in_the_outcome() -> None:
    shown = 0
    for cell in CELLS:
        for line, outcome in zip((cell.sum or "").split("; "), cell.then.values(), strict=False):
            if " = " in line:
                assert is_right_sum(line, str(outcome)), cell
                shown += 1
    assert shown > 150


def test_metadata_is_ready_for_json_and_holds_axes_values_and_sum() -> None:
    for cell in CELLS[:100]:
        read = json.loads(json.dumps(cell.metadata))
        assert {name: read[name] for name in AXIS_NAMES} == cell.axes
        assert read["sum"] == cell.sum
        assert [*read["then"].values()] == [*cell.then.values()]


def test_there_are_enough_systems_and_kinds_to_steer_by() -> None:
    assert len(AXES.group_of) >= 120
    assert len(AXES.values_of("group")) >= 12
    assert len(AXES.kinds) >= 40
    assert {*AXES.values_of("outcome")} >= {"accepted", "refused", "boundary", "several"}
    assert {*AXES.values_of("feature")} == {*Feature}
