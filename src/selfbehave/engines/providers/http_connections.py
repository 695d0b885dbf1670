"""Connections to one HTTP server: they send a request and return the whole response."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from ssl import SSLContext
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from ...core.errors import SelfBehaveError
from ..failures import Cause, TryAgainError

__all__ = ["Connection", "Connections", "HttpResponse"]

_CONNECT_SECONDS = 10.0
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_MAX_BODY_BYTES = 16 * 2**20  # 10 MB of text, encoded as JSON


@dataclass(frozen=True)
class HttpResponse:
    """A whole response.

    Attributes:
        address: the server's address, for messages.
        headers: the headers by name, ignoring case.
    """

    address: str
    status: int
    headers: Mapping[str, str]
    content: bytes


class Connections:
    """A connection for each request in flight; idle connections are reused.

    A single httpx client that pools many connections needs time quadratic in their number
    (25 ms a request with 256).

    Args:
        address: the server's address, for messages.
        headers: sent with each request.
        may_use_proxy: whether requests go through the proxy that the environment names, if any.
    """

    def __init__(
        self, address: str, headers: Mapping[str, str], *, may_use_proxy: bool = True
    ) -> None:
        self._address = address
        self._headers = headers
        self._may_use_proxy = may_use_proxy
        self._idle: list[Connection] = []

    @asynccontextmanager
    async def taking_one(self) -> AsyncIterator[Connection]:
        """A connection for one request; it is closed if the request fails.

        Otherwise data that still arrives would be mistaken for the next answer.
        """
        connection = self._idle.pop() if self._idle else self._new()
        try:
            yield connection
        except BaseException:
            await connection.close()
            raise
        self._idle.append(connection)

    async def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            await self._idle.pop().close()

    def _new(self) -> Connection:
        is_encrypted = urlsplit(self._address).scheme == "https"
        certificates = _certificates() if is_encrypted else False
        try:
            client = httpx.AsyncClient(
                headers=dict(self._headers),
                # The engine's client limits how long an answer may take.
                timeout=httpx.Timeout(None, connect=_CONNECT_SECONDS),
                verify=certificates,
                trust_env=self._may_use_proxy,
            )
        except ImportError as error:
            raise SelfBehaveError(
                f"{_proxy_variable(self._address)} names a SOCKS proxy, which needs the package "
                "socksio",
                mend="pip install 'selfbehave[socks]', or unset the variable",
            ) from error
        except (ValueError, httpx.InvalidURL) as error:
            raise SelfBehaveError(
                f"{_proxy_variable(self._address)} is not the address of a proxy: {error}",
                mend="correct it, or unset it",
            ) from error
        return Connection(self._address, client)


class Connection:
    """A connection to a server, used by one request at a time."""

    def __init__(self, address: str, client: httpx.AsyncClient) -> None:
        self._address = address
        self._client = client
        self._last_content: int | None = None  # its hash

    async def post(self, url: str, body: Mapping[str, Any]) -> HttpResponse:
        """Send a request and read the whole response.

        Raises:
            TryAgainError: there was no response, or it is longer than any answer.
            SelfBehaveError: the address is invalid.
        """
        return await self._response("POST", url, json=body)

    async def get(self, url: str) -> HttpResponse:
        """Read what is at an address.

        Raises:
            TryAgainError: there was no response, or it is too long.
            SelfBehaveError: the address is invalid.
        """
        return await self._response("GET", url)

    async def _response(self, method: str, url: str, **request: Any) -> HttpResponse:
        try:
            async with self._client.stream(method, url, **request) as response:
                content = await _content_of(response)
        except httpx.UnsupportedProtocol as error:
            raise SelfBehaveError(f"not an address: {error}", where=self._address) from error
        except httpx.RequestError as error:
            words = str(error) or type(error).__name__
            if "CERTIFICATE_VERIFY_FAILED" in words:
                raise SelfBehaveError(
                    f"the server's certificate is not trusted: {words}",
                    where=self._address,
                    mend="name a file with the certificate of its authority in SSL_CERT_FILE",
                ) from error
            if self._client.trust_env and (name := _proxy_variable(url)):
                words += f" (through the proxy of {name})"
            raise TryAgainError("no answer", words, cause=Cause.UNREACHED) from error
        except httpx.InvalidURL as error:
            raise SelfBehaveError(
                f"not an address: {error}", where=self._address, mend="correct the address"
            ) from error
        return HttpResponse(self._address, response.status_code, response.headers, content)

    def refuse_repeated(self, content: bytes) -> None:
        """Refuse a response that repeats the previous one, because the server is faulty.

        Only responses with an id are checked: two requests can never share them.

        Raises:
            TryAgainError: the previous response on this connection was the same.
        """
        if self._last_content == hash(content):
            raise TryAgainError("repeated", "the server sent its answer to another request")

    def remember(self, content: bytes) -> None:
        """Remember a response, to recognize it if it arrives again."""
        self._last_content = hash(content)

    async def close(self) -> None:
        await self._client.aclose()


@cache  # slow to load
def _certificates() -> SSLContext:
    try:
        return httpx.create_ssl_context()
    except OSError as error:  # ssl.SSLError too
        named = next((name for name in _CERTIFICATES if os.environ.get(name)), "")
        raise SelfBehaveError(
            f"no certificates can be read from {named or 'the system'}: {error.strerror or error}",
            where=os.environ.get(named),
            mend=f"correct {named}, or unset it" if named else "reinstall the package certifi",
        ) from error


def _proxy_variable(url: str) -> str | None:
    """The variable of the environment that names the proxy for an address."""
    parts = urlsplit(url)
    proxies = getproxies()
    name = parts.scheme if parts.scheme in proxies else "all"
    is_used = name in proxies and not proxy_bypass(parts.hostname or "")
    return f"{name.upper()}_PROXY" if is_used else None


async def _content_of(response: httpx.Response) -> bytes:
    """The decompressed body of a streamed response."""
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > _MAX_BODY_BYTES:
            raise TryAgainError("answer too long", f"more than {_MAX_BODY_BYTES // 2**20} MiB")
    return bytes(content)
