"""The client around any engine: retries, limits, events, and several engines of one model."""

import asyncio
import dataclasses
import hashlib
import json
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import selfbehave
from selfbehave.core.errors import SelfBehaveError
from selfbehave.engines import Cause, Client, Completion, Engine, Request, TryAgainError
from selfbehave.engines.settings import EngineSettings
from selfbehave.events.events import Event, InFlight, Retry, ServerBack, ServerGone
from selfbehave.runs.run_settings import RunSettings
from selfbehave.views.display import Display

from ..helpers import scripted_server

ASKED = Request("test", 0, "Say hello", 0.5, 0.9, 20, seed=7, stop=("\nTask",))


class Scripted(Engine):
    """A user's own engine: it writes what the tests' scripted server would."""

    identity = "scripted"

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()

    async def complete(self, request: Request) -> Completion:
        self.asked[request.key(self)] += 1
        text, finish_reason = scripted_server.answer(request.prompt, request.seed)
        return Completion(text, finish_reason, len(request.prompt.split()), len(text.split()))


class Failing(Engine):
    """An engine that fails in the given ways, one after the other, before it answers."""

    identity = "failing"
    address = "http://failing.example/v1"

    def __init__(self, *failures: Exception, seconds: float = 0.0) -> None:
        self.failures = list(failures)
        self.seconds = seconds
        self.in_flight = self.most_in_flight = self.asked = 0

    async def complete(self, request: Request) -> Completion:
        self.asked += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(self.seconds)
            if self.failures:
                raise self.failures.pop(0)
            return Completion("hello", "stop")
        finally:
            self.in_flight -= 1


def ask(client: Client, count: int = 1) -> list[Any]:
    async def work() -> list[Any]:
        async with client:
            requests = (dataclasses.replace(ASKED, index=index) for index in range(count))
            return await asyncio.gather(*map(client.complete, requests), return_exceptions=True)

    return asyncio.run(work())


def test_any_engine_is_asked_again_after_a_failure_that_may_pass() -> None:
    events: list[Event] = []
    engine = Failing(TryAgainError("503", "overloaded"), TryAgainError("no answer", "reset"))
    (answer,) = ask(Client(engine, emit=events.append))
    assert (answer.text, answer.attempts) == ("hello", 3)
    retries = [event for event in events if isinstance(event, Retry)]
    assert [(one.attempt, one.reason, one.words) for one in retries] == [
        (1, "503", "overloaded"),
        (2, "no answer", "reset"),
    ]
    assert [event.count for event in events if isinstance(event, InFlight)] == [1, 0]


def test_no_more_requests_are_in_flight_than_the_client_is_told() -> None:
    engine = Failing(seconds=0.01)
    ask(Client(engine, request_batch_size=3), count=20)
    assert engine.most_in_flight == 3


def test_an_engine_that_hangs_is_asked_again_after_the_time_for_one_answer() -> None:
    class Hanging(Failing):
        async def complete(self, request: Request) -> Completion:
            self.seconds = 60.0 if not self.asked else 0.0
            return await super().complete(request)

    (answer,) = ask(Client(Hanging(), request_timeout=0.1))
    assert (answer.text, answer.attempts) == ("hello", 2)


def test_a_timeout_of_the_engines_own_is_not_taken_for_the_clients() -> None:
    (error,) = ask(Client(Failing(TimeoutError("mine"))))
    assert isinstance(error, TimeoutError)


def test_nothing_more_is_asked_after_a_final_refusal() -> None:
    engine = Failing(SelfBehaveError("no such model"))
    errors = ask(Client(engine, request_batch_size=1), count=5)
    assert {str(error) for error in errors} == {"no such model"}
    assert engine.asked == 1


def test_a_client_gives_up_after_max_wait_and_names_the_address() -> None:
    engine = Failing(*[TryAgainError("503", cause=Cause.GATEWAY)] * 50)
    (error,) = ask(Client(engine, max_wait=0.3))
    assert str(error).startswith("http://failing.example/v1: 503")


