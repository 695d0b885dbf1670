"""A study's sample as Markdown: one page per scenario, for reading and archiving."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from ..bdd.fences import fence
from ..core.file_names import FileNames
from ..core.files import write_text
from ..core.printable import printable
from .items import StudyItem
from .layout import lay_out

__all__ = ["page", "write_pages"]

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#&|~!])")


def write_pages(items: Sequence[StudyItem], folder: Path) -> list[Path]:
    """Write each item's page as `DATASET/SCENARIO_ID.md` in a folder.

    Raises:
        SelfBehaveError: a page cannot be written.
    """
    written = []
    folders = FileNames()
    names: dict[str, FileNames] = defaultdict(FileNames)
    for item in items:
        dataset = folders.of(item.dataset)
        path = folder / dataset / f"{names[dataset].of(item.scenario_id)}.md"
        write_text(path, page(item))
        written.append(path)
    return written


def page(item: StudyItem) -> str:
    """The page of an item: the formatted scenario, the step functions, and the raw text.

    Each fence is longer than any fence in its text, so the text cannot close it.
    """
    layout = lay_out(item)
    heading = f"# {_escaped(f'{item.dataset} {item.scenario_id}')}"
    parts = [f"{heading}: {_escaped(item.name)}" if item.name else heading]
    parts += ["## Scenario", *_quoted(layout.on_scenario), fence("gherkin", layout.scenario)]
    parts += ["## Step functions", *_quoted(layout.on_code), fence("python", layout.code)]
    if layout.rest:
        parts += ["## Around the code", fence("text", layout.rest)]
    for name, text in layout.raw:
        parts += [f"## Raw {name}", fence("text", text)]
    return "\n\n".join(parts) + "\n"


def _quoted(remarks: Sequence[str]) -> list[str]:
    return [f"> {remark}" for remark in remarks]


def _escaped(text: str) -> str:
    return _MARKUP.sub(r"\\\1", printable(" ".join(text.split())))
