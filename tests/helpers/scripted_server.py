"""A scripted OpenAI-compatible server: the same request always has the same answer.

Only for tests of faults and of resuming, where a real model would be too slow or too well-behaved.
Run it as a process: `python tests/helpers/scripted_server.py --log FILE [--latency SECONDS]
[--faults SHARE] [--slips]`. It prints its address, and logs a digest of each request that it
answered. A chat that asks for a cell of the axes, or for the step functions of one, is answered by
rote, which is right; with `--slips` each first attempt at step functions lacks the last of them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

if __package__:
    from . import rote
else:
    import rote  # type: ignore[import-not-found,no-redef]

FIRST_ATTEMPT = 0.3  # its temperature; later ones are warmer
WORDS = (
    "account bakery cable dentist engine ferry garden harbour invoice jacket kettle ladder market "
    "novel orchard parcel quarry refund signal tunnel umbrella voucher warehouse yacht zebra amber "
    "bridge canyon dragon ember falcon glacier hammer island jungle knight lantern meadow needle "
    "ocean pepper quill river saddle temple urchin valley window yarrow zenith"
).split()


def answer(prompt: str, seed: int) -> tuple[str, str]:
    """The answer and finish reason of a prompt: scenarios, step functions, or Yes or No."""
    chance = random.Random(f"{seed} {hashlib.sha256(prompt.encode()).hexdigest()}")
    if "Is it classification?" in prompt:
        return chance.choice([" Yes", " No"]), "stop"
    if "Scenario to review:" in prompt:  # a verdict by one criterion, and some that are none
        return chance.choice([" Yes", " No", "**No**, it is not.", " Perhaps"]), "stop"
    if "Python step functions for Gherkin scenarios" in prompt:
        scenario = re.findall(r"```gherkin\n(.*?)```", prompt, re.S)[-1]
        opened = "```python\n" if prompt.endswith("```python\n") else ""
        return step_functions(scenario).removeprefix(opened), "stop"
    if "scenarios for the stories of a product" in prompt:  # whose scenarios state a value
        return scenario_text(chance).replace(
            "\n  When", f" has {chance.randrange(9)}\n  When"
        ), "stop"
    texts = [scenario_text(chance) for _ in range(chance.choice([1, 1, 2]))]
    shown = re.findall(r"```gherkin\n(.*?)\n```", prompt, re.S)
    if shown and chance.random() < 0.3:  # an example over again: not novel
        texts.insert(0, shown[0])
    text = "\n\n".join(f"```gherkin\n{one}\n```" for one in texts)
    if prompt.endswith("```gherkin\n"):  # a completions prompt has opened the block
        text = text.removeprefix("```gherkin\n")
    if chance.random() < 0.2:
        return text[:-20], "length"
    return text, "stop"


def chat_answer(body: dict[str, Any], slips: bool = False) -> tuple[str, str]:
    """The answer and finish reason of a chat: by rote, or that of its first message."""
    messages = [one["content"] for one in body["messages"]]
    if messages[-1].startswith("System: "):
        return f"```gherkin\n{rote.scenario_by_rote(messages[-1], WORDS)}\n```", "stop"
    to_solve = [one for one in messages if rote.asks_to_solve(one)]
    if not to_solve:
        return answer(messages[0], body["seed"])
    scenario = rote.scenario_in(to_solve[-1])  # those before it are examples
    if not rote.is_by_rote(scenario):
        return step_functions(scenario), "stop"
    code = rote.step_functions_by_rote(scenario, rote.heads_in(to_solve[-1]))
    if slips and body["temperature"] == FIRST_ATTEMPT:
        code = code[: code.rindex("@then")]
    return f"```python\n{code}\n```", "stop"


def scenario_text(chance: random.Random) -> str:
    def words(count: int) -> str:
        return " ".join(chance.sample(WORDS, count))

    return (
        f"Scenario: {words(4).capitalize()}\n  Given the {words(4)}\n"
        f"  When they {words(4)}\n  Then the {words(3)} is {chance.randrange(100)}"
    )


def step_functions(scenario: str) -> str:
    lines = ["```python", "from behave import given, when, then", ""]
    kind = "given"
    for number, line in enumerate(scenario.splitlines()):
        match = re.match(r"\s*(Given|When|Then|And) (.*)", line)
        if match:
            kind = kind if match[1] == "And" else match[1].lower()
            body = "assert context is not None" if kind == "then" else f"context.value = {number}"
            lines += ["", f"@{kind}({match[2]!r})", f"def step_{number}(context):", f"    {body}"]
    return "\n".join([*lines, "```"])


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    log: Path
    latency: float
    faults: float
    slips = False
    tries: Counter[str]
    lock = threading.Lock()

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        body = json.loads(raw)
        digest = hashlib.sha256(raw).hexdigest()
        with self.lock:
            self.tries[digest] += 1
            attempt = self.tries[digest]
        chance = random.Random(f"{digest} {attempt}")
        time.sleep(self.latency * chance.uniform(0.2, 1.8))
        if chance.random() < self.faults:
            self.fail(chance)
            return
        is_chat = self.path.endswith("/chat/completions")
        if is_chat:
            prompt = " ".join(one["content"] for one in body["messages"])
            text, finish_reason = chat_answer(body, self.slips)
        else:
            prompt = body["prompt"]
            text, finish_reason = answer(prompt, body["seed"])
        choice: dict[str, Any] = {"index": 0, "finish_reason": finish_reason}
        choice |= {"message": {"content": text}} if is_chat else {"text": text}
        usage = {
            "prompt_tokens": len(prompt.split()),
            "completion_tokens": len(text.split()),
        }
        with self.lock, self.log.open("a") as log:
            log.write(digest + "\n")
        self.reply(200, {"id": chance.randrange(10**9), "choices": [choice], "usage": usage})

    def do_GET(self) -> None:
        self.reply(200, {"data": [{"id": "scripted"}]})

    def fail(self, chance: random.Random) -> None:
        kind = chance.choice(["429", "503", "lost", "garbled", "empty"])
        if kind == "lost":
            self.close_connection = True
            self.connection.close()
        elif kind == "garbled":
            self.send(200, b'{"choices": [')
        elif kind == "empty":
            self.reply(200, {"choices": []})
        else:
            self.reply(int(kind), {"error": {"message": "not now"}}, {"Retry-After": "0"})

    def reply(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        self.send(status, json.dumps(body).encode(), headers)

    def send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--faults", type=float, default=0.0)
    parser.add_argument("--slips", action="store_true")
    options = parser.parse_args()
    Handler.log, Handler.latency, Handler.faults = options.log, options.latency, options.faults
    Handler.slips, Handler.tries = options.slips, Counter()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_address[1]}/v1", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
