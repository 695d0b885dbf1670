"""Serve a study's pages: the listening socket, the host names, and the private links."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

import uvicorn

from ...core.errors import SelfBehaveError
from ..store import Rater, Study
from .app import link_path, make_app
from .security import ANY_HOST

__all__ = ["is_loopback", "link_maker", "listen", "serve"]

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_SECONDS_TO_END = 3


def link_maker(url: str) -> Callable[[Rater], str]:
    """Return a function that makes a rater's private link from the study's base URL.

    Raises:
        SelfBehaveError: the base URL is not an HTTP or HTTPS address.
    """
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
        raise SelfBehaveError(f"{url!r} is not an address", mend="write https://rate.example.org")
    return lambda rater: url.rstrip("/") + link_path(rater)


def listen(host: str, port: int) -> tuple[socket.socket, str]:
    """Listen on a port and return the socket and its URL; port 0 chooses a free port.

    Raises:
        SelfBehaveError: it is not possible to listen on the port.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen()  # early requests wait until the server is ready
    except (OSError, OverflowError) as error:
        listening.close()
        raise SelfBehaveError(
            f"cannot listen at {host} port {port}: {getattr(error, 'strerror', None) or error}",
            mend="give another --port, or 0 for a free one",
        ) from error
    name = f"[{host}]" if ":" in host else host
    return listening, f"http://{name}:{listening.getsockname()[1]}"


def is_loopback(host: str) -> bool:
    """Whether a host is reachable only from this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def serve(study: Study, listening: socket.socket, host: str, url: str) -> None:
    """Serve a study until interrupted.

    Args:
        listening: the socket from `listen`.
        host: the host passed to `listen`.
        url: the public URL of the study; a proxy's URL if there is one.
    """
    # A server bound to all addresses may have any name. Then only the links protect it.
    is_everywhere = host in ("0.0.0.0", "::")
    hosts = {ANY_HOST} if is_everywhere else {*_LOOPBACK, host, urlsplit(url).hostname or host}
    config = uvicorn.Config(
        make_app(study, hosts, link_maker(url)),
        access_log=False,  # the log would contain the links, which are passwords
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=_SECONDS_TO_END,
    )
    uvicorn.Server(config).run(sockets=[listening])
