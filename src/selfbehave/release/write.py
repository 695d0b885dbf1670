"""Making a release: from runs to a folder that is there whole, or not at all."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..bdd.fences import GHERKIN, first_block
from ..errors import SelfBehaveError
from ..records import write_jsonl
from ..seeds import PACKAGED, load_seeds
from . import behave_folders, scan
from .card import card
from .citation import citation
from .croissant import croissant
from .data_files import FORMS, SCHEMA, instance, parquet, record, seed_tasks
from .description import Checks, Description, SeedsUsed, seeds_name
from .runs import ReleaseRow, Run, Verdicts, read_run
from .splits import TEST, TRAIN, leaks, split
from .verdicts import with_verdicts

__all__ = ["ReleaseSettings", "Released", "release"]

_SUMMARY = (
    "Gherkin scenarios with the behave step functions that bind their steps, grown from seed "
    "tasks with a language model by SelfBehave."
)
_TAGS = ("bdd", "gherkin", "behave", "self-instruct", "synthetic")


@dataclass(frozen=True, kw_only=True)
class ReleaseSettings:
    """What a release is made with beside its rows.

    Attributes:
        test: share of the test split; 0 for none.
        behave_folders: rows of each split that become folders for behave, at most.
        allow_findings: release in spite of what looks like a secret.
        name: of the dataset; None for its folder's.
        authors: who stands for it.
        hub_name: org/name on the Hub, where it will be.
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


@dataclass(frozen=True)
class Released:
    """What a release came to.

    Attributes:
        sizes: rows by split.
        findings_file: beside the release, with everything that was found in the text; None where
            nothing was.
    """

    folder: Path
    sizes: Mapping[str, int]
    checks: Checks
    findings_file: Path | None


def release(
    runs: Sequence[str],
    folder: Path,
    settings: ReleaseSettings | None = None,
    of_study: Mapping[str, Verdicts] | None = None,
) -> Released:
    """Make a release of finished runs. The same runs and settings give the same bytes.

    Args:
        runs: their folders, each as `FOLDER` or `NAME=FOLDER`.
        folder: where it goes: one that is not there, or is empty.
        of_study: verdicts of people, by row; from `verdicts.rated`.

    Raises:
        SelfBehaveError: a run is broken, the folder is in use, or there may be a secret in the
            text and the settings do not allow it.
    """
    settings = settings or ReleaseSettings()
    if folder.name in ("", ".."):
        folder = folder.resolve()  # files beside it are named after it
    if settings.behave_folders < 0:
        raise SelfBehaveError(f"--behave_folders must be at least 0, not {settings.behave_folders}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SelfBehaveError(
            "there is something here already", where=folder, mend="give a new or empty folder"
        )
    read = _read_runs(runs)
    every = [row for run in read for row in run.rows]
    rows = list({row.id: row for row in reversed(every)}.values())[::-1]
    findings, findings_file = _scan(rows, folder, settings.allow_findings)
    rows = with_verdicts(rows, of_study or {})
    splits = split(rows, settings.test, settings.random_seed)
    seeds, seed_texts, notices = _seeds_of(read)
    if of_study and not any(row.id in of_study for row in rows):
        notices.append("The study given rated none of these rows.")
    runnable = {
        name: [row for row in part if behave_folders.can_run(row)]
        for name, part in splits.rows.items()
    }
    in_folders = {name: part[: settings.behave_folders] for name, part in runnable.items()}
    checks = Checks(
        duplicates=len(every) - len(rows),
        groups=splits.groups,
        grouped=splits.grouped,
        across=_across(splits.rows),
        near_seeds=len(leaks(rows, seed_texts)),
        findings=scan.summary(findings),
        in_folders=sum(map(len, in_folders.values())),
        runnable=sum(map(len, runnable.values())),
        notices=tuple(notices),
    )
    sizes = {name: len(part) for name, part in splits.rows.items()}
    description = _description(settings, folder, sizes)
    writer = _Writer(folder)
    for name, part in splits.rows.items():
        _write_data(writer, name, part)
    data = dict(writer.checksums)
    for name, runs_as_is in in_folders.items():
        for row in runs_as_is:
            for path, text in behave_folders.behave_files(row):
                writer.text(f"behave/{name}/{path}", text)
    writer.text("README.md", card(description, read, seeds, rows, checks))
    metadata = croissant(description, data)
    writer.text("croissant.json", json.dumps(metadata, indent=1, ensure_ascii=False) + "\n")
    writer.text("CITATION.cff", citation(description))
    writer.finish()
    return Released(folder, sizes, checks, findings_file)


