"""Find a project's feature files, and the step modules that behave would load."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...core.errors import SelfBehaveError
from ...core.printable import printable

__all__ = ["Suite", "feature_files", "python_files", "read_text", "shown", "suite_of"]

MAX_FILES = 10_000
_MOST_SETTINGS = 500_000  # characters
_BEHAVE_FILES = ("behave.ini", ".behaverc", "setup.cfg", "tox.ini", "pyproject.toml")
_NESTED = re.compile(r"^[ \t]*use_nested_step_modules[ \t]*[=:][ \t]*(?P<value>\w+)", re.M)
_PASSED_OVER = frozenset({"node_modules", "__pycache__", "site-packages", "build", "dist"})


@dataclass(frozen=True)
class Suite:
    """What behave loads for a feature file.

    Attributes:
        base: the folder that holds `steps/`.
        steps: the step modules, in the order in which they are loaded.
        nested_steps: modules in its subfolders, which behave does not load.
    """

    base: Path
    steps: tuple[Path, ...]
    environment: Path | None
    nested_steps: tuple[Path, ...] = ()


def feature_files(places: Sequence[Path]) -> list[Path]:
    """Find the feature files in folders, plus those named directly, sorted by path.

    Raises:
        SelfBehaveError: a place cannot be read, or there are no or too many feature files.
    """
    found: dict[Path, Path] = {}
    for place in places:
        if not place.exists():
            raise SelfBehaveError("no such folder", where=place, mend="check the path")
        if place.is_file() and place.suffix != ".feature":
            raise SelfBehaveError(
                "not a folder nor a *.feature file", where=place, mend="name the project's folder"
            )
        for path in [place] if place.is_file() else _files(place, ".feature"):
            found.setdefault(path.absolute(), path)
    if not found:
        raise SelfBehaveError(
            "no *.feature file in it",
            where=", ".join(map(str, places)),
            mend="name the folder that holds the features",
        )
    return list(found.values())


def python_files(places: Sequence[Path]) -> list[Path]:
    """The Python files in folders, sorted by path."""
    found = {
        path.absolute(): path
        for place in places
        for path in _files(place.parent if place.is_file() else place, ".py")
    }
    return list(found.values())


def suite_of(feature: Path) -> Suite | None:
    """What behave would load for a feature file; None if it would find no steps.

    Like behave, this looks for `steps/` or `environment.py` beside the file, then in each parent
    folder.
    """
    for base in feature.absolute().parents:
        steps, environment = base / "steps", base / "environment.py"
        if steps.is_dir() or environment.is_file():
            files = sorted(steps.glob("*.py"), key=lambda path: path.name)
            nested = [
                path for path in sorted(steps.glob("*/**/*.py")) if "__pycache__" not in path.parts
            ]
            if _uses_nested_modules(base):
                # Folder by folder, each sorted by file name.
                files += sorted(nested, key=lambda path: (path.parent, path.name))
                nested = []
            found = environment if environment.is_file() else None
            return Suite(base, tuple(files), found, tuple(nested))
    return None


def _uses_nested_modules(base: Path) -> bool:
    """Whether behave is configured to load the step modules in subfolders of `steps/` too."""
    for folder in (base, *base.parents):
        for name in _BEHAVE_FILES:
            try:
                found = _NESTED.search(read_text(folder / name, _MOST_SETTINGS))
            except (OSError, ValueError):
                continue
            if found:
                return found["value"].lower() in ("true", "yes", "on", "1")
    return False


def read_text(path: Path, most: int, encoding: str = "utf-8") -> str:
    """Read a text file, with \\n as line break.

    Args:
        most: the maximum number of characters.

    Raises:
        ValueError: it is longer, or is not in that encoding.
        LookupError: there is no such encoding.
        OSError: it cannot be read.
    """
    most_bytes = 4 * most
    with path.open("rb") as file:
        data = file.read(most_bytes + 1)
    codec = "utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding
    if len(data) > most_bytes or len(text := data.decode(codec)) > most:
        raise ValueError(f"longer than {most:,} characters")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def shown(path: Path) -> str:
    """A path for display: relative to the working folder if it is inside it."""
    path, here = path.absolute(), Path.cwd()
    if path.is_relative_to(here):
        path = path.relative_to(here)
    return printable(str(path))  # a file name may not be valid UTF-8


def _files(folder: Path, suffix: str) -> Iterator[Path]:
    count = 0
    for top, folders, files in os.walk(folder, onerror=_refuse):
        here = Path(top)
        folders[:] = sorted(name for name in folders if not _is_passed_over(here / name))
        for name in sorted(files):
            if name.endswith(suffix):
                count += 1
                if count > MAX_FILES:
                    raise SelfBehaveError(
                        f"more than {MAX_FILES:,} *{suffix} files",
                        where=folder,
                        mend="name the folders of the features alone",
                    )
                yield here / name


def _is_passed_over(folder: Path) -> bool:
    """Whether a folder holds third-party code: hidden, virtual environment or packages."""
    is_hidden = folder.name.startswith(".")
    return is_hidden or folder.name in _PASSED_OVER or (folder / "pyvenv.cfg").exists()


def _refuse(error: OSError) -> None:
    raise SelfBehaveError(
        f"cannot be read: {error.strerror}", where=error.filename, mend="check the folder"
    ) from error
