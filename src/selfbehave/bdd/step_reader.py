"""Step functions read from Python source without running it.

The rules are those of behave 1.3: each decorator adds its pattern to the registry of its kind in
source order, and a pattern that an earlier one of the same registry already matches is ambiguous.

What the rest of the module does when it is imported is not looked into: that it raises nothing is
seen by running it, at the rung `passing`.
"""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass, field

import behave

from .bounded_regex import Budget, TookTooLongError
from .converters import OpenTypes, StandIn, UnknownConverterError, converter_of
from .faults import Detail, Fault, FaultCode, FunctionFacts
from .module_names import KINDS, Names, NotConstantError, Statement, dict_items, statements_run
from .patterns import CUCUMBER, MATCHERS, BadPatternError, StepPattern, make_matcher
from .quiet import without_warnings

__all__ = ["StepFunction", "StepFunctions", "parse_python", "read_step_functions"]

MAX_CODE_CHARACTERS = 100_000
MAX_STEP_FUNCTIONS = 300  # of a module: each is compared with all before it


@dataclass(frozen=True)
class StepFunction:
    """One decorator of one step function: the steps it binds.

    Attributes:
        name: of the function.
        line: of the function's `def`, from 1.
        kind: "given", "when", "then" or "step".
        pattern: that the decorator is given.
        is_known: whether what it matches is known; `matches` then takes more rather than less.
    """

    name: str
    line: int
    kind: str
    pattern: str
    matches: StepPattern = field(repr=False, compare=False)
    is_known: bool = True

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


def read_step_functions(code: str) -> StepFunctions:
    """Read the step functions of a Python module from its syntax tree.

    Raises:
        SyntaxError: the code does not compile. It is compiled, never executed.
    """
    return _Reader(parse_python(code)).read()