def _read_runs(given: Sequence[str]) -> list[Run]:
    runs = [read_run(one) for one in given]
    names = [run.name for run in runs]
    for name in names:
        if names.count(name) > 1:
            raise SelfBehaveError(
                f"two runs are named {name!r}", mend="name one otherwise: NAME=FOLDER"
            )
    return runs


def _scan(
    rows: Sequence[ReleaseRow], folder: Path, allow: bool
) -> tuple[list[scan.Finding], Path | None]:
    """Look for secrets and personal data; list them beside the release, not in it."""
    findings = scan.scan(rows)
    if not findings:
        return findings, None
    file = folder.with_name(folder.name + ".findings.jsonl")
    write_jsonl(file, map(asdict, findings))
    secrets = scan.summary([finding for finding in findings if scan.is_secret(finding)])
    if secrets and not allow:
        told = ", ".join(f"{type} ({count})" for type, count in secrets.items())
        raise SelfBehaveError(
            f"the text may hold secrets: {told}",
            where=file,
            mend="take these rows out, or release them with --allow_findings",
        )
    return findings, file


def _seeds_of(runs: Sequence[Run]) -> tuple[list[SeedsUsed], list[str], list[str]]:
    """The seed tasks of runs, the texts to compare rows with, and what could not be had."""
    used: dict[str, SeedsUsed] = {}
    texts: list[str] = []
    notices: list[str] = []
    for run in runs:
        noted = run.settings.get("bootstrap", {})
        path, sha256 = noted.get("seed_tasks_path"), noted.get("seed_tasks_sha256")
        if not isinstance(path, str):
            notices.append(f"Run {run.name} does not tell its seed tasks: not compared with them.")
            continue
        name = seeds_name(path)
        if sha256 in used:
            continue
        if path not in PACKAGED and not Path(path).exists():
            notices.append(f"The seed tasks {name} of run {run.name} are gone: not compared.")
            continue
        seeds = load_seeds(path)
        if sha256 not in (None, seeds.sha256):
            notices.append(f"The seed tasks {name} have changed since run {run.name}.")
        used[seeds.sha256] = SeedsUsed(name, seeds.sha256, len(seeds.tasks))
        for task in seeds.tasks:
            scenario = first_block(task.instruction, GHERKIN)
            texts += (
                [scenario.body]
                if scenario is not None
                else [f"{task.instruction}\n{one.input}" for one in task.instances]
            )
    return list(used.values()), texts, notices


def _across(rows: Mapping[str, Sequence[ReleaseRow]]) -> int | None:
    """Test rows too similar to a train row, counted over again on what was split."""
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


def _write_data(writer: _Writer, name: str, rows: Sequence[ReleaseRow]) -> None:
    writer.parts(f"data/{name}.parquet", [parquet(map(record, rows), SCHEMA)])
    for form_name, form in FORMS.items():
        parts = [parquet(map(form.write, rows), form.schema)]
        writer.parts(f"{form_name}/{name}.parquet", parts)
        writer.jsonl(f"{form_name}/{name}.jsonl", map(form.write, rows))
    writer.jsonl(f"instances/{name}.jsonl", map(instance, rows))
    writer.jsonl(f"seed_tasks/{name}.jsonl", seed_tasks(rows))


class _Writer:
    """Writes files into a folder that takes its name once it is complete."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._partial = folder.with_name(folder.name + ".partial")
        self.checksums: dict[str, str] = {}
        if self._partial.exists():  # of a release that was broken off
            shutil.rmtree(self._partial)

    def text(self, path: str, text: str) -> None:
        self.parts(path, [text.encode("utf-8")])

    def jsonl(self, path: str, rows: Iterable[Mapping[str, Any]]) -> None:
        self.parts(path, (f"{json.dumps(row, ensure_ascii=False)}\n".encode() for row in rows))

    def parts(self, path: str, parts: Iterable[bytes]) -> None:
        digest = hashlib.sha256()
        with self._told():
            file = self._partial / path
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("wb") as stream:
                for part in parts:
                    digest.update(part)
                    stream.write(part)
        self.checksums[path] = digest.hexdigest()

    def finish(self) -> None:
        lines = [f"{digest}  {path}\n" for path, digest in sorted(self.checksums.items())]
        self.text("checksums.sha256", "".join(lines))
        with self._told():
            if self._folder.exists():
                self._folder.rmdir()
            self._partial.rename(self._folder)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise SelfBehaveError(
                f"cannot be written: {error.strerror}",
                where=self._folder,
                mend="check the folder and the disk",
            ) from error
