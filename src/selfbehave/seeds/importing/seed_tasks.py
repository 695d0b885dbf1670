"""Make seed tasks from a user's own features: each scenario with its step functions."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...bdd.faults import sentence
from ...bdd.fences import fence
from ...bdd.ladder import Ladder, Rung, climb_pairs
from ...bdd.scenario import parse_scenario
from ...bdd.steps import bind, read_step_functions
from ...core.errors import SelfBehaveError
from ...core.records import Instance, SeedTask
from ...prompts.bdd import instruction_for
from .behave_suite import BehaveSuite
from .left_out import REASONS, CannotImportError, LeftOut, NotUnderstood
from .project import Suite, feature_files, read_text, shown, suite_of
from .pytest_suite import PytestSuites
from .scenarios import (
    OwnScenario,
    Reading,
    as_behave_reads,
    as_pytest_bdd_reads,
    scenarios_of,
)

__all__ = ["ImportReport", "Imported", "import_features"]

MAX_SCENARIO_WORDS = 400  # the limit for new scenarios, see prompts/bdd.py
MAX_SCENARIOS = 20_000
MAX_FEATURE_CHARACTERS = 1_000_000
_LONGEST_NAME = 60


@dataclass(frozen=True)
class Imported:
    """A seed task, with its scenario's place and the rung it reached."""

    task: SeedTask
    place: str
    ladder: Ladder

    def to_dict(self) -> dict[str, Any]:
        """As a JSON object."""
        return {"id": self.task.id, "place": self.place, **self.ladder.to_dict()}


@dataclass(frozen=True)
class ImportReport:
    """The result of an import; each scenario found is either a task or left out.

    Attributes:
        features: feature files read.
        imported: the seed tasks, in order of file and line.
        left_out: every other scenario; a file that cannot be read counts as one.
        not_understood: code that may define steps or name scenarios in a way we cannot follow.
        notes: what behave would refuse and what is not imported, one line each.
    """

    features: int
    imported: tuple[Imported, ...]
    left_out: tuple[LeftOut, ...]
    not_understood: tuple[NotUnderstood, ...]
    notes: tuple[str, ...]

    @property
    def tasks(self) -> list[SeedTask]:
        return [one.task for one in self.imported]

    @property
    def rungs(self) -> Counter[Rung]:
        """The number of tasks that reached each rung and no higher one."""
        return Counter(one.ladder.rung for one in self.imported)

    @property
    def reasons(self) -> dict[str, list[LeftOut]]:
        """The scenarios left out, by reason, in the order of the table."""
        by_reason: dict[str, list[LeftOut]] = {reason: [] for reason in REASONS}
        for one in self.left_out:
            by_reason[one.reason].append(one)
        return {reason: ones for reason, ones in by_reason.items() if ones}


def import_features(places: Sequence[Path], min_rung: Rung, top_rung: Rung) -> ImportReport:
    """Make seed tasks of the scenarios in folders of features.

    The project's code is read from its syntax trees. It is run only for rungs above `bound`, in the
    sandbox.

    Args:
        places: folders, or feature files.
        min_rung: the rung that a task must reach, `bound` or above: below it, some step has no step
            function.
        top_rung: the highest rung to try.

    Raises:
        SelfBehaveError: a place cannot be read or holds no features, or `top_rung` is above `bound`
            and this machine has no sandbox.
    """
    features = feature_files(places)
    projects = _Projects(places, features)
    drafts: list[_Draft] = []
    left_out: list[LeftOut] = []
    for one in _drafts(features, projects):
        if isinstance(one, LeftOut):
            left_out.append(one)
        else:
            drafts.append(one)
    ladders = climb_pairs([(one.scenario.text, one.code) for one in drafts], top_rung)
    imported: list[Imported] = []
    for draft, ladder in zip(drafts, ladders, strict=True):
        if ladder.rung < min_rung:
            detail = f"{ladder.rung}: {'; '.join(map(sentence, ladder.blocking))}"
            left_out.append(LeftOut("below_min_rung", draft.place, detail))
        else:
            imported.append(Imported(_task(len(imported) + 1, draft), draft.place, ladder))
    return ImportReport(
        len(features),
        tuple(imported),
        tuple(left_out),
        tuple(projects.not_understood),
        tuple(projects.notes),
    )


@dataclass(frozen=True)
class _Draft:
    """A scenario and its module of step functions."""

    place: str
    scenario: OwnScenario
    code: str


