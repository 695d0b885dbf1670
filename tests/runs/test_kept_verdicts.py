"""A row climbs once: its verdict is in the journal from then on."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from selfbehave.bdd import Rung
from selfbehave.bdd.ladder import Ladder
from selfbehave.bdd.verdicts import Row
from selfbehave.engines import Journal
from selfbehave.runs.kept_verdicts import climb_once

ROWS = [("a", "", "1"), ("b", "", "2"), ("c", "", "3")]


class Climbs:
    """Stands for code whose verdict changes each time; notes the rows that climb."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def __call__(self, rows: Iterable[Row], top: Rung) -> Iterable[Ladder]:
        for row in rows:
            self.rows.append(row)
            yield Ladder(top, True, True, (), change=f"climb {len(self.rows)}")


def test_a_verdict_is_climbed_once_also_in_a_later_process(tmp_path: Path) -> None:
    climbs = Climbs()
    with Journal(tmp_path) as journal:
        first = list(climb_once(ROWS[:2], Rung.CAUSAL, climbs, journal))
    with Journal(tmp_path) as journal:
        again = list(climb_once([ROWS[2], *ROWS[:2]], Rung.CAUSAL, climbs, journal))
    assert again[1:] == first, "the stored verdicts, though the code behaves differently now"
    assert climbs.rows == ROWS


def test_another_rung_is_climbed_on_its_own(tmp_path: Path) -> None:
    climbs = Climbs()
    with Journal(tmp_path) as journal:
        for top in (Rung.PASSING, Rung.CAUSAL, Rung.PASSING):
            (ladder,) = climb_once(ROWS[:1], top, climbs, journal)
            assert ladder.rung == top
    assert len(climbs.rows) == 2


def test_a_damaged_verdict_is_climbed_again(tmp_path: Path) -> None:
    climbs = Climbs()
    with Journal(tmp_path) as journal:
        list(climb_once(ROWS, Rung.CAUSAL, climbs, journal))
    with sqlite3.connect(tmp_path / "journal.sqlite") as database:
        database.execute(
            "UPDATE verdicts SET verdict = replace(verdict, 'climb 2', 'climb 9') "
            "WHERE verdict LIKE '%climb 2%'"
        )
    database.close()
    with Journal(tmp_path) as journal:
        again = list(climb_once(ROWS, Rung.CAUSAL, climbs, journal))
        assert journal.damaged == 1
    assert [ladder.change for ladder in again] == ["climb 1", "climb 4", "climb 3"]
