"""Servers that tests ask: a scripted one, and llama.cpp with the small embedded model."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest

# How fast an example is depends on what else the machine does; what may hang has a test of its own.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

# Projects that tests read, with tests of their own.
collect_ignore = ["data"]

HERE = Path(__file__).parent / "helpers"


@pytest.hookimpl(tryfirst=True)  # before the groups are read
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that ask the model go one after the other: each of them takes all cores."""
    for item in items:
        if item.get_closest_marker("model"):
            item.add_marker(pytest.mark.xdist_group("model"))


@dataclass
class ScriptedServer:
    """A running scripted server: its address, and the digests of the requests it answered."""

    url: str
    log: Path

    @property
    def answered(self) -> list[str]:
        return self.log.read_text().split()


def start_scripted(
    log: Path, latency: float = 0.0, faults: float = 0.0, slips: bool = False
) -> tuple[subprocess.Popen[str], ScriptedServer]:
    """Start a scripted server that logs to a file; whoever starts it kills it."""
    log.touch()
    command = [sys.executable, str(HERE / "scripted_server.py"), "--log", str(log)]
    command += ["--latency", str(latency), "--faults", str(faults), *["--slips"] * slips]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, ScriptedServer(process.stdout.readline().strip(), log)


@pytest.fixture
def scripted_server(tmp_path: Path) -> Iterator[Callable[..., ScriptedServer]]:
    """Starts scripted servers: `scripted_server(latency=…, faults=…, slips=…)`."""
    processes = []

    def start(latency: float = 0.0, faults: float = 0.0, slips: bool = False) -> ScriptedServer:
        log = tmp_path / f"server-{len(processes)}.log"
        process, server = start_scripted(log, latency, faults, slips)
        processes.append(process)
        return server

    yield start
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def llama_server() -> Iterator[str]:
    """The address of a llama.cpp server with the small embedded model, open to any key."""
    command = [sys.executable, str(HERE / "llama_server.py")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield process.stdout.readline().strip()
    process.kill()
    process.wait()
