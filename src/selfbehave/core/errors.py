"""The one exception that users see, and the exit codes of the command line."""

from __future__ import annotations

from pathlib import Path

from .printable import printable

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141  # what a shell reports for a program ended by SIGPIPE

_LONGEST = 1_000  # characters of each part: a quoted value may be a whole file


class SelfBehaveError(Exception):
    """A problem that the user can fix, described in one line.

    Args:
        what: what went wrong, with the value seen.
        where: the file, the file and line, or the address that the error is about.
        mend: how to fix it.
        exit_code: the exit code of the command.
        goes_on: whether the same command, run again, continues the work.
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
        # One line without terminal control codes, whatever text came from a server or a file.
        return printable(" ".join(f"{place}{_shortened(self.what)}{advice}".split()))


def _shortened(words: str) -> str:
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}…"
