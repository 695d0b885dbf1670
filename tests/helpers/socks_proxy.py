"""A SOCKS proxy (RFC 1928) of a few lines: version 5, without a password, for TCP connections."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import StreamRequestHandler, ThreadingTCPServer

__all__ = ["SocksProxy", "socks_proxy"]

_CONNECT, _IPV4, _NAME = 1, 1, 3


class SocksProxy(ThreadingTCPServer):
    """A running proxy; `connected` lists where it connected to."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.connected: list[tuple[str, int]] = []
        self.url = f"socks5://127.0.0.1:{self.server_address[1]}"


class _Handler(StreamRequestHandler):
    server: SocksProxy

    def handle(self) -> None:
        _, methods = self.rfile.read(2)
        self.rfile.read(methods)
        self.wfile.write(b"\x05\x00")  # no password
        _, command, _, kind = self.rfile.read(4)
        assert command == _CONNECT
        if kind == _NAME:
            host = self.rfile.read(self.rfile.read(1)[0]).decode()
        else:
            assert kind == _IPV4
            host = socket.inet_ntoa(self.rfile.read(4))
        port = int.from_bytes(self.rfile.read(2), "big")
        self.server.connected.append((host, port))
        with socket.create_connection((host, port)) as target:
            self.wfile.write(b"\x05\x00\x00\x01" + bytes(6))
            threading.Thread(target=_copy, args=(self.connection, target), daemon=True).start()
            _copy(target, self.connection)


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # one of the two has closed


@contextmanager
def socks_proxy() -> Iterator[SocksProxy]:
    """A proxy in a thread of this process."""
    proxy = SocksProxy()
    threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        proxy.server_close()
