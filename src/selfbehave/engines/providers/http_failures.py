"""HTTP responses that are not a success, or only look like one: temporary failures and refusals."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn

import httpx

from ...core.errors import SelfBehaveError
from ..failures import Cause, TryAgainError
from .http_connections import HttpResponse

__all__ = [
    "address_advice",
    "is_filtered",
    "is_page",
    "json_in",
    "mend_for",
    "one_line",
    "page_title",
    "raise_error_in",
    "raise_failure",
    "words_of",
]

_RETRIED_STATUSES = frozenset({408, 409, 425, 429})
_GATEWAY_STATUSES = frozenset({502, 503, 504})  # what proxies answer for an unavailable server
_MAX_WORDS = 300  # characters of a server's explanation
# Error codes for a prompt refused by a filter: of OpenAI and Azure (also as an inner error).
_FILTER_CODES = frozenset(
    {"content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation"}
)
_FILTER_WORDS = "ContentPolicyViolationError"  # of LiteLLM, which passes on other servers' errors
_NO_CREDIT = "insufficient_quota"  # of OpenAI, sent with the status of a rate limit
# The statuses that OpenAI and Anthropic send with the types and codes of their errors. Other
# servers send these errors as a success.
_STATUS_OF = {
    "authentication_error": 401,
    "billing_error": 402,
    "context_length_exceeded": 400,
    "insufficient_quota": 402,
    "invalid_api_key": 401,
    "invalid_request_error": 400,
    "model_not_found": 404,
    "not_found_error": 404,
    "overloaded_error": 529,
    "permission_error": 403,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "server_error": 500,
    "unsupported_parameter": 400,
    "unsupported_value": 400,
}
_PAGE = re.compile(rb"\s*<(?:!doctype|html|head|body|title|h1)\b", re.IGNORECASE)
_TITLE = re.compile(r"<(title|h1)\b[^>]*>(.*?)</\1", re.IGNORECASE | re.DOTALL)
_MOST_OF_PAGE = 20_000  # bytes in which the title is looked for
_VERSION = re.compile(r"/v\d", re.ASCII)
_KEY_ADVICE = "check the key or token: --api_key, HF_TOKEN or OPENAI_API_KEY"


def raise_failure(response: HttpResponse) -> None:
    """Raise the error that a response stands for, unless it is a success.

    Raises:
        TryAgainError: a temporary failure.
        SelfBehaveError: a refusal, with the server's message.
    """
    if response.status >= 300:
        _raise(response, _server_words(response))


def raise_error_in(body: Mapping[str, Any], response: HttpResponse) -> None:
    """Raise the error in the body of a success, if there is one.

    Raises:
        TryAgainError: a temporary failure, or an error of unknown kind.
        SelfBehaveError: a refusal, with the server's message.
    """
    is_error = any(body.get(name) for name in ("error", "detail", "errors"))
    if not is_error and not ("message" in body and "choices" not in body):
        return
    words = words_of(body)
    status = status_in(body)
    if status is None:
        raise TryAgainError("an error", words, cause=Cause.UNUSABLE)
    _raise(replace(response, status=status, content=json.dumps(body).encode()), words)


def status_in(body: Mapping[str, Any]) -> int | None:
    """The HTTP status that an error in a body stands for, by its code or its type."""
    for error in (_error_in(body), body):
        for name in ("code", "status", "status_code", "type"):
            value = error.get(name)
            if isinstance(value, str):
                value = int(value) if value.isdecimal() else _STATUS_OF.get(value)
            if isinstance(value, int) and 400 <= value < 600:
                return value
    return None


def is_filtered(response: HttpResponse, body: Mapping[str, Any] | None = None) -> bool:
    """Whether a content filter refused the prompt.

    Args:
        body: the body of a success, with an error in it.
    """
    if body is None and response.status != 400:
        return False
    error = _error_in(json_in(response.content) if body is None else body)
    inner = error.get("innererror")
    codes = [error.get("code"), inner.get("code") if isinstance(inner, dict) else None]
    return any(str(code) in _FILTER_CODES for code in codes) or _FILTER_WORDS in str(
        error.get("message")
    )


def words_of(body: Any) -> str:
    """The message in a JSON body, in one line; it knows the usual structures of an error."""
    if isinstance(body, list) and body:  # of Gemini
        body = body[0]
    if not isinstance(body, dict):
        return one_line(str(body))
    error = body.get("error") or body
    if not isinstance(error, dict):
        return one_line(str(error))
    message = error.get("message") or error.get("detail") or error
    if isinstance(message, dict):  # of Mistral: the details in a message
        message = message.get("detail", message)
    if isinstance(message, list):  # of FastAPI and pydantic
        message = "; ".join(map(_detail_words, message[:10]))
    metadata = error.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None
    if raw:  # of OpenRouter: the words of the server behind it
        message = f"{message}: {raw}"
    return one_line(str(message))


def json_in(content: bytes) -> Any:
    """The JSON value of a body, or None."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def is_page(content: bytes) -> bool:
    """Whether a body is a web page."""
    return bool(_PAGE.match(content))


