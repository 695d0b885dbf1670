"""Faults are data: they are counted by their codes, whatever their sentences say."""

import json
from pathlib import Path
from typing import Any

import pytest

from selfbehave.audit.file_audit import audit_file
from selfbehave.bdd import Fault, FaultCode, climb, sentence
from selfbehave.bdd.faults import (
    Detail,
    FunctionFacts,
    blocks,
    describe,
    fault_from_dict,
    fault_to_dict,
    label,
)
from selfbehave.bdd.older_faults import code_in_older_file
from selfbehave.core.errors import SelfBehaveError
from selfbehave.release.quality import most_faults
from selfbehave.runs.finished import FinishedRow, read_run

SCENARIO = "Scenario: x\n  Given a\n"
CODE = "from behave import given\n\n\n@given('a')\ndef f(context):\n    context.a = 1\n"
FUNCTIONS = (FunctionFacts("given", "a {x}", "first", 4), FunctionFacts("given", "a b", "f", 9))
DETAIL = Detail(
    words="it said so", kind="given", text="a", pattern="b", name="c", functions=FUNCTIONS,
    count=3, unit="lines",
)  # fmt: skip


def row(scenario: str, code: str, **more: Any) -> str:
    texts = {
        "instruction": f"Write the step functions:\n\n```gherkin\n{scenario}```",
        "input": "",
        "output": f"```python\n{code}```",
    }
    return json.dumps(texts | more) + "\n"


def test_a_pattern_that_reads_like_a_fault_is_not_counted_as_one(tmp_path: Path) -> None:
    code = CODE + "\n\n@given('an undefined step')\ndef g(context):\n    context.b = 1\n"
    file = tmp_path / "rows.jsonl"
    file.write_text(row(SCENARIO, code))
    assert audit_file(str(file)).rows[0].faults == ("unused_functions",)
    assert [fault.code for fault in climb(SCENARIO, code).faults] == [
        FaultCode.UNUSED_STEP_FUNCTION
    ]


def test_a_step_that_reads_like_a_fault_is_not_counted_as_one(tmp_path: Path) -> None:
    scenario = "Scenario: x\n  Given an unused step function, an ambiguous step\n"
    file = tmp_path / "rows.jsonl"
    file.write_text(row(scenario, "x = 1\n"))
    assert audit_file(str(file)).rows[0].faults == ("undefined_steps",)


@pytest.mark.parametrize("code", FaultCode)
def test_a_fault_is_the_same_after_it_was_written_and_read(code: FaultCode) -> None:
    for fault in (Fault(code), Fault(code, 7, DETAIL)):
        assert fault_from_dict(json.loads(json.dumps(fault_to_dict(fault)))) == fault


@pytest.mark.parametrize("code", FaultCode)
def test_every_kind_of_fault_has_a_sentence_and_a_name_of_its_own(code: FaultCode) -> None:
    fault = Fault(code, 7, DETAIL)
    assert "\n" not in sentence(fault)
    assert sentence(fault).endswith(describe(fault))
    assert "line 7" in sentence(fault)
    assert [one for one in FaultCode if label(one) == label(code)] == [code]


def test_a_line_of_the_ladder_has_a_code_beside_each_sentence() -> None:
    told = climb("Scenario: x\n  Given a\n  Then b\n", CODE.replace("'a'", "'c'")).to_dict()
    assert told["fault_codes"] == ["undefined_step", "undefined_step", "unused_step_function"]
    assert len(told["faults"]) == 3


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("scenario: cut off", FaultCode.SCENARIO_CUT_OFF),
        ("scenario: no step in it", FaultCode.NO_STEP),
        ("scenario: longer than 50000 characters", FaultCode.SCENARIO_TOO_LARGE),
        ("scenario: line 3: expected: #EOF, got 'x'", FaultCode.NOT_GHERKIN),
        ("python: not found", FaultCode.PYTHON_NOT_FOUND),
        ("python: line 1: invalid syntax", FaultCode.PYTHON_SYNTAX),
        ("line 3: no Given, When or Then before 'a'", FaultCode.NO_KEYWORD),
        ("line 3: undefined step 'then an ambiguous step'", FaultCode.UNDEFINED_STEP),
        ("ambiguous step functions @given('a') f, line 5 and …", FaultCode.AMBIGUOUS_STEP),
        ("unused step function @given('undefined step') f, line 9", FaultCode.UNUSED_STEP_FUNCTION),
        ("line 4: bad pattern '(': missing )", FaultCode.BAD_PATTERN),
        ("line 4: the pattern of f is not a plain text", FaultCode.PATTERN_NOT_TEXT),
        ("line 4: unknown step matcher 'x'", FaultCode.UNKNOWN_MATCHER),
        ("more than 300 step functions", FaultCode.TOO_MANY_FUNCTIONS),
        ("run: failed: step 'a' failed", FaultCode.RUN_FAILED),
        ("run: forged result: it changed x", FaultCode.RUN_FORGED_RESULT),
        ("mutants: none of 2 changed values turns it red", FaultCode.NO_CHANGE_TURNS_RED),
        ("mutants: no expected value in it", FaultCode.NO_EXPECTED_VALUE),
        ("something that no version wrote", FaultCode.OTHER),
    ],
)
def test_sentences_of_older_files_have_codes(written: str, code: FaultCode) -> None:
    assert code_in_older_file(written) == code


def rows_of_run(folder: Path, ladder_line: str) -> list[FinishedRow]:
    data = folder / "finetuning_data"
    data.mkdir(parents=True)
    (data / "all_generated_instances.jsonl").write_text(row(SCENARIO, CODE))
    (data / "ladder.jsonl").write_text(ladder_line)
    return list(read_run(str(folder)).rows)


def test_a_ladder_file_without_codes_is_read(tmp_path: Path) -> None:
    faults = ["unused step function @given('an undefined step') g, line 9"]
    rows = rows_of_run(tmp_path, row(SCENARIO, CODE, rung="parsed", faults=faults, change=None))
    assert rows[0].fault_codes == (FaultCode.UNUSED_STEP_FUNCTION,)
    assert most_faults(rows) == [("unused step function", 1)]


def test_codes_in_a_ladder_file_count_and_those_of_a_later_version_are_others(
    tmp_path: Path,
) -> None:
    told = {"faults": ["undefined step", "new"], "fault_codes": ["run_failed", "from_the_future"]}
    rows = rows_of_run(tmp_path, row(SCENARIO, CODE, rung="parsed", change=None, **told))
    assert rows[0].fault_codes == (FaultCode.RUN_FAILED, FaultCode.OTHER)


def test_a_ladder_file_with_a_code_missing_is_refused_with_its_line(tmp_path: Path) -> None:
    line = row(SCENARIO, CODE, rung="parsed", faults=["a", "b"], fault_codes=["run_failed"])
    with pytest.raises(SelfBehaveError, match=r"ladder\.jsonl:1"):
        rows_of_run(tmp_path, line)


def test_every_blocking_fault_of_a_pair_keeps_it_from_the_next_rung() -> None:
    ladder = climb(SCENARIO, CODE.replace("'a'", "'b'"))
    assert all(blocks(fault.code) for fault in ladder.faults)
