"""A chat server whose first answers are faulty and whose later ones work, for runs with attempts.

It writes sound scenarios. Of step functions, the first answer leaves one out; a fresh answer or a
repair has all of them.
"""

from __future__ import annotations

import json
import random
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .scripted_server import WORDS

__all__ = ["serving_attempts"]

_SOLVED_AT_ONCE = 3  # each third scenario has a sound first answer


def _scenario(number: int) -> str:
    chance = random.Random(number)

    def words(count: int) -> str:
        return " ".join(chance.sample(WORDS, count))

    return (
        f"Scenario: {words(4)}\n  Given the {words(6)} has {number + 5} units\n"
        f"  When they {words(6)} with {number + 2} units\n"
        f"  Then the {words(6)} is {number * 2 + 7} units"
    )


def _functions(scenario: str, is_whole: bool) -> str:
    given, when, then = (
        re.sub(r"\d+", "{count:d}", match[1])
        for match in re.finditer(r"^\s*(?:Given|When|Then) (.*)$", scenario, re.M)
    )
    parts = [
        "from behave import given, when, then",
        f"@given({given!r})\ndef stock(context, count):\n    context.count = count",
        f"@when({when!r})\ndef act(context, count):\n    context.count += count",
        f"@then({then!r})\ndef total(context, count):\n    assert context.count == count",
    ]
    return "```python\n" + "\n\n\n".join(parts if is_whole else parts[:-1]) + "\n```"


@contextmanager
def serving_attempts(write: Callable[[str], str] | None = None) -> Iterator[str]:
    """Serve for the duration of the context; give the address.

    Args:
        write: a scenario for the last message of a request; by default a new one each time.
    """
    lock = threading.Lock()
    made: list[str] = []  # scenarios, in the order of the requests
    asked: dict[str, int] = {}  # requests for the step functions of a scenario

    def answer(body: dict[str, Any]) -> str:
        texts = [message["content"] for message in body["messages"]]
        if "step functions" not in texts[0]:
            made.append(write(texts[-1]) if write else _scenario(len(made)))
            return f"```gherkin\n{made[-1]}\n```"
        last = [text for text in texts if "```gherkin" in text][-1]
        scenario = re.findall(r"```gherkin\n(.*?)\n```", last, re.S)[-1]
        asked[scenario] = asked.get(scenario, 0) + 1
        at_once = sum(map(ord, scenario)) % _SOLVED_AT_ONCE == 0
        return _functions(scenario, at_once or asked[scenario] > 1)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                text = answer(body)
            message = {"role": "assistant", "content": text}
            self._send(
                {
                    "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
                    "usage": {"prompt_tokens": 100, "completion_tokens": 20},
                }
            )

        def do_GET(self) -> None:
            self._send({"data": [{"id": "attempts"}]})

        def _send(self, value: Any) -> None:
            data = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
