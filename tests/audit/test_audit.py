"""The audit reads every shape of the seed project's files, and names each fault it counts."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from selfbehave.audit.file_audit import audit_file, audit_repaired_file
from selfbehave.audit.registry import fault_meanings
from selfbehave.audit.repair import repair_file
from selfbehave.bdd import sandbox
from selfbehave.bdd.ladder import Rung
from selfbehave.bdd.smells import code_smells, scenario_smells
from selfbehave.cli.main import main
from selfbehave.novelty.rule import Pool

SCENARIO = "Scenario: x\n  Given a\n  When b\n  Then c"
CODE = """from behave import given, when, then

@given('a')
def a(context):
    context.n = 1

@when('b')
def b(context):
    context.n += 1

@then('c')
def c(context):
    assert context.n == 2"""
TASK = f"Do:\n\n```gherkin\n{SCENARIO}\n```"
ANSWER = f"```python\n{CODE}\n```"


def write(path: Path, *rows: object) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def faults(tmp_path: Path, instruction: str, output: str) -> set[str]:
    row = {"instruction": instruction, "input": "", "output": output}
    return set(audit_file(write(tmp_path / "one.jsonl", row)).rows[0].faults)


def test_every_shape_is_read(tmp_path: Path) -> None:
    instance = {"input": "", "output": ANSWER}
    file = write(
        tmp_path / "rows.jsonl",
        {"id": "1", "name": "n", "instruction": TASK, "instances": [instance, instance],
         "is_classification": False},
        {"instruction": TASK, "output": ANSWER, "scenario_id": 3},
        {"prompt": f"Task: {TASK}\n\nOutput:\n", "completion": ANSWER},
    )  # fmt: skip
    audit = audit_file(file)
    assert [row.rung for row in audit.rows] == [Rung.BOUND] * 4
    assert [row.row for row in audit.rows] == [1, 2, 3, 4]
    assert [row.faults for row in audit.rows] == [
        (),
        ("exact_duplicate",),
        ("exact_duplicate",),
        ("near_duplicate",),
    ]


def test_an_input_of_null_is_no_input(tmp_path: Path) -> None:
    seed = {"instruction": TASK, "instances": [{"input": None, "output": ANSWER}]}
    file = write(
        tmp_path / "rows.jsonl", {"instruction": TASK, "input": None, "output": ANSWER}, seed
    )
    assert [row.rung for row in audit_file(file).rows] == [Rung.BOUND] * 2


def chat(*turns: tuple[str, object]) -> dict[str, object]:
    return {"messages": [{"role": role, "content": content} for role, content in turns]}


def test_a_chat_has_a_row_for_each_message_that_is_answered(tmp_path: Path) -> None:
    parts = [{"type": "text", "text": TASK}]
    file = write(
        tmp_path / "rows.jsonl",
        chat(("user", TASK), ("assistant", ANSWER)),
        chat(("system", "You write steps."), ("user", "Hello"), ("assistant", "Hello"),
             ("user", parts), ("assistant", ANSWER), ("user", "Thank you")),
    )  # fmt: skip
    audit = audit_file(file)
    assert [row.rung for row in audit.rows] == [Rung.BOUND, Rung.NONE, Rung.BOUND]
    assert audit.rows[2].faults == ("exact_duplicate",)


def test_a_chat_is_mended_in_its_own_shape(tmp_path: Path) -> None:
    leaking = f"{ANSWER}\n\nTask: Sum."
    row = chat(("system", "Write steps."), ("user", TASK), ("assistant", leaking)) | {"id": 7}
    mended = tmp_path / "mended.jsonl"
    assert repair_file(write(tmp_path / "rows.jsonl", row), str(mended)).changed == 1
    assert json.loads(mended.read_text()) == chat(
        ("system", "Write steps."), ("user", TASK), ("assistant", ANSWER)
    ) | {"id": 7}


def test_parquet_is_read_and_mended_as_parquet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        {"instruction": TASK, "input": "", "output": f"{ANSWER}\n\nTask: Sum.", "rung": "text"},
        {"instruction": TASK, "input": None, "output": ANSWER, "rung": None},
    ]
    file, mended = tmp_path / "rows.parquet", tmp_path / "mended.parquet"
    pq.write_table(pa.Table.from_pylist(rows), file)
    assert "leaked_task" in audit_file(str(file)).rows[0].faults
    assert repair_file(str(file), str(mended)).changed == 1
    assert pq.read_table(mended).to_pylist() == [rows[0] | {"output": ANSWER}, rows[1]]
    assert pq.read_schema(mended).equals(pq.read_schema(file))
    assert main(["repair", str(file), "--output_file", str(tmp_path / "mended.jsonl")]) == 1
    assert "give it the ending .parquet" in capsys.readouterr().err
    pq.write_table(pa.Table.from_pylist([{**rows[0], "output": None}]), file)
    assert main(["audit", str(file), "--top_rung", "bound"]) == 1
    assert f"{file}: row 1: field 'output' must be a text" in capsys.readouterr().err


def test_blocks_between_tildes_are_read(tmp_path: Path) -> None:
    assert faults(tmp_path, TASK.replace("```", "~~~"), ANSWER.replace("```", "~~~")) == set()
    assert "unclosed_fence" in faults(tmp_path, TASK, ANSWER.replace("```", "~~~")[:-4])


@pytest.mark.parametrize(
    ("instruction", "output", "fault"),
    [
        ("Sort.", ANSWER, "no_scenario"),
        (TASK, "It works.", "no_python"),
        (TASK, ANSWER[:-4], "unclosed_fence"),
        (TASK.removesuffix("\n```"), ANSWER, "unclosed_fence"),
        (TASK, ANSWER.replace("```python\n", "```python "), "text_on_fence_line"),
        (TASK.replace("```gherkin\n", "```gherkin "), ANSWER, "text_on_fence_line"),
        (TASK, ANSWER[: ANSWER.index(" == 2")] + " == (", "truncated"),
        (TASK, ANSWER + "\n\nTask: Sum the digits.", "leaked_task"),
        (TASK, CODE + "\n\nTask 3: Sum the digits.", "leaked_task"),
        (f"```gherkin {' '.join(SCENARIO.split())} ```", ANSWER, "folded"),
        ("```gherkin\nscenario: x\n  given a\n```", ANSWER, "zero_steps"),
        (TASK.replace("Then c", "Thence"), ANSWER, "scenario_not_parsed"),
        (TASK, ANSWER.replace("    assert", "assert"), "python_not_compiled"),
        (TASK.replace("Given a", "Given d"), ANSWER, "undefined_steps"),
        (TASK, ANSWER.replace("@when('b')", "@given('a')"), "ambiguous_steps"),
        (TASK.replace("  When b\n", ""), ANSWER, "unused_functions"),
        (TASK, ANSWER.replace("def b", "def a"), "duplicate_names"),
        (TASK, ANSWER.replace("assert", "print(").replace("2", "2)"), "then_without_assert"),
        (TASK, ANSWER.replace("context.n = 1", "pass"), "empty_bodies"),
        (TASK.replace("Given a", "Then c"), ANSWER, "out_of_order"),
        (TASK.replace("Given a", "When b"), ANSWER, "more_than_one_when"),
        (TASK + "x" * 1_000_000, ANSWER, "too_long"),
    ],
)
def test_each_fault_is_a_check_of_its_own(
    tmp_path: Path, instruction: str, output: str, fault: str
) -> None:
    assert faults(tmp_path, TASK, ANSWER) == set()
    assert fault in faults(tmp_path, instruction, output)


def test_near_duplicates_are_those_of_an_earlier_row(tmp_path: Path) -> None:
    def row(words: str) -> dict[str, str]:
        return {"instruction": TASK.replace("Given a", f"Given {words}"), "output": ANSWER}

    file = write(tmp_path / "f.jsonl", row("a cat sat"), row("p q r s t u v w x y"), row("a cat"))
    assert [row.faults[-1:] == ("near_duplicate",) for row in audit_file(file).rows] == [
        False,
        False,
        True,
    ]
    assert Pool(["a b"]).compare("a b").highest == 1  # what the audit compares by


@pytest.mark.parametrize("quality", ["high_quality", "mixed_quality"])
def test_every_packaged_row_is_bound(quality: str) -> None:
    audit = audit_file(quality)
    assert audit.rungs["bound"] == len(audit.rows) == 175
    broken = {fault for fault, count in audit.faults.items() if count}
    poor = {"then_without_assert", "empty_bodies", "idle_action"}
    assert broken <= poor | {"out_of_order", "more_than_one_when"}
    assert quality == "mixed_quality" or not broken


def test_repair_is_audited_without_touching_the_file_and_written_with_its_changes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folded = {"id": 7, "prompt": f"```gherkin {' '.join(SCENARIO.split())} ```",
              "completion": f"{ANSWER}\n\nTask: Sum."}  # fmt: skip
    seed = {"id": "1", "name": "n", "instruction": TASK, "is_classification": False,
            "instances": [{"input": "", "output": f"{ANSWER}\nTask: next"}]}  # fmt: skip
    file = write(tmp_path / "f.jsonl", folded, seed)
    assert audit_file(file).rungs["bound"] == 1
    assert audit_repaired_file(file).rungs["bound"] == 2
    written = tmp_path / "out" / "mended.jsonl"
    assert main(["repair", file, "--output_file", str(written)]) == 0
    shown = capsys.readouterr().out
    assert "2 of 2 rows changed" in shown
    assert "2  cut the text of another task" in shown
    first, second = (json.loads(line) for line in written.read_text().splitlines())
    assert first == {"id": 7, "prompt": f"```gherkin\n{SCENARIO}\n```", "completion": ANSWER}
    assert second == seed | {"instances": [{"input": "", "output": ANSWER}]}
    changes = (tmp_path / "out" / "mended.changes.jsonl").read_text().splitlines()
    assert json.loads(changes[0])["row"] == 1
    assert "cut the text of another task: 'Task: Sum.'" in json.loads(changes[0])["changes"]
    assert repair_file(str(written), str(tmp_path / "again.jsonl")).changed == 0


def test_one_table_has_a_column_for_each_file_and_every_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {"instruction": TASK, "output": ANSWER}
    first = write(tmp_path / "first_file.jsonl", row)
    second = write(tmp_path / "second.jsonl", row, row)
    assert main(["audit", first, second, "--top_rung", "bound"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("rows") == 1
    labels = [line.strip() for line in shown.splitlines()]
    for fault in fault_meanings():
        assert any(label.startswith(fault.replace("_", " ")) for label in labels), fault
    assert ["reached", "bound", "1", "2"] in [line.split() for line in shown.splitlines()]
    assert ["exact", "duplicate", "1"] in [line.split() for line in shown.splitlines()]


def test_json_names_the_faults_of_each_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "f.jsonl", {"instruction": TASK, "output": "No."})
    assert main(["audit", "--json", file]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["file"], told["rows"], told["rungs"]["none"]) == (file, 1, 1)
    assert told["faults"]["no_python"] == 1
    assert told["of_each_row"] == [
        {
            "row": 1,
            "rung": "none",
            "faults": ["no_python"],
            "ladder_faults": ["python: not found"],
        }
    ]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "the file has no records"),
        (b'{"instruction": "\xff"}\n', ":1: not UTF-8"),
        (b'{"a": 1}\n', ":1: neither a seed task"),
        (b'{"instruction": 1, "output": "x"}\n', ":1: field 'instruction' must be a text"),
        (b'{"instruction": "x", "instances": [1]}\n', ":1: field 'instances' must be a list"),
        (b'{"messages": [1]}\n', ":1: field 'messages' must be a list of {role, content}"),
        (b'{"messages": [{"role": "user", "content": "x"}]}\n', ":1: 'messages' has no user"),
        (
            b'{"messages": [{"role": "user"}, {"role": "assistant", "content": "x"}]}\n',
            ":1: field 'content' must be a text",
        ),
        (b"[" * 100_000, ":1: not JSON: nested too deeply"),
        (b"x" * 20_000_000, ":1: not JSON"),
        (b"x" * 50_000_000, ":1: a line of more than 32 MiB"),
    ],
)
def test_a_file_that_is_no_dataset_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, complaint: str
) -> None:
    file = tmp_path / "f.jsonl"
    file.write_bytes(content)
    for arguments in (["audit", str(file)], ["repair", str(file), "--output_file", "x"]):
        assert main(arguments) == 1
        error = capsys.readouterr().err
        assert complaint in error
        assert len(error.splitlines()) == 1


@pytest.mark.parametrize(
    ("instruction", "output"),
    [
        ("x" * 20_000_000, ""),
        (f"```gherkin\nScenario: x\n{'  Given a' + chr(10)}" * 10_000 + "```", ANSWER),
        ("```gherkin\nScenario: x\n" + "* a\n" * 10_000 + "```", ANSWER),
        (TASK, "```python\n" + "(" * 50_000 + "\n```"),
        (TASK, "```python\nx = " + "-" * 50_000 + "1\n```"),
        (TASK, "```python\nx" + ".a" * 40_000 + "\n```"),
        (TASK, "```python\nx = 1" + "+1" * 40_000 + "\n```"),
        (TASK, "```python\n" + "\n".join(" " * i + "if 1:" for i in range(400)) + "\n```"),
        ("```" * 300_000, "`" * 300_000),
    ],
    ids=range(9),
)
def test_bad_rows_get_a_verdict_in_bounded_time(
    tmp_path: Path, instruction: str, output: str
) -> None:
    started = time.monotonic()
    file = write(tmp_path / "f.jsonl", {"instruction": instruction, "output": output})
    (row,) = audit_file(file).rows
    assert row.rung < Rung.BOUND
    assert row.faults
    assert audit_repaired_file(file).rows
    assert time.monotonic() - started < 15


def test_a_then_function_may_assert_through_another_function() -> None:
    helper = "def check(x):\n    inner(x)\n\ndef inner(x):\n    assert x\n\n"
    step = "@then('c')\ndef c(context):\n    {}\n"
    for body in ("check(1)", "context.n.should_be(1)", "raise AssertionError", "pytest.fail()"):
        assert code_smells(helper + step.format(body)) == (), body
    assert code_smells(helper + step.format("print(1)")) == ("then_without_assert",)
    assert code_smells("@given('a')\ndef a(c):\n    '''Doc.'''\n    ...\n") == ("empty_bodies",)


def test_each_scenario_of_a_feature_and_its_background_has_an_order_of_its_own() -> None:
    feature = "Feature: f\n  Background:\n    Given a\n    When b\n\n"
    one = "  Scenario: {}\n    Given a\n    And d\n    When b\n    * e\n    Then c\n    But f\n\n"
    assert scenario_smells(feature + one.format(1) + one.format(2)) == ()
    assert scenario_smells("Scenario: x\n  When b\n  Given a") == ("out_of_order",)


def test_help_is_quick_and_names_the_commands() -> None:
    program = "import sys; from selfbehave.cli.main import main; main(['--help'])"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert all(f"\n    {name} " in shown.stdout for name in ("audit", "repair", "seeds"))


CHEAT_TASK = """Write the Python step functions for this Gherkin scenario, using behave:

