"""Servers that fail in every way, go away, and refuse."""

import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ..helpers.runs import contents
from .checks import differing, kept_answers, retries
from .conftest import size
from .server import DELIVERED, FAULTS, KINDS_OF_ODD

INSTRUCTIONS = size(90, 520)  # make 200 and 1,000 requests
IN_FLIGHT = ("--request_batch_size", 32)


def completed(command: list[str], expect: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=500)
    assert done.returncode == expect, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_a_run_at_thirty_percent_faults_is_a_run_without(
    faulty_server: Any, tmp_path: Path, note: Any
) -> None:
    """A tenth of the answers is odd as well, in both: these are what the model says."""
    calm = faulty_server(odd=0.1)
    completed(calm.command(tmp_path / "calm", *IN_FLIGHT, instructions=INSTRUCTIONS))
    expected = contents(tmp_path / "calm")

    server = faulty_server(odd=0.1, faults=0.3)
    folder = tmp_path / "faulty"
    patience = ("--request_timeout", size(4, 8))
    done = completed(server.command(folder, *IN_FLIGHT, *patience, instructions=INSTRUCTIONS))
    wrong = differing(folder, expected)
    kept, expected_kept = kept_answers(folder), kept_answers(tmp_path / "calm")
    faults = [(kind, digest) for kind, digest in server.logged("fault") if digest in kept]
    again = sum(server.answered[digest] - 1 for digest in kept)
    injected = Counter(kind for kind, _ in faults)
    for kind in FAULTS:
        note(kind, injected[kind], again=again if kind in DELIVERED else 0)
    note(f"all of these, in {len(kept)} requests", len(faults), 0, len(wrong), again)
    odd = Counter(kind for kind, digest in server.logged("odd") if digest in kept)
    for kind in KINDS_OF_ODD:
        note(f"answer: {kind}", odd[kind])

    assert wrong == []
    assert all(kept[digest] == answer for digest, answer in expected_kept.items() if digest in kept)
    assert len(kept) >= 2 * INSTRUCTIONS
    assert set(kept) <= set(server.answered)
    # Where a server answers twice, the next request on that connection is asked once more; each
    # such is counted, as each failure is (and whatever a busy machine lets run into the timeout).
    failed = sum(kind not in DELIVERED for kind, _ in faults)
    assert 0 <= again <= retries(folder) - failed
    assert failed > 0.2 * len(kept)
    told = sum(int(count) for count in re.findall(r"(\d+) retr(?:y|ies)", done.stdout))
    assert told >= failed / 2, "the stages' lines count the retries"


@pytest.mark.parametrize(
    "kinds",
    [["hangs", "drips"], ["the answer twice", "an error twice"]],
    ids=["waits for ever", "says everything twice"],
)
def test_a_server_that_hardly_ever_answers_well_changes_nothing(
    faulty_server: Any, tmp_path: Path, undisturbed: dict[str, bytes], kinds: list[str]
) -> None:
    server = faulty_server(faults=0.5, kinds=kinds)
    completed(server.command(tmp_path / "r", "--request_timeout", 1))
    assert differing(tmp_path / "r", undisturbed) == []
    assert len(server.logged("fault")) > 5


def test_a_server_that_goes_away_is_waited_for(
    faulty_server: Any, tmp_path: Path, undisturbed: dict[str, bytes], note: Any
) -> None:
    gone = size(4, 120)
    server = faulty_server(gone_after=6, gone_for=gone)
    done = completed(server.command(tmp_path / "r"))
    wrong = differing(tmp_path / "r", undisturbed)
    kept = kept_answers(tmp_path / "r")
    note(f"server gone for {gone} s", 1, 0, len(wrong))
    assert wrong == []
    assert all(server.answered[digest] == 1 for digest in kept)
    assert "the server is gone, waiting since" in done.stdout
    assert "the server is back after" in done.stdout


def test_a_server_that_stays_away_ends_the_run_with_the_command_that_goes_on(
    faulty_server: Any, tmp_path: Path, undisturbed: dict[str, bytes], note: Any
) -> None:
    server = faulty_server(gone_after=6, gone_for=3600)
    command = server.command(tmp_path / "r", "--max_wait", 1)
    done = completed(command, expect=1)
    (line,) = done.stderr.splitlines()
    assert "no answer" in line
    assert "the same command continues: selfbehave run --engine http://" in line
    kept = kept_answers(tmp_path / "r")
    assert len(kept) >= 4

    server.process.kill()
    server.process.wait()
    port = int(server.url.rpartition(":")[2].partition("/")[0])
    back = faulty_server(port=port)
    completed(command)
    wrong = differing(tmp_path / "r", undisturbed)
    lost = len(set(kept) & set(back.answered))
    note("server gone for longer than --max_wait", 1, lost, len(wrong))
    assert wrong == []
    assert lost == 0


REFUSALS = [
    (400, "This model's maximum context length is 8192 tokens"),
    (401, "Incorrect API key provided"),
    (404, "The model `gpt-9` does not exist"),
    (403, "Your organization must be verified."),
    (429, "You exceeded your current quota"),
    (301, "https://elsewhere.example/v1"),
]


@pytest.mark.parametrize(("status", "words"), REFUSALS[: size(3, 6)])
def test_a_refusal_ends_the_run_at_once_in_the_servers_words(
    faulty_server: Any, tmp_path: Path, note: Any, status: int, words: str
) -> None:
    server = faulty_server(refuse=status, refuse_after=7)
    done = completed(server.command(tmp_path / "r"), expect=1)
    kept = kept_answers(tmp_path / "r")
    note(f"refusal: {status}", 1, len(set(server.answered) - set(kept)))
    (line,) = done.stderr.splitlines()
    assert f"({status}): " in line
    assert words in line
    assert line.isprintable(), "no terminal obeys it"
    assert len(line) < 700
    assert set(kept) == set(server.answered), "what was answered before is kept"
