"""A scripted OpenAI-compatible server with every fault of a real one, the same ones by seed.

Run as a process, from the repository's root: `python -m tests.faults.server --log FILE …`. It
prints its address and serves until it is killed. What it answers when nothing is wrong are the
answers of `tests/helpers/scripted_server.py`. Two things may be wrong:

- an *attempt* may fail (`FAULTS`, a share of all attempts, by seed, request and attempt): the same
  request succeeds later, so a run that tries again ends as if nothing had been;
- an *answer* may be odd (`ODDITIES`, a share of all requests, by request alone): it is what the
  model said, the same each time, and belongs to the run's data.

The log has a line for each: `answered`, `fault KIND` or `odd KIND`, and a digest of the request.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from ..helpers.scripted_server import answer

TEN_MEGABYTES = 10_000_000
CLOCK_ERROR = timedelta(hours=1)  # of the server's clock, against everybody else's
ENDLESS = 60.0  # seconds: longer than any client waits


def digest_of(prompt: str, seed: int) -> str:
    """Names a request in the log; can be computed from the journal as well."""
    return sha256(f"{seed} {prompt}".encode()).hexdigest()[:16]


def http(status: int, body: bytes, **headers: str) -> bytes:
    """A whole response."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status} Words", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in named.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def error(words: str, code: str | None = None) -> bytes:
    return json.dumps({"error": {"message": words, "type": None, "code": code}}).encode()


# Faults: what is sent instead of the answer, which each is given. `None` ends the connection.


def _instead(response: bytes) -> Callable[[bytes], list[bytes | float | None]]:
    return lambda _: [response]


def _retry_after_date(_: bytes) -> list[bytes | float | None]:
    now = datetime.now(UTC) + CLOCK_ERROR
    return [
        http(
            429,
            error("slow down"),
            Date=format_datetime(now, usegmt=True),
            Retry_After=format_datetime(now + timedelta(seconds=1), usegmt=True),
        )
    ]


