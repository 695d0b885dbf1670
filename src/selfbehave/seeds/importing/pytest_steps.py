"""Step functions of pytest-bdd, and the same ones as behave has them.

Only what means the same in both is translated: arguments of the pattern stay arguments, fixtures
are looked up on the context, and what a step hands on by `target_fixture` is kept there.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from keyword import iskeyword
from string import Formatter
from typing import TYPE_CHECKING

import regex
from behave.runner import Context

from ...bdd.patterns import BadPatternError, Budget, Matches, make_matcher
from ...bdd.steps import called_name, text_argument
from .gather import is_step_decorator
from .left_out import CannotImportError
from .modules import Function, Module, Unit, names_in
from .step_modules import KINDS

if TYPE_CHECKING:
    from .pytest_fixtures import Fixtures

__all__ = [
    "PytestStep",
    "body_lines",
    "is_plain",
    "parameters_of",
    "returned_to",
    "steps_of",
    "translated",
]

_PARSERS = {"parse": "parse", "cfparse": "cfparse", "re": "re", "string": "string"}
_GIVEN_BY_PYTEST_BDD = {
    "docstring": "str(context.text)",
    "datatable": "[list(context.table.headings), *(list(row.cells) for row in context.table)]",
}
# What behave itself keeps on the context.
_OF_BEHAVE = frozenset(
    "aborted active_outline captured config embeddings failed feature fail_on_cleanup_errors "
    "log_capture rule scenario stderr_capture stdout_capture table tags text use_with_user_mode "
    "user_mode".split()
)


@dataclass(frozen=True, eq=False)
class PytestStep:
    """One decorator of one step function.

    Attributes:
        pattern, matcher: as behave has them.
        arguments: names that the pattern gives values.
        target: fixture that what it returns becomes; None where it is dropped.
        converters: the source of what an argument is passed through, by the argument.
        fault: why it cannot be translated, None if nothing is known to keep it from that.
    """

    module: Module
    unit: Unit
    kind: str
    pattern: str
    matcher: str
    arguments: tuple[str, ...]
    target: str | None
    converters: tuple[tuple[str, str], ...]
    matches: Matches
    fault: str | None

    @property
    def function(self) -> ast.FunctionDef:
        assert isinstance(self.unit.node, ast.FunctionDef)
        return self.unit.node


def steps_of(module: Module, budget: Budget) -> Iterator[PytestStep]:
    """The step functions at the top level of a module whose patterns can be read."""
    for unit in module.units:
        if isinstance(unit.node, ast.FunctionDef):
            has_others = not all(map(is_step_decorator, unit.node.decorator_list))
            for decorator in unit.node.decorator_list:
                if isinstance(decorator, ast.Call) and called_name(decorator) in KINDS:
                    step = _step(module, unit, decorator, has_others, budget)
                    if step is not None:
                        yield step


def translated(step: PytestStep, fixtures: Fixtures) -> str:
    """The text of a step function for behave.

    Raises:
        CannotImportError: it has no safe counterpart there.
    """
    function = step.function
    if step.fault is not None:
        raise CannotImportError("not_translated", f"{function.name}: {step.fault}")
    wanted = parameters_of(function)
    if missing := [name for name in step.arguments if name not in wanted]:
        # Behave hands every argument over, pytest-bdd those that are asked for.
        wanted = [*wanted, *missing]
        if shadowed := names_in(step.unit.text).uses & {*missing}:
            raise CannotImportError(
                "not_translated", f"{function.name}: {min(shadowed)} would be another's value"
            )
    if step.target in step.arguments:
        raise CannotImportError("not_translated", f"{function.name}: its target is an argument")
    converters = dict(step.converters)
    before = [
        f"{name} = {converters[name]}({name})" for name in step.arguments if name in converters
    ]
    for name in parameters_of(function):
        if name not in step.arguments:
            source = _GIVEN_BY_PYTEST_BDD.get(name) or fixtures.source_of(name, step)
            before.append(f"{name} = {source}")
    returned = returned_to(function, step.target)
    if step.target and returned is None:
        before.append(f"context.{step.target} = None")
    arguments = [name for name in wanted if name in step.arguments]
    decorator = f"@{step.kind}({_literal(step.pattern, is_raw=step.matcher == 're')})"
    head = f"def {function.name}({', '.join(['context', *arguments])}):"
    return "\n".join([decorator, head, *body_lines(step.unit, before, returned, step.target)])


def is_plain(name: str) -> bool:
    """Whether a name can be an attribute of the context that is the scenario's alone."""
    is_own = name not in _OF_BEHAVE and not name.startswith("_")
    return is_own and name.isidentifier() and not iskeyword(name) and not hasattr(Context, name)


