"""Names of files made of texts that others wrote: on any system, and none leads out."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["FileNames"]

_UNSAFE = re.compile(r"[^\w.-]+")
_LONGEST = 60  # characters; of four bytes each they leave room in 255 for what is put behind them
# What Windows opens a device by, whatever its suffix.
_DEVICES = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?:\.|\Z)", re.I)


class FileNames:
    """The names of one folder's files or folders, given to texts as they come."""

    def __init__(self) -> None:
        self._name_of: dict[str, str] = {}
        self._taken: set[str] = set()

    def of(self, text: str) -> str:
        """The name for a text: the same for the same text, and for no other one.

        Two names differ by more than case, which some systems pass over.
        """
        if text not in self._name_of:
            plain = _plain(text)
            name, number = plain, 1
            while name.casefold() in self._taken:
                number += 1
                name = f"{plain}~{number}"
            self._taken.add(name.casefold())
            self._name_of[text] = name
        return self._name_of[text]


def _plain(text: str) -> str:
    """A text with nothing in it that means something to a file system."""
    name = _UNSAFE.sub("_", unicodedata.normalize("NFC", text))[:_LONGEST].strip(".") or "_"
    return f"_{name}" if _DEVICES.match(name) else name
