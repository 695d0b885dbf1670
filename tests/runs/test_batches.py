"""Batches hold what is ready, survive every kind of end, and are never paid for twice."""

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from selfbehave.core.errors import SelfBehaveError
from selfbehave.engines import EngineSettings, Request
from selfbehave.engines.batches.lines import files_of, results_in
from selfbehave.events.events import BatchMoved, BatchOver, Event
from selfbehave.events.reporter import Reporter
from selfbehave.events.stage_report import StageReport
from selfbehave.runs.pipeline import RunReport
from selfbehave.runs.pipeline import run as run_pipeline
from selfbehave.runs.run_settings import RunSettings
from selfbehave.runs.session import RunSession
from selfbehave.stages.base import Ask, Session, Stage

from ..conftest import HERE, ScriptedServer
from ..helpers.runs import contents, rows, scripted, selfbehave
from ..helpers.runs import run as run_command

INSTANCES = "machine_generated_instances.jsonl"
BATCH = ("--batch", "--batch_poll", 0.05, "--top_rung", "bound")

Servers = Callable[..., ScriptedServer]


@pytest.fixture
def batch_server(tmp_path: Path) -> Iterator[Servers]:
    """Starts servers that take batches: `batch_server(fault=…)`. Their files are in `files`."""
    processes = []

    def start(**faults: Any) -> ScriptedServer:
        log = tmp_path / f"paid-{len(processes)}.log"
        log.touch()
        command = [sys.executable, str(HERE / "batch_server.py"), "--log", str(log)]
        command += ["--folder", str(tmp_path / "files"), "--faults", json.dumps(faults)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        processes.append(process)
        assert process.stdout is not None
        return ScriptedServer(process.stdout.readline().strip(), log)

    yield start
    for process in processes:
        process.kill()
        process.wait()


def grow(
    server: ScriptedServer, folder: Path, told: list[Event] | None = None, **engine: Any
) -> RunReport:
    engine = {"batch": True, "batch_poll": 0.05, **engine}
    return run_pipeline(
        folder,
        RunSettings(
            num_instructions_to_generate=12, prompts="bdd", min_rung="bound", top_rung="bound"
        ),
        EngineSettings(engine=server.url, model="scripted", **engine),
        Reporter(([] if told is None else told).append),
    )


def without_batches(server: ScriptedServer, folder: Path) -> dict[str, bytes]:
    """The files of the same run, each request sent alone."""
    grow(server, folder, batch=False)
    server.log.write_text("")
    return contents(folder)


def batches(folder: Path) -> list[tuple[str, str]]:
    """The steps and ids of the batches in a run's journal."""
    with sqlite3.connect(f"file:{folder}/journal.sqlite?mode=ro", uri=True) as database:
        return database.execute("SELECT step, batch_id FROM batches ORDER BY written_at").fetchall()


def assert_paid_once(server: ScriptedServer) -> None:
    assert len(server.answered) == len(set(server.answered))


def test_a_run_with_batches_gives_the_files_of_one_without(
    batch_server: Servers, tmp_path: Path
) -> None:
    server = batch_server()
    expected = without_batches(server, tmp_path / "single")
    told: list[Event] = []
    grow(server, tmp_path / "batched", told)
    assert contents(tmp_path / "batched") == expected
    assert_paid_once(server)
    seen = [(event.status, event.requests) for event in told if isinstance(event, BatchMoved)]
    # The first request of all goes alone, to see whether the server takes its parameters.
    steps = ("written", "uploaded", "validating", "in_progress", "finalizing", "completed")
    assert seen == [(step, 11) for step in steps]
    (over,) = (event for event in told if isinstance(event, BatchOver))
    assert (over.status, over.answered, over.asked_again, over.ignored) == ("completed", 11, 0, 0)
    assert batches(tmp_path / "batched") == [("over", "batch-0")]

    paid = len(server.answered)
    grow(server, tmp_path / "batched")
    assert len(server.answered) == paid, "it is all in the journal"
    assert contents(tmp_path / "batched") == expected


@pytest.mark.parametrize(
    ("faults", "answered", "again", "ignored"),
    [
        ({"failing": 3}, 7, 4, 0),
        ({"expiring": True}, 5, 6, 0),
        ({"strangers": True}, 11, 0, 4),
        ({"together": True}, 11, 0, 0),
        ({"down": ["upload", "begin", "look", "content"]}, 11, 0, 0),
        ({"down": ["begun", "list"]}, 11, 0, 0),
    ],
)
def test_what_a_batch_leaves_open_is_asked_alone(
    batch_server: Servers,
    tmp_path: Path,
    faults: dict[str, Any],
    answered: int,
    again: int,
    ignored: int,
) -> None:
    server = batch_server(**faults)
    expected = without_batches(server, tmp_path / "single")
    told: list[Event] = []
    grow(server, tmp_path / "batched", told)
    assert contents(tmp_path / "batched") == expected
    (over,) = (event for event in told if isinstance(event, BatchOver))
    assert (over.answered, over.asked_again, over.ignored) == (answered, again, ignored)
    assert_paid_once(server)
    assert len(batches(tmp_path / "batched")) == 1


def test_a_batch_that_the_server_refuses_ends_the_run_with_its_words(
    batch_server: Servers, tmp_path: Path
) -> None:
    server = batch_server(refused=True)
    with pytest.raises(SelfBehaveError, match="refused the batch batch-0: line 3 has no model"):
        grow(server, tmp_path / "r")
    assert [step for step, _ in batches(tmp_path / "r")] == ["over"], "nothing was paid for"
    with pytest.raises(SelfBehaveError, match="batch-1"):
        grow(server, tmp_path / "r")


def test_what_a_cancelled_batch_answered_is_kept_and_the_rest_waits_for_the_next_command(
    batch_server: Servers, tmp_path: Path
) -> None:
    server = batch_server(cancelled=True)
    with pytest.raises(SelfBehaveError, match="batch-0 was cancelled: 6 requests have no answer"):
        grow(server, tmp_path / "r")
    with pytest.raises(SelfBehaveError, match="batch-1 was cancelled: 3 requests have no answer"):
        grow(server, tmp_path / "r")
    assert_paid_once(server)


def test_a_server_without_batches_is_told_in_one_line(
    batch_server: Servers, tmp_path: Path
) -> None:
    with pytest.raises(SelfBehaveError, match="leave --batch out"):
        grow(batch_server(no_batches=True), tmp_path / "r")


def kill_when(is_time: Callable[[], bool], *command: object) -> None:
    """Start a command and kill -9 it at a time."""
    process = subprocess.Popen(
        selfbehave(*command), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    ends = time.monotonic() + 60
    while not is_time():
        assert process.poll() is None, "it ended by itself"
        assert time.monotonic() < ends
        time.sleep(0.01)
    process.kill()
    process.wait()


@pytest.mark.parametrize(
    ("faults", "step"),
    [
        ({"hang": "uploaded"}, "written"),
        ({"hang": "begun"}, "begun"),
        ({"in_flight": True}, "sent"),
        ({"hang": "content"}, "sent"),
    ],
)
def test_a_run_that_is_killed_goes_on_with_the_batch_in_flight(
    batch_server: Servers, tmp_path: Path, faults: dict[str, Any], step: str
) -> None:
    server = batch_server(**faults)
    expected = without_batches(server, tmp_path / "single")
    folder = tmp_path / "killed"
    command = scripted(server, folder, *BATCH)

    def is_time() -> bool:
        if "hang" in faults:
            return (tmp_path / "files" / "hung").exists()
        try:
            return batches(folder)[0][0] == step
        except (sqlite3.Error, IndexError):
            return False

    kill_when(is_time, *command)
    assert [one for one, _ in batches(folder)] == [step]
    (tmp_path / "files" / "go").touch()
    run_command(*command)
    assert contents(folder) == expected
    assert_paid_once(server)
    assert [one for one, _ in batches(folder)] == ["over"]
    began = [file for file in (tmp_path / "files").iterdir() if file.name.endswith("-output")]
    assert len(began) == 1, "the server has begun one batch"


def test_without_the_option_a_batch_in_flight_is_awaited_all_the_same(
    batch_server: Servers, tmp_path: Path
) -> None:
    server = batch_server(in_flight=True)
    expected = without_batches(server, tmp_path / "single")
    folder = tmp_path / "killed"

    def is_sent() -> bool:
        try:
            return batches(folder)[0][0] == "sent"
        except (sqlite3.Error, IndexError):
            return False

    kill_when(is_sent, *scripted(server, folder, *BATCH))
    (tmp_path / "files" / "go").touch()
    grow(server, folder, batch=False)
    assert contents(folder) == expected
    assert_paid_once(server)


def test_a_batch_that_may_have_begun_where_nothing_is_listed_stops_the_run(
    batch_server: Servers, tmp_path: Path
) -> None:
    server = batch_server(hang="begun", no_list=True)
    folder = tmp_path / "killed"
    command = scripted(server, folder, *BATCH)
    kill_when((tmp_path / "files" / "hung").exists, *command)
    (tmp_path / "files" / "go").touch()
    refused = run_command(*command, expect=1)
    assert "it is not known whether the server began the batch" in refused.stderr
    assert "selfbehave batch drop" in refused.stderr
    assert_paid_once(server)


def test_a_budget_holds_for_batches_too(batch_server: Servers, tmp_path: Path) -> None:
    server = batch_server()
    expected = without_batches(server, tmp_path / "single")
    report = grow(server, tmp_path / "batched", max_requests=16)
    assert len(server.answered) == 16
    (end,) = filter(None, (one.budget_end for one in report.stages))
    assert (end.limit, end.most) == ("max_requests", 16)
    kept = rows(tmp_path / "batched" / INSTANCES)
    assert 0 < len(kept) < 12
    grow(server, tmp_path / "batched")
    assert_paid_once(server)
    assert (tmp_path / "batched" / INSTANCES).read_bytes() == expected[INSTANCES]


def answered_by_hand(server: ScriptedServer, requests: Path, answers: Path) -> None:
    """Answer a file of requests as vLLM's `run-batch` does, the last one with an error."""
    lines = rows(requests)
    with httpx.Client(base_url=server.url) as client, answers.open("w") as file:
        for line in lines[:-1]:
            body = client.post(line["url"].removeprefix("/v1"), json=line["body"]).json()
            response = {"status_code": 200, "request_id": "r", "body": body}
            row = {"id": "v", "custom_id": line["custom_id"], "response": response, "error": None}
            file.write(json.dumps(row) + "\n")
        failed = {"status_code": 400, "body": {"error": {"message": "too long"}}}
        file.write(json.dumps({"custom_id": lines[-1]["custom_id"], "response": failed}) + "\n")


def test_files_that_are_carried_by_hand_are_written_and_read(
    scripted_server: Any, tmp_path: Path
) -> None:
    server = scripted_server()
    expected = without_batches(server, tmp_path / "single")
    folder, requests, answers = tmp_path / "r", tmp_path / "ask.jsonl", tmp_path / "told.jsonl"
    of_run = scripted(server, folder, "--top_rung", "bound")[1:]
    written = run_command("batch", "write", requests, *of_run)
    assert "12 requests written" in written.stdout
    assert {line["url"] for line in rows(requests)} == {"/v1/chat/completions"}
    assert not (folder / INSTANCES).exists()

    refused = run_command("run", *of_run, expect=1)
    assert f"{requests}: 12 requests are in a file that you carry" in refused.stderr
    listed = run_command("batch", "list", "--batch_dir", folder)
    assert f"carried, 12 requests, {requests}" in listed.stdout

    answered_by_hand(server, requests, answers)
    read = run_command("batch", "read", answers, "--batch_dir", folder)
    assert "11 answers are in the journal" in read.stdout
    assert "1 requests have no answer, and will be asked again" in read.stdout
    assert "too long" in read.stdout
    run_command("run", *of_run)
    assert contents(folder) == expected
    assert_paid_once(server)
    again = run_command("batch", "write", requests, *of_run)
    assert "nothing waits" in again.stdout


def test_answers_of_another_run_are_refused(scripted_server: Any, tmp_path: Path) -> None:
    folder, requests, answers = tmp_path / "r", tmp_path / "ask.jsonl", tmp_path / "told.jsonl"
    of_run = scripted(scripted_server(), folder, "--top_rung", "bound")[1:]
    run_command("batch", "write", requests, *of_run)
    answers.write_text('{"custom_id": "x", "response": {}}\n')
    refused = run_command("batch", "read", answers, "--batch_dir", folder, expect=1)
    assert "no answer to a request of this run, in 1 lines" in refused.stderr
    dropped = run_command("batch", "drop", "--batch_dir", folder)
    assert "forgotten: selfbehave-" in dropped.stdout
    assert not run_command("batch", "list", "--batch_dir", folder).stdout


class Chains:
    """Each item takes three requests, one after the other; every other item only one."""

    def __init__(self) -> None:
        self.report = StageReport("chains", "chains", 8)
        self.committed: list[str] = []

    def draw(self, index: int) -> int | None:
        return index if index < 8 else None

    async def answer(self, item: int, ask: Ask) -> str:
        said = ""
        for link in range(3 if item % 2 else 1):
            request = Request(
                "chains", item * 3 + link, f"item {item}.{link} {said}", 1.0, 1.0, 99, 7
            )
            said = (await ask(request)).text[:20]
        return f"{item} {said}"

    def commit(self, item: int, result: str) -> bool:
        self.committed.append(result)
        return True


def test_later_attempts_go_in_rounds(batch_server: Servers, tmp_path: Path) -> None:
    server, told, chains = batch_server(), list[Event](), Chains()

    async def run(session: Session, settings: None) -> StageReport:
        session.open_journal()
        await session.generate(chains, await session.open_engine())
        return chains.report

    stage = Stage("chains", "chains", type(None), run)
    engine = EngineSettings(engine=server.url, model="scripted", batch=True, batch_poll=0.02)
    with RunSession(tmp_path / "r", engine, Reporter(told.append)) as session:
        session.do([(stage, None)])
    sizes = [
        one.requests for one in told if isinstance(one, BatchMoved) and one.status == "written"
    ]
    assert sizes == [7, 4, 4], "the first request of all goes alone"
    assert [one.split()[0] for one in chains.committed] == list("01234567")
    assert_paid_once(server)


def test_a_file_is_divided_by_lines_and_by_bytes() -> None:
    lines = [(str(number), b"x" * 10) for number in range(7)]
    by_lines = [keys for keys, _ in files_of(lines, most_lines=3)]
    assert by_lines == [["0", "1", "2"], ["3", "4", "5"], ["6"]]
    by_bytes = [(keys, len(content)) for keys, content in files_of(lines, most_bytes=25)]
    assert by_bytes == [(["0", "1"], 20), (["2", "3"], 20), (["4", "5"], 20), (["6"], 10)]
    assert [keys for keys, _ in files_of([("long", b"x" * 99)], most_bytes=25)] == [["long"]]
    assert list(files_of([])) == []


def test_results_are_read_whatever_a_server_writes() -> None:
    request = Request("test", 0, "p", 1.0, 1.0, 10, 0)
    body = {"choices": [{"message": {"content": "yes"}, "finish_reason": "stop"}]}
    lines = [
        json.dumps({"custom_id": "a", "response": {"status_code": 200, "body": body}}),
        json.dumps({"custom_id": "b", "response": body}),  # as an older vLLM writes it
        json.dumps({"custom_id": "c", "response": None, "error": {"message": "expired"}}),
        json.dumps({"custom_id": "c", "response": {"status_code": 429, "body": {}}}),
        json.dumps({"custom_id": ["a"]}),
        json.dumps({"custom_id": "a", "response": {"status_code": 200, "body": body}}),
        "not JSON",
        "[" * 100_000,
        "",
    ]
    requests = dict.fromkeys("abcd", request)
    results = results_in([line.encode() for line in lines], requests, "http://x")
    assert {key: one.text for key, one in results.answers.items()} == {"a": "yes", "b": "yes"}
    assert results.failures == {"c": "no answer in the batch: expired"}
    assert results.ignored == 4
