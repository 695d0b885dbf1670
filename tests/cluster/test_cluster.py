"""The stages on a local Ray cluster: the same files, whatever is killed on the way."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import ray
from rich.console import Console

from selfbehave.bdd.faults import Detail, Fault, FaultCode
from selfbehave.bdd.ladder import Ladder, Rung, climb_rows
from selfbehave.bdd.verdicts import ladder_from, ladder_to
from selfbehave.cli.main import main
from selfbehave.cluster import addresses, batch_llm, parts
from selfbehave.cluster.climbing import climbing_on_cluster
from selfbehave.cluster.connection import ClusterSettings, connected
from selfbehave.cluster.dedupe_workers import RayExecutor
from selfbehave.cluster.kept_verdicts import KeptVerdicts
from selfbehave.cluster.ladder_files import LadderSettings, climb_files
from selfbehave.cluster.run_stages import BatchSession, run_stage
from selfbehave.core.errors import SelfBehaveError
from selfbehave.engines.settings import EngineSettings
from selfbehave.events.events import Event, ParameterRefused
from selfbehave.novelty.dedupe.dedupe_files import DedupeSettings, dedupe
from selfbehave.prompts.bdd import instruction_for
from selfbehave.runs import pipeline
from selfbehave.seeds.load import load_seeds
from selfbehave.stages.classify import ClassifySettings
from selfbehave.stages.instances import INSTANCES as INSTANCES_STAGE
from selfbehave.stages.instances import InstancesSettings
from selfbehave.stages.registry import BUILT_IN
from selfbehave.views.base import View
from selfbehave.views.display import Display
from selfbehave.views.quiet import Quiet

from ..e2e.test_run import answers, contents, run, scripted
from ..engines.test_engines import Script, refusal
from ..helpers import scripted_server as script
from ..helpers.quirk_server import MODEL, serving

pytestmark = pytest.mark.xdist_group("ray")

TWO = ClusterSettings(workers=2)
# One attempt, as the tests count requests.
ONCE = InstancesSettings(prompts="bdd", attempts=1, min_rung="bound", top_rung="bound")
ONCE_GIVEN = "--prompts bdd --attempts 1 --min_rung bound --top_rung bound".split()
CLASSIFIED, INSTANCES = "is_clf_or_not_template_1.jsonl", "machine_generated_instances.jsonl"
QUIET = Display(Quiet(Console(stderr=True)))


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a Ray cluster of this machine, which this process is connected to."""
    with connected(TWO):
        yield ray.get_runtime_context().gcs_address


def instructions(folder: Path, count: int, *, classic: bool = False) -> Path:
    """A run's folder with instructions: scenarios, or tasks that no rule classifies."""
    chance = random.Random(0)
    texts = [script.scenario_text(chance) for _ in range(count)]
    made = [" ".join(text.split()) if classic else instruction_for(text) for text in texts]
    folder.mkdir()
    for name, rows in (
        ("machine_generated_instructions.jsonl", [{"instruction": text} for text in made]),
        (CLASSIFIED, [{"instruction": "another", "is_classification": "No"}]),
    ):
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def pairs(count: int) -> list[tuple[str, str, str]]:
    """Rows of seed tasks, which climb to the top, and some that do not."""
    tasks = load_seeds("high_quality").tasks
    rows = [(task.instruction, one.input, one.output) for task in tasks for one in task.instances]
    some = rows[:count]
    some[1] = (some[1][0], "", "```python\nfrom behave import given\n```")
    some[2] = (some[2][0], "", "none")
    return some


