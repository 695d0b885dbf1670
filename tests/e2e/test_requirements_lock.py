"""The lock names every package we need, by hash, and nowhere to get it from."""

from __future__ import annotations

import re
import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ..helpers.paths import ROOT

LOCK = (ROOT / "requirements.lock").read_text()


def locked() -> dict[str, tuple[str, list[str]]]:
    """Version and hashes of each package."""
    entries = re.split(r"\n(?=[A-Za-z])", re.sub(r"^#.*\n", "", LOCK, flags=re.M))
    found = {}
    for entry in entries:
        name, version = re.match(r"([\w.-]+)(?:\[[\w,-]+\])?==(\S+)", entry).groups()
        found[canonicalize_name(name)] = (
            version,
            re.findall(r"--hash=sha256:([0-9a-f]{64})", entry),
        )
    return found


def test_every_package_of_every_extra_is_locked_at_a_version_that_is_allowed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"].values()
    wanted = [*project["project"]["dependencies"], *(one for extra in extras for one in extra)]
    wanted += project["build-system"]["requires"]
    packages = locked()
    for requirement in map(Requirement, wanted):
        name = canonicalize_name(requirement.name)
        if name != "selfbehave":
            assert name in packages, f"renew it: make lock ({name} is not in it)"
            version = packages[name][0]
            assert requirement.specifier.contains(version, prereleases=True), f"{name} {version}"


def test_every_package_has_a_hash_and_none_an_address() -> None:
    assert all(hashes for _, hashes in locked().values())
    assert not re.search(r"://|^\s*--(?!hash)|@ ", LOCK, re.M)
