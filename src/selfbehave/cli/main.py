"""The command line: options from the settings records, and nothing of its own.

Options are spelt as the seed project spells them (`--batch_dir`); dashes do as well
(`--batch-dir`), and so do unambiguous beginnings.
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
from pathlib import Path
from typing import Any, NoReturn, TextIO

from ..core.errors import (
    EXIT_BROKEN_PIPE,
    EXIT_DONE,
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_USAGE,
    SelfBehaveError,
)
from ..core.run_files import DEFAULT_BATCH_DIR
from ..core.rungs import RUNGS
from ..engines.settings import EngineSettings
from ..stages.settings import (
    BootstrapSettings,
    ClassifySettings,
    InstancesSettings,
    PrepareSettings,
    RunSettings,
)
from .cluster import add_cluster
from .dedupe import add_dedupe
from .import_features import add_import
from .options import add_options, settings_of
from .release import add_release
from .report import add_report
from .study import add_study
from .watching import add_watching, watched

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
        # What stops a process by default stops it as Ctrl-C does: answers in flight are kept.
        signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    sys.exit(main(sys.argv[1:]))


def main(arguments: Sequence[str]) -> int:
    """Run a command line; return its exit code. One line on standard error says what failed.

    A command whose output nobody reads any more, as in `selfbehave … | head -1`, ends quietly.
    """
    try:
        return _exit_code_of([_spelling(argument) for argument in arguments])
    except BrokenPipeError:
        unread = [stream for stream in (sys.stdout, sys.stderr) if _has_no_reader(stream)]
        if not unread:
            raise  # another pipe than the output broke: a fault of the program
        for stream in unread:
            _discard(stream)
        return EXIT_BROKEN_PIPE
    except SystemExit as stop:
        # Rich meets a broken pipe by ending the program itself.
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
        words = f"the output cannot be written: {error.strerror} — see to the disk it goes to"
        command = f"the same command goes on from here: {_command(arguments)}"
        print(f"selfbehave: {words}; {command}", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        words = f"interrupted; to go on from here: {_command(arguments)}"
        print(f"selfbehave: {words}", file=sys.stderr)
        return EXIT_INTERRUPTED
    return EXIT_DONE


def _has_no_reader(stream: TextIO) -> bool:
    """Whether a stream is a pipe that nobody reads any more."""
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):  # a stream in memory, or a closed one
        return False
    poll = select.poll()
    poll.register(descriptor, 0)  # errors are reported without asking for them
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def _discard(stream: TextIO) -> None:
    """Send what is left in a stream's buffer nowhere; Python flushes it once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _command(arguments: Sequence[str]) -> str:
    return shlex.join(["selfbehave", *arguments])


def _spelling(argument: str) -> str:
    """An option with dashes as it is named with underscores; its value stays as it is."""
    match = re.match(r"--+(?P<name>[A-Za-z][\w-]*)(?P<value>=.*)?\Z", argument, re.S)
    if match is None:
        return argument
    return "--" + match["name"].replace("-", "_") + (match["value"] or "")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SelfBehaveError(message, mend=f"see {self.prog} --help", exit_code=EXIT_USAGE)


def command_parser() -> argparse.ArgumentParser:
    """What reads the command line, with every command and option."""
    from importlib.metadata import version

    parser = _Parser(prog="selfbehave", description=_DESCRIPTION)
    parser.add_argument("--version", action="version", version=version("selfbehave"))
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, command, records, help in (
        ("run", _run, (RunSettings, EngineSettings), "all four stages"),
        ("bootstrap", _bootstrap, (BootstrapSettings, EngineSettings), "1: new instructions"),
        ("classify", _classify, (ClassifySettings, EngineSettings), "2: classification or not"),
        ("instances", _instances, (InstancesSettings, EngineSettings), "3: inputs and outputs"),
        ("prepare", _prepare, (PrepareSettings,), "4: parse, filter, encode, write"),
    ):
        sub = commands.add_parser(
            name,
            help=help,
            description=records[0].__doc__,
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        )
        sub.set_defaults(command=command)
        if PrepareSettings not in records:
            sub.add_argument(
                "--batch_dir", type=Path, default=Path(DEFAULT_BATCH_DIR), help="the run's folder"
            )
        for record in records:
            add_options(sub, record)
        add_watching(sub)
    _add_audit(commands)
    _add_repair(commands)
    _add_seeds(commands)
    add_study(commands)
    add_import(commands)
    add_release(commands)
    add_dedupe(commands)
    add_report(commands)
    add_cluster(commands)
    return parser


