"""The client of every engine: what it sends, what it tries again, what it makes of answers."""

import asyncio
import dataclasses
import json
import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from selfbehave.core.errors import SelfBehaveError
from selfbehave.engines import Completion, Journal, Message, Request, open_engine
from selfbehave.engines.settings import EngineSettings

ASKED = Request("test", 0, "Say hello", 0.5, 0.9, 20, seed=7, stop=("\nTask",))
HELLO = {"text": "hello", "finish_reason": "stop"}


class Script:
    """A server that gives one scripted reply after another, and keeps what it was asked."""

    def __init__(self, *replies: Any) -> None:
        self.replies = list(replies)
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        script = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                script.paths.append(self.path)
                script.headers.append(dict(self.headers))
                body = self.rfile.read(int(self.headers["Content-Length"]))
                script.bodies.append(json.loads(body))
                status, reply, headers = script.replies.pop(0)
                if status is None:
                    self.connection.close()
                    return
                content = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
                self.send_response_only(status)  # without a date of its own
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"


@pytest.fixture
def script() -> Iterator[Any]:
    made: list[Script] = []

    def make(*replies: Any) -> Script:
        made.append(Script(*replies))
        return made[-1]

    yield make
    for one in made:
        one.server.shutdown()
        one.server.server_close()


def ok(choice: dict[str, Any]) -> tuple[int, Any, dict[str, str]]:
    usage = {"prompt_tokens": 3, "completion_tokens": 2}
    return 200, {"choices": [choice], "usage": usage}, {}


def refusal(status: int, words: str = "not now", **headers: str) -> tuple[int, Any, dict[str, str]]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, {"error": {"message": words}}, named


def ask(url: str, request: Request = ASKED, **settings: Any) -> Completion:
    async def work() -> Completion:
        whole = {"engine": url, "model": "m", "api": "completions"} | settings
        async with open_engine(EngineSettings(**whole)) as engine:
            return await engine.complete(request)

    return asyncio.run(work())


def test_a_completions_request_carries_prompt_and_sampling(script: Any) -> None:
    server = script(ok(HELLO))
    assert ask(server.url) == Completion("hello", "stop", 3, 2, attempts=1)
    assert server.paths == ["/v1/completions"]
    assert server.bodies == [
        {"model": "m", "prompt": "Say hello", "temperature": 0.5, "top_p": 0.9,
         "max_tokens": 20, "seed": 7, "stop": ["\nTask"], "stream": False}
    ]  # fmt: skip


def test_a_chat_request_is_one_user_message(script: Any) -> None:
    message = {"message": {"content": "<think>Task\nhm</think>\n\nhello"}, "finish_reason": "stop"}
    server = script(ok(message))
    answer = ask(server.url, api="chat", api_key="secret", organization="us")
    assert answer.text == "hello", "a reasoning model's thoughts are left out"
    assert server.paths == ["/v1/chat/completions"]
    assert server.bodies[0]["messages"] == [{"role": "user", "content": "Say hello"}]
    assert server.headers[0]["Authorization"] == "Bearer secret"
    assert server.headers[0]["OpenAI-Organization"] == "us"


@pytest.mark.parametrize(
    "failure",
    [refusal(429), refusal(429, Retry_After="0"), refusal(408), refusal(409), refusal(500),
     refusal(503, Retry_After="Thu, 01 Jan 1970 00:00:00 GMT"), (None, None, {}),
     (200, b'{"choices": [', {}), (200, {"choices": []}, {}), (200, [1], {}),
     (200, b"\xff\xfe", {})],
)  # fmt: skip
def test_a_failure_that_may_pass_is_tried_again(script: Any, failure: Any) -> None:
    server = script(failure, ok(HELLO))
    answer = ask(server.url)
    assert (answer.text, answer.attempts) == ("hello", 2)


def test_retry_after_is_honoured(script: Any) -> None:
    server = script(refusal(429, Retry_After="1.5"), ok(HELLO))

    async def timed() -> float:
        started = asyncio.get_running_loop().time()
        settings = EngineSettings(engine=server.url, model="m")
        async with open_engine(settings) as engine:
            await engine.complete(ASKED)
        return asyncio.get_running_loop().time() - started

    assert asyncio.run(timed()) >= 1.5


@pytest.mark.parametrize(
    ("status", "advice"), [(400, "objects to"), (401, "--api_key"), (404, "--model")]
)
def test_a_refusal_is_final_and_told_in_the_servers_words(
    script: Any, status: int, advice: str
) -> None:
    server = script(refusal(status, "no such\nthing"))
    with pytest.raises(SelfBehaveError) as caught:
        ask(server.url)
    assert f"({status}): no such thing" in str(caught.value)
    assert advice in str(caught.value)


