"""The server's side of a batch: files and batches at an OpenAI-compatible address.

What differs between servers is borne: Together answers a new batch as `{"job": …}`, lists batches
without a `data` field and writes a status in capitals; Azure lets no batch expire.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import IO, Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import httpx
import tenacity

from ...core.errors import SelfBehaveError
from ..base import Api
from ..failures import Cause, TryAgainError
from ..providers.http_connections import HttpResponse
from ..providers.http_failures import raise_failure, words_of
from ..providers.openai_requests import place_of
from .lines import ENDPOINTS

__all__ = ["BatchServer", "BatchState"]

_PATHS = ("/chat/completions", "/completions")
_OVER = frozenset({"completed", "failed", "expired", "cancelled"})
_ABSENT = frozenset({404, 405, 501})
_TIMEOUT = httpx.Timeout(120.0, connect=10.0)
_MOST_BODY = 4 * 2**20  # of a status or a list
_MOST_RESULTS = 4 * 2**30  # of a file of answers, on disk
_MOST_LINE = 16 * 2**20
_LISTED = 100  # batches a page
_MOST_PAGES = 50
_BACKOFF = tenacity.wait_random_exponential(multiplier=0.5, max=30.0)

Result = TypeVar("Result")


@dataclass(frozen=True)
class BatchState:
    """What the server says of a batch.

    Attributes:
        id: the server's name for it.
        status: in OpenAI's words: "validating", "in_progress", "finalizing", "completed",
            "failed", "expired", "cancelling" or "cancelled".
        total, completed, failed: its requests, as far as it counts them.
        files: the ids of the files with answers and with failures, as far as there are any.
        words: why it failed, in one line.
    """

    id: str
    status: str
    total: int = 0
    completed: int = 0
    failed: int = 0
    files: tuple[str, ...] = ()
    words: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be answered."""
        return self.status in _OVER


class BatchServer:
    """Uploads, begins, watches and reads batches at one server. Use it within `async with`.

    A step that fails for now is tried again, with growing pauses, for `max_wait` seconds.

    Attributes:
        place: the server's address for messages, without what may be secret in it.

    Args:
        address: the server's, as for single requests.
        headers: sent with each request.
        max_wait: seconds to keep trying one step.
    """

    def __init__(self, address: str, headers: Mapping[str, str], max_wait: float = 600.0) -> None:
        self.place = place_of(address)
        self._address = address
        self._headers = dict(headers)
        self._max_wait = max_wait
        self._client: httpx.AsyncClient | None = None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[BatchServer]:
        """Open its connection, and close it at the end."""
        async with httpx.AsyncClient(headers=self._headers, timeout=_TIMEOUT) as client:
            self._client = client
            try:
                yield self
            finally:
                self._client = None

    async def upload(self, name: str, content: bytes) -> str:
        """Upload a file of requests; return its id.

        Raises:
            SelfBehaveError: the server refused it, or stayed away.
        """

        async def once() -> str:
            answer = await self._json(
                "POST",
                "/files",
                data={"purpose": "batch"},
                files={"file": (f"{name}.jsonl", content, "application/jsonl")},
            )
            return _text(answer, "id")

        return await self._patiently(once)

    async def begin(
        self, name: str, file_id: str, api: Api, window: str, *, may_be_begun: bool
    ) -> str:
        """Have the server begin a batch, unless it has; return the batch's id.

        If it is not known whether an earlier try reached the server, its list of batches decides:
        a batch would be paid for twice otherwise.

        Args:
            may_be_begun: whether there was an earlier try, maybe of another process.

        Raises:
            SelfBehaveError: the server refused it or stayed away, or it has no list to look at.
        """

        async def once() -> str:
            nonlocal may_be_begun
            if may_be_begun:
                found = await self._find(name, file_id)
                if found is not None:
                    return found
            may_be_begun = True
            answer = await self._json(
                "POST",
                "/batches",
                json={
                    "input_file_id": file_id,
                    "endpoint": ENDPOINTS[api],
                    "completion_window": window,
                    "metadata": {"name": name},
                },
            )
            return _text(_batch_in(answer), "id")

        return await self._patiently(once)

    async def look(self, batch_id: str) -> BatchState:
        """What the server says of a batch.

        Raises:
            SelfBehaveError: it does not know the batch, or stayed away.
        """

        async def once() -> BatchState:
            return _state_in(_batch_in(await self._json("GET", f"/batches/{batch_id}")))

        return await self._patiently(once)

    async def lines(self, state: BatchState) -> list[bytes]:
        """The lines of all files of a batch that is over.

        Raises:
            SelfBehaveError: a file is gone, or the server stayed away.
        """
        with tempfile.TemporaryFile() as kept:
            for file_id in state.files:

                async def once(file_id: str = file_id, place: int = kept.tell()) -> None:
                    kept.seek(place)
                    kept.truncate()
                    await self._download(file_id, kept)
                    kept.write(b"\n")

                await self._patiently(once)
            kept.seek(0)
            return _lines_of(kept)

    async def _find(self, name: str, file_id: str) -> str | None:
        """The batch of a file in the server's list."""
        after: str | None = None
        for _ in range(_MOST_PAGES):
            query = {"limit": str(_LISTED), **({"after": after} if after else {})}
            response = await self._response("GET", "/batches", params=query)
            if response.status in _ABSENT:
                raise SelfBehaveError(
                    f"it is not known whether the server began the batch {name}, and it has no "
                    "list of batches",
                    where=self.place,
                    mend="look there; if it did not, forget it with: selfbehave batch drop",
                )
            raise_failure(response)
            listed = _json_in(response.content)
            batches = listed.get("data") if isinstance(listed, dict) else listed
            batches = [one for one in batches or [] if isinstance(one, dict)]
            for one in batches:
                noted = one.get("metadata")
                if one.get("input_file_id") == file_id or (
                    isinstance(noted, dict) and noted.get("name") == name
                ):
                    return _text(one, "id")
            has_more = isinstance(listed, dict) and listed.get("has_more") is True
            if not batches or not has_more:
                return None
            after = _text(batches[-1], "id")
        return None

    async def _download(self, file_id: str, into: IO[bytes]) -> None:
        url = self._url(f"/files/{file_id}/content")
        try:
            async with self._opened_client.stream("GET", url) as response:
                if response.status_code >= 300:
                    content = await response.aread()
                    raise_failure(
                        HttpResponse(self.place, response.status_code, response.headers, content)
                    )
                size = 0
                async for chunk in response.aiter_bytes():
                    size += len(chunk)
                    if size > _MOST_RESULTS:
                        raise SelfBehaveError(
                            f"the file of answers is larger than {_MOST_RESULTS >> 30} GiB",
                            where=self.place,
                        )
                    into.write(chunk)
        except httpx.RequestError as error:
            raise _unreached(error) from error

    async def _json(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        response = await self._response(method, path, **request)
        if response.status in _ABSENT and not path.startswith("/batches/"):
            raise SelfBehaveError(
                f"the server has no batches ({response.status} for {path})",
                where=self.place,
                mend="leave --batch out, or carry the files by hand: selfbehave batch --help",
            )
        raise_failure(response)
        answer = _json_in(response.content)
        if not isinstance(answer, dict):
            raise TryAgainError("bad JSON", "the server's answer is no object")
        return answer

    async def _response(self, method: str, path: str, **request: Any) -> HttpResponse:
        try:
            async with self._opened_client.stream(method, self._url(path), **request) as response:
                content = bytearray()
                async for chunk in response.aiter_bytes():
                    content += chunk
                    if len(content) > _MOST_BODY:
                        raise TryAgainError("answer too long", f"for {path}")
        except httpx.RequestError as error:
            raise _unreached(error) from error
        return HttpResponse(self.place, response.status_code, response.headers, bytes(content))

    async def _patiently(self, once: Callable[[], Awaitable[Result]]) -> Result:
        """Try a step again while it fails for now."""
        began = time.monotonic()
        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(TryAgainError),
            wait=_pause,
            stop=lambda state: time.monotonic() - began + state.upcoming_sleep > self._max_wait,
            sleep=asyncio.sleep,
            reraise=True,
        )
        try:
            return await retrying(once)
        except TryAgainError as error:
            raise SelfBehaveError(
                f"the batch cannot go on: {error}",
                where=self.place,
                mend="the same command continues",
                goes_on=True,
            ) from error

    def _url(self, path: str) -> str:
        parts = urlsplit(self._address)
        base = parts.path.rstrip("/")
        for ending in _PATHS:
            base = base.removesuffix(ending)
        return urlunsplit((parts.scheme, parts.netloc, base + path, parts.query, ""))

    @property
    def _opened_client(self) -> httpx.AsyncClient:
        if self._client is None:
            raise RuntimeError("a batch server is used within `opened`")
        return self._client


