"""The benchmark from end to end, with a server whose answers are written here."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import names_and_options
from benchmarks.yield_trials import command
from benchmarks.yield_trials.command import main
from benchmarks.yield_trials.kept import KeptRecords
from selfbehave.axes.cells import Cell
from selfbehave.core.errors import SelfBehaveError

from .chat_server import chatting

UNSAID = Cell(
    number=0,
    kind="remainder",
    system="bakery",
    rule="the rolls that fill no bag are left over",
    given={"rolls in a full bag": 8},
    when={"rolls to pack": 43},
    then={"rolls left over": 3},
    sum="43 % 8 = 3",
)
CELL = Cell(
    number=1,
    kind="exchange",
    system="festival",
    rule="a fee is taken off the money, and the rest buys drink coupons at the price of one",
    given={"price of one drink coupon in euros": 7, "fee in euros": 9},
    when={"money paid in euros": 149},
    then={"drink coupons received": 20},
    sum="(149 - 9) / 7 = 20",
)
SCENARIO = """\
Scenario: Money is exchanged for coupons
  Given each drink coupon costs 7 euros
  And a fee of 9 euros is taken off
  When Mia exchanges 149 euros
  Then she gets 20 coupons"""
WHOLE = """\
```python
from behave import given, when, then

@given('each drink coupon costs {euros:d} euros')
def step_cost(context, euros):
    context.price = euros

@given('a fee of {euros:d} euros is taken off')
def step_fee(context, euros):
    context.fee = euros

@when('Mia exchanges {euros:d} euros')
def step_exchange(context, euros):
    context.coupons = 20

@then('she gets {coupons:d} coupons')
def step_gets(context, coupons):
    assert context.coupons == coupons
```
"""


class Model:
    """Answers as a model may: `method` and `sum` are what it writes in the glue policies.

    Of the cells only the one above is put into words that pass the screen.
    """

    def __init__(self, *, method: str, sum_line: str = "(149 - 9) / 7 = 20") -> None:
        self.method = method
        self.sum_line = sum_line

    def __call__(self, messages: list[dict[str, str]]) -> str:
        last = messages[-1]
        if last["role"] == "user":
            if last["content"].startswith("System:"):
                return SCENARIO if last["content"] == CELL.request else "I cannot."
            return WHOLE
        return self._goes_on(last["content"])

    def _goes_on(self, written: str) -> str:
        if written.endswith("\n#"):
            return f" {self.sum_line}\nclass"
        if re.search(r"    def \w+\(self, euros\):\n$", written):
            return f"        {self.method}\n\n\n@given"
        line = written.rpartition("\n")[2]
        if line == "        self.coupons =":
            return f"{self.method.partition('=')[2]}\n\n\n@given"
        if line == "    context":
            return ".fair = Fair()\n"
        if line == "    assert context.fair":
            return ".coupons == coupons\n"
        if "@when" in written:
            return ".exchange(euros)\n"
        return ".fee = euros\n" if "fee of" in written else ".price = euros\n"


@pytest.fixture(autouse=True)
def _two_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "draw_cell", lambda number, _seed: (UNSAID, CELL)[number])


HONEST = Model(method="self.coupons = (euros - self.fee) // self.price")


def run(address: str, folder: Path, *options: str) -> None:
    main(["--model", address, "--results", str(folder), *options])


def rows_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]


def test_each_policy_has_its_lines_and_clean_rows_are_told_from_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with chatting(HONEST) as log:
        run(log.address, tmp_path, "--cells", "2", "--policies", "present,turns,hint")
    printed = capsys.readouterr().out
    assert "cell 0, remainder: dropped (not_parsed, not_parsed)" in printed
    assert "2 cells: 1 scenarios passed the screen, 1 at once" in printed
    lines = [line.split() for line in printed.splitlines()]
    figures = {(cells[0], cells[1]): cells[2:8] for cells in lines if len(cells) == 12}
    # scenarios, bound, passing, discriminating, causal, clean
    assert figures[("present", "1")] == ["1", "1", "1", "1", "0", "0"]
    assert figures[("turns", "3")] == ["1", "1", "1", "1", "0", "0"]
    assert figures[("hint", "1")] == ["1", "1", "1", "1", "1", "1"]
    dropped, present, turns, hint = rows_of(tmp_path)
    assert dropped["faults"] == [{"code": "not_parsed", "kind": "", "value": ""}] * 2
    assert [len(one["attempts"]) for one in (present, turns, hint)] == [1, 3, 1]
    assert "green_without_action" not in hint["attempts"][0]["verdict"]["faults"]


def test_the_glue_is_the_programs_and_the_class_stands_before_the_functions(tmp_path: Path) -> None:
    with chatting(HONEST) as log:
        run(log.address, tmp_path, "--cells", "2", "--policies", "glue")
    *_, row = rows_of(tmp_path)
    assert row["attempts"][0]["code"] == (
        "from behave import given, when, then\n\n\n"
        "class Fair:\n"
        "    def __init__(self):\n"
        "        self.price = None\n"
        "        self.fee = None\n"
        "        self.coupons = None\n\n"
        "    def exchange(self, euros):\n"
        "        self.coupons = (euros - self.fee) // self.price\n\n\n"
        "@given('each drink coupon costs {euros:d} euros')\n"
        "def step_drink_coupon_costs(context, euros):\n"
        "    context.fair = Fair()\n"
        "    context.fair.price = euros\n\n\n"
        "@given('a fee of {euros:d} euros is taken off')\n"
        "def step_fee_euros_taken(context, euros):\n"
        "    context.fair.fee = euros\n\n\n"
        "@when('Mia exchanges {euros:d} euros')\n"
        "def step_mia_exchanges_euros(context, euros):\n"
        "    context.fair.exchange(euros)\n\n\n"
        "@then('she gets {coupons:d} coupons')\n"
        "def step_gets_coupons(context, coupons):\n"
        "    assert context.fair.coupons == coupons\n"
    )


def test_an_attempt_ends_where_the_sum_stays_wrong_and_the_hint_names_the_fields(
    tmp_path: Path,
) -> None:
    wrong = Model(method=HONEST.method, sum_line="149 / 7 - 9 = 20")
    with chatting(wrong) as log:
        run(log.address, tmp_path, "--cells", "2", "--policies", "hint")
    *_, row = rows_of(tmp_path)
    first, second = row["attempts"]
    assert first["code"] is None
    assert second["is_clean"]
    last = log.bodies[-1]["messages"][-1]["content"]
    assert "# (euros - self.fee) / self.price\nclass Fair:" in last


def test_a_method_that_forgets_a_field_is_asked_for_again(tmp_path: Path) -> None:
    forgetful = Model(method="self.coupons = euros // self.price")
    with chatting(forgetful) as log:
        run(log.address, tmp_path, "--cells", "2", "--policies", "glue")
    methods = [b for b in log.bodies if b["messages"][-1]["content"].endswith("(self, euros):\n")]
    temperatures = [round(body["temperature"], 1) for body in methods]
    assert temperatures == [0.3, 0.7, 1.0, 0.8, 1.0, 0.8, 1.0], "to the hottest"


def test_the_same_command_again_asks_nothing_and_more_policies_ask_only_for_theirs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with chatting(HONEST) as log:
        run(log.address, tmp_path, "--cells", "2", "--policies", "glue")
        asked, rows = len(log.bodies), (tmp_path / "rows.jsonl").read_bytes()
        table = capsys.readouterr().out.rpartition("rows after")[2]
        run(log.address, tmp_path, "--cells", "2", "--policies", "glue")
        assert len(log.bodies) == asked
        assert (tmp_path / "rows.jsonl").read_bytes() == rows
        assert capsys.readouterr().out.rpartition("rows after")[2] == table
        run(log.address, tmp_path, "--cells", "2", "--policies", "glue,hint,present")
        assert len(log.bodies) == asked + 1, "the first attempt of hint is that of glue"


def test_an_answer_that_was_being_written_when_the_process_ended_is_asked_again(
    tmp_path: Path,
) -> None:
    answers = tmp_path / "answers.jsonl"
    with chatting(HONEST) as log:
        run(log.address, tmp_path, "--cells", "2", "--policies", "glue")
        asked, whole = len(log.bodies), answers.read_bytes()
        answers.write_bytes(whole[:-20])
        run(log.address, tmp_path, "--cells", "2", "--policies", "glue")
        assert len(log.bodies) == asked + 1
    assert answers.read_bytes().count(b"\n") == whole.count(b"\n")


def test_a_record_without_a_key_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text('{"key": "a"}\n{"text": "b"}\n')
    with pytest.raises(SelfBehaveError, match=r"answers\.jsonl:2: no key"):
        KeptRecords(path)


def test_a_server_that_is_not_there_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run("http://127.0.0.1:9/v1", tmp_path)
    assert ended.value.code == 1
    assert "http://127.0.0.1:9/v1/models: the server does not say" in capsys.readouterr().err


def test_a_policy_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--model", "a.gguf", "--policies", "glue,magic"])
    assert ended.value.code == 2
    assert (
        "no policy magic; there are present, fresh, turns, turns_sum, " in capsys.readouterr().err
    )


def test_an_options_value_is_no_name_of_a_benchmark() -> None:
    assert names_and_options(["yield", "--model", "a.gguf", "--cells", "3"]) == (
        ["yield"],
        ["--model", "a.gguf", "--cells", "3"],
    )
    assert names_and_options(["--full", "ladder"]) == (["ladder"], ["--full"])
    assert names_and_options(["nosuch"]) == (["nosuch"], [])
