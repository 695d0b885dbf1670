"""An OpenAI-compatible server with the quirks of real ones, one switch a quirk.

Each quirk names the servers that are known for it, by their documentation or by public reports of
bugs. Answers depend on the prompt alone, so that a quirk with which a run can live leaves the run's
data as it is. `python -m tests.helpers.quirk_server "QUIRK"` serves one and prints its address.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET6
from typing import Any

from . import scripted_server

__all__ = ["MODEL", "QUIRKS", "Asked", "Quirk", "QuirkServer", "Reply", "serving"]

MODEL = "scripted"
# A draft within thoughts: it would be accepted as a scenario.
DRAFT = (
    "A draft:\n\n```gherkin\nScenario: Thoughts never become a row\n"
    "  Given the thoughts of a model\n  When they are read as its answer\n"
    "  Then the draft number 7 is a row\n```\n\nToo weak.\n"
)


@dataclass(frozen=True)
class Reply:
    """What a server sends."""

    status: int
    content: bytes
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """A request, and what a plain server would answer.

    Attributes:
        number: of the request at this server, from 1.
        path: with the query.
    """

    number: int
    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]
    text: str
    finish_reason: str

    def answer(self, message: Mapping[str, Any] | None = None, **choice: Any) -> dict[str, Any]:
        """The body of a chat answer; parts of it replaced."""
        said = {"role": "assistant", "content": self.text, **(message or {})}
        return {
            "id": f"chatcmpl-{self.number}",
            "object": "chat.completion",
            "choices": [
                {"index": 0, "finish_reason": self.finish_reason, "message": said, **choice}
            ],
            "usage": {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150},
        }


def reply(body: Any, status: int = 200, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, json.dumps(body).encode(), headers=named)


def error(message: str, status: int, **fields: Any) -> Reply:
    return reply({"error": {"message": message, **fields}}, status)


@dataclass(frozen=True)
class Quirk:
    """A quirk: the servers that are known for it, and their answer.

    Attributes:
        models: the answer to a request for the list of models; None for a plain one.
    """

    known_of: str
    respond: Callable[[Asked], Reply] = lambda asked: reply(asked.answer())
    models: Reply | None = None


def _message(change: Callable[[Asked], Mapping[str, Any]], **choice: Any) -> Callable[..., Reply]:
    return lambda asked: reply(asked.answer(change(asked), **choice))


def _first(odd: Reply | Callable[[Asked], Reply], times: int = 1) -> Callable[[Asked], Reply]:
    """An odd answer to the first requests only."""

    def respond(asked: Asked) -> Reply:
        if asked.number > times:
            return reply(asked.answer())
        return odd(asked) if callable(odd) else odd

    return respond


def _refusing(name: str, refusal: Reply) -> Callable[[Asked], Reply]:
    """A refusal of each request that has a parameter."""
    return lambda asked: refusal if name in asked.body else reply(asked.answer())


def _unsupported(name: str, words: str = "") -> Reply:
    return error(
        words or f"Unsupported parameter: '{name}' is not supported with this model.",
        400,
        type="invalid_request_error",
        param=name,
        code="unsupported_parameter",
    )


def _forbidden(name: str) -> Reply:
    detail = {"type": "extra_forbidden", "loc": ["body", name], "input": 1}
    return reply({"detail": [detail | {"msg": "Extra inputs are not permitted"}]}, 422)


def _stream(asked: Asked, end: str = "data: [DONE]\n\n", is_whole: bool = True) -> Reply:
    lines = [": PROCESSING\n\n"]
    pieces = [asked.text[place : place + 40] for place in range(0, len(asked.text), 40)]
    for piece in ({"reasoning_content": DRAFT}, *({"content": text} for text in pieces)):
        chunk = {"id": f"c{asked.number}", "choices": [{"index": 0, "delta": piece}]}
        lines.append(f"data: {json.dumps(chunk)}\n\n")
    last = {"index": 0, "delta": {}, "finish_reason": asked.finish_reason}
    usage = {"prompt_tokens": 100, "completion_tokens": 50}
    if is_whole:
        lines.append(f"data: {json.dumps({'choices': [last], 'usage': usage})}\n\n")
    return Reply(200, "".join([*lines, end]).encode(), "text/event-stream")


def _all_thought(asked: Asked) -> Mapping[str, Any]:
    return {"content": None, "reasoning_content": DRAFT}


PAGE = b"<!doctype html><html><head><title>LM Studio</title></head><body>Hello</body></html>"
TEXT = {"type": "text"}
NO_MAX_TOKENS = (
    "Unsupported parameter: 'max_tokens' is not supported with this model. "
    "Use 'max_completion_tokens' instead."
)

QUIRKS: dict[str, Quirk] = {
    "none": Quirk("no server"),
    # Answers
    "content in parts": Quirk(
        "Mistral's magistral, Databricks, LiteLLM",
        _message(
            lambda asked: {
                "content": [
                    {"type": "thinking", "thinking": [TEXT | {"text": DRAFT}]},
                    TEXT | {"text": asked.text},
                ]
            }
        ),
    ),
    "text in several parts": Quirk(
        "Cohere, Databricks",
        _message(
            lambda asked: {
                "content": [TEXT | {"text": asked.text[:30]}, TEXT | {"text": asked.text[30:]}]
            }
        ),
    ),
    "reasoning_content": Quirk(
        "DeepSeek, vLLM before 0.12, SGLang, llama-server",
        _message(lambda asked: {"reasoning_content": DRAFT}),
    ),
    "reasoning": Quirk(
        "OpenRouter, Groq, Ollama, vLLM",
        _message(lambda asked: {"reasoning": DRAFT, "reasoning_details": [{"text": DRAFT}]}),
    ),
    "think": Quirk(
        "Together, TGI, LM Studio with DeepSeek-R1",
        _message(lambda asked: {"content": f"<think>\n{DRAFT}</think>\n\n{asked.text}"}),
    ),
    "think without its beginning": Quirk(
        "vLLM and SGLang without a reasoning parser, where the chat template opens the thoughts",
        _message(lambda asked: {"content": f"{DRAFT}</think>\n\n{asked.text}"}),
    ),
    "think twice": Quirk(
        "QwQ and other models that think again",
        _message(
            lambda asked: {
                "content": f"<think>{DRAFT}</think>\n{DRAFT}<THINK>so\n</THINK>\n{asked.text}"
            }
        ),
    ),
    "THINK in brackets": Quirk(
        "Magistral by llama.cpp",
        _message(lambda asked: {"content": f"[THINK]{DRAFT}[/THINK]{asked.text}"}),
    ),
    "channels": Quirk(
        "gpt-oss without a parser",
        _message(
            lambda asked: {
                "content": f"<|channel|>analysis<|message|>{DRAFT}<|end|><|start|>assistant"
                f"<|channel|>final<|message|>{asked.text}<|return|>"
            }
        ),
    ),
    "think never closed": Quirk(
        "any of these with a low limit of tokens",
        _message(lambda asked: {"content": f"<think>\n{DRAFT}"}, finish_reason="length"),
    ),
    "think never closed, stop": Quirk(
        "DeepSeek-R1 distillations",
        _message(lambda asked: {"content": f"<think>\n{DRAFT}"}, finish_reason="stop"),
    ),
    "the limit went on thinking": Quirk(
        "OpenAI, DeepSeek, vLLM", _message(_all_thought, finish_reason="length")
    ),
    "empty, the limit went on thinking": Quirk(
        "OpenAI's GPT-5 and o-series",
        _message(lambda asked: {"content": ""}, finish_reason="length"),
    ),
    "all in the thoughts": Quirk(
        "vLLM with a reasoning parser of another model",
        _message(_all_thought, finish_reason="stop"),
    ),
    "no content, error": Quirk(
        "OpenRouter",
        _first(_message(lambda asked: {"content": None}, finish_reason="error"), times=3),
    ),
    "half a text, error": Quirk(
        "OpenRouter",
        _first(
            _message(
                lambda asked: {"content": DRAFT},
                finish_reason="error",
                error={"code": 502, "message": "Upstream went away"},
            ),
            times=3,
        ),
    ),
    "no content, filter": Quirk(
        "Azure, Gemini", _message(lambda asked: {"content": None}, finish_reason="content_filter")
    ),
    "a refusal": Quirk(
        "OpenAI", _message(lambda asked: {"content": None, "refusal": "I cannot help with this."})
    ),
    "200, code 402": Quirk("OpenRouter", lambda _: error("Insufficient credits", 200, code=402)),
    "200, invalid key": Quirk(
        "One API, New API",
        lambda _: error("Invalid token", 200, type="authentication_error"),
    ),
    "200, error without a code": Quirk(
        "gateways in front of vLLM", lambda _: reply({"error": "model is not deployed"})
    ),
    "200, code 429 at first": Quirk("OpenRouter", _first(error("Slow down", 200, code=429), 3)),
    "200, detail": Quirk(
        "FastAPI behind a gateway", lambda _: reply({"detail": "Not authenticated"})
    ),
    "a web page": Quirk(
        "LM Studio, Open WebUI, LocalAI, without /v1", lambda _: Reply(200, PAGE, "text/html")
    ),
    "404 with a page": Quirk("nginx, a wrong path", lambda _: Reply(404, PAGE, "text/html")),
    "an event stream": Quirk("proxies that always stream", _stream),
    "an event stream as JSON": Quirk(
        "Cloudflare's and other gateways",
        lambda asked: Reply(200, _stream(asked).content, "application/json"),
    ),
    "a cut event stream": Quirk(
        "gateways", _first(lambda asked: _stream(asked, end="", is_whole=False), times=3)
    ),
    "several choices": Quirk(
        "gateways that ask several models",
        lambda asked: reply(
            asked.answer()
            | {
                "choices": [
                    {"index": 1, "message": {"content": DRAFT}, "finish_reason": "stop"},
                    *asked.answer()["choices"],
                    None,
                ]
            }
        ),
    ),
    "an empty choice first": Quirk(
        "Gemini with several candidates",
        lambda asked: reply(
            asked.answer()
            | {
                "choices": [
                    {"index": 0, "message": {"role": "assistant"}, "finish_reason": "stop"},
                    asked.answer()["choices"][0] | {"index": 1},
                ]
            }
        ),
    ),
    "cut JSON": Quirk(
        "proxies with a limit of size",
        lambda asked: Reply(200, json.dumps(asked.answer()).encode()[:-40]),
    ),
    "text, not JSON": Quirk(
        "health checks, other services", lambda _: Reply(200, b"OK", "text/plain")
    ),
    "JSON called text": Quirk(
        "Ollama behind proxies",
        lambda asked: Reply(200, json.dumps(asked.answer()).encode(), "text/plain; charset=utf-8"),
    ),
    "another interface": Quirk(
        "Ollama's /api/chat, Anthropic's /v1/messages",
        lambda asked: reply({"content": [TEXT | {"text": asked.text}], "stop_reason": "end_turn"}),
    ),
    "eos for stop": Quirk(
        "Together, TGI",
        lambda asked: reply(
            asked.answer(
                finish_reason="eos" if asked.finish_reason == "stop" else asked.finish_reason
            )
        ),
    ),
    "STOP for stop": Quirk(
        "Gemini", lambda asked: reply(asked.answer(finish_reason=asked.finish_reason.upper()))
    ),
    "come back tomorrow": Quirk(
        "Groq, OpenRouter's free models",
        lambda _: Reply(
            429,
            b'{"error": {"message": "Rate limit of this day reached"}}',
            headers={"Retry-After": "86400"},
        ),
    ),
    # Requests
    "no max_tokens": Quirk(
        "OpenAI's GPT-5 and o-series",
        _refusing("max_tokens", _unsupported("max_tokens", NO_MAX_TOKENS)),
    ),
    "no max_tokens, words only": Quirk(
        "LiteLLM and gateways in front of OpenAI",
        _refusing("max_tokens", error(NO_MAX_TOKENS, 400)),
    ),
    "temperature of 1 only": Quirk(
        "OpenAI's GPT-5 and o-series",
        _refusing(
            "temperature",
            error(
                "Unsupported value: 'temperature' does not support 0.8 with this model. Only the "
                "default (1) value is supported.",
                400,
                type="invalid_request_error",
                param="temperature",
                code="unsupported_value",
            ),
        ),
    ),
    "temperature or top_p": Quirk(
        "Anthropic",
        _refusing(
            "top_p",
            error(
                "`temperature` and `top_p` cannot both be specified for this model. Please use "
                "only one.",
                400,
                type="invalid_request_error",
            ),
        ),
    ),
    "no seed": Quirk("Mistral", _refusing("seed", _forbidden("seed"))),
    "no seed, in a list": Quirk(
        "Gemini",
        _refusing(
            "seed",
            reply(
                [
                    {
                        "error": {
                            "code": 400,
                            "message": 'Invalid JSON payload received. Unknown name "seed": Cannot '
                            "find field.",
                            "status": "INVALID_ARGUMENT",
                        }
                    }
                ],
                400,
            ),
        ),
    ),
    "no seed, by LiteLLM": Quirk(
        "LiteLLM",
        _refusing(
            "seed",
            error(
                "litellm.UnsupportedParamsError: anthropic does not support parameters: ['seed'], "
                "for model=m. To drop these, set `litellm.drop_params=True`",
                400,
                code="400",
            ),
        ),
    ),
    "no stop": Quirk("OpenAI's o3, xAI's grok-4", _refusing("stop", _unsupported("stop"))),
    "no grammar": Quirk(
        "Groq",
        _refusing("grammar", error("property 'grammar' is unsupported", 400)),
    ),
    "no stream": Quirk("strict gateways", _refusing("stream", _forbidden("stream"))),
    "nothing but the messages": Quirk(
        "OpenAI's o1",
        lambda asked: next(
            (
                _unsupported(name, NO_MAX_TOKENS if name == "max_tokens" else "")
                for name in ("max_tokens", "temperature", "top_p", "seed", "stop")
                if name in asked.body
            ),
            reply(asked.answer()),
        ),
    ),
    "too many tokens": Quirk(
        "all",
        lambda asked: error(
            f"max_tokens is too large: {asked.body.get('max_tokens')}. This model has at most 512 "
            "completion tokens.",
            400,
            type="invalid_request_error",
            param="max_tokens",
            code="invalid_value",
        ),
    ),
    # Lists of models
    "models need a key": Quirk("all", models=error("Incorrect API key provided", 401)),
    "no list of models": Quirk("Azure's deployments, TGI", models=Reply(404, PAGE, "text/html")),
    "a page for models": Quirk(
        "LM Studio, Open WebUI, without /v1", models=Reply(200, PAGE, "text/html")
    ),
    "no data in models": Quirk("gateways", models=reply({"object": "list"})),
    "models not ready": Quirk("llama-server", models=error("Loading model", 503)),
    "models as a list": Quirk("Together", models=reply([{"id": MODEL}])),
}


class QuirkServer:
    """A running server with one quirk.

    Attributes:
        asked: the requests for answers so far.
        paths: of all requests, with their queries.
    """

    def __init__(self, quirk: str, host: str = "127.0.0.1") -> None:
        self.quirk = QUIRKS[quirk]
        self.asked: list[Asked] = []
        self.paths: list[str] = []
        self.headers: list[Mapping[str, str]] = []
        self._lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                self.send(server.respond(self.path, dict(self.headers), json.loads(raw)))

            def do_GET(self) -> None:
                server.paths.append(self.path)
                self.send(server.quirk.models or reply({"data": [{"id": MODEL}]}))

            def send(self, answer: Reply) -> None:
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.kind)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            def log_message(self, *_: Any) -> None:
                pass

        class Listening(ThreadingHTTPServer):
            address_family = AF_INET6 if ":" in host else ThreadingHTTPServer.address_family
            request_queue_size = 64

        self._server = Listening((host, 0), Handler)
        self.port = self._server.server_address[1]
        shown = f"[{host}]" if ":" in host else host
        self.root = f"http://{shown}:{self.port}"
        self.url = f"{self.root}/v1"

    def respond(self, path: str, headers: Mapping[str, str], body: dict[str, Any]) -> Reply:
        prompt = body["messages"][-1]["content"] if "messages" in body else body["prompt"]
        text, finish_reason = scripted_server.answer(prompt, 0)
        with self._lock:
            number = len(self.asked) + 1
            asked = Asked(number, path, headers, body, text, finish_reason)
            self.asked.append(asked)
            self.paths.append(path)
            self.headers.append(headers)
        return self.quirk.respond(asked)

    def serve(self) -> None:
        self._server.serve_forever(poll_interval=0.05)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def serving(quirk: str, host: str = "127.0.0.1") -> Iterator[QuirkServer]:
    """A server with a quirk, in a thread of this process."""
    server = QuirkServer(quirk, host)
    threading.Thread(target=server.serve, daemon=True).start()
    try:
        yield server
    finally:
        server.close()


if __name__ == "__main__":
    quirky = QuirkServer(sys.argv[1])
    print(quirky.url, flush=True)
    quirky.serve()
