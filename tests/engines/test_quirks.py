"""Whole runs at servers with the quirks of real ones: the data, the requests made, the message.

A run at a server with a quirk has the data of a run at a plain one, or ends soon with one line that
says what came and how to mend it. Thoughts and errors never become data.
"""

import re
import sqlite3
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import selfbehave
from selfbehave.core.errors import SelfBehaveError
from selfbehave.engines import EngineSettings
from selfbehave.events.events import Event, ParameterRefused
from selfbehave.events.reporter import Reporter
from selfbehave.runs.run_settings import RunSettings

from ..helpers.quirk_server import DRAFT, MODEL, QUIRKS, QuirkServer, serving
from ..helpers.runs import FILES

SETTINGS = RunSettings(
    num_instructions_to_generate=4, prompts="bdd", min_rung="bound", top_rung="bound"
)
IN_FLIGHT = 5


def grow(server: QuirkServer, folder: Path, **engine: Any) -> list[Event]:
    """A run at a server; returns the events of it."""
    events: list[Event] = []
    settings = EngineSettings(**{"engine": server.url, "model": MODEL} | engine)
    selfbehave.run(folder, SETTINGS, settings, Reporter(events.append))
    return events


def data(folder: Path) -> dict[str, str]:
    """The run's files, without the count of tokens of thoughts, which a plain server has not."""
    names = [name for name in FILES if name != "run.toml"]
    thoughts = re.compile(r', "reasoning_tokens": \d+')
    return {name: thoughts.sub("", (folder / name).read_text()) for name in names}


def whole_text(folder: Path) -> str:
    """The text of every file that a run wrote, except for its journal."""
    files = [path for path in folder.rglob("*") if path.is_file() and "sqlite" not in path.name]
    return "\n".join(path.read_text() for path in files)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, str], int]]:
    """The data of a run at a server without a quirk, and the number of its requests."""
    folder = tmp_path_factory.mktemp("plain") / "r"
    with serving("none") as server:
        grow(server, folder)
        yield data(folder), len(server.asked)


# The quirks that change nothing, with the requests that are made in addition.
HARMLESS = {
    "content in parts": 0,
    "text in several parts": 0,
    "reasoning_content": 0,
    "reasoning": 0,
    "think": 0,
    "think without its beginning": 0,
    "think twice": 0,
    "THINK in brackets": 0,
    "channels": 0,
    "no content, error": 3,
    "half a text, error": 3,
    "200, code 429 at first": 3,
    "an event stream": 0,
    "an event stream as JSON": 0,
    "a cut event stream": 3,
    "several choices": 0,
    "an empty choice first": 0,
    "JSON called text": 0,
    "eos for stop": 0,
    "STOP for stop": 0,
}


@pytest.mark.parametrize(("quirk", "more"), HARMLESS.items(), ids=HARMLESS.keys())
def test_a_quirk_of_answers_leaves_the_data_as_it_is(
    quirk: str, more: int, plain: tuple[dict[str, str], int], tmp_path: Path
) -> None:
    expected, requests = plain
    with serving(quirk) as server:
        grow(server, tmp_path)
    assert data(tmp_path) == expected
    # At the end of bootstrap some requests may be in flight that were not needed.
    assert abs(len(server.asked) - requests - more) < IN_FLIGHT
    assert "Thoughts never become" not in whole_text(tmp_path)


# The quirks with which no run is possible: what the message says, and the most requests made.
FIRST_CONTACT = 3 * IN_FLIGHT
WATCHED = 2 * IN_FLIGHT - 1
ENDING = {
    "think never closed": ("limit of 1024 tokens went on thinking", "--max_tokens", WATCHED),
    "think never closed, stop": ("any text, only thoughts", "--extra_body", WATCHED),
    "the limit went on thinking": ("tokens went on thinking", "--thinking_tokens", WATCHED),
    "empty, the limit went on thinking": ("went on thinking", "--max_tokens", WATCHED),
    "all in the thoughts": ("any text, only thoughts", "reading this model's thoughts", WATCHED),
    "no content, filter": ("any text (content_filter)", "other seed tasks", WATCHED),
    "a refusal": ("any text (refusal)", "another model", WATCHED),
    "200, code 402": ("(402): Insufficient credits", "account's credit", IN_FLIGHT),
    "200, invalid key": ("(401): Invalid token", "OPENAI_API_KEY", IN_FLIGHT),
    "200, error without a code": ("model is not deployed", "it is up", FIRST_CONTACT),
    "200, detail": ("Not authenticated", "it is up", FIRST_CONTACT),
    "a web page": ("a web page, 'LM Studio'", "check the address", FIRST_CONTACT),
    "404 with a page": ("(404): LM Studio", "check --model, and check the address", IN_FLIGHT),
    "cut JSON": ("cut or garbled", "OpenAI-compatible server", FIRST_CONTACT),
    "text, not JSON": ("text/plain, not JSON: 'OK'", "check that the address", FIRST_CONTACT),
    "another interface": ("has no choices: '{", "OpenAI-compatible server", FIRST_CONTACT),
    "come back tomorrow": ("asks to wait 86,400 s", "continue later, or", IN_FLIGHT),
    "too many tokens": ("max_tokens is too large: 1024", "objects to", IN_FLIGHT),
}


