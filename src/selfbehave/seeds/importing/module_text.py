"""Write a module of step functions: imports, then helpers, then the step functions."""

from __future__ import annotations

import io
import json
import re
import sys
import tokenize
from collections.abc import Collection, Iterable, Sequence

from ...bdd.patterns import CUCUMBER
from .modules import Import
from .references import KINDS

__all__ = ["BEHAVE_NAMES", "literal", "name_of_pattern", "written"]

# In the order in which they are imported from behave.
BEHAVE_NAMES = (
    *KINDS,
    *(kind.title() for kind in KINDS),
    "register_type",
    "use_default_step_matcher",
    "use_fixture",
    "use_step_matcher",
)
_WIDEST = 88
_LONGEST_NAME = 50
# Fields, groups and escapes of a pattern.
_NO_WORDS = re.compile(r"\{[^{}]*\}|\(\?P<[^()]*\)|\\.")
_TO_LINTER = re.compile(r"#\s*(?:noqa|type:|pylint:|pyright:|mypy:|fmt:|ruff:|pragma:|nosec)", re.I)
_OPENING = ("def ", "class ", "@", "async ")


def name_of_pattern(pattern: str) -> str:
    """Make a step function's name that describes what its pattern matches."""
    made = "step"
    for word in re.findall(r"[A-Za-z]+", _NO_WORDS.sub(" ", pattern)):
        if len(made) + len(word) >= _LONGEST_NAME:
            break
        made += f"_{word.lower()}"
    return made


def literal(text: str, *, is_raw: bool) -> str:
    """A text as Python source, in double quotes if possible."""
    if is_raw and '"' not in text and not text.endswith("\\") and "\n" not in text:
        return f'r"{text}"'
    quoted = json.dumps(text, ensure_ascii=False)
    return repr(text) if "\\" in quoted else quoted


def written(
    imports: Collection[Import],
    behave_names: set[str],
    helpers: Sequence[str],
    functions: Sequence[tuple[str, str]],
    has_future: bool,
) -> str:
    """Write the source of a module.

    Args:
        imports: the imports of other packages.
        behave_names: names to import from behave.
        helpers: statements in order.
        functions: the matcher and the text of each step function, in order.
        has_future: whether annotations must not be evaluated.
    """
    behave_names = set(behave_names)
    matchers = {matcher for matcher, _ in functions}
    if matchers - {"parse"} - {CUCUMBER}:
        behave_names.add("use_step_matcher")
    blocks = [*helpers]
    current = "parse"
    for matcher, text in functions:
        if matcher != current:
            if matcher == CUCUMBER:
                blocks.append("use_step_matcher_for_cucumber_expressions()")
            else:
                blocks.append(f'use_step_matcher("{matcher}")')
            current = matcher
        blocks.append(text)
    if CUCUMBER in matchers:
        name = "use_step_matcher_for_cucumber_expressions"
        imports = [*imports, Import(name, "behave.cucumber_expression", name, 0)]
    imports = {one for one in imports if not one.is_for_types} | _of_types(imports)
    for_types = [one for one in imports if one.is_for_types]
    if for_types:
        imports.add(Import("TYPE_CHECKING", "typing", "TYPE_CHECKING", 0))
    head = ["from __future__ import annotations"] if has_future else []
    head += _import_lines((one for one in imports if not one.is_for_types), behave_names)
    if for_types:
        lines = "\n".join(_import_lines(for_types, set())).split("\n")
        head.append("\n".join(["if TYPE_CHECKING:", *(f"    {line}" for line in lines)]))
    return _without_linter_comments(_spaced(head, blocks))


def _of_types(imports: Collection[Import]) -> set[Import]:
    """The imports that only type checkers use."""
    run = {one.text for one in imports if not one.is_for_types}
    return {one for one in imports if one.is_for_types and one.text not in run}


def _import_lines(imports: Iterable[Import], behave_names: set[str]) -> list[str]:
    """Import lines: the standard library first, then the others, separated by a blank line."""
    plain: set[str] = set()
    taken: dict[str, set[tuple[str, str]]] = {}
    for one in imports:
        if one.attribute is None:
            plain.add(one.text)
        else:
            taken.setdefault(one.module, set()).add((one.attribute, one.name))
    named = {
        module: [
            attribute if attribute == name else f"{attribute} as {name}"
            for attribute, name in sorted(names)
        ]
        for module, names in taken.items()
    }
    ordered = [name for name in BEHAVE_NAMES if name in behave_names]
    if ordered:
        named["behave"] = [*ordered, *named.get("behave", [])]
    lines = [(line.split()[1].partition(".")[0], line) for line in sorted(plain)]
    lines += [(name.partition(".")[0], _from(name, named[name])) for name in sorted(named)]
    standard = [line for package, line in lines if package in sys.stdlib_module_names]
    others = [line for package, line in lines if package not in sys.stdlib_module_names]
    return ["\n".join(group) for group in (standard, others) if group]


def _from(module: str, names: Sequence[str]) -> str:
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= _WIDEST:
        return line
    return f"from {module} import (\n" + "".join(f"    {name},\n" for name in names) + ")"


def _without_linter_comments(code: str) -> str:
    """Remove linter comments from code, since the project's linter settings do not apply here."""
    lines: list[str | None] = [*code.split("\n")]
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.COMMENT and _TO_LINTER.match(token.string):
            row, column = token.start
            lines[row - 1] = token.line[:column].rstrip() or None
    return "\n".join(line for line in lines if line is not None)


def _spaced(head: Sequence[str], blocks: Sequence[str]) -> str:
    """Join blocks with PEP 8 spacing: two blank lines around functions and classes."""
    text = "\n\n".join(head)
    previous_opens = False
    for place, block in enumerate(blocks):
        opens = block.startswith(_OPENING)
        gap = "\n\n\n" if opens or previous_opens else "\n" if place else "\n\n"
        text += (gap if text else "") + block
        previous_opens = opens
    return text
