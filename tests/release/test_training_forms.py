"""What a release makes of attempts: pairs, labels, repairs, scores, prompts, and their counts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import datasets
import pyarrow.parquet as pq
import pytest

from selfbehave.bdd import sandbox
from selfbehave.bdd.ladder import Rung
from selfbehave.cli.main import main
from selfbehave.core.canary import CANARY
from selfbehave.core.errors import SelfBehaveError
from selfbehave.novelty.rule import Pool
from selfbehave.prompts.bdd import instruction_for
from selfbehave.release.make_release import ReleaseSettings, release
from selfbehave.release.splits import place, split
from selfbehave.release.training_forms import (
    TRAINING_FORMS,
    FormRows,
    FormSettings,
    named_forms,
    rows_of,
)
from selfbehave.runs.finished import read_run
from selfbehave.runs.finished_attempts import tried_prompts

from ..helpers.attempt_runs import attempt, attempted_run, write_attempts
from ..helpers.release_runs import make_run, pair, seed_pairs
from ..helpers.till import HONEST, SCENARIO
from .test_scan import AWS_KEY

TASK = instruction_for(SCENARIO)


def answer(code: str) -> str:
    return f"Here they are:\n\n```python\n{code}\n```\n"


def fenced(code: str) -> str:
    return f"```python\n{code.strip()}\n```"


WRONG = HONEST.replace("+=", "-=")
LESS = HONEST.replace("{more:d} more", "more")
HARD_CODED = HONEST.replace("context.coins == coins", "coins == 5")


def form(folder: Path, name: str, **settings: Any) -> FormRows:
    """A form of a run's attempts, all in one split."""
    prompts, _ = tried_prompts([str(folder)])
    return rows_of(name, {"train": prompts}, FormSettings(**settings))


def said(messages: list[dict[str, str]]) -> str:
    (message,) = messages
    assert message["role"] == "assistant"
    return message["content"]


def of_run(tmp_path: Path, *attempts: Any) -> Path:
    write_attempts(tmp_path, attempts)
    return tmp_path


@pytest.fixture
def three(tmp_path: Path) -> Path:
    """A scenario with answers of three rungs, each kept there by a fault."""
    return of_run(
        tmp_path,
        attempt(TASK, answer(LESS), "parsed", "undefined_step"),
        attempt(TASK, answer(WRONG), "bound", "run_failed", number=1),
        attempt(TASK, answer(HONEST), "causal", number=2),
    )


def test_pairs_are_of_two_rungs_the_best_and_clearest_first(three: Path) -> None:
    rows = form(three, "preference").by_split["train"]
    assert [(said(one["chosen"]), said(one["rejected"])) for one in rows] == [
        (fenced(HONEST), fenced(LESS)),
        (fenced(HONEST), fenced(WRONG)),
        (fenced(WRONG), fenced(LESS)),
    ]
    assert [one["margin"] for one in rows] == pytest.approx([0.9, 0.8, 0.1])
    assert all(one["prompt"] == [{"role": "user", "content": TASK}] for one in rows)


def test_pairs_are_limited_by_margin_and_number(three: Path) -> None:
    wide = form(three, "preference", margin=2)
    assert len(wide.by_split["train"]) == 2
    few = form(three, "preference", pairs=1)
    assert said(few.by_split["train"][0]["rejected"]) == fenced(LESS)
    assert few.left_out == {"over_the_limit": 2}


def test_answers_of_one_rung_give_no_pair_and_are_counted(tmp_path: Path) -> None:
    folder = of_run(
        tmp_path,
        attempt(TASK, answer(WRONG), "bound", "run_failed"),
        attempt(TASK, answer(WRONG + "# again"), "bound", "run_failed", number=1),
    )
    found = form(folder, "preference")
    assert (found.by_split, found.prompts) == ({}, 0)
    assert found.left_out == {"prompts_of_one_rung": 1}


def test_a_cheat_is_never_the_better_answer(tmp_path: Path) -> None:
    memorised = HONEST.replace("context.coins == coins", "(context.coins, coins) == (5, 5)")
    folder = of_run(
        tmp_path,
        attempt(TASK, answer(WRONG), "bound", "run_failed"),
        attempt(TASK, answer(HARD_CODED), "discriminating",
                "hard_coded_outcome", "green_without_action", number=1),
        attempt(TASK, answer(memorised), "causal", number=2),
    )  # fmt: skip
    pairs = form(folder, "preference")
    assert pairs.by_split == {}
    assert pairs.left_out["better_by_cheating"] == 3
    rows = form(folder, "unpaired_preference").by_split["train"]
    assert [one["label"] for one in rows] == [False] * 3
    rows = form(folder, "scored_completion").by_split["train"]
    assert [one["score"] for one in rows] == [0.2, 0.1, 0.1]


