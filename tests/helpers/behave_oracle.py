"""What real behave makes of a feature and its step module: the oracle of the ladder up to `bound`.

`behave --dry-run` runs in a forked child, many pairs in one, each with behave's registries as they
are at its start. It imports the step modules: only for code written here.
"""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import shutil
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import ClassVar

from behave.__main__ import main as behave_main
from behave.formatter.base import Formatter
from behave.matchers import get_step_matcher_factory
from behave.model import Feature
from behave.runner import the_step_registry

_FORK = multiprocessing.get_context("fork")
_PAIRS_A_CHILD = 500


class Matches(Formatter):
    """Notes what behave's registry finds for each step of each scenario.

    Asked of the registry itself: in a dry run behave tells formatters of bound steps only.
    """

    steps: ClassVar[list[tuple[str, str, int | None]]] = []

    def feature(self, feature: Feature) -> None:
        for scenario in feature.walk_scenarios():
            for step in scenario.all_steps:
                match = the_step_registry.find_match(step)
                self.steps.append((step.step_type, step.name, match and match.location.line))


@dataclass(frozen=True)
class Verdict:
    """What behave did.

    Attributes:
        steps: each step that it would run: kind, text, and the line of its function, None where
            it is undefined.
        refusal: what it said where it ran none.
        exit_code: 0 where it was content.
    """

    steps: tuple[tuple[str, str, int | None], ...]
    refusal: str | None
    exit_code: int

    @property
    def lines(self) -> tuple[int | None, ...]:
        return tuple(line for _, _, line in self.steps)

    @property
    def accepts(self) -> bool:
        """Whether there are steps to run, and all of them are defined."""
        return self.exit_code == 0 and bool(self.steps) and None not in self.lines


def dry_run(feature_text: str, code: str) -> Verdict:
    (verdict,) = dry_runs([(feature_text, code)])
    return verdict


def dry_runs(pairs: Sequence[tuple[str, str]]) -> list[Verdict]:
    """The verdicts on many pairs, in order."""
    verdicts: list[Verdict] = []
    for start in range(0, len(pairs), _PAIRS_A_CHILD):
        verdicts += _in_child(pairs[start : start + _PAIRS_A_CHILD], ["--dry-run"])
    return verdicts


def runs_green(feature_text: str, code: str) -> bool:
    (verdict,) = _in_child([(feature_text, code)], [])
    return verdict.exit_code == 0


def _in_child(pairs: Sequence[tuple[str, str]], options: list[str]) -> list[Verdict]:
    ours, theirs = _FORK.Pipe(duplex=False)
    child = _FORK.Process(target=_judge, args=(pairs, options, theirs))
    child.start()
    theirs.close()
    verdicts: list[Verdict] = ours.recv()
    child.join()
    return verdicts


def _judge(pairs: Sequence[tuple[str, str]], options: list[str], pipe: Connection) -> None:
    with tempfile.TemporaryDirectory() as name:
        pipe.send([_verdict(Path(name), *pair, options) for pair in pairs])


def _verdict(folder: Path, feature_text: str, code: str, options: list[str]) -> Verdict:
    (folder / "features" / "steps").mkdir(parents=True)
    (folder / "features" / "one.feature").write_bytes(feature_text.encode("utf-8", "replace"))
    (folder / "features" / "steps" / "steps.py").write_bytes(code.encode("utf-8", "replace"))
    os.chdir(folder)
    Matches.steps = []
    the_step_registry.clear()
    get_step_matcher_factory().step_matcher_class_mapping.pop("cucumber_expressions", None)
    said = io.StringIO()
    refusal = None
    exit_code = 1
    formatter = f"{__name__}:Matches"
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                exit_code = behave_main([*options, "--no-summary", "-f", formatter, "features"])
        except (Exception, SystemExit) as error:  # noqa: BLE001 (whatever behave raises is its verdict)
            refusal = repr(error)
    if refusal is None and not Matches.steps:
        refusal = said.getvalue()[-500:]
    os.chdir("/")
    shutil.rmtree(folder / "features")
    return Verdict(tuple(Matches.steps), refusal, exit_code)
