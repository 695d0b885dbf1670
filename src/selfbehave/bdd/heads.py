"""The heads of a scenario's step functions: decorator, signature and what the step carries."""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .scenario import Scenario, parts_of, resolved_kinds
from .steps import bind, read_step_functions

__all__ = ["RESERVED_NAMES", "Head", "heads_of", "imports_of"]

_VALUE = re.compile(
    r'"(?P<quoted>[^"]+)"'
    r"|<(?P<outline>[^<>]+)>"
    r"|(?<![\w.,:/-])(?P<number>\d+(?:\.\d+)?)(?![\w:/]|[.,:-]\d)"
)
_QUOTED = re.compile(r'"[^"]*"')
_PLAIN_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_SMALL_WORDS = frozenset(
    "a an and are as at be been but by can does for from had has have her his if in into is it its "
    "more no not of off on one or out over she he than that the their them then there they this "
    "to two under until up upon was were when which while who whose will with you your given each "
    "these those such per every first last least most now already further another other must may "
    "only".split()
)
# Names that behave's context keeps for itself, or that would hide Python's own.
RESERVED_NAMES = frozenset(
    "active_outline aborted captured config embed failed feature log rule scenario stdout stderr "
    "table tags text context self attach abort execute_steps add_cleanup int str float list dict "
    "set max min sum len type id all any".split()
)
_CURRENCIES = {"$": "dollars", "€": "euros"}


@dataclass(frozen=True)
class Head:
    """What the model is given of one step function.

    Attributes:
        kind: "given", "when" or "then".
        pattern: of the decorator.
        name: of the function.
        parameters: after `context`.
        values: of the parameters in the step, quotes left out; of an outline its placeholders,
            such as "<price>".
        columns: of the step's data table, in order; empty where it has none.
        has_text: whether the step has a doc string.
        is_repeated: whether several steps share it, so that its function runs several times.
    """

    kind: str
    pattern: str
    name: str
    parameters: tuple[str, ...]
    values: tuple[str, ...]
    columns: tuple[str, ...] = ()
    has_text: bool = False
    is_repeated: bool = False

    @property
    def code(self) -> str:
        """Decorator and `def` line."""
        quote = '"' if "'" in self.pattern else "'"
        pattern = self.pattern.replace("\\", "\\\\").replace(quote, "\\" + quote)
        arguments = ", ".join(["context", *self.parameters])
        return f"@{self.kind}({quote}{pattern}{quote})\ndef {self.name}({arguments}):\n"

    @property
    def note(self) -> str:
        """A body that says what the step carries besides its line."""
        if self.columns:
            names = ", ".join(f'row["{name}"]' for name in self.columns)
            return f"    # context.table: {names}"
        return "    # context.text" if self.has_text else "    ..."

    @property
    def is_plain(self) -> bool:
        """Whether the step carries its line only."""
        return not self.columns and not self.has_text


def heads_of(scenario: Scenario) -> tuple[Head, ...] | None:
    """The heads of all steps in order, a repeated pattern once; None if they cannot bind."""
    heads: list[Head] = []
    seen: Counter[tuple[str, str]] = Counter()
    names: set[str] = set()
    for part in parts_of(scenario.document):
        types = _types_of_columns(part.get("examples", []))
        for step, kind in zip(part["steps"], resolved_kinds(part["steps"]), strict=True):
            if kind is None:
                return None
            pattern, parameters, values = _pattern(step["text"], types)
            seen[kind, pattern] += 1
            if seen[kind, pattern] > 1:
                continue
            rows = step.get("dataTable", {}).get("rows", [])
            columns = tuple(cell["value"] for cell in rows[0]["cells"]) if rows else ()
            name = _function_name(pattern, names)
            has_text = "docString" in step
            heads.append(Head(kind, pattern, name, parameters, values, columns, has_text))
    code = imports_of(heads) + "".join(f"{head.code}    pass\n" for head in heads)
    try:
        is_bound = bind(scenario, read_step_functions(code)).is_bound
    except SyntaxError:  # such as two parameters of one name
        return None
    if not is_bound:
        return None
    return tuple(replace(one, is_repeated=seen[one.kind, one.pattern] > 1) for one in heads)


