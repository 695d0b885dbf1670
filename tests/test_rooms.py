"""The packages depend on each other one way, and the modules too."""

from __future__ import annotations

from .helpers.imports import cycles, modules_imported, packages_imported
from .helpers.paths import ROOT

MODULES = modules_imported(ROOT / "src")
PACKAGES = {
    name.removeprefix("selfbehave."): {one.removeprefix("selfbehave.") for one in imported}
    for name, imported in packages_imported(MODULES).items()
}


def test_cycles_are_found() -> None:
    graph = {"a": frozenset("b"), "b": frozenset("c"), "c": frozenset("b"), "d": frozenset("da")}
    assert set(cycles(graph)) == {frozenset("bc"), frozenset("d")}


def test_no_modules_import_each_other_not_even_within_functions() -> None:
    assert "selfbehave.novelty.overlap" in MODULES["selfbehave.novelty.rule"]
    assert cycles(MODULES) == []


def test_no_packages_import_each_other() -> None:
    assert PACKAGES["study"] > {"stats", "figures", "core"}
    assert cycles(packages_imported(MODULES)) == []


def test_the_lowest_packages_know_nothing_of_those_above() -> None:
    assert PACKAGES["core"] == set()
    for name in ("bdd", "novelty", "stats", "events"):
        assert PACKAGES[name] <= {"core"}, name


def test_study_report_release_and_evaluation_never_share_each_others_modules() -> None:
    rooms = {"study", "report", "release", "evaluation"}
    for name in rooms:
        assert not PACKAGES[name] & ((rooms | {"cluster"}) - {name}), name


def test_nothing_imports_the_command_line() -> None:
    assert [name for name, imported in PACKAGES.items() if "cli" in imported] == ["__main__"]
