"""Kept sandboxes judge as new ones do, whatever befalls them, and none outlives its owner."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from selfbehave.bdd import mutants, sandbox
from selfbehave.bdd.fences import PYTHON, first_block
from selfbehave.bdd.sandbox import Limits, Outcome, Reason, Sandboxes, run_pair_alone
from selfbehave.bdd.scenario import ScenarioError, parse_scenario
from selfbehave.prompts.bdd import scenario_of
from selfbehave.seeds.load import load_seeds

from ..audit.test_audit import CODE, SCENARIO
from ..helpers.paths import ROOT
from .conftest import IS_FULL

pytestmark = pytest.mark.skipif(sandbox.missing() is not None, reason=str(sandbox.missing()))

FEATURE = "Feature: a\n  Scenario: a\n    Given a step\n"
GREEN = "from behave import given\n@given('a step')\ndef a_step(context):\n    pass\n"
RED = GREEN.replace("pass", "assert 1 == 2")
SLOW = GREEN.replace("pass", "import time; time.sleep(1)")
ENDLESS = GREEN.replace("pass", "import time; print('begun', flush=True); time.sleep(1000)")
IDLE = 4  # processes of a sandbox: bubblewrap twice, the waiting process, its keeper


@pytest.fixture
def sandboxes() -> Iterator[Sandboxes]:
    with Sandboxes() as all_sandboxes:
        yield all_sandboxes


def verdict(outcome: Outcome) -> tuple[object, ...]:
    return outcome.passed, outcome.reason, outcome.failed_step, outcome.detail


def children(pid: int) -> list[int]:
    """The processes below one, the nearest first."""
    try:
        nearest = list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
    except OSError:
        return []
    return [*nearest, *(below for child in nearest for below in children(child))]


def sandboxes_of(pid: int) -> list[int]:
    """The processes in sandboxes of ours or another's."""
    threads = [int(path.name) for path in Path(f"/proc/{pid}/task").glob("*")]
    found: list[int] = []
    for thread in threads:
        listed = Path(f"/proc/{pid}/task/{thread}/children")
        for child in map(int, listed.read_text().split()):
            if Path(f"/proc/{child}/comm").read_text() == "bwrap\n":
                found += [child, *children(child)]
    return found


def are_gone(pids: list[int], seconds: float = 5) -> bool:
    """Whether processes are dead, or soon are."""
    deadline = time.monotonic() + seconds
    while alive := [pid for pid in pids if is_alive(pid)]:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return not alive


def is_alive(pid: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


# Judged as in a sandbox of its own


def pairs_of_seeds() -> list[tuple[str, str]]:
    """Each seed's pair, and its first mutants, which are red."""
    pairs = [(SCENARIO, CODE), (SCENARIO, CODE.replace("== 2", "== 3"))]
    for seeds in ("high_quality", "mixed_quality"):
        for task in load_seeds(seeds).tasks:
            code = first_block(task.instances[0].output, PYTHON)
            if code is None:
                continue
            try:
                scenario = scenario_of(task.instruction)
                pairs.append((parse_scenario(scenario).feature_text, code.body))
                pairs += [(one.text, code.body) for one in islice(mutants(scenario), 1)]
            except ScenarioError:
                pairs.append((scenario, code.body))
    return pairs


def test_verdicts_are_those_of_sandboxes_of_their_own(sandboxes: Sandboxes) -> None:
    pairs = pairs_of_seeds()
    assert len(pairs) > 600
    if not IS_FULL:
        pairs = pairs[:2] + random.Random(0).sample(pairs[2:], 20)

    def both(pair: tuple[str, str]) -> tuple[Outcome, Outcome]:
        return sandboxes.run_pair(*pair), run_pair_alone(*pair)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = list(pool.map(both, pairs))
    for pair, (kept, alone) in zip(pairs, outcomes, strict=True):
        assert verdict(kept) == verdict(alone), pair
        if alone.failure is not None:  # a value may be shown with its address
            assert kept.failure is not None
            assert replace(kept.failure, operands=()) == replace(alone.failure, operands=())
    assert {outcome.passed for outcome, _ in outcomes} == {True, False}
    assert sandboxes.breakdown is None
    assert sandboxes.started <= (os.cpu_count() or 1)


# Kept, shared, and killed


def test_pairs_one_after_another_share_a_sandbox(sandboxes: Sandboxes) -> None:
    outcomes = [sandboxes.run_pair(FEATURE, code) for code in (GREEN, RED, GREEN, RED)]
    assert [outcome.passed for outcome in outcomes] == [True, False, True, False]
    assert (sandboxes.started, sandboxes.breakdown) == (1, None)


def test_threads_have_a_sandbox_each(sandboxes: Sandboxes) -> None:
    codes = [GREEN, RED, SLOW] * 6
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda code: sandboxes.run_pair(FEATURE, code), codes))
    assert [outcome.passed for outcome in outcomes] == [True, False, True] * 6
    assert 2 <= sandboxes.started <= 4
    assert sandboxes.breakdown is None


