"""The one client of every engine: an OpenAI-compatible HTTP endpoint."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import httpx
import tenacity

from ...core.errors import SelfBehaveError
from ...events.events import Emit, ignore
from ..base import Completion, Request
from ..contact import Contact
from .endpoints import Endpoint, Endpoints
from .http_answers import (
    TryAgainError,
    answer_in,
    completion_of,
    content_of,
    is_hopeless,
    refusal,
    seconds_after,
    server_words,
)

__all__ = ["OpenAICompatibleEngine"]

_FIRST_CONTACT_SECONDS = 5.0  # a server that was never reached is given up on sooner
_RETRIED_STATUSES = frozenset({408, 409, 425, 429})
_GATEWAY_STATUSES = frozenset({502, 503, 504})  # what proxies answer for a server that is away
_BUSY_STATUSES = _GATEWAY_STATUSES | {429}  # of an endpoint to which no request should go now


class OpenAICompatibleEngine:
    """A model behind `/chat/completions` or `/completions` (see `Engine`).

    Requests are tried again with exponential backoff and jitter on 408, 409, 425, 429, 5xx, lost
    connections, answers that are none, and where no whole answer came within `request_timeout`
    seconds; `Retry-After` is honoured. That goes on for up to `max_wait` seconds from the first
    failure. Any other refusal is final, and nothing more is asked after it.

    Of several addresses each attempt goes to the least loaded, and one that is away is left out
    until it answers again.

    Args:
        base_urls: addresses that serve the same model.
        identity: of the model, whichever address answers.
        concurrency: requests in flight at once, at all addresses together.
    """

    def __init__(
        self,
        *,
        base_urls: Sequence[str],
        model: str,
        identity: str,
        api: Literal["chat", "completions"],
        takes_grammar: bool,
        concurrency: int,
        max_wait: float,
        request_timeout: float,
        api_key: str | None = None,
        organization: str | None = None,
        extra_parameters: Mapping[str, Any] | None = None,
        notice: str | None = None,
        tell: Emit = ignore,
    ) -> None:
        self.identity = identity
        self.api = api
        self.takes_grammar = takes_grammar
        self.notice = notice
        self._endpoints = Endpoints(base_urls)
        self._model = model
        self._extra = dict(extra_parameters or {})
        self._max_wait = max_wait
        self._request_timeout = request_timeout
        self._was_reached = False
        self._stopping = asyncio.Event()
        # What failed for good ends the run, though maybe only when its turn comes: nothing more is
        # asked until then.
        self._failure: SelfBehaveError | None = None
        self._in_flight = asyncio.Semaphore(concurrency)
        self._contact = Contact(str(self._endpoints), tell)
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        if organization:
            self._headers["OpenAI-Organization"] = organization
        if not all(value.isascii() and value.isprintable() for value in self._headers.values()):
            raise SelfBehaveError(
                "the key, token or organization holds a character that none can have",
                mend="check --api_key, HF_TOKEN or OPENAI_API_KEY, and --organization",
            )
        # A client, and so a connection, for each request in flight: the work of one client that
        # pools many grows with the square of their number (25 ms a request with 256).
        self._idle: list[httpx.AsyncClient] = []
        self._last_bodies: dict[httpx.AsyncClient, int] = {}  # hashes of what each read last
        self._certificates = httpx.create_ssl_context()  # slow to load: shared

    async def aclose(self) -> None:
        while self._idle:
            await self._idle.pop().aclose()

    def stop_retrying(self) -> None:
        self._stopping.set()

    async def complete(self, request: Request) -> Completion:
        path, body = self._body(request)
        async with self._in_flight:
            self._refuse_if_stopping()
            if self._failure is not None:
                raise self._failure
            try:
                with self._contact.in_flight():
                    answer, attempts = await self._post(path, body, request)
            except SelfBehaveError as error:
                self._failure = error
                raise
        return completion_of(answer, request, attempts)

    def _new_client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            headers=self._headers,
            timeout=httpx.Timeout(self._request_timeout, connect=10.0, pool=None),
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
        self, path: str, body: dict[str, Any], request: Request
    ) -> tuple[dict[str, Any], int]:
        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(TryAgainError),
            wait=self._wait,
            stop=self._patience(),
            sleep=self._sleep,
            before_sleep=lambda state: self._tell_of_retry(request, state),
            reraise=True,
        )
        try:
            async for attempt in retrying:
                with attempt:
                    answer = await self._post_once(path, body)
        except TryAgainError as error:
            raise SelfBehaveError(
                str(error),
                where=str(self._endpoints),
                mend="check that the server is up; the same command goes on from here",
                goes_on=True,
            ) from error
        return answer, int(retrying.statistics["attempt_number"])

    async def _post_once(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        client = self._idle.pop() if self._idle else self._new_client()
        try:
            with self._endpoints.taking_one() as endpoint:
                response, content = await self._exchange(client, endpoint, path, body)
            answer = self._judge(response, content, endpoint)
            if "id" in answer and self._last_bodies.get(client) == hash(content):
                raise TryAgainError("repeated", "the server sent its answer to another request")
        except BaseException:
            # Whatever may still come on this connection would be taken for the next answer.
            self._last_bodies.pop(client, None)
            await client.aclose()
            raise
        self._last_bodies[client] = hash(content)
        self._idle.append(client)
        return answer

    def _judge(
        self, response: httpx.Response, content: bytes, endpoint: Endpoint
    ) -> dict[str, Any]:
        """The answer of a response, or the failure or refusal that it is."""
        self._was_reached = True
        status = response.status_code
        retry_after = seconds_after(response.headers)
        if status in _BUSY_STATUSES:
            endpoint.failed(retry_after)
        else:
            endpoint.answered()
        if status not in _GATEWAY_STATUSES:
            self._contact.answered()
        if status == 429 and is_hopeless(content):
            return refusal(status, response.headers, content, endpoint.address)
        if status >= 500 or status in _RETRIED_STATUSES:
            raise TryAgainError(
                str(status),
                server_words(status, content),
                retry_after=retry_after,
                is_away=status in _GATEWAY_STATUSES,
            )
        if status >= 300:
            return refusal(status, response.headers, content, endpoint.address)
        return answer_in(content)

    async def _exchange(
        self, client: httpx.AsyncClient, endpoint: Endpoint, path: str, body: dict[str, Any]
    ) -> tuple[httpx.Response, bytes]:
        """Send a request and read the whole response, in the time there is for one."""
        try:
            async with (
                # httpx's own limits are for each read: a server may well stay below them for ever.
                asyncio.timeout(self._request_timeout),
                client.stream("POST", endpoint.address + path, json=body) as response,
            ):
                return response, await content_of(response)
        except TimeoutError as error:
            endpoint.failed()
            words = f"none that is whole within {self._request_timeout:g} s"
            raise TryAgainError("no answer", words, is_away=True) from error
        except httpx.RequestError as error:
            endpoint.failed()
            words = str(error) or type(error).__name__
            raise TryAgainError("no answer", words, is_away=True) from error
        except httpx.InvalidURL as error:
            raise SelfBehaveError(
                f"not an address: {error}", where=endpoint.address, mend="correct the address"
            ) from error

    def _tell_of_retry(self, request: Request, state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        assert isinstance(error, TryAgainError), "nothing else is tried again"
        self._contact.failed(
            request,
            state.attempt_number,
            error.reason,
            error.words,
            state.upcoming_sleep,
            is_away=error.is_away,
        )

    def _patience(self) -> Callable[[tenacity.RetryCallState], bool]:
        """What decides when one request is given up.

        It counts from the first failure: a hang may have taken long to be found out.
        """
        failed_first: float | None = None

        def gives_up(state: tenacity.RetryCallState) -> bool:
            nonlocal failed_first
            failed = state.outcome_timestamp or 0.0
            failed_first = failed if failed_first is None else failed_first
            first_contact = min(_FIRST_CONTACT_SECONDS, self._max_wait)
            patience = self._max_wait if self._was_reached else first_contact
            return (
                self._stopping.is_set() or failed - failed_first + state.upcoming_sleep > patience
            )

        return gives_up

    def _wait(self, state: tenacity.RetryCallState) -> float:
        """Seconds until a request is tried again: none while another endpoint may answer it.

        Otherwise more than the server asked for: else all that it sent away would come back at one
        instant, and without any pause where it asks for none.
        """
        if state.attempt_number < len(self._endpoints) and self._endpoints.is_any_open:
            return 0.0
        error = state.outcome.exception() if state.outcome else None
        asked_for = error.retry_after if isinstance(error, TryAgainError) else None
        return (asked_for or 0.0) + _BACKOFF(state)

    async def _sleep(self, seconds: float) -> None:
        """Sleep; give up as soon as retrying is to stop."""
        # Python 3.11's `wait_for` swallows a cancellation that comes together with the event.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        self._refuse_if_stopping()

    def _refuse_if_stopping(self) -> None:
        if self._stopping.is_set():
            raise SelfBehaveError("not asked: the run is stopping", where=str(self._endpoints))


_BACKOFF = tenacity.wait_random_exponential(multiplier=0.5, max=30.0)