def parameters_of(function: ast.FunctionDef) -> list[str]:
    """The names of a function's parameters.

    Raises:
        CannotImportError: they are not all plain, or something in it is called `context`.
    """
    spec = function.args
    if spec.vararg or spec.kwarg or spec.kwonlyargs or spec.posonlyargs or spec.defaults:
        raise CannotImportError(
            "not_translated", f"{function.name} has parameters that are not plain"
        )
    names = [one.arg for one in spec.args]
    if "context" in names or "context" in names_in(ast.unparse(function)).uses:
        raise CannotImportError(
            "not_translated", f"{function.name} has another thing named context"
        )
    return names


def returned_to(function: ast.FunctionDef, target: str | None) -> ast.Return | None:
    """The statement whose value becomes a target; None where nothing is handed on.

    Raises:
        CannotImportError: it is not one statement at the function's end.
    """
    if any(isinstance(one, ast.Yield | ast.YieldFrom | ast.Await) for one in ast.walk(function)):
        raise CannotImportError("not_translated", f"{function.name} yields")
    returns = _returns(function)
    if target is None or not returns:
        return None
    if len(returns) > 1 or returns[0] is not function.body[-1] or returns[0].value is None:
        raise CannotImportError("not_translated", f"{function.name} returns before its end")
    return returns[0]


def body_lines(
    unit: Unit,
    before: Sequence[str] = (),
    returned: ast.Return | None = None,
    target: str | None = None,
) -> list[str]:
    """A function's body as written, with lines of its own before what it does.

    Args:
        returned: a last `return` that becomes an assignment to `target` on the context.

    Raises:
        CannotImportError: it stands on the line of its `def`.
    """
    function = unit.node
    assert isinstance(function, ast.FunctionDef)
    first = min([function.lineno, *(one.lineno for one in function.decorator_list)])
    lines = unit.text.split("\n")
    if returned is not None:
        line = lines[returned.lineno - first].encode()
        start = returned.col_offset
        kept = line[start:].removeprefix(b"return").lstrip()
        line = line[:start] + f"context.{target} = ".encode() + kept
        lines[returned.lineno - first] = line.decode()
    top, *others = function.body
    start = top.lineno - first
    indent = lines[start][: len(lines[start]) - len(lines[start].lstrip())]
    if not indent or len(indent.encode()) != top.col_offset:
        raise CannotImportError("not_translated", f"{function.name} stands on one line")
    has_text = isinstance(top, ast.Expr) and isinstance(top.value, ast.Constant) and others
    split = others[0].lineno - first if has_text else start
    return [*lines[start:split], *(f"{indent}{line}" for line in before), *lines[split:]]


def _returns(function: ast.FunctionDef) -> list[ast.Return]:
    """A function's own return statements, those of functions in it left out."""
    found: list[ast.Return] = []
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Return):
            found.append(node)
        elif not isinstance(node, Function | ast.Lambda | ast.ClassDef):
            waiting += ast.iter_child_nodes(node)
    return found


