"""What hostile files once broke, each by itself."""

from __future__ import annotations

import ast
import json
import sqlite3
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from selfbehave.bdd.faults import sentence
from selfbehave.bdd.fences import fenced_blocks
from selfbehave.bdd.growth import fault_of_growth
from selfbehave.bdd.official_parser import parse_officially, run_pickles
from selfbehave.bdd.patterns import Budget, make_matcher
from selfbehave.bdd.scenario import ScenarioError, parse_scenario
from selfbehave.bdd.steps import bind, read_step_functions
from selfbehave.bdd.unfold import unfold
from selfbehave.core.errors import SelfBehaveError
from selfbehave.core.file_names import FileNames
from selfbehave.core.jsonl import each_row, read_records, write_jsonl
from selfbehave.core.records import Dropped, Instruction, SeedTask
from selfbehave.core.run_files import DROPPED_FILE, JOURNAL_FILE, RUN_FILE
from selfbehave.engines.journal import Journal
from selfbehave.prompts.base import Answer
from selfbehave.prompts.classic import ClassicFamily
from selfbehave.report.answers import read_answers
from selfbehave.runs.dropped_file import write_dropped
from selfbehave.runs.run_file import read_settings
from selfbehave.seeds.markdown import from_markdown, to_jsonl, to_markdown
from selfbehave.study.exchange import read_ratings
from selfbehave.study.ratings import Rating
from selfbehave.study.store import Study

from ..helpers.paths import ROOT
from ..helpers.study_samples import sample, small_study

# ---- JSON Lines


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b'{"request_idx": ' + b"9" * 5000 + b"}", "f.jsonl:1: not JSON: a number too long"),
        (b'{"instruction": "a", "request_idx": 1e999}', "f.jsonl:1: cannot convert float inf"),
        (b'{"instruction": "a", "most_similar": "b"}', "'most_similar' must be an object, not str"),
        (b'{"instruction": "a", "metadata": [1]}', "'metadata' must be an object, not list"),
        (b'{"a": ' + b"[" * 200 + b"]" * 200 + b"}", "nested more than 100 deep"),
        (b"{" + b" " * (33 * 2**20) + b"}", "f.jsonl:1: a line of more than 32 MiB"),
        (b'{"a": [' + b"[]," * 3_000_000 + b"1]}", "more than 1,000,000 values on a line"),
    ],
    ids=range(7),
)
def test_a_record_that_cannot_be_held_is_told_with_its_line(
    tmp_path: Path, line: bytes, complaint: str
) -> None:
    path = tmp_path / "f.jsonl"
    path.write_bytes(line + b"\n")
    with pytest.raises(SelfBehaveError, match=complaint):
        read_records(path, Instruction.from_dict)


def test_half_a_surrogate_pair_is_written_and_reads_back(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "f.jsonl", [{"text": "a\ud800é"}])
    assert [row for _, row in each_row(tmp_path / "f.jsonl")] == [{"text": "a\ud800é"}]
    row = {"id": "a", "name": "b", "instruction": "c\udfff", "is_classification": False}
    task = SeedTask.from_dict({**row, "instances": [{"input": "", "output": "d"}]})
    (back,) = from_markdown(to_markdown([task]))
    assert back == task
    assert json.loads(to_jsonl([back]))["instruction"] == "c\udfff"


def test_what_one_stage_dropped_outlives_the_next_whatever_separators_it_holds(
    tmp_path: Path,
) -> None:
    odd = Dropped("bootstrap", "too_short", "one\u2028two\u0085three\x1cfour")
    write_dropped(tmp_path, "bootstrap", [odd])
    write_dropped(tmp_path, "prepare", [])
    assert [row for _, row in each_row(tmp_path / DROPPED_FILE)] == [odd.to_dict()]


def test_a_dropped_row_of_no_stage_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / DROPPED_FILE).write_text('{"stage": ["x"]}\n')
    with pytest.raises(SelfBehaveError, match=r"dropped\.jsonl:1: field 'stage' must be one of"):
        write_dropped(tmp_path, "prepare", [])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("prepare = 1", "'prepare' is not a table"),
        ("a = " + "[" * 100_000, "cannot be read"),
        ("a = " + "9" * 5000, "cannot be read"),
        ("#" * (2**16 + 1), "larger than 64 KiB"),
    ],
    ids=range(4),
)
def test_settings_of_a_run_that_cannot_be_read_are_told(
    tmp_path: Path, text: str, complaint: str
) -> None:
    (tmp_path / RUN_FILE).write_text(text)
    with pytest.raises(SelfBehaveError, match=complaint):
        read_settings(tmp_path)


