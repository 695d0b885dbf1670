"""A package that adds an engine, a prompt family, an audit check and a release format.

It is really installed, into a folder of its own, and used on the command line.
"""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ..helpers.paths import DATA, ROOT
from ..helpers.release_runs import make_run, seed_pairs
from ..helpers.runs import contents, rows, run, scripted

PACKAGE = DATA / "extension_package"
FEW = ("--num_instructions_to_generate", 6, "--top_rung", "bound")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the package is installed."""
    folder = tmp_path_factory.mktemp("installed")
    source = shutil.copytree(PACKAGE, folder / "source")
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, "--target", folder / "site", source],
        check=True,
    )
    return folder / "site"


def installed(monkeypatch: pytest.MonkeyPatch, *folders: Path) -> None:
    path = os.pathsep.join(map(str, [*folders, ROOT / "src"]))
    monkeypatch.setenv("PYTHONPATH", path)


def answered_with(folder: Path) -> list[str]:
    """The prompts in a run's journal."""
    database = sqlite3.connect(folder / "journal.sqlite")
    prompts = [prompt for (prompt,) in database.execute("SELECT prompt FROM answers")]
    database.close()
    return prompts


def test_an_added_engine_answers_by_its_name(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(monkeypatch, site)
    command = ("bootstrap", "--engine", "words:7", *FEW[:2])
    command += ("--axes", "none", "--batch_dir", tmp_path / "r")
    assert "engine: words:7" in run(*command).stdout
    made = rows(tmp_path / "r" / "machine_generated_instructions.jsonl")
    assert len(made) == 6
    assert {row["metadata"]["engine"] for row in made} == {"words:7"}
    noted = tomllib.loads((tmp_path / "r" / "run.toml").read_text())["bootstrap"]
    assert (noted["engine"], noted["model"]) == ("words:7", "words:7")

    assert "6 requests (6 from the journal)" in run(*command).stdout
    other = ("bootstrap", "--engine", "words:9", "--batch_dir", tmp_path / "r", *FEW[:2])
    complaint = run(*other, expect=1).stderr
    assert "this folder was made with model = 'words:7', not 'words:9'" in complaint


def test_an_added_prompt_family_asks_and_reads_through_a_whole_run(
    site: Path, scripted_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(monkeypatch, site)
    server, folder = scripted_server(), tmp_path / "r"
    command = scripted(server, folder, *FEW, "--prompts", "polite")
    run(*command)
    polite = [one for one in answered_with(folder) if one.startswith("Please read these.")]
    assert len(polite) >= 3, "what bootstrap asked"
    noted = tomllib.loads((folder / "run.toml").read_text())
    assert {noted[stage]["prompts"] for stage in ("bootstrap", "classify", "instances")} == {
        "polite"
    }
    examples = rows(folder / "finetuning_data" / "all_generated_instances.jsonl")
    assert examples
    assert all("```python\n# Thanks!\n" in row["output"] for row in examples), "as prepare read it"

    first, asked = contents(folder), len(server.answered)
    run(*command)
    assert contents(folder) == first
    assert len(server.answered) == asked

    installed(monkeypatch)  # without the package
    prepare = (
        "prepare", "--instance_files", folder / "machine_generated_instances.jsonl",
        "--classification_type_files", folder / "is_clf_or_not_template_1.jsonl",
        "--output_dir", folder / "finetuning_data",
    )  # fmt: skip
    complaint = run(*prepare, expect=1).stderr
    assert "there is no prompt family 'polite' — install the package that provides it" in complaint


def test_an_added_family_is_among_the_choices(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(monkeypatch, site)
    assert (
        "--prompts {bdd,bdd_glue,bdd_turns,classic,classic_turns,polite}"
        in run("run", "--help").stdout
    )
    installed(monkeypatch)
    assert "--prompts {bdd,bdd_glue,bdd_turns,classic,classic_turns}" in run("run", "--help").stdout


def test_an_added_check_is_part_of_an_audit(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(monkeypatch, site)
    file = tmp_path / "rows.jsonl"
    scenario = "Scenario: {}\n  Given a\n  When b\n  Then c"
    texts = [scenario.format("Please lend a book"), scenario.format("Lend a book")]
    file.write_text(
        "".join(
            json.dumps({"instruction": f"```gherkin\n{text}\n```", "input": "", "output": ""})
            + "\n"
            for text in texts
        )
    )
    table = run("audit", file, "--top_rung", "bound").stdout
    assert any(line.split() == ["impolite", "1"] for line in table.splitlines())
    (audit,) = json.loads(run("audit", file, "--top_rung", "bound", "--json").stdout)
    assert list(audit["faults"])[-1] == "impolite"
    polite, impolite = audit["of_each_row"]
    assert "impolite" in impolite["faults"]
    assert impolite["added_faults"] == ["line 1: impolite: Scenario: Lend a book"]
    assert "impolite" not in polite["faults"]


def test_an_added_format_is_part_of_a_release(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(tmp_path / "r", seed_pairs(4))
    installed(monkeypatch, site)
    released = tmp_path / "dataset"
    run("release", tmp_path / "r", "--to", released)
    heading, *lines = (released / "tsv" / "train.tsv").read_text().splitlines()
    assert heading == "id\trung\tdomain"
    data = rows(released / "instances" / "train.jsonl")
    assert len(lines) == len(data) > 0
    assert {line.split("\t")[1] for line in lines} == {"bound"}
    assert "  tsv/train.tsv\n" in (released / "checksums.sha256").read_text()
    card = (released / "README.md").read_text()
    assert "| `tsv/` | identifier, rung and domain of each row" in card


BROKEN = {
    "selfbehave.engines": ("bootstrap", "--engine", "broken"),
    "selfbehave.prompts": ("bootstrap", "--engine", "words", "--prompts", "broken"),
    "selfbehave.audit_checks": ("audit", "high_quality", "--top_rung", "bound"),
}
WAYS = {
    "no_module": ("", "no_such_module:Thing", "No module named 'no_such_module'"),
    "no_attribute": ("", "broken_module:Thing", "has no attribute 'Thing'"),
    "raises_at_import": ("1 / 0\n", "broken_module:Thing", "division by zero (broken_module.py:1)"),
    "raises_when_made": (
        "def Thing(*_):\n    raise OSError('no disk')\n",
        "broken_module:Thing",
        "OSError: no disk (broken_module.py:2)",
    ),
    "lacks_what_it_needs": (
        "class Thing:\n    def __init__(self, *_): pass\n",
        "broken_module:Thing",
        "what it makes has no ",
    ),
}


@pytest.mark.parametrize("group", BROKEN)
@pytest.mark.parametrize("way", WAYS)
def test_a_broken_extension_is_named_in_one_line(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, group: str, way: str
) -> None:
    code, place, words = WAYS[way]
    install_by_hand(tmp_path / "site", "its-package", group, f"broken = {place}", code)
    installed(monkeypatch, tmp_path / "site", site)
    command = BROKEN[group]
    if command[0] == "bootstrap":
        command = (*command, "--batch_dir", str(tmp_path / "r"))
    (line,) = run(*command, expect=1).stderr.splitlines()
    assert f"its-package 2.0, entry point 'broken = {place}' of {group}: " in line
    assert words in line
    assert line.endswith("correct or uninstall that package")
    assert "usage: selfbehave" in run("--help").stdout, "what does not need it works"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("def find(self, row): return [1 / 0]", "ZeroDivisionError: division by zero"),
        ("def find(self, row): return [Fault('x')]", "which is not in its faults"),
        ("def find(self, row): return ['x']", "it found 'x', which is not in its faults"),
    ],
)
def test_a_check_that_fails_at_a_row_is_named_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, words: str
) -> None:
    module = f"from selfbehave import Fault\nclass Thing:\n    faults = {{'y': 'y'}}\n    {code}\n"
    group = "selfbehave.audit_checks"
    install_by_hand(tmp_path / "site", "its-package", group, "mine = broken_module:Thing", module)
    installed(monkeypatch, tmp_path / "site")
    (line,) = run("audit", "high_quality", "--top_rung", "bound", expect=1).stderr.splitlines()
    assert "its-package 2.0, entry point 'mine" in line
    assert words in line


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("tsv", "yield '../out.txt', 'x'", "not a path inside the format's folder: '../out.txt'"),
        ("tsv", "yield '/tmp/out.txt', 'x'", "not a path inside the format's folder"),
        ("tsv", "yield 'a.txt', 3", "a file is a path and its content"),
        ("behave", "yield 'a.txt', 'x'", "a folder of a release cannot be named 'behave'"),
    ],
)
def test_a_format_that_leaves_its_folder_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    code: str,
    words: str,
) -> None:
    make_run(tmp_path / "r", seed_pairs(2))
    head = "class Thing:\n    description = 'x'\n    def files(self, split, rows):\n"
    module = f"{head}        {code}\n"
    group, place = "selfbehave.release_formats", f"{name} = broken_module:Thing"
    install_by_hand(tmp_path / "site", "its-package", group, place, module)
    installed(monkeypatch, tmp_path / "site")
    done = run("release", tmp_path / "r", "--to", tmp_path / "out", expect=1)
    assert words in done.stderr.splitlines()[-1]
    assert not (tmp_path / "out").exists()


