"""File names made from untrusted texts: valid on any system, and never outside the folder."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["FileNames"]

_UNSAFE = re.compile(r"[^\w.-]+")
_LONGEST = 60  # characters; even at four bytes each, 255 bytes leave room for a suffix
# Names that Windows reserves for devices, with any suffix.
_DEVICES = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?:\.|\Z)", re.I)


class FileNames:
    """Assigns each text a name for a file or folder within one folder."""

    def __init__(self) -> None:
        self._name_of: dict[str, str] = {}
        self._taken: set[str] = set()

    def of(self, text: str) -> str:
        """The name for a text: the same for the same text, and for no other one.

        Two names differ by more than case, because some systems ignore case.
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
    """A text without the characters that are special to a file system."""
    name = _UNSAFE.sub("_", unicodedata.normalize("NFC", text))[:_LONGEST].strip(".") or "_"
    return f"_{name}" if _DEVICES.match(name) else name
