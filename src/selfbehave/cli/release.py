"""The command line of releases: `selfbehave release …`.

The command imports the packages that only releases need, so that other commands do not need
them.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import EXIT_USAGE, SelfBehaveError
from ..core.extras import needs_extra
from ..core.rungs import RUNGS

if TYPE_CHECKING:
    from ..release.description import Checks
    from ..release.make_release import Released
    from ..release.training_forms import FormRows
    from ..runs.finished import CriteriaVerdicts

__all__ = ["add_release"]

_MOST_SHOWN = 10  # overlaps


def add_release(commands: Any) -> None:
    """Add the `release` command."""
    text = "turn finished runs into a dataset to publish: Parquet, JSON Lines, card, metadata"
    sub: argparse.ArgumentParser = commands.add_parser("release", help=text, description=text)
    sub.set_defaults(command=_release)
    sub.add_argument(
        "runs", nargs="+", metavar="RUN", help="a run's folder; NAME=FOLDER renames it"
    )
    sub.add_argument(
        "--to",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder to write; it must be new or empty",
    )
    sub.add_argument("--study", metavar="FILE", help="take people's verdicts from this study")
    sub.add_argument(
        "--test",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="share of the rows in a test split, near duplicates on one side (default: no split)",
    )
    sub.add_argument(
        "--random_seed", type=int, default=42, help="seed of the split (default: %(default)s)"
    )
    sub.add_argument(
        "--behave_folders",
        type=int,
        default=1000,
        metavar="N",
        help="rows of each split to lay out as folders for behave, at most (default: %(default)s)",
    )
    sub.add_argument(
        "--allow_findings", action="store_true", help="release even if texts look like secrets"
    )
    sub.add_argument(
        "--keep_reasoning",
        action="store_true",
        help="add the column reasoning: the thoughts that a model wrote before a row",
    )
    sub.add_argument(
        "--forms",
        nargs="+",
        default=[],
        metavar="FORM",
        help="forms for training to make of the attempts, besides chat and prompt_completion: "
        "preference, unpaired_preference, language_modeling (repairs), scored_completion, "
        "prompt_only, or all",
    )
    sub.add_argument(
        "--pairs",
        type=int,
        default=4,
        metavar="N",
        help="preference pairs of one prompt, at most (default: %(default)s)",
    )
    sub.add_argument(
        "--margin",
        type=int,
        default=1,
        metavar="RUNGS",
        help="rungs between a better and a worse answer, at least (default: %(default)s)",
    )
    sub.add_argument(
        "--good_rung",
        choices=RUNGS,
        default="causal",
        help="rung of a good answer in unpaired_preference (default: %(default)s)",
    )
    sub.add_argument(
        "--against",
        nargs="+",
        default=[],
        metavar="FILE",
        help="leave out rows that are near duplicates of held-out data or share 13 words in a row "
        "with it: *.jsonl, *.parquet, *.feature, folders of feature files, or packaged, the "
        "packaged benchmark",
    )
    sub.add_argument(
        "--flag_overlaps",
        action="store_true",
        help="keep the rows that --against finds, flagged in the column overlap",
    )
    sub.add_argument("--name", help="of the dataset (default: DIR's name)")
    sub.add_argument("--dataset_version", default="1.0.0", help="(default: %(default)s)")
    sub.add_argument(
        "--license",
        default="other",
        help="as the Hub spells it, such as cc-by-4.0 (default: %(default)s, none chosen)",
    )
    sub.add_argument("--language", nargs="+", default=["en"], metavar="CODE", help="(default: en)")
    sub.add_argument("--author", nargs="+", default=[], metavar="NAME", help="who to cite")
    sub.add_argument("--date", metavar="YYYY-MM-DD", help="of the release (default: none)")
    sub.add_argument(
        "--push", metavar="ORG/NAME", help="upload it to the Hugging Face Hub, as a private dataset"
    )
    sub.add_argument("--public", action="store_true", help="--push makes a public dataset")


@needs_extra("release")
def _release(options: argparse.Namespace) -> None:
    from ..bdd.ladder import Rung
    from ..release import push
    from ..release.make_release import ReleaseSettings, release
    from ..release.training_forms import FormSettings

    if options.date and not re.fullmatch(r"\d{4}-\d\d-\d\d", options.date):
        raise SelfBehaveError(
            f"--date {options.date!r} is not of the form YYYY-MM-DD", exit_code=EXIT_USAGE
        )
    if options.flag_overlaps and not options.against:
        raise SelfBehaveError(
            "--flag_overlaps needs --against FILE…, the held-out data", exit_code=EXIT_USAGE
        )
    if options.push:
        push.check_can_push(options.push)
    settings = ReleaseSettings(
        test=options.test,
        random_seed=options.random_seed,
        behave_folders=options.behave_folders,
        allow_findings=options.allow_findings,
        name=options.name,
        version=options.dataset_version,
        licence=options.license,
        languages=tuple(options.language),
        authors=tuple(options.author),
        date=options.date,
        hub_name=options.push,
        keep_reasoning=options.keep_reasoning,
        forms=tuple(options.forms),
        form_settings=FormSettings(
            pairs=options.pairs, margin=options.margin, good=Rung.named(options.good_rung)
        ),
        against=tuple(options.against),
        flag_overlaps=options.flag_overlaps,
    )
    of_study = _verdicts_of(options.study) if options.study else None
    _print_outcome(release(options.runs, options.to, settings, of_study))
    if options.push:
        _say(f"uploaded: {push.push(options.to, options.push, public=options.public)}")


def _verdicts_of(study: str) -> dict[str, CriteriaVerdicts]:
    from ..study.settled import settled_verdicts
    from ..study.store import Study

    with Study.open(study) as opened:
        people = [rater.name for rater in opened.people()]
        return settled_verdicts(opened.items(), opened.ratings(), people)


def _print_outcome(released: Released) -> None:
    checks = released.checks
    sizes = ", ".join(f"{name} {size:,}" for name, size in released.sizes.items())
    _say(
        f"{sum(released.sizes.values()):,} rows: {sizes}; {checks.duplicates:,} duplicates left out"
    )
    _say(f"near duplicates: {checks.grouped:,} rows in {checks.groups:,} groups")
    if checks.across is not None:
        _say(f"test rows too similar to a train row: {checks.across:,}")
    _say(f"rows too similar to a seed task: {checks.near_seeds:,}")
    if checks.held_out:
        _say_overlaps(checks)
    _say(f"folders for behave: {checks.in_folders:,} of {checks.runnable:,} rows that can run")
    for form in released.forms:
        _say_form(form)
    if released.forms:
        _say_left_out("all forms", checks.attempts_left_out)
    if checks.between_splits:
        _say(f"prompts too similar to rows of both splits, in no form: {checks.between_splits:,}")
    for notice in checks.notices:
        _say(notice)
    if released.findings_file is not None:
        kinds = ", ".join(f"{type} ({count:,})" for type, count in checks.findings.items())
        _say(f"found in the text: {kinds}; see {released.findings_file}")
    _say(f"release: {released.folder}")


def _say_form(form: FormRows) -> None:
    from ..release.training_forms import TRAINING_FORMS

    unit = TRAINING_FORMS[form.name].unit
    sizes = ", ".join(f"{split} {size:,}" for split, size in form.sizes.items()) or "none"
    _say(f"{form.name}: {unit}: {sizes}; from {form.prompts:,} prompts")
    _say_left_out(form.name, form.left_out)


def _say_left_out(name: str, counts: Mapping[str, int]) -> None:
    from ..release.left_out import REASONS

    told = [f"{REASONS[reason]} ({count:,})" for reason, count in counts.items() if count]
    if told:
        _say(f"left out of {name}: {'; '.join(told)}")


def _say_overlaps(checks: Checks) -> None:
    from ..release.overlaps import OVERLAPS_FILE, counted

    reasons = ", ".join(f"{name} {count:,}" for name, count in counted(checks.overlaps).items())
    done = "flagged" if checks.flags_overlaps else "left out"
    _say(
        f"rows like one of {sum(checks.held_out.values()):,} held-out texts: "
        f"{len(checks.overlaps):,} {done}{f' ({reasons})' if reasons else ''}"
    )
    for one in checks.overlaps[:_MOST_SHOWN]:
        _say(f"  {one.id} {one.told}")
    if len(checks.overlaps) > _MOST_SHOWN:
        _say(f"  and {len(checks.overlaps) - _MOST_SHOWN:,} more in {OVERLAPS_FILE}")


def _say(text: str) -> None:
    from ..views.display import Display

    Display().say(text)
