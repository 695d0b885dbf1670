"""The texts of stories: bytes as text, and a story's lines as its text and its criteria."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence

from ..core.errors import SelfBehaveError

__all__ = ["LARGEST", "decoded", "parted"]

LARGEST = 5_000_000  # bytes of a file
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BULLET = re.compile(r"([ \t]*)(?:[-*+•]|\d{1,3}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?(.*)")
_CRITERIA = re.compile(r"[*_# \t]*(?:acceptance )?criteria[*_: \t]*", re.I)


def decoded(data: bytes, where: str) -> str:
    r"""The text of a file, a byte order mark left out, and each line ended by "\n".

    Raises:
        SelfBehaveError: it is too large, no text, or in another encoding.
    """
    if len(data) > LARGEST:
        raise SelfBehaveError(
            f"larger than {LARGEST // 1_000_000} MB", where=where, mend="give smaller files"
        )
    encoding = "utf-16" if data.startswith(_UTF_16) else "utf-8-sig"
    if encoding == "utf-8-sig" and b"\0" in data:
        raise SelfBehaveError("not a text", where=where, mend="give a text file with stories")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise SelfBehaveError(
            f"not {encoding.removesuffix('-sig').upper()}",
            where=f"{where}:{line}",
            mend="save the file as UTF-8",
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def parted(lines: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """A story's text, and its criteria: the items of its lists.

    An indented line after an item goes on with it. A line "Acceptance criteria:" is left out.
    """
    text: list[str] = []
    criteria: list[str] = []
    indent = -1  # of the item that is being read
    for line in lines:
        if _CRITERIA.fullmatch(line):
            indent = -1
        elif (item := _BULLET.fullmatch(line)) and item[2].strip():
            depth = len(item[1].expandtabs(4))
            # An item within an item says more of it.
            if criteria and 0 <= indent < depth:
                criteria[-1] += f" {item[2].strip()}"
            else:
                criteria.append(item[2].strip())
                indent = depth
        elif not line.strip():
            continue
        elif indent >= 0 and line[:1].isspace():
            criteria[-1] += f" {line.strip()}"
        else:
            text.append(line.strip())
            indent = -1
    return "\n".join(text), tuple(criteria)
