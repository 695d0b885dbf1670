"""Files of embedded models: joined from packages that are really on the path, and verified."""

from __future__ import annotations

import hashlib
import struct
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from selfbehave.core.errors import SelfBehaveError
from selfbehave.engines.models import (
    MODELS,
    Model,
    Parts,
    fetch_model,
    is_here,
    model_file,
    model_named,
    remove_model,
)
from selfbehave.engines.providers.llama_cpp import gguf_file
from selfbehave.engines.settings import EngineSettings

from ..helpers.paths import ROOT

KEY = b"tokenizer.chat_template"
CHAT_TEMPLATE = struct.pack("<Q", len(KEY)) + KEY  # as GGUF writes a text
CONTENT = b"GGUF" + bytes(range(256)) * 40


def install(site: Path, package: str, version: str, end: str, content: bytes) -> None:
    """Lay a package on a path as an installer does, with a module that must never be imported."""
    module = package.replace("-", "_")
    data = site / module / "data"
    data.mkdir(parents=True)
    (site / module / "__init__.py").write_text("raise SystemExit('imported')\n")
    (data / end.removeprefix("/data/")).write_bytes(content)
    info = site / f"{module}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
    (info / "RECORD").write_text(f"{module}/__init__.py,,\n{module}{end},,\n")


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    """A model of three parts, whose packages are not installed yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    files = tuple((f"tiny-model-part{n}", f"/data/part{n:02d}.bin") for n in (1, 2, 3))
    return Model(
        name="tiny",
        title="Tiny",
        licence="Apache-2.0",
        terms="https://www.apache.org/licenses/LICENSE-2.0",
        api="chat",
        identity="embedded tiny",
        file_name="tiny.gguf",
        size=len(CONTENT),
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        parts=Parts(extra="tiny", version="1.0", files=files),
    )


def install_all(tmp_path: Path, content: bytes = CONTENT, version: str = "1.0") -> None:
    for n, part in enumerate((content[:100], content[100:5_000], content[5_000:]), start=1):
        install(tmp_path / "site", f"tiny-model-part{n}", version, f"/data/part{n:02d}.bin", part)


def test_a_model_is_joined_from_its_packages_without_running_their_code(
    model: Model, tmp_path: Path
) -> None:
    install_all(tmp_path)
    path = model_file(model)
    assert path.read_bytes() == CONTENT
    assert is_here(model)
    assert model_file(model) == path


def test_a_missing_model_is_told_with_the_commands_that_get_it(model: Model) -> None:
    with pytest.raises(SelfBehaveError) as caught:
        model_file(model)
    assert str(caught.value) == (
        "the file of the model 'tiny' (Tiny) is not on this machine — "
        "pip install 'selfbehave[tiny]'"
    )
    with_hub = replace(model, hub=MODELS[0].hub)
    with pytest.raises(SelfBehaveError, match="or selfbehave models get tiny"):
        model_file(with_hub)


def test_a_missing_part_is_named(model: Model, tmp_path: Path) -> None:
    install(tmp_path / "site", "tiny-model-part1", "1.0", "/data/part01.bin", CONTENT[:100])
    with pytest.raises(SelfBehaveError, match=r"2 of the 3 packages .* tiny-model-part2 among"):
        model_file(model)


def test_a_part_of_another_version_is_refused(model: Model, tmp_path: Path) -> None:
    install_all(tmp_path, version="1.1")
    with pytest.raises(SelfBehaveError, match=r"tiny-model-part1 has version 1\.1, not 1\.0"):
        model_file(model)


def test_parts_of_another_model_leave_no_file_behind(model: Model, tmp_path: Path) -> None:
    install_all(tmp_path, CONTENT.replace(b"\x07", b"\x08"))
    with pytest.raises(SelfBehaveError, match="is not what its publisher states"):
        model_file(model)
    assert list((tmp_path / "cache" / "selfbehave").iterdir()) == []


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT[:-1] + b"\x00"])
def test_a_file_cut_short_or_damaged_is_made_again(
    content: bytes, model: Model, tmp_path: Path
) -> None:
    install_all(tmp_path)
    path = model_file(model)
    path.write_bytes(content)
    assert model_file(model).read_bytes() == CONTENT


def test_a_damaged_file_that_cannot_be_made_again_is_told(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "cache" / "selfbehave" / model.file_name
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT[:-1])
    with pytest.raises(SelfBehaveError, match=r"was damaged, and is deleted — pip install 'self"):
        model_file(model)
    assert not path.exists()


def test_a_package_that_lacks_its_part_is_named(model: Model, tmp_path: Path) -> None:
    install_all(tmp_path)
    (tmp_path / "site" / "tiny_model_part2" / "data" / "part02.bin").unlink()
    with pytest.raises(SelfBehaveError, match=r"tiny-model-part2 lacks its part .*--force-reinst"):
        model_file(model)


def test_a_model_larger_than_the_free_disk_is_refused_before_anything_is_written(
    model: Model, tmp_path: Path
) -> None:
    install_all(tmp_path)
    larger = replace(model, size=10**18)
    with pytest.raises(
        SelfBehaveError, match=r"no room: it takes 1000000000\.0 GB, and .* are free"
    ):
        model_file(larger)
    assert not (tmp_path / "cache").exists()


def test_a_folder_of_models_that_cannot_be_written_is_told_in_one_line(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_all(tmp_path)
    (tmp_path / "a file").write_text("not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a file"))
    with pytest.raises(SelfBehaveError, match="cannot be written: Not a directory — make room"):
        model_file(model)


def test_progress_is_shown_while_a_model_is_put_together(model: Model, tmp_path: Path) -> None:
    install_all(tmp_path)
    seen: list[tuple[int, int]] = []
    fetch_model(model, lambda done, whole: seen.append((done, whole)))
    assert seen == [(100, len(CONTENT)), (5_000, len(CONTENT)), (len(CONTENT), len(CONTENT))]


def test_a_removed_model_frees_its_bytes(model: Model, tmp_path: Path) -> None:
    install_all(tmp_path)
    path = model_file(model)
    download = path.with_name(f"{path.name}.download")
    (download / ".cache").mkdir(parents=True)
    (download / ".cache" / "half").write_bytes(b"half a download")
    assert remove_model(model) >= len(CONTENT) + len(b"half a download")
    assert not path.exists()
    assert not download.exists()
    assert not is_here(model)


def test_an_unknown_model_is_told_with_the_known_ones() -> None:
    with pytest.raises(SelfBehaveError, match="give one of embedded, embedded-small"):
        model_named("larger")


def test_every_known_model_can_be_got_and_the_default_follows_instructions() -> None:
    """The extra that a message names must be one that the project has, with the same packages."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    for model in MODELS:
        assert model.parts or model.hub, model.name
        if model.parts is not None:
            packages = {name for name, _ in model.parts.files}
            named = {one.split("==")[0] for one in extras[model.parts.extra]}
            # A package may bring the others, which have its name with a number.
            assert named <= packages or all(one.startswith(tuple(named)) for one in packages)
            assert all(
                one.endswith(f"=={model.parts.version}") for one in extras[model.parts.extra]
            )
    default = model_named(EngineSettings().engine)
    assert default.api == "chat"
    assert not any("gguf" in one or "model" in one for one in project["dependencies"])


@pytest.mark.parametrize(
    ("template", "grammar", "takes_grammar", "api"),
    [
        (b"", "auto", True, "completions"),
        (b"", "off", False, "completions"),
        (CHAT_TEMPLATE, "auto", False, "chat"),
        (CHAT_TEMPLATE, "on", True, "chat"),
    ],
)
def test_a_model_with_a_chat_template_is_held_to_a_grammar_only_if_asked(
    template: bytes, grammar: str, takes_grammar: bool, api: str, tmp_path: Path
) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF" + template)
    engine = gguf_file(EngineSettings(engine=str(path), grammar=grammar))
    assert (engine.takes_grammar, engine.api) == (takes_grammar, api)
