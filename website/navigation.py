"""The order of the pages: as listed here, then by title."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

__all__ = ["contents", "navigation", "title_of"]

# Pages that are not listed follow the listed ones, so a new page needs no line here.
_FIRST = (
    "index.md",
    "tutorial.md",
    "how-to/index.md",
    "how-to/engines.md",
    "how-to/budget-and-batches.md",
    "how-to/seeds.md",
    "how-to/axes.md",
    "how-to/stories.md",
    "how-to/evolve.md",
    "how-to/import.md",
    "how-to/resume.md",
    "how-to/faults.md",
    "how-to/watch-a-run.md",
    "how-to/report.md",
    "how-to/audit.md",
    "how-to/study.md",
    "how-to/release.md",
    "how-to/fine-tune.md",
    "how-to/train.md",
    "how-to/evaluate.md",
    "how-to/cluster.md",
    "how-to/supply-chain.md",
    "how-to/python.md",
    "how-to/extend.md",
    "how-to/add-a-stage.md",
    "reference/index.md",
    "reference/commands.md",
    "reference/settings.md",
    "reference/files.md",
    "reference/seed-tasks.md",
    "reference/ladder.md",
    "reference/api/selfbehave.md",
    "reference/api/run.md",
    "reference/api/stages.md",
    "reference/api/records.md",
    "reference/api/novelty.md",
    "reference/api/engines.md",
    "reference/api/bdd.md",
    "reference/api/import.md",
    "reference/api/report.md",
    "reference/api/study.md",
    "reference/api/release.md",
    "reference/api/reward.md",
    "reference/api/evaluation.md",
    "explanation/index.md",
    "explanation/architecture.md",
    "explanation/method.md",
    "explanation/novelty.md",
    "explanation/scaling-novelty.md",
    "explanation/journal.md",
    "explanation/ladder.md",
    "explanation/yield.md",
    "explanation/criteria.md",
    "explanation/statistics.md",
    "explanation/published-code.md",
)
_SECTIONS = {
    "how-to": "How-to guides",
    "reference": "Reference",
    "reference/api": "Python",
    "explanation": "Explanation",
}


def navigation(pages: Path) -> list[dict[str, Any]]:
    """The tree of all pages in a folder, in the format of Zensical."""
    return _of_folder(pages, pages)


def contents(folder: Path, pages: Path) -> str:
    """A list of a folder's pages, each with its first sentence, in Markdown."""
    lines = []
    for page in _pages(folder, pages):
        if page.name != "index.md":
            sentence = first_sentence(page)
            lines.append(f"- [{title_of(page)}]({page.relative_to(folder)}): {sentence}")
    return "\n".join(lines)


def title_of(page: Path) -> str:
    """A page's first heading.

    Raises:
        ValueError: the page has none.
    """
    found = re.search(r"^# (.+)$", page.read_text(encoding="utf-8"), re.M)
    if found is None:
        raise ValueError(f"{page}: no line '# Title'")
    return found[1].strip()


def first_sentence(page: Path) -> str:
    """The first sentence below a page's title, without links."""
    text = re.sub(r"^# .+\n+", "", page.read_text(encoding="utf-8"), count=1)
    paragraph = " ".join(text.partition("\n\n")[0].split())
    sentence = re.split(r"(?<=[.:]) (?=[A-Z`])", paragraph)[0].rstrip(":")
    return re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", sentence)


def _of_folder(folder: Path, pages: Path) -> list[dict[str, Any]]:
    tree: list[dict[str, Any]] = [
        {_name(page, pages): str(page.relative_to(pages))} for page in _pages(folder, pages)
    ]
    for inner in sorted((one for one in folder.iterdir() if one.is_dir()), key=_rank(pages)):
        if any(inner.rglob("*.md")):
            name = str(inner.relative_to(pages))
            tree.append({_SECTIONS.get(name, name.title()): _of_folder(inner, pages)})
    return tree


def _name(page: Path, pages: Path) -> str:
    return "Home" if page == pages / "index.md" else title_of(page)


def _pages(folder: Path, pages: Path) -> list[Path]:
    return sorted(folder.glob("*.md"), key=_rank(pages))


def _rank(pages: Path) -> Any:
    def rank(path: Path) -> tuple[int, str]:
        name = str(path.relative_to(pages))
        named = (n for n, one in enumerate(_FIRST) if one == name or one.startswith(f"{name}/"))
        return next(named, len(_FIRST)), name

    return rank
