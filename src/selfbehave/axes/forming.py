"""Give a scenario the form that its cell asks for, where this needs no model.

A small model puts values into words well, and often forgets the form around them. A Background, a
Rule and the Examples of an outline follow from the cell, so the program adds them.
"""

from __future__ import annotations

import re

from .cell import Cell
from .table import Feature

__all__ = ["formed"]

_STEP = re.compile(r"(?:Given|When|Then|And|But|\*) ")
_TITLE = re.compile(r"Scenario(?: Outline| Template)?:[ \t]*(.*)")


def formed(scenario_text: str, cell: Cell) -> str:
    """The scenario in its cell's form; as it is where it has the form, or has no place for it."""
    lines = [line.strip() for line in scenario_text.strip().splitlines()]
    titles = [at for at, line in enumerate(lines) if _TITLE.fullmatch(line)]
    if len(titles) != 1:
        return scenario_text
    found = _TITLE.fullmatch(lines[titles[0]])
    title, body = (found[1] if found else ""), lines[titles[0] + 1 :]
    match cell.feature:
        case Feature.OUTLINE if not any(line.startswith("Examples") for line in lines):
            rows = [[*cell.rows[0]], *([*map(str, row.values())] for row in cell.rows)]
            return "\n".join(
                [
                    f"Scenario Outline: {title}",
                    *_indented(body, 1),
                    "",
                    "  Examples:",
                    *_table(rows),
                ]
            )
        case Feature.BACKGROUND if not any(line.startswith("Background") for line in lines):
            given, others = _parted(body)
            if given and others:
                return "\n".join(
                    [
                        f"Feature: {cell.system[:1].upper()}{cell.system[1:]}",
                        "",
                        "  Background:",
                        *_indented(given, 2),
                        "",
                        f"  Scenario: {title}",
                        *_indented(others, 2),
                    ]
                )
        case Feature.RULE if not any(line.startswith("Rule") for line in lines):
            return "\n".join(
                [
                    f"Feature: {cell.system[:1].upper()}{cell.system[1:]}",
                    "",
                    f"  Rule: {cell.rule[:1].upper()}{cell.rule[1:]}",
                    "",
                    f"    Scenario: {title}",
                    *_indented(body, 3),
                ]
            )
    return scenario_text


def _parted(body: list[str]) -> tuple[list[str], list[str]]:
    """The lines before the first When, and the others."""
    for at, line in enumerate(body):
        if line.startswith("When "):
            return body[:at], body[at:]
    return body, []


def _indented(lines: list[str], depth: int) -> list[str]:
    """Lines with steps at a depth, and what they carry one deeper."""
    return ["  " * (depth if _STEP.match(line) else depth + 1) + line for line in lines if line]


def _table(rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = ([cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows)
    return [f"    | {' | '.join(row)} |" for row in padded]
