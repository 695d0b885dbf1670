"""The one client of every engine: an OpenAI-compatible HTTP endpoint."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal

import httpx
import tenacity

from ..errors import SelfBehaveError
from ..watch.events import Tell, unheard
from .contact import Contact
from .protocol import Completion, Request

__all__ = ["OpenAICompatibleEngine"]

MAX_ANSWER_CHARACTERS = 200_000
_FIRST_CONTACT_SECONDS = 5.0  # a server that was never reached is given up on sooner
_RETRIED_STATUSES = frozenset({408, 409, 429})
_GATEWAY_STATUSES = frozenset({502, 503, 504})  # what proxies answer for a server that is away
_THINKING = re.compile(r"\A\s*<think>.*?</think>\s*", re.S)


class _TryAgainError(Exception):
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


class OpenAICompatibleEngine:
    """A model behind `/chat/completions` or `/completions` (see `Engine`).

    Requests are tried again with exponential backoff and jitter on 408, 409, 429, 5xx and lost
    connections, `Retry-After` honoured, for up to `max_wait` seconds; any other refusal is final.
    """

    def __init__(
        self,
        *,
        base_url: str,
        model: str,
        identity: str,
        api: Literal["chat", "completions"],
        takes_grammar: bool,
        concurrency: int,
        max_wait: float,
        api_key: str | None = None,
        organization: str | None = None,
        extra_parameters: Mapping[str, Any] | None = None,
        notice: str | None = None,
        tell: Tell = unheard,
    ) -> None:
        self.identity = identity
        self.api = api
        self.takes_grammar = takes_grammar
        self.notice = notice
        self._base_url = base_url.rstrip("/")
        self._model = model
        self._extra = dict(extra_parameters or {})
        self._max_wait = max_wait
        self._was_reached = False
        self._stopping = asyncio.Event()
        self._in_flight = asyncio.Semaphore(concurrency)
        self._contact = Contact(self._base_url, tell)
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        if organization:
            self._headers["OpenAI-Organization"] = organization
        # A client, and so a connection, for each request in flight: the work of one client that
        # pools many grows with the square of their number (25 ms a request with 256).
        self._idle: list[httpx.AsyncClient] = []
        self._certificates = httpx.create_ssl_context()  # slow to load: shared

    async def aclose(self) -> None:
        while self._idle:
            await self._idle.pop().aclose()

    def stop_retrying(self) -> None:
        self._stopping.set()

    async def complete(self, request: Request) -> Completion:
        path, body = self._body(request)
        async with self._in_flight:
            if self._stopping.is_set():
                raise SelfBehaveError("not asked: the run is stopping", where=self._base_url)
            client = self._idle.pop() if self._idle else self._new_client()
            try:
                with self._contact.in_flight():
                    answer, attempts = await self._post(client, path, body, request)
            finally:
                self._idle.append(client)
        return _read(answer, request, attempts, self.api)

    def _new_client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            headers=self._headers,
            timeout=httpx.Timeout(600.0, connect=10.0, pool=None),
            verify=self._certificates,
        )

    def _body(self, request: Request) -> tuple[str, dict[str, Any]]:
        body = {"model": self._model, **request.parameters, **self._extra}
        if self.api == "chat":
            return "/chat/completions", {
                **body,
                "messages": [{"role": "user", "content": request.prompt}],
            }
        return "/completions", {**body, "prompt": request.prompt}

    async def _post(
        self, client: httpx.AsyncClient, path: str, body: dict[str, Any], request: Request
    ) -> tuple[dict[str, Any], int]:
        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(_TryAgainError),
            wait=_wait,
            stop=self._gives_up,
            sleep=self._sleep,
            before_sleep=lambda state: self._tell_of_retry(request, state),
            reraise=True,
        )
        try:
            async for attempt in retrying:
                with attempt:
                    answer = await self._post_once(client, path, body)
        except _TryAgainError as error:
            raise SelfBehaveError(
                str(error),
                where=self._base_url,
                mend="check that the server is up; the same command goes on from here",
            ) from error
        return answer, int(retrying.statistics["attempt_number"])

    async def _post_once(
        self, client: httpx.AsyncClient, path: str, body: dict[str, Any]
    ) -> dict[str, Any]:
        try:
            response = await client.post(self._base_url + path, json=body)
        except httpx.TransportError as error:
            words = str(error) or type(error).__name__
            raise _TryAgainError("no answer", words, is_away=True) from error
        except httpx.InvalidURL as error:
            raise SelfBehaveError(
                f"not an address: {error}", where=self._base_url, mend="correct the address"
            ) from error
        self._was_reached = True
        if response.status_code >= 500 or response.status_code in _RETRIED_STATUSES:
            is_away = response.status_code in _GATEWAY_STATUSES
            if not is_away:
                self._contact.answered()
            raise _TryAgainError(
                str(response.status_code),
                _server_words(response),
                retry_after=_seconds_after(response.headers.get("Retry-After")),
                is_away=is_away,
            )
        self._contact.answered()
        if response.status_code >= 400:
            raise SelfBehaveError(
                f"the server refused the request ({response.status_code}): "
                f"{_server_words(response)}",
                where=self._base_url,
                mend=_mend_for(response.status_code),
            )
        try:
            answer = response.json()
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise _TryAgainError("bad JSON", "the server's answer was cut or garbled") from error
        if not isinstance(answer, dict) or not isinstance(answer.get("choices"), list):
            raise _TryAgainError("no choices", "the server's answer is empty")
        if not answer["choices"] or not isinstance(answer["choices"][0], dict):
            raise _TryAgainError("no choices", "the server's answer is empty")
        return answer

    def _tell_of_retry(self, request: Request, state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        assert isinstance(error, _TryAgainError), "nothing else is tried again"
        self._contact.failed(
            request,
            state.attempt_number,
            error.reason,
            error.words,
            state.upcoming_sleep,
            is_away=error.is_away,
        )

    def _gives_up(self, state: tenacity.RetryCallState) -> bool:
        patience = self._max_wait if self._was_reached else _FIRST_CONTACT_SECONDS
        elapsed = state.seconds_since_start or 0.0
        return self._stopping.is_set() or elapsed + state.upcoming_sleep > patience

    async def _sleep(self, seconds: float) -> None:
        """Sleep, or wake as soon as retrying is to stop."""
        try:
            await asyncio.wait_for(self._stopping.wait(), timeout=seconds)
        except TimeoutError:
            return


_BACKOFF = tenacity.wait_random_exponential(multiplier=0.5, max=30.0)


def _wait(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, _TryAgainError) and error.retry_after is not None:
        return error.retry_after
    return _BACKOFF(state)


def _seconds_after(value: str | None) -> float | None:
    """Read a Retry-After header: seconds or a date (RFC 9110, section 10.2.3)."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def _server_words(response: httpx.Response) -> str:
    """The server's own explanation, from the usual shapes of an error."""
    try:
        body = response.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        return response.text[:300].strip() or response.reason_phrase
    error = body.get("error", body) if isinstance(body, dict) else body
    message = error.get("message", error) if isinstance(error, dict) else error
    return str(message)[:300]


def _mend_for(status: int) -> str:
    if status in (401, 403):
        return "check the key or token: --api_key, HF_TOKEN or OPENAI_API_KEY"
    if status == 404:
        return "check the address and --model"
    return "change what the server objects to and run the same command again"


def _read(answer: dict[str, Any], request: Request, attempts: int, api: str) -> Completion:
    choice = answer["choices"][0]
    if api == "chat":
        message = choice.get("message")
        raw = message.get("content") if isinstance(message, dict) else None
        # A reasoning model's thoughts are not its answer.
        text = _THINKING.sub("", _clean(raw))
    else:
        text = _clean(choice.get("text"))
    finish_reason = str(choice.get("finish_reason") or "unknown")
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


def _clean(text: object) -> str:
    """An answer's text with what neither UTF-8 nor SQLite can hold replaced."""
    if not isinstance(text, str):
        return ""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0
