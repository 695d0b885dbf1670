"""Step functions read from Python source without running it, and matched as `behave` matches.

The rules are those of behave 1.3: each decorator adds its pattern to the registry of its kind in
source order; a pattern that an earlier one of the same registry already matches is ambiguous; a
step is looked up in its kind's registry and then in that of `@step`, and the first match wins.
"""

from __future__ import annotations

import ast
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from .faults import Detail, Fault, FaultCode, FunctionFacts
from .patterns import MATCHERS, BadPatternError, Budget, Matches, make_matcher
from .scenario import Scenario, Step

__all__ = [
    "Binding",
    "StepFunction",
    "StepFunctions",
    "bind",
    "called_name",
    "note_converter",
    "parse_python",
    "read_step_functions",
    "stand_in_converter",
    "text_argument",
    "top_level_statements",
]

MAX_CODE_CHARACTERS = 100_000
MAX_STEP_FUNCTIONS = 300  # of a module: each is compared with all before it

_KINDS = ("given", "when", "then", "step")


@dataclass(frozen=True)
class StepFunction:
    """One decorator of one step function: the steps it binds.

    Attributes:
        name: of the function.
        line: of the function's `def`, from 1.
        kind: "given", "when", "then" or "step".
        pattern: as written in the decorator.
    """

    name: str
    line: int
    kind: str
    pattern: str
    matches: Matches = field(repr=False, compare=False)

    @property
    def facts(self) -> FunctionFacts:
        """What a fault says of it."""
        return FunctionFacts(self.kind, self.pattern, self.name, self.line)


@dataclass(frozen=True)
class StepFunctions:
    """What a module of step functions registers.

    Attributes:
        functions: what behave would register, in source order.
        faults: why behave would refuse part of it.
        module: its syntax tree.
    """

    functions: tuple[StepFunction, ...]
    faults: tuple[Fault, ...]
    module: ast.Module = field(repr=False, compare=False)


@dataclass(frozen=True)
class Binding:
    """Which step function each step of a scenario is bound to.

    Attributes:
        bound: each step with its function, or None where the step is undefined.
        unused: step functions that bind no step.
        faults: everything that keeps the scenario from being bound.
    """

    bound: tuple[tuple[Step, StepFunction | None], ...]
    unused: tuple[StepFunction, ...]
    faults: tuple[Fault, ...]

    @property
    def is_bound(self) -> bool:
        return not self.faults


@lru_cache(maxsize=8)  # the ladder asks for the same few modules at each rung
def read_step_functions(code: str) -> StepFunctions:
    """Read the step functions of a Python module from its syntax tree.

    Raises:
        SyntaxError: the code does not compile. It is compiled, never executed.
    """
    return _Reader(parse_python(code)).read()


def bind(scenario: Scenario, step_functions: StepFunctions) -> Binding:
    """Match every step of a scenario with the step functions of a module."""
    faults = list(step_functions.faults)
    bound: list[tuple[Step, StepFunction | None]] = []
    used: set[tuple[str, int]] = set()
    for step in scenario.steps:
        function = _find(step, step_functions)
        if step.kind is None:
            faults.append(Fault(FaultCode.NO_KEYWORD, step.line, Detail(text=step.text)))
        elif function is None:
            detail = Detail(kind=step.kind, text=step.text)
            faults.append(Fault(FaultCode.UNDEFINED_STEP, step.line, detail))
        else:
            used.add((function.name, function.line))
        bound.append((step, function))
    unused = tuple(
        function
        for function in step_functions.functions
        if (function.name, function.line) not in used
    )
    faults += [
        Fault(FaultCode.UNUSED_STEP_FUNCTION, detail=Detail(functions=(function.facts,)))
        for function in unused
    ]
    return Binding(tuple(bound), unused, tuple(faults))


