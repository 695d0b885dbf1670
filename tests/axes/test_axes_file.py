"""A table of axes is read from TOML, and what is wrong in it is said in one line with its place."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from selfbehave.axes.axes_file import axes_named, packaged_axes, read_axes
from selfbehave.axes.cells import draw_from
from selfbehave.axes.table import Axes, Feature
from selfbehave.axes.tally import Tally
from selfbehave.core.errors import SelfBehaveError

TABLE = """\
[systems]
sea = ["lighthouse", "fish pier"]

[weights.feature]
outline = 0

[[kinds]]
name = "tide"
rule = "a {boat} may leave only if the tide has at least the depth that it needs"
words = ["boat"]
settings = [
  "lighthouse: cutter",
  "fish pier: trawler",
]
given.depth = "depth that the {boat} needs in metres"
when.tide = "tide in metres"
then.answer = "answer"
values.depth = "between(3, 9)"
values.tide = "depth + between(1, 4)"
values.answer = "'leaves' if tide >= depth else 'stays'"
outcomes.accepted = { holds = "tide > depth" }
outcomes.refused = { tide = "depth - one_of(1, 2)", holds = "tide < depth" }
"""


def read(text: str, folder: Path) -> Axes:
    file = folder / "ours.toml"
    file.write_text(text)
    return read_axes(file)


def drawn(axes: Axes, count: int = 60) -> Counter[str]:
    tally = Tally()
    values: Counter[str] = Counter()
    for number in range(count):
        cell = draw_from(axes, number, 1, tally)
        tally.note_drawn(cell.axes)
        values.update(f"{axis} {value}" for axis, value in cell.axes.items())
    return values


def test_a_small_table_gives_cells_with_its_own_words(tmp_path: Path) -> None:
    axes = read(TABLE, tmp_path)
    cell = draw_from(axes, 0, 1, Tally())
    boat = {"lighthouse": "cutter", "fish pier": "trawler"}[cell.system]
    assert cell.request.startswith(
        f"System: {cell.system}\nRule: a {boat} may leave only if the tide has at least"
    )
    assert [*cell.given] == [f"depth that the {boat} needs in metres"]
    values = drawn(axes)
    assert values["group sea"] == 60
    assert values["feature outline"] == 0
    assert values["outcome accepted"] == values["outcome refused"] == 30


def test_a_table_may_extend_the_packaged_one(tmp_path: Path) -> None:
    axes = read('extends = "packaged"\n' + TABLE, tmp_path)
    packaged = packaged_axes()
    own = {*axes.values_of("kind")} ^ {*packaged.values_of("kind")}
    assert own == {"tide", "reply"}, "the latter suits outlines only, and they are excluded"
    assert axes.group_of["lighthouse"] == "sea"
    assert Feature.OUTLINE not in axes.values_of("feature")
    assert axes.weight("feature", "plain") == packaged.weight("feature", "plain")


def test_a_setting_names_the_packaged_table_a_file_or_none(tmp_path: Path) -> None:
    assert axes_named("packaged") is packaged_axes()
    assert axes_named("none") is None
    ours = read(TABLE, tmp_path)
    assert axes_named(str(tmp_path / "ours.toml")) == ours
    changed = read(TABLE.replace("outline = 0", "outline = 2"), tmp_path)
    assert len({ours.sha256, changed.sha256, packaged_axes().sha256}) == 3


def test_weights_decide_how_often_and_zero_excludes(tmp_path: Path) -> None:
    text = """\
