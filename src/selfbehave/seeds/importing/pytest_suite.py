"""The code behind a scenario of a pytest-bdd project, translated to behave where that is safe.

Which scenarios a test module binds is read from its `scenarios(…)` and `@scenario(…)`. A step is
looked up as pytest looks up fixtures: in the test module and what it imports, then in each
`conftest.py` from its folder upwards.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...bdd.patterns import Budget
from ...bdd.scenario import Step
from ...bdd.steps import called_name, text_argument
from .gather import Piece, gather
from .left_out import CannotImportError
from .modules import MAX_MODULE_CHARACTERS, Function, Module, Modules
from .project import python_files, read_text, shown
from .pytest_fixtures import Fixtures
from .pytest_steps import PytestStep, steps_of, translated
from .scenarios import OwnScenario
from .step_modules import MATCH_SECONDS, read_registry

__all__ = ["PytestSuites"]

_INI_FILES = ("pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")
_BASE_DIR = re.compile(
    r"^[ \t]*bdd_features_base_dir[ \t]*=[ \t]*[\"']?(?P<folder>[^\"'\n]+)", re.M
)
_MOST_LEVELS = 50


@dataclass(frozen=True, eq=False)
class _Claim:
    """What a test module says of a feature file: all its scenarios, or one by its name."""

    module: Module
    scenario: str | None
    test: ast.FunctionDef | None = None


class PytestSuites:
    """The test modules in folders that bind scenarios.

    Args:
        places: folders, or feature files, whose folders are looked into.
        features: the feature files there.
    """

    def __init__(self, places: Sequence[Path], features: Sequence[Path]) -> None:
        tops = [(one if one.is_dir() else one.parent).absolute() for one in places]
        self._tops = tops
        self._budget = Budget(MATCH_SECONDS)
        self._modules_of: dict[Path, Modules] = {}
        self._steps_of: dict[Module, list[PytestStep]] = {}
        self._claims: dict[Path, list[_Claim]] = {}
        self._hooks: list[str] = []
        known = [_plain(feature) for feature in features]
        for path in python_files(places):
            if _mentions_pytest_bdd(path):
                module = self._modules(path.absolute()).at(path)
                if module is not None:
                    self._hooks += _hooks(module)
                    for feature, claim in _claims(module, known):
                        self._claims.setdefault(feature, []).append(claim)

    @property
    def notes(self) -> list[str]:
        faults = [fault for modules in self._modules_of.values() for fault in modules.faults]
        return [*faults, *self._hooks]

    def claims(self, feature: Path) -> bool:
        """Whether a test module binds scenarios of a feature file."""
        return _plain(feature) in self._claims

    def code_for(self, feature: Path, scenario: OwnScenario) -> tuple[str, list[str]]:
        """The module of step functions for a scenario, and the pattern that binds each step.

        Raises:
            CannotImportError: it cannot be had, or not safely.
        """
        named = (None, scenario.name)
        claims = [one for one in self._claims[_plain(feature)] if one.scenario in named]
        if not claims:
            raise CannotImportError("no_step_modules", "no test module names this scenario")
        claim = claims[0]
        if claim.test is not None and not _is_empty(claim.test):
            raise CannotImportError("not_translated", f"its test {claim.test.name} does more")
        modules = self._modules(claim.module.path)
        levels = self._levels(claim.module, modules)
        bound = [self._find(step, levels) for step in scenario.steps]
        fixtures = Fixtures(levels, bound)
        pieces = {
            step: Piece(
                step.module, step.unit, translated(step, fixtures), step.pattern, step.matcher
            )
            for step in bound
        }
        files = [module.path for level in reversed(levels) for module in reversed(level)]
        code = gather(list(pieces.values()), read_registry(modules, files), modules, fixtures.texts)
        return code, [step.pattern for step in bound]

    def _modules(self, path: Path) -> Modules:
        """The modules as pytest finds them: from the first folder above that is no package."""
        root = path.parent
        while (root / "__init__.py").exists() and root != root.parent:
            root = root.parent
        if root not in self._modules_of:
            roots = [root, *self._tops, *(top / "src" for top in self._tops)]
            self._modules_of[root] = Modules(roots)
        return self._modules_of[root]

    def _levels(self, module: Module, modules: Modules) -> list[list[Module]]:
        """Modules by how near they are: the test module and its imports, then each conftest."""
        levels = [_with_imported(module, modules)]
        for folder in list(module.path.parents)[:_MOST_LEVELS]:
            conftest = folder / "conftest.py"
            if conftest.is_file() and conftest != module.path:
                found = modules.at(conftest)
                if found is not None:
                    levels.append(_with_imported(found, modules))
            if folder in self._tops:
                break
        return levels

    def _find(self, step: Step, levels: Sequence[Sequence[Module]]) -> PytestStep:
        if step.kind is None:
            detail = f"no Given, When or Then before '{step.text}'"
            raise CannotImportError("undefined_step", detail)
        for level in levels:
            found = []
            for module in level:
                if module not in self._steps_of:
                    self._steps_of[module] = list(steps_of(module, self._budget))
                found += [
                    one
                    for one in self._steps_of[module]
                    if one.kind in (step.kind, "step") and one.matches(step.text)
                ]
            if len(found) > 1:
                raise CannotImportError("ambiguous_step", f"{step.kind} {step.text}")
            if found:
                return found[0]
        raise CannotImportError("undefined_step", f"{step.kind} {step.text}")


def _mentions_pytest_bdd(path: Path) -> bool:
    try:
        return "pytest_bdd" in read_text(path, MAX_MODULE_CHARACTERS)
    except (OSError, ValueError):
        return False


def _plain(path: Path) -> Path:
    """A path from the root without `..`, which need not exist."""
    return Path(os.path.normpath(path.absolute()))


def _hooks(module: Module) -> list[str]:
    """What pytest-bdd would call around scenarios, in one line; none where there is nothing."""
    names = [unit.node.name for unit in module.units if isinstance(unit.node, Function)]
    hooks = [name for name in names if name.startswith("pytest_bdd_")]
    told = f"{len(hooks)} hook{'s' if len(hooks) > 1 else ''} cannot come along"
    return [f"{shown(module.path)}: {told}: {', '.join(hooks)}"] if hooks else []


def _claims(module: Module, known: Sequence[Path]) -> Iterator[tuple[Path, _Claim]]:
    """The feature files that a test module binds, with what it says of each."""
    if not any(one.module.partition(".")[0] == "pytest_bdd" for one in module.imports):
        return
    base = _features_base(module.path)
    for unit in module.units:
        node = unit.node
        if isinstance(node, ast.Expr | ast.Assign) and isinstance(node.value, ast.Call):
            call = node.value
            if called_name(call) == "scenarios" and not call.keywords:
                for argument in call.args:
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                        place = _plain(base / argument.value)
                        for file in known:
                            if file.is_relative_to(place):
                                yield file, _Claim(module, None)
        elif isinstance(node, ast.FunctionDef):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and called_name(decorator) == "scenario":
                    feature, name = text_argument(decorator), _second_text(decorator)
                    if feature is not None and name is not None:
                        yield _plain(base / feature), _Claim(module, name, node)


def _second_text(call: ast.Call) -> str | None:
    named = [one.value for one in call.keywords if one.arg == "scenario_name"]
    values = [*call.args[1:2], *named]
    if values and isinstance(values[0], ast.Constant) and isinstance(values[0].value, str):
        return values[0].value
    return None


def _features_base(path: Path) -> Path:
    """Where the paths of features begin: as pytest's settings say, else beside the test module."""
    for folder in list(path.parents)[:_MOST_LEVELS]:
        for name in _INI_FILES:
            try:
                found = _BASE_DIR.search(read_text(folder / name, MAX_MODULE_CHARACTERS))
            except (OSError, ValueError):
                continue
            if found:
                return folder / found["folder"].strip()
    return path.parent


def _with_imported(module: Module, modules: Modules) -> list[Module]:
    """A module and those of the project that it imports all names from, steps included."""
    found = [module]
    for one in module.imports:
        if one.name == "*":
            path = modules.find(one.module, module.path)
            imported = modules.at(path) if path is not None and path.is_file() else None
            if imported is not None and imported not in found:
                found.append(imported)
    return found


def _is_empty(test: ast.FunctionDef) -> bool:
    return not test.args.args and all(
        isinstance(one, ast.Pass)
        or (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))
        for one in test.body
    )
