"""`selfbehave release …`: from a run to a release, refusals in one line, uploads to the edge."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from selfbehave.cli.main import main
from selfbehave.study.ratings import CRITERIA, Rating
from selfbehave.study.store import Study

from ..conftest import ScriptedServer
from ..helpers.release_runs import make_run, pair, seed_pairs
from ..release.test_scan import AWS_KEY


def release(*arguments: object) -> int:
    return main(["release", *map(str, arguments)])


class Hub(BaseHTTPRequestHandler):
    """As much of the Hub as an upload asks for; it refuses those without the right token."""

    uploaded: dict[str, Any]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        reply: Any = {}
        if self.headers["Authorization"] != "Bearer hf_right":
            self.send(403, {"error": "you may not write to org/baskets"})
            return
        if self.path == "/api/repos/create":
            self.uploaded["repository"] = json.loads(body)
            reply = {
                "url": f"http://{self.headers['Host']}/datasets/org/baskets",
                "name": "org/baskets",
            }
        elif "/preupload/" in self.path:
            files = json.loads(body)["files"]
            modes = {"uploadMode": "regular", "shouldIgnore": False}
            reply = {"files": [{"path": one["path"], **modes} for one in files]}
        elif "/commit/" in self.path:
            told = [json.loads(line) for line in body.splitlines()]
            self.uploaded["files"] = {one["value"].get("path") for one in told[1:]}
            commit = f"http://{self.headers['Host']}/datasets/org/baskets/commit/1"
            reply = {"success": True, "commitOid": "1", "commitUrl": commit}
        self.send(200, reply)

    def do_GET(self) -> None:
        self.send(404, {"error": "not here"})

    def send(self, status: int, reply: Any) -> None:
        data = json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[str]:
    Hub.uploaded = {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def push(folder: Path, to: Path, hub: str, token: str | None) -> subprocess.CompletedProcess[str]:
    """Push from a process of its own: the Hub's address is read when its package is imported."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    env |= {"HF_ENDPOINT": hub, "HF_HOME": str(to.parent / "hub")}
    if token is not None:
        env["HF_TOKEN"] = token
    command = [sys.executable, "-m", "selfbehave", "release", str(folder), "--to", str(to)]
    command += ["--push", "org/baskets"]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)