def _pause(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, TryAgainError) else None
    return (asked or 0.0) + _BACKOFF(state)


def _unreached(error: httpx.RequestError) -> TryAgainError:
    words = str(error) or type(error).__name__
    return TryAgainError("no answer", words, cause=Cause.UNREACHED)


def _lines_of(file: IO[bytes]) -> list[bytes]:
    """The lines of a file; the beginning of one that is too long, which is no JSON then."""
    lines = []
    while line := file.readline(_MOST_LINE):
        lines.append(line)
    return lines


def _json_in(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise TryAgainError("bad JSON", "the server's answer was cut or garbled") from error


def _batch_in(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    job = answer.get("job")
    return job if isinstance(job, dict) else answer


def _text(answer: Mapping[str, Any], name: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str) or not value or not value.isprintable() or "/" in value:
        raise TryAgainError("bad JSON", f"the server's answer has no {name}")
    return value


def _state_in(batch: Mapping[str, Any]) -> BatchState:
    status = batch.get("status")
    if not isinstance(status, str):
        raise TryAgainError("bad JSON", "the server's answer has no status")
    raw_counts = batch.get("request_counts")
    counts = raw_counts if isinstance(raw_counts, dict) else {}
    files = (batch.get("output_file_id"), batch.get("error_file_id"))
    return BatchState(
        id=_text(batch, "id"),
        status=status.lower(),
        total=_count(counts.get("total")),
        completed=_count(counts.get("completed")),
        failed=_count(counts.get("failed")),
        files=tuple(file for file in files if isinstance(file, str) and file),
        words=_words_in(batch),
    )


def _words_in(batch: Mapping[str, Any]) -> str:
    errors = batch.get("errors") or batch.get("error")
    listed = errors.get("data") if isinstance(errors, dict) else errors
    first = listed[0] if isinstance(listed, list) and listed else listed
    return words_of(first) if first else ""


def _count(value: object) -> int:
    return value if isinstance(value, int) and value >= 0 else 0