extends = "packaged"
[weights.kind]
late_fine = 4
[weights.group]
food = 0
[weights.outcome]
boundary = 0
[weights.difficulty]
hard = 0
[weights.system]
"tool hire" = 0
"""
    axes = read(text, tmp_path)
    values = drawn(axes, 300)
    assert values["kind late_fine"] >= 3 * values["kind overtime"] > 0
    for excluded in ("group food", "outcome boundary", "difficulty hard", "system tool hire"):
        assert values[excluded] == 0, excluded
    assert "two_rates" not in axes.values_of("kind"), "it is hard"


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('sea = ["', 'sea = [lighthouse"', 2, "is not TOML"),
        ("[systems]", "[system]", 1, "'system' is unknown"),
        ('"fish pier"]', '"fish pier", "lighthouse"]', 2, "'lighthouse' stands twice"),
        ("outline = 0", "outlines = 0", 5, "a weight for 'outlines', which is no feature"),
        ("outline = 0", 'outline = "no"', 5, "the weight 'no' is no number from 0 to 1,000"),
        ("outline = 0", "outline = 0\n[weights.kind]\ntide = 0", 4, "no kind of rule has a system"),
        ("[[kinds]]", "[kinds]", 7, "kinds are written as [[kinds]]"),
        ('name = "tide"', 'name = "The tide"', 8, "is no name"),
        ('rule = "a', 'role = "a', 9, "'role' is unknown"),
        ('words = ["boat"]', 'words = "boat"', 10, "words is a list of texts"),
        ("fish pier: trawler", "fish peer: trawler", 13, "no system 'fish peer'"),
        ("fish pier: trawler", "fish pier", 13, "needs after its colon: boat"),
        ("fish pier: trawler", "fish pier: a, b", 13, "needs after its colon: boat"),
        ("{boat} needs", "{ship} needs", 15, "'ship' is none of the words"),
        ("values.depth =", "values.deep =", 15, "values has no formula for 'depth'"),
        ("depth + between", "deep + between", 19, "nothing is called 'deep'"),
        ("between(3, 9)", "between(3, 9", 18, "is no formula"),
        ("between(3, 9)", "open(3)", 18, "is nothing that a formula can hold"),
        ("\"'leaves' if", '"one_of(1, 2) if', 20, "is drawn, and does not follow"),
        ('holds = "tide > depth"', 'holds = "tide > 50"', 21, "no values for the outcome"),
        ('tide = "depth - one_of(1, 2)"', 'tide = "depth"', 22, "two values are equal"),
        ('when.tide = "tide', 'when.depth = "tide', 15, "stands in two of given, when and then"),
        ("outcomes.accepted =", 'difficulty = "dire"\noutcomes.accepted =', 21, "is one of easy"),
        ("outcomes.accepted =", 'features = ["table"]\noutcomes.accepted =', 21, "does not suit"),
        ("outcomes.accepted =", 'doc_string = "wind"\noutcomes.accepted =', 21, "'wind' is no"),
        ("outcomes.accepted =", 'table = ["a", "b"]\noutcomes.accepted =', 21, "a head for"),
        ("outcomes.accepted =", 'groups = ["sky"]\noutcomes.accepted =', 21, "no group 'sky'"),
    ],
)
def test_what_is_wrong_is_one_line_with_its_place(
    old: str, new: str, line: int, words: str, tmp_path: Path
) -> None:
    assert old in TABLE
    with pytest.raises(SelfBehaveError) as raised:
        read(TABLE.replace(old, new), tmp_path)
    message = str(raised.value)
    assert "\n" not in message
    assert words in message
    assert message.startswith(f"{tmp_path / 'ours.toml'}:{line}: "), message


def test_an_outcome_that_follows_from_what_no_step_states_is_refused(tmp_path: Path) -> None:
    text = TABLE.replace("tide >= depth else", "tide >= wind else") + 'values.wind = "3"\n'
    with pytest.raises(SelfBehaveError, match=r"follows from 'wind', which no step states"):
        read(text, tmp_path)


def test_a_file_that_cannot_be_read_or_is_no_text_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SelfBehaveError, match=r"none\.toml: cannot be read: No such file"):
        read_axes(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SelfBehaveError, match=r"bytes\.toml: is not UTF-8"):
        read_axes(tmp_path / "bytes.toml")
    with pytest.raises(SelfBehaveError, match="only 'packaged' can be extended"):
        read('extends = "theirs"\n', tmp_path)
    with pytest.raises(SelfBehaveError, match="no kind of rule has a system"):
        read("", tmp_path)
