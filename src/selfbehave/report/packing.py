"""Pack the rows for a page: in compressed parts that the page unpacks on demand.

One store contains each scenario, code and piece of a prompt once; rows refer to them by number.
The examples in a prompt are rows themselves, so 50,000 prompts of a few thousand characters take
little more space than their numbers.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from ..bdd.faults import label
from ..core.printable import printable
from .answers import JournalAnswer, Prompts
from .facts import ReportRow, RunFacts

__all__ = ["ROWS_IN_PART", "TEXTS_IN_PART", "PackedRows", "pack", "shown"]

TEXTS_IN_PART = 512
ROWS_IN_PART = 512
_LONGEST_TEXT = 20_000  # characters
_LONGEST_TITLE = 160
_LONGEST_FAULT = 400
_MOST_FAULTS = 12
_TITLE = re.compile(r"^\s*[^\W\d_][\w ]{2,30}: *(?P<title>\S.*)$", re.M)
# Prompts are split at the scenarios they contain.
_OPENING, _CLOSING = "```gherkin\n", "\n```"


@dataclass(frozen=True)
class PackedRows:
    """The rows, packed.

    Attributes:
        index: the values for listing and filtering rows, by column.
        texts: the store's texts, `TEXTS_IN_PART` in each part.
        details: the values shown for a single row, `ROWS_IN_PART` rows in each part.
    """

    index: str
    texts: list[str]
    details: list[str]


def pack(runs: Sequence[RunFacts]) -> PackedRows:
    """Pack the rows of runs, with the prompts that made them.

    Raises:
        SelfBehaveError: a journal is broken.
    """
    store = _Store()
    index = _Index()
    details: list[str] = []
    part: list[dict[str, Any]] = []
    with ExitStack() as stack:
        for number, run in enumerate(runs):
            prompts = stack.enter_context(Prompts(run.folder).opened())
            answers = {answer.key: answer for answer in run.answers}
            for row in run.rows:
                index.add(number, row, store)
                part.append(_details(row, prompts, answers, store))
                if len(part) == ROWS_IN_PART:
                    details.append(_packed(part))
                    part = []
    if part:
        details.append(_packed(part))
    return PackedRows(_packed(index.columns([run.name for run in runs])), store.parts(), details)


def shown(text: str, longest: int = _LONGEST_TEXT) -> str:
    """Return a text that is safe to show: truncated if too long, without unprintable characters."""
    cut = len(text) - longest
    if cut > 0:
        text = f"{text[:longest]}\n… {cut:,} more characters"
    return printable(text).encode("utf-8", "replace").decode("utf-8")


class _Store:
    """Unique texts by number. Full parts are packed immediately to save memory."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}  # by the text's hash, to save memory
        self._part: list[str] = []
        self._parts: list[str] = []

    def add(self, text: str) -> int:
        """Add a text if it is new; return its number."""
        number = self._numbers.setdefault(hash(text), len(self._numbers))
        if number == len(self._parts) * TEXTS_IN_PART + len(self._part):  # a new text
            self._part.append(shown(text))
            if len(self._part) == TEXTS_IN_PART:
                self._parts.append(_packed(self._part))
                self._part = []
        return number

    def parts(self) -> list[str]:
        return [*self._parts, *([_packed(self._part)] if self._part else [])]


class _Names:
    """Names by number, in order of first use."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def add(self, name: str | None) -> int:
        """Add a name if it is new; return its number, or -1 for None."""
        if name is None:
            return -1
        return self.numbers.setdefault(shown(name, _LONGEST_TITLE), len(self.numbers))


class _Index:
    def __init__(self) -> None:
        self._names = {name: _Names() for name in ("rung", "domain", "actor", "verb", "object")}
        self._faults = _Names()
        self._columns: dict[str, list[Any]] = {}

    def add(self, run: int, row: ReportRow, store: _Store) -> None:
        finished, deed = row.finished, row.deed
        kinds = dict.fromkeys(map(label, finished.fault_codes[:_MOST_FAULTS]))
        values = {
            "run": run,
            "title": _title(row),
            "kept": int(row.is_kept),
            "rung": self._names["rung"].add(finished.rung),
            "domain": self._names["domain"].add(finished.domain),
            "faults": [self._faults.add(kind) for kind in kinds],
            "novelty": None if finished.novelty is None else round(finished.novelty, 3),
            "actor": self._names["actor"].add(deed.actor if deed else None),
            "verb": self._names["verb"].add(deed.verb if deed else None),
            "object": self._names["object"].add(deed.object if deed else None),
            "scenario": store.add(
                finished.scenario or f"{finished.instruction}\n{finished.input}".strip()
            ),
            "code": store.add(finished.step_functions or finished.output),
        }
        for name, value in values.items():
            self._columns.setdefault(name, []).append(value)

    def columns(self, runs: Sequence[str]) -> dict[str, Any]:
        names: dict[str, Iterable[str]] = {
            name: list(found.numbers) for name, found in self._names.items()
        }
        return {
            "names": {
                **names,
                "run": [shown(run, _LONGEST_TITLE) for run in runs],
                "fault": list(self._faults.numbers),
            },
            "columns": self._columns,
            "textsInPart": TEXTS_IN_PART,
            "rowsInPart": ROWS_IN_PART,
        }


def _title(row: ReportRow) -> str:
    text = row.finished.scenario or row.finished.instruction
    match = _TITLE.search(text[:_LONGEST_TEXT])
    lines = text.strip().splitlines()
    title = match["title"] if match else lines[0] if lines else ""
    return " ".join(shown(title, _LONGEST_TITLE).split()) or "(untitled)"


def _details(
    row: ReportRow, prompts: Prompts, answers: dict[str, JournalAnswer], store: _Store
) -> dict[str, Any]:
    finished = row.finished
    made = []
    for what, key in (
        ("scenario", finished.instruction_request),
        ("step functions", finished.instance_request),
    ):
        prompt = prompts.of(key)
        if prompt is None or key is None:
            continue
        answer = answers[key]
        made.append(
            {
                "what": what,
                "request": answer.request_idx,
                "stage": answer.stage,
                "key": key,
                "tokens": [answer.prompt_tokens, answer.completion_tokens],
                "finish": shown(answer.finish_reason, 40),
                "pieces": [store.add(piece) for piece in _pieces(prompt)],
            }
        )
    return {
        "id": finished.id,
        "engine": shown(finished.engine or "", _LONGEST_TITLE),
        "faults": [shown(fault, _LONGEST_FAULT) for fault in finished.faults[:_MOST_FAULTS]],
        "steps": row.steps,
        "made": made,
    }


def _pieces(prompt: str) -> Iterator[str]:
    """Split a prompt into its scenarios and the text around them."""
    around, *parts = prompt.split(_OPENING)
    for part in parts:
        yield around + _OPENING
        scenario, closing, rest = part.partition(_CLOSING)
        yield scenario
        around = closing + rest
    yield around


def _packed(value: Any) -> str:
    """Return a value as compressed JSON in Base64, for embedding in a page."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # No timestamp, so the same rows give the same bytes.
    data = gzip.compress(text.encode("utf-8"), compresslevel=6, mtime=0)
    return base64.b64encode(data).decode("ascii")
