"""A release with the thoughts of a reasoning model, and what they must not get into."""

import json
from pathlib import Path

import mlcroissant
import pyarrow.parquet as pq
import pytest

import selfbehave
from selfbehave.core.errors import SelfBehaveError
from selfbehave.engines import EngineSettings
from selfbehave.release.make_release import ReleaseSettings, release
from selfbehave.runs.run_settings import RunSettings
from selfbehave.views.display import Display

from ..helpers.quirk_server import DRAFT, MODEL, serving
from ..helpers.release_runs import make_run, seed_pairs


@pytest.fixture(scope="module")
def thoughtful_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run at a server whose model thinks before each answer."""
    folder = tmp_path_factory.mktemp("runs") / "thoughtful"
    with serving("reasoning_content") as server:
        settings = RunSettings(
            num_instructions_to_generate=4, prompts="bdd", min_rung="bound", top_rung="bound"
        )
        engine = EngineSettings(engine=server.url, model=MODEL)
        selfbehave.run(folder, settings, engine, Display())
    return folder


def test_a_release_has_thoughts_as_a_column_if_asked_to(
    thoughtful_run: Path, tmp_path: Path
) -> None:
    release([str(thoughtful_run)], tmp_path / "with", ReleaseSettings(keep_reasoning=True))
    release([str(thoughtful_run)], tmp_path / "without")
    kept = pq.read_table(tmp_path / "with/data/train.parquet")
    plain = pq.read_table(tmp_path / "without/data/train.parquet")
    assert kept.column("reasoning").to_pylist() == [DRAFT.strip()] * 4
    assert kept.drop_columns(["reasoning"]).to_pylist() == plain.to_pylist()
    assert "| `reasoning` |" in (tmp_path / "with/README.md").read_text()
    for name in ("chat/train.jsonl", "instances/train.jsonl"):
        assert (tmp_path / "with" / name).read_bytes() == (tmp_path / "without" / name).read_bytes()
    metadata = json.loads((tmp_path / "with/croissant.json").read_text())
    records = mlcroissant.Dataset(metadata).metadata.record_sets[0]
    assert "train/reasoning" in {field.id for field in records.fields}


def test_rows_of_a_run_without_a_journal_have_no_thoughts(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", seed_pairs(3))
    release([str(folder)], tmp_path / "released", ReleaseSettings(keep_reasoning=True))
    kept = pq.read_table(tmp_path / "released/data/train.parquet")
    assert kept.column("reasoning").to_pylist() == ["", "", ""]


def test_secrets_in_thoughts_are_found(thoughtful_run: Path, tmp_path: Path) -> None:
    import sqlite3

    folder = tmp_path / "run"
    folder.mkdir()
    for path in thoughtful_run.rglob("*"):
        if path.is_file():
            copy = folder / path.relative_to(thoughtful_run)
            copy.parent.mkdir(exist_ok=True)
            copy.write_bytes(path.read_bytes())
    database = sqlite3.connect(folder / "journal.sqlite")
    database.execute("UPDATE answers SET reasoning = 'My key is ' || ?", ["AKIA" + "Q" * 16])
    database.commit()
    database.close()
    release([str(folder)], tmp_path / "without")
    with pytest.raises(SelfBehaveError, match="the text may hold secrets: AWS Access Key"):
        release([str(folder)], tmp_path / "with", ReleaseSettings(keep_reasoning=True))