def _add_audit(commands: Any) -> None:
    text = "climb the BDD ladder with every row of a dataset and count its faults"
    sub = commands.add_parser("audit", help=text, description=text)
    sub.set_defaults(command=_audit)
    sub.add_argument(
        "files", nargs="+", metavar="FILE", help="a *.jsonl or *.parquet file, or a packaged set"
    )
    sub.add_argument("--json", action="store_true", help="print JSON, each row with its faults")
    sub.add_argument(
        "--top_rung",
        choices=RUNGS,
        default=RUNGS[-1],
        help="rung to climb to; above bound generated code is run, in the sandbox "
        "(default: %(default)s, or what this machine can)",
    )
    sub.add_argument(
        "--repair", action="store_true", help="audit what repair makes of the rows instead"
    )


def _add_repair(commands: Any) -> None:
    text = "mend rows: lay out folded scenarios, close fences, cut leaked text; invent nothing"
    sub = commands.add_parser("repair", help=text, description=text)
    sub.set_defaults(command=_repair)
    sub.add_argument("file", metavar="FILE", help="a *.jsonl or *.parquet file")
    sub.add_argument("--output_file", required=True, help="where the mended rows go")


def _add_seeds(commands: Any) -> None:
    text = "seed tasks as a Markdown page and back"
    sub = commands.add_parser("seeds", help=text, description=text)
    actions = sub.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, command, help in (
        ("to-markdown", _seeds_to_markdown, "write seed tasks as a readable page"),
        ("from-markdown", _seeds_from_markdown, "read such a page back to *.jsonl"),
    ):
        action = actions.add_parser(name, help=help, description=help)
        action.set_defaults(command=command)
        action.add_argument("file", metavar="FILE", help="what to read")
        action.add_argument("--output_file", help="what to write (default: standard output)")


def _run(options: argparse.Namespace) -> None:
    from ..runs import pipeline

    settings = settings_of(RunSettings, options)
    engine = settings_of(EngineSettings, options)
    with watched("run", options) as (display, finish):
        finish(pipeline.run(options.batch_dir, settings, engine, display))


def _bootstrap(options: argparse.Namespace) -> None:
    from ..runs import pipeline

    settings = settings_of(BootstrapSettings, options)
    engine = settings_of(EngineSettings, options)
    with watched("bootstrap", options) as (display, finish):
        finish(pipeline.bootstrap(options.batch_dir, settings, engine, display))


def _classify(options: argparse.Namespace) -> None:
    from ..runs import pipeline

    settings = settings_of(ClassifySettings, options)
    engine = settings_of(EngineSettings, options)
    with watched("classify", options) as (display, finish):
        finish(pipeline.classify(options.batch_dir, settings, engine, display))


def _instances(options: argparse.Namespace) -> None:
    from ..runs import pipeline

    settings = settings_of(InstancesSettings, options)
    engine = settings_of(EngineSettings, options)
    with watched("instances", options) as (display, finish):
        finish(pipeline.instances(options.batch_dir, settings, engine, display))


def _prepare(options: argparse.Namespace) -> None:
    from ..runs import pipeline

    with watched("prepare", options) as (display, finish):
        finish(pipeline.prepare(settings_of(PrepareSettings, options), display))


def _audit(options: argparse.Namespace) -> None:
    from ..audit import checks as audit
    from ..audit import view as audit_view
    from ..bdd.ladder import Rung, reachable

    top, lack = reachable(Rung.named(options.top_rung))
    if lack:
        print(f"not climbed above {top}: {lack}", file=sys.stderr)
    one = audit.audit_repaired_file if options.repair else audit.audit_file
    audits = [one(file, top) for file in options.files]
    if options.json:
        audit_view.print_json(audits)
    else:
        audit_view.print_table(audits)


def _repair(options: argparse.Namespace) -> None:
    from ..audit import checks as audit
    from ..audit import view as audit_view

    audit_view.print_repair(audit.repair_file(options.file, options.output_file))


def _seeds_to_markdown(options: argparse.Namespace) -> None:
    from ..seeds import markdown as seeds_markdown

    _write(seeds_markdown.markdown_of_file(options.file), options.output_file)


def _seeds_from_markdown(options: argparse.Namespace) -> None:
    from ..seeds import markdown as seeds_markdown

    _write(seeds_markdown.jsonl_of_file(options.file), options.output_file)


def _write(text: str, output_file: str | None) -> None:
    from ..core.files import write_text

    if output_file is None:
        sys.stdout.write(text)
    else:
        write_text(Path(output_file), text)
