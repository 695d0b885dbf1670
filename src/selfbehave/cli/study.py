"""The command line of the study: `selfbehave study …`.

The commands import the packages that only studies need, so that other commands do not need them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import EXIT_USAGE, SelfBehaveError
from ..core.extras import needs_extra
from ..engines.settings import BATCH_FIELDS, EngineSettings
from ..study.ratings import AUTOMATIC, Rating
from .options import add_options, settings_of

if TYPE_CHECKING:
    from ..study.store import Study

__all__ = ["add_study"]

Command = Callable[[argparse.Namespace], None]

_RATINGS = (".csv", ".xlsx", ".jsonl")
_STUDY_HELP = "the study: its file, or postgresql://…"
_HOST, _PORT = "127.0.0.1", 8765


def add_study(commands: Any) -> None:
    """Add the `study` command with its own commands."""
    text = "let people rate a sample of the generated data, and compute their agreement"
    sub = commands.add_parser("study", help=text, description=text)
    actions = sub.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_sample(actions)
    _add_serve(actions)
    _add_links(actions)
    _add_exchange(actions)
    _add_report(actions)
    _add_rate(actions)


def _action(actions: Any, name: str, command: Command, text: str) -> argparse.ArgumentParser:
    action: argparse.ArgumentParser = actions.add_parser(name, help=text, description=text)
    action.set_defaults(command=needs_extra("study")(command))
    return action


def _add_sample(actions: Any) -> None:
    action = _action(actions, "sample", _sample, "draw a sample and make a study from it")
    action.add_argument(
        "datasets",
        nargs="+",
        metavar="DATASET",
        help="a *.jsonl file, a run's folder or a packaged seed set; NAME=PATH names it",
    )
    _add_place(action, "--study", "the file to make")
    action.add_argument("--size", type=int, help="scenarios of each dataset (default: by --error)")
    action.add_argument(
        "--error",
        type=float,
        default=0.05,
        help="margin of error, for Yamane's sample size (default: %(default)s)",
    )
    action.add_argument(
        "--random_seed", type=int, default=42, help="seed of every draw (default: %(default)s)"
    )
    action.add_argument("--raters", nargs="+", default=[], metavar="NAME", help="who will rate")
    action.add_argument("--pages", type=Path, metavar="DIR", help="write a page of each scenario")


def _add_serve(actions: Any) -> None:
    action = _action(actions, "serve", _serve, "let raters rate in their browsers")
    _add_place(action, "study", _STUDY_HELP)
    action.add_argument(
        "--host", default=_HOST, help="address to listen at (default: %(default)s, this machine)"
    )
    action.add_argument("--port", type=int, default=_PORT, help="(default: %(default)s; 0: any)")
    _add_url(action)


def _add_links(actions: Any) -> None:
    action = _action(actions, "links", _links, "print the private links of a study, or add raters")
    _add_place(action, "study", _STUDY_HELP)
    action.add_argument("--add", nargs="+", default=[], metavar="NAME", help="add raters")
    action.add_argument(
        "--renew", nargs="+", default=[], metavar="NAME", help="replace the links of these raters"
    )
    _add_url(action)


def _add_exchange(actions: Any) -> None:
    for name, command, text, file_help in (
        (
            "import",
            _import,
            "import ratings into a study, or make a study from them",
            "what to read",
        ),
        ("export", _export, "write a study's ratings, the consensus included", "what to write"),
    ):
        action = _action(actions, name, command, text)
        action.add_argument("study", metavar="STUDY", help=_STUDY_HELP)
        action.add_argument("file", metavar="FILE", type=Path, help=f"{file_help}: {_kinds()}")
        if name == "import":
            _add_consensus(action)


def _add_report(actions: Any) -> None:
    text = "proportions, agreement and tests: tables, CSV files, figures and a page"
    action = _action(actions, "report", _report, text)
    action.add_argument(
        "sources", nargs="+", metavar="SOURCE", help=f"studies, or ratings: {_kinds()}"
    )
    action.add_argument("--to", type=Path, required=True, metavar="DIR", help="where it goes")
    _add_consensus(action)


def _add_rate(actions: Any) -> None:
    action = _action(actions, "rate", _rate, "rate a study automatically")
    action.add_argument("study", metavar="STUDY", help=_STUDY_HELP)
    action.add_argument(
        "--rater",
        required=True,
        choices=AUTOMATIC,
        help="auto: by rules, from the text alone; auto-run: the same, and by running the code in "
        "the sandbox; llm: by a language model",
    )
    action.add_argument(
        "--batch_dir",
        type=Path,
        help="llm: folder of the journal of answers (default: beside the study's file)",
    )
    action.add_argument(
        "--max_tokens", type=int, help="llm: longest answer, for models that think aloud first"
    )
    add_options(action, EngineSettings, besides=BATCH_FIELDS)


def _add_place(action: argparse.ArgumentParser, name: str, help: str) -> None:
    """The location of a study, which --db can set as well."""
    if name.startswith("--"):
        action.add_argument(name, metavar="FILE", help=help)
    else:
        action.add_argument(name, nargs="?", metavar="STUDY", help=help)
    action.add_argument("--db", metavar="URL", help="the same, for a team: postgresql://…")


def _add_url(action: argparse.ArgumentParser) -> None:
    action.add_argument("--url", help="address raters reach it by (default: where it is served)")


def _add_consensus(action: argparse.ArgumentParser) -> None:
    action.add_argument(
        "--consensus", metavar="NAME", help="rater to read as the consensus in a ratings file"
    )


def _kinds() -> str:
    return ", ".join(f"*{suffix}" for suffix in _RATINGS)


def _place(options: argparse.Namespace) -> str:
    if (options.study is None) == (options.db is None):
        raise SelfBehaveError("give the study once: as a file, or with --db", exit_code=EXIT_USAGE)
    place: str = options.study or options.db
    return place


def _sample(options: argparse.Namespace) -> None:
    from ..study.sample_pages import write_pages
    from ..study.sampling import draw, read_dataset
    from ..study.store import Study

    place = _place(options)
    samples = []
    for given in options.datasets:
        name, path, rows = read_dataset(given)
        samples.append(
            draw(
                name,
                str(path),
                rows,
                size=options.size,
                error=options.error,
                random_seed=options.random_seed,
            )
        )
    with Study.create(
        place, samples, raters=options.raters, random_seed=options.random_seed
    ) as study:
        how = "--size" if options.size else f"Yamane, error {options.error:g}"
        for sample in samples:
            _say(f"{sample.dataset}: {len(sample.items):,} of {sample.population:,} rows ({how})")
        if options.pages:
            _say(f"{len(write_pages(study.items(), options.pages)):,} pages in {options.pages}")
        _say(f"study: {study.shown_place}")
        if not options.raters:
            _say(f"next: selfbehave study links {study.shown_place} --add NAME NAME")
        _say(f"next: selfbehave study serve {study.shown_place}")


def _serve(options: argparse.Namespace) -> None:
    from ..study.store import Study
    from ..study.web import server

    with Study.open(_place(options)) as study:
        listening, address = server.listen(options.host, options.port)
        with listening:
            url = options.url or address
            _say_links(study, url)
            if not server.is_loopback(options.host):
                print(
                    f"selfbehave: {options.host} can be reached from other machines, and what goes "
                    "there is not encrypted: put a proxy with TLS before it",
                    file=sys.stderr,
                )
            _say(f"serving at {address}; every answer is saved as it is given; Ctrl-C ends")
            sys.stdout.flush()
            server.serve(study, listening, options.host, url)


def _links(options: argparse.Namespace) -> None:
    from ..study.store import Study

    with Study.open(_place(options)) as study:
        for name in options.add:
            study.add_rater(name)
        for name in options.renew:
            study.renew_link(name)
        _say_links(study, options.url or f"http://{_HOST}:{_PORT}")


def _say_links(study: Study, url: str) -> None:
    from ..study.store import MACHINE
    from ..study.web.server import link_maker

    link = link_maker(url)
    shown = [rater for rater in study.raters() if rater.role != MACHINE]
    width = max(len(rater.name) for rater in shown)
    for rater in shown:
        _say(f"{rater.name:{width}}  {link(rater)}")


def _import(options: argparse.Namespace) -> None:
    from ..study import schema
    from ..study.exchange import read_ratings
    from ..study.store import Study

    ratings = read_ratings(options.file, options.consensus)
    is_new = not schema.is_url(options.study) and not Path(options.study).exists()
    try:
        with Study.create(options.study, []) if is_new else Study.open(options.study) as study:
            changed = study.import_ratings(ratings)
            shown_place = study.shown_place
    except SelfBehaveError:
        if is_new:
            Path(options.study).unlink(missing_ok=True)  # it contains only the failure
        raise
    raters = ", ".join(dict.fromkeys(rating.rater for rating in ratings))
    datasets = ", ".join(dict.fromkeys(rating.dataset for rating in ratings))
    _say(f"{len(ratings):,} ratings of {datasets} by {raters}; {changed:,} answers changed")
    _say(f"study: {shown_place}")


def _export(options: argparse.Namespace) -> None:
    from ..study.exchange import write_ratings
    from ..study.store import Study

    with Study.open(options.study) as study:
        ratings = study.ratings()
        names = {(item.dataset, item.scenario_id): item.name for item in study.items()}
    if not ratings:
        raise SelfBehaveError("there are no ratings yet", where=options.study)
    write_ratings(options.file, ratings, names)
    _say(f"{len(ratings):,} ratings in {options.file}")


def _report(options: argparse.Namespace) -> None:
    from rich.console import Console

    from ..study.analysis import analyse
    from ..study.report_page import write_page
    from ..study.study_figures import write_figures
    from ..study.study_tables import print_tables, write_csv

    analysis = analyse(_ratings_of(options.sources, options.consensus))
    files = write_csv(analysis, options.to) + write_figures(analysis, options.to)
    page = options.to / "report.html"
    write_page(analysis, page)
    print_tables(analysis, Console(highlight=False))
    for file in [*files, page]:
        _say(str(file))


def _ratings_of(sources: Sequence[str], consensus: str | None) -> list[Rating]:
    from ..study.exchange import read_ratings
    from ..study.store import Study

    ratings: list[Rating] = []
    for source in sources:
        if Path(source).suffix.lower() in _RATINGS:
            ratings += read_ratings(Path(source), consensus)
        else:
            with Study.open(source) as study:
                given = study.ratings()
                ratings += [*given, *_unrated(study, given)]
    return ratings


def _unrated(study: Study, ratings: Sequence[Rating]) -> list[Rating]:
    """A blank rating for each unrated scenario, so that it counts as unrated."""
    rated = {(rating.dataset, rating.scenario_id) for rating in ratings}
    someone = study.people()[:1]
    return [
        Rating(item.dataset, item.scenario_id, rater.name)
        for item in study.items()
        if (item.dataset, item.scenario_id) not in rated
        for rater in someone
    ]


def _rate(options: argparse.Namespace) -> None:
    from ..study.store import Study

    with Study.open(options.study) as study:
        items = study.items()
        if options.rater == "auto":
            from ..study import automatic_rater

            ratings = automatic_rater.rate(items)
        elif options.rater == "auto-run":
            from ..study import automatic_rater

            ratings = automatic_rater.rate_by_running(items)
        else:
            from ..study import model_rater, schema

            beside = "study" if schema.is_url(options.study) else options.study
            folder = options.batch_dir or Path(f"{beside}.journal")
            engine = settings_of(EngineSettings, options)
            ratings = model_rater.rate(items, engine, folder, max_tokens=options.max_tokens)
        changed = study.import_ratings(ratings)
        _say(f"{options.rater} rated {len(ratings):,} scenarios; {changed:,} answers changed")


def _say(text: str) -> None:
    from ..views.display import Display

    Display().say(text)