def test_nothing_more_is_asked_after_a_refusal(script: Any) -> None:
    server = script(ok(HELLO), refusal(400, "context too long"), *[ok(HELLO)] * 6)

    async def work() -> list[Any]:
        settings = EngineSettings(engine=server.url, model="m", request_batch_size=1)
        async with open_engine(settings) as engine:
            asked = [engine.complete(dataclasses.replace(ASKED, index=index)) for index in range(8)]
            return await asyncio.gather(*asked, return_exceptions=True)

    first, *others = asyncio.run(work())
    assert first.text == "hello"
    assert ["context too long" in str(error) for error in others] == [True] * 7
    assert len(server.bodies) == 2


def test_patience_ends_after_max_wait(script: Any) -> None:
    server = script(*[refusal(503, "overloaded")] * 50)
    with pytest.raises(SelfBehaveError, match="503: overloaded"):
        ask(server.url, max_wait=0.5)


def test_a_retry_after_beyond_max_wait_is_not_waited_for(script: Any) -> None:
    server = script(refusal(429, "come back tomorrow", Retry_After="86400"))
    with pytest.raises(SelfBehaveError, match="come back tomorrow"):
        ask(server.url)


@pytest.mark.parametrize("ahead", [-86_400, 0, 86_400])
def test_a_date_to_retry_after_is_read_by_the_servers_own_clock(script: Any, ahead: int) -> None:
    now = datetime.now(UTC) + timedelta(seconds=ahead)
    date, until = (format_datetime(one, usegmt=True) for one in (now, now + timedelta(seconds=1)))
    server = script(refusal(503, Date=date, Retry_After=until), ok(HELLO))
    assert ask(server.url, max_wait=5.0).attempts == 2


@pytest.mark.parametrize(
    "error",
    [
        {"message": "filtered", "code": "content_filter"},
        {"message": "x", "code": 400, "innererror": {"code": "ResponsibleAIPolicyViolation"}},
        {"message": "litellm.ContentPolicyViolationError: filtered", "code": "400"},
    ],
)
def test_a_prompt_that_a_filter_refuses_is_answered_with_nothing(script: Any, error: Any) -> None:
    """It would be refused for ever, and stop every run that comes to it."""
    server = script((400, {"error": error}, {}))
    assert ask(server.url) == Completion("", "content_filter", attempts=1)


def test_a_second_copy_of_an_answer_is_not_the_next_requests(script: Any) -> None:
    server = script(
        (200, {"id": 1, "choices": [{**HELLO, "text": "first"}]}, {}),
        (200, {"id": 1, "choices": [{**HELLO, "text": "first"}]}, {}),
        (200, {"id": 2, "choices": [{**HELLO, "text": "second"}]}, {}),
    )

    async def work() -> list[Completion]:
        settings = EngineSettings(engine=server.url, model="m", api="completions")
        async with open_engine(settings) as engine:
            return [await engine.complete(ASKED) for _ in range(2)]

    assert [answer.text for answer in asyncio.run(work())] == ["first", "second"]


def test_a_key_that_no_header_can_hold_is_refused_in_one_line() -> None:
    with pytest.raises(SelfBehaveError, match="holds a character that none can have"):
        ask("http://127.0.0.1:9/v1", api_key="sk-…\n")


def test_stop_texts_that_the_server_ignored_are_applied(script: Any) -> None:
    server = script(ok({"text": "hello\nTask: leaked", "finish_reason": "length"}))
    answer = ask(server.url)
    assert (answer.text, answer.is_truncated) == ("hello", False)


@pytest.mark.parametrize(
    ("reason", "truncated"),
    [("stop", False), ("length", True), ("content_filter", True), (None, True)],
)
def test_only_an_answer_that_ended_by_itself_is_whole(
    script: Any, reason: str | None, truncated: bool
) -> None:
    server = script(ok({"text": "x", "finish_reason": reason}))
    assert ask(server.url).is_truncated is truncated


def test_an_answer_without_end_is_bounded(script: Any) -> None:
    server = script(ok({"text": "x" * 10_000_000, "finish_reason": "stop"}))
    answer = ask(server.url)
    assert len(answer.text) == 200_000
    assert answer.is_truncated


def test_characters_that_cannot_be_kept_are_replaced(script: Any, tmp_path: Path) -> None:
    server = script(ok({"text": "a\x00b\ud800c", "finish_reason": "stop"}))

    async def work() -> Completion:
        with Journal(tmp_path) as journal:
            settings = EngineSettings(engine=server.url, model="m", api="completions")
            async with open_engine(settings) as engine:
                return await journal.ask(engine, ASKED)

    assert asyncio.run(work()).text == "a\ufffdb?c"