def _step(
    module: Module, unit: Unit, decorator: ast.Call, has_others: bool, budget: Budget
) -> PytestStep | None:
    """A step function as one of its decorators has it; None where its pattern cannot be read.

    Args:
        has_others: whether the function has decorators that register no step.
    """
    read = _pattern(decorator)
    if read is None:
        return None
    matcher, written = read
    pattern, matcher = _as_in_behave(matcher, written)
    try:
        matches = make_matcher(matcher, pattern, {}, budget)
        arguments, fault = _arguments(matcher, pattern)
    except (BadPatternError, ValueError, regex.error, RecursionError):
        return None
    options = {one.arg: one.value for one in decorator.keywords}
    target = options.get("target_fixture")
    target_name = target.value if isinstance(target, ast.Constant) else None
    if target is not None and not (isinstance(target_name, str) and is_plain(target_name)):
        fault = "its target cannot be an attribute of the context"
        target_name = None
    converters = _converters(options.get("converters"))
    if converters is None:
        fault = "its converters are not plain names"
    if isinstance(decorator.args[0], ast.Call) and decorator.args[0].keywords:
        fault = "its parser has types of its own"
    if has_others:
        fault = "it has other decorators"
    return PytestStep(
        module, unit, called_name(decorator), pattern, matcher, arguments,
        str(target_name) if target_name is not None else None,
        tuple((converters or {}).items()), matches, fault,
    )  # fmt: skip


def _pattern(decorator: ast.Call) -> tuple[str, str] | None:
    """The parser and the text of a decorator's pattern."""
    text = text_argument(decorator)
    if text is not None:
        return "string", text
    if decorator.args and isinstance(decorator.args[0], ast.Call):
        parser = _PARSERS.get(called_name(decorator.args[0]))
        text = text_argument(decorator.args[0])
        if parser is not None and text is not None:
            return parser, text
    return None


def _as_in_behave(parser: str, pattern: str) -> tuple[str, str]:
    """A pattern and the matcher by which behave matches the same steps."""
    if parser == "string":
        return pattern.replace("{", "{{").replace("}", "}}"), "parse"
    if parser != "re":
        return pattern, parser
    # Both match the whole step; behave adds ^ and $ by itself, and takes none.
    pattern = pattern.removeprefix("^")
    if pattern.endswith("$") and not pattern.endswith("\\$"):
        pattern = pattern[:-1]
    return (f"(?:{pattern})" if "|" in pattern else pattern), "re"


def _arguments(matcher: str, pattern: str) -> tuple[tuple[str, ...], str | None]:
    """The names that a pattern gives values, and why behave would give others."""
    if matcher == "re":
        compiled = regex.compile(pattern)
        names = tuple(compiled.groupindex)
        # Behave hands groups without a name over as well, pytest-bdd does not.
        return names, None if compiled.groups == len(names) else "a group of its has no name"
    fields = [field for _, field, _, _ in Formatter().parse(pattern) if field is not None]
    if all(field.isidentifier() for field in fields):
        return tuple(dict.fromkeys(fields)), None
    return (), "a field of its has no name"


def _converters(node: ast.expr | None) -> dict[str, str] | None:
    """The source of each converter by the argument's name; None where it is no plain name."""
    if node is None:
        return {}
    if not isinstance(node, ast.Dict):
        return None
    found: dict[str, str] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        if not (isinstance(key, ast.Constant) and isinstance(key.value, str)):
            return None
        if not isinstance(value, ast.Name | ast.Attribute):
            return None
        found[key.value] = ast.unparse(value)
    return found


def _literal(pattern: str, *, is_raw: bool) -> str:
    """A pattern as Python source, by preference in double quotes."""
    if is_raw and '"' not in pattern and not pattern.endswith("\\") and "\n" not in pattern:
        return f'r"{pattern}"'
    quoted = json.dumps(pattern, ensure_ascii=False)
    return repr(pattern) if "\\" in quoted else quoted
