"""A run is told as it goes: a picture on a terminal, lines elsewhere, events for programs."""

import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from selfbehave.core.errors import SelfBehaveError
from selfbehave.core.printable import printable
from selfbehave.engines import Completion, Request
from selfbehave.engines.contact import Contact
from selfbehave.events.events import Event, ParameterRefused, Retry, ServerBack, ServerGone
from selfbehave.events.pace import Pace
from selfbehave.events.stage_report import StageReport
from selfbehave.views.lines import Lines
from selfbehave.views.machine import JsonLines

from ..helpers.paths import ROOT
from ..helpers.scripted_server import Handler

PAGE = ROOT / "docs/how-to/watch-a-run.md"
TITLE = "\x1b]0;pwned\x07"  # what a terminal would take for its window's title


def command(url: str, folder: Path, *more: object) -> list[str]:
    options = ("--engine", url, "--model", "scripted", "--batch_dir", folder)
    options += ("--prompts", "bdd", "--min_rung", "bound", "--top_rung", "bound")
    options += ("--num_instructions_to_generate", 6, *more)
    return [sys.executable, "-m", "selfbehave", "run", *map(str, options)]


def run(*arguments: Any, expect: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command(*arguments), capture_output=True, text=True, timeout=120)
    assert done.returncode == expect, done.stdout + done.stderr
    return done


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def named(name: str, told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for event in told if event["event"] == name]