def test_a_servers_only_model_need_not_be_named(llama_server: str) -> None:
    answer = ask(llama_server, model=None)
    assert answer.completion_tokens > 0


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"engine": "gpt"}, "unknown engine 'gpt'"),
        ({"engine": "org/model"}, "engine 'org/model' needs a Hugging Face token"),
        ({"engine": "nowhere.gguf"}, "nowhere.gguf: the model cannot be read"),
        ({"engine": "http://127.0.0.1:9/v1"}, "http://127.0.0.1:9/v1: the server cannot be"),
        ({"engine": "http://127.0.0.1:9/v1", "model": "m"}, "9/v1: no answer"),
        ({"engine": "http://[::", "model": "m"}, "not an address"),
        ({"engine": "embedded", "request_batch_size": 0}, "at least 1"),
    ],
)
def test_an_engine_that_cannot_be_is_told_in_one_line(
    settings: dict[str, Any], complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)

    async def work() -> None:
        async with open_engine(EngineSettings(**settings)) as engine:
            await engine.complete(ASKED)

    with pytest.raises(SelfBehaveError) as caught:
        asyncio.run(work())
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)
    assert " — " in str(caught.value) or "at least" in str(caught.value)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(b"not a model")
    with pytest.raises(SelfBehaveError, match="not a GGUF file"):
        ask("", engine=str(path))
    path.write_bytes(b"GGUF" + b"\x00" * 100)
    with pytest.raises(SelfBehaveError, match=r"llama\.cpp cannot load this model"):
        ask("", engine=str(path))


class Counting:
    """An engine that counts what it is asked."""

    identity, api, takes_grammar, notice = "counting", "completions", False, None

    def __init__(self) -> None:
        self.asked = 0

    async def complete(self, request: Request) -> Completion:
        self.asked += 1
        return Completion(f"{request.prompt}!", "stop", 1, 1)

    def stop_retrying(self) -> None:
        pass


def test_the_journal_answers_what_it_was_told_before(tmp_path: Path) -> None:
    engine = Counting()
    for replayed in (False, True):
        with Journal(tmp_path) as journal:
            answer = asyncio.run(journal.ask(engine, ASKED))
            assert (answer.text, answer.is_replayed) == ("Say hello!", replayed)
    assert engine.asked == 1


@pytest.mark.parametrize(
    "change",
    [{"prompt": "x"}, {"temperature": 0.6}, {"top_p": 0.1}, {"max_tokens": 21}, {"seed": 8},
     {"stop": ()}, {"grammar": "g"}, {"index": 1}, {"stage": "other"},
     {"before": (Message("system", "Be brief."),)}, {"begun": "Hel"}],
)  # fmt: skip
def test_whatever_determines_an_answer_is_in_its_key(change: dict[str, Any]) -> None:
    engine = Counting()
    changed = dataclasses.replace(ASKED, **change)
    assert changed.key(engine) != ASKED.key(engine)
    other = Counting()
    other.identity = "other"
    assert ASKED.key(other) != ASKED.key(engine)


def test_a_request_with_a_prompt_alone_keeps_the_key_of_older_versions() -> None:
    key = "40cfe092aceb1efc1bba5c1c15ec90d7446bbf53a2fd5d44e91a44524ec0fb67"
    assert ASKED.key(Counting()) == key
    assert dataclasses.replace(ASKED, slot=3).key(Counting()) == key


def test_a_chat_has_its_examples_as_turns_and_the_answer_as_begun(script: Any) -> None:
    server = script(
        ok({"message": {"content": "Hello to you"}, "finish_reason": "stop"}),
    )
    turns = (Message("system", "Be brief."), Message("user", "Hi"), Message("assistant", "Ho"))
    asked = dataclasses.replace(ASKED, before=turns, begun="Hello", slot=5)
    answer = ask(server.url, asked, api="chat")
    assert [(one["role"], one["content"]) for one in server.bodies[0]["messages"]] == [
        ("system", "Be brief."),
        ("user", "Hi"),
        ("assistant", "Ho"),
        ("user", "Say hello"),
        ("assistant", "Hello"),
    ]
    assert "id_slot" not in server.bodies[0]  # only for a server that has slots
    assert answer.text == " to you"


def test_the_journal_keeps_all_messages_of_a_chat(tmp_path: Path) -> None:
    asked = dataclasses.replace(ASKED, before=(Message("system", "Be brief."),), begun="Hel")
    with Journal(tmp_path) as journal:
        asyncio.run(journal.ask(Counting(), asked))
    with sqlite3.connect(tmp_path / "journal.sqlite") as database:
        ((prompt,),) = database.execute("SELECT prompt FROM answers").fetchall()
    database.close()
    assert prompt == "[system]\nBe brief.\n\n[user]\nSay hello\n\n[assistant]\nHel"


