"""A missing optional package: one line, which names the extra that brings it."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator

import pytest

from selfbehave.core.errors import SelfBehaveError
from selfbehave.core.extras import needs_extra

from ..helpers.paths import ROOT


def test_a_missing_package_is_named_with_the_command_that_installs_it() -> None:
    with pytest.raises(SelfBehaveError) as raised, needs_extra("report", "a page"):
        import no_such_package.part  # noqa: F401
    assert str(raised.value) == (
        "a page needs the package no_such_package, which is not installed"
        " — pip install 'selfbehave[report]'"
    )


def test_a_command_is_wrapped_as_often_as_it_is_called() -> None:
    @needs_extra("study")
    def command() -> None:
        import no_such_package  # noqa: F401

    for _ in range(2):
        with pytest.raises(SelfBehaveError, match="study needs the package no_such_package"):
            command()


@pytest.mark.parametrize("missing", ["selfbehave.no_such_module", None])
def test_a_module_of_our_own_that_is_missing_is_a_fault_of_the_program(missing: str | None) -> None:
    with pytest.raises(ModuleNotFoundError, match="broken"), needs_extra("study"):
        raise ModuleNotFoundError("broken", name=missing)


def test_every_extra_that_a_message_names_exists() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = set(_extras_named())
    assert {"cluster", "parquet", "postgresql", "release", "report", "study"} <= named
    assert named <= project["optional-dependencies"].keys()


def _extras_named() -> Iterator[str]:
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "needs_extra":
                assert isinstance(node.args[0], ast.Constant), path
                yield str(node.args[0].value)
