"""Parse the response of an OpenAI-compatible server into an answer, without any I/O.

The code trusts nothing in a response: its length, encoding, JSON, fields and content type may all
be wrong. It is judged by what it contains.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..base import Completion, Request
from ..failures import Cause, TryAgainError
from .event_streams import answer_in_stream, is_event_stream
from .http_connections import HttpResponse
from .http_failures import (
    address_advice,
    is_filtered,
    is_page,
    one_line,
    page_title,
    raise_error_in,
    raise_failure,
)
from .thoughts import Said, said_in_message, said_in_text

__all__ = ["MAX_ANSWER_CHARACTERS", "answer_of", "completion_of"]

MAX_ANSWER_CHARACTERS = 200_000
_MAX_FINISH_REASON = 50
_MAX_COUNT = 2**53  # of tokens: larger JSON numbers are inexact, and SQLite stops at 2**63
_MAX_QUOTE = 80  # characters of an answer that is not one
_ERROR = "error"
# A filter would refuse the same prompt every time, while all other prompts may be answered.
_FILTERED: Mapping[str, Any] = {"choices": [{"finish_reason": "content_filter"}]}
# Other servers' words for OpenAI's finish reasons, in lower case: of Together and TGI ("eos…"), of
# Anthropic ("end_turn", "max_tokens"), of Gemini ("STOP", "SAFETY"), of Mistral ("model_length").
_FINISH_REASONS = {
    "complete": "stop",
    "end_turn": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "stop": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "max_length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "content_filter": "content_filter",
    "safety": "content_filter",
}
_NO_SERVER_ADVICE = "check that the address is that of an OpenAI-compatible server"


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
    answer = _answer_in(response)
    choice = _choice_in(answer)
    if choice is None or choice.get("finish_reason") == _ERROR or choice.get(_ERROR):
        failed = {_ERROR: choice[_ERROR]} if choice is not None and choice.get(_ERROR) else answer
        if is_filtered(response, failed):
            return _FILTERED
        raise_error_in(failed, response)
        if choice is not None:
            raise TryAgainError(_ERROR, "the server broke the answer off with an error")
        if "choices" in answer:
            raise _unusable("no choices", "the server's answer is empty")
        words = f"the server's answer has no choices: {_quoted(response.content)}"
        raise _unusable("no choices", words, _NO_SERVER_ADVICE)
    if _said_in(choice) is None and not isinstance(choice.get("finish_reason"), str):
        raise _unusable("no text", "the server's answer is empty")
    return {**answer, "choices": [choice]}


def completion_of(answer: Mapping[str, Any], request: Request) -> Completion:
    """Make a request's completion, of limited size, from the result of `answer_of`."""
    choice = answer["choices"][0]
    said = _said_in(choice) or Said("")
    text = _clean(said.text)
    text = text.removeprefix(request.begun)  # some servers repeat it
    finish_reason = _finish_reason(choice.get("finish_reason"))
    if said.is_refusal and finish_reason == "stop":
        finish_reason = "refusal"
    # Some servers ignore the stop texts, or some of them.
    cuts = [place for place in (text.find(stop) for stop in request.stop) if place >= 0]
    if cuts:
        text, finish_reason = text[: min(cuts)], "stop"
    if len(text) > MAX_ANSWER_CHARACTERS:
        text, finish_reason = text[:MAX_ANSWER_CHARACTERS], "length"
    thoughts = _clean(said.thoughts[:MAX_ANSWER_CHARACTERS])
    usage = _object(answer.get("usage"))
    prompt_tokens = _count(usage.get("prompt_tokens"))
    completion_tokens = _count(usage.get("completion_tokens"))
    hidden = _count(usage.get("total_tokens")) - prompt_tokens - completion_tokens
    if hidden > 0 and completion_tokens:
        # Gemini and xAI do not count thoughts among the completion tokens, but bill them alike.
        completion_tokens += hidden
    return Completion(
        text=text,
        finish_reason=finish_reason,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        reasoning=thoughts,
        reasoning_tokens=_reasoning_tokens(usage, completion_tokens, max(0, hidden), said),
        cached_tokens=min(_cached_tokens(usage), prompt_tokens),
    )