def _closed_in_the_middle(whole: bytes) -> list[bytes | float | None]:
    return [whole[: len(whole) * 2 // 3], None]


def _drip(whole: bytes) -> list[bytes | float | None]:
    """Byte by byte, and never done: no single wait is long."""
    parts: list[bytes | float | None] = []
    for place in range(len(whole) - 1):
        parts += [whole[place : place + 1], ENDLESS / len(whole)]
    return parts


def _other_encoding(whole: bytes) -> list[bytes | float | None]:
    head, _, body = whole.partition(b"\r\n\r\n")
    wrong = body.replace(b'"choices"', '"grüße": 1, "choices"'.encode("latin-1"), 1)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8"
    return [head + b"\r\nContent-Length: %d\r\n\r\n" % len(wrong) + wrong]


_DEEP = b'{"choices": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"
_LONG_NUMBER = b'{"choices": [], "usage": ' + b"9" * 5_000 + b"}"

FAULTS: dict[str, Callable[[bytes], list[bytes | float | None]]] = {
    "429": _instead(http(429, error("slow down"))),
    "429, Retry-After: seconds": _instead(http(429, error("slow down"), Retry_After="1")),
    "429, Retry-After: 0": _instead(http(429, error("slow down"), Retry_After="0")),
    "429, Retry-After: date": _retry_after_date,
    "429, Retry-After: nonsense": _instead(http(429, error("slow down"), Retry_After="soon, nan")),
    "500": _instead(http(500, b"")),
    "502 with a page": _instead(http(502, b"<html><h1>Bad gateway</h1></html>")),
    "503": _instead(http(503, error("loading the model"))),
    "closed before the answer": lambda _: [None],
    "closed in the middle": _closed_in_the_middle,
    "hangs": lambda _: [ENDLESS],
    "drips": _drip,
    "not HTTP": _instead(b"\x00\x01\x02 certainly not\r\n\r\n"),
    "half JSON": _instead(http(200, b'{"choices": [{"message"')),
    "no JSON": _instead(http(200, b"OK")),
    "JSON too deep": _instead(http(200, _DEEP)),
    "number too long": _instead(http(200, _LONG_NUMBER)),
    "no choices": _instead(http(200, b'{"choices": []}')),
    "an error as a success": _instead(http(200, error("upstream is away"))),
    "a choice of nothing": _instead(http(200, b'{"choices": [{}]}')),
    "latin-1 called UTF-8": _other_encoding,
    "broken gzip": _instead(http(200, b"no gzip", Content_Encoding="gzip")),
    "gzip bomb": _instead(http(200, gzip.compress(bytes(10**8)), Content_Encoding="gzip")),
    "the answer twice": lambda whole: [whole + whole],
    "an error twice": _instead(http(503, error("not now")) * 2),
}
# Those after which the client has its answer all the same.
DELIVERED = frozenset({"the answer twice"})


# Oddities: what becomes of an answer, given as (choice, whole body).

Body = dict[str, Any]


def _text(change: Callable[[str], Any], finish_reason: str = "stop") -> Callable[[Body], bytes]:
    def odd(body: Body) -> bytes:
        choice = body["choices"][0]
        place = choice.get("message", choice)
        name = "content" if "message" in choice else "text"
        place[name] = change(place[name])
        choice["finish_reason"] = finish_reason
        return json.dumps(body).encode()

    return odd


def _with(**fields: Any) -> Callable[[Body], bytes]:
    return lambda body: json.dumps(body | fields).encode()


def _choice_with(**fields: Any) -> Callable[[Body], bytes]:
    return lambda body: json.dumps(body | {"choices": [body["choices"][0] | fields]}).encode()


ODDITIES: dict[str, Callable[[Body], bytes]] = {
    "finish_reason length": _text(lambda text: text[: len(text) // 2], "length"),
    "content filter": _text(lambda text: text[:9], "content_filter"),
    "content filter, no content": _text(lambda _: None, "content_filter"),
    "10 MB": _text(lambda text: text + "\nx" * (TEN_MEGABYTES // 2)),
    "three choices for one": lambda body: json.dumps(
        body | {"choices": [*body["choices"], {"index": 1}, None]}
    ).encode(),
    "UTF-16": lambda body: json.dumps(body, ensure_ascii=False).encode("utf-16"),
    "lone surrogates and NUL": _text(lambda text: f"\ud83d{text}\x00\udc00"),
    "line separators of other kinds": _text(lambda text: f"\x0c{text}\x85{text[:50]}\u2028\u2029"),
    "terminal escapes": _text(lambda text: f"\x1b[2J\x1b]0;title\x07{text}\x9b31m"),
    "a duplicate": _text(lambda _: "```gherkin\nScenario: One\n  Given one\n  Then one\n```"),
    "no finish_reason": _choice_with(finish_reason=None),
    "a finish_reason of any kind": _choice_with(finish_reason="\ud800\x00" + "x" * 10_000),
    "usage beyond any number": _with(usage={"prompt_tokens": 10**40, "completion_tokens": -1}),
    "usage of another type": _with(usage=["3", None]),
}
# A refused prompt is answered with a status of 400.
FILTERED = "prompt refused by the filter"
KINDS_OF_ODD = [*ODDITIES, FILTERED]


REFUSALS = {
    400: error("This model's maximum context length is 8192 tokens", "context_length_exceeded"),
    401: error("Incorrect API key provided: \x1b[31msk-…\x07", "invalid_api_key"),
    403: error("Your organization must be verified. " * 1_000, "forbidden"),
    404: error("The model `gpt-9` does not exist", "model_not_found"),
    429: error("You exceeded your current quota", "insufficient_quota"),
    301: b"",
}


class Server:
    """What the command line asks for, and what has happened so far."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.attempts: Counter[str] = Counter()
        self.answered = 0
        self.connections: set[asyncio.StreamWriter] = set()
        self.gone = asyncio.Event()
        self.log = options.log.open("a", buffering=1)

    async def serve(self) -> None:
        port = self.options.port
        server = await asyncio.start_server(self.talk, "127.0.0.1", port, limit=2**20)
        port = server.sockets[0].getsockname()[1]
        print(f"http://127.0.0.1:{port}/v1", flush=True)
        while True:
            await self.gone.wait()
            server.close()
            for writer in self.connections:
                writer.close()  # after what was sent: an answer that is logged does arrive
            await asyncio.sleep(self.options.gone_for)
            self.gone.clear()
            server = await asyncio.start_server(self.talk, "127.0.0.1", port, limit=2**20)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.add(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = head.lower().partition("content-length:")[2].split("\r\n", 1)[0]
                raw = await reader.readexactly(int(length or 0))
                path = head.split(" ", 2)[1]
                for part in await self.respond(path, raw):
                    if part is None:
                        writer.transport.abort()
                        return
                    if isinstance(part, float):
                        await asyncio.sleep(part)
                    else:
                        writer.write(part)
                        await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.transport.abort()
        finally:
            self.connections.discard(writer)

    async def respond(self, path: str, raw: bytes) -> list[bytes | float | None]:
        """What to send for a request, in parts: bytes, seconds to wait, or None to hang up."""
        if path.endswith("/models"):
            return [http(200, b'{"data": [{"id": "scripted"}]}')]
        asked = json.loads(raw)
        is_chat = path.endswith("/chat/completions")
        prompt = asked["messages"][0]["content"] if is_chat else asked["prompt"]
        digest = digest_of(prompt, asked["seed"])
        self.attempts[digest] += 1
        seed = self.options.seed
        by_attempt = random.Random(f"{seed} {digest} {self.attempts[digest]}")
        by_request = random.Random(f"odd {digest}")
        await asyncio.sleep(self.options.latency * by_attempt.uniform(0.2, 1.8))
        if self.gone.is_set():
            return [None]
        if self.options.refuse and self.answered >= self.options.refuse_after:
            status = self.options.refuse
            return [http(status, REFUSALS[status], Location="https://elsewhere.example/v1")]
        kind = by_attempt.choice(self.options.kinds or [*FAULTS])
        is_faulty = by_attempt.random() < self.options.faults
        if is_faulty:
            self.log.write(f"fault\t{kind}\t{digest}\n")
            if kind not in DELIVERED:
                return FAULTS[kind](self.response(asked, prompt, is_chat, by_attempt)[1])
        odd = by_request.choice(KINDS_OF_ODD)
        if by_request.random() >= self.options.odd:
            odd = ""
        status, response = self.response(asked, prompt, is_chat, by_attempt, odd)
        if odd:
            self.log.write(f"odd\t{odd}\t{digest}\n")
        self.log.write(f"answered\t{status}\t{digest}\n")
        self.answered += 1
        if self.answered == self.options.gone_after:
            self.gone.set()
        return FAULTS[kind](response) if is_faulty else [response]

    def response(
        self, asked: Body, prompt: str, is_chat: bool, chance: random.Random, odd: str = ""
    ) -> tuple[int, bytes]:
        """The status and the response to a request, without a fault."""
        if odd == FILTERED:
            return 400, http(400, error("The prompt was filtered", "content_filter"))
        text, finish_reason = answer(prompt, asked["seed"])
        choice: Body = {"index": 0, "finish_reason": finish_reason}
        choice |= {"message": {"content": text}} if is_chat else {"text": text}
        usage = {"prompt_tokens": len(prompt.split()), "completion_tokens": len(text.split())}
        # As of real servers: of each answer another, also of the same request's.
        body: Body = {"id": f"c-{chance.getrandbits(64):x}", "choices": [choice], "usage": usage}
        return 200, http(200, ODDITIES[odd](body) if odd else json.dumps(body).encode())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0, help="default: any that is free")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds, on average")
    parser.add_argument("--faults", type=float, default=0.0, help="share of attempts that fail")
    parser.add_argument("--kinds", nargs="+", choices=[*FAULTS], help="faults; default: all")
    parser.add_argument("--odd", type=float, default=0.0, help="share of requests with odd answers")
    parser.add_argument("--refuse", type=int, choices=[*REFUSALS], help="status of a refusal")
    parser.add_argument("--refuse_after", type=int, default=0, help="answers before it")
    parser.add_argument("--gone_after", type=int, default=-1, help="answers before going away")
    parser.add_argument("--gone_for", type=float, default=0.0, help="seconds until it is back")
    asyncio.run(Server(parser.parse_args()).serve())


if __name__ == "__main__":
    main()
