"""Make a release of runs: write its folder completely or not at all."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from ..core.canary import CANARY
from ..core.errors import SelfBehaveError
from ..core.jsonl import json_line, write_jsonl
from ..novelty.rule import MAX_COMPARED_CHARACTERS
from ..runs.finished import CriteriaVerdicts, FinishedRow, named_folders, read_runs
from ..runs.finished_attempts import FinishedAttempt, TriedPrompt, tried_prompts
from ..stats.domains import domains_of
from ..views.display import Display
from . import behave_folders, scan
from .card import card
from .citation import citation
from .croissant import croissant
from .description import Checks, Description
from .formats import added_files, form_files, own_files
from .held_out import read_held_out
from .judgements import with_verdicts
from .overlaps import OVERLAPS_FILE, HeldOutIndex, Overlap, overlaps_with, without_overlaps
from .reasoning import with_reasoning
from .seeds_used import seeds_of
from .splits import TEST, TRAIN, leaks, place, split
from .training_forms import FormRows, FormSettings, named_forms, rows_of
from .whole_folder import FolderWriter

__all__ = ["ReleaseSettings", "Released", "release"]

_SUMMARY = (
    "Gherkin scenarios with the behave step functions that bind their steps, grown from seed "
    "tasks with a language model by SelfBehave."
)
_TAGS = ("bdd", "gherkin", "behave", "self-instruct", "synthetic")


@dataclass(frozen=True, kw_only=True)
class ReleaseSettings:
    """The settings of a release.

    Attributes:
        test: the share of the test split; 0 for no test split.
        behave_folders: the maximum number of rows per split to write as folders for behave.
        allow_findings: whether to release even if the text seems to contain a secret.
        name: the name of the dataset; None for the name of its folder.
        authors: the authors of the dataset.
        hub_name: its org/name on the Hub.
        keep_reasoning: whether the thoughts that a model wrote before a row are a column.
        forms: the forms to make of the runs' attempts, by the names in `TRAINING_FORMS`, or `all`.
        form_settings: how they choose.
        against: held-out data that no row should be like: files, folders of feature files, or
            the name of the packaged benchmark.
        flag_overlaps: whether to keep rows that are like held-out data, flagged in a column.
    """

    test: float = 0.0
    random_seed: int = 42
    behave_folders: int = 1000
    allow_findings: bool = False
    name: str | None = None
    version: str = "1.0.0"
    licence: str = "other"
    languages: tuple[str, ...] = ("en",)
    authors: tuple[str, ...] = ()
    date: str | None = None
    hub_name: str | None = None
    keep_reasoning: bool = False
    forms: tuple[str, ...] = ()
    form_settings: FormSettings = field(default_factory=FormSettings)
    against: tuple[str, ...] = ()
    flag_overlaps: bool = False


@dataclass(frozen=True)
class Released:
    """The result of making a release.

    Attributes:
        sizes: the number of rows by split.
        findings_file: the list of findings in the text, next to the release's folder; None if there
            are no findings.
        forms: the rows of each form that was asked for.
    """

    folder: Path
    sizes: Mapping[str, int]
    checks: Checks
    findings_file: Path | None
    forms: tuple[FormRows, ...] = ()


def release(
    runs: Sequence[str],
    folder: Path,
    settings: ReleaseSettings | None = None,
    of_study: Mapping[str, CriteriaVerdicts] | None = None,
    display: Display | None = None,
) -> Released:
    """Make a release of finished runs. The same runs and settings give the same bytes.

    Args:
        runs: the run folders, each as `FOLDER` or `NAME=FOLDER`.
        folder: the folder to write; it must be empty or not exist.
        of_study: people's verdicts by row, from `study.settled`.

    Raises:
        SelfBehaveError: a run is broken, the folder is in use, or the text may contain a secret and
            the settings do not allow it.
    """
    settings = settings or ReleaseSettings()
    display = display or Display()
    if folder.name in ("", ".."):
        folder = folder.resolve()  # files next to it use its name
    if settings.behave_folders < 0:
        raise SelfBehaveError(f"--behave_folders must be at least 0, not {settings.behave_folders}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SelfBehaveError(
            "the folder is not empty", where=folder, mend="give a new or empty folder"
        )
    forms = named_forms(settings.forms)
    held_out = read_held_out(settings.against)
    read = read_runs(runs)
    found = [row for run in read for row in run.rows]
    every = [row for row in found if not _holds_canary(row)]
    if not every:
        raise SelfBehaveError(
            "every row holds the canary of evaluation data",
            where=folder,
            mend="release rows of other runs: these would spoil the benchmark",
        )
    prompts, attempts_left_out = tried_prompts(runs) if forms else ([], Counter[str]())
    unique = _without_repeats(every)
    rows, overlaps = list(unique), tuple[Overlap, ...]()
    if held_out:
        display.say(f"comparing them with {len(held_out):,} held-out texts")
        index = HeldOutIndex(held_out)
        rows, overlaps = _compared(unique, index, folder, flags=settings.flag_overlaps)
        # The forms have no column to flag them in.
        prompts, like_held_out = without_overlaps(prompts, index)
        attempts_left_out += Counter(held_out_data=like_held_out)
    if settings.keep_reasoning:
        rows = with_reasoning(rows, dict(named_folders(runs)))
    attempts = [attempt for prompt in prompts for attempt in prompt.attempts]
    read_through = f"{len(rows):,} rows" + (f" and {len(attempts):,} attempts" if forms else "")
    display.say(f"looking for secrets and personal data in {read_through}")
    findings, findings_file = _scan([*rows, *attempts], folder, settings.allow_findings)
    display.say("judging them by rules where no study has")
    rows = with_verdicts(rows, of_study or {})
    display.say("sorting them by domain")
    domains = domains_of([row.subject for row in rows])
    rows = [replace(row, domain=domain) for row, domain in zip(rows, domains, strict=True)]
    display.say("comparing them with each other and with the seed tasks")
    splits = split(rows, settings.test, settings.random_seed)
    placed = place((_subject(one) for one in prompts), splits, settings.test, settings.random_seed)
    by_split = {
        name: [one for one in prompts if placed.get(_subject(one)) == name] for name in splits.rows
    }
    made = tuple(rows_of(name, by_split, settings.form_settings) for name in forms)
    seeds, seed_texts, notices = seeds_of(read)
    if left_out := len(found) - len(every):
        notices.append(f"Rows left out that hold the canary of evaluation data: {left_out:,}.")
    if of_study is not None and not any(row.id in of_study for row in rows):
        notices.append("The study given rated none of these rows.")
    runnable = {
        name: [row for row in part if behave_folders.can_run(row)]
        for name, part in splits.rows.items()
    }
    in_folders = {name: part[: settings.behave_folders] for name, part in runnable.items()}
    checks = Checks(
        duplicates=len(every) - len(unique),
        groups=splits.groups,
        grouped=splits.grouped,
        across=_across(splits.rows),
        near_seeds=len(leaks(rows, seed_texts)),
        findings=scan.summary(findings),
        held_out=Counter(one.file for one in held_out),
        overlaps=overlaps,
        flags_overlaps=settings.flag_overlaps,
        in_folders=sum(map(len, in_folders.values())),
        runnable=sum(map(len, runnable.values())),
        notices=tuple(notices),
        attempts_left_out=dict(sorted(attempts_left_out.items())),
        between_splits=len(prompts) - sum(map(len, by_split.values())),
    )
    sizes = {name: len(part) for name, part in splits.rows.items()}
    description = _description(settings, folder, sizes)
    writer = FolderWriter(folder)
    for name, part in splits.rows.items():
        for path, content in own_files(name, part):
            writer.file(path, content)
    for form in made:
        for path, content in form_files(form):
            writer.file(path, content)
    data = dict(writer.checksums)
    for name, part in splits.rows.items():
        for path, content in added_files(name, part):
            writer.file(path, content)
    for name, runs_as_is in in_folders.items():
        for row in runs_as_is:
            for path, text in behave_folders.behave_files(row):
                writer.file(f"behave/{name}/{path}", text)
    if held_out:
        writer.file(OVERLAPS_FILE, b"".join(json_line(one.to_dict()) for one in overlaps))
    writer.file("README.md", card(description, read, seeds, rows, checks, data, made))
    metadata = croissant(description, rows, data)
    writer.file("croissant.json", json.dumps(metadata, indent=1, ensure_ascii=False) + "\n")
    writer.file("CITATION.cff", citation(description))
    writer.finish()
    return Released(folder, sizes, checks, findings_file, made)


def _subject(prompt: TriedPrompt) -> str:
    """The text to compare a prompt with rows by, as `FinishedRow.subject`."""
    return prompt.scenario[:MAX_COMPARED_CHARACTERS]


def _compared(
    rows: Sequence[FinishedRow],
    held_out: HeldOutIndex,
    folder: Path,
    *,
    flags: bool,
) -> tuple[list[FinishedRow], tuple[Overlap, ...]]:
    """The rows without those that are like held-out data, or with a flag; and the overlaps.

    Raises:
        SelfBehaveError: every row would be left out.
    """
    found = overlaps_with(rows, held_out)
    if flags:
        return [
            replace(row, overlap=found[row.id].told if row.id in found else "") for row in rows
        ], tuple(found.values())
    kept = [row for row in rows if row.id not in found]
    if not kept:
        raise SelfBehaveError(
            "every row is like held-out data",
            where=folder,
            mend="release rows of other runs, or keep these with --flag_overlaps",
        )
    return kept, tuple(found.values())


def _holds_canary(row: FinishedRow) -> bool:
    return any(CANARY in text for text in (row.instruction, row.input, row.output))


def _without_repeats(rows: Sequence[FinishedRow]) -> list[FinishedRow]:
    first: dict[str, FinishedRow] = {}
    for row in rows:
        first.setdefault(row.id, row)
    return list(first.values())


def _scan(
    rows: Sequence[FinishedRow | FinishedAttempt], folder: Path, allow: bool
) -> tuple[list[scan.Finding], Path | None]:
    """Find secrets and personal data, and list them in a file next to the release's folder."""
    findings = scan.scan(rows)
    if not findings:
        return findings, None
    file = folder.with_name(folder.name + ".findings.jsonl")
    write_jsonl(file, map(asdict, findings))
    secrets = scan.summary([finding for finding in findings if scan.is_secret(finding)])
    if secrets and not allow:
        kinds = ", ".join(f"{type} ({count})" for type, count in secrets.items())
        raise SelfBehaveError(
            f"the text may hold secrets: {kinds}",
            where=file,
            mend="take these rows out, or release them with --allow_findings",
        )
    return findings, file


def _across(rows: Mapping[str, Sequence[FinishedRow]]) -> int | None:
    """Count the test rows that are too similar to a train row, as a check of the split."""
    if TEST not in rows:
        return None
    return len(leaks(rows[TEST], (row.subject for row in rows[TRAIN])))


def _description(settings: ReleaseSettings, folder: Path, sizes: Mapping[str, int]) -> Description:
    name = settings.name or folder.resolve().name
    return Description(
        name=name,
        summary=_SUMMARY,
        version=settings.version,
        licence=settings.licence,
        languages=settings.languages,
        authors=settings.authors or (f"The authors of {name}",),
        tags=_TAGS,
        date=settings.date,
        hub_name=settings.hub_name,
        sizes=sizes,
    )
