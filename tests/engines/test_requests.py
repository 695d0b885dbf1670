"""Requests are valid by OpenAI's published schema, as far as it concerns them.

The schema below is our own reading of the reference of chat completions and of completions: the
fields that we send, their types and limits. Other fields are not allowed, because strict servers
refuse them.
"""

from pathlib import Path
from typing import Any

import jsonschema
import pytest

import selfbehave
from selfbehave.engines import Api, EngineSettings, Request, Server
from selfbehave.engines.providers.openai_requests import body_of
from selfbehave.prompts import FAMILIES
from selfbehave.runs.run_settings import RunSettings
from selfbehave.seeds.load import load_seeds
from selfbehave.views.display import Display

from ..helpers.paths import ROOT
from ..helpers.quirk_server import MODEL, serving

SAMPLING = {
    "model": {"type": "string", "minLength": 1},
    "temperature": {"type": "number", "minimum": 0, "maximum": 2},
    "top_p": {"type": "number", "minimum": 0, "maximum": 1},
    "max_tokens": {"type": "integer", "minimum": 1},
    "max_completion_tokens": {"type": "integer", "minimum": 1},
    "seed": {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1},
    "stop": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 4},
    "stream": {"const": False},
}
TEXT = {"type": "string", "minLength": 1}
MESSAGE = {
    "type": "object",
    "properties": {"role": {"enum": ["system", "user", "assistant"]}, "content": TEXT},
    "required": ["role", "content"],
    "additionalProperties": False,
}
SCHEMAS: dict[str, dict[str, Any]] = {
    "chat": {
        "type": "object",
        "properties": SAMPLING | {"messages": {"type": "array", "items": MESSAGE, "minItems": 1}},
        "required": ["model", "messages"],
        "additionalProperties": False,
    },
    "completions": {
        "type": "object",
        "properties": SAMPLING | {"prompt": TEXT},
        "required": ["model", "prompt"],
        "additionalProperties": False,
    },
}
APIS: tuple[Api, ...] = ("chat", "completions")


def validate(body: dict[str, Any], api: Api) -> None:
    jsonschema.Draft202012Validator(SCHEMAS[api]).validate(body)


@pytest.mark.parametrize("quirk", ["none", "nothing but the messages"])
@pytest.mark.parametrize("api", APIS)
def test_each_request_of_a_run_is_valid(api: Api, quirk: str, tmp_path: Path) -> None:
    settings = RunSettings(
        num_instructions_to_generate=2, prompts="bdd", min_rung="bound", top_rung="bound"
    )
    with serving(quirk) as server:
        engine = EngineSettings(engine=server.url, model=MODEL, api=api)
        selfbehave.run(tmp_path, settings, engine, Display())
    assert len(server.asked) > 2
    for asked in server.asked:
        validate(asked.body, api)


@pytest.mark.parametrize("api", APIS)
def test_the_requests_of_classic_prompts_are_valid(api: Api) -> None:
    tasks = load_seeds(str(ROOT / "tests/data/classic_seed_tasks.jsonl")).tasks
    family, task = FAMILIES["classic"], tasks[0].instruction
    prompts = [
        family.bootstrap_prompt([one.instruction for one in tasks[:8]], api),
        family.classify_prompt(task, api),
        family.instances_prompt(task, True, tasks[:2], 5, api),
        family.instances_prompt(task, False, tasks[:2], 5, api),
    ]
    for prompt in prompts:
        request = Request("test", 0, prompt.text, 0.8, 0.95, prompt.max_tokens, 7, prompt.stop)
        validate(body_of(request, Server("http://x/v1"), "m", api), api)


def test_a_schema_refuses_what_servers_refuse() -> None:
    request = Request("test", 0, "Say hello", 0.8, 0.95, 20, 7, stop=tuple("abcde"))
    with pytest.raises(jsonschema.ValidationError, match="is too long"):
        validate(body_of(request, Server("http://x/v1"), "m", "chat"), "chat")
