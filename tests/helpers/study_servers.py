"""What the study's tests need beside it: a served study, a browser, a PostgreSQL server."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_CHROMIUM_OPTIONS = (
    "--no-sandbox --disable-gpu --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-quic --disable-dev-shm-usage"
).split()
_POSTGRESQL = "/usr/lib/postgresql"


def lacks(what: str) -> None:
    """Skip a test if a program is missing; fail it if everything must be tested."""
    if os.environ.get("SELFBEHAVE_SKIP_NOTHING"):
        pytest.fail(what)
    pytest.skip(what)


class StudyServer:
    """`selfbehave study serve` in a process of its own, at one port."""

    def __init__(self, place: object) -> None:
        self.place = place
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.links: dict[str, str] = {}
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "selfbehave", "study", "serve", str(self.place)]
        self._process = subprocess.Popen(
            [*command, "--port", str(self.port)], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("serving at"):
                break
            name, link = line.split()
            self.links[name] = link
        else:
            raise AssertionError("the study was not served")

    def kill(self) -> None:
        """End it as a power cut would (SIGKILL)."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


@contextmanager
def served(place: object) -> Iterator[StudyServer]:
    """A study served while the context lasts."""
    server = StudyServer(place)
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def chromium() -> Iterator[Any]:
    """A headless Chromium, driven by Playwright."""
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if path is None:
        lacks("no Chromium here: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_CHROMIUM_OPTIONS)
        yield browser
        browser.close()


@contextmanager
def postgresql() -> Iterator[str]:
    """The address of a PostgreSQL server that listens at a socket in a folder only."""
    programs = sorted(Path(_POSTGRESQL).glob("*/bin/initdb"), key=lambda path: path.parts[-3])
    if not programs:
        lacks("no PostgreSQL here: apt-get install postgresql")
    programs_dir = programs[-1].parent
    folder = tempfile.mkdtemp()
    # The server refuses to be root.
    user = []
    if os.geteuid() == 0:
        account = pwd.getpwnam("postgres")
        os.chown(folder, account.pw_uid, account.pw_gid)
        user = ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}"]
        user += ["--clear-groups", "--"]

    def run(program: str, *arguments: str) -> None:
        command = [*user, str(programs_dir / program), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)

    data = f"{folder}/data"
    try:
        run("initdb", "--no-sync", "--auth=trust", "--username=study", "--pgdata", data)
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        run("pg_ctl", "--pgdata", data, "-o", options, "-w", "--log", f"{folder}/log", "start")
        yield f"postgresql://study@/postgres?host={folder}"
    finally:
        with suppress(subprocess.CalledProcessError):
            run("pg_ctl", "--pgdata", data, "--mode", "immediate", "stop")
        shutil.rmtree(folder)
