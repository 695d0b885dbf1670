"""`selfbehave import`: make seed tasks from your own features."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from ..core.errors import EXIT_USAGE, SelfBehaveError
from ..core.rungs import RUNGS

__all__ = ["add_import"]


def add_import(commands: Any) -> None:
    """Add the `import` command."""
    text = "turn your own features into seed tasks: each scenario with its step functions"
    sub = commands.add_parser("import", help=text, description=text)
    sub.set_defaults(command=_import)
    sub.add_argument(
        "folders",
        nargs="+",
        type=Path,
        metavar="FOLDER",
        help="a project of behave or pytest-bdd, or a *.feature file of one",
    )
    sub.add_argument(
        "--to", type=Path, required=True, metavar="FILE", help="the seed tasks to write, *.jsonl"
    )
    rungs = RUNGS[RUNGS.index("bound") :]
    sub.add_argument(
        "--min_rung",
        choices=rungs,
        default=rungs[0],
        help="rung of the BDD ladder that a scenario must reach (default: %(default)s)",
    )
    sub.add_argument(
        "--top_rung",
        choices=rungs,
        default=rungs[-1],
        help="highest rung to check; above bound, your code runs in the sandbox "
        "(default: %(default)s, or what this machine can)",
    )


def _import(options: argparse.Namespace) -> None:
    from ..bdd.ladder import Rung, reachable
    from ..core.jsonl import write_jsonl
    from ..seeds.importing import import_features
    from ..seeds.importing.view import print_report

    least, wanted = Rung.named(options.min_rung), Rung.named(options.top_rung)
    top, lack = reachable(wanted)
    if least > top:
        raise SelfBehaveError(
            f"--min_rung {least} is above the highest rung checked ({top})",
            mend=lack or f"give --top_rung {least}",
            exit_code=EXIT_USAGE,
        )
    if options.to.suffix != ".jsonl":
        raise SelfBehaveError(
            f"--to is not a *.jsonl file: {options.to}",
            mend="name one, such as seeds.jsonl",
            exit_code=EXIT_USAGE,
        )
    if lack:
        print(f"stopped at {top}: {lack}", file=sys.stderr)
    report = import_features(options.folders, least, top)
    ladder = options.to.with_name(f"{options.to.stem}.ladder.jsonl")
    left_out = options.to.with_name(f"{options.to.stem}.left_out.jsonl")
    files = []
    if report.imported:
        write_jsonl(options.to, (task.to_dict() for task in report.tasks))
        write_jsonl(ladder, (one.to_dict() for one in report.imported))
        files += [options.to, ladder]
    write_jsonl(left_out, (one.to_dict() for one in report.left_out))
    files.append(left_out)
    print_report(report, files)
    if not report.imported:
        raise SelfBehaveError(
            f"none of {len(report.left_out)} scenarios could be imported",
            where=", ".join(map(str, options.folders)),
            mend=f"see why in {left_out}",
        )
