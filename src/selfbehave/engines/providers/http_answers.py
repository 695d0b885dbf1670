"""What an HTTP response of an OpenAI-compatible server means: an answer, a failure that may pass,
or a refusal that will not.

Nothing in a response is taken for granted: its length, its encoding, its JSON and its fields may
all be wrong.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from ...core.errors import SelfBehaveError
from ..base import Completion, Request

__all__ = [
    "TryAgainError",
    "answer_in",
    "completion_of",
    "content_of",
    "is_hopeless",
    "refusal",
    "seconds_after",
    "server_words",
]

MAX_ANSWER_CHARACTERS = 200_000
MAX_BODY_BYTES = 16 * 2**20  # 10 MB of text, and what JSON makes of it
_MAX_WORDS = 300  # characters of a server's explanation
_MAX_FINISH_REASON = 50
_MAX_COUNT = 2**53  # of tokens: beyond, JSON's numbers are not exact, and SQLite's end at 2**63
_THINKING = re.compile(r"\A\s*<think>.*?</think>\s*", re.S)
_FILTERED = "content_filter"  # a finish reason, and the code of a refused prompt
# How servers say that a filter refused the prompt: of OpenAI, Azure (also as an inner error).
_FILTER_CODES = frozenset({_FILTERED, "content_policy_violation", "ResponsibleAIPolicyViolation"})
_FILTER_WORDS = "ContentPolicyViolationError"  # of LiteLLM, which gives other servers' errors
_NO_CREDIT = "insufficient_quota"  # of OpenAI, with the status of a rate limit


class TryAgainError(Exception):
    """A failure that may pass: of the connection, or the server's for now.

    Args:
        reason: in a word or two.
        words: the server's own, or the connection's.
        retry_after: seconds that the server wants to be left alone.
        is_away: whether there was no answer, or only a gateway's that got none.
    """

    def __init__(
        self,
        reason: str,
        words: str = "",
        *,
        retry_after: float | None = None,
        is_away: bool = False,
    ) -> None:
        super().__init__(f"{reason}: {words}" if words else reason)
        self.reason = reason
        self.words = words
        self.retry_after = retry_after
        self.is_away = is_away


async def content_of(response: httpx.Response) -> bytes:
    """The body of a response that is being streamed, decompressed.

    Raises:
        TryAgainError: it is longer than any answer.
    """
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > MAX_BODY_BYTES:
            raise TryAgainError("answer too long", f"more than {MAX_BODY_BYTES // 2**20} MiB")
    return bytes(content)


def answer_in(content: bytes) -> dict[str, Any]:
    """The answer in a body, with a first choice that says something.

    Raises:
        TryAgainError: it is no JSON, or has no choice or no text.
    """
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError) as error:  # also bytes of another encoding, long numbers
        raise TryAgainError("bad JSON", "the server's answer was cut or garbled") from error
    if not isinstance(answer, dict):
        raise TryAgainError("bad JSON", "the server's answer is no object")
    choices = answer.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        # Some servers explain themselves under the status of a success.
        words = _words_of(answer) if "error" in answer else "the server's answer is empty"
        raise TryAgainError("no choices", words)
    choice = choices[0]
    if _text_of(choice) is None and not isinstance(choice.get("finish_reason"), str):
        raise TryAgainError("no text", "the server's answer is empty")
    return answer


def completion_of(answer: Mapping[str, Any], request: Request, attempts: int) -> Completion:
    """A request's completion out of an answer that `answer_in` let pass; of bounded size."""
    choice = answer["choices"][0]
    text = _clean(_text_of(choice) or "")
    if "message" in choice:
        text = _THINKING.sub("", text)  # a reasoning model's thoughts are not its answer
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
        attempts=attempts,
    )


def refusal(status: int, headers: Mapping[str, str], content: bytes, where: str) -> dict[str, Any]:
    """What a final refusal comes to: an empty answer if a filter refused the prompt.

    That prompt would be refused again and again, while all others may be answered.

    Raises:
        SelfBehaveError: it is about something else, told in the server's words.
    """
    if status == 400 and _is_filtered(content):
        return {"choices": [{"finish_reason": _FILTERED}]}
    words = server_words(status, content)
    if 300 <= status < 400:
        words = f"it sends requests elsewhere, to {_one_line(headers.get('Location', 'nowhere'))}"
    raise SelfBehaveError(
        f"the server refused the request ({status}): {words}", where=where, mend=_mend_for(status)
    )


def is_hopeless(content: bytes) -> bool:
    """Whether a rate limit is none that passes by waiting: the account's credit is used up."""
    error = _error_in(content)
    return _NO_CREDIT in (error.get("code"), error.get("type"))


def seconds_after(headers: Mapping[str, str]) -> float | None:
    """Read a Retry-After header: seconds or a date (RFC 9110, section 10.2.3).

    A date is compared with the server's own, where it tells one: clocks differ, and may be set
    while a run goes on.
    """
    value = headers.get("Retry-After")
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        until, now = _date(value), _date(headers.get("Date", "")) or datetime.now(UTC)
        if until is None:
            return None
        seconds = (until - now).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
        return date if date.tzinfo else date.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def server_words(status: int, content: bytes) -> str:
    """The server's own explanation in one line, from the usual shapes of an error."""
    try:
        words = _words_of(json.loads(content))
    except (ValueError, RecursionError):
        words = _one_line(content[: 4 * _MAX_WORDS].decode("utf-8", "replace"))
    return words or httpx.codes.get_reason_phrase(status) or "no explanation"


def _words_of(body: Any) -> str:
    error = body.get("error", body) if isinstance(body, dict) else body
    message = error.get("message", error) if isinstance(error, dict) else error
    return _one_line(str(message))


def _one_line(words: str) -> str:
    """Words as they can be printed: no terminal is to obey them."""
    line = " ".join(words[: 2 * _MAX_WORDS].split())[:_MAX_WORDS]
    return "".join(char if char.isprintable() else "\ufffd" for char in line)


def _error_in(content: bytes) -> dict[str, Any]:
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}


def _is_filtered(content: bytes) -> bool:
    error = _error_in(content)
    inner = error.get("innererror")
    codes = [error.get("code"), inner.get("code") if isinstance(inner, dict) else None]
    return any(str(code) in _FILTER_CODES for code in codes) or _FILTER_WORDS in str(
        error.get("message")
    )


def _mend_for(status: int) -> str:
    if status in (401, 403):
        return "check the key or token: --api_key, HF_TOKEN or OPENAI_API_KEY"
    if status == 404:
        return "check the address and --model"
    if status < 400:
        return "give that address, if it is the right one"
    if status == 429:
        return "see to the account's credit, then run the same command again"
    return "change what the server objects to and run the same command again"


def _text_of(choice: Mapping[str, Any]) -> str | None:
    """The text of a choice, be it of a chat or of a completion."""
    message = choice.get("message")
    text = message.get("content") if isinstance(message, dict) else choice.get("text")
    return text if isinstance(text, str) else None


def _clean(text: str) -> str:
    """An answer's text with what neither UTF-8 nor SQLite can hold replaced."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def _count(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value <= _MAX_COUNT else 0