def test_an_engine_that_is_away_and_comes_back_is_two_events() -> None:
    events: list[Event] = []
    away = [
        TryAgainError("no answer", "refused", cause=Cause.UNREACHED, retry_after=seconds)
        for seconds in (2.1, None)
    ]
    ask(Client(Failing(*away), emit=events.append, max_wait=60.0))
    names = [type(event) for event in events if isinstance(event, ServerGone | ServerBack)]
    assert names == [ServerGone, ServerBack]


def test_several_engines_of_a_model_share_the_requests_and_one_that_is_away_is_left_out() -> None:
    class One(Failing):
        pass

    gone = One(*[TryAgainError("no answer", cause=Cause.UNREACHED)] * 1000, seconds=0.01)
    here, there = One(seconds=0.01), One(seconds=0.01)
    answers = ask(Client(gone, here, there, request_batch_size=9), count=30)
    assert {answer.text for answer in answers} == {"hello"}
    assert here.asked + there.asked == 30
    assert min(here.asked, there.asked) >= 10
    assert gone.asked < 10


def test_engines_of_different_models_are_refused() -> None:
    with pytest.raises(SelfBehaveError, match=r"failing \(chat\) and scripted \(chat\)"):
        Client(Failing(), Scripted())


def test_what_is_not_an_engine_is_refused_in_one_line(tmp_path: Path) -> None:
    class Mine:
        identity = "mine"

    with pytest.raises(
        SelfBehaveError, match="not an engine: Mine has no api and no takes_grammar"
    ):
        selfbehave.run(tmp_path / "r", engine=Mine())  # type: ignore[arg-type]


def test_a_client_is_opened_again_in_another_event_loop() -> None:
    client = Client(Failing(seconds=0.01), request_batch_size=2)
    assert [len(ask(client, 6)), len(ask(client, 6))] == [6, 6]


FEW = RunSettings(num_instructions_to_generate=6, prompts="bdd", min_rung="bound", top_rung="bound")


def test_a_run_asks_an_engine_of_ones_own_and_replays_its_answers(tmp_path: Path) -> None:
    engine, folder = Scripted(), tmp_path / "r"
    report = selfbehave.run(folder, FEW, engine, Display())
    assert report.stages[0].accepted == 6
    assert set(engine.asked.values()) == {1}
    noted = tomllib.loads((folder / "run.toml").read_text())["bootstrap"]
    assert noted["model"] == "scripted"
    assert noted["engine"].endswith("test_client.Scripted")
    row = json.loads((folder / "machine_generated_instructions.jsonl").read_text().splitlines()[0])
    assert row["metadata"]["engine"] == "scripted"

    again = Scripted()
    selfbehave.run(folder, FEW, again, Display())
    assert not again.asked, "all is in the journal, under the engine's identity"


def test_a_client_around_ones_own_engine_sets_how_it_is_asked(tmp_path: Path) -> None:
    class Slow(Scripted):
        in_flight = most = 0

        async def complete(self, request: Request) -> Completion:
            self.in_flight += 1
            self.most = max(self.most, self.in_flight)
            await asyncio.sleep(0.002)
            self.in_flight -= 1
            return await super().complete(request)

    engine = Slow()
    selfbehave.run(tmp_path / "r", FEW, Client(engine, request_batch_size=3))
    assert engine.most == 3
    noted = tomllib.loads((tmp_path / "r" / "run.toml").read_text())["bootstrap"]
    assert noted["request_batch_size"] == 3


def test_an_engine_of_ones_own_and_a_server_of_its_model_write_the_same(
    scripted_server: Any, tmp_path: Path
) -> None:
    selfbehave.run(tmp_path / "own", FEW, Scripted())
    settings = EngineSettings(engine=scripted_server().url, model="scripted")
    selfbehave.run(tmp_path / "server", FEW, settings)
    digests = [
        hashlib.sha256((tmp_path / one / "machine_generated_instances.jsonl").read_bytes())
        for one in ("own", "server")
    ]
    assert digests[0].hexdigest() == digests[1].hexdigest()
