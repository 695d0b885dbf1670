"""What a chat message says, with a reasoning model's thoughts kept apart from its answer.

Servers send thoughts in many forms: fields of the message, parts of its content, or marks in the
text. Where it is unclear what is thought, all of it is: thoughts must never become data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Said", "said_in_message", "said_in_text"]

# The fields of a message for thoughts: of DeepSeek, vLLM before 0.12 and SGLang; of OpenRouter,
# Ollama, Groq and vLLM; of Ollama's own interface.
_FIELDS = ("reasoning_content", "reasoning", "thinking")
# The types of parts that are text for the reader; a part without a type is one, too.
_TEXT_TYPES = ("text", "output_text", None)
_REFUSAL = "refusal"
_MOST_PARTS = 10_000
_DEEPEST = 5  # lists of parts within parts

# Marks around thoughts in a text: of DeepSeek and Qwen, of Seed-OSS, of Magistral, of Kimi.
_TAGS = (
    ("<think>", "</think>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
)
# Marks that may be part of an ordinary text, so they count only around its beginning.
_TAGS_AT_START = tuple(
    (f"<{name}>", f"</{name}>") for name in ("thinking", "thought", "thoughts", "reasoning")
)
# The channels of gpt-oss: everything up to the last channel "final" is thought.
_FINAL_CHANNEL = re.compile(r"<\|channel\|>\s*final\s*(?:<\|constrain\|>[^<]*)?<\|message\|>")
_CHANNEL = "<|channel|>"
_ANY_MARK = re.compile(
    "|".join(re.escape(mark) for pair in (*_TAGS, *_TAGS_AT_START, (_CHANNEL,)) for mark in pair),
    re.IGNORECASE,
)
_END_OF_MESSAGE = re.compile(r"<\|(?:return|end|call)\|>")


@dataclass(frozen=True)
class Said:
    """What an engine said.

    Attributes:
        text: its answer.
        thoughts: what it thought before.
        is_refusal: whether it refused to answer, by the field or the part for that.
    """

    text: str
    thoughts: str = ""
    is_refusal: bool = False


def said_in_message(message: Mapping[str, Any]) -> Said | None:
    """Read a chat message; None if its content is neither a text nor a list of parts."""
    content = message.get("content")
    fields = [thought for name in _FIELDS if (thought := message.get(name))]
    # Some servers send the same thoughts in two fields.
    thoughts = list(dict.fromkeys(_thoughts_in(field) for field in fields))
    is_refusal = isinstance(message.get(_REFUSAL), str) and bool(message[_REFUSAL])
    if isinstance(content, str):
        found = said_in_text(content)
    elif isinstance(content, list | dict):
        found = _said_in_parts(content if isinstance(content, list) else [content])
    elif thoughts or is_refusal:
        found = Said("")
    else:
        return None
    return Said(
        found.text,
        _joined([*thoughts, found.thoughts]),
        (is_refusal or found.is_refusal) and not found.text.strip(),
    )


def said_in_text(text: str) -> Said:
    """Separate the thoughts in a text from the answer after them.

    Everything before the last closing mark is thought, even without an opening one, which some
    chat templates put into the prompt. So is everything after an opening mark that is not closed.
    """
    if not _ANY_MARK.search(text):
        return Said(text)
    if _CHANNEL in text:
        return _said_in_channels(text)
    thoughts: list[str] = []
    starts = [pair for pair in _TAGS_AT_START if text.lstrip().lower().startswith(pair[0])]
    for opening, closing in (*_TAGS, *starts):
        before, mark, after = _rpartition(text, closing)
        if mark:
            thoughts.append(_without(before, opening, closing))
            text = after.lstrip()
        place = _find(text, opening)
        if place >= 0:
            thoughts.append(text[place + len(opening) :])
            text = text[:place]
    return Said(text, _joined(thoughts))


def _said_in_channels(text: str) -> Said:
    finals = list(_FINAL_CHANNEL.finditer(text))
    if not finals:
        return Said("", text)
    answer = text[finals[-1].end() :]
    return Said(_END_OF_MESSAGE.split(answer, maxsplit=1)[0], text[: finals[-1].start()])


def _said_in_parts(parts: Sequence[Any]) -> Said:
    texts, thoughts, is_refusal = [], [], False
    for part in parts[:_MOST_PARTS]:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict) and part.get("type") in _TEXT_TYPES:
            texts.append(_text_of(part.get("text")))
        elif isinstance(part, dict) and part.get("type") == _REFUSAL:
            is_refusal = True
        else:
            thoughts.append(_thoughts_in(part))
    found = said_in_text("".join(texts))
    return Said(found.text, _joined([*thoughts, found.thoughts]), is_refusal)


def _thoughts_in(value: Any, depth: int = 0) -> str:
    """The texts in a value that holds thoughts: a text, a part, or a list of these."""
    if isinstance(value, str):
        return value
    if depth < _DEEPEST and isinstance(value, list):
        return "".join(_thoughts_in(part, depth + 1) for part in value[:_MOST_PARTS])
    if depth < _DEEPEST and isinstance(value, dict):
        fields = (value.get(name) for name in ("thinking", "text", "summary", *_FIELDS, "content"))
        return next((found for one in fields if (found := _thoughts_in(one, depth + 1))), "")
    return ""


def _text_of(value: Any) -> str:
    if isinstance(value, dict):  # of OpenAI's assistants: {"value": text}
        value = value.get("value")
    return value if isinstance(value, str) else ""


def _joined(thoughts: Sequence[str]) -> str:
    return "\n\n".join(one for thought in thoughts if (one := thought.strip()))


def _rpartition(text: str, mark: str) -> tuple[str, str, str]:
    """Split at the last mark, whatever the case of its letters."""
    places = [match.span() for match in re.finditer(re.escape(mark), text, re.IGNORECASE)]
    if not places:
        return text, "", ""
    start, end = places[-1]
    return text[:start], mark, text[end:]


def _find(text: str, mark: str) -> int:
    found = re.search(re.escape(mark), text, re.IGNORECASE)
    return found.start() if found else -1


def _without(text: str, *marks: str) -> str:
    return re.sub("|".join(map(re.escape, marks)), "", text, flags=re.IGNORECASE)
