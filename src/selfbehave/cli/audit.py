"""`selfbehave audit`: check how far each row climbs the BDD ladder, and count the faults."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from ..core.rungs import RUNGS

__all__ = ["add_audit"]


def add_audit(commands: Any) -> None:
    """Add the command."""
    text = "check how far each row of a dataset climbs the BDD ladder, and count its faults"
    parser = commands.add_parser("audit", help=text, description=text)
    parser.set_defaults(command=_audit)
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="a *.jsonl or *.parquet file, or a packaged set"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, each row with its faults")
    parser.add_argument(
        "--top_rung",
        choices=RUNGS,
        default=RUNGS[-1],
        help="highest rung to check; above bound, generated code runs in the sandbox "
        "(default: %(default)s, or what this machine can)",
    )
    parser.add_argument(
        "--repair",
        action="store_true",
        help="repair the rows in memory first, and audit the result",
    )


def _audit(options: argparse.Namespace) -> None:
    from ..audit.file_audit import audit_file, audit_repaired_file
    from ..audit.view import print_json, print_table
    from ..bdd.ladder import Rung, reachable

    top, lack = reachable(Rung.named(options.top_rung))
    if lack:
        print(f"stopped at {top}: {lack}", file=sys.stderr)
    audit = audit_repaired_file if options.repair else audit_file
    audits = [audit(file, top) for file in options.files]
    if options.json:
        print_json(audits)
    else:
        print_table(audits)
