"""Ratings as CSV, XLSX and JSON Lines: what is written reads back, and what is wrong is named."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from selfbehave.core.errors import SelfBehaveError
from selfbehave.study import truth_words
from selfbehave.study import workbook as workbook_module
from selfbehave.study.exchange import read_ratings, write_ratings
from selfbehave.study.ratings import CONSENSUS, Rating

HEADER = ["Scenario ID", "Reviewer ID", "Essential", "Singular", "Complete", "Integrous"]
NASTY = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'quoted", "''", "_x0041_x0042_", "#N/A",
         "1.0", "'1.0", " 2,00 "]  # fmt: skip

texts = st.text(max_size=20) | st.sampled_from(NASTY)
identifiers = texts.map(str.strip).filter(bool)
verdicts = st.none() | st.booleans()
ratings = st.lists(
    st.builds(
        Rating,
        dataset=identifiers,
        scenario_id=identifiers,
        rater=identifiers,
        essential=verdicts,
        singular=verdicts,
        complete=verdicts,
        integrous=verdicts,
        ill_formed=st.booleans(),
        note=texts,
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda rating: (rating.dataset, rating.scenario_id, rating.rater),
)


def workbook_with(path: Path, rows: Sequence[Sequence[Any]], title: str = "HG") -> Path:
    workbook = Workbook()
    workbook.active.title = title
    for row in rows:
        workbook.active.append(row)
    workbook.save(path)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".jsonl"])
@given(written=ratings)
@settings(max_examples=25)
def test_what_is_written_reads_back_equal(suffix: str, written: list[Rating]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"ratings{suffix}"
        write_ratings(path, written)
        read = read_ratings(path)
    order = list(dict.fromkeys(rating.dataset for rating in written))
    assert read == (
        sorted(written, key=lambda rating: order.index(rating.dataset))
        if suffix == ".xlsx"
        else written
    )


@pytest.mark.parametrize("text", [text for text in NASTY if text[0] in "=+-@\t\r"])
def test_no_exported_text_can_be_taken_for_a_formula(text: str, tmp_path: Path) -> None:
    rating = Rating("HG", "1", "ann", note=text)
    write_ratings(tmp_path / "r.csv", [rating], {("HG", "1"): text})
    write_ratings(tmp_path / "r.xlsx", [rating], {("HG", "1"): text})

    row = (tmp_path / "r.csv").read_bytes().decode().split("\r\n", 1)[1]
    assert f"'{text}" in row
    assert f",{text}" not in row
    assert f',"{text}' not in row
    sheet = load_workbook(tmp_path / "r.xlsx")["HG"]
    cells = {sheet.cell(1, cell.column).value: cell for cell in sheet[2]}
    assert cells["Note"].data_type == cells["Name"].data_type == "s"
    assert cells["Note"].value[0] == "'"


def test_a_workbook_has_a_sheet_for_each_dataset_in_the_published_columns(tmp_path: Path) -> None:
    rating = Rating("HG", "7", "ann", True, True, False, None, note="why?")
    path = tmp_path / "r.xlsx"
    write_ratings(path, [rating, Rating("MG", "7", "ann")], {("HG", "7"): "cancel an order"})
    workbook = load_workbook(path)
    assert workbook.sheetnames == ["HG", "MG"]
    rows = list(workbook["HG"].values)
    assert dict(zip(*rows, strict=True)) == {
        "Scenario ID": 7,
        "Reviewer ID": "ann",
        "Essential": True,
        "Singular": True,
        "Complete": False,
        "Integrous": None,
        "High-quality": False,
        "Name": "cancel an order",
        "Done": False,
        "Ill-formed": False,
        "Note": "why?",
    }


def test_columns_are_found_by_name_in_any_order_and_case(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(
        "reviewer_id;Remark;integrous;COMPLETE;singular;essential;scenario id\n"
        "ann;x;yes;TRUE;false;;12\n"
    )
    assert read_ratings(path) == [Rating("mine", "12", "ann", None, False, True, True)]


WORDS = ["WAHR FALSCH", "VRAI FAUX", "VERDADERO FALSO", "VERO FALSO", "VERDADEIRO FALSO",
         "WAAR ONWAAR", "PRAWDA FAŁSZ", "SANT FALSKT", "SAND FALSK", "SANN USANN", "TOSI EPÄTOSI",
         "IGAZ HAMIS", "PRAVDA NEPRAVDA", "ИСТИНА ЛОЖЬ", "ІСТИНА ХИБНІСТЬ", "DOĞRU YANLIŞ",
         "doğru yanl\u0131ş", "ADEVĂRAT FALS", "tosi epa\u0308tosi", "1,0 0,0", "1.0 0.0",
         "1 0"]  # fmt: skip


@pytest.mark.parametrize("words", WORDS)
def test_truth_words_of_other_languages_are_read(words: str, tmp_path: Path) -> None:
    true, false = words.split()
    path = tmp_path / "r.csv"
    path.write_text(f"{';'.join(HEADER)}\n1;ada;{true};{false};{true};\n", encoding="utf-8")
    workbook = workbook_with(tmp_path / "r.xlsx", [HEADER, [1, "ada", true, false, true, None]])
    for read in (read_ratings(path), read_ratings(workbook)):
        (rating,) = read
        assert (rating.essential, rating.singular, rating.complete, rating.integrous) == (
            True, False, True, None
        )  # fmt: skip


def test_no_truth_word_means_the_opposite_in_another_language() -> None:
    pairs = truth_words._WORDS.values()
    folded = [{truth_words._folded(word) for word in words} for words in zip(*pairs, strict=True)]
    assert not folded[0] & folded[1]


def test_a_number_written_as_a_float_is_the_same_id_as_without_its_point(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    lines = [",".join(HEADER), "1.0,3.0,1.0,0.0,1.0,1.0", "1,4,1,0,1,1", "'1.0,4,1,0,1,1"]
    path.write_text("\n".join(lines))
    assert [(one.scenario_id, one.rater) for one in read_ratings(path)] == [
        ("1", "3"), ("1", "4"), ("1.0", "4")
    ]  # fmt: skip
    row = {"dataset": "HG", "scenario_id": 1.0, "rater": "ann"}
    row |= dict.fromkeys(("essential", "singular", "complete", "integrous"), True)
    (tmp_path / "r.jsonl").write_text(json.dumps(row))
    assert read_ratings(tmp_path / "r.jsonl")[0].scenario_id == "1"


@pytest.mark.parametrize("line", ["sep=;", "SEP=;", '"sep=;"', "sep=;;;;;;"])
def test_a_first_line_that_names_the_delimiter_is_no_row(line: str, tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    header = ";".join([*HEADER, "a, b, c, d, e, f, g, h"])
    path.write_text(f"\ufeff{line}\r\n{header}\r\n1;ada;WAHR;WAHR;WAHR;WAHR;x\r\n")
    (rating,) = read_ratings(path)
    assert (rating.scenario_id, rating.rater, rating.high_quality) == ("1", "ada", True)


def test_behind_the_line_that_names_the_delimiter_lines_are_counted_as_in_the_file(
    tmp_path: Path,
) -> None:
    path = tmp_path / "r.csv"
    path.write_text(f"sep=;\n{';'.join(HEADER)}\n1;ada;TRUE;TRUE;TRUE;TRUE\n2;ada;jein;;;\n")
    with pytest.raises(SelfBehaveError, match=r"r.csv:4: column 'Essential' is neither"):
        read_ratings(path)
    path.write_text("sep=;\n\nScenario ID;Reviewer ID\n")
    with pytest.raises(SelfBehaveError, match=r"r.csv:3: column 'Essential' is missing"):
        read_ratings(path)


def test_rater_3_is_the_consensus_only_where_it_is_named_or_the_layout_is_the_published_one(
    tmp_path: Path,
) -> None:
    rows: list[list[Any]] = [["1", rater, True, True, True, True] for rater in ("1", "2", "3")]
    plain = workbook_with(tmp_path / "plain.xlsx", [HEADER, *rows])
    published = workbook_with(tmp_path / "published.xlsx", [[*HEADER, "Kappa"], *rows])

    assert [rating.rater for rating in read_ratings(plain)] == ["1", "2", "3"]
    assert [rating.rater for rating in read_ratings(plain, "2")] == ["1", CONSENSUS, "3"]
    assert [rating.rater for rating in read_ratings(published)] == ["1", "2", CONSENSUS]
    assert read_ratings(published, "3") == read_ratings(published)
    assert [rating.rater for rating in read_ratings(published, "1")] == [CONSENSUS, "2", "3"]
    with pytest.raises(
        SelfBehaveError, match="there is no rater named '4' — the raters are 1, 2, 3"
    ):
        read_ratings(plain, "4")


def test_only_visible_sheets_with_the_columns_are_read(tmp_path: Path) -> None:
    path = workbook_with(tmp_path / "r.xlsx", [HEADER, ["1", "ann", True, True, True, True]])
    workbook = load_workbook(path)
    workbook.create_sheet("Kappa Analysis").append(["HG"])
    workbook.copy_worksheet(workbook["HG"]).sheet_state = "hidden"
    workbook.save(path)
    assert {rating.dataset for rating in read_ratings(path)} == {"HG"}


def test_a_scenario_nobody_rated_stays_as_unanswered_and_a_prepared_row_is_no_rating(
    tmp_path: Path,
) -> None:
    rows: list[list[Any]] = [
        [*HEADER, "Done"],
        ["1", "ann", None, None, None, None, False],
        [None] * 6 + [False],
    ]
    path = workbook_with(tmp_path / "r.xlsx", rows)
    assert read_ratings(path) == [Rating("HG", "1", "ann")]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [HEADER[:3] + HEADER[4:], ["1", "ann", True, True, True]],
            "sheet HG, row 1: column 'Singular' is missing",
        ),
        ([[*HEADER, "complete"]], "row 1: column 'Complete' is there 2 times"),
        (
            [HEADER, ["1", "ann", True, "maybe", True, True]],
            "sheet HG, cell D2: column 'Singular' is neither TRUE nor FALSE but 'maybe' — write",
        ),
        (
            [HEADER, ["1", "ann", True, True, True, 0.5]],
            "cell F2: column 'Integrous' is neither TRUE nor FALSE but '0.5'",
        ),
        (
            [HEADER, ["1", "ann"], ["2", "ann"], ["1", "ann"]],
            "sheet HG, row 4: rater ann rates scenario 1 of HG twice \\(first at .*row 2\\)",
        ),
        ([HEADER, ["1", None, True]], "cell B2: column 'Reviewer ID' is empty"),
        ([HEADER, [None, "ann", True]], "cell A2: column 'Scenario ID' is empty"),
        (
            [[*HEADER, "High-quality"], ["1", "ann", True, True, True, False, True]],
            "cell G2: column 'High-quality' is TRUE where the four criteria make it FALSE",
        ),
        (
            [HEADER, ["1", "ann", "=TRUE()", True, True, True]],
            "cell C2: a formula without a value — open the file in a spreadsheet program",
        ),
        ([["a", "b"]], "no visible sheet holds ratings"),
        ([HEADER], "the file has no ratings"),
    ],
)
def test_what_is_wrong_in_a_workbook_is_named_with_sheet_and_cell(
    rows: list[list[Any]], message: str, tmp_path: Path
) -> None:
    path = workbook_with(tmp_path / "r.xlsx", rows)
    with pytest.raises(SelfBehaveError, match=message) as raised:
        read_ratings(path)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "r.csv:1: column 'Scenario ID' is missing"),
        ("Scenario ID,Reviewer ID\n1,ann\n", "r.csv:1: column 'Essential' is missing"),
        (
            ",".join([*HEADER, "Note"]) + '\n1,ann,,,,,"two\nlines"\n2,ann,nein,,,,\n',
            "r.csv:4: column 'Essential' is neither TRUE nor FALSE but 'nein'",
        ),
        (",".join(HEADER) + '\n1,"ann,,,,\n', "r.csv:2: not CSV"),
        (",".join(HEADER) + "\n1,ann\n1,ann\n", "r.csv:3: rater ann rates scenario 1 of r twice"),
    ],
)
def test_what_is_wrong_in_a_csv_file_is_named_with_its_line(
    text: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "r.csv"
    path.write_text(text)
    with pytest.raises(SelfBehaveError, match=message):
        read_ratings(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"essential": 1}, "r.jsonl:1: field 'essential' must be true, false or null"),
        ({"rater": " "}, "r.jsonl:1: field 'rater' must be a text"),
        ({"high_quality": False}, "r.jsonl:1: field 'high_quality' contradicts"),
        ({"note": 3}, "r.jsonl:1: field 'note' must be a text"),
    ],
)
def test_what_is_wrong_in_json_lines_is_named_with_its_line(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    row = {"dataset": "HG", "scenario_id": 1, "rater": "ann"}
    row |= dict.fromkeys(("essential", "singular", "complete", "integrous"), True)
    path = tmp_path / "r.jsonl"
    path.write_text(json.dumps(row | changes) + "\n")
    with pytest.raises(SelfBehaveError, match=message):
        read_ratings(path)


def test_a_file_of_another_kind_and_a_missing_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        SelfBehaveError, match=r"'.ods' is not a format of ratings.*use one of \.csv"
    ):
        read_ratings(tmp_path / "r.ods")
    for suffix in (".csv", ".xlsx", ".jsonl"):
        with pytest.raises(SelfBehaveError, match="cannot be read: No such file"):
            read_ratings(tmp_path / f"r{suffix}")


def test_a_text_longer_than_a_cell_is_refused_by_spreadsheets_and_kept_by_json_lines(
    tmp_path: Path,
) -> None:
    rating = Rating("HG", "1", "ann", note="x" * 40_000)
    for suffix in (".csv", ".xlsx"):
        with pytest.raises(SelfBehaveError, match=r"too long for a spreadsheet .* \*\.jsonl"):
            write_ratings(tmp_path / f"r{suffix}", [rating])
    write_ratings(tmp_path / "r.jsonl", [rating])
    assert read_ratings(tmp_path / "r.jsonl") == [rating]


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", bytes(workbook_module.MAX_UNPACKED + 1))
    assert path.stat().st_size < 200_000
    with pytest.raises(SelfBehaveError, match=r"bomb\.xlsx: 32 MiB in 1 parts when unpacked"):
        read_ratings(path)


def test_an_entity_bomb_and_files_that_are_no_workbook_are_refused(tmp_path: Path) -> None:
    good = workbook_with(tmp_path / "good.xlsx", [HEADER, ["1", "ann", True, True, True, True]])
    entities = b'<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>'
    for part in ("xl/worksheets/sheet1.xml", "xl/workbook.xml"):
        changed = io.BytesIO()
        with zipfile.ZipFile(good) as old, zipfile.ZipFile(changed, "w") as new:
            for name in old.namelist():
                data = old.read(name)
                if name == part:
                    data = b'<?xml version="1.0"?>' + entities + data.split(b"?>")[-1]
                new.writestr(name, data)
        path = tmp_path / "entities.xlsx"
        path.write_bytes(changed.getvalue())
        with pytest.raises(SelfBehaveError, match=r"not a workbook \(EntitiesForbidden\)"):
            read_ratings(path)
    for data in (b"", b"PK\x03\x04", b"Scenario ID,Reviewer ID", good.read_bytes()[:-100]):
        path = tmp_path / "broken.xlsx"
        path.write_bytes(data)
        with pytest.raises(SelfBehaveError, match="not a workbook"):
            read_ratings(path)
