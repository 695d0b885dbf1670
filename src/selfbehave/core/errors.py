"""The one exception a user can meet, and the exit codes of the command line."""

from __future__ import annotations

from pathlib import Path

from .printable import printable

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141  # as a shell reports a program that SIGPIPE ended

_LONGEST = 1_000  # characters of each part: a value that is quoted may be a whole file


class SelfBehaveError(Exception):
    """Something a user can mend, in one line.

    Args:
        what: what went wrong, with the value seen.
        where: the file, or file and line, or address it concerns.
        mend: what to do about it.
        exit_code: of the command that meets it.
        goes_on: whether the same command continues.
    """

    def __init__(
        self,
        what: str,
        *,
        where: str | Path | None = None,
        mend: str | None = None,
        exit_code: int = EXIT_FAILED,
        goes_on: bool = False,
    ) -> None:
        self.what = what
        self.where = None if where is None else str(where)
        self.mend = mend
        self.exit_code = exit_code
        self.goes_on = goes_on
        super().__init__(str(self))

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f" — {_shortened(self.mend)}" if self.mend else ""
        # One line that no terminal obeys, whatever a server or a file put into the words.
        return printable(" ".join(f"{place}{_shortened(self.what)}{advice}".split()))


def _shortened(words: str) -> str:
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}…"