@pytest.mark.parametrize("quirk", ENDING)
def test_a_quirk_that_allows_no_run_ends_it_soon_and_is_named(quirk: str, tmp_path: Path) -> None:
    what, mend, most = ENDING[quirk]
    with serving(quirk) as server, pytest.raises(SelfBehaveError) as caught:
        grow(server, tmp_path)
    assert what in str(caught.value)
    assert mend in str(caught.value)
    assert "check that the server is up" not in str(caught.value)
    assert len(server.asked) <= most
    assert "Thoughts never become" not in whole_text(tmp_path)


# The quirks of parameters: what is sent instead of each.
REFUSING = {
    "no max_tokens": {"max_tokens": "sent as max_completion_tokens"},
    "no max_tokens, words only": {"max_tokens": "sent as max_completion_tokens"},
    "temperature of 1 only": {"temperature": "left out"},
    "temperature or top_p": {"top_p": "left out"},
    "no seed": {"seed": "left out"},
    "no seed, in a list": {"seed": "left out"},
    "no seed, by LiteLLM": {"seed": "left out"},
    "no stop": {"stop": "left out"},
    "no grammar": {"grammar": "left out"},
    "no stream": {"stream": "left out"},
    "nothing but the messages": {
        "max_tokens": "sent as max_completion_tokens",
        "temperature": "left out",
        "top_p": "left out",
        "seed": "left out",
    },
}


def test_each_quirk_is_tested() -> None:
    lists = {name for name, quirk in QUIRKS.items() if quirk.models is not None}
    assert set(QUIRKS) == {"none", *HARMLESS, *ENDING, *REFUSING, *lists}


@pytest.mark.parametrize("quirk", REFUSING)
def test_a_parameter_that_a_server_refuses_is_sent_no_more_and_recorded(
    quirk: str, plain: tuple[dict[str, str], int], tmp_path: Path
) -> None:
    expected, requests = plain
    changes = REFUSING[quirk]
    # OpenAI's chat takes stop texts; the chat prompts have none, so a base model's are asked.
    settings = {"no grammar": {"grammar": "on"}, "no stop": {"api": "completions"}}
    with serving(quirk) as server:
        events = grow(server, tmp_path, **settings.get(quirk, {}))
    noted = tomllib.loads((tmp_path / "run.toml").read_text())["refused_parameters"]
    assert noted == {server.url: changes}
    told = [event for event in events if isinstance(event, ParameterRefused)]
    assert sorted(event.name for event in told) == sorted(changes), "each once"
    for name in changes:
        assert sum(name in asked.body for asked in server.asked) <= len(changes), "it is not tried"
    last = server.asked[-1].body
    assert not set(last) & set(changes)
    if "max_tokens" in changes:
        assert last["max_completion_tokens"] == 1024
    if quirk not in settings:
        assert abs(len(server.asked) - requests - len(changes)) < IN_FLIGHT
        assert data(tmp_path) == expected


def test_a_run_that_goes_on_keeps_what_was_refused_in_its_file(tmp_path: Path) -> None:
    with serving("no seed") as server:
        grow(server, tmp_path)
        before = (tmp_path / "run.toml").read_bytes()
        grow(server, tmp_path)
    assert (tmp_path / "run.toml").read_bytes() == before


@pytest.mark.parametrize(
    ("quirk", "what", "mend"),
    [
        ("models need a key", "(401): Incorrect API key provided", "--api_key"),
        ("no list of models", "has no list of models (404)", "--model"),
        ("a page for models", "a web page instead of a list of models", "--model"),
        ("no data in models", "something else instead of a list of models", "--model"),
        ("models not ready", "is up, but does not list its models (503: Loading", "until it is"),
    ],
)
def test_a_list_of_models_that_is_none_is_told_as_such(
    quirk: str, what: str, mend: str, tmp_path: Path
) -> None:
    with serving(quirk) as server, pytest.raises(SelfBehaveError) as caught:
        grow(server, tmp_path, model=None)
    assert what in str(caught.value)
    assert mend in str(caught.value)
    assert not server.asked


def test_a_bare_list_of_models_is_read(plain: tuple[dict[str, str], int], tmp_path: Path) -> None:
    with serving("models as a list") as server:
        grow(server, tmp_path, model=None)
    assert data(tmp_path) == plain[0]


def test_thoughts_are_in_the_journal_with_their_tokens(tmp_path: Path) -> None:
    with serving("reasoning_content") as server:
        events = grow(server, tmp_path)
    database = sqlite3.connect(tmp_path / "journal.sqlite")
    kept = database.execute("SELECT reasoning, reasoning_tokens FROM answers").fetchall()
    database.close()
    assert len(kept) == len(server.asked)
    for thoughts, tokens in kept:
        assert thoughts == DRAFT.strip()
        assert 10 < tokens < 50, "by their share of the characters, as the server does not say"
    assert events
