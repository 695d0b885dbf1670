"""Translate the code behind a pytest-bdd scenario to behave, if that is safe.

A step is looked up as pytest looks up fixtures: first in the test module and its imports, then in
each `conftest.py` from its folder upwards, and in the plugins that `pytest_plugins` names there.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path

from ...bdd.patterns import Budget
from ...bdd.scenario import Step
from .constants import NotConstantError, constant
from .gather import Piece, gather
from .left_out import CannotImportError, NotUnderstood, Why, unbound
from .modules import MAX_MODULE_CHARACTERS, Function, Module, Modules, Unit, import_order
from .project import python_files, read_text, shown
from .pytest_claims import INI_FILES, Claim, claims_of, plain_path
from .pytest_fixtures import Fixtures
from .pytest_steps import ModuleSteps, PytestStep, steps_of
from .pytest_translation import registered_types, translated
from .references import Argument, References
from .scenarios import OwnScenario
from .step_modules import MATCH_SECONDS

__all__ = ["PytestSuites"]

_MOST_LEVELS = 50


class PytestSuites:
    """The test modules in folders that bind scenarios.

    Args:
        places: folders, or feature files whose folders are searched.
        features: the feature files there.
    """

    def __init__(self, places: Sequence[Path], features: Sequence[Path]) -> None:
        tops = [(one if one.is_dir() else one.parent).absolute() for one in places]
        self._tops = tops
        self._roots = {_root_of(top) for top in tops}
        self._budget = Budget(MATCH_SECONDS)
        self._references_of: dict[Path, References] = {}
        self._steps_of: dict[Module, ModuleSteps] = {}
        self._plugins_of: dict[Module, tuple[list[Module], list[NotUnderstood]]] = {}
        self._claims: dict[Path, list[Claim]] = {}
        self._unclear_claims: list[NotUnderstood] = []
        self._hooks: list[str] = []
        known = [plain_path(feature) for feature in features]
        for path in python_files(places):
            if not _mentions_pytest_bdd(path):
                continue
            references = self._references(path.absolute())
            module = references.modules.at(path)
            if module is not None:
                self._hooks += _hooks(module)
                claims, unknown = claims_of(module, references, known, tops)
                self._unclear_claims += unknown
                for claim in claims:
                    self._claims.setdefault(claim.feature, []).append(claim)

    @property
    def notes(self) -> list[str]:
        """What is not imported, one line each."""
        return self._hooks

    @property
    def not_understood(self) -> list[NotUnderstood]:
        """Code that may bind scenarios or steps in a way that we cannot follow."""
        found = dict.fromkeys(self._unclear_claims)
        for references in self._references_of.values():
            found |= dict.fromkeys(references.modules.unread)
        for steps in self._steps_of.values():
            found |= dict.fromkeys(steps.not_understood)
        for _, unknown in self._plugins_of.values():
            found |= dict.fromkeys(unknown)
        return list(found)

    @property
    def unclear_claims(self) -> list[NotUnderstood]:
        """Code that may bind the scenarios of any feature file."""
        return self._unclear_claims

    def claims(self, feature: Path) -> bool:
        """Whether a test module binds scenarios of a feature file."""
        return plain_path(feature) in self._claims

    def encoding_of(self, feature: Path) -> str:
        """The encoding that a test module gives for a feature file."""
        claims = self._claims.get(plain_path(feature), ())
        return next((one.encoding for one in claims), "utf-8")

    def code_for(self, feature: Path, scenario: OwnScenario) -> tuple[str, list[str]]:
        """The module of step functions for a scenario, and the pattern that binds each step.

        Raises:
            CannotImportError: the module cannot be built, or not safely.
        """
        named = (None, scenario.name)
        claims = [one for one in self._claims[plain_path(feature)] if one.scenario in named]
        if not claims:
            if self._unclear_claims:
                detail = "no test module is known to name this scenario"
                raise CannotImportError("not_understood", detail, causes=self._unclear_claims)
            raise CannotImportError("no_step_modules", "no test module names this scenario")
        claim = claims[0]
        if claim.test is not None and not _is_empty(claim.test):
            place = f"{shown(claim.module.path)}:{claim.test.lineno}"
            detail = f"its test {claim.test.name} in {place} does more than run it"
            raise CannotImportError("not_translated", detail)
        references = self._references(claim.module.path)
        levels, unknown = self._levels(claim.module, references)
        bound = [self._find(step, levels, unknown, references) for step in scenario.steps]
        patterns = [
            one.pattern.for_step(step.text) for one, step in zip(bound, scenario.steps, strict=True)
        ]
        patterns_of: dict[PytestStep, dict[str, None]] = {}
        for one, pattern in zip(bound, patterns, strict=True):
            patterns_of.setdefault(one, {})[pattern] = None
        types = registered_types(patterns_of)
        fixtures = Fixtures(levels, bound, references)
        pieces = [
            Piece(
                step.module,
                step.unit,
                translated(step, list(own), fixtures),
                step.pattern.written,
                step.pattern.matcher,
            )
            for step, own in patterns_of.items()
        ]
        files = [module.path for level in reversed(levels) for module in reversed(level)]
        code = gather(
            pieces,
            import_order(references.modules, files),
            references,
            more=[*types, *fixtures.texts],
            behave_names=[*fixtures.behave_names, *(["register_type"] if types else [])],
        )
        return code, patterns

    def _references(self, path: Path) -> References:
        """Look up modules as pytest does: from the nearest parent folder that is not a package."""
        root = path.parent
        while (root / "__init__.py").exists() and root != root.parent:
            root = root.parent
        if root not in self._references_of:
            roots = [root, *self._tops, *(top / "src" for top in self._tops)]
            self._references_of[root] = References(Modules(roots), "pytest_bdd")
        return self._references_of[root]

    def _levels(
        self, module: Module, references: References
    ) -> tuple[list[list[Module]], list[NotUnderstood]]:
        """Modules by level, nearest first, and code that may add others.

        The test module and its imports come first, then each conftest with its plugins.
        """
        found = [module]
        for folder in list(module.path.parents)[:_MOST_LEVELS]:
            conftest = folder / "conftest.py"
            if conftest.is_file() and conftest != module.path:
                above = references.modules.at(conftest)
                if above is not None:
                    found.append(above)
            if folder in self._roots:
                break
        levels: list[list[Module]] = []
        last: list[Module] = []
        unknown: list[NotUnderstood] = []
        for one in found:
            levels.append(_with_imported(one, references.modules))
            named, unclear = self._plugins(one, references)
            unknown += unclear
            plugins = [
                each for plugin in named for each in _with_imported(plugin, references.modules)
            ]
            if one is module:
                last = plugins  # visible everywhere, so farther away than any conftest
            else:
                levels[-1] += [each for each in plugins if each not in levels[-1]]
        return [*levels, *([last] if last else [])], unknown

    def _plugins(
        self, module: Module, references: References
    ) -> tuple[list[Module], list[NotUnderstood]]:
        """The project's modules that a module's `pytest_plugins` loads, and unclear code."""
        if module not in self._plugins_of:
            self._plugins_of[module] = ([], [])  # in case it names itself
            plugins, unknown = self._plugins_of[module]
            for binding in module.bindings.get("pytest_plugins", ()):
                names = _plugin_names(binding, module, references)
                place = f"{shown(module.path)}:{_line(binding)}"
                if names is None:
                    unknown.append(NotUnderstood(place, Why.PLUGINS, "pytest_plugins"))
                for name in names or ():
                    path = references.modules.find(name, module.path)
                    plugin = references.modules.at(path) if path is not None else None
                    if plugin is None:
                        source = f"pytest_plugins = [{name!r}]"
                        unknown.append(NotUnderstood(place, Why.PACKAGE, source))
                    elif plugin not in plugins:
                        more, unclear = self._plugins(plugin, references)
                        plugins += [plugin, *(one for one in more if one not in plugins)]
                        unknown += unclear
        return self._plugins_of[module]

    def _find(
        self,
        step: Step,
        levels: Sequence[Sequence[Module]],
        unknown: Sequence[NotUnderstood],
        references: References,
    ) -> PytestStep:
        if step.kind is None:
            detail = f"no Given, When or Then before '{step.text}'"
            raise CannotImportError("undefined_step", detail)
        causes = [*unknown, *references.modules.unread]
        for level in levels:
            found = []
            for module in level:
                if module not in self._steps_of:
                    self._steps_of[module] = steps_of(module, references, self._budget)
                steps = self._steps_of[module]
                causes += steps.not_understood
                found += [
                    one
                    for one in steps.steps
                    if one.kind in (step.kind, "step") and one.pattern.matches(step.text)
                ]
            if len(found) > 1:
                places = " and ".join(one.place for one in found)
                detail = f"{step.kind} {step.text}: matched in {places}"
                raise CannotImportError("ambiguous_step", detail)
            if found:
                return found[0]
        raise unbound(f"{step.kind} {step.text}", causes)


def _root_of(top: Path) -> Path:
    """The topmost folder for `conftest.py`: a folder or its parent that has pytest's settings."""
    for folder in (top, *top.parents):
        if any((folder / name).exists() for name in (*INI_FILES, ".git")):
            return folder
    return top