def imports_of(heads: Sequence[Head]) -> str:
    """The line that imports behave's decorators, and the blank lines after it."""
    kinds = [kind for kind in ("given", "when", "then") if any(h.kind == kind for h in heads)]
    return f"from behave import {', '.join(kinds)}\n\n\n"


def _types_of_columns(examples: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """How `parse` reads the values of each column of an outline's Examples: "d", "g", or ""."""
    cells: dict[str, list[str]] = {}
    for table in examples:
        heads = (
            [cell["value"] for cell in table["tableHeader"]["cells"]] if table["tableBody"] else []
        )
        for row in table["tableBody"]:
            for head, cell in zip(heads, row["cells"], strict=True):
                cells.setdefault(head, []).append(cell["value"])
    return {head: _type_of(values) for head, values in cells.items()}


def _type_of(values: Sequence[str]) -> str:
    """The type that `parse` reads all of some values with; "" for a text."""
    if not all(_PLAIN_NUMBER.fullmatch(value) for value in values):
        return ""
    return "g" if any("." in value for value in values) else "d"


def _pattern(text: str, types: Mapping[str, str]) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """A step's pattern for behave's `parse` matcher, the names of its parameters, their values.

    Args:
        types: of an outline's placeholders.
    """
    parameters: list[str] = []
    values: list[str] = []
    parts: list[str] = []
    end = 0
    for found in _VALUE.finditer(text):
        parts.append(_escaped(text[end : found.start()]))
        name = _parameter(text, found, parameters)
        parameters.append(name)
        values.append(found["quoted"] or found[0])
        if found["quoted"]:
            parts.append(f'"{{{name}}}"')
        else:
            number = found["number"]
            type_of = types.get(found["outline"], "") if number is None else _type_of([number])
            parts.append(f"{{{name}:{type_of}}}" if type_of else f"{{{name}}}")
        end = found.end()
    parts.append(_escaped(text[end:]))
    return "".join(parts), tuple(parameters), tuple(values)


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _parameter(text: str, found: re.Match[str], taken: Sequence[str]) -> str:
    """A name for a value: for a number what it counts, for a text what it names."""
    after = re.findall(r"[A-Za-z]+", text[found.end() :])[:4]
    said_before = _QUOTED.sub(" ", text[: found.start()])
    before = re.findall(r"[A-Za-z]+", said_before)[::-1][:3]
    if text[found.end() : found.end() + 1] == "%":
        after = ["percent"]
    # A word before the number that another value has is not what this one counts.
    order = after + [word for word in before if word.lower() not in taken]
    if found["quoted"]:
        # `counter "A"` and `a "medium" level`, but not `it shows "medium"`.
        nouns = [w for w in before[:1] if not w.endswith(("s", "ed")) and w.islower()]
        order = nouns + after[:1]
    currency = _CURRENCIES.get(text[found.start() - 1 : found.start()])
    if currency is not None:
        order = [currency]
    if found["outline"]:
        order = [re.sub(r"\W+", "_", found["outline"], flags=re.ASCII)]
    good = [w for w in map(str.lower, order) if w not in _SMALL_WORDS and not keyword.iskeyword(w)]
    spare = "name" if found["quoted"] else "number"
    name = next((w for w in good if w not in RESERVED_NAMES and w.isidentifier()), spare)
    return _unlike(name, taken)


def _function_name(pattern: str, taken: set[str]) -> str:
    words = re.findall(r"[a-z]+", re.sub(r"{[^{}]*}", " ", pattern.lower()))
    telling = [w for w in words if w not in _SMALL_WORDS][:3] or words[:3] or ["step"]
    name = _unlike("_".join(["step", *telling]), taken)
    taken.add(name)
    return name


def _unlike(stem: str, taken: Sequence[str] | set[str]) -> str:
    name, count = stem, 1
    while name in taken:
        count += 1
        name = f"{stem}_{count}"
    return name
