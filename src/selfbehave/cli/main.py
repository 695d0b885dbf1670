"""The parser of the command line, and how a command ends.

Options have the spelling of the seed project (`--batch_dir`). Dashes (`--batch-dir`) and
unambiguous prefixes are accepted too.
"""

from __future__ import annotations

import argparse
import errno
import os
import re
import select
import shlex
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn, TextIO

from ..core.errors import (
    EXIT_BROKEN_PIPE,
    EXIT_DONE,
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_USAGE,
    SelfBehaveError,
)
from .audit import add_audit
from .batch import add_batch
from .cluster import add_cluster
from .dedupe import add_dedupe
from .evaluate import add_evaluate
from .import_features import add_import
from .models import add_models
from .release import add_release
from .repair import add_repair
from .report import add_report
from .run import add_run
from .seeds import add_seeds
from .stage_commands import add_stages
from .study import add_study

__all__ = ["command_parser", "entry_point", "main"]

_DESCRIPTION = (
    "Grow behaviour-driven development data from seed tasks with a language model, "
    "by the Self-Instruct method."
)


def entry_point() -> NoReturn:
    """The `selfbehave` command."""
    if (
        signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    ):
        # SIGTERM does what Ctrl-C does, so that answers in flight are kept.
        signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    sys.exit(main(sys.argv[1:]))


def main(arguments: Sequence[str]) -> int:
    """Run a command line; return its exit code. A failure prints one line on standard error.

    A command ends without a message if its output has lost its reader (`selfbehave … | head -1`).
    """
    try:
        return _exit_code_of([_spelling(argument) for argument in arguments])
    except BrokenPipeError:
        unread = [stream for stream in (sys.stdout, sys.stderr) if _has_no_reader(stream)]
        if not unread:
            raise  # another pipe broke, not the output: a bug in the program
        for stream in unread:
            _discard(stream)
        return EXIT_BROKEN_PIPE
    except SystemExit as stop:
        # Rich ends the program itself on a broken pipe.
        if isinstance(stop.__context__, BrokenPipeError):
            return EXIT_BROKEN_PIPE
        raise


def _exit_code_of(arguments: Sequence[str]) -> int:
    try:
        try:
            options = command_parser().parse_args(arguments)
            options.command(options)
        except SystemExit:  # of --help and --version, which print
            sys.stdout.flush()
            raise
        sys.stdout.flush()  # while a failure can still be reported
    except SelfBehaveError as error:
        command = f": {_command(arguments)}" if error.goes_on else ""
        print(f"selfbehave: {error}{command}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        if error.filename is not None or error.errno not in (errno.ENOSPC, errno.EIO):
            raise
        _discard(sys.stdout)  # nothing else reports a failed write to standard output
        words = f"cannot write the output: {error.strerror} — check the disk"
        command = f"the same command continues: {_command(arguments)}"
        print(f"selfbehave: {words}; {command}", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        words = f"interrupted; to continue: {_command(arguments)}"
        print(f"selfbehave: {words}", file=sys.stderr)
        return EXIT_INTERRUPTED
    return EXIT_DONE


def _has_no_reader(stream: TextIO) -> bool:
    """Whether a stream is a pipe without a reader."""
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):  # a stream in memory, or a closed one
        return False
    poll = select.poll()
    poll.register(descriptor, 0)  # poll always reports errors
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def _discard(stream: TextIO) -> None:
    """Discard the rest of a stream's buffer, which Python would flush again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _command(arguments: Sequence[str]) -> str:
    return shlex.join(["selfbehave", *arguments])


def _spelling(argument: str) -> str:
    """Replace an option's dashes with underscores; do not change its value."""
    match = re.match(r"--+(?P<name>[A-Za-z][\w-]*)(?P<value>=.*)?\Z", argument, re.S)
    if match is None:
        return argument
    return "--" + match["name"].replace("-", "_") + (match["value"] or "")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SelfBehaveError(message, mend=f"see {self.prog} --help", exit_code=EXIT_USAGE)


def command_parser() -> argparse.ArgumentParser:
    """The parser of the command line, with every command and option."""
    from importlib.metadata import version

    parser = _Parser(prog="selfbehave", description=_DESCRIPTION)
    parser.add_argument("--version", action="version", version=version("selfbehave"))
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add_run(commands)
    add_stages(commands)
    add_batch(commands)
    add_audit(commands)
    add_repair(commands)
    add_seeds(commands)
    add_study(commands)
    add_import(commands)
    add_release(commands)
    add_dedupe(commands)
    add_models(commands)
    add_report(commands)
    add_evaluate(commands)
    add_cluster(commands)
    return parser
