"""Files of records: what is refused is named by file and line."""

import json
from pathlib import Path
from typing import Any

import pytest

from selfbehave.core.errors import SelfBehaveError
from selfbehave.core.jsonl import read_records, write_jsonl
from selfbehave.core.records import (
    Attempt,
    Classification,
    Instruction,
    RawInstances,
    SeedTask,
    is_yes,
)
from selfbehave.seeds.load import load_seeds

TASK = {
    "id": "1",
    "name": "n",
    "instruction": "Do it.",
    "instances": [{"input": "", "output": "done"}],
    "is_classification": False,
}


def refusal(path: Path, *lines: str | bytes) -> str:
    path.write_bytes(b"\n".join(x if isinstance(x, bytes) else x.encode() for x in lines))
    with pytest.raises(SelfBehaveError) as caught:
        load_seeds(str(path))
    return str(caught.value)


def without(name: str) -> str:
    return json.dumps({key: value for key, value in TASK.items() if key != name})


def changed(**fields: Any) -> str:
    return json.dumps(TASK | fields)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{broken", "not JSON"),
        ("[1]", "not a JSON object but list"),
        (b'{"id": "\xff"}', "not UTF-8"),
        ("[" * 100_000, "not JSON: nested too deeply"),
        (without("instruction"), "field 'instruction' is missing"),
        (changed(instruction=" "), "field 'instruction' is empty"),
        (changed(instruction=3), "field 'instruction' must be a text, not int"),
        (changed(instances=[]), "field 'instances' is empty"),
        (changed(instances=["x"]), "must hold objects"),
        (changed(instances=[{"input": ""}]), "field 'output' is missing"),
        (changed(is_classification="No"), "'is_classification' must be true or false"),
        (changed(criteria={"essential": True}), "field 'criteria' must map"),
    ],
)
def test_a_broken_seed_line_is_named_by_file_and_line(
    tmp_path: Path, line: str | bytes, complaint: str
) -> None:
    path = tmp_path / "seeds.jsonl"
    message = refusal(path, json.dumps(TASK), "", line)
    assert message.startswith(f"{path}:3: ")
    assert complaint in message
    assert " — " in message, "it says how to mend it"


def test_two_seed_tasks_of_one_id_are_refused(tmp_path: Path) -> None:
    message = refusal(tmp_path / "seeds.jsonl", json.dumps(TASK), json.dumps(TASK))
    assert "seed task 2 repeats the id '1' of seed task 1" in message


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_an_empty_file_is_refused(tmp_path: Path, content: str) -> None:
    assert "the file has no records" in refusal(tmp_path / "seeds.jsonl", content)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SelfBehaveError, match="No such file"):
        load_seeds(str(tmp_path / "nowhere.jsonl"))


def test_files_of_other_tools_are_read(tmp_path: Path) -> None:
    path = tmp_path / "is_clf_or_not_davinci_template_1.jsonl"
    path.write_bytes(
        b'\xef\xbb\xbf{"instruction": "a", "is_classification": " No\\n\\nTask: G"}\r\n'
        b'{"instruction": "b", "is_classification": " Yes", "extra": 1}'
    )
    read = read_records(path, Classification.from_dict)
    assert [(one.instruction, one.is_classification) for one in read] == [("a", False), ("b", True)]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(" Yes", True), ("yes.", True), (" No\n\nTask: Yes", False), ("**Yes**", True), ("", False),
     ("Yesterday", False), ("\n\nNo", False)],
)  # fmt: skip
def test_an_answer_is_yes_by_its_first_word(answer: str, expected: bool) -> None:
    assert is_yes(answer) is expected


def test_records_survive_a_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    text = 'line one\nline two\u2028 "é" \\ \ttab'
    for record in (
        SeedTask.from_dict(TASK | {"instruction": text}),
        Instruction(text, {text: 0.5}, 0.25, {"engine": "x"}, 3),
        Classification(text, True, "engine", {"a": 1}),
        RawInstances(text, text, {"finish_reason": "stop"}, {}, {}, 0.0),
        Attempt(text, 0, None, None, (), False, text, {}),
        Attempt(text, 2, 1, "bound", ("run_failed", "idle_step"), True, text, {"tokens": 7}),
    ):
        write_jsonl(path, [record.to_dict()])
        assert read_records(path, type(record).from_dict) == [record]
        assert len(path.read_bytes().splitlines()) == 1


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    write_jsonl(path, [{"a": 1}])

    def breaking() -> Any:
        yield {"a": 2}
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_jsonl(path, breaking())
    assert path.read_text() == '{"a": 1}\n'
    assert list(tmp_path.iterdir()) == [path]
