"""HTTP responses that are not a success: temporary failures and refusals."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from ...core.errors import SelfBehaveError
from ..failures import Cause, TryAgainError
from .http_connections import HttpResponse

__all__ = ["is_filtered", "raise_failure", "words_of"]

_RETRIED_STATUSES = frozenset({408, 409, 425, 429})
_GATEWAY_STATUSES = frozenset({502, 503, 504})  # what proxies answer for an unavailable server
_MAX_WORDS = 300  # characters of a server's explanation
# Error codes for a prompt refused by a filter: of OpenAI and Azure (also as an inner error).
_FILTER_CODES = frozenset(
    {"content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation"}
)
_FILTER_WORDS = "ContentPolicyViolationError"  # of LiteLLM, which passes on other servers' errors
_NO_CREDIT = "insufficient_quota"  # of OpenAI, sent with the status of a rate limit


def raise_failure(response: HttpResponse) -> None:
    """Raise the error that a response stands for, unless it is a success.

    Raises:
        TryAgainError: a temporary failure.
        SelfBehaveError: a refusal, with the server's message.
    """
    status = response.status
    if status < 300:
        return
    is_for_now = status >= 500 or status in _RETRIED_STATUSES
    if not is_for_now or (status == 429 and _is_out_of_credit(response.content)):
        raise _refusal(response)
    cause = Cause.FAILED
    if status in _GATEWAY_STATUSES:
        cause = Cause.GATEWAY
    elif status == 429:
        cause = Cause.BUSY
    raise TryAgainError(
        str(status),
        _server_words(response),
        retry_after=_seconds_after(response.headers),
        cause=cause,
    )


def is_filtered(response: HttpResponse) -> bool:
    """Whether a content filter refused the prompt."""
    if response.status != 400:
        return False
    error = _error_in(response.content)
    inner = error.get("innererror")
    codes = [error.get("code"), inner.get("code") if isinstance(inner, dict) else None]
    return any(str(code) in _FILTER_CODES for code in codes) or _FILTER_WORDS in str(
        error.get("message")
    )


def words_of(body: Any) -> str:
    """The message in a JSON body, in one line; it knows the usual structures of an error."""
    error = body.get("error", body) if isinstance(body, dict) else body
    message = error.get("message", error) if isinstance(error, dict) else error
    return _one_line(str(message))


def _refusal(response: HttpResponse) -> SelfBehaveError:
    status = response.status
    words = _server_words(response)
    if 300 <= status < 400:
        target = _one_line(response.headers.get("Location", "nowhere"))
        words = f"it sends requests elsewhere, to {target}"
    return SelfBehaveError(
        f"the server refused the request ({status}): {words}",
        where=response.address,
        mend=_mend_for(status),
    )


def _mend_for(status: int) -> str:
    if status in (401, 403):
        return "check the key or token: --api_key, HF_TOKEN or OPENAI_API_KEY"
    if status == 404:
        return "check the address and --model"
    if status < 400:
        return "give that address, if it is the right one"
    if status == 429:
        return "check the account's credit, then run the same command again"
    return "change what the server objects to and run the same command again"


def _is_out_of_credit(content: bytes) -> bool:
    """Whether waiting cannot lift this rate limit, because the account has no credit left."""
    error = _error_in(content)
    return _NO_CREDIT in (error.get("code"), error.get("type"))


def _seconds_after(headers: Mapping[str, str]) -> float | None:
    """Read a Retry-After header: seconds or a date (RFC 9110, section 10.2.3).

    A date is compared with the date in the server's response, if there is one: clocks differ, and
    may be adjusted during a run.
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


def _server_words(response: HttpResponse) -> str:
    """The server's error message in one line."""
    try:
        words = words_of(json.loads(response.content))
    except (ValueError, RecursionError):
        words = _one_line(response.content[: 4 * _MAX_WORDS].decode("utf-8", "replace"))
    return words or httpx.codes.get_reason_phrase(response.status) or "no explanation"


def _one_line(words: str) -> str:
    """A message made safe to print, without terminal control codes."""
    line = " ".join(words[: 2 * _MAX_WORDS].split())[:_MAX_WORDS]
    return "".join(char if char.isprintable() else "\ufffd" for char in line)


def _error_in(content: bytes) -> dict[str, Any]:
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}