def test_two_packages_that_add_the_same_name_are_both_named(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "site"
    install_by_hand(other, "its-package", "selfbehave.engines", "words = its_module:Thing", "")
    installed(monkeypatch, other, site)
    command = ("bootstrap", "--engine", "words", "--batch_dir", tmp_path / "r")
    (line,) = run(*command, expect=1).stderr.splitlines()
    assert "its-package 2.0" in line
    assert "selfbehave-politeness 1.0" in line
    assert "adds one of the same name" in line


def test_our_own_names_cannot_be_replaced(
    tmp_path: Path, scripted_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = "selfbehave.prompts"
    install_by_hand(tmp_path / "site", "its-package", group, "bdd = broken_module:Thing", "1 / 0\n")
    installed(monkeypatch, tmp_path / "site")
    run(*scripted(scripted_server(), tmp_path / "r", *FEW))


def test_an_unknown_engine_is_told_the_names_of_added_ones(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(monkeypatch, site)
    done = run("bootstrap", "--engine", "gpt", "--batch_dir", tmp_path / "r", expect=2)
    assert "unknown engine 'gpt'" in done.stderr
    assert "(words)" in done.stderr


def install_by_hand(site: Path, package: str, group: str, entry_point: str, code: str) -> None:
    """Lay out a package as pip does, with a module `broken_module` of this code."""
    information = site / f"{package.replace('-', '_')}-2.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 2.0\n")
    (information / "entry_points.txt").write_text(f"[{group}]\n{entry_point}\n")
    (site / "broken_module.py").write_text(code)
