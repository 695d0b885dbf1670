"""Parse the response of an OpenAI-compatible server into an answer, without any I/O.

The code trusts nothing in a response: its length, encoding, JSON and fields may all be wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ..base import Completion, Request
from ..failures import TryAgainError
from .http_connections import HttpResponse
from .http_failures import is_filtered, raise_failure, words_of

__all__ = ["MAX_ANSWER_CHARACTERS", "answer_of", "completion_of"]

MAX_ANSWER_CHARACTERS = 200_000
_MAX_FINISH_REASON = 50
_MAX_COUNT = 2**53  # of tokens: larger JSON numbers are inexact, and SQLite stops at 2**63
_THINKING = re.compile(r"\A\s*<think>.*?</think>\s*", re.S)
# A filter would refuse the same prompt every time, while all other prompts may be answered.
_FILTERED: Mapping[str, Any] = {"choices": [{"finish_reason": "content_filter"}]}


def answer_of(response: HttpResponse) -> Mapping[str, Any]:
    """The answer in a response; its first choice has content.

    A prompt that a content filter refused has an empty answer.

    Raises:
        TryAgainError: the response is a temporary failure, or contains no answer.
        SelfBehaveError: the response is a refusal.
    """
    if is_filtered(response):
        return _FILTERED
    raise_failure(response)
    return _answer_in(response.content)


def completion_of(answer: Mapping[str, Any], request: Request) -> Completion:
    """Make a request's completion, of limited size, from the result of `answer_of`."""
    choice = answer["choices"][0]
    text = _clean(_text_of(choice) or "")
    if "message" in choice:
        text = _THINKING.sub("", text)  # a reasoning model's thoughts are not its answer
    text = text.removeprefix(request.begun)  # some servers repeat it
    finish_reason = _clean(str(choice.get("finish_reason") or "unknown"))[:_MAX_FINISH_REASON]
    # Some servers ignore the stop texts, or some of them.
    cuts = [place for place in (text.find(stop) for stop in request.stop) if place >= 0]
    if cuts:
        text, finish_reason = text[: min(cuts)], "stop"
    if len(text) > MAX_ANSWER_CHARACTERS:
        text, finish_reason = text[:MAX_ANSWER_CHARACTERS], "length"
    raw_usage = answer.get("usage")
    usage = raw_usage if isinstance(raw_usage, dict) else {}
    return Completion(
        text=text,
        finish_reason=finish_reason,
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
    )


def _answer_in(content: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError) as error:  # includes other encodings and long numbers
        raise TryAgainError("bad JSON", "the server's answer was cut or garbled") from error
    if not isinstance(answer, dict):
        raise TryAgainError("bad JSON", "the server's answer is no object")
    choices = answer.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        # Some servers report an error with a success status.
        words = words_of(answer) if "error" in answer else "the server's answer is empty"
        raise TryAgainError("no choices", words)
    choice = choices[0]
    if _text_of(choice) is None and not isinstance(choice.get("finish_reason"), str):
        raise TryAgainError("no text", "the server's answer is empty")
    return answer


def _text_of(choice: Mapping[str, Any]) -> str | None:
    """The text of a choice, from a chat or a completion."""
    message = choice.get("message")
    text = message.get("content") if isinstance(message, dict) else choice.get("text")
    return text if isinstance(text, str) else None


def _clean(text: str) -> str:
    """Replace the characters of an answer that UTF-8 or SQLite cannot store."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def _count(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value <= _MAX_COUNT else 0
