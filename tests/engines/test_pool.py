"""Several endpoints of one model as one engine: who is asked, and who is left out."""

import asyncio
import dataclasses
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from selfbehave.cli.main import main
from selfbehave.core.errors import SelfBehaveError
from selfbehave.engines import Completion, Request, open_engine
from selfbehave.engines.pool import Turns
from selfbehave.engines.settings import EngineSettings

from ..e2e.test_run import contents, run, scripted, selfbehave

NOWHERE = "http://127.0.0.1:9/v1"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def take(turns: Turns[str], count: int) -> list[str]:
    """Addresses of so many attempts that are all in flight together."""
    taken = [turns.taking_one() for _ in range(count)]
    addresses = [one.__enter__().engine for one in taken]
    for one in taken:
        one.__exit__(None, None, None)
    return addresses


def test_requests_go_to_the_least_loaded_endpoint() -> None:
    turns = Turns(["a", "b", "c"])
    assert Counter(take(turns, 9)) == {"a": 3, "b": 3, "c": 3}
    with turns.taking_one() as one, turns.taking_one() as two:
        assert Counter(take(turns, 4))[({"a", "b", "c"} - {one.engine, two.engine}).pop()] == 2


def test_equally_loaded_turns_take_turns() -> None:
    turns = Turns(["a", "b", "c"])
    assert Counter(take(turns, 1)[0] for _ in range(9)) == {"a": 3, "b": 3, "c": 3}


def test_an_endpoint_that_is_away_is_left_out_and_asked_again_with_one_request() -> None:
    clock = Clock()
    turns = Turns(["a", "b"], clock)
    with turns.taking_one() as gone:
        gone.failed()
    assert set(take(turns, 5)) == {"a", "b"} - {gone.engine}
    clock.now += 1
    assert Counter(take(turns, 5))[gone.engine] == 1, "once, to see whether it is back"
    gone.answered()
    assert Counter(take(turns, 6))[gone.engine] == 3


def test_an_endpoint_that_stays_away_rests_longer_each_time_up_to_half_a_minute() -> None:
    clock = Clock()
    turns = Turns(["a"], clock)
    rests = []
    for _ in range(9):
        with turns.taking_one() as one:
            one.failed()
            one.failed()  # another request that it dropped at the same time
        rests.append(one.rests_until - clock.now)
        clock.now = one.rests_until
    assert 0.3 < rests[0] < 0.7
    assert rests[1] > rests[0]
    assert 20 < max(rests) < 40


def test_an_endpoint_rests_as_long_as_it_asks() -> None:
    clock = Clock()
    turns = Turns(["a", "b"], clock)
    with turns.taking_one() as busy:
        busy.failed(retry_after=60.0)
    clock.now += 59
    assert busy.engine not in take(turns, 5)
    assert turns.is_any_open


ASKED = Request("test", 0, "Is it classification? Task: a", 0.0, 1.0, 5, seed=7)


def ask_all(settings: EngineSettings, count: int) -> list[Completion]:
    async def work() -> list[Completion]:
        async with open_engine(settings) as engine:
            requests = (dataclasses.replace(ASKED, index=index) for index in range(count))
            return list(await asyncio.gather(*map(engine.complete, requests)))

    return asyncio.run(work())


def test_an_endpoint_that_is_not_there_costs_no_request(scripted_server: Any) -> None:
    server = scripted_server()
    answers = ask_all(EngineSettings(engine=f"{NOWHERE}, {server.url}", request_batch_size=8), 40)
    assert all(answer.text in (" Yes", " No") for answer in answers)
    assert len(server.answered) == 40
    assert max(answer.attempts for answer in answers) == 2, "the first few met the missing one"


def test_when_all_are_gone_the_engine_gives_up_and_names_them() -> None:
    settings = EngineSettings(engine=f"{NOWHERE},http://127.0.0.1:9/w1", model="m", max_wait=1.0)
    with pytest.raises(SelfBehaveError, match=r"9/v1, http://127\.0\.0\.1:9/w1: no answer"):
        ask_all(settings, 1)


def test_endpoints_of_different_models_are_refused(scripted_server: Any, tmp_path: Path) -> None:
    one, other = scripted_server(), another_model(tmp_path)
    try:
        with pytest.raises(SelfBehaveError, match=r"it has (scripted|other), but .* has"):
            ask_all(EngineSettings(engine=f"{one.url},{other[0]}"), 1)
        named = EngineSettings(engine=f"{one.url},{other[0]}", model="scripted")
        assert len(ask_all(named, 1)) == 1
    finally:
        other[1].kill()
        other[1].wait()


def another_model(tmp_path: Path) -> tuple[str, "subprocess.Popen[str]"]:
    code = (
        "import sys, tests.helpers.scripted_server as s\n"
        "s.Handler.do_GET = lambda self: self.reply(200, {'data': [{'id': 'other'}]})\n"
        f"sys.argv[1:] = ['--log', {str(tmp_path / 'other.log')!r}]\n"
        "s.main()"
    )
    command = [sys.executable, "-c", code]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    )
    assert process.stdout is not None
    return process.stdout.readline().strip(), process


@pytest.mark.parametrize("engine", ["http://a/v1,b", "http://a/v1 , gguf"])
def test_what_is_no_address_among_addresses_is_told(engine: str, capsys: Any) -> None:
    assert main(["bootstrap", "--engine", engine, "--model", "m"]) == 2
    assert "not an address: '" in capsys.readouterr().err


def test_a_run_at_several_endpoints_of_which_one_dies_writes_the_same_bytes(
    scripted_server: Any, tmp_path: Path
) -> None:
    few = ("--num_instructions_to_generate", 12, "--prompts", "bdd")
    few += ("--min_rung", "bound", "--top_rung", "bound")
    run(*scripted(scripted_server(), tmp_path / "one", *few))
    steady, mortal = scripted_server(latency=0.02), mortal_server(tmp_path)
    both = ("--engine", steady.url, "--engine", mortal[0], "--model", "scripted")
    folder = ("--batch_dir", tmp_path / "two", *few)
    command = selfbehave("run", *both, *folder)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    log = tmp_path / "mortal.log"
    while len(log.read_text().split()) < 5 and process.poll() is None:
        time.sleep(0.002)
    mortal[1].kill()
    mortal[1].wait()
    out, err = process.communicate(timeout=100)
    assert process.returncode == 0, out + err
    assert log.read_text().split(), "it answered before it died"
    first, second = contents(tmp_path / "one"), contents(tmp_path / "two")
    assert first.keys() == second.keys()
    assert all(first[name] == second[name] for name in first if name != "run.toml")
    again = run("run", "--engine", mortal[0], *both, *folder)
    assert "from the journal" in again.stdout, "keys do not tell which endpoint answered"


def mortal_server(tmp_path: Path) -> tuple[str, "subprocess.Popen[str]"]:
    log = tmp_path / "mortal.log"
    log.touch()
    command = [sys.executable, str(Path(__file__).parents[1] / "helpers" / "scripted_server.py")]
    command += ["--log", str(log), "--latency", "0.02"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process.stdout.readline().strip(), process


@pytest.fixture(autouse=True)
def _repeatable() -> None:
    random.seed(5)
