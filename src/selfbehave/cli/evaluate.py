"""The command line of evaluations: `selfbehave evaluate …`.

The command imports the packages that only its page needs, so that other commands do not need them.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ..core.extras import needs_extra
from ..core.packaged_benchmark import PACKAGED_BENCHMARK
from ..core.printable import printable
from ..engines.settings import EngineSettings
from ..evaluation.settings import AnswerSettings
from .options import add_options, settings_of
from .watching import people_view, watched

__all__ = ["add_evaluate"]

_DEFAULT_OUTPUT = "runs/evaluation"


def add_evaluate(commands: Any) -> None:
    """Add the `evaluate` command."""
    text = "measure how well engines write step functions for held-out scenarios"
    parser = commands.add_parser(
        "evaluate",
        help=text,
        description=text,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.set_defaults(command=_evaluate)
    parser.add_argument(
        "--engine",
        action="append",
        dest="engines",
        metavar="ENGINE",
        default=argparse.SUPPRESS,
        help="an engine, as for run, or NAME=ENGINE; given again, several are evaluated side by "
        f"side. Default: {EngineSettings.engine}",
    )
    parser.add_argument(
        "--benchmark",
        metavar="FILE",
        default=PACKAGED_BENCHMARK,
        help="the scenarios: a file of a benchmark, of seed tasks, or of a run's or a release's "
        "rows, *.jsonl or *.parquet",
    )
    parser.add_argument(
        "--output", type=Path, metavar="DIR", default=Path(_DEFAULT_OUTPUT), help="folder to write"
    )
    parser.add_argument(
        "--limit",
        type=int,
        metavar="N",
        default=argparse.SUPPRESS,
        help="evaluate only N scenarios, spread evenly over the file",
    )
    parser.add_argument(
        "--k",
        type=int,
        nargs="+",
        metavar="K",
        default=argparse.SUPPRESS,
        help="tell rung@K, the chance that one of K answers reaches a rung; default: 1 and "
        "--attempts",
    )
    parser.add_argument(
        "--training",
        type=Path,
        nargs="+",
        metavar="FILE",
        default=argparse.SUPPRESS,
        help="files of training data: scenarios near a row of them are told and counted",
    )
    add_options(parser, AnswerSettings)
    add_options(parser, EngineSettings, besides={"engine"})
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    parser.add_argument(
        "--json",
        action="store_true",
        help="print the results as one JSON object; progress then goes to standard error",
    )


@needs_extra("report", "evaluate")
def _evaluate(options: argparse.Namespace) -> None:
    from rich.console import Console

    from ..evaluation.benchmark import load_benchmark
    from ..evaluation.engines_given import named_engines
    from ..evaluation.evaluate import evaluate
    from ..evaluation.result_tables import difficulty_table, rung_tables
    from ..evaluation.words import remarks
    from ..runs.pipeline import RunReport
    from ..stats.tables import print_table

    common = settings_of(EngineSettings, options)
    engines = named_engines(getattr(options, "engines", [common.engine]), common)
    benchmark = load_benchmark(options.benchmark)
    with watched("evaluate", options, [people_view(options)]) as (display, finish):
        done = evaluate(
            engines,
            benchmark,
            options.output,
            display,
            settings_of(AnswerSettings, options),
            getattr(options, "k", ()),
            getattr(options, "limit", None),
            getattr(options, "training", ()),
        )
        finish(RunReport((), None))
    if options.json:
        print(json.dumps(done.evaluation.to_dict()))
        return
    console = Console(highlight=False)
    tables = [*rung_tables(done.evaluation), difficulty_table(done.evaluation)]
    for table in tables:
        if table is not None:
            print_table(table, console)
    for line in [*remarks(done.evaluation), *map(str, done.files)]:
        console.print(printable(line), markup=False, soft_wrap=True)
