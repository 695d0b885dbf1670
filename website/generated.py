"""Generated parts of pages: each line `<!-- generated: NAME ARGUMENT… -->` is replaced."""

from __future__ import annotations

import re
from pathlib import Path

from . import api_reference, command_reference, rooms, tables
from .navigation import contents

__all__ = ["filled"]

_MARK = re.compile(r"^<!-- generated: (?P<what>.+?) -->$", re.M)


def filled(page: Path, pages: Path) -> str:
    """A page's text with all generated parts.

    Raises:
        ValueError: a generated part has an unknown name.
    """

    def text_of(mark: re.Match[str]) -> str:
        name, *arguments = mark["what"].split()
        match name, arguments:
            case "contents", []:
                return contents(page.parent, pages)
            case "commands", []:
                return command_reference.markdown()
            case "settings", []:
                return tables.settings()
            case "stages", []:
                return tables.stages()
            case "faults", []:
                return tables.faults()
            case "fault_codes", []:
                return tables.fault_codes()
            case "rooms", []:
                return rooms.rooms()
            case "api", modules:
                return api_reference.markdown(modules)
        raise ValueError(f"{page}: unknown generated part '{mark['what']}'")

    return _MARK.sub(text_of, page.read_text(encoding="utf-8"))
