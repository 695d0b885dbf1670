"""Convert what behave read into a document in the official parser's format.

The format is that of Cucumber's messages: a feature with children, each a background, a scenario or
a rule; steps with keyword, text and argument; each part with its line and column from 1. The lines
come from behave's model, and the columns from the text. Lines are those of `str.splitlines`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from behave.i18n import languages
from behave.model import Background, Feature, Rule, ScenarioOutline, Table

__all__ = ["document_of", "parts_of", "resolved_kinds"]

_KEYWORD_TYPES = {"given": "Context", "when": "Action", "then": "Outcome"}
_KIND_OF = {keyword_type: kind for kind, keyword_type in _KEYWORD_TYPES.items()}
_PIPE = re.compile(r"(?<!\\)\|")


def document_of(feature: Feature, feature_text: str) -> dict[str, Any]:
    """The document of a feature that behave read from a text."""
    return _Builder(feature, feature_text.splitlines()).document()


def parts_of(document: Any) -> Iterator[dict[str, Any]]:
    """Every background and scenario of a document in order, including those in rules."""
    return _parts(document["feature"]["children"])


def resolved_kinds(steps: list[dict[str, Any]]) -> list[str | None]:
    """The kind of each step of a scenario in the document; see `Step.kind`."""
    kinds: list[str | None] = []
    for step in steps:
        inherited = kinds[-1] if kinds else None
        kinds.append(step.get("kind") or _KIND_OF.get(step["keywordType"], inherited))
    return kinds


def _parts(children: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for child in children:
        if "rule" in child:
            yield from _parts(child["rule"]["children"])
        else:
            yield child.get("background") or child["scenario"]


class _Builder:
    def __init__(self, feature: Feature, lines: Sequence[str]) -> None:
        self._feature = feature
        self._lines = lines
        self._keywords = languages[feature.language]

    def document(self) -> dict[str, Any]:
        feature = self._feature
        children = self._background(feature.background)
        for item in feature.run_items:
            children.append(self._rule(item) if isinstance(item, Rule) else self._scenario(item))
        head = self._head(feature) | {"language": feature.language, "children": children}
        return {"feature": head, "comments": []}

    def _head(self, part: Any) -> dict[str, Any]:
        return {
            "location": self._location(part.line),
            "keyword": part.keyword,
            "name": part.name,
            "description": "\n".join(getattr(part, "description", ())),  # Examples have none
            "tags": [
                {"name": f"@{tag}", "location": self._location(tag.line)} for tag in part.tags
            ],
        }

    def _location(self, line: int) -> dict[str, int]:
        text = self._lines[line - 1]
        return {"line": line, "column": len(text) - len(text.lstrip()) + 1}

    def _rule(self, rule: Rule) -> dict[str, Any]:
        # For a rule without its own background, behave adds one that only passes on the feature's.
        is_own = rule.background is not None and rule.background.line != rule.line
        children = self._background(rule.background if is_own else None)
        children += map(self._scenario, rule.run_items)
        return {"rule": self._head(rule) | {"children": children}}

    def _background(self, background: Background | None) -> list[dict[str, Any]]:
        if background is None:
            return []
        head = {
            "location": self._location(background.line),
            "keyword": background.keyword,
            "name": background.name,
            "description": "\n".join(background.description),
        }
        return [{"background": head | {"steps": self._steps(background.steps)}}]

    def _scenario(self, scenario: Any) -> dict[str, Any]:
        examples = scenario.examples if isinstance(scenario, ScenarioOutline) else ()
        parts = {"steps": self._steps(scenario.steps), "examples": [*map(self._examples, examples)]}
        return {"scenario": self._head(scenario) | parts}

    def _steps(self, steps: Sequence[Any]) -> list[dict[str, Any]]:
        return [self._step(step) for step in steps]

    def _step(self, step: Any) -> dict[str, Any]:
        location = self._location(step.line)
        written = self._lines[step.line - 1].strip()
        # Behave also accepts lower-case keywords; the trailing blank is part of the keyword.
        length = len(written) - len(written[len(step.keyword) :].lstrip())
        made: dict[str, Any] = {
            "location": location,
            "keyword": written[:length],
            "keywordType": self._keyword_type(step),
            "kind": step.step_type,
            "text": step.name,
        }
        if step.table is not None:
            rows = self._rows(step.table)
            made["dataTable"] = {"location": rows[0]["location"], "rows": rows}
        if step.text is not None:
            made["docString"] = {
                "location": self._location(step.text.line),
                "content": str(step.text),
                "delimiter": self._lines[step.text.line - 1].strip()[:3],
            }
        return made

    def _keyword_type(self, step: Any) -> str:
        if step.keyword == "*":
            return "Unknown"
        keywords = (keyword.rstrip() for keyword in self._keywords[step.step_type])
        return _KEYWORD_TYPES[step.step_type] if step.keyword in keywords else "Conjunction"

    def _examples(self, examples: Any) -> dict[str, Any]:
        head = self._head(examples)
        if examples.table is None:
            return head | {"tableBody": []}
        header, *body = self._rows(examples.table)
        return head | {"tableHeader": header, "tableBody": body}

    def _rows(self, table: Table) -> list[dict[str, Any]]:
        rows = [(table.headings, table.line), *((row.cells, row.line) for row in table.rows)]
        return [self._row(cells, line) for cells, line in rows]

    def _row(self, cells: Sequence[str], line: int) -> dict[str, Any]:
        text = self._lines[line - 1]
        start = len(text) - len(text.lstrip()) + 1  # after the first "|"
        end = len(text.rstrip()) - 1
        made = []
        for value in cells:
            pipe = _PIPE.search(text, start, end)
            stop = pipe.start() if pipe else end
            written = text[start:stop]
            blanks = len(written) - len(written.lstrip())
            location = {"line": line, "column": start + blanks + 1}
            made.append({"location": location, "value": value, "written": written.strip()})
            start = stop + 1
        return {"location": self._location(line), "cells": made}
