"""What the attempts of a run gave: rows after each attempt, what repairs mend, the cost of a row.

An older run has no `attempts.jsonl`; then there are no figures of attempts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..bdd.faults import FaultCode, label
from ..bdd.ladder import Rung
from ..core.jsonl import each_record
from ..core.records import Attempt
from ..core.run_files import ATTEMPTS_FILE
from ..core.rungs import RUNGS
from .answers import JournalAnswer

__all__ = [
    "NO_FAULT",
    "Mended",
    "ReportAttempt",
    "RowCost",
    "costs_of_rows",
    "reached_after",
    "read_attempts",
    "repairs_by_fault",
    "rung_changes",
]

NO_FAULT = "no fault"
_RUNG_NAMES = frozenset((*RUNGS, str(Rung.NONE)))
_MOST_ATTEMPTS = 1_000  # of one instruction; a file that says more is not one of ours


@dataclass(frozen=True, slots=True)
class ReportAttempt:
    """An attempt at a scenario, without its texts.

    Attributes:
        task: the number of its instruction, from 0, in the order of the file.
        attempt: its number within the instruction, from 0.
        repairs: the number of the attempt that it repairs; None if it was made afresh.
        faults: the kinds of its faults; `OTHER` for one that this version does not know.
        prompt_tokens, completion_tokens: of its answer.
    """

    task: int
    attempt: int
    repairs: int | None
    rung: Rung
    faults: tuple[FaultCode, ...]
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Mended:
    """What repairs made of the answers with one kind of fault.

    Attributes:
        fault: of the attempts that were repaired.
        repairs: how many repairs were told of it.
        gone: how many of these no longer have it.
        higher, lower: how many reached a higher or a lower rung.
        became: the first fault of each repair, or `NO_FAULT`, with its count.
    """

    fault: str
    repairs: int
    gone: int
    higher: int
    lower: int
    became: Counter[str]


@dataclass(frozen=True, slots=True)
class RowCost:
    """The tokens of a whole run for each scenario that reached a rung.

    Attributes:
        rows: the scenarios whose best attempt reached the rung or a higher one; at least 1.
        prompt_tokens, completion_tokens: of all answers of the run, for each of these.
    """

    rung: str
    rows: int
    prompt_tokens: float
    completion_tokens: float


def read_attempts(folder: Path) -> list[ReportAttempt]:
    """Read the attempts at scenarios in a run's folder; empty if there is no file of them.

    Raises:
        SelfBehaveError: a line is broken.
    """
    path = folder / ATTEMPTS_FILE
    if not path.exists() or not path.stat().st_size:
        return []
    tasks: dict[str, int] = {}

    def attempt(source: Mapping[str, Any]) -> ReportAttempt | None:
        one = Attempt.from_dict(source)
        number = tasks.setdefault(one.instruction, len(tasks))
        if one.rung is None:  # nothing was judged
            return None
        if one.rung not in _RUNG_NAMES:
            raise ValueError(f"field 'rung' must be one of {', '.join(RUNGS)}, not {one.rung!r}")
        if not 0 <= one.attempt < _MOST_ATTEMPTS:
            raise ValueError(f"field 'attempt' must be from 0 to {_MOST_ATTEMPTS - 1}")
        return ReportAttempt(
            number,
            one.attempt,
            one.repairs,
            Rung.named(one.rung),
            tuple(map(_code, one.faults)),
            _tokens(one.metadata, "prompt_tokens"),
            _tokens(one.metadata, "completion_tokens"),
        )

    return [one for one in each_record(path, attempt) if one is not None]


def reached_after(attempts: Sequence[ReportAttempt]) -> dict[str, list[int]]:
    """Count the scenarios that reached each rung within their first 1, 2 … attempts.

    Returns:
        By rung, the counts after 1 … k attempts, where k is the most that a scenario had. They
        never fall. Each scenario counts for its rung and for all below.
    """
    if not attempts:
        return {}
    most = 1 + max(one.attempt for one in attempts)
    first: dict[tuple[int, str], int] = {}  # the first attempt that reached a rung, by task
    for one in attempts:
        for rung in _up_to(one.rung):
            key = (one.task, rung)
            first[key] = min(one.attempt, first.get(key, one.attempt))
    reached = Counter((rung, attempt) for (_, rung), attempt in first.items())
    return {
        rung: [sum(reached[rung, earlier] for earlier in range(now + 1)) for now in range(most)]
        for rung in RUNGS
    }


def repairs_by_fault(attempts: Sequence[ReportAttempt]) -> list[Mended]:
    """Return what repairs made of each kind of fault, the most frequent first.

    A repair counts once for each kind of fault that it was told of.
    """
    pairs = list(_repaired(attempts))
    told = Counter(code for before, _ in pairs for code in dict.fromkeys(before.faults))
    return [
        _mended(code, [(before, after) for before, after in pairs if code in before.faults])
        for code, _ in sorted(told.items(), key=lambda item: (-item[1], item[0]))
    ]


def rung_changes(attempts: Sequence[ReportAttempt]) -> Counter[tuple[str, str]]:
    """Count the repairs by the rung of the repaired attempt and that of the repair."""
    return Counter((str(before.rung), str(after.rung)) for before, after in _repaired(attempts))


def costs_of_rows(
    attempts: Sequence[ReportAttempt], answers: Sequence[JournalAnswer]
) -> list[RowCost]:
    """Return the tokens of the run for each scenario that reached a rung, for reached rungs.

    All answers of the run count: failed attempts, and the requests for scenarios too.

    Args:
        answers: of the run's journal. If it has none, the attempts' own tokens count.
    """
    spent: Sequence[JournalAnswer | ReportAttempt] = answers or attempts
    prompt_tokens = sum(one.prompt_tokens for one in spent)
    completion_tokens = sum(one.completion_tokens for one in spent)
    rows = {rung: counts[-1] for rung, counts in reached_after(attempts).items()}
    return [
        RowCost(rung, count, prompt_tokens / count, completion_tokens / count)
        for rung, count in rows.items()
        if count
    ]


def _repaired(attempts: Sequence[ReportAttempt]) -> Iterator[tuple[ReportAttempt, ReportAttempt]]:
    """Each repaired attempt with its repair."""
    known = {(one.task, one.attempt): one for one in attempts}
    for one in attempts:
        before = None if one.repairs is None else known.get((one.task, one.repairs))
        if before is not None:
            yield before, one


def _mended(code: FaultCode, pairs: Sequence[tuple[ReportAttempt, ReportAttempt]]) -> Mended:
    return Mended(
        fault=label(code),
        repairs=len(pairs),
        gone=sum(code not in after.faults for _, after in pairs),
        higher=sum(after.rung > before.rung for before, after in pairs),
        lower=sum(after.rung < before.rung for before, after in pairs),
        became=Counter(label(after.faults[0]) if after.faults else NO_FAULT for _, after in pairs),
    )


def _up_to(rung: Rung) -> Iterator[str]:
    return (name for name in RUNGS if Rung.named(name) <= rung)


def _code(code: str) -> FaultCode:
    # A later version may have more kinds of faults.
    return FaultCode(code) if code in set(FaultCode) else FaultCode.OTHER


def _tokens(metadata: Mapping[str, Any], name: str) -> int:
    count = metadata.get(name) or 0
    if not isinstance(count, int) or count < 0:
        raise ValueError(f"field 'metadata' must have a count in {name!r}")
    return count