def parse_python(code: str) -> ast.Module:
    """The syntax tree of a module that compiles. It is never executed.

    Raises:
        SyntaxError: it does not, or is longer than MAX_CODE_CHARACTERS.
    """
    if len(code) > MAX_CODE_CHARACTERS:
        raise SyntaxError(f"longer than {MAX_CODE_CHARACTERS} characters")
    try:
        with without_warnings():
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
        self._names = Names()
        self._budget = Budget()
        self._matcher = self._default_matcher = "parse"
        self._types = OpenTypes()
        self._bound_somewhere: set[str] | None = None

    def read(self) -> StepFunctions:
        for statement in statements_run(self._module.body):
            node = statement.node
            match node:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    # Decorators apply from the bottom up, and so register.
                    for decorator in reversed(node.decorator_list):
                        self._check_names(decorator, statement)
                        if isinstance(decorator, ast.Call):
                            self._register(decorator, node.name, node.lineno)
                case ast.Expr(value=ast.Call() as call):
                    self._check_names(call.func, statement)
                    self._call(call)
                case ast.ImportFrom(module="behave", level=0):
                    self._check_import(node, statement)
            if not statement.is_in_class:
                self._names.note(node)
        return StepFunctions(tuple(self._functions), tuple(self._faults), self._module)

    def _fault(self, code: FaultCode, line: int | None, detail: Detail) -> None:
        self._faults.append(Fault(code, line, detail))

    def _register(self, decorator: ast.Call, name: str, line: int) -> None:
        kind = (self._names.of_behave(decorator.func) or "").lower()
        if kind not in KINDS or len(self._functions) > MAX_STEP_FUNCTIONS:
            return
        pattern = self._pattern(decorator)
        if pattern is None:
            self._fault(FaultCode.PATTERN_NOT_TEXT, decorator.lineno, Detail(name=name))
            return
        matches, is_known = self._matches(pattern, decorator.lineno)
        if matches is None:
            return
        if any(
            (one.kind, one.line, one.matches.text) == (kind, line, matches.text)
            for one in self._functions
        ):
            return  # the very same step, as in a loop: behave passes over it
        new = StepFunction(name, line, kind, pattern, matches, is_known)
        if is_known and self._is_ambiguous(new, decorator.lineno):
            return
        self._functions.append(new)
        if len(self._functions) > MAX_STEP_FUNCTIONS:
            self._fault(FaultCode.TOO_MANY_FUNCTIONS, None, Detail(count=MAX_STEP_FUNCTIONS))

    def _pattern(self, decorator: ast.Call) -> str | None:
        """The text that a decorator is given; None where it is none, or not known."""
        named = [one.value for one in decorator.keywords if one.arg == "step_text"]
        if len(decorator.args) + len(named) != 1:
            return None
        try:
            value = self._names.constant([*decorator.args, *named][0])
        except NotConstantError:
            return None
        return value if isinstance(value, str) else None

    def _matches(self, pattern: str, line: int) -> tuple[StepPattern | None, bool]:
        """What a pattern matches, and whether that is known; None where behave refuses it."""
        try:
            return make_matcher(self._matcher, pattern, self._types, self._budget), True
        except (BadPatternError, TookTooLongError) as error:
            words = str(error) or "it takes too long"
            self._fault(FaultCode.BAD_PATTERN, line, Detail(pattern=pattern, words=words))
            return None, True
        except UnknownConverterError as error:
            self._fault(
                FaultCode.UNKNOWN_CONVERTER, line, Detail(pattern=pattern, words=str(error))
            )
        # A step that it may match is not to be called undefined.
        try:
            return make_matcher(self._matcher, pattern, _AnyTypes(), self._budget), False
        except (BadPatternError, TookTooLongError, UnknownConverterError):
            return None, False

    def _is_ambiguous(self, new: StepFunction, line: int) -> bool:
        """Whether behave refuses a function because an earlier one takes its pattern too."""
        for existing in self._functions:
            if existing.kind != new.kind or not existing.is_known:
                continue
            try:
                takes = existing.matches.takes(new.pattern)
            except TookTooLongError:
                detail = Detail(pattern=existing.pattern, text=new.pattern)
                self._fault(FaultCode.PATTERN_TOO_SLOW, line, detail)
                return True
            if takes:
                detail = Detail(functions=(existing.facts, new.facts))
                self._fault(FaultCode.AMBIGUOUS_STEP, None, detail)
                return True
            if takes is None:
                words = f"whether a converter takes the pattern {new.pattern!r}"
                detail = Detail(pattern=existing.pattern, words=words)
                self._fault(FaultCode.UNKNOWN_CONVERTER, line, detail)
        return False

    def _call(self, call: ast.Call) -> None:
        """Note what a call does that stands alone."""
        if isinstance(call.func, ast.Call) and len(call.args) == 1:
            # given("…")(function)
            function = self._names.defined(call.args[0])
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                self._register(call.func, function.name, function.lineno)
            return
        if self._names.external(call.func) == _USE_CUCUMBER:
            self._matcher = CUCUMBER
            return
        match self._names.of_behave(call.func):
            case "use_step_matcher" | "step_matcher":
                self._use_matcher(call, is_default=False)
            case "use_default_step_matcher":
                self._use_matcher(call, is_default=True)
            case "register_type":
                self._register_types(call)

    def _use_matcher(self, call: ast.Call, *, is_default: bool) -> None:
        arguments = [*call.args, *(one.value for one in call.keywords)]
        if is_default and not arguments:
            self._matcher = self._default_matcher
            return
        try:
            name = str(self._names.constant(arguments[0])) if len(arguments) == 1 else ""
        except NotConstantError:
            name = ast.unparse(arguments[0])
        if name not in MATCHERS and not (name == CUCUMBER == self._matcher):
            self._fault(FaultCode.UNKNOWN_MATCHER, call.lineno, Detail(name=name))
            return
        self._matcher = name
        if is_default:
            self._default_matcher = name

    def _register_types(self, call: ast.Call) -> None:
        if self._matcher not in ("parse", "cfparse"):
            self._fault(FaultCode.NO_CONVERTERS, call.lineno, Detail(name=self._matcher))
            return
        for keyword in call.keywords:
            items = (
                {keyword.arg: keyword.value}
                if keyword.arg
                else dict_items(self._names.defined(keyword.value), self._names)
            )
            if items is None:
                self._types.has_unknown = True
                continue
            for name, value in items.items():
                self._types[name] = converter_of(value, self._names)

    def _check_import(self, node: ast.ImportFrom, statement: Statement) -> None:
        """Note what is imported of behave and is not there."""
        for alias in node.names:
            is_there = alias.name == "*" or hasattr(behave, alias.name)
            if not is_there and not statement.is_guarded and not _is_module_of_behave(alias.name):
                self._fault(FaultCode.NOT_IN_BEHAVE, node.lineno, Detail(name=alias.name))

    def _check_names(self, node: ast.expr, statement: Statement) -> None:
        """Note the names in what is called at the top level that nothing in the module binds."""
        if statement.is_guarded or self._names.has_unknown:
            return
        for one in _names_in(node):
            if not self._names.is_defined(one.id) and one.id not in self._bound_names():
                self._fault(FaultCode.UNDEFINED_NAME, one.lineno, Detail(name=one.id))

    def _bound_names(self) -> set[str]:
        """Every name that is bound somewhere in the module, in whatever scope."""
        if self._bound_somewhere is None:
            self._bound_somewhere = {
                one.id
                for one in ast.walk(self._module)
                if isinstance(one, ast.Name) and not isinstance(one.ctx, ast.Load)
            }
        return self._bound_somewhere


_USE_CUCUMBER = "behave.cucumber_expression.use_step_matcher_for_cucumber_expressions"


class _AnyTypes(OpenTypes):
    """Types of which each name is known and matches anything."""

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name[:1].isalpha() and len(name) > 1

    def __getitem__(self, name: str) -> StandIn:
        return StandIn(".*")

    def get(self, name: str, default: object = None) -> StandIn:
        return StandIn(".*")


def _is_module_of_behave(name: str) -> bool:
    return importlib.util.find_spec(f"behave.{name}") is not None


def _names_in(node: ast.expr) -> Iterator[ast.Name]:
    """The names that an expression reads when it is evaluated, but for those of its own."""
    waiting: list[ast.AST] = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, ast.Name):
            yield one
        elif not isinstance(one, _WITH_NAMES_OF_THEIR_OWN):
            waiting += ast.iter_child_nodes(one)


_WITH_NAMES_OF_THEIR_OWN = ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