def documented() -> dict[str, set[str]]:
    """The fields of each event by the table of the page."""
    fields: dict[str, set[str]] = {}
    rows = [line.split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    event = ""
    for row in rows[1:]:
        event = row[0].strip("| `") or event
        fields.setdefault(event, {"time", "event"}).update(re.findall(r"`(\w+)`", row[1]))
    return fields


@pytest.fixture
def hostile_server() -> Iterator[str]:
    """A server whose refusals and answers hold what a terminal would obey."""

    class Hostile(Handler):
        latency, tries = 0.0, Counter[str]()
        faults, log = 0.4, Path(os.devnull)

        def fail(self, chance: Any) -> None:
            refusal = {"error": {"message": f"slow {TITLE}down"}}
            super().reply(429, refusal, {"Retry-After": "0.2"})

        def reply(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
            text = json.dumps(body).replace("Scenario: ", "Scenario: " + json.dumps(TITLE)[1:-1])
            super().reply(status, json.loads(text), headers)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hostile)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    server.shutdown()
    server.server_close()


def test_events_are_as_documented_and_agree_with_the_files(
    scripted_server: Any, tmp_path: Path
) -> None:
    prices = ("--price_in", 1, "--price_out", 2)
    done = run(scripted_server(faults=0.4, latency=0.02).url, tmp_path / "r", "--json", *prices)
    told = events(done.stdout)
    fields = documented()
    for event in told:
        assert set(event) == fields[event["event"]], event
    seen = {event["event"] for event in told}
    unseen = {"server_gone", "server_back", "parameter_refused"}
    unseen |= {"batch_moved", "batch_over", "estimated", "grown"}
    assert seen == fields.keys() - unseen
    assert (told[0]["event"], told[-1]["event"]) == ("run_started", "run_finished")

    finished = {event["stage"]: event for event in named("stage_finished", told)}
    accepted = Counter(event["stage"] for event in named("accepted", told))
    dropped = Counter((event["stage"], event["reason"]) for event in named("dropped", told))
    retries = Counter((event["stage"], event["reason"]) for event in named("retry", told))
    for stage in ("bootstrap", "classify", "instances", "prepare"):
        assert finished[stage]["accepted"] == accepted[stage] == 6
    for counts, field in ((dropped, "dropped"), (retries, "retries")):
        assert counts, field
        assert counts == {
            (stage, reason): count
            for stage, event in finished.items()
            for reason, count in event[field].items()
        }
    rows = map(json.loads, (tmp_path / "r/machine_generated_instructions.jsonl").open())
    assert [row["instruction"] for row in rows] == [
        event["instruction"] for event in named("accepted", told) if event["stage"] == "bootstrap"
    ]
    assert all(Path(file).exists() for file in told[-1]["files"])
    assert "Summary" in done.stderr, "what is for people goes to standard error"


@pytest.mark.parametrize(
    ("instead", "line"),
    [
        ("max_completion_tokens", "its value is sent as max_completion_tokens from now on"),
        ("", "it is left out from now on"),
    ],
)
def test_a_parameter_that_a_server_refuses_is_told(instead: str, line: str) -> None:
    stream = io.StringIO()
    event = ParameterRefused("http://x/v1", "max_tokens", instead)
    JsonLines(stream).show(event)
    (told,) = events(stream.getvalue())
    assert set(told) == documented()["parameter_refused"]
    assert told["instead"] == (instead or None)
    printed = io.StringIO()
    Lines(Console(file=printed, width=200)).show(event)
    assert f"http://x/v1 refuses the parameter max_tokens: {line}" in printed.getvalue()


def test_a_server_that_is_gone_and_comes_back_is_told_once() -> None:
    told: list[Event] = []
    times = iter([0.0, 1.0, 2.5, 9.0, 10.5])
    contact = Contact("http://x/v1", told.append, lambda: next(times))
    request = Request("bootstrap", 7, "", 0.0, 1.0, 1, seed=0)
    for attempt in range(1, 5):
        contact.failed(request, attempt, "no answer", "refused", 1.0, is_away=True)
    contact.answered()
    contact.answered()
    of_server = [event for event in told if isinstance(event, ServerGone | ServerBack)]
    gone, back = of_server
    assert told.index(gone) == 2, "one or two failures are no absence"
    assert isinstance(back, ServerBack)
    assert back.seconds == 10.5
    assert told.count(gone) == 1
    assert Retry("bootstrap", 7, 4, "no answer", "refused", 1.0) in told


def test_a_server_that_refuses_or_fails_a_few_requests_is_not_gone() -> None:
    told: list[Event] = []
    times = iter(range(100))
    contact = Contact("http://x/v1", told.append, lambda: next(times))
    request = Request("bootstrap", 7, "", 0.0, 1.0, 1, seed=0)
    for attempt in range(1, 20):
        contact.failed(request, attempt, "429", "slow down", 1.0, is_away=False)
        contact.failed(request, attempt, "no answer", "", 1.0, is_away=True)
        contact.answered()
    assert not [event for event in told if isinstance(event, ServerGone)]


def test_an_absence_is_told_to_programs_as_documented() -> None:
    stream = io.StringIO()
    view = JsonLines(stream)
    view.show(ServerGone("http://x/v1", datetime.now(UTC), "503", "starting"))
    view.show(ServerBack("http://x/v1", 61.5))
    gone, back = events(stream.getvalue())
    assert set(gone) == documented()["server_gone"]
    assert set(back) == documented()["server_back"]
    assert datetime.fromisoformat(gone["since"]).tzinfo is not None


def test_a_quiet_run_shows_nothing(scripted_server: Any, tmp_path: Path) -> None:
    done = run(scripted_server(faults=0.2).url, tmp_path / "r", "--quiet")
    assert (done.stdout, done.stderr) == ("", "")


def test_a_failed_run_says_so_in_its_last_event_and_in_one_line(tmp_path: Path) -> None:
    seeds = ("--seed_tasks_path", tmp_path / "none.jsonl")
    failed = run("http://localhost/v1", tmp_path, "--json", "--quiet", *seeds, expect=1)
    last = events(failed.stdout)[-1]
    assert (last["event"], last["outcome"], last["files"]) == ("run_finished", "failed", [])
    assert failed.stderr == f"selfbehave: {last['error']}\n"


def test_an_interrupted_run_says_so_in_its_last_event(scripted_server: Any, tmp_path: Path) -> None:
    options = command(scripted_server(latency=0.3).url, tmp_path / "r", "--json")
    with subprocess.Popen(options, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        told = [json.loads(process.stdout.readline())]
        while told[-1]["event"] != "accepted":
            told.append(json.loads(process.stdout.readline()))
        process.send_signal(signal.SIGINT)
        rest, shown = process.communicate(timeout=60)
    assert process.returncode == 130
    last_stage, last = events(rest.decode())[-2:]
    assert (last_stage["event"], last_stage["whole"]) == ("stage_finished", False)
    assert (last["event"], last["outcome"]) == ("run_finished", "interrupted")
    assert b"to continue" in shown


def test_a_run_whose_events_nobody_reads_stops(scripted_server: Any, tmp_path: Path) -> None:
    server = scripted_server(latency=0.05)
    options = command(server.url, tmp_path / "r", "--json", "--quiet")
    with subprocess.Popen(options, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        shown = process.stderr.read().decode()
    assert process.returncode == 1
    assert shown.splitlines() == [
        "selfbehave: the reader of the events is gone — the same command continues"
    ]


def test_a_terminal_shows_the_run_and_obeys_nothing_in_it(
    hostile_server: str, tmp_path: Path
) -> None:
    """The picture: figures, what was accepted last in colours, and refusals as they happen."""
    parent, child = pty.openpty()
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40"}
    process = subprocess.Popen(
        command(hostile_server, tmp_path / "r"), stdout=child, stderr=child, env=environment
    )
    os.close(child)
    shown = b"".join(iter(lambda: _read(parent), b""))
    os.close(parent)
    assert process.wait(timeout=60) == 0
    picture = shown.decode()
    assert "accepted last" in picture
    assert re.search(r"\x1b\[9\d;[\d;]*m *Given *\x1b\[0m", picture), "Gherkin's words in colours"
    assert re.search(r"429, trying again .*\(slow \ufffd]0;pwned\ufffddown\)", picture)
    assert re.search(r"\d+/6 instructions", picture)
    assert "in flight" in picture
    assert TITLE not in picture
    assert "\x07" not in picture
    assert picture.rindex("\x1b[?25h") > picture.rindex("\x1b[?25l"), "the cursor is back"


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux's end of file, once the other side is closed
        return b""


def test_lines_hold_nothing_that_a_terminal_obeys(hostile_server: str, tmp_path: Path) -> None:
    done = run(hostile_server, tmp_path / "r")
    assert "\ufffd]0;pwned\ufffd" in done.stdout
    assert "429" in done.stdout
    assert re.search(r"\d+ retr(y|ies) in \w+: 429 \d", done.stdout)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", done.stdout)


@pytest.mark.parametrize("text", ["\x1b[2J", "\r", "\x9b1m", "\u202egnp.exe", "\ud800", "\x7f"])
def test_what_would_be_obeyed_is_replaced_where_it_is_printed(text: str) -> None:
    assert text[0] not in printable(f"a{text}b\tc\n")
    assert printable("a\tb\r\nc\n") == "a\tb\nc\n"
    assert text[0] not in str(SelfBehaveError(f"the server refused: {text}", mend=text))


def test_the_pace_is_that_of_the_last_minute() -> None:
    pace = Pace(0.0, 0)
    for second in range(1, 601):
        pace.mark(second, second if second <= 300 else 300 + (second - 300) // 10)
    assert pace.per_second(600.0) == pytest.approx(0.1, rel=0.1)
    assert pace.per_second(660.0) == pytest.approx(0.05, rel=0.1), "it falls while nothing comes"


def test_a_slow_pace_is_that_of_the_last_answers() -> None:
    pace = Pace(0.0, 0)
    assert pace.per_second(50.0) is None
    for answer in range(1, 30):
        pace.mark(answer * 120.0, answer)
    assert pace.per_second(29 * 120.0) == pytest.approx(1 / 120)


def test_what_the_journal_answered_does_not_count_for_the_pace() -> None:
    report = StageReport("instances", "instructions", 100)
    for _ in range(50):
        report.count(Completion("", "stop", is_replayed=True))
        report.done += 1
        report.mark()
    assert report.per_second is None
    assert report.seconds_left is None
    report.count(Completion("", "stop"))
    report.done += 1
    time.sleep(0.1)
    report.mark()
    assert report.per_second is not None
    assert report.per_second <= 10, "one answer in 0.1 s, though 50 were replayed before"
