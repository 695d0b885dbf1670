"""Facts about the step that failed in a run, as reported from inside the sandbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Failure", "Frame", "Operand", "read_failure"]

_MOST_CHARACTERS = 300
_MOST_ENTRIES = 8


@dataclass(frozen=True)
class Frame:
    """A call in the pair's code.

    Attributes:
        line: where it was, from 1.
        function: its name; "<module>" while the code is imported.
        source: of that line, without its indentation.
    """

    line: int
    function: str
    source: str


@dataclass(frozen=True)
class Operand:
    """One side of a failing assert's comparison, or the whole expression if it compares nothing.

    Attributes:
        source: the expression.
        value: its `repr`, shortened.
    """

    source: str
    value: str


@dataclass(frozen=True)
class Failure:
    """The first failure of a run. Every text is the generated code's own, cut to 300 characters.

    Attributes:
        step: the text of the step that failed; None outside steps, such as during the import.
        exception: the name of its type.
        message: the exception's message; may be empty.
        frames: the calls in the pair's code that led to it, the failing one last; may be empty.
        operands: what a failing assert compared, with the values after it failed; empty for other
            exceptions, and if the values are unknown.
    """

    step: str | None
    exception: str
    message: str
    frames: tuple[Frame, ...]
    operands: tuple[Operand, ...]


def read_failure(told: Any) -> Failure | None:
    """Read a failure from the JSON of a report.

    Raises:
        ValueError, TypeError: it is not a failure. Generated code may have written the report.
    """
    match told:
        case None:
            return None
        case {
            "step": str() | None as step,
            "exception": str(exception),
            "message": str(message),
            "frames": [*frames],
            "operands": [*operands],
        }:
            return Failure(
                None if step is None else step[:_MOST_CHARACTERS],
                exception[:_MOST_CHARACTERS],
                message[:_MOST_CHARACTERS],
                tuple(_frame(*one) for one in frames[-_MOST_ENTRIES:]),
                tuple(_operand(*one) for one in operands[:_MOST_ENTRIES]),
            )
    raise ValueError("no failure")


def _frame(line: int, function: str, source: str) -> Frame:
    return Frame(int(line), str(function)[:_MOST_CHARACTERS], str(source)[:_MOST_CHARACTERS])


def _operand(source: str, value: str) -> Operand:
    return Operand(str(source)[:_MOST_CHARACTERS], str(value)[:_MOST_CHARACTERS])
