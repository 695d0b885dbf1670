"""The reference of Python modules, read from source and docstrings without importing them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import griffe

from .markdown import code, escaped, fenced

__all__ = ["markdown"]

_SOURCE = Path(__file__).parent.parent / "src"
_WIDTH = 88  # of a line of a signature
_Object = Any  # an object of griffe: its attributes depend on its kind


def markdown(modules: Sequence[str]) -> str:
    """The reference of modules and their public names, in the order of `__all__` if there is one.

    Args:
        modules: full names, such as "selfbehave.novelty.rule".

    Raises:
        KeyError: there is no such module.
    """
    return "\n\n".join(part for name in modules for part in _module(_found(name)))


@cache
def _package() -> griffe.Module:
    package = griffe.load("selfbehave", search_paths=[_SOURCE], docstring_parser="google")
    assert isinstance(package, griffe.Module)
    return package


def _found(name: str) -> _Object:
    inner = name.partition(".")[2]
    return _package()[inner] if inner else _package()


def _module(module: _Object) -> Iterator[str]:
    yield f"## {module.path}"
    yield from _docstring(module)
    for name in module.exports or _own(module):
        yield from _public(module[str(name)], module.path)


def _own(module: _Object) -> list[str]:
    """The public classes and functions of a module without `__all__`."""
    return [
        name
        for name, one in module.members.items()
        if not one.is_alias and not name.startswith("_") and (one.is_class or one.is_function)
    ]


def _public(one: _Object, module: str) -> Iterator[str]:
    if one.is_module:  # a module with the same name as the wanted object
        one = one[one.name]
    anchor = f"{module}.{one.name}"
    yield f"### {one.name} {{ #{anchor} }}"
    if one.is_class:
        yield from _class(one)
    elif one.is_function:
        yield fenced(_signature(one), "python")
        yield from _docstring(one)
    else:
        value = str(one.value)
        if len(value) <= _WIDTH:
            yield fenced(f"{one.name} = {value}", "python")
        yield from _docstring(one)


def _class(one: _Object) -> Iterator[str]:
    yield fenced(_header(one), "python")
    yield from _docstring(one)
    for name, member in one.members.items():
        if name.startswith("_") or not member.docstring:
            continue
        if member.is_function:
            yield f"#### {one.name}.{name}"
            yield fenced(_signature(member), "python")
            yield from _docstring(member)
        elif "property" in member.labels:
            text = " ".join(_text(member).split())
            yield f"{code(name)} : {code(str(member.annotation))}\n:   {text}"


def _header(one: _Object) -> str:
    """The first line of a class, with the fields of a record below it."""
    bases = f"({', '.join(map(str, one.bases))})" if one.bases else ""
    lines = ["@dataclass"] if "dataclass" in one.labels else []
    lines.append(f"class {one.name}{bases}")
    fields = [
        member
        for name, member in one.members.items()
        if not name.startswith("_")
        and member.is_attribute
        and "property" not in member.labels
        and (member.annotation or member.value)
    ]
    if fields:
        lines[-1] += ":"
    for field in fields:
        kind = f": {field.annotation}" if field.annotation else ""
        value = "" if field.value is None else f" = {field.value}"
        lines.append(f"    {field.name}{kind}{'' if len(value) > _WIDTH else value}")
    if not fields and "__init__" in one.members and "dataclass" not in one.labels:
        signature = _signature(one.members["__init__"]).partition(" -> ")[0]
        return signature.replace("__init__", f"class {one.name}", 1)
    return "\n".join(lines)


def _signature(function: _Object) -> str:
    """A function's name, parameters and result; one parameter per line if one line is too short."""
    parameters = []
    kinds = griffe.ParameterKind
    seen_star = False
    for parameter in function.parameters:
        if parameter.name in ("self", "cls"):
            continue
        if parameter.kind is kinds.keyword_only and not seen_star:
            parameters.append("*")
            seen_star = True
        star = {kinds.var_positional: "*", kinds.var_keyword: "**"}.get(parameter.kind, "")
        seen_star |= star == "*"
        kind = f": {parameter.annotation}" if parameter.annotation else ""
        equals = " = " if kind else "="
        value = "" if parameter.default is None or star else f"{equals}{parameter.default}"
        parameters.append(f"{star}{parameter.name}{kind}{value}")
    result = f" -> {function.returns}" if function.returns else ""
    line = f"{function.name}({', '.join(parameters)}){result}"
    if len(line) <= _WIDTH:
        return line
    inner = "".join(f"    {parameter},\n" for parameter in parameters)
    return f"{function.name}(\n{inner}){result}"


def _docstring(one: _Object) -> Iterator[str]:
    """A docstring's text, and its Args, Attributes, Yields and Raises as lists."""
    if one.docstring is None:
        return
    for section in one.docstring.parsed:
        kind = section.kind.value
        if kind == "text":
            yield _paragraphs(section.value)
        elif kind in ("parameters", "attributes"):
            yield "\n".join(
                f"- {code(item.name)}: {_line(item.description)}" for item in section.value
            )
        elif kind == "raises":
            yield "Raises:\n\n" + "\n".join(
                f"- {code(str(item.annotation))}: {_line(item.description)}"
                for item in section.value
            )
        else:
            yield "\n".join(_line(item.description) for item in section.value)


def _text(one: _Object) -> str:
    return _paragraphs(one.docstring.value) if one.docstring else ""


def _paragraphs(text: str) -> str:
    # A paragraph indented by four spaces is code, as always in Markdown.
    parts = re.split(r"\n{2,}", text)
    return "\n\n".join(part if part.startswith("    ") else escaped(part) for part in parts)


def _line(text: str) -> str:
    return escaped(" ".join(text.split()))