class _Projects:
    """The projects that the features belong to, each read once."""

    def __init__(self, places: Sequence[Path], features: Sequence[Path]) -> None:
        self._places = places
        self._suites: dict[Suite, BehaveSuite] = {}
        self._pytest = PytestSuites(places, features)

    def codes_for(self, feature: Path, scenario: OwnScenario) -> Iterator[tuple[str, list[str]]]:
        """See `BehaveSuite.codes_for`."""
        if self._pytest.claims(feature):
            yield self._pytest.code_for(feature, scenario)
            return
        suite = suite_of(feature)
        if suite is None:
            if unclear := self._pytest.unclear_claims:
                detail = "no test module is known to name its feature file"
                raise CannotImportError("not_understood", detail, causes=unclear)
            raise CannotImportError("no_step_modules", "no steps folder beside it or above")
        if suite not in self._suites:
            folders = [one.absolute() for one in self._places if one.is_dir()]
            self._suites[suite] = BehaveSuite(suite, folders)
        yield from self._suites[suite].codes_for(scenario)

    def reading_of(self, feature: Path) -> Reading:
        """How to read a feature file as its test runner does."""
        return as_pytest_bdd_reads if self._pytest.claims(feature) else as_behave_reads

    def encoding_of(self, feature: Path) -> str:
        return self._pytest.encoding_of(feature)

    @property
    def not_understood(self) -> list[NotUnderstood]:
        of_behave = (one for suite in self._suites.values() for one in suite.not_understood)
        return list(dict.fromkeys([*of_behave, *self._pytest.not_understood]))

    @property
    def notes(self) -> list[str]:
        return [*(note for one in self._suites.values() for note in one.notes), *self._pytest.notes]


def _drafts(features: Sequence[Path], projects: _Projects) -> Iterator[_Draft | LeftOut]:
    seen: dict[str, str] = {}
    count = 0
    for feature in features:
        try:
            text = read_text(feature, MAX_FEATURE_CHARACTERS, projects.encoding_of(feature))
        except (OSError, ValueError, LookupError) as error:
            yield LeftOut("feature_not_read", shown(feature), f"{error}")
            continue
        for scenario in scenarios_of(text, projects.reading_of(feature)):
            line = scenario.line or 1
            place = f"{shown(feature)}:{line}"
            count += 1
            if count > MAX_SCENARIOS:
                raise SelfBehaveError(
                    f"more than {MAX_SCENARIOS:,} scenarios",
                    where=place,
                    mend="import some of the folders at a time",
                )
            if isinstance(scenario, CannotImportError):
                yield LeftOut(scenario.reason, place, scenario.detail)
                continue
            if first := seen.get(scenario.text):
                yield LeftOut("duplicate", place, f"of {first}")
                continue
            seen[scenario.text] = place
            try:
                yield _Draft(place, scenario, _code(feature, scenario, projects))
            except CannotImportError as error:
                yield LeftOut(error.reason, place, error.detail, error.causes)


def _code(feature: Path, scenario: OwnScenario, projects: _Projects) -> str:
    """The step functions of a scenario; a check ensures they bind its steps as in the project."""
    words = len(scenario.text.split())
    if words > MAX_SCENARIO_WORDS:
        raise CannotImportError("too_long", f"{words} words, {MAX_SCENARIO_WORDS} at most")
    faults: list[str] = []
    for code, patterns in projects.codes_for(feature, scenario):
        fault = _fault(scenario, code, patterns)
        if fault is None:
            return code
        faults.append(fault)
    raise CannotImportError("bound_otherwise", faults[-1])


def _fault(scenario: OwnScenario, code: str, patterns: Sequence[str]) -> str | None:
    """Why a module does not bind a scenario's steps by these patterns; None if it does."""
    try:
        binding = bind(parse_scenario(scenario.text), read_step_functions(code))
    except SyntaxError as error:
        return f"its code does not compile: {error}"
    if binding.faults:
        return "; ".join(map(sentence, binding.faults))
    bound = [function.pattern for _, function in binding.bound if function is not None]
    return None if bound == list(patterns) else "another function would come first"


def _task(number: int, draft: _Draft) -> SeedTask:
    return SeedTask(
        id=f"own_{number:03d}",
        name=_name(draft.scenario.name) or f"scenario_{number}",
        instruction=instruction_for(draft.scenario.text),
        instances=(Instance("", fence("python", draft.code)),),
        is_classification=False,
    )


def _name(title: str) -> str:
    """A title as one word, in the style of the packaged seed tasks."""
    words = re.findall(r"\w+", unicodedata.normalize("NFKC", title).lower())
    name = ""
    for word in words:
        if name and len(name) + len(word) >= _LONGEST_NAME:
            break
        name = f"{name}_{word}" if name else word[:_LONGEST_NAME]
    return name