```gherkin
Scenario: Lend a book
  Given a shelf of 3 books in a hall
  And a reader
  When 1 book is lent
  Then 2 books are on the shelf
```"""
CHEAT = """```python
from behave import given, when, then

@given('a shelf of {count:d} books in a hall')
def shelf(context, count):
    context.count = count

@given('a reader')
def reader(context):
    context.reader = "Ana"

@when('{count:d} book is lent')
def lend(context, count):
    pass

@then('{count:d} books are on the shelf')
def left(context, count):
    assert count == 2
```"""


def test_hollow_steps_are_named_with_their_functions(tmp_path: Path) -> None:
    file = write(tmp_path / "f.jsonl", {"instruction": CHEAT_TASK, "output": CHEAT})
    (row,) = audit_file(file).rows
    assert row.rung == Rung.BOUND
    assert {"hard_coded_outcome", "idle_action"} <= set(row.faults)
    assert [one.partition(":")[0] for one in row.to_dict()["ladder_faults"]] == [
        "hard-coded outcome",
        "idle action",
        "ignored value",
    ]


@pytest.mark.skipif(sandbox.missing() is not None, reason=str(sandbox.missing()))
def test_idle_steps_are_named_with_their_words(tmp_path: Path) -> None:
    file = write(tmp_path / "f.jsonl", {"instruction": CHEAT_TASK, "output": CHEAT})
    (row,) = audit_file(file, Rung.CAUSAL).rows
    assert row.rung == Rung.DISCRIMINATING
    assert "idle_step" in row.faults
    assert row.to_dict()["ladder_faults"][-2:] == [
        "line 2: idle step: green without 'Given a shelf of 3 books in a hall'",
        "line 3: idle step: green without 'Given a reader'",
    ]
