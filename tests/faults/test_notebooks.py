"""A run in a notebook's cell that its user interrupts, in a real Jupyter kernel."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from ..helpers.paths import ROOT
from ..helpers.runs import answers
from .checks import differing, kept_answers
from .conftest import FaultyServer


class Notebook:
    """A kernel, one cell after the other."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self._manager = manager
        self._client = client
        self._cell = ""
        self.printed = ""

    def begin(self, code: str) -> None:
        """Begin to execute a cell."""
        # By default a cell that fails cancels those that were begun meanwhile.
        self._cell, self.printed = self._client.execute(code, stop_on_error=False), ""

    def interrupt(self) -> None:
        """The stop button."""
        self._manager.interrupt_kernel()

    def wait_for(self, words: str) -> None:
        """Wait until the cell has printed these words."""
        while words not in self.printed:
            message = self._client.get_iopub_msg(timeout=60)
            content = message["content"]
            self.printed += content.get("text", "") + content.get("data", {}).get("text/plain", "")

    def end(self) -> str:
        """Wait for the cell's end; return the name of the error that it ended with, or ""."""
        while True:
            reply = self._client.get_shell_msg(timeout=60)
            if reply["parent_header"].get("msg_id") == self._cell:
                assert reply["content"]["status"] in ("ok", "error"), "it was executed"
                name: str = reply["content"].get("ename", "")
                return name


@pytest.fixture
def notebook(tmp_path: Path) -> Iterator[Notebook]:
    manager = KernelManager()
    manager.start_kernel(env=os.environ | {"PYTHONPATH": str(ROOT / "src")}, cwd=str(tmp_path))
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        yield Notebook(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def cell(server: FaultyServer, folder: Path) -> str:
    """The run that `FaultyServer.command` is, as a notebook's cell."""
    return f"""
from pathlib import Path
import selfbehave
from selfbehave.engines.settings import EngineSettings
from selfbehave.runs.run_settings import RunSettings

report = selfbehave.run(
    Path({str(folder)!r}),
    RunSettings(
    num_instructions_to_generate=12, prompts="bdd", min_rung="bound", top_rung="bound"
),
    EngineSettings(engine={server.url!r}, model="scripted", request_timeout=200.0),
)
"""


def until(is_so: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end, "the cell does not do what it should"
        time.sleep(0.01)


def test_an_interrupted_cell_keeps_what_is_in_flight_and_goes_on_when_it_is_run_again(
    notebook: Notebook, faulty_server: Any, tmp_path: Path, undisturbed: dict[str, bytes], note: Any
) -> None:
    server, folder = faulty_server(latency=0.3), tmp_path / "r"
    notebook.begin(cell(server, folder))
    until(lambda: answers(folder) >= 3)
    notebook.interrupt()
    assert notebook.end() == "KeyboardInterrupt"
    kept = kept_answers(folder)
    lost = len(set(server.answered) - set(kept))
    assert not (folder / "machine_generated_instances.jsonl").exists(), "it was interrupted"

    notebook.begin(cell(server, folder))
    assert notebook.end() == ""
    again = sum(count - 1 for count in server.answered.values())
    wrong = differing(folder, undisturbed)
    note("interrupt in a notebook", 1, lost, len(wrong), again)
    assert (lost, again, wrong) == (0, 0, [])


def test_a_cell_that_is_interrupted_twice_ends_at_once_and_can_be_run_again(
    notebook: Notebook, faulty_server: Any, tmp_path: Path, undisturbed: dict[str, bytes], note: Any
) -> None:
    server, folder = faulty_server(gone_after=6, kinds=["hangs"], faults=0.5), tmp_path / "r"
    notebook.begin(cell(server, folder))
    until(lambda: server.logged("fault") and answers(folder) >= 2)
    notebook.interrupt()
    notebook.wait_for("in flight")
    begun = time.monotonic()
    notebook.interrupt()
    assert notebook.end() == "KeyboardInterrupt"
    assert time.monotonic() - begun < 60, "hangs last for longer"

    kept, calm = kept_answers(folder), faulty_server()
    notebook.begin(cell(calm, folder))
    assert notebook.end() == "", "the folder is free again"
    lost, wrong = len(set(kept) & set(calm.answered)), differing(folder, undisturbed)
    note("interrupt in a notebook, twice", 1, lost, len(wrong))
    assert (lost, wrong) == (0, [])