def test_an_answer_that_no_run_checked_further_is_not_the_worse_one(tmp_path: Path) -> None:
    folder = of_run(
        tmp_path,
        attempt(TASK, answer(LESS), "parsed", "undefined_step"),
        attempt(TASK, answer(WRONG), "bound", number=1),
        attempt(TASK, answer(HONEST), "causal", number=2),
    )
    pairs = form(folder, "preference")
    assert [said(one["rejected"]) for one in pairs.by_split["train"]] == [fenced(LESS)] * 2
    assert pairs.left_out["not_checked_further"] == 1
    labels = form(folder, "unpaired_preference")
    assert [one["label"] for one in labels.by_split["train"]] == [False, True]
    assert labels.left_out == {"not_checked_further": 1}
    lower = form(folder, "unpaired_preference", good=Rung.BOUND)
    assert [one["label"] for one in lower.by_split["train"]] == [False, True, True]


def test_attempts_that_cannot_be_used_are_counted_by_reason(tmp_path: Path) -> None:
    folder = of_run(
        tmp_path,
        attempt("Name a colour.", "Red", None),
        attempt(f"{TASK}\n{CANARY}", answer(HONEST), "causal"),
        attempt(instruction_for("Given"), answer(HONEST), "text", "not_gherkin"),
        attempt(TASK, "I cannot.", "none", "python_not_found"),
        attempt(TASK, answer(HONEST) + answer(WRONG), "causal", number=1),
        attempt(TASK, answer(HONEST), "bound", "unstable", number=2),
        attempt(TASK, answer(WRONG), "bound", "run_failed", number=3),
        attempt(TASK, answer(WRONG), "bound", "run_failed", number=4),
    )
    (prompt,), left_out = tried_prompts([str(folder)])
    assert left_out == dict.fromkeys(
        (
            "evaluation_data",
            "no_code",
            "no_scenario",
            "scenario_not_parsed",
            "several_blocks",
            "unstable",
        ),
        1,
    )
    assert prompt.scenario == SCENARIO
    labels = form(folder, "unpaired_preference")
    assert (len(labels.by_split["train"]), labels.left_out) == (1, {"repeated": 1})


def test_a_repair_without_its_journal_is_counted(tmp_path: Path) -> None:
    folder = of_run(
        tmp_path,
        attempt(TASK, answer(LESS), "parsed", "undefined_step"),
        attempt(TASK, answer(HONEST), "causal", number=1, repairs=0),
        attempt(TASK, answer(LESS + "#"), "parsed", "undefined_step", number=2, repairs=1),
    )
    repairs = form(folder, "language_modeling")
    assert repairs.by_split == {}
    assert repairs.left_out == {"no_better": 1, "not_in_the_journal": 1}


def test_a_prompt_without_rows_is_never_near_the_other_split(tmp_path: Path) -> None:
    run = read_run(str(make_run(tmp_path / "run", seed_pairs(12))))
    splits = split(run.rows, 0.4)
    rows = {name: [row.subject for row in of_split] for name, of_split in splits.rows.items()}
    near = [f"{text}\n  And so on" for texts in rows.values() for text in texts]
    far = [instruction for instruction, _ in seed_pairs(30, start=100)]
    both = f"{rows['train'][0]}\n{rows['test'][0]}"
    placed = place([*near, *far, both, *rows["test"]], splits, 0.4)
    assert all(placed[text] == "test" for text in rows["test"])
    pools = {name: Pool(text for text in placed if placed[text] == name) for name in rows}
    for text, name in placed.items():
        other = pools["test" if name == "train" else "train"]
        assert other.nearest_too_similar(text) is None
    assert {placed[text] for text in far} == {"train", "test"}
    assert set(place(far, split(run.rows)).values()) == {"train"}


# A release of a run at a server.


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if lack := sandbox.missing():
        pytest.skip(lack)
    return attempted_run(tmp_path_factory.mktemp("runs") / "mine", rows=8)


