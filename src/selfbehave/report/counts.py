"""Figures computed from a run: the funnel, tokens, cost, times and novelty of instructions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..bdd.faults import label
from ..runs.rungs_reached import rung_shares
from ..stages.funnel import FunnelStep, RunCounts
from ..stages.registry import all_stages
from ..stats.proportions import Share
from .answers import JournalAnswer
from .facts import AcceptedInstruction, Discarded, RunFacts

__all__ = [
    "FunnelStep",
    "Prices",
    "StageUse",
    "accepted_share",
    "dropped_by_reason",
    "fault_counts",
    "funnel",
    "rates",
    "rungs_reached",
    "running_means",
    "uses",
]

_WINDOW = 20  # the minimum window of a running figure; for a long run it is 5% of the values


@dataclass(frozen=True)
class Prices:
    """The prices of a million input and output tokens; None if a price is not given."""

    per_million_in: float | None = None
    per_million_out: float | None = None
    currency: str = "USD"

    def cost(self, prompt_tokens: float, completion_tokens: float) -> float | None:
        """Return the cost of the given tokens, or None if there is no price."""
        if self.per_million_in is None and self.per_million_out is None:
            return None
        return (
            prompt_tokens * (self.per_million_in or 0)
            + completion_tokens * (self.per_million_out or 0)
        ) / 1_000_000


@dataclass(frozen=True)
class StageUse:
    """The tokens, retries and time that a stage's answers required.

    Attributes:
        retries: the number of failed attempts before an answer.
        seconds: the time with at least one request in flight; pauses between sessions do not count.
        median_latency, high_latency: the median and the 95th percentile of the seconds from a
            request to its answer, including retries.
    """

    stage: str
    answers: int
    retries: int
    prompt_tokens: int
    completion_tokens: int
    finish_reasons: Counter[str]
    seconds: float
    median_latency: float
    high_latency: float

    @property
    def tokens_per_second(self) -> float | None:
        return self.completion_tokens / self.seconds if self.seconds else None

    @property
    def answers_per_minute(self) -> float | None:
        return 60 * self.answers / self.seconds if self.seconds else None


def funnel(run: RunFacts) -> list[FunnelStep]:
    """Return each stage's steps from requests to rows; rungs count every pair that was tried."""
    counts = RunCounts(
        answers=Counter(answer.stage for answer in run.answers),
        records=run.records,
        dropped=dropped_by_reason(run),
        pairs=sum(row.finished.rung is not None for row in run.rows),
        reached={share.name: share.count if share.of else None for share in rungs_reached(run)},
    )
    return [step for stage in all_stages() for step in stage.funnel_steps(counts)]


def rungs_reached(run: RunFacts) -> list[Share]:
    """Return how many of the tried pairs reached each rung; out of 0 if no pair tried it."""
    return rung_shares([row.finished for row in run.rows])


def dropped_by_reason(run: RunFacts) -> Counter[tuple[str, str]]:
    """Count the dropped candidates by stage and reason."""
    return Counter((one.stage, one.reason) for one in run.dropped)


def fault_counts(run: RunFacts) -> Counter[str]:
    """Count the rows that have each kind of fault."""
    return Counter(
        label(code) for row in run.rows for code in dict.fromkeys(row.finished.fault_codes)
    )


def uses(answers: Sequence[JournalAnswer]) -> list[StageUse]:
    """Return the usage of each stage, followed by the total, "all"."""
    every = dict.fromkeys([stage.name for stage in all_stages()])
    every |= dict.fromkeys(answer.stage for answer in answers)
    found = [
        _use(stage, some)
        for stage in every
        if (some := [answer for answer in answers if answer.stage == stage])
    ]
    return [*found, _use("all", answers)] if answers else []


def rates(answers: Sequence[JournalAnswer], bins: int = 40) -> list[tuple[float, float]]:
    """Return answers per minute while requests were in flight.

    Each point is (active minutes so far, rate from that point on). The last point marks the end of
    the last interval and repeats its rate.
    """
    if not answers:
        return []
    starts, ends = _busy(answers)
    done = np.sort([end for _, end in map(_span, answers)])
    before = np.concatenate([[0.0], np.cumsum(ends - starts)])
    at = np.searchsorted(starts, done, side="right") - 1
    worked = before[at] + done - starts[at]
    count = max(1, min(bins, len(answers) // 15))
    edges = np.linspace(0, max(before[-1], 1e-9), count + 1)
    counts, _ = np.histogram(worked, edges)
    paces = counts / ((edges[1] - edges[0]) / 60)
    return [
        (float(minute), float(pace))
        for minute, pace in zip(edges / 60, [*paces, paces[-1]], strict=True)
    ]


def running_means(accepted: Sequence[AcceptedInstruction]) -> list[tuple[int, float]]:
    """The running mean of the accepted instructions' highest ROUGE-L: (number from 1, mean)."""
    values = [
        (number, one.highest)
        for number, one in enumerate(accepted, start=1)
        if one.highest is not None
    ]
    return _running(values)


def accepted_share(
    accepted: Sequence[AcceptedInstruction], dropped: Sequence[Discarded]
) -> list[tuple[int, float]]:
    """Return the running share of accepted candidates: (request, share)."""
    outcomes = [(one.request_idx, 1.0) for one in accepted]
    outcomes += [
        (one.request_idx, 0.0)
        for one in dropped
        if one.stage == "bootstrap" and one.request_idx is not None and one.reason != "surplus"
    ]
    return _running(sorted(outcomes, key=lambda one: one[0]))


def _running(values: Sequence[tuple[int, float]], points: int = 200) -> list[tuple[int, float]]:
    """Return the moving average of the values, at about `points` positions."""
    if not values:
        return []
    window = min(len(values), max(_WINDOW, len(values) // 20))
    sums = np.concatenate([[0.0], np.cumsum([value for _, value in values])])
    step = max(1, (len(values) - window + 1) // points)
    ends = list(range(window, len(values) + 1, step))
    return [(values[end - 1][0], float(sums[end] - sums[end - window]) / window) for end in ends]


def _use(stage: str, answers: Sequence[JournalAnswer]) -> StageUse:
    latencies = np.array([end - start for start, end in map(_span, answers)])
    starts, ends = _busy(answers)
    return StageUse(
        stage=stage,
        answers=len(answers),
        retries=sum(answer.attempts - 1 for answer in answers),
        prompt_tokens=sum(answer.prompt_tokens for answer in answers),
        completion_tokens=sum(answer.completion_tokens for answer in answers),
        finish_reasons=Counter(answer.finish_reason for answer in answers),
        seconds=float((ends - starts).sum()),
        median_latency=float(np.quantile(latencies, 0.5)),
        high_latency=float(np.quantile(latencies, 0.95)),
    )


def _span(answer: JournalAnswer) -> tuple[float, float]:
    """Return the times of the request and answer; equal if the clock was set back in between."""
    return answer.asked_at, max(answer.asked_at, answer.answered_at)


def _busy(answers: Sequence[JournalAnswer]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the starts and ends of the intervals with at least one request in flight."""
    spans = sorted(map(_span, answers))
    starts, ends = [spans[0][0]], [spans[0][1]]
    for start, end in spans[1:]:
        if start > ends[-1]:
            starts.append(start)
            ends.append(end)
        else:
            ends[-1] = max(ends[-1], end)
    return np.array(starts), np.array(ends)
