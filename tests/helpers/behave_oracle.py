"""What real behave makes of a feature and its step module: the oracle of the binder.

`behave --dry-run` runs in a forked child for each case, so that 300 of them take seconds. It
imports the step module: only for code written here.
"""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from behave.__main__ import main as behave_main
from behave.formatter.base import Formatter
from behave.model import Feature
from behave.step_registry import registry

_FORK = multiprocessing.get_context("fork")


class Matches(Formatter):
    """Notes what behave's registry finds for each step of each scenario.

    Asked of the registry itself: in a dry run behave tells formatters of bound steps only.
    """

    lines: ClassVar[list[int | None]] = []

    def feature(self, feature: Feature) -> None:
        for scenario in feature.walk_scenarios():
            for step in scenario.all_steps:
                match = registry.find_match(step)
                self.lines.append(match.location.line if match else None)


@dataclass(frozen=True)
class Verdict:
    """What behave did: the line of each step's function, None if undefined; or its refusal."""

    lines: tuple[int | None, ...]
    refusal: str | None


def dry_run(feature_text: str, code: str) -> Verdict:
    return _in_child(feature_text, code, ["--dry-run"])[0]


def runs_green(feature_text: str, code: str) -> bool:
    return _in_child(feature_text, code, [])[1] == 0


def _in_child(feature_text: str, code: str, options: list[str]) -> tuple[Verdict, int]:
    ours, theirs = _FORK.Pipe(duplex=False)
    child = _FORK.Process(target=_behave, args=(feature_text, code, options, theirs))
    child.start()
    theirs.close()
    result: tuple[Verdict, int] = ours.recv()
    child.join()
    return result


def _behave(feature_text: str, code: str, options: list[str], pipe: object) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "features" / "steps").mkdir(parents=True)
        (folder / "features" / "one.feature").write_text(feature_text, encoding="utf-8")
        (folder / "features" / "steps" / "steps.py").write_text(code, encoding="utf-8")
        os.chdir(folder)
        said = io.StringIO()
        refusal = None
        exit_code = 1
        Matches.lines = []
        arguments = [
            *options,
            "--no-summary",
            "-f",
            "tests.helpers.behave_oracle:Matches",
            "features",
        ]
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            try:
                exit_code = behave_main(arguments)
            except Exception as error:  # noqa: BLE001 (whatever behave raises is its verdict)
                refusal = repr(error)
        if refusal is None and not Matches.lines:
            refusal = said.getvalue()[-500:]
        pipe.send((Verdict(tuple(Matches.lines), refusal), exit_code))  # type: ignore[attr-defined]
