"""The ladder on a cluster: workers climb with blocks of pairs, one pair at a time on each core."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import ray.data

from ..bdd.ladder import Climbing, Ladder, Rung
from ..bdd.verdicts import Row, climb_settled, ladder_from, ladder_to, verdict_key
from ..core.errors import SelfBehaveError
from .kept_verdicts import KeptVerdicts
from .worker_errors import error_text, raise_first

__all__ = ["block_of", "climbing_on_cluster"]

_AT_ONCE = 50_000  # rows handed to the cluster together
_READ_ONLY_BLOCK = 500  # rows; about 0.3 s of a core up to bound
_SANDBOXED_BLOCK = 16  # rows; about 2 s of a core up to causal, lost with a worker


def climbing_on_cluster(verdicts_file: Path, workers: int) -> Climbing:
    """A function like `climb_settled` that runs on the cluster and stores verdicts in a file."""

    def climb(rows: Iterable[Row], top: Rung) -> list[Ladder]:
        rows = list(rows)
        keys = [verdict_key(row, top) for row in rows]
        verdicts = KeptVerdicts(verdicts_file)
        missing = [place for place, key in enumerate(keys) if key not in verdicts]
        for start in range(0, len(missing), _AT_ONCE):
            some = [(place, rows[place]) for place in missing[start : start + _AT_ONCE]]
            for found in _climb(some, top, workers):
                verdicts.keep((keys[place], ladder) for place, ladder in found)
        return [verdicts[key] for key in keys]

    return climb


def block_of(top: Rung) -> int:
    """How many rows a worker gets at a time."""
    return _READ_ONLY_BLOCK if top <= Rung.BOUND else _SANDBOXED_BLOCK


def _climb(
    rows: Sequence[tuple[int, Row]], top: Rung, workers: int
) -> Iterator[list[tuple[int, Ladder]]]:
    """The verdicts of numbered rows, block by block, in the order they arrive."""
    block = min(block_of(top), -(-len(rows) // workers))
    blocks = -(-len(rows) // block)
    climbed = ray.data.from_items(
        [{"place": place, "row": json.dumps(row)} for place, row in rows],
        override_num_blocks=blocks,
    ).map_batches(
        _climb_block,
        batch_size=None,
        fn_args=(str(top),),
        compute=ray.data.TaskPoolStrategy(size=min(workers, blocks)),
        num_cpus=1,
    )
    for batch in climbed.iter_batches(batch_size=None, batch_format="pandas"):
        raise_first(batch["fault"])
        ladders = (ladder_from(json.loads(text)) for text in batch["ladder"])
        yield list(zip(map(int, batch["place"]), ladders, strict=True))


def _climb_block(batch: dict[str, Any], top: str) -> dict[str, list[Any]]:
    rows = [tuple(json.loads(row)) for row in batch["row"]]
    try:
        ladders = list(climb_settled(rows, Rung.named(top), workers=1))
    except SelfBehaveError as error:  # no sandbox on that node
        return {"place": [0], "ladder": [""], "fault": [error_text(error)]}
    return {
        "place": list(batch["place"]),
        "ladder": [json.dumps(ladder_to(ladder)) for ladder in ladders],
        "fault": [""] * len(ladders),
    }
