"""A chat endpoint on loopback whose answers a test decides; it notes what it is asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["ChatLog", "chatting"]

Answering = Callable[[list[dict[str, str]]], str]


@dataclass
class ChatLog:
    """A server's address, and the bodies that it was sent."""

    address: str
    bodies: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def chatting(answer: Answering) -> Iterator[ChatLog]:
    """A server that answers messages by `answer`, cut off at the first stop text.

    As llama.cpp's server does, it repeats the beginning of an answer that the last message holds.
    """
    log = ChatLog("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send({"data": [{"id": "scripted"}]})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            log.bodies.append(body)
            messages = body["messages"]
            text = answer(messages)
            for stop in body.get("stop", ()):
                text = text.partition(stop)[0]
            prompt = sum(len(one["content"]) for one in messages)
            cached = {"cached_tokens": prompt // 2}
            usage = {
                "prompt_tokens": prompt,
                "completion_tokens": len(text),
                "prompt_tokens_details": cached,
            }
            beginning = messages[-1]["content"] if messages[-1]["role"] == "assistant" else ""
            message = {"role": "assistant", "content": beginning + text}
            self._send({"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage})

        def _send(self, content: dict[str, Any]) -> None:
            data = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    log.address = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield log
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