def test_an_error_is_one_short_line_that_no_terminal_obeys() -> None:
    words = str(SelfBehaveError("a\n\x1b[2J\u202eb" + "x" * 10**6, where="\x9bc", mend="d\ud800"))
    assert not {"\n", "\x1b", "\u202e", "\x9b", "\ud800"} & set(words)
    assert len(words) < 2100


# ---- text


def test_only_what_ends_a_line_in_markdown_ends_one_in_a_block() -> None:
    (block,) = fenced_blocks("```python\rx = 'a\u2028b\x0cc\x85d'\r```\u2028\r")
    assert block.body == "x = 'a\u2028b\x0cc\x85d'"
    assert block.is_closed


def test_items_of_a_list_are_found_between_any_blank_lines() -> None:
    answer = Answer("\n\n 1. Name three birds of prey.\n\n\n\t2)\n Sort these words.", False)
    found = [one.instruction for one in ClassicFamily().candidates(answer)]
    assert found == ["Name three birds of prey.", "Sort these words."]


def test_a_folded_scenario_of_many_ands_is_laid_out() -> None:
    laid_out = unfold("Scenario: a Given we begin " + "and we go on " * 3000)
    assert laid_out is not None
    assert laid_out.count("\nAnd we go on") == 3000


# ---- Gherkin


def test_an_outline_that_fills_itself_in_for_ever_is_refused() -> None:
    names = [f"p{number}" for number in range(40)]
    values = [f"<{name}><{name}>" for name in names[1:]] + ["ha"]
    table = "".join(f"    | {' | '.join(row)} |\n" for row in (names, values))
    with pytest.raises(ScenarioError, match="more than 2,000,000 characters, once outlines are"):
        parse_scenario(f"Scenario Outline: a\n  Given <p0>\n\n  Examples:\n{table}")


@pytest.mark.parametrize(
    "text",
    [
        "Scenario Outline: a\n" + "* a\n" * 100 + "Examples:\n|x|\n" + "|1|\n" * 100,
        "Feature: a\nBackground:\n" + "* a\n" * 100 + "Scenario: b\n* c\n" * 100,
        "@t " * 100 + "\nFeature: a\n" + "Scenario: b\n* c\n" * 100,
        "Feature: a\nRule: r\nBackground:\n" + "* a\n" * 100 + "Scenario: b\n* c\n" * 100,
    ],
    ids=["rows", "background", "tags", "a rule's background"],
)
def test_steps_that_are_repeated_too_often_are_refused(text: str) -> None:
    with pytest.raises(ScenarioError, match="more than 1,000 steps and tags, once outlines"):
        parse_scenario(text)


cells = st.text("ab<>c ", max_size=8).map(lambda text: text.strip())
tables = st.integers(1, 3).flatmap(
    lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), max_size=4).map(
        lambda rows: [["a", "b", "<a>"][:width], *rows]
    )
)


@settings(max_examples=60)
@given(
    background=st.lists(cells, max_size=3),
    scenarios=st.lists(
        st.tuples(st.lists(cells, min_size=1, max_size=3), st.lists(tables, max_size=2)),
        min_size=1,
        max_size=3,
    ),
)
def test_growth_is_told_before_it_happens(
    background: list[str], scenarios: list[tuple[list[str], list[list[list[str]]]]]
) -> None:
    lines = ["Feature: a", "Background:", *(f"* {step}" for step in background)]
    for steps, examples in scenarios:
        lines += ["Scenario Outline: b", *(f"* {step}" for step in steps)]
        for table in examples:
            lines += ["Examples:", *("|" + "".join(f"{cell}|" for cell in row) for row in table)]
    document = parse_officially("\n".join(lines))
    run = [step for pickle in run_pickles(document) for step in pickle["steps"]]
    assert fault_of_growth(document, len(run)) is None
    if run:
        assert fault_of_growth(document, len(run) - 1) is not None


def test_a_scenario_of_too_many_lines_or_blanks_is_refused() -> None:
    with pytest.raises(ScenarioError, match="longer than 3,000 lines"):
        parse_scenario("Scenario: a\n" + "* b\n" * 3001)
    with pytest.raises(ScenarioError, match="line 3: more than 1,000 blanks in a row"):
        parse_scenario(f"Scenario: a\n  Given b\n  | c{' ' * 1001}d |\n")


# ---- Python


def test_step_functions_behind_a_long_chain_of_elif_are_read() -> None:
    code = "if a: pass\n" + "elif b: pass\n" * 900 + "@given('a')\ndef f(context): pass\n"
    assert [one.pattern for one in read_step_functions(code).functions] == ["a"]


def test_a_module_of_too_many_step_functions_is_told() -> None:
    code = "".join(f"@given('a{n}')\ndef f{n}(c): pass\n" for n in range(400))
    read = read_step_functions(code)
    assert [sentence(fault) for fault in read.faults] == ["more than 300 step functions"]
    assert not bind(parse_scenario("Scenario: a\n  Given a1\n"), read).is_bound