def _answer_in(response: HttpResponse) -> Mapping[str, Any]:
    content = response.content
    kind = one_line(response.headers.get("Content-Type", "")).partition(";")[0].strip().lower()
    try:
        answer = answer_in_stream(content) if is_event_stream(content) else json.loads(content)
    except (ValueError, RecursionError) as error:  # includes other encodings and long numbers
        if kind == "text/html" or is_page(content):
            title = page_title(content)[:_MAX_QUOTE]
            words = "the server answers with a web page" + (f", '{title}'" if title else "")
            raise _unusable("HTML", words, address_advice(response.address)) from error
        if kind and "json" not in kind and "event-stream" not in kind:
            words = f"the server's answer is {kind}, not JSON: {_quoted(content)}"
            raise _unusable("no JSON", words, _NO_SERVER_ADVICE) from error
        words = "the server's answer was cut or garbled"
        raise _unusable("bad JSON", words, _NO_SERVER_ADVICE) from error
    if isinstance(answer, list) and len(answer) == 1:  # Gemini's errors
        answer = answer[0]
    if not isinstance(answer, dict):
        raise _unusable("bad JSON", "the server's answer is no object", _NO_SERVER_ADVICE)
    return answer


def _choice_in(answer: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The choice to use: the first one with text, or else the first one."""
    choices = answer.get("choices")
    if not isinstance(choices, list) or answer.get(_ERROR):
        return None
    found = [choice for choice in choices[:1000] if isinstance(choice, dict)]
    if not found:
        return None
    numbered = sorted(found, key=lambda choice: _count(choice.get("index")))
    return next((one for one in numbered if (said := _said_in(one)) and said.text), numbered[0])


def _said_in(choice: Mapping[str, Any]) -> Said | None:
    """What a choice of a chat or of a completion says."""
    message = choice.get("message")
    if isinstance(message, dict):
        return said_in_message(message)
    text = choice.get("text")
    return said_in_text(text) if isinstance(text, str) else None


def _finish_reason(value: object) -> str:
    reason = _clean(str(value or "unknown"))[:_MAX_FINISH_REASON]
    return _FINISH_REASONS.get(reason.lower(), reason)


def _reasoning_tokens(
    usage: Mapping[str, Any], completion_tokens: int, hidden: int, said: Said
) -> int:
    """The tokens of thoughts: as counted, or else by the share of their characters."""
    details = _object(usage.get("completion_tokens_details"))
    counted = max(_count(details.get("reasoning_tokens")), _count(usage.get("reasoning_tokens")))
    if not counted and not hidden and said.thoughts:
        characters = len(said.thoughts) + len(said.text)
        counted = round(completion_tokens * len(said.thoughts) / characters)
    return min(max(counted, hidden), completion_tokens)


def _cached_tokens(usage: Mapping[str, Any]) -> int:
    """The prompt's cached tokens, by OpenAI's field or by DeepSeek's."""
    details = _object(usage.get("prompt_tokens_details"))
    return max(_count(details.get("cached_tokens")), _count(usage.get("prompt_cache_hit_tokens")))


def _quoted(content: bytes) -> str:
    return repr(one_line(content[: 4 * _MAX_QUOTE].decode("utf-8", "replace"))[:_MAX_QUOTE])


def _unusable(reason: str, words: str, mend: str = "") -> TryAgainError:
    return TryAgainError(reason, words, cause=Cause.UNUSABLE, mend=mend)


def _clean(text: str) -> str:
    """Replace the characters of an answer that UTF-8 or SQLite cannot store."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value <= _MAX_COUNT else 0