def test_an_answer_that_the_disk_changed_is_asked_for_again(tmp_path: Path) -> None:
    engine = Counting()
    for _ in range(2):
        with Journal(tmp_path) as journal:
            answer = asyncio.run(journal.ask(engine, ASKED))
            assert answer.text == "Say hello!"
        with sqlite3.connect(tmp_path / "journal.sqlite") as database:
            database.execute("UPDATE answers SET text = 'Say hullo!'")
        database.close()
    assert engine.asked == 2
    assert journal.damaged == 1


# What turns a journal into one of an older format, the first of which had no checksums either.
OLDER = {
    2: "ALTER TABLE answers DROP COLUMN reasoning; ALTER TABLE answers DROP COLUMN cached_tokens;"
    "ALTER TABLE answers DROP COLUMN reasoning_tokens; PRAGMA user_version = 2;",
    1: "ALTER TABLE answers DROP COLUMN checksum; PRAGMA user_version = 1;",
}


@pytest.mark.parametrize("changes", [[2], [2, 1]], ids=["format 2", "format 1"])
def test_a_journal_of_an_older_format_is_read_and_goes_on(
    tmp_path: Path, changes: list[int]
) -> None:
    engine = Counting()
    with Journal(tmp_path) as journal:
        asyncio.run(journal.ask(engine, ASKED))
    database = sqlite3.connect(tmp_path / "journal.sqlite")
    for number in changes:
        database.executescript(OLDER[number])
    database.close()
    with Journal(tmp_path) as journal:
        assert asyncio.run(journal.ask(engine, ASKED)).is_replayed
        other = dataclasses.replace(ASKED, index=1)
        assert not asyncio.run(journal.ask(engine, other)).is_replayed
        assert (journal.answers(), journal.damaged) == (2, 0)


def test_thoughts_and_cached_tokens_are_in_the_journal(tmp_path: Path) -> None:
    class Thinking(Counting):
        async def complete(self, request: Request) -> Completion:
            return Completion(
                "hello", "stop", 9, 8, reasoning="Hm.", reasoning_tokens=7, cached_tokens=6
            )

    for _ in range(2):
        with Journal(tmp_path) as journal:
            answer = asyncio.run(journal.ask(Thinking(), ASKED))
    assert answer.is_replayed
    assert (answer.reasoning, answer.reasoning_tokens, answer.cached_tokens) == ("Hm.", 7, 6)


def test_answers_that_arrive_together_are_all_on_disk_before_any_is_used(tmp_path: Path) -> None:
    used: list[int] = []

    async def work() -> None:
        with Journal(tmp_path) as journal:

            async def ask(index: int) -> None:
                request = dataclasses.replace(ASKED, index=index)
                await journal.ask(Counting(), request)
                used.append(journal.answers())

            await asyncio.gather(*map(ask, range(1200)))

    asyncio.run(work())
    assert all(kept >= place for place, kept in enumerate(used, start=1))
    with Journal(tmp_path) as journal:
        assert journal.answers() == 1200


def test_an_answer_outlives_the_request_it_was_for(tmp_path: Path) -> None:
    """A request that is cancelled once it is answered: the answer may have been paid for."""

    async def work() -> None:
        with Journal(tmp_path) as journal:
            for turns in range(6):
                request = dataclasses.replace(ASKED, index=turns)
                asking = asyncio.ensure_future(journal.ask(Counting(), request))
                for _ in range(turns + 1):
                    await asyncio.sleep(0)
                asking.cancel()
                await asyncio.wait([asking])

    asyncio.run(work())
    with Journal(tmp_path) as journal:
        assert journal.answers() == 6


def test_an_answer_that_cannot_be_kept_ends_the_run(tmp_path: Path) -> None:
    async def work() -> None:
        with Journal(tmp_path) as journal:
            other = sqlite3.connect(tmp_path / "journal.sqlite")
            other.execute(
                "CREATE TRIGGER full BEFORE INSERT ON answers"
                " BEGIN SELECT RAISE(ABORT, 'disk full'); END"
            )
            other.close()
            requests = [dataclasses.replace(ASKED, index=index) for index in range(3)]
            engine = Counting()
            answers = await asyncio.gather(
                *(journal.ask(engine, one) for one in requests), return_exceptions=True
            )
            assert [type(answer) for answer in answers] == [SelfBehaveError] * 3
            raise answers[0]

    with pytest.raises(SelfBehaveError, match="an answer cannot be kept: disk full"):
        asyncio.run(work())


def test_one_folder_is_one_runs(tmp_path: Path) -> None:
    with Journal(tmp_path), pytest.raises(SelfBehaveError, match="another run is working"):
        Journal(tmp_path)
    with Journal(tmp_path):
        pass


def test_a_journal_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").write_text("not a database, but longer than a header " * 9)
    with pytest.raises(SelfBehaveError, match=r"journal\.sqlite: the journal cannot be opened"):
        Journal(tmp_path)
