"""The public API: what `selfbehave` exports is there, documented, typed, and cheap to import."""

import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import griffe
import pytest

import selfbehave

from .helpers.paths import DATA, ROOT

PAGES = ROOT / "docs/reference/api"
GENERATED = re.compile(r"<!-- generated: api (.*?) -->")
DOCUMENTED = [
    module
    for page in sorted(PAGES.glob("*.md"))
    for names in GENERATED.findall(page.read_text())
    for module in names.split()
]


def test_every_public_name_is_there_once_and_shown_by_dir() -> None:
    assert sorted(set(selfbehave.__all__)) == sorted(selfbehave.__all__) == sorted(dir(selfbehave))
    for name in selfbehave.__all__:
        assert getattr(selfbehave, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = selfbehave.nothing


def test_the_reference_lists_the_public_api_and_modules_that_exist() -> None:
    assert "selfbehave" in DOCUMENTED
    assert len(DOCUMENTED) == len(set(DOCUMENTED)), "each module is on one page"
    for module in DOCUMENTED:
        assert importlib.util.find_spec(module), module


@pytest.mark.parametrize("module", DOCUMENTED)
def test_nothing_public_lacks_a_docstring(module: str) -> None:
    """No module, class or function, and no public method of a class, though it may inherit one."""
    found = importlib.import_module(module)
    assert found.__doc__
    public = [getattr(found, name) for name in getattr(found, "__all__", ())]
    lacking = []
    for one in public:
        if inspect.isfunction(one) or inspect.isclass(one):
            lacking += [one.__name__] * (not inspect.getdoc(one))
        if inspect.isclass(one):
            lacking += [
                f"{one.__name__}.{name}"
                for name, method in inspect.getmembers(one, inspect.isroutine)
                if not name.startswith("_")
                and getattr(method, "__name__", None) == name  # no default of a field
                and not inspect.getdoc(method)
            ]
    assert not lacking


def test_constants_of_the_public_api_are_documented() -> None:
    package = griffe.load("selfbehave", search_paths=[ROOT / "src"])
    for name in selfbehave.__all__:
        one = package[name]
        assert one.docstring or one.is_module, name


def test_a_users_script_passes_a_strict_type_check(tmp_path: Path) -> None:
    assert (ROOT / "src/selfbehave/py.typed").exists(), "else type checkers look at nothing"
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent"]
    command += ["--cache-dir", str(tmp_path), str(DATA / "user_script/grow.py")]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env={"MYPYPATH": str(ROOT / "src")}
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_mistake_in_a_users_script_is_found_by_its_type_checker(tmp_path: Path) -> None:
    """The types are not just `Any`."""
    script = tmp_path / "wrong.py"
    script.write_text(
        "import selfbehave\n"
        "selfbehave.run('runs/x', selfbehave.RunSettings(num_instructions='5'))\n"
        "selfbehave.climb('Scenario: a', 'pass').rang\n"
    )
    command = [sys.executable, "-m", "mypy", "--follow-imports=silent"]
    done = subprocess.run(
        [*command, "--cache-dir", str(tmp_path), str(script)],
        capture_output=True,
        text=True,
        env={"MYPYPATH": str(ROOT / "src")},
    )
    assert 'incompatible type "str"; expected "Path"' in done.stdout
    assert 'Unexpected keyword argument "num_instructions"' in done.stdout
    assert '"Ladder" has no attribute "rang"' in done.stdout


def test_importing_the_package_loads_none_of_its_parts() -> None:
    code = "import selfbehave, sys; print(sorted(m for m in sys.modules if 'selfbehave' in m))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['selfbehave', 'selfbehave.core', 'selfbehave.core.lazy']"


def test_the_help_text_loads_neither_numbers_nor_the_network() -> None:
    code = (
        "import sys; from selfbehave.cli.main import command_parser\n"
        "command_parser().format_help()\n"
        "heavy = 'numpy httpx rich behave gherkin asyncio tenacity pyarrow'.split()\n"
        "print([module for module in heavy if module in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