def test_a_sandbox_outlives_the_thread_that_needed_it_first(sandboxes: Sandboxes) -> None:
    thread = threading.Thread(target=sandboxes.run_pair, args=[FEATURE, GREEN])
    thread.start()
    thread.join()
    time.sleep(0.2)
    assert sandboxes.run_pair(FEATURE, GREEN).passed
    assert (sandboxes.started, sandboxes.breakdown) == (1, None)


def test_a_pair_that_meets_a_limit_takes_its_sandbox_along(sandboxes: Sandboxes) -> None:
    assert sandboxes.run_pair(FEATURE, ENDLESS, Limits(seconds=0.5)).reason == Reason.TIME_LIMIT
    assert sandboxes.run_pair(FEATURE, GREEN).passed
    assert (sandboxes.started, sandboxes.breakdown) == (2, None)


def test_each_pair_has_the_limits_that_are_given_for_it(sandboxes: Sandboxes) -> None:
    hungry = GREEN.replace("pass", "bytearray(200 * 1024 ** 2)")
    assert sandboxes.run_pair(FEATURE, hungry).passed
    small = sandboxes.run_pair(FEATURE, hungry, Limits(memory=100 * 1024**2))
    assert "MemoryError" in small.detail
    assert sandboxes.run_pair(FEATURE, hungry).passed
    assert sandboxes.started == 1


def test_when_they_are_closed_nothing_of_them_is_left() -> None:
    others = {*sandboxes_of(os.getpid())}
    files = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    with Sandboxes() as sandboxes:
        sandboxes.run_pair(FEATURE, GREEN)
        while len(mine := [pid for pid in sandboxes_of(os.getpid()) if pid not in others]) < IDLE:
            time.sleep(0.02)
    assert are_gone(mine)
    assert len(os.listdir("/proc/self/fd")) == files  # noqa: PTH208
    assert sandboxes.run_pair(FEATURE, GREEN).passed  # it starts another, and keeps it not
    assert {*sandboxes_of(os.getpid())} == others


def test_an_interrupted_run_kills_its_sandbox(sandboxes: Sandboxes) -> None:
    others = {*sandboxes_of(os.getpid())}
    mine: list[int] = []

    def interrupt() -> None:
        while len(mine) <= IDLE:
            mine[:] = [pid for pid in sandboxes_of(os.getpid()) if pid not in others]
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        sandboxes.run_pair(FEATURE, ENDLESS, Limits(seconds=20))
    thread.join()
    assert are_gone(mine)
    assert sandboxes.run_pair(FEATURE, GREEN).passed


