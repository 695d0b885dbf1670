"""Security of the rating pages: response headers, allowed hosts, signed and size-limited forms."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection
from urllib.parse import parse_qsl, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["ANY_HOST", "MAX_BODY_BYTES", "SafeHeaders", "form_signature", "read_form"]

MAX_BODY_BYTES = 64 * 1024
ANY_HOST = "*"
_MAX_FIELDS = 50

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    # A link is a password: keep it from other sites, caches and search engines.
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class SafeHeaders:
    """Middleware that rejects unknown hosts and adds the security headers to every response.

    The host check prevents DNS rebinding: another site can make its name resolve to this address,
    but its requests still carry that name as the host.

    Args:
        hosts: the allowed host names, in lower case and without port; `ANY_HOST` allows all.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._headers = [(name.lower().encode(), _HEADERS[name].encode()) for name in _HEADERS]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Assets are not private. Caches may store them if they check for changes.
        is_asset = scope["path"].startswith("/static/")
        headers = [
            (name, b"no-cache" if is_asset and name == b"cache-control" else value)
            for name, value in self._headers
        ]

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), *headers]}
            await send(message)

        request = Request(scope)
        host = urlsplit("//" + request.headers.get("host", "")).hostname
        if ANY_HOST not in self._hosts and host not in self._hosts:
            refusal = PlainTextResponse("These pages are not served by that name.", 400)
            await refusal(scope, receive, send_safely)
            return
        await self._app(scope, receive, send_safely)


def form_signature(secret: bytes, token: str) -> str:
    """Return the signature for the forms of a link's pages, which other sites cannot know."""
    return hmac.new(secret, f"form {token}".encode(), hashlib.sha256).hexdigest()


async def read_form(request: Request, signature: str) -> dict[str, str]:
    """Return the fields of a posted form, after checking that it came from this site.

    Raises:
        HTTPException: 403 if it came from another site, 413 if it is too large, 400 if it is not a
            form.
    """
    _refuse_other_sites(request)
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise HTTPException(413, f"a form is at most {MAX_BODY_BYTES // 1024} KiB")
    try:
        fields = dict(
            parse_qsl(
                body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MAX_FIELDS
            )
        )
    except ValueError as error:
        raise HTTPException(400, "not a form") from error
    if not hmac.compare_digest(fields.pop("csrf", "").encode(), signature.encode()):
        raise HTTPException(403, "the form is not signed by this study; load the page again")
    return fields


def _refuse_other_sites(request: Request) -> None:
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    # With "no-referrer", forms send the origin "null", but Sec-Fetch-Site still shows the site.
    is_ours = (
        origin is None
        or (origin == "null" and site is not None)
        or urlsplit(origin).netloc == request.headers.get("host")
    )
    if not is_ours or site not in (None, "same-origin"):
        raise HTTPException(403, "the form was sent by another site")