def test_a_pattern_that_would_take_too_long_matches_nothing_on_any_machine() -> None:
    budget = Budget()
    matches = make_matcher("parse", "{:w}a" * 30, {}, budget)
    assert matches("a" * 80)
    assert not matches("a" * 40_000)
    assert budget.seconds > 0
    for _ in range(100):
        matches("a" * 40_000)
    assert budget.seconds <= 0
    assert not matches("a" * 80)


# ---- spreadsheets

HEADER = ["Scenario ID", "Reviewer ID", "Essential", "Singular", "Complete", "Integrous", "Note"]
ROW = ["1", "ann", True, True, True, True, "note"]


def test_a_workbook_of_many_sheets_is_refused(tmp_path: Path) -> None:
    workbook = Workbook()
    for _ in range(100):
        workbook.create_sheet()
    workbook.save(tmp_path / "r.xlsx")
    with pytest.raises(SelfBehaveError, match=r"r\.xlsx: more than 100 sheets"):
        read_ratings(tmp_path / "r.xlsx")


def test_a_row_that_says_it_is_the_millionth_is_refused(tmp_path: Path) -> None:
    workbook = Workbook()
    workbook.active.append(HEADER)
    for column, cell in enumerate(ROW, start=1):
        workbook.active.cell(1_048_576, column, cell)
    workbook.save(tmp_path / "r.xlsx")
    with pytest.raises(SelfBehaveError, match=r"r\.xlsx: more than 200,000 rows"):
        read_ratings(tmp_path / "r.xlsx")


def test_an_escape_of_half_a_surrogate_pair_stays_as_it_is_written(tmp_path: Path) -> None:
    workbook = Workbook()
    workbook.active.append(HEADER)
    workbook.active.append([*ROW[:-1], "_xD800_ _x0041_ _xdFFf_"])
    workbook.save(tmp_path / "r.xlsx")
    (rating,) = read_ratings(tmp_path / "r.xlsx")
    assert rating.note == "_xD800_ A _xdFFf_"


def test_a_part_that_is_no_xml_makes_no_workbook(tmp_path: Path) -> None:
    workbook = Workbook()
    workbook.save(tmp_path / "good.xlsx")
    with zipfile.ZipFile(tmp_path / "good.xlsx") as good:
        for part in good.namelist():
            with zipfile.ZipFile(tmp_path / "bad.xlsx", "w") as bad:
                for name in good.namelist():
                    bad.writestr(name, good.read(name) + (b"<" if name == part else b""))
            with pytest.raises(SelfBehaveError):
                read_ratings(tmp_path / "bad.xlsx")


def test_a_csv_file_of_too_many_cells_is_refused_and_empty_lines_are_passed_over(
    tmp_path: Path,
) -> None:
    path = tmp_path / "r.csv"
    path.write_text("\n" * 3 + ",".join(HEADER[:-1]) + "\n\n\n1,ann,,,,\n")
    assert read_ratings(path) == [Rating("r", "1", "ann")]
    path.write_text("," * 3_000_000)
    with pytest.raises(SelfBehaveError, match=r"r\.csv:1: not CSV: more than 2,000,000 cells"):
        read_ratings(path)


# ---- studies


@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        ("CREATE TRIGGER t AFTER INSERT ON study_answers BEGIN SELECT 1; END", "has triggers"),
        ("CREATE VIEW v AS SELECT 1", "has triggers or views"),
        ("DROP TABLE study_history", "has no table study_history"),
        ("ALTER TABLE study_items DROP COLUMN row", "study_items has no column row"),
        (
            "UPDATE study_raters SET token = x'00' WHERE id = 1",
            "study_raters holds a value of a wrong type",
        ),
        ("UPDATE study_items SET texts = 'x'", "a text of it cannot be read"),
        ("UPDATE study_items SET texts = '{\"name\": 1}'", "a text of it cannot be read"),
        ("UPDATE study_settings SET value = '[{}]' WHERE name = 'questions'", "cannot be read"),
        ("UPDATE study_settings SET value = '[[' WHERE name = 'questions'", "cannot be read"),
        ("UPDATE study_settings SET value = 'x' WHERE name = 'secret'", "cannot be read"),
        ("UPDATE study_orders SET item_id = 99 WHERE position = 1", "refers to one that is not"),
        ("UPDATE study_raters SET role = 'rater' WHERE role = 'owner'", "not one owner and one"),
    ],
)
def test_a_study_that_was_tampered_with_is_not_opened(
    tmp_path: Path, statement: str, complaint: str
) -> None:
    place = tmp_path / "a.study"
    small_study(place).close()
    database = sqlite3.connect(place)
    database.execute(statement)
    database.commit()
    database.close()
    with pytest.raises(SelfBehaveError, match=f"the study is broken: .*{complaint}"):
        Study.open(place)


