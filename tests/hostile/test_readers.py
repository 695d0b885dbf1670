"""Whatever a file holds, it is read, or refused in one line; within bounds of time and memory."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ..helpers.paths import ROOT
from .detonate import MEMORY, SECONDS
from .readers import READERS, outcome

# What the formats' readers and the models' answers turn on.
WORDS = rb"""{ } [ ] , : " \ud800 \u0000 1e999 -1 null true NaN 9e9 "a" | <a> ``` ```gherkin
    ```python Feature: Scenario: Given When Then And Examples: # @a @given('a') {x:d} def f(c):
    import from . as = ( ) ' * ## ### Example Input: Output: Label: Task: Yes <c> </c> <row> =1+1
    ; TRUE"""
BYTES = (
    b" ", b"  ", b"\n", b"\r", b"\r\n", b"\t", b"\0", b"\\", b'"""', b"```gherkin\n", b"\x1b[2J",
    b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"\xff", b"\xed\xa0\x80", b"9" * 5000, b"[" * 500,
)  # fmt: skip
TOKENS = st.sampled_from([*WORDS.split(), *BYTES])
EDITS = st.lists(
    st.tuples(st.floats(0, 1), st.floats(0, 0.3), TOKENS | st.binary(max_size=8)),
    min_size=1,
    max_size=5,
)


def edited(data: bytes, edits: list[tuple[float, float, bytes]]) -> bytes:
    """Bytes with pieces of them replaced; where and how much in shares of the whole."""
    for place, share, new in edits:
        start = int(place * len(data))
        data = data[:start] + new + data[start + int(share**3 * len(data)) :]
    return data


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=5, suppress_health_check=list(HealthCheck))
@given(chosen=st.integers(0, 99), edits=EDITS)
def test_any_file_is_read_or_refused_in_one_line(
    name: str, chosen: int, edits: list[tuple[float, float, bytes]]
) -> None:
    seeds = READERS[name].seeds()
    outcome(name, edited(seeds[chosen % len(seeds)], edits))


@pytest.mark.parametrize("name", READERS)
def test_every_reader_reads_its_seeds(name: str) -> None:
    assert "read" in {outcome(name, seed) for seed in READERS[name].seeds()}


# The others read by the same functions: `make fuzz` sets off every bomb in each.
@pytest.mark.parametrize("name", ["answer", "pair", "ratings_csv"])
def test_no_bomb_takes_more_time_or_memory_than_is_bounded(name: str) -> None:
    command = [sys.executable, "-m", "tests.hostile.detonate", name]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    failures = [line for line in done.stdout.splitlines() if "FAILED" in line]
    assert not failures, f"over {SECONDS} s, {MEMORY // 2**20} MiB, or no SelfBehaveError"
    assert done.returncode == 0, done.stdout[-2000:]
