"""Build the site from `docs/`: fill pages in, order them, and render them with Zensical.

Links inside the site are checked; a broken link fails the build.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import tomli_w

from .generated import filled
from .navigation import navigation

__all__ = ["DOCS", "build"]

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
_SETTINGS = ROOT / "zensical.toml"


def build(folder: Path) -> bool:
    """Build the site into a folder, replacing it; return whether the build succeeded.

    Problems are printed on standard error, with page, line and column.
    """
    with tempfile.TemporaryDirectory() as temporary:
        # Zensical wants its settings, pages and site in one folder.
        place = Path(temporary)
        pages, site = place / "docs", place / "site"
        shutil.copytree(DOCS, pages)
        for page in sorted(pages.rglob("*.md")):
            page.write_text(filled(page, pages), encoding="utf-8")
        settings = tomllib.loads(_SETTINGS.read_text(encoding="utf-8"))
        settings["project"] |= {"docs_dir": "docs", "site_dir": "site", "nav": navigation(pages)}
        (place / "zensical.toml").write_text(tomli_w.dumps(settings), encoding="utf-8")
        command = [sys.executable, "-m", "zensical", "build", "--strict"]
        done = subprocess.run(command, cwd=place, capture_output=True, text=True)
        if done.returncode:
            # A traceback follows the warnings; it does not help authors of pages.
            print((done.stdout + done.stderr).partition("Traceback")[0], file=sys.stderr)
            return False
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(site, folder)
    return True