SCRIPT = """
import sys
from selfbehave.bdd.sandbox import Limits, run_pair
feature, green, endless = sys.argv[1:]
run_pair(feature, green)
print('idle', flush=True)
if input() == 'run':
    run_pair(feature, endless, Limits(seconds=100))
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("is_running", [False, True], ids=["idle", "running"])
def test_no_sandbox_outlives_the_process_that_started_it(
    number: signal.Signals, is_running: bool
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, FEATURE, GREEN, ENDLESS],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == b"idle\n"
    if is_running:
        process.stdin.write(b"run\n")
        process.stdin.flush()
    while len(pids := sandboxes_of(process.pid)) < IDLE + is_running:
        time.sleep(0.02)
    process.send_signal(number)
    with process:
        process.wait()
    assert are_gone(pids)


def test_a_forked_process_starts_its_own_and_leaves_its_parents_alone(
    sandboxes: Sandboxes,
) -> None:
    sandboxes.run_pair(FEATURE, GREEN)
    child = os.fork()
    if child == 0:
        passed = [sandboxes.run_pair(FEATURE, code).passed for code in (GREEN, RED)]
        sandboxes.close()
        os._exit(7 if passed == [True, False] and sandboxes.started == 2 else 1)
    assert sandboxes.run_pair(FEATURE, GREEN).passed
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert sandboxes.run_pair(FEATURE, GREEN).passed
    assert (sandboxes.started, sandboxes.breakdown) == (1, None)


# Broken down


def waiting_and_keeper(others: set[int]) -> tuple[int, int]:
    """The two processes of the one sandbox that was not there before."""
    mine: list[int] = []
    time.sleep(0.1)  # where we are not root, a new keeper takes its place after each pair
    while len(mine) != IDLE:
        mine = [pid for pid in sandboxes_of(os.getpid()) if pid not in others]
    return mine[2], mine[3]


@pytest.mark.parametrize("victim", [0, 1], ids=["waiting", "keeper"])
def test_a_sandbox_that_died_waiting_is_replaced(sandboxes: Sandboxes, victim: int) -> None:
    others = {*sandboxes_of(os.getpid())}
    sandboxes.run_pair(FEATURE, GREEN)
    both = waiting_and_keeper(others)
    os.kill(both[victim], signal.SIGKILL)
    assert are_gone([*both])
    assert sandboxes.run_pair(FEATURE, RED).detail.startswith("step 'a step' failed")
    assert sandboxes.breakdown is not None
    assert sandboxes.run_pair(FEATURE, GREEN).passed
    assert sandboxes.started == 2


def test_a_pair_whose_sandbox_dies_under_it_is_run_again(sandboxes: Sandboxes) -> None:
    others = {*sandboxes_of(os.getpid())}
    sandboxes.run_pair(FEATURE, GREEN)
    waiting, keeper = waiting_and_keeper(others)

    def kill() -> None:
        while len(children(waiting)) < 2:
            time.sleep(0.01)
        os.kill(keeper, signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    assert sandboxes.run_pair(FEATURE, SLOW).passed
    thread.join()
    assert sandboxes.breakdown == "it died"


def test_a_sandbox_that_does_not_answer_is_not_held_against_the_pair(
    sandboxes: Sandboxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = {*sandboxes_of(os.getpid())}
    sandboxes.run_pair(FEATURE, GREEN)
    for pid in waiting_and_keeper(others):
        os.kill(pid, signal.SIGSTOP)
    monkeypatch.setattr("selfbehave.bdd.sandbox.warm._SECONDS_TO_START", 0.5)
    assert sandboxes.run_pair(FEATURE, GREEN).passed
    assert sandboxes.breakdown == "it does not answer"


def test_where_sandboxes_cannot_be_kept_each_pair_has_its_own(
    sandboxes: Sandboxes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Some systems let nothing in a sandbox make namespaces, whatever bubblewrap is asked for.
    fake = tmp_path / "bwrap"
    fake.write_text(
        f"#!{sys.executable}\nimport os, sys\n"
        "given = [word.replace('CAP_SYS_ADMIN', 'CAP_CHOWN') for word in sys.argv[1:]]\n"
        f"os.execv({shutil.which('bwrap')!r}, ['bwrap', *given])\n"
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    outcomes = [sandboxes.run_pair(FEATURE, code) for code in (GREEN, RED, GREEN, RED, GREEN)]
    assert [outcome.passed for outcome in outcomes] == [True, False, True, False, True]
    assert sandboxes.breakdown is not None
    assert "Operation not permitted" in sandboxes.breakdown
    assert sandboxes.started == 3  # it is not tried for ever
