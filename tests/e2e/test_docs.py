"""The documentation: its commands run, its code runs, its site is whole and asks nobody anything.

Every ```sh and ```python block of a page is run, in order, in a folder where finished runs are:
`runs/mine`, `runs/high` and `runs/mixed`. A block titled as a file is written there. An ```output
block is what the block before it prints, with `…` for what differs. Lines that install or start
other software are checked and not run.
"""

import argparse
import html
import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from selfbehave.bdd import sandbox
from selfbehave.cli.main import command_parser
from website.build import DOCS, build

from ..helpers.paths import ROOT
from ..helpers.study_servers import chromium, lacks

OWN_PACKAGE = "pip install ./"  # one that the page shows: it is installed beside the page's files
NOT_RUN = ("pip install", "make", "docker", "ollama", "vllm", "llama-server")
PAGES = [*sorted(str(page.relative_to(ROOT)) for page in DOCS.rglob("*.md")), "README.md"]
FENCE = re.compile(
    r"^(?P<fence> *`{3,})(?P<language>\w*)(?P<more>[^\n`]*)\n(?P<text>.*?)^(?P=fence)$",
    re.M | re.S,
)
TITLE = re.compile(r'title="([^"]+)"')
OPEN_SHADOWS = """
    const attach = Element.prototype.attachShadow;
    Element.prototype.attachShadow = function () { return attach.call(this, { mode: "open" }); };
"""  # a closed one hides what is found from tests too
LOCAL_SERVER = re.compile(r"http://(?:localhost|127\.0\.0\.1):\d+/v1")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page; one that is titled as a file is that file."""

    language: str
    file: str
    text: str


@dataclass(frozen=True)
class World:
    """What pages are run in: finished runs, the commands they name, and a server to ask."""

    folder: Path
    server: str
    environment: dict[str, str]

    def run(self, command: list[str], folder: Path) -> str:
        done = subprocess.run(
            command,
            cwd=folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert done.returncode == 0, f"{command[-1]}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    if lack := sandbox.missing():  # in which pages show code to run
        lacks(lack)
    folder = tmp_path_factory.mktemp("docs")
    commands = folder / "bin"
    commands.mkdir()
    for name, program in (("python", ""), ("selfbehave", ROOT / "tests/helpers/docs_command.py")):
        script = commands / name
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" {program} "$@"\n')
        script.chmod(0o755)
    pip = commands / "pip"
    options = "--no-deps --no-build-isolation --no-index --quiet --target site"
    pip.write_text(f'#!/bin/sh\nshift\nexec "{sys.executable}" -m pip install {options} "$@"\n')
    pip.chmod(0o755)
    log = folder / "server.log"
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "tests/helpers/scripted_server.py"), "--log", str(log)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    server = process.stdout.readline().strip()
    environment = os.environ | {
        "PATH": f"{commands}:{os.environ['PATH']}",
        "PYTHONPATH": f"site:{ROOT / 'src'}",  # below the folder that a page is run in
        "COLUMNS": "100",
        "HF_INFERENCE_ENDPOINT": server,
        "HF_TOKEN": "hf_of_nobody",
        "SELFBEHAVE_DOCS_SERVER": server,
    }
    made = World(folder, server, environment)
    for name, seeds, seed in (
        ("mine", "high_quality", 1),
        ("high", "high_quality", 2),
        ("mixed", "mixed_quality", 3),
    ):
        options = f"--batch_dir runs/{name} --seed_tasks_path {seeds} --random_seed {seed}"
        command = f"selfbehave run {options} --num_instructions_to_generate 12 --top_rung bound"
        made.run(["bash", "-c", command], folder)
    yield made
    process.kill()
    process.wait()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_does_what_it_shows(page: str, world: World, tmp_path: Path) -> None:
    shutil.copytree(world.folder / "runs", tmp_path / "runs")
    printed = ""
    for block in blocks(page):
        text = LOCAL_SERVER.sub(world.server, block.text)
        if block.file:
            (tmp_path / block.file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / block.file).write_text(text)
        elif block.language == "sh":
            printed = world.run(["bash", "-euo", "pipefail", "-c", runnable(text)], tmp_path)
        elif block.language == "python":
            printed = world.run(["python", "-c", text], tmp_path)
        elif block.language == "output":
            assert is_printed(text, printed), f"{page} shows\n{text}\nand printed was\n{printed}"


def blocks(page: str) -> list[Block]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return [
        Block(
            found["language"],
            "".join(TITLE.findall(found["more"])),
            textwrap.dedent(found["text"]),
        )
        for found in FENCE.finditer(text)
    ]


def commands(text: str) -> list[str]:
    """The lines of a block, those that are continued joined."""
    return text.replace("\\\n", " ").splitlines()


def runnable(text: str) -> str:
    """A block without what is only checked."""
    return "\n".join(
        line
        for line in commands(text)
        if line.startswith(OWN_PACKAGE) or not line.startswith(NOT_RUN)
    )


def is_printed(shown: str, printed: str) -> bool:
    """Whether lines are printed in their order, spacing apart; `…` stands for anything."""
    lines = iter([" ".join(line.split()) for line in printed.splitlines()])
    patterns = [
        re.compile(".*".join(map(re.escape, " ".join(line.split()).split("…"))))
        for line in shown.splitlines()
        if line.strip() not in ("", "…")
    ]
    return all(any(pattern.fullmatch(line) for line in lines) for pattern in patterns)


def test_the_package_on_the_page_is_the_one_that_tests_install() -> None:
    shown = {block.file: block.text for block in blocks("docs/how-to/extend.md") if block.file}
    package = ROOT / "tests/data/extension_package"
    assert shown == {f"politeness/{file.name}": file.read_text() for file in package.iterdir()}


def test_what_pages_tell_to_make_and_install_is_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    lines = [
        line.split("#")[0].split()
        for page in PAGES
        for block in blocks(page)
        if block.language == "sh"
        for line in commands(block.text)
        if line.strip()
    ]
    assert {word for line in lines if line[:1] == ["make"] for word in line[1:2]} <= targets
    installed = [" ".join(line) for line in lines if line[:2] == ["pip", "install"]]
    extras = {name for line in installed for name in re.findall(r"[a-z]+(?=[],])", line)}
    assert extras <= set(project["optional-dependencies"])


def test_commands_that_are_only_shown_exist_with_their_options() -> None:
    """Those in `text` blocks, for which a cluster, an account or an hour would be needed."""
    shown = [
        shlex.split(line, comments=True)[1:]
        for page in PAGES
        for block in blocks(page)
        if block.language == "text"
        for line in commands(block.text)
        if line.startswith("selfbehave ")
    ]
    assert shown
    for arguments in shown:
        command_parser().parse_args(arguments)


def test_links_of_the_readme_lead_somewhere() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    headings = {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", text, re.M)
    }
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = link.partition("#")
        if not path:
            assert anchor in headings, link
        elif "://" not in path:
            assert (ROOT / path).exists(), link


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "site"
    assert build(folder), "see standard error: broken links are told there"
    return folder


def test_the_site_opens_from_disk_asks_nobody_and_complains_of_nothing(site: Path) -> None:
    asked: list[str] = []
    told: list[str] = []
    with chromium() as browser:
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: told.append(f"{page.url}: {message.text}"))
        page.on("pageerror", lambda error: told.append(f"{page.url}: {error}"))
        for file in sorted(site.rglob("*.html")):
            if file.name != "404.html":  # for a server's root
                page.goto(file.as_uri())
                assert page.locator("h1").count() == 1, file
                broken = page.evaluate("[...document.images].filter(i => !i.naturalWidth).length")
                assert broken == 0, file
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert told == []


def test_the_site_is_searched_from_disk(site: Path) -> None:
    with chromium() as browser:
        page: Any = browser.new_page()
        page.add_init_script(OPEN_SHADOWS)
        page.goto((site / "index.html").as_uri())
        page.get_by_role("button", name="Search").first.click()
        page.get_by_placeholder("Search").last.fill("Krippendorff")
        page.locator("a[href*='statistics.html']", has_text="Krippendorff").first.wait_for()
        # A worker that shared its messages with the page would clear what was typed.
        assert page.get_by_placeholder("Search").last.input_value() == "Krippendorff"


def test_every_page_is_in_the_navigation(site: Path) -> None:
    index = (site / "index.html").read_text(encoding="utf-8")
    linked = {str(PurePosixPath(link)) for link in re.findall(r'href="([^"#?:]+\.html)', index)}
    pages = {str(page.relative_to(DOCS).with_suffix(".html")) for page in DOCS.rglob("*.md")}
    assert pages <= linked


def test_every_command_and_option_is_in_the_reference(site: Path) -> None:
    page = html.unescape((site / "reference/commands.html").read_text(encoding="utf-8"))
    shown = set(re.findall(r"<code>([^<]+)</code>", page))
    headings = set(re.findall(r'<h[23] id="[^"]*">([^<]+)', page))
    parsers = [command_parser()]
    while parsers:
        parser = parsers.pop()
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                parsers += action.choices.values()
                assert {one.prog for one in action.choices.values()} <= headings
            elif action.dest != "help":
                assert set(action.option_strings) <= shown


def test_nothing_that_was_to_be_generated_is_left_out(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert "generated:" not in page.read_text(encoding="utf-8"), page
