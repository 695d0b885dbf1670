"""The beginning of the class that step functions need, as far as they settle it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from .syntax import tree_of

__all__ = ["class_openings"]


def class_openings(functions: str) -> list[str]:
    """The beginning of each class that the functions make an object of.

    The fields that they use stand in `__init__`; where they call one method, its head follows.

    Returns:
        `["class"]` where the functions are no Python, or make no object.
    """
    tree = tree_of(functions)
    if tree is None:
        return ["class"]
    openings = []
    seen: set[str] = set()
    for node in _in_order(tree):
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
            continue
        made, attribute = node.value, _attribute_of_context(node.targets[0])
        if not isinstance(made.func, ast.Name) or attribute is None or made.func.id in seen:
            continue
        if made.func.id[0].isupper():
            seen.add(made.func.id)
            takes_nothing = not made.args and not made.keywords
            openings.append(
                _opening(made.func.id, attribute, tree)
                if takes_nothing
                else f"class {made.func.id}:\n"
            )
    return openings or ["class"]


def _opening(name: str, attribute: str, tree: ast.Module) -> str:
    fields: dict[str, str] = {}
    methods: dict[str, tuple[str, ...]] = {}

    def field_of(node: ast.AST) -> str | None:
        if isinstance(node, ast.Attribute) and _attribute_of_context(node.value) == attribute:
            return node.attr
        return None

    for node in _in_order(tree):
        if isinstance(node, ast.Call):
            if (method := field_of(node.func)) is not None:
                methods.setdefault(method, tuple(map(_argument_name, node.args)))
            elif isinstance(node.func, ast.Attribute) and (found := field_of(node.func.value)):
                fields.setdefault(found, "[]" if node.func.attr == "append" else "{}")
        elif isinstance(node, ast.Subscript) and (found := field_of(node.value)):
            fields.setdefault(found, "{}")
        elif (found := field_of(node)) and found not in methods:
            fields.setdefault(found, "None")
    lines = [f"class {name}:", "    def __init__(self):"]
    lines += [f"        self.{one} = {value}" for one, value in fields.items()] or ["        pass"]
    text = "\n".join(lines) + "\n\n"
    return text + _method_opening(methods)


def _method_opening(methods: dict[str, tuple[str, ...]]) -> str:
    if len(methods) == 1:
        ((method, arguments),) = methods.items()
        if _can_be_parameters(arguments):
            return f"    def {method}({', '.join(['self', *arguments])}):\n"
    return "    def"


def _can_be_parameters(arguments: Sequence[str]) -> bool:
    return len({*arguments}) == len(arguments) and "" not in arguments


def _argument_name(node: ast.expr) -> str:
    """A name for the parameter that takes an argument, "" where the argument has none."""
    return node.id if isinstance(node, ast.Name) else ""


def _attribute_of_context(node: ast.AST) -> str | None:
    """`shop` of `context.shop`."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return node.attr if node.value.id == "context" else None
    return None


def _in_order(tree: ast.AST) -> Iterator[ast.AST]:
    waiting = [tree]  # no recursion: an expression may be nested as deep as its writer likes
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed([*ast.iter_child_nodes(node)]))
