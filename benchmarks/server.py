"""An OpenAI-compatible server for benchmarks that delays its answers by a log-normal time.

Run as a process: `python -m benchmarks.server MEDIAN_SECONDS`. It prints its address and serves
until its standard input ends. The answers are those of the tests' scripted server. The same request
always has the same delay, so that two clients can be compared. Unlike the tests' server, it needs
no thread per request, so it serves hundreds of requests at a time on part of a core.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.helpers.scripted_server import answer

from .lag import P99_SIGMA

__all__ = ["serving"]


@contextmanager
def serving(*command: str) -> Iterator[str]:
    """The address of a server started as `python COMMAND…`, which prints it and reads stdin."""
    process = subprocess.Popen(
        [sys.executable, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


async def _serve(median: float) -> None:
    async def answer_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = int(head.partition("content-length:")[2].split("\r\n", 1)[0])
                raw = await reader.readexactly(length)
                body = json.loads(raw)
                chance = random.Random(f"{body['seed']} {body['prompt']}")
                if median:
                    await asyncio.sleep(median * math.exp(chance.gauss(0.0, P99_SIGMA)))
                content = _reply(body)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content))
                writer.write(content)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer_all, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await asyncio.to_thread(sys.stdin.read)


def _reply(body: dict[str, object]) -> bytes:
    prompt, seed = body["prompt"], body["seed"]
    assert isinstance(prompt, str)
    assert isinstance(seed, int)
    text, finish_reason = answer(prompt, seed)
    choice = {"index": 0, "finish_reason": finish_reason, "text": text}
    usage = {"prompt_tokens": len(prompt) // 4, "completion_tokens": len(text) // 4}
    return json.dumps({"choices": [choice], "usage": usage}).encode()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1])))
