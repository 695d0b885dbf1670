"""Event streams: read one that came although a whole answer was asked for.

The format is that of server-sent events (WHATWG HTML, section 9.2), with OpenAI's chunks as data.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

__all__ = ["answer_in_stream", "is_event_stream"]

_DONE = "[DONE]"
_STARTS = (b"data:", b"event:", b"id:", b"retry:", b":")
# The fields of a message that come in pieces, to be joined.
_IN_PIECES = ("content", "reasoning_content", "reasoning", "thinking", "refusal")


def is_event_stream(content: bytes) -> bool:
    """Whether a body is an event stream, whatever its content type says."""
    return content.lstrip(b"\xef\xbb\xbf\r\n \t").startswith(_STARTS)


def answer_in_stream(content: bytes) -> dict[str, Any]:
    """Join the chunks of a stream into the answer that would have come as a whole.

    Only the first choice is read. A chunk with an error is returned instead.

    Raises:
        ValueError: the stream is cut off, or its data is not JSON.
    """
    answer: dict[str, Any] = {}
    pieces: dict[str, list[Any]] = {}
    texts: list[str] = []
    finish_reason = None
    is_done = is_chat = False
    for data in _data_in(content.decode("utf-8", "replace")):
        if data == _DONE:
            is_done = True
            break
        chunk = json.loads(data)
        if not isinstance(chunk, dict):
            raise ValueError("a chunk of the stream is not an object")
        if any(chunk.get(name) for name in ("error", "detail")):
            return chunk
        answer |= {name: chunk[name] for name in ("id", "usage") if chunk.get(name)}
        choice = _first_choice(chunk.get("choices"))
        finish_reason = choice.get("finish_reason") or finish_reason
        piece = choice.get("delta", choice.get("message"))
        if isinstance(piece, dict):
            is_chat = True
            for name in _IN_PIECES:
                if piece.get(name):
                    pieces.setdefault(name, []).append(piece[name])
        elif isinstance(choice.get("text"), str):
            texts.append(choice["text"])
    if not is_done and finish_reason is None:
        raise ValueError("the stream is cut off")
    message = {name: _joined(found) for name, found in pieces.items()}
    said = {"message": message} if is_chat else {"text": "".join(texts)} if texts else {}
    return answer | {"choices": [{"finish_reason": finish_reason, **said}]}


def _data_in(text: str) -> Iterator[str]:
    """The data of each event."""
    lines: list[str] = []
    for line in [*text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n"), ""]:
        if line.startswith("data:"):
            lines.append(line.removeprefix("data:").removeprefix(" "))
        elif not line and lines:
            yield "\n".join(lines)
            lines = []


def _first_choice(choices: Any) -> dict[str, Any]:
    found = choices if isinstance(choices, list) else []
    return next((one for one in found if isinstance(one, dict) and not one.get("index")), {})


def _joined(pieces: list[Any]) -> Any:
    """A field of the message: a text, or the parts of one."""
    if all(isinstance(piece, str) for piece in pieces):
        return "".join(pieces)
    return [part for piece in pieces for part in (piece if isinstance(piece, list) else [piece])]
