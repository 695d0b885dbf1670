"""The faulty server, an undisturbed run to compare with, and the table of faults at the end.

The suite runs at a modest size unless SELFBEHAVE_FAULTS is "full" (`make faults`).
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ..helpers.paths import ROOT
from ..helpers.runs import contents, run, selfbehave

IS_FULL = os.environ.get("SELFBEHAVE_FAULTS") == "full"
TABLE = "fault"


def size(modest: int, full: int) -> int:
    """How often a fault is injected, or how large a run is."""
    return full if IS_FULL else modest


@dataclass
class FaultyServer:
    """A running server: its address, its process, and what it logged."""

    url: str
    log: Path
    process: subprocess.Popen[str]

    def command(self, folder: Path, *more: object, instructions: int = 12) -> list[str]:
        """The run that all of these tests disturb; a later option overrules."""
        return selfbehave(
            "run", "--engine", self.url, "--model", "scripted", "--batch_dir", folder,
            "--prompts", "bdd", "--min_rung", "bound", "--top_rung", "bound",
            "--num_instructions_to_generate", instructions, *more,
        )  # fmt: skip

    def logged(self, what: str) -> list[tuple[str, str]]:
        """Pairs of kind and request, of lines that begin with a word, such as `fault`."""
        lines = (line.split("\t") for line in self.log.read_text().splitlines())
        return [(kind, digest) for word, kind, digest in lines if word == what]

    @property
    def answered(self) -> Counter[str]:
        """How often each request was answered."""
        return Counter(digest for _, digest in self.logged("answered"))


def start_server(log: Path, **options: Any) -> FaultyServer:
    command = [sys.executable, "-m", "tests.faults.server", "--log", str(log)]
    for name, value in options.items():
        values = value if isinstance(value, list) else [value]
        command += [f"--{name}", *map(str, values)]
    log.touch()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return FaultyServer(process.stdout.readline().strip(), log, process)


@pytest.fixture
def faulty_server(tmp_path: Path) -> Iterator[Callable[..., FaultyServer]]:
    """Starts servers: `faulty_server(faults=0.3, …)`, options as of `server.py`."""
    servers: list[FaultyServer] = []

    def start(**options: Any) -> FaultyServer:
        servers.append(start_server(tmp_path / f"server-{len(servers)}.log", **options))
        return servers[-1]

    yield start
    for server in servers:
        server.process.kill()
        server.process.wait()


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    server = start_server(folder / "server.log")
    run(*server.command(folder / "r")[3:])
    server.process.kill()
    server.process.wait()
    return contents(folder / "r")


@pytest.fixture
def note(record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """Puts a line into the table: `note(fault, times, lost=…, wrong=…)`."""

    def add(fault: str, times: int, lost: int = 0, wrong: int = 0, again: int = 0) -> None:
        record_property(TABLE, [fault, times, lost, wrong, again])

    return add


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the table of faults."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    lines = [value for one in reports for name, value in one.user_properties if name == TABLE]
    if not IS_FULL or not lines:
        return
    terminalreporter.section("faults")
    heading = ["fault", "times", "lost", "wrong", "asked again"]
    width = max(len(str(line[0])) for line in [heading, *lines])
    for fault, *figures in [heading, *lines]:
        cells = "".join(f"{figure:>13}" for figure in figures)
        terminalreporter.write_line(f"{fault:<{width}}{cells}")
    terminalreporter.write_line(
        "lost: kept answers that were gone or asked for again; wrong: files other than an "
        "undisturbed run's; asked again: answers that the run was not there to keep"
    )
