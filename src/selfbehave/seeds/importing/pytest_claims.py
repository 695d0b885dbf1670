"""Find the scenarios that a pytest-bdd module binds by `scenarios(…)` and `@scenario(…)`."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .constants import NotConstantError, constant, constant_text
from .left_out import NotUnderstood, Why, source_line
from .modules import MAX_MODULE_CHARACTERS, Module, statements_run
from .project import read_text, shown
from .references import SCENARIO_NAMES, Argument, Call, References

__all__ = ["INI_FILES", "Claim", "claims_of", "plain_path"]

INI_FILES = ("pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")
_BASE_DIR = re.compile(
    r"^[ \t]*bdd_features_base_dir[ \t]*=[ \t]*[\"']?(?P<folder>[^\"'\n]+)", re.M
)


@dataclass(frozen=True, eq=False)
class Claim:
    """A test module's claim to bind all scenarios of a feature file, or one of them.

    Attributes:
        scenario: the title of the one scenario; None for all.
        test: the function that runs it; None for all.
        encoding: the encoding of the feature file.
    """

    module: Module
    feature: Path
    scenario: str | None = None
    test: ast.FunctionDef | None = None
    encoding: str = "utf-8"


def claims_of(
    module: Module, references: References, features: Sequence[Path], tops: Sequence[Path]
) -> tuple[list[Claim], list[NotUnderstood]]:
    """The feature files that a test module binds, and code that may bind others.

    Args:
        features: the project's feature files, as absolute paths without `..`.
        tops: the folders that the user named.
    """
    claims: list[Claim] = []
    unknown: list[NotUnderstood] = []
    for unit in module.units:
        for node in statements_run(unit.node):
            for expression in _expressions(node):
                call = references.call(expression, module)
                is_known = call is not None and call.function.package == "pytest_bdd"
                if call is not None and is_known and call.function.last in SCENARIO_NAMES:
                    test = node if isinstance(node, ast.FunctionDef) else None
                    try:
                        claims += _claims(call, module, test, references, features, tops)
                    except NotConstantError:
                        unknown.append(_unknown(module, expression))
                elif call is None and references.reaches(expression, module, SCENARIO_NAMES):
                    unknown.append(_unknown(module, expression))
    return claims, unknown


def plain_path(path: Path) -> Path:
    """An absolute path without `..`; it need not exist."""
    return Path(os.path.normpath(path.absolute()))


def _expressions(node: ast.AST) -> list[ast.expr]:
    """The expressions of a statement that may call `scenarios(…)`, or be `@scenario(…)`."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return node.decorator_list
    if isinstance(node, ast.Expr | ast.Assign) and isinstance(node.value, ast.Call):
        return [node.value]
    return []


def _unknown(module: Module, node: ast.expr) -> NotUnderstood:
    place = f"{shown(module.path)}:{node.lineno}"
    return NotUnderstood(place, Why.FEATURES, source_line(node))


def _claims(
    call: Call,
    module: Module,
    test: ast.FunctionDef | None,
    references: References,
    features: Sequence[Path],
    tops: Sequence[Path],
) -> Iterator[Claim]:
    """The claims of one call.

    Raises:
        NotConstantError: its arguments cannot be determined without running code.
    """
    if call.has_double_stars:
        raise NotConstantError("** in a call")
    if call.function.last == "scenarios":
        bases = _bases(call.named.get("features_base_dir"), module, references, tops)
        for place in _paths(call.positional, references):
            for feature in features:
                if any(feature.is_relative_to(plain_path(base / place)) for base in bases):
                    yield Claim(module, feature)
        return
    if test is None:
        return  # `partial(scenario, …)`, or a decorator that decorates nothing
    if call.has_stars:
        raise NotConstantError("* in a call")
    names = ("feature_name", "scenario_name", "encoding", "features_base_dir")
    feature_name, title, encoding, base_dir = (
        call.argument(place, name) for place, name in enumerate(names)
    )
    if feature_name is None or title is None:
        return  # pytest-bdd refuses it
    scenario = constant_text(title, references)
    codec = "utf-8" if encoding is None else constant_text(encoding, references)
    if scenario is None or codec is None:
        raise NotConstantError("a title, or an encoding")
    (place,) = _paths([feature_name], references)
    for base in _bases(base_dir, module, references, tops):
        yield Claim(module, plain_path(base / place), scenario, test, codec)


def _paths(arguments: Sequence[Argument], references: References) -> Iterator[Path]:
    for argument in arguments:
        is_many = isinstance(argument.node, ast.Starred)
        node = argument.node.value if isinstance(argument.node, ast.Starred) else argument.node
        value = constant(Argument(node, argument.module), references)
        for one in value if is_many else [value]:
            if not isinstance(one, str | PurePosixPath):
                raise NotConstantError("a path")
            yield Path(one)


def _bases(
    argument: Argument | None, module: Module, references: References, tops: Sequence[Path]
) -> list[Path]:
    """The base folders for feature paths: from the call, pytest's settings, or the module.

    A relative path in the call starts where pytest is started, which is one of the folders named.
    """
    if argument is not None:
        value = constant(argument, references)
        if not isinstance(value, str | PurePosixPath):
            raise NotConstantError("a path")
        return [top / value for top in tops]
    for folder in module.path.parents:
        for name in INI_FILES:
            try:
                found = _BASE_DIR.search(read_text(folder / name, MAX_MODULE_CHARACTERS))
            except (OSError, ValueError):
                continue
            if found:
                return [folder / found["folder"].strip()]
    return [module.path.parent]