def kill_a_worker_doing(work: str) -> None:
    """Kill -9 one of our cluster's processes that is at some work, as soon as there is one."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and _is_ours(int(entry.name), work):
                os.kill(int(entry.name), signal.SIGKILL)
                return
        time.sleep(0.01)
    raise AssertionError(f"no worker was seen at {work}")


def _is_ours(pid: int, work: str) -> bool:
    try:
        title = Path(f"/proc/{pid}/cmdline").read_text()
        raylet = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        driver = int(Path(f"/proc/{raylet}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return False  # it has just ended
    return title.startswith("ray::") and work in title and driver == os.getpid()


def test_a_run_writes_the_bytes_of_one_machine(
    cluster: str, scripted_server: Any, tmp_path: Path
) -> None:
    server = scripted_server()
    few = ("--num_instructions_to_generate", 6, "--top_rung", "passing")
    run(*scripted(server, tmp_path / "one", *few))
    cluster_run = ("cluster", *scripted(server, tmp_path / "many", *few, "--workers", 2))
    assert main([*map(str, cluster_run)]) == 0
    one, many = contents(tmp_path / "one"), contents(tmp_path / "many")
    many.pop("verdicts.jsonl")
    assert many == one


@pytest.mark.parametrize("stage", ["classify", "instances"])
def test_a_stage_asks_each_request_once_and_either_machine_goes_on_where_the_other_was(
    cluster: str, scripted_server: Any, tmp_path: Path, stage: str
) -> None:
    server = scripted_server()
    engine = EngineSettings(engine=server.url, request_batch_size=6)
    some: Any = {
        "classify": ClassifySettings(prompts="classic", num_instructions=10),
        "instances": replace(ONCE, num_instructions=10),
    }[stage]
    every: Any = replace(some, num_instructions=None)
    file = {"classify": CLASSIFIED, "instances": INSTANCES}[stage]
    one = instructions(tmp_path / "one", 40, classic=stage == "classify")
    many = instructions(tmp_path / "many", 40, classic=stage == "classify")
    getattr(pipeline, stage)(one, every, engine, QUIET)
    getattr(pipeline, stage)(many, some, engine, QUIET)
    (on_cluster,) = (one for one in BUILT_IN if one.name == stage)
    report = run_stage(on_cluster, every, many, engine, TWO, QUIET)
    assert (many / file).read_bytes() == (one / file).read_bytes()
    assert (report.requests, report.replayed) == (40, 10)
    assert len(server.answered) == 40 + 10 + 30
    report = getattr(pipeline, stage)(many, every, engine, QUIET)
    assert report.replayed == 40, "the journal is the one of a single machine"


def test_another_machine_goes_on_from_the_store(
    cluster: str, scripted_server: Any, tmp_path: Path, capsys: Any
) -> None:
    server, store = scripted_server(), (tmp_path / "bucket").as_uri()
    instructions(tmp_path / "first", 20)

    def instances(folder: str, *more: str) -> int:
        arguments = ["cluster", "instances", "--batch_dir", str(tmp_path / folder), *more]
        arguments += ONCE_GIVEN
        return main([*arguments, "--engine", server.url, "--store", store, "--workers", "2"])

    assert instances("first", "--num_instructions", "5") == 0
    assert instances("second") == 0
    assert len(server.answered) == 20, "the first five came with the journal"
    assert "fetched from" in capsys.readouterr().out
    assert len((tmp_path / "bucket" / INSTANCES).read_text().splitlines()) == 20
    folder, elsewhere = tmp_path / "second", tmp_path / "elsewhere"
    prepare = ("cluster", "prepare", "--instance_files", folder / INSTANCES, "--store", store)
    prepare += ("--classification_type_files", folder / CLASSIFIED, "--top_rung", "bound")
    assert main([*map(str, prepare), "--output_dir", str(elsewhere)]) == 2
    assert "outside" in capsys.readouterr().err
    assert main([*map(str, prepare), "--output_dir", str(folder / "data")]) == 0
    kept = [path for path in (tmp_path / "bucket").rglob("*") if path.is_file()]
    names = {str(path.relative_to(tmp_path / "bucket")) for path in kept}
    assert names > {"journal.sqlite", INSTANCES, "data/all_generated_instances.jsonl"}
    assert all(
        (folder / name).read_bytes() == (tmp_path / "bucket" / name).read_bytes() for name in names
    )


def test_a_worker_that_is_killed_loses_no_answer(
    cluster: str, scripted_server: Any, tmp_path: Path
) -> None:
    server = scripted_server(latency=0.05)
    engine = EngineSettings(engine=server.url, request_batch_size=4)
    one = instructions(tmp_path / "one", 60)
    many = instructions(tmp_path / "many", 60)
    pipeline.instances(one, ONCE, engine, QUIET)
    before = len(server.answered)
    killing = threading.Thread(target=kill_when_answered, args=(server, before + 10))
    killing.start()
    run_stage(INSTANCES_STAGE, ONCE, many, engine, TWO, QUIET)
    killing.join()
    assert (many / INSTANCES).read_bytes() == (one / INSTANCES).read_bytes()
    assert len(server.answered) - before <= 60 + 4, "only what was in flight is asked again"


def kill_when_answered(server: Any, count: int) -> None:
    while len(server.answered) < count:
        time.sleep(0.005)
    kill_a_worker_doing("_answer_block")


def test_a_driver_that_is_killed_goes_on_with_the_same_command(
    cluster: str, scripted_server: Any, tmp_path: Path
) -> None:
    server = scripted_server(latency=0.1)
    many = instructions(tmp_path / "many", 60)
    arguments = ["cluster", "instances", "--engine", server.url, "--batch_dir", str(many)]
    arguments += ["--address", cluster, "--workers", "2", "--request_batch_size", "4", *ONCE_GIVEN]
    driver = subprocess.Popen([sys.executable, "-m", "selfbehave", *arguments])
    while answers(many) < 15 and driver.poll() is None:
        time.sleep(0.01)
    driver.kill()
    driver.wait()
    assert not (many / INSTANCES).exists()
    assert 15 <= answers(many) < 60
    assert main(arguments) == 0
    # Requests in flight at the kill, and those that workers sent before they noticed it.
    assert len(server.answered) <= 60 + 4 + 4
    one = instructions(tmp_path / "one", 60)
    engine = EngineSettings(engine=scripted_server().url)
    pipeline.instances(one, ONCE, engine, QUIET)
    assert (many / INSTANCES).read_bytes() == (one / INSTANCES).read_bytes()


def test_a_refusal_is_told_in_the_servers_words_in_one_line(
    cluster: str, tmp_path: Path, capsys: Any
) -> None:
    server = Script(*[refusal(401, "no such key")] * 9)
    many = instructions(tmp_path / "many", 3)
    arguments = ["--engine", server.url, "--model", "m", "--batch_dir", str(many)]
    assert main(["cluster", "instances", *arguments, "--workers", "2"]) == 1
    server.server.shutdown()
    server.server.server_close()
    (line,) = capsys.readouterr().err.splitlines()
    assert "the server refused the request (401): no such key — check the key" in line


def test_a_parameter_that_a_server_refuses_is_told_and_recorded(
    cluster: str, tmp_path: Path
) -> None:
    class Listener(View):
        def show(self, event: Event) -> None:
            events.append(event)

    events: list[Event] = []
    folder = instructions(tmp_path / "many", 12)
    with serving("no seed") as server:
        engine = EngineSettings(engine=server.url, model=MODEL)
        run_stage(INSTANCES_STAGE, ONCE, folder, engine, TWO, Display(Listener()))
    refused = [event for event in events if isinstance(event, ParameterRefused)]
    assert refused == [ParameterRefused(server.url, "seed", "")], "once, by however many workers"
    noted = tomllib.loads((folder / "run.toml").read_text())["refused_parameters"]
    assert noted == {server.url: {"seed": "left out"}}


def test_an_engine_of_this_machine_is_no_engine_for_a_cluster(
    cluster: str, tmp_path: Path, capsys: Any
) -> None:
    many = instructions(tmp_path / "many", 3)
    assert main(["cluster", "instances", "--batch_dir", str(many)]) == 2
    assert "not 'embedded'" in capsys.readouterr().err


def test_pairs_climb_as_they_do_on_one_machine_and_no_pair_twice(
    cluster: str, tmp_path: Path
) -> None:
    rows = pairs(6)
    climbing = climbing_on_cluster(tmp_path / "verdicts.jsonl", 2)
    ladders = climbing(rows, Rung.CAUSAL)
    assert ladders == climb_rows(rows, Rung.CAUSAL)
    assert {ladder.rung for ladder in ladders} >= {Rung.NONE, Rung.PARSED, Rung.CAUSAL}
    kept = (tmp_path / "verdicts.jsonl").read_bytes()
    (tmp_path / "verdicts.jsonl").write_bytes(kept[:-40])  # as a power cut may leave it
    assert climbing(rows, Rung.CAUSAL) == ladders
    assert len(KeptVerdicts(tmp_path / "verdicts.jsonl")._ladders) == len(rows)


def test_a_verdict_on_disk_is_the_verdict() -> None:
    faults = (
        Fault(FaultCode.BAD_PATTERN, 3, Detail(pattern="a \ud800 b", words="c")),
        Fault(FaultCode.NO_STEP),
    )
    ladder = Ladder(Rung.PASSING, True, False, faults, "2 to 3", "4 to 5")
    assert ladder_from(json.loads(json.dumps(ladder_to(ladder)))) == ladder


def test_verdicts_that_older_rules_gave_stay_in_the_file_and_are_not_used(tmp_path: Path) -> None:
    older = {"key": "k", "rung": "parsed", "scenario_parses": True, "python_compiles": True,
             "faults": ["undefined step 'given a'"], "change": None}  # fmt: skip
    file = tmp_path / "verdicts.jsonl"
    file.write_text(f"{json.dumps(older)}\n")
    verdicts = KeptVerdicts(file)
    assert "k" not in verdicts
    verdicts.keep([("new", Ladder(Rung.BOUND, True, True, ()))])
    assert "new" in KeptVerdicts(file)
    assert json.loads(file.read_text().splitlines()[0]) == older


def test_a_killed_worker_changes_no_part_of_a_ladder(cluster: str, tmp_path: Path) -> None:
    rows = pairs(10)
    write_rows(tmp_path, rows)
    killing = threading.Thread(target=kill_a_worker_doing, args=("_climb_part",))
    killing.start()
    settings = LadderSettings(rows_per_part=2, top_rung="passing")
    outcome = climb_files([str(tmp_path / "*.jsonl")], str(tmp_path / "out"), settings, TWO)
    killing.join()
    assert (outcome.rows, outcome.parts, outcome.done_before) == (10, 5, 0)
    assert read_parts(tmp_path / "out") == expected(rows, Rung.PASSING)
    assert outcome.reached.total() == 10


def test_a_ladder_goes_on_with_the_parts_that_are_missing(cluster: str, tmp_path: Path) -> None:
    rows = pairs(14)
    write_rows(tmp_path, rows)
    arguments = ["cluster", "ladder", str(tmp_path / "rows.parquet"), "--to", str(tmp_path / "out")]
    arguments += ["--rows_per_part", "2", "--top_rung", "passing"]
    driver = subprocess.Popen(
        [sys.executable, "-m", "selfbehave", *arguments, "--address", cluster, "--workers", "1"]
    )
    while not list((tmp_path / "out").glob("part-*")) and driver.poll() is None:
        time.sleep(0.01)
    driver.kill()
    driver.wait()
    done = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("part-*")}
    assert 1 <= len(done) < 7
    assert main([*arguments, "--workers", "2"]) == 0
    assert read_parts(tmp_path / "out") == expected(rows, Rung.PASSING)
    assert all(path.stat().st_mtime_ns == time for path, time in done.items())


def test_a_folder_of_other_parts_is_left_alone(cluster: str, tmp_path: Path) -> None:
    write_rows(tmp_path, pairs(4))
    files, to = [str(tmp_path / "rows.jsonl")], str(tmp_path / "out")
    settings = LadderSettings(top_rung="bound", format="parquet")
    climb_files(files, to, settings, TWO)
    assert pq.read_table(to).num_rows == 4, "a whole folder reads as one table"
    with pytest.raises(SelfBehaveError, match=r"made from other files or options \(top_rung\)"):
        climb_files(files, to, LadderSettings(top_rung="parsed", format="parquet"), TWO)
    with pytest.raises(
        SelfBehaveError, match=r"made from other files or options \(parts, parts_sha256\)"
    ):
        climb_files(files * 2, to, settings, TWO)


def test_a_broken_row_is_told_with_its_line(cluster: str, tmp_path: Path) -> None:
    write_rows(tmp_path, pairs(4))
    file = tmp_path / "rows.jsonl"
    file.write_text(file.read_text() + '\n{"instruction": "a", "input": 1}\n')
    settings = LadderSettings(top_rung="bound", rows_per_part=2)
    with pytest.raises(SelfBehaveError, match=r"rows\.jsonl:6: field 'input' must be a text"):
        climb_files([str(file)], str(tmp_path / "out"), settings, TWO)


def write_rows(folder: Path, rows: list[tuple[str, str, str]]) -> None:
    names = ("instruction", "input", "output")
    fields = [dict(zip(names, row, strict=True)) for row in rows]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in fields))
    pq.write_table(pa.Table.from_pylist(fields), folder / "rows.parquet", row_group_size=7)


def read_parts(folder: Path) -> list[dict[str, Any]]:
    files = sorted(folder.glob("part-*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def expected(rows: list[tuple[str, str, str]], top: Rung) -> list[dict[str, Any]]:
    return [
        {"instruction": row[0], "input": row[1], "output": row[2], **ladder.to_dict()}
        for row, ladder in zip(rows, climb_rows(rows, top), strict=True)
    ]


def test_near_duplicates_are_those_that_one_machine_leaves_out(
    cluster: str, tmp_path: Path
) -> None:
    chance = random.Random(3)
    texts = [" ".join(chance.choices(script.WORDS[:9], k=8)) for _ in range(300)]
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    settings = DedupeSettings(workers=2, block_size=50)
    one = dedupe([file], tmp_path / "one.jsonl", settings=settings)
    many = dedupe([file], tmp_path / "many.jsonl", settings=settings, executor=RayExecutor())
    assert (many.kept, many.dropped) == (one.kept, one.dropped)
    assert 0 < many.dropped < 300
    assert (tmp_path / "many.jsonl").read_bytes() == (tmp_path / "one.jsonl").read_bytes()
    arguments = ["cluster", "dedupe", str(file), "--to", str(tmp_path / "all.jsonl")]
    assert main([*arguments, "--workers", "2"]) == 0
    assert (tmp_path / "all.jsonl").read_bytes() == (tmp_path / "one.jsonl").read_bytes()
    bucket, work = tmp_path / "bucket", tmp_path / "work"
    arguments = ["cluster", "dedupe", file.as_uri(), "--to", (bucket / "kept.jsonl").as_uri()]
    assert main([*arguments, "--workers", "2", "--work_dir", str(work)]) == 0
    assert (bucket / "kept.jsonl").read_bytes() == (tmp_path / "one.jsonl").read_bytes()
    assert len((bucket / "kept.dropped.jsonl").read_text().splitlines()) == many.dropped
    assert list(work.iterdir()) == []


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.parquet"])
@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_parts_hold_every_row_once_and_in_order(tmp_path: Path, name: str, size: int) -> None:
    rows = pairs(16)
    write_rows(tmp_path, rows)
    if name == "rows.jsonl":
        (tmp_path / name).write_text("\n" + (tmp_path / name).read_text().replace("\n", "\n\n"))
    cut = parts.parts_of([str(tmp_path / name)] * 2, size)
    assert [part.number for part in cut] == list(range(len(cut)))
    read = [row["instruction"] for part in cut for _, row in parts.rows_of(part)]
    assert read == [row[0] for row in rows] * 2
    assert all(len(parts.rows_of(part)) == part.rows <= size for part in cut)


def test_files_are_read_and_written_at_any_address() -> None:
    line = b'{"instruction": "a", "input": "", "output": "b"}\n'
    addresses.write_file("memory://bucket/deep/rows.jsonl", line * 5)
    cut = parts.parts_of(["memory://bucket/deep/*.jsonl"], 2)
    assert [part.rows for part in cut] == [2, 2, 1]
    assert [place for place, _ in parts.rows_of(cut[1])] == [
        "memory:///bucket/deep/rows.jsonl:3",
        "memory:///bucket/deep/rows.jsonl:4",
    ]
    assert not addresses.exists("memory://bucket/deep/_rows.jsonl.partial")
    with pytest.raises(SelfBehaveError, match="nowhere"):
        parts.parts_of(["memory://bucket/nowhere.jsonl"], 2)
    with pytest.raises(SelfBehaveError, match="unheard"):
        parts.parts_of(["unheard://of"], 2)


def test_the_settings_of_vllm_are_checked_without_a_gpu() -> None:
    model = batch_llm.BatchModel(
        name="org/model", replicas=2, engine={"tensor_parallel_size": 2, "max_model_len": 4096}
    )
    config = batch_llm.vllm_config(model)
    assert (config.model_source, config.concurrency, config.batch_size) == ("org/model", 2, 64)
    assert config.engine_kwargs["max_model_len"] == 4096
    assert config.chat_template_stage is True
    assert model.gpus == 4
    with pytest.raises(SelfBehaveError, match="vLLM's settings are wrong"):
        batch_llm.vllm_config(batch_llm.BatchModel(name="m", replicas=0))


def test_without_gpus_vllm_is_refused_in_one_line(
    cluster: str, tmp_path: Path, capsys: Any
) -> None:
    many = instructions(tmp_path / "many", 3)
    arguments = ["cluster", "instances", "--batch_dir", str(many), "--engine", "org/model"]
    assert main([*arguments, "--vllm", "--vllm_replicas", "2"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "2 x org/model need 2 GPUs, the cluster has 0" in line


@pytest.mark.parametrize("api", ["chat", "completions"])
def test_answers_of_a_batch_processor_are_those_of_an_endpoint(
    cluster: str, scripted_server: Any, tmp_path: Path, api: Any
) -> None:
    """In vLLM's place stands what takes and gives the columns that Ray documents for it."""
    ask, read = batch_llm._asked_by(api), batch_llm._answered
    answer = script.answer
    ray.cloudpickle.register_pickle_by_value(script)

    def generated(row: dict[str, Any]) -> dict[str, Any]:
        prompt = row["messages"][0]["content"] if api == "chat" else row["prompt"]
        text, _ = answer(prompt, row["sampling_params"]["seed"])
        asked, made = len(prompt.split()), len(text.split())
        counts = {"num_input_tokens": asked, "num_generated_tokens": made}
        return {**row, "generated_text": text, **counts}

    one, many = instructions(tmp_path / "one", 12), instructions(tmp_path / "many", 12)
    engine = EngineSettings(engine=scripted_server().url, api=api)
    pipeline.instances(one, ONCE, engine, QUIET)
    model = batch_llm.BatchEngine(batch_llm.BatchModel(name="scripted", api=api))
    with BatchSession(
        many, QUIET, model, lambda rows: rows.map(ask).map(generated).map(read)
    ) as session:
        session.do([(INSTANCES_STAGE, ONCE)])
    assert (many / INSTANCES).read_bytes() == (one / INSTANCES).read_bytes()
    report = pipeline.instances(many, ONCE, engine, QUIET)
    assert report.replayed == 12, "an endpoint of the same model goes on from there"


def test_without_ray_the_missing_package_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    for name in [one for one in sys.modules if one.startswith("selfbehave.cluster")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main(["cluster", "ladder", "x", "--to", "y"]) == 1
    assert "ray" in (told := capsys.readouterr().err)
    assert "pip install 'selfbehave[cluster]'" in told


def test_a_budget_holds_on_a_cluster_and_a_larger_one_goes_on(
    cluster: str, scripted_server: Any, tmp_path: Path
) -> None:
    server = scripted_server()
    folder = instructions(tmp_path / "r", 12)
    for most, expected in ((5, 5), (100, 12)):
        engine = EngineSettings(engine=server.url, model="scripted", max_requests=most)
        report = run_stage(INSTANCES_STAGE, ONCE, folder, engine, TWO, QUIET)
        assert report.accepted == expected
        assert (report.budget_end is not None) == (expected == 5)
        assert len(server.answered) == len(set(server.answered)) == expected
