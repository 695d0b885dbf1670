"""`selfbehave dedupe`: what it keeps, what it tells of the rest, and what it refuses."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from selfbehave.cli.main import main
from selfbehave.novelty.dedupe.dedupe_files import DedupeSettings, dedupe
from selfbehave.novelty.rule import Pool, rouge_l
from selfbehave.seeds.load import load_seeds

FIRST = "one two three four five six seven eight nine ten"
NEAR = "one two three four five six seven eight nine eleven"
OTHER = "something else altogether"


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_rows_are_kept_as_they_are_and_dropped_ones_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"instruction": FIRST, "more": [1]}, {"instruction": "…"}, {"instruction": OTHER}]
    some = write(tmp_path / "some.jsonl", rows)
    more = write(tmp_path / "more.jsonl", [{"prompt": NEAR, "completion": ""}])
    assert main(["dedupe", str(some), str(more), "--to", str(tmp_path / "kept.jsonl")]) == 0
    assert read(tmp_path / "kept.jsonl") == rows
    assert read(tmp_path / "kept.dropped.jsonl") == [
        {
            "file": str(more),
            "row": 1,
            "text": NEAR,
            "score": rouge_l(FIRST, NEAR),
            "too_similar_to": {"text": FIRST, "file": str(some), "row": 1},
        }
    ]
    said = capsys.readouterr().out
    assert "kept: 3 of 4 rows" in said
    assert "kept uncompared: 1 rows" in said
    assert "APPROXIMATE" not in said
    assert not (tmp_path / "kept.jsonl.work").exists()
    assert not (tmp_path / "kept.jsonl.lock").exists()


def test_rows_like_the_pools_are_dropped_and_the_pool_is_not_written(tmp_path: Path) -> None:
    seeds = load_seeds("high_quality").tasks
    pool = write(tmp_path / "pool.jsonl", [task.to_dict() for task in seeds])
    rows = [{"instruction": seeds[7].instruction + " please"}, {"instruction": OTHER}]
    file = write(tmp_path / "rows.jsonl", rows)
    kept = tmp_path / "kept.jsonl"
    assert main(["dedupe", str(file), "--pool", str(pool), "--to", str(kept)]) == 0
    assert read(kept) == rows[1:]
    (dropped,) = read(tmp_path / "kept.dropped.jsonl")
    assert dropped["too_similar_to"] == {
        "text": seeds[7].instruction, "file": str(pool), "row": 8
    }  # fmt: skip


def test_worker_processes_keep_what_one_pool_keeps(tmp_path: Path) -> None:
    texts = [f"{task.instruction} {'x ' * (n % 40)}" for n in range(5)
             for task in load_seeds("mixed_quality").tasks]  # fmt: skip
    file = write(tmp_path / "rows.jsonl", [{"text": text} for text in texts])
    kept = tmp_path / "kept.jsonl"
    told: list[tuple[int, int, int]] = []
    settings = DedupeSettings(workers=2, block_size=150)
    done = dedupe([file], kept, (), settings, lambda *counts: told.append(counts))
    pool = Pool()
    novel = []
    for text in texts:
        if pool.nearest_too_similar(text) is None:
            pool.add(text)
            novel.append({"text": text})
    assert read(kept) == novel
    assert told[-1] == (len(texts), len(novel), len(texts))
    assert (done.kept, done.dropped) == (len(novel), len(texts) - len(novel))


def test_parquet_stays_parquet_with_its_columns(tmp_path: Path) -> None:
    schema = pa.schema([("messages", pa.list_(pa.struct([("role", pa.string()),
                        ("content", pa.string())]))), ("size", pa.int16())])  # fmt: skip
    asked = [[{"role": "user", "content": text}] for text in (FIRST, NEAR, OTHER)]
    table = pa.table([asked, [1, 2, 3]], schema)
    pq.write_table(table, tmp_path / "rows.parquet")
    kept = tmp_path / "kept.parquet"
    assert main(["dedupe", str(tmp_path / "rows.parquet"), "--to", str(kept)]) == 0
    assert pq.read_table(kept).equals(table.take([0, 2]))


def test_several_fields_are_compared_together(tmp_path: Path) -> None:
    rows = [{"instruction": FIRST, "input": text} for text in (OTHER * 9, "a b c " * 9)]
    file, kept = write(tmp_path / "rows.jsonl", rows), tmp_path / "kept.jsonl"
    command = ["dedupe", str(file), "--to", str(kept)]
    assert main(command) == 0
    assert read(kept) == rows[:1]
    assert main([*command, "--field", "instruction", "input"]) == 0
    assert read(kept) == rows


def test_an_approximation_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path / "rows.jsonl", [{"text": text} for text in (FIRST, NEAR, OTHER)])
    kept = tmp_path / "kept.jsonl"
    assert main(["dedupe", str(file), "--to", str(kept), "--approximate", "minhash"]) == 0
    assert read(kept) == [{"text": FIRST}, {"text": OTHER}]
    assert "APPROXIMATE, by MinHash" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--threshold", "1"], "--threshold must be above 0 and below 1, not 1"),
        (["--workers", "0"], "--workers must be at least 1, not 0"),
        (["--field", "words"], "rows.jsonl:1: field 'words' is missing"),
        (["--to", "rows.jsonl"], "--to is one of the files to read"),
        (["--to", "kept.parquet"], "the files have different formats: .jsonl, .parquet"),
        (["--pool", "none.jsonl"], "none.jsonl: cannot be read: No such file or directory"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(
    options: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "rows.jsonl", [{"text": FIRST}])
    assert main(["dedupe", "rows.jsonl", "--to", "kept.jsonl", *options]) != 0
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert not (tmp_path / "kept.jsonl").exists()


def test_a_broken_parquet_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 but no more")
    assert main(["dedupe", str(broken), "--to", str(tmp_path / "kept.parquet")]) == 1
    assert f"{broken}: Parquet:" in capsys.readouterr().err


def test_two_at_once_do_not_write_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file, kept = write(tmp_path / "rows.jsonl", [{"text": FIRST}]), tmp_path / "kept.jsonl"
    inner: list[int] = []

    def meanwhile(*counts: int) -> None:
        inner.append(main(["dedupe", str(file), "--to", str(kept)]))

    dedupe([file], kept, (), DedupeSettings(), meanwhile)
    assert inner == [1]
    assert "another process is writing this file" in capsys.readouterr().err
    assert read(kept) == [{"text": FIRST}]