def _mentions_pytest_bdd(path: Path) -> bool:
    try:
        return "pytest_bdd" in read_text(path, MAX_MODULE_CHARACTERS)
    except (OSError, ValueError):
        return False


def _hooks(module: Module) -> list[str]:
    """The hooks that pytest-bdd would call around scenarios, in one line; empty if none."""
    names = [unit.node.name for unit in module.units if isinstance(unit.node, Function)]
    hooks = [name for name in names if name.startswith("pytest_bdd_")]
    told = f"{len(hooks)} hook{'s' if len(hooks) > 1 else ''} cannot come along"
    return [f"{shown(module.path)}: {told}: {', '.join(hooks)}"] if hooks else []


def _plugin_names(binding: object, module: Module, references: References) -> list[str] | None:
    """The modules that `pytest_plugins = …` names; None if they cannot be determined."""
    if not isinstance(binding, Unit) or len(module.bindings["pytest_plugins"]) > 1:
        return None
    try:
        value = constant(Argument(ast.Name("pytest_plugins"), module), references)
    except NotConstantError:
        return None
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not all(isinstance(one, str) for one in names):
        return None
    return list(names)


def _line(binding: object) -> int:
    return binding.node.lineno if isinstance(binding, Unit) else getattr(binding, "line", 1)


def _with_imported(module: Module, modules: Modules) -> list[Module]:
    """A module and the project modules from which it imports `*`, which includes steps."""
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
