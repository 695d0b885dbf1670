"""How many causal rows a model gives, by the way in which it is asked.

Usage: python -m benchmarks yield --model FILE.gguf|embedded|http://HOST/v1 [--cells 5]
       [--policies A,B] [--seed 1] [--results FOLDER] [--full]

Every answer and every verdict is kept in the results folder the moment it is known: the same
command goes on from there, and more cells or policies ask only for what is new. `--full` takes 40
cells. The policies `glue` and `hint` need a server that goes on from a begun answer, as llama.cpp's
does. A clean row is causal, without idle steps and hard-coded outcomes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from selfbehave.axes.cells import draw_cell
from selfbehave.bdd import sandbox
from selfbehave.core.errors import SelfBehaveError
from selfbehave.core.jsonl import write_jsonl

from .asking import Asker
from .judging import Judge
from .kept import KeptRecords
from .policies import POLICIES, Policy
from .serving import serving
from .solving import Attempt, Posed, pose, solve
from .table import print_scenarios, yield_table

__all__ = ["main"]

CELLS, CELLS_FULL = 5, 40
RESULTS = "yield_results"


def main(argv: list[str] | None = None) -> None:
    """Run the cells and print the figures."""
    options = _options(argv or [])
    try:
        _run(
            options.model,
            options.cells or (CELLS_FULL if options.full else CELLS),
            options.policies,
            options.seed,
            options.results,
        )
    except SelfBehaveError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks yield", description=__doc__)
    parser.add_argument(
        "--model", required=True, help="a *.gguf file, an embedded model, or http(s)://…/v1"
    )
    parser.add_argument("--cells", type=_count, help=f"how many, by default {CELLS}")
    parser.add_argument(
        "--policies",
        type=_policies,
        default=list(POLICIES.values()),
        help=f"of {', '.join(POLICIES)}, by default all",
    )
    parser.add_argument("--seed", type=int, default=1, help="of the cells")
    parser.add_argument("--results", type=Path, default=Path(RESULTS), help="folder to go on in")
    parser.add_argument("--full", action="store_true", help=f"take {CELLS_FULL} cells")
    return parser.parse_args(argv)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of cells from 1")
    return int(text)


def _policies(text: str) -> list[Policy]:
    names = text.split(",")
    if unknown := sorted({*names} - {*POLICIES}):
        raise argparse.ArgumentTypeError(
            f"no policy {', '.join(unknown)}; there are {', '.join(POLICIES)}"
        )
    return [POLICIES[name] for name in dict.fromkeys(names)]


def _run(model: str, cells: int, policies: Sequence[Policy], seed: int, results: Path) -> None:
    sandbox.require()
    results.mkdir(parents=True, exist_ok=True)
    posed: list[Posed] = []
    solved: dict[str, list[list[Attempt]]] = {policy.name: [] for policy in policies}
    with (
        KeptRecords(results / "answers.jsonl") as answers,
        KeptRecords(results / "verdicts.jsonl") as verdicts,
        serving(model) as server,
        Asker(server, answers) as asker,
    ):
        judge = Judge(verdicts)
        print(f"{server.model}, cells of seed {seed}; {len(answers):,} answers kept before")
        for number in range(cells):
            one = pose(asker, draw_cell(number, seed))
            posed.append(one)
            print(f"  cell {number}, {one.cell.kind}: {_state_of(one)}", flush=True)
            if one.scenario_text is None:
                continue
            for policy in policies:
                attempts = solve(asker, judge, one.cell, one.scenario_text, policy)
                solved[policy.name].append(attempts)
                print(f"    {policy.name}: {', '.join(map(_words_of, attempts))}", flush=True)
        print(f"{len(answers):,} answers, {len(verdicts):,} verdicts in {results}")
    write_jsonl(results / "rows.jsonl", _rows(posed, solved))
    print_scenarios(posed)
    for policy in policies:
        print(f"  {policy.name}: {policy.means}")
    yield_table(posed, [(policy, solved[policy.name]) for policy in policies]).print()


def _state_of(posed: Posed) -> str:
    faults = ", ".join(
        " ".join(filter(None, (fault.code, fault.kind, fault.value))) for fault in posed.faults
    )
    if posed.scenario_text is None:
        return f"dropped ({faults})"
    return f"a scenario at the second try ({faults})" if faults else "a scenario"


def _words_of(attempt: Attempt) -> str:
    if attempt.code is None:
        return "no code"
    return "clean" if attempt.verdict.is_clean else attempt.verdict.rung


def _rows(
    posed: Sequence[Posed], solved: Mapping[str, Sequence[Sequence[Attempt]]]
) -> Iterator[dict[str, Any]]:
    """A row for each cell and policy, as `rows.jsonl` has it: computed from what is kept."""
    passed = [one for one in posed if one.scenario_text is not None]
    for one in posed:
        if one.scenario_text is None:
            yield {"cell": one.cell.number, "kind": one.cell.kind, "faults": _faults(one)}
    for name, of_policy in solved.items():
        for one, attempts in zip(passed, of_policy, strict=True):
            yield {
                "cell": one.cell.number,
                "kind": one.cell.kind,
                "faults": _faults(one),
                "request": one.cell.request,
                "scenario": one.scenario_text,
                "policy": name,
                "attempts": [
                    {**asdict(attempt), "is_clean": attempt.verdict.is_clean}
                    for attempt in attempts
                ],
            }


def _faults(posed: Posed) -> list[dict[str, str]]:
    return [asdict(fault) for fault in posed.faults]
