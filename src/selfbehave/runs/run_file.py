"""`run.toml`: the settings of a run, the versions of packages, and the digest of the seeds.

It is enough to repeat the run. It also ensures that a folder keeps the settings with which its
answers and files were made.
"""

from __future__ import annotations

import platform
import tomllib
from collections.abc import Collection, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import tomli_w

from ..core.errors import SelfBehaveError
from ..core.files import write_text
from ..core.run_files import RUN_FILE
from ..engines.models import MODELS

__all__ = ["note_refused_parameter", "note_settings", "read_settings"]

_MAX_BYTES = 64 * 2**10  # a dotted key takes time by the square of its length
_DIGEST = "_sha256"  # ends the names of digests
_REFUSED = "refused_parameters"  # the table of these, by the server's address
_VERSIONS_OF = ("selfbehave", "gherkin-official", "rapidfuzz", "xllamacpp")
# The first half of a file may be valid TOML too, with lag = 3 for lag = 30.
_END = "# end of the settings\n"


def note_settings(
    batch_dir: Path,
    stage: str,
    settings: Mapping[str, Any],
    *,
    is_binding: bool = True,
    may_grow: Collection[str] = (),
    may_change: Collection[str] = (),
) -> str | None:
    """Write a stage's settings into the folder's `run.toml`.

    A file that a disk fault truncated is kept under another name and written again.

    Args:
        is_binding: refuse settings that differ from those already there, because the stage's
            answers were paid for under them.
        may_grow: names of settings that may be higher than before.
        may_change: names of settings that may differ.

    Returns:
        A message for the user, if there is one.

    Raises:
        SelfBehaveError: the folder was made with other settings, or its `run.toml` is broken.
    """
    path = batch_dir / RUN_FILE
    new = {name: "default" if value is None else value for name, value in settings.items()}
    notice = _put_torn_aside(path)
    known, text = _read(path)
    if is_binding:
        fixed = {name: value for name, value in new.items() if name not in may_change}
        _check(path, text, stage, known.get(stage, {}), fixed, may_grow)
    known[stage] = new
    _write(path, known)
    return notice


def note_refused_parameter(batch_dir: Path, address: str, name: str, instead: str) -> None:
    """Write into the folder's `run.toml` that a server refuses a parameter.

    Args:
        instead: the name under which the parameter is sent, or "" if it is left out.

    Raises:
        SelfBehaveError: the file is broken.
    """
    path = batch_dir / RUN_FILE
    known, _ = _read(path)
    deed = f"sent as {instead}" if instead else "left out"
    known.setdefault(_REFUSED, {}).setdefault(address, {})[name] = deed
    _write(path, known)


def _write(path: Path, known: dict[str, Any]) -> None:
    known["made_with"] = {
        "python": platform.python_version(),
        **{name: version(name) for name in _VERSIONS_OF},
    }
    write_text(path, tomli_w.dumps(known) + _END)


def read_settings(batch_dir: Path) -> dict[str, Any]:
    """The settings in a folder's `run.toml`, by stage; empty if there is no such file.

    Raises:
        SelfBehaveError: the file is broken.
    """
    return _read(batch_dir / RUN_FILE)[0]


def _put_torn_aside(path: Path) -> str | None:
    try:
        if _END.encode() in path.read_bytes():
            return None
        torn = path.with_name(path.name + ".torn")
        path.replace(torn)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SelfBehaveError(
            f"the run's settings cannot be read: {error.strerror}",
            where=path,
            mend="check the folder and the disk",
        ) from error
    return f"{path.name} is cut off: kept as {torn.name}, and written anew from this command"


def _read(path: Path) -> tuple[dict[str, Any], str]:
    if not path.exists():
        return {}, ""
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise ValueError(f"larger than {_MAX_BYTES // 2**10} KiB")
        text = data.decode()
        settings = tomllib.loads(text)
        for stage, values in settings.items():
            if not isinstance(values, dict):
                raise ValueError(f"{stage!r} is not a table")
        return settings, text
    except (OSError, ValueError, RecursionError) as error:
        raise SelfBehaveError(
            f"the run's settings cannot be read: {error}",
            where=path,
            mend="restore the file, or use another --batch_dir",
        ) from error


def _check(
    path: Path,
    text: str,
    stage: str,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    may_grow: Collection[str],
) -> None:
    # The model first: with another one, the defaults of other settings may differ too.
    for name in sorted(new, key=lambda name: name != "model"):
        value = new[name]
        if name not in old or old[name] == value:
            continue
        if name in may_grow and _is_more(value, old[name]):
            continue
        raise SelfBehaveError(
            f"this folder was made with {name} = {old[name]!r}, not {value!r}",
            where=f"{path}:{_line_of(text, stage, name)}",
            mend=f"give {_as_it_was(name, old[name])}, or another --batch_dir",
        )


def _as_it_was(name: str, value: Any) -> str:
    """The option that gives a setting its old value."""
    if name == "model":  # of a run that an older version made with `embedded`, for example
        for model in MODELS:
            if model.identity == value:
                return f"--engine {model.name}"
    if name.endswith(_DIGEST):
        what = name.removesuffix(_DIGEST).replace("_", " ")
        return f"no {what}" if value == "default" else f"the {what} as they were"
    return f"--{name} as it was"


def _is_more(value: Any, old: Any) -> bool:
    """Whether a value is at least as high as the old one; "default" stands for all."""
    if value == "default":
        return True
    return isinstance(old, int) and isinstance(value, int) and value >= old


def _line_of(text: str, stage: str, name: str) -> int:
    section = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("["):
            section = line.strip("[] ")
        elif section == stage and line.partition("=")[0].strip() == name:
            return number
    return 1