@pytest.fixture(scope="module")
def released(run_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The folder of a release with all forms, and what the command prints."""
    folder = tmp_path_factory.mktemp("released") / "baskets"
    with pytest.MonkeyPatch.context() as patch:
        printed: list[str] = []
        patch.setattr("selfbehave.views.display.Display.say", lambda _, text: printed.append(text))
        assert main(["release", str(run_folder), "--to", str(folder), "--test", "0.3",
                     "--forms", "all"]) == 0  # fmt: skip
    return folder, printed


def loaded(folder: Path, cache: Path) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """What `datasets` loads of each form, by split."""
    names = ("chat", *TRAINING_FORMS)
    each = {name: datasets.load_dataset(str(folder), name, cache_dir=str(cache)) for name in names}
    return {
        name: {split: list(rows) for split, rows in form.items()} for name, form in each.items()
    }


def test_datasets_loads_each_form_and_a_prompt_is_in_one_split(
    released: tuple[Path, list[str]], run_folder: Path, tmp_path: Path
) -> None:
    folder, _ = released
    forms = loaded(folder, tmp_path)
    split_of = {
        row["messages"][0]["content"]: split
        for split, rows in forms["chat"].items()
        for row in rows
    }
    assert set(split_of.values()) == {"train", "test"}
    for name in TRAINING_FORMS:
        for split_name, rows in forms[name].items():
            for row in rows:
                asked = row.get("prompt", row.get("messages"))[0]["content"]
                assert split_of[asked] == split_name, name
            path = folder / name / f"{split_name}.jsonl"
            assert [json.loads(line) for line in path.read_text().splitlines()] == rows
    outputs = {row["messages"][1]["content"] for rows in forms["chat"].values() for row in rows}
    good = [
        said(row["completion"])
        for rows in forms["unpaired_preference"].values()
        for row in rows
        if row["label"]
    ]
    assert set(good) == outputs
    prompts = [row for rows in forms["prompt_only"].values() for row in rows]
    assert all(row["scenario"] in row["prompt"][0]["content"] for row in prompts)


def test_a_repair_tells_what_behave_said_of_the_answer(
    released: tuple[Path, list[str]],
) -> None:
    folder, _ = released
    files = sorted((folder / "language_modeling").glob("*.parquet"))
    rows = [row for file in files for row in pq.read_table(file).to_pylist()]
    assert rows
    for row in rows:
        asked, worse, told, better = row["messages"]
        assert [one["role"] for one in row["messages"]] == ["user", "assistant"] * 2
        assert "```gherkin" in asked["content"]
        assert told["content"].startswith("They do not work:\n- line 4: undefined step 'then ")
        assert "@then" in better["content"]
        assert "@then" not in worse["content"]


def test_the_card_and_the_command_count_the_forms(
    released: tuple[Path, list[str]], run_folder: Path
) -> None:
    folder, printed = released
    card = (folder / "README.md").read_text()
    for name, one in TRAINING_FORMS.items():
        sizes = {
            split_name: pq.read_table(path).num_rows
            for split_name in ("train", "test")
            if (path := folder / name / f"{split_name}.parquet").exists()
        }
        cells = " | ".join(f"{sizes.get(part, 0)} {one.unit}" for part in ("train", "test"))
        assert f"| `{name}` | {one.trainer} | {cells} |" in card
        told = ", ".join(f"{split_name} {size}" for split_name, size in sizes.items())
        assert any(line.startswith(f"{name}: {one.unit}: {told}; from ") for line in printed)
    assert "prompts whose answers are all of one rung:" in card


def test_the_rows_of_other_files_are_the_same_with_and_without_forms(
    released: tuple[Path, list[str]], run_folder: Path, tmp_path: Path
) -> None:
    release([str(run_folder)], tmp_path / "baskets", ReleaseSettings(test=0.3))
    for path in ("data/train.parquet", "data/test.parquet", "chat/test.jsonl"):
        assert (tmp_path / "baskets" / path).read_bytes() == (released[0] / path).read_bytes()


def test_a_run_without_attempts_is_told_how_to_get_them(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "old", seed_pairs(2))
    with pytest.raises(SelfBehaveError) as raised:
        release([str(folder)], tmp_path / "out", ReleaseSettings(forms=("preference",)))
    assert "run old has no attempts" in str(raised.value)
    assert "selfbehave instances" in str(raised.value)
    assert not (tmp_path / "out").exists()


def test_a_secret_in_an_attempt_that_was_not_kept_stops_the_release(tmp_path: Path) -> None:
    task, output = pair("A key", "cloud")
    folder = make_run(tmp_path / "mine", [(task, output)])
    leaking = output.replace("pass", f'context.key = "{AWS_KEY}"', 1)
    write_attempts(folder, [attempt(task, leaking, "bound", "run_failed")])
    release([str(folder)], tmp_path / "without")
    with pytest.raises(SelfBehaveError, match="AWS Access Key"):
        release([str(folder)], tmp_path / "out", ReleaseSettings(forms=("all",)))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--forms", "ppo"], "no form ppo — give some of preference"),
        (["--forms", "all", "--pairs", "0"], "--pairs must be at least 1, not 0"),
        (["--forms", "all", "--margin", "0"], "--margin must be at least 1, not 0"),
    ],
)
def test_forms_that_cannot_be_made_are_told_in_one_line(
    options: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_run(tmp_path / "mine", seed_pairs(1))
    assert main(["release", str(folder), "--to", str(tmp_path / "out"), *options]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_forms_are_in_a_fixed_order() -> None:
    assert named_forms(["prompt_only", "preference"]) == ("preference", "prompt_only")
    assert named_forms(["all"]) == tuple(TRAINING_FORMS)
