"""Stories are read from what a team has: pages, tables, lists and features."""

from __future__ import annotations

import csv
import io
import json
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfbehave.core.errors import SelfBehaveError
from selfbehave.stories.reading import read_stories, stories_in, story_set
from selfbehave.stories.story import LeftOut, Story

from ..helpers.paths import ROOT

BACKLOG = ROOT / "examples/backlog/sports-halls.md"

PAGE = b"""\
# Halls

What we plan.

## HALL-1: Book a hall

As a club, I want to **book** a hall,
so that we can train.

### Acceptance criteria

- An hour costs 18 euros.
- At most 4 hours are booked
  in one go.
  1. Also on Sundays.

```text
# not a heading
```

## Cancel a booking

<!-- ## not
a story -->
Cancelling is free until 48 hours before.
"""


def story(data: bytes, file: str) -> Story:
    (one,) = stories_in(data, file)
    assert isinstance(one, Story)
    return one


def refusal(data: bytes, file: str) -> str:
    with pytest.raises(SelfBehaveError) as caught:
        story_set(stories_in(data, file), "")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_each_innermost_section_of_a_page_is_a_story_with_its_criteria() -> None:
    introduction, booking, cancelling = stories_in(PAGE, "halls.md")
    assert introduction == LeftOut("halls.md", 1, introduction.reason)
    assert isinstance(booking, Story)
    assert isinstance(cancelling, Story)
    assert (booking.id, booking.title, booking.unit, booking.at) == (
        "HALL-1",
        "Book a hall",
        "line",
        5,
    )
    assert booking.text.startswith("As a club, I want to book a hall,\nso that we can train.")
    assert booking.criteria == (
        "An hour costs 18 euros.",
        "At most 4 hours are booked in one go. Also on Sundays.",
    )
    assert (cancelling.at, cancelling.text) == (21, "Cancelling is free until 48 hours before.")


def test_our_own_backlog_has_twelve_stories_with_criteria() -> None:
    told = read_stories([str(BACKLOG)])
    assert [one.id for one in told.stories] == [f"HALL-{number}" for number in range(1, 13)]
    assert all(2 <= len(one.criteria) <= 3 for one in told.stories)
    assert told.notes == ["1 left out of the stories: introduction of a group (sports-halls.md:1)"]


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b""])
def test_marks_and_line_ends_of_other_systems_make_no_difference(mark: bytes) -> None:
    windows = mark + PAGE.replace(b"\n", b"\r\n")
    assert stories_in(windows, "halls.md") == stories_in(PAGE, "halls.md")
    utf_16 = PAGE.decode().encode("utf-16")
    assert stories_in(utf_16, "halls.md") == stories_in(PAGE, "halls.md")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_has_a_story_in_each_record(separator: str) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator)
    writer.writerow(["Issue key", "Summary", "Description", "Acceptance Criteria", "Status"])
    writer.writerow(["HALL-1", "Book", 'As a "club", I want\nto book', "- 18 euros\n- 4 hours", ""])
    writer.writerow(["", "", "", "", ""])
    writer.writerow(["HALL-2", "Cancel", "Until 48 hours", "It is free", "done"])
    one, other = stories_in(text.getvalue().encode(), "halls.csv")
    assert isinstance(one, Story)
    assert isinstance(other, Story)
    assert one.source == {"file": "halls.csv", "record": 1, "id": "HALL-1", "title": "Book"}
    assert one.text == 'As a "club", I want\nto book'
    assert one.criteria == ("18 euros", "4 hours")
    assert (other.at, other.criteria) == (2, ("It is free",))


def test_lines_of_json_have_a_story_each() -> None:
    rows = [
        {"id": 7, "story": "As a club, I want to book", "criteria": ["18 euros", "4 hours"]},
        {"title": "Cancel a booking", "text": None, "acceptance_criteria": "- free\n- late: half"},
    ]
    data = "\n\n".join(map(json.dumps, rows)).encode()
    one, other = stories_in(data, "halls.jsonl")
    assert isinstance(one, Story)
    assert isinstance(other, Story)
    assert (one.id, one.title, one.text) == ("7", "As a club, I want to book", "")
    assert one.criteria == ("18 euros", "4 hours")
    assert (other.at, other.criteria) == (2, ("free", "late: half"))


def test_a_paragraph_of_plain_text_is_a_story_and_the_list_after_it_belongs_to_it() -> None:
    data = b"As a club, I want to book.\n\nAcceptance criteria:\n* 18 euros\n\n"
    data += b"Cancel\nIt is free.\n"
    one, other = stories_in(data, "halls.txt")
    assert isinstance(one, Story)
    assert isinstance(other, Story)
    assert (one.at, one.title, one.criteria) == (1, "As a club, I want to book.", ("18 euros",))
    assert (other.at, other.title, other.text) == (6, "Cancel", "It is free.")


def test_a_text_that_is_one_list_has_a_story_in_each_item() -> None:
    one, other = stories_in(b"- As a club, I book\n  - 18 euros\n- I cancel\n  for free\n", "a.md")
    assert isinstance(one, Story)
    assert isinstance(other, Story)
    assert (one.at, one.title, one.criteria) == (1, "As a club, I book", ("18 euros",))
    assert (other.at, other.title, other.text) == (3, "I cancel", "for free")


def test_a_feature_tells_its_description_and_its_rules() -> None:
    data = (
        b"# language: en\nFeature: Book halls\n  As a club\n  I want to book\n\n"
        b"  Rule: at most 4 hours\n    Scenario: a\n      Given a hall\n"
    )
    one = story(data, "halls.feature")
    assert (one.at, one.title, one.text) == (2, "Book halls", "As a club\nI want to book")
    assert one.criteria == ("at most 4 hours",)