def test_a_study_whose_tables_are_not_even_text_is_told(tmp_path: Path) -> None:
    place = tmp_path / "a.study"
    small_study(place).close()
    whole = place.read_bytes()
    place.write_bytes(whole.replace(b"CREATE TABLE study_items", b"CREATE TABL\xa1 study_items"))
    with pytest.raises(SelfBehaveError, match="holds text that is not UTF-8"):
        Study.open(place)


def test_a_journal_whose_schema_is_not_even_text_is_told(tmp_path: Path) -> None:
    with Journal(tmp_path):
        place = tmp_path / JOURNAL_FILE
    whole = place.read_bytes()
    place.write_bytes(whole.replace(b"CREATE TABLE answers", b"CREATE TABL\xa1 answers"))
    with pytest.raises(SelfBehaveError, match="cannot be opened: its schema is damaged"):
        Journal(tmp_path)
    with pytest.raises(SelfBehaveError, match="the journal cannot be read"):
        read_answers(tmp_path)


def test_names_no_database_can_hold_are_refused_and_such_notes_are_kept_as_far_as_they_can_be(
    tmp_path: Path,
) -> None:
    for name in ("a\0b", "\ud800", "x" * 1001):
        with pytest.raises(SelfBehaveError, match="is not a valid name of a dataset or a scenario"):
            Study.create(tmp_path / "a.study", [sample(name, 1)])
        assert not (tmp_path / "a.study").exists()
    with small_study(tmp_path / "b.study") as study:
        study.import_ratings([Rating("good", "1", "ada", note="a\ud800b\0c")])
        assert study.ratings()[0].note == "a\ufffdb\ufffdc"


# ---- names of files


@pytest.mark.parametrize(
    "text",
    ["../../etc/passwd", "/etc/passwd", "..", ".", "", "a\0b", "C:\\x", "con", "NUL.txt", "lpt1",
     "x" * 300, "漢" * 300, "\U0002070e" * 300, "a\nb", "-rf", "~", "a.", "\ud800", "com¹"],
)  # fmt: skip
def test_any_text_makes_a_name_that_stays_in_its_folder(tmp_path: Path, text: str) -> None:
    name = FileNames().of(text)
    path = tmp_path / f"{name}.md"
    path.touch()
    assert path.parent.resolve() == path.resolve().parent == tmp_path.resolve()
    assert len(f"{name}.md.partial".encode()) <= 255
    assert not set(name) & set('/\\:*?"<>|\n\0 ')
    stem = name.partition(".")[0].casefold()
    assert stem not in {"con", "nul", "aux", "prn", "lpt1", "com¹"}


def test_texts_that_differ_have_names_that_differ_by_more_than_case() -> None:
    texts = ["a", "A", "a/b", "a_b", "a?b", "con", "CON", "_con", "..", "", "x" * 300, "x" * 301]
    given = FileNames()
    told = [given.of(text).casefold() for text in texts]
    assert len({*told}) == len(texts)
    assert [given.of(text).casefold() for text in texts] == told


# ---- code that is made of data

FORBIDDEN_MODULES = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
FORBIDDEN_CALLS = {"eval", "exec", "__import__", "read_pickle", "unsafe_load", "full_load"}


def test_no_module_of_ours_loads_a_pickle_or_evaluates_a_text() -> None:
    found = []
    for path in sorted((ROOT / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name.partition(".")[0] for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [(node.module or "").partition(".")[0]]
            elif isinstance(node, ast.Call):
                function = node.func
                called = function.id if isinstance(function, ast.Name) else ""
                if isinstance(function, ast.Attribute):
                    of = ast.unparse(function.value)
                    called = function.attr
                    refuses_pickles = "allow_pickle=False" in map(ast.unparse, node.keywords)
                    if (of, called) in (("yaml", "load"), ("np", "load"), ("torch", "load")) and (
                        not refuses_pickles
                    ):
                        found.append(f"{path}:{node.lineno}: {of}.{called}")
                    if called in ("eval", "exec"):
                        called = ""  # a method of that name, such as a model's
                if any(
                    one.arg == "allow_pickle" and getattr(one.value, "value", True)
                    for one in node.keywords
                ):
                    found.append(f"{path}:{node.lineno}: allow_pickle")
                if called in FORBIDDEN_CALLS:
                    found.append(f"{path}:{node.lineno}: {called}")
            found += [f"{path}: {name}" for name in names if name in FORBIDDEN_MODULES]
    assert found == []