def top_level_statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that importing a module runs, those under `if` and `try` included."""
    # Not by recursion: each `elif` stands in the `else` of the one before.
    waiting = body[::-1]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If):
            waiting += [*node.body, *node.orelse][::-1]
        elif isinstance(node, ast.Try):
            waiting += node.body[::-1]
        else:
            yield node


def called_name(call: ast.Call) -> str:
    """The last part of the name that is called: `given` of `behave.given(…)`; "" if it has none."""
    function = call.func
    if isinstance(function, ast.Name):
        return function.id
    return function.attr if isinstance(function, ast.Attribute) else ""


def text_argument(call: ast.Call) -> str | None:
    """The first argument of a call where it is a plain text."""
    arguments = call.args or [keyword.value for keyword in call.keywords[:1]]
    if arguments and isinstance(arguments[0], ast.Constant):
        value = arguments[0].value
        return value if isinstance(value, str) else None
    return None


def note_converter(
    function: ast.FunctionDef | ast.AsyncFunctionDef, patterns: dict[str, str]
) -> None:
    """Note the pattern that a function is given by `with_pattern`, if it is, under its name."""
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and called_name(decorator) == "with_pattern":
            pattern = text_argument(decorator)
            if pattern is not None:
                patterns[function.name] = pattern


def stand_in_converter(value: ast.expr, patterns: Mapping[str, str]) -> Callable[[str], str]:
    """A stand-in for a type converter: the real one's pattern, and no conversion.

    Args:
        value: what a type is registered with.
        patterns: from `note_converter`.
    """

    def stand_in(text: str) -> str:
        return text

    pattern = patterns.get(value.id) if isinstance(value, ast.Name) else None
    if pattern is not None:
        stand_in.pattern = pattern  # type: ignore[attr-defined]
    return stand_in


def _find(step: Step, step_functions: StepFunctions) -> StepFunction | None:
    for kind in (step.kind, "step"):
        for function in step_functions.functions:
            if function.kind == kind and function.matches(step.text):
                return function
    return None


_WARNINGS = threading.Lock()  # their filters are the whole process's, and the ladder has threads


def parse_python(code: str) -> ast.Module:
    """The syntax tree of a module that compiles. It is never executed.

    Raises:
        SyntaxError: it does not, or is longer than MAX_CODE_CHARACTERS.
    """
    if len(code) > MAX_CODE_CHARACTERS:
        raise SyntaxError(f"longer than {MAX_CODE_CHARACTERS} characters")
    try:
        with _WARNINGS, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as '\d' in a plain string: not ours to report
            module = ast.parse(code, "steps.py")
            compile(module, "steps.py", "exec")  # finds what no tree shows: a return out of place
            return module
    except (ValueError, RecursionError, MemoryError) as error:
        raise SyntaxError(str(error) or type(error).__name__) from error


class _Reader:
    """Walks a module's top level in order, as importing it would register steps."""

    def __init__(self, module: ast.Module) -> None:
        self._module = module
        self._functions: list[StepFunction] = []
        self._faults: list[Fault] = []
        self._matcher = "parse"
        self._budget = Budget()
        self._types: dict[str, Any] = {}
        self._kind_of = {name: kind for kind in _KINDS for name in (kind, kind.title())}
        self._patterns_of_converters: dict[str, str] = {}

    def read(self) -> StepFunctions:
        for node in top_level_statements(self._module.body):
            if isinstance(node, ast.ImportFrom) and node.module == "behave":
                for alias in node.names:
                    if alias.asname and alias.name.lower() in _KINDS:
                        self._kind_of[alias.asname] = alias.name.lower()
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                note_converter(node, self._patterns_of_converters)
                # Decorators apply from the bottom up, and so register.
                for decorator in reversed(node.decorator_list):
                    self._register(decorator, node)
            elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                self._note_call(node.value)
        return StepFunctions(tuple(self._functions), tuple(self._faults), self._module)

    def _register(
        self, decorator: ast.expr, function: ast.FunctionDef | ast.AsyncFunctionDef
    ) -> None:
        if not isinstance(decorator, ast.Call):
            return
        kind = self._kind_of.get(called_name(decorator))
        if kind is None or len(self._functions) > MAX_STEP_FUNCTIONS:
            return
        pattern = text_argument(decorator)
        if pattern is None:
            detail = Detail(name=function.name)
            self._faults.append(Fault(FaultCode.PATTERN_NOT_TEXT, decorator.lineno, detail))
            return
        try:
            matches = make_matcher(self._matcher, pattern, self._types, self._budget)
        except BadPatternError as error:
            detail = Detail(pattern=pattern, words=str(error))
            self._faults.append(Fault(FaultCode.BAD_PATTERN, decorator.lineno, detail))
            return
        new = StepFunction(function.name, function.lineno, kind, pattern, matches)
        for existing in self._functions:
            if existing.kind == kind and (existing.pattern == pattern or existing.matches(pattern)):
                detail = Detail(functions=(existing.facts, new.facts))
                self._faults.append(Fault(FaultCode.AMBIGUOUS_STEP, detail=detail))
                return
        self._functions.append(new)
        if len(self._functions) > MAX_STEP_FUNCTIONS:
            detail = Detail(count=MAX_STEP_FUNCTIONS)
            self._faults.append(Fault(FaultCode.TOO_MANY_FUNCTIONS, detail=detail))

    def _note_call(self, call: ast.Call) -> None:
        name = called_name(call)
        if name in ("use_step_matcher", "step_matcher"):
            matcher = text_argument(call)
            if matcher in MATCHERS:
                self._matcher = matcher
            else:
                detail = Detail(name=str(matcher))
                self._faults.append(Fault(FaultCode.UNKNOWN_MATCHER, call.lineno, detail))
        elif name == "register_type":
            for keyword in call.keywords:
                if keyword.arg is not None:
                    self._types[keyword.arg] = stand_in_converter(
                        keyword.value, self._patterns_of_converters
                    )