def test_stories_that_repeat_or_say_too_little_are_left_out_and_counted() -> None:
    data = b"Book a hall by the hour.\n\nbook a hall  by the hour.\n\nLater.\n"
    told = story_set(stories_in(data, "halls.txt"), "")
    assert len(told.stories) == 1
    assert told.notes == [
        "1 left out of the stories: repeated (halls.txt:3)",
        "1 left out of the stories: too short (halls.txt:5)",
    ]


@pytest.mark.parametrize(
    ("data", "file", "line"),
    [
        (b"", "a.md", "a.md: no story in it"),
        (b" \r\n\t", "a.csv", "a.csv: no story in it"),
        (b"id,story\n", "a.csv", "a.csv: no story in it"),
        (b"# Later\n", "a.md", "a.md:1: no story of at least 4 words"),
        (b"\x89PNG\0\0", "a.txt", "a.txt: not a text"),
        (b"one\ntw\xff\n", "a.txt", "a.txt:2: not UTF-8"),
        (b"\xff\xfea", "a.txt", "a.txt:1: not UTF-16"),
        (b"x", "a.docx", "a.docx: stories are not read from .docx"),
        (b"x", "stories", "stories: stories are not read from a file without a suffix"),
        (b"\n" + b"word " * 900, "a.txt", "a.txt:2: a story of 4,620 characters"),
        (b" " * 5_000_001, "a.txt", "a.txt: larger than 5 MB"),
        (b"number,colour\n1,red\n", "a.csv", "a.csv:1: no column with a story: found 'number'"),
        (b'story\n"a\nb"\nc,d\n', "a.csv", "a.csv:4: 2 columns, and the head has 1"),
        (b'story\na\n"b', "a.csv", "a.csv:3: not CSV: unexpected end of data"),
        (b'{"story": "a b c d"}\n{"story": 1}', "a.jsonl", "a.jsonl:2: field 'story' must be a"),
        (b'{"story": "a b c d"}\n[]', "a.jsonl", "a.jsonl:2: not a JSON object but list"),
        (b"Scenario: a\n  Given b", "a.feature", "a.feature:1: scenario: "),
    ],
    ids=lambda one: one[:24],
)
def test_what_is_wrong_is_told_in_one_line_with_its_place(
    data: bytes, file: str, line: str
) -> None:
    assert refusal(data, file).startswith(line)


def test_files_are_named_by_what_tells_them_apart(tmp_path: Path) -> None:
    for name in ("halls/a.md", "pools/a.md"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(f"# Book one of the {name}\n")
    files = [str(tmp_path / name) for name in ("halls/a.md", "pools/a.md")]
    told = read_stories(files)
    assert [one.file for one in told.stories] == ["halls/a.md", "pools/a.md"]
    (alone,) = read_stories(files[:1]).stories
    assert alone.file == "a.md"
    with pytest.raises(SelfBehaveError, match="given twice"):
        read_stories([files[0], files[0]])
    with pytest.raises(SelfBehaveError, match="cannot be read"):
        read_stories([str(tmp_path)])


def test_the_digest_is_of_names_and_bytes_wherever_the_files_lie(tmp_path: Path) -> None:
    for folder, text in (("a", "Book a hall now"), ("b", "Book a hall now"), ("c", "Book halls")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "s.txt").write_text(f"{text} and here")
    a, b, c = (read_stories([str(tmp_path / name / "s.txt")]).sha256 for name in "abc")
    assert a == b != c


WORDS = st.text("abcdefgh €ä", min_size=1, max_size=20).map(lambda one: f"{one.strip()}x")
FIELDS = st.tuples(WORDS, WORDS, st.lists(WORDS, max_size=3))


@given(st.lists(FIELDS, min_size=1, max_size=5))
def test_the_same_stories_are_read_from_every_format(
    fields: list[tuple[str, str, list[str]]],
) -> None:
    table = io.StringIO()
    csv.writer(table).writerow(["title", "text", "criteria"])
    page, lines = "", ""
    for title, text, criteria in fields:
        listed = "\n".join(f"- {one}" for one in criteria)
        csv.writer(table).writerow([title, text, listed])
        page += f"## {title}\n\n{text}\n\n{listed}\n\n"
        lines += json.dumps({"title": title, "text": text, "criteria": criteria}) + "\n"
    read = [
        [(one.title, one.text, one.criteria) for one in stories_in(data.encode(), file)]  # type: ignore[union-attr]
        for data, file in ((table.getvalue(), "a.csv"), (page, "a.md"), (lines, "a.jsonl"))
    ]
    assert read[0] == read[1] == read[2]
    assert read[0] == [
        (" ".join(title.split()), text, tuple(" ".join(one.split()) for one in criteria))
        for title, text, criteria in fields
    ]


@given(
    st.lists(st.sampled_from([*"#-*1. \t\n\r\"',;{}[]:aé\0", "Feature:", "```", "<!--"])),
    st.sampled_from(["a.md", "a.csv", "a.jsonl", "a.txt", "a.feature"]),
)
def test_any_text_is_read_or_refused(parts: list[str], file: str) -> None:
    told = ""
    try:
        found = stories_in("".join(parts).encode(), file)
    except SelfBehaveError as error:
        told = str(error)
        found = []
    assert "\n" not in told
    assert found or told


@pytest.mark.parametrize("mark", ["**a ", "<!--", "# ", " #", "- ", "``", "a-1", "| ", "a\n# "])
def test_long_lines_of_marks_take_no_time(mark: str) -> None:
    began = time.process_time()
    with suppress(SelfBehaveError):
        story_set(stories_in(f"# a\n{mark * 50_000}".encode(), "a.md"), "")
    assert time.process_time() - began < 5