def page_title(content: bytes) -> str:
    """The title of a web page, or its heading, in one line; "" for anything else."""
    if not is_page(content):
        return ""
    title = _TITLE.search(content[:_MOST_OF_PAGE].decode("utf-8", "replace"))
    return one_line(title[2]) if title else ""


def one_line(words: str) -> str:
    """A message made safe to print, without terminal control codes."""
    line = " ".join(words[: 2 * _MAX_WORDS].split())[:_MAX_WORDS]
    return "".join(char if char.isprintable() else "\ufffd" for char in line)


def _raise(response: HttpResponse, words: str) -> NoReturn:
    status = response.status
    is_for_now = status >= 500 or status in _RETRIED_STATUSES
    if not is_for_now or (status == 429 and _is_out_of_credit(response.content)):
        raise _refusal(response, words)
    cause = Cause.FAILED
    if status in _GATEWAY_STATUSES:
        cause = Cause.GATEWAY
    elif status == 429:
        cause = Cause.BUSY
    raise TryAgainError(
        str(status), words, retry_after=_seconds_after(response.headers), cause=cause
    )


def _refusal(response: HttpResponse, words: str) -> SelfBehaveError:
    status = response.status
    if 300 <= status < 400:
        target = one_line(response.headers.get("Location", "nowhere"))
        words = f"it sends requests elsewhere, to {target}"
    return SelfBehaveError(
        f"the server refused the request ({status}): {words}",
        where=response.address,
        mend=mend_for(status, response.address),
    )


def mend_for(status: int, address: str) -> str:
    """How to mend a refusal, by its status."""
    if status in (401, 403):
        return _KEY_ADVICE
    if status in (402, 429):
        return "check the account's credit, then run the same command again"
    if status in (404, 405):
        return f"check --model, and {address_advice(address)}"
    if status == 407:
        return "check the user and the password in HTTPS_PROXY, HTTP_PROXY or ALL_PROXY"
    if status < 400:
        return "give that address, if it is the right one"
    return "change what the server objects to and run the same command again"


def address_advice(address: str) -> str:
    """What to look at in an address that is not the one of an OpenAI-compatible server."""
    return "check the address" + ("" if _VERSION.search(address) else ": is /v1 missing?")


def _is_out_of_credit(content: bytes) -> bool:
    """Whether waiting cannot lift this rate limit, because the account has no credit left."""
    error = _error_in(json_in(content))
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
        words = page_title(response.content)
        words = words or one_line(response.content[: 4 * _MAX_WORDS].decode("utf-8", "replace"))
    return words or httpx.codes.get_reason_phrase(response.status) or "no explanation"


def _detail_words(detail: Any) -> str:
    """A validation error, with the field that it is about."""
    if not isinstance(detail, dict):
        return str(detail)
    place = detail.get("loc")
    field = f"{place[-1]}: " if isinstance(place, list) and place else ""
    return f"{field}{detail.get('msg', detail)}"


def _error_in(body: Any) -> Mapping[str, Any]:
    if isinstance(body, list) and body:
        body = body[0]
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}