def test_a_run_becomes_a_release(
    scripted_server: Callable[..., ScriptedServer],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = ["run", "--engine", scripted_server().url, "--model", "scripted"]
    run += ["--batch_dir", str(tmp_path / "run"), "--num_instructions_to_generate", "12"]
    assert main([*run, "--prompts", "bdd", "--min_rung", "bound", "--top_rung", "bound"]) == 0
    capsys.readouterr()
    assert release(tmp_path / "run", "--to", tmp_path / "out", "--test", "0.3") == 0
    shown = capsys.readouterr().out
    assert "12 rows: train " in shown
    assert "test rows too similar to a train row: 0" in shown
    assert f"release: {tmp_path / 'out'}" in shown
    rows = pq.read_table(tmp_path / "out/data").to_pylist()
    kept = {
        one["instruction"]: one
        for one in map(
            json.loads,
            (tmp_path / "run/machine_generated_instances.jsonl").read_text().splitlines(),
        )
    }
    assert len(rows) == 12
    for row in rows:
        source = kept[row["instruction"]]
        assert row["instance_request"] == source["instance_metadata"]["request_key"]
        assert row["instruction_request"] == source["instruction_metadata"]["request_key"]
        assert row["novelty"] == 1 - max(source["most_similar"].values())
    card = (tmp_path / "out/README.md").read_text()
    assert "| high_quality | 175 |" in card
    assert "min_rung = bound" in card


def test_a_studys_verdicts_are_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_run(tmp_path / "mine", seed_pairs(6))
    study = tmp_path / "study.sqlite"
    sample = ["study", "sample", str(folder), "--study", str(study), "--size", "4"]
    assert main([*sample, "--raters", "ada", "ben"]) == 0
    with Study.open(study) as opened:
        opened.import_ratings(
            [
                Rating(item.dataset, item.scenario_id, rater, **dict.fromkeys(CRITERIA, True))
                for item in opened.items()
                for rater in ("ada", "ben")
            ]
        )
    assert release(folder, "--to", tmp_path / "out", "--study", study) == 0
    by = pq.read_table(tmp_path / "out/data")["criteria_by"].to_pylist()
    assert sorted(by) == ["auto"] * 2 + ["consensus"] * 4


def test_what_looks_like_a_secret_is_not_released_unless_allowed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = [pair("A key", "cloud", f'context.key = "{AWS_KEY}"'), pair("No key", "meadow")]
    folder, out = make_run(tmp_path / "mine", pairs), tmp_path / "out"
    assert release(folder, "--to", out) == 1
    error = capsys.readouterr().err
    assert "the text may hold secrets: AWS Access Key" in error
    assert "--allow_findings" in error
    assert error.count("\n") == 1
    assert not out.exists()
    findings = [json.loads(one) for one in Path(f"{out}.findings.jsonl").read_text().splitlines()]
    assert {(one["type"], one["field"], one["shown"]) for one in findings} == {
        ("AWS Access Key", "output", "AKIA…")
    }
    assert release(folder, "--to", out, "--allow_findings") == 0
    assert "| AWS Access Key | 3 |" in (out / "README.md").read_text()


def test_personal_data_is_told_and_listed_beside_the_release(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = [pair("A letter", "letter", 'context.to = "ada.lovelace@gmail.com"')]
    out = tmp_path / "out"
    assert release(make_run(tmp_path / "mine", pairs), "--to", out) == 0
    assert f"e-mail address (3); see {out}.findings.jsonl" in capsys.readouterr().out
    assert not any("findings" in path.name for path in out.rglob("*"))


@pytest.mark.parametrize(
    ("arguments", "told", "code"),
    [
        (["nowhere", "--to", "out"], "nowhere: not a run's folder", 1),
        (["mine"], "required: --to", 2),
        (["mine", "--to", "out", "--test", "1.5"], "--test must be at least 0", 2),
        (["mine", "--to", "out", "--behave_folders", "-1"], "--behave_folders must be", 1),
        (["mine", "--to", "out", "--date", "soon"], "--date 'soon' is not of the form", 2),
        (
            ["mine", "--to", "out", "--push", "a/b/c"],
            "--push 'a/b/c' is not a valid name on the Hub",
            2,
        ),
        (["mine", "--to", "out", "--push", "mine"], "--push 'mine' lacks its owner", 2),
    ],
)
def test_what_cannot_be_released_is_told_in_one_line(
    arguments: list[str],
    told: str,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    make_run(tmp_path / "mine", seed_pairs(2))
    assert release(*arguments) == code
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_push_uploads_every_file_to_a_private_dataset(hub: str, tmp_path: Path) -> None:
    done = push(make_run(tmp_path / "mine", seed_pairs(3)), tmp_path / "out", hub, "hf_right")
    assert done.returncode == 0, done.stderr
    assert f"uploaded: {hub}/datasets/org/baskets" in done.stdout
    assert Hub.uploaded["repository"]["visibility"] == "private"
    files = {
        str(path.relative_to(tmp_path / "out"))
        for path in (tmp_path / "out").rglob("*")
        if path.is_file()
    }
    assert Hub.uploaded["files"] == files
    assert 'load_dataset("org/baskets")' in (tmp_path / "out/README.md").read_text()


def test_a_push_that_the_hub_refuses_is_told_in_its_words(hub: str, tmp_path: Path) -> None:
    done = push(make_run(tmp_path / "mine", seed_pairs(3)), tmp_path / "out", hub, "hf_wrong")
    assert done.returncode == 1
    assert "you may not write to org/baskets" in done.stderr
    assert done.stderr.count("\n") == 1
    assert (tmp_path / "out/README.md").exists()  # the release itself is done


def test_a_push_without_a_token_is_refused_before_any_work(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "mine", seed_pairs(3))
    done = push(folder, tmp_path / "out", "http://127.0.0.1:9", None)
    assert done.returncode == 1
    assert done.stderr.startswith("selfbehave: --push needs a token of the Hugging Face Hub — ")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_hub_that_cannot_be_reached_is_told_in_one_line(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "mine", seed_pairs(3))
    done = push(folder, tmp_path / "out", "http://127.0.0.1:9", "hf_right")
    assert done.returncode == 1
    assert "org/baskets: cannot reach the Hub:" in done.stderr
    assert done.stderr.count("\n") == 1
