"""Read step functions from Python source without running it.

The rules are those of behave 1.3. Each decorator adds its pattern to the registry of its kind, in
source order. A pattern that an earlier one in the same registry already matches is ambiguous.

The rest of the module is not checked here. The rung `passing` runs the module and detects errors
during its import.
"""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import behave

from .bounded_regex import Budget, TookTooLongError
from .converters import OpenTypes, StandIn, UnknownConverterError, converter_of
from .faults import Detail, Fault, FaultCode, FunctionFacts
from .module_names import KINDS, Names, NotConstantError, Statement, dict_items, statements_run
from .patterns import CUCUMBER, MATCHERS, BadPatternError, StepPattern, make_matcher
from .quiet import without_warnings

__all__ = ["StepFunction", "StepFunctions", "parse_python", "read_step_functions"]

MAX_CODE_CHARACTERS = 100_000
MAX_STEP_FUNCTIONS = 300  # in a module: each is compared with all previous ones


@dataclass(frozen=True)
class StepFunction:
    """One decorator of one step function, and the steps it binds.

    Attributes:
        name: the name of the function.
        line: the line of the function's `def`, from 1.
        kind: "given", "when", "then" or "step".
        pattern: the argument of the decorator.
        is_known: whether it is known what the pattern matches; if not, `matches` accepts more.
    """

    name: str
    line: int
    kind: str
    pattern: str
    matches: StepPattern = field(repr=False, compare=False)
    is_known: bool = True

    @property
    def facts(self) -> FunctionFacts:
        """The facts that a fault reports about it."""
        return FunctionFacts(self.kind, self.pattern, self.name, self.line)


@dataclass(frozen=True)
class StepFunctions:
    """The step functions that a module registers.

    Attributes:
        functions: what behave would register, in source order.
        faults: why behave would refuse part of it.
        module: its syntax tree.
        budget: the total time for its patterns, both for reading them and for each scenario.
    """

    functions: tuple[StepFunction, ...]
    faults: tuple[Fault, ...]
    module: ast.Module = field(repr=False, compare=False)
    budget: Budget = field(repr=False, compare=False)


@lru_cache(maxsize=8)  # the ladder uses the same few modules at each rung
def read_step_functions(code: str) -> StepFunctions:
    """Read the step functions of a Python module from its syntax tree.

    Raises:
        SyntaxError: the code does not compile. It is compiled, never executed.
    """
    return _Reader(parse_python(code)).read()


def parse_python(code: str) -> ast.Module:
    """The syntax tree of a module that compiles. It is never executed.

    Raises:
        SyntaxError: it does not compile, or is longer than MAX_CODE_CHARACTERS.
    """
    if len(code) > MAX_CODE_CHARACTERS:
        raise SyntaxError(f"longer than {MAX_CODE_CHARACTERS} characters")
    try:
        with without_warnings():
            # Compiled from bytes, as behave does: a comment may name their encoding.
            module = ast.parse(code.encode("utf-8"), "steps.py")
            # Finds errors that the tree does not show, such as a misplaced return.
            compile(module, "steps.py", "exec", dont_inherit=True)
            return module
    except (ValueError, RecursionError, MemoryError) as error:
        raise SyntaxError(str(error) or type(error).__name__) from error


class _Reader:
    """Walks a module's top level in order, as importing it would register steps."""

    def __init__(self, module: ast.Module) -> None:
        self._module = module
        self._functions: list[StepFunction] = []
        self._statements: list[Statement] = []  # the statements that registered them
        self._faults: list[Fault] = []
        self._names = Names()
        self._budget = Budget()
        self._matcher = self._default_matcher = "parse"
        self._types = OpenTypes()
        self._names_maybe_bound: set[str] | None = None

    def read(self) -> StepFunctions:
        for statement in statements_run(self._module.body):
            node = statement.node
            match node:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    # Decorators apply, and so register, from the bottom up.
                    for decorator in reversed(node.decorator_list):
                        if isinstance(decorator, ast.Call):
                            self._register(decorator, node.name, node.lineno, statement)
                case ast.Expr(value=ast.Call() as call):
                    self._call(call, statement)
                case ast.ImportFrom(module="behave", level=0):
                    self._check_import(node, statement)
            if not statement.is_guarded and not self._names.has_unknown:
                self._check_names(node)
            if not statement.is_in_class:
                is_certain = not (statement.is_guarded or statement.branches)
                self._names.note(node, is_certain=is_certain)
        return StepFunctions(
            tuple(self._functions), tuple(self._faults), self._module, self._budget
        )

    def _fault(self, code: FaultCode, line: int | None, detail: Detail) -> None:
        self._faults.append(Fault(code, line, detail))

    def _register(self, decorator: ast.Call, name: str, line: int, statement: Statement) -> None:
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
        new = StepFunction(name, line, kind, pattern, matches, is_known)
        if not self._is_new(new, decorator.lineno, statement):
            return
        self._functions.append(new)
        self._statements.append(statement)
        if len(self._functions) > MAX_STEP_FUNCTIONS:
            self._fault(FaultCode.TOO_MANY_FUNCTIONS, None, Detail(count=MAX_STEP_FUNCTIONS))

    def _pattern(self, decorator: ast.Call) -> str | None:
        """The text argument of a decorator; None if it has none, or it is unknown."""
        named = [one.value for one in decorator.keywords if one.arg == "step_text"]
        if len(decorator.args) + len(named) != 1:
            return None
        try:
            value = self._names.constant([*decorator.args, *named][0])
        except NotConstantError:
            return None
        return value if isinstance(value, str) else None

    def _matches(self, pattern: str, line: int) -> tuple[StepPattern | None, bool]:
        """A pattern's matcher, and whether it is known; None if behave refuses the pattern."""
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
        # A step that the pattern may match must not count as undefined.
        try:
            return make_matcher(self._matcher, pattern, _AnyTypes(), self._budget), False
        except (BadPatternError, TookTooLongError, UnknownConverterError):
            return None, False

    def _is_new(self, new: StepFunction, line: int, statement: Statement) -> bool:
        """Whether behave registers a function: no earlier one is equal or matches its pattern."""
        for existing, of in zip(self._functions, self._statements, strict=True):
            if existing.kind != new.kind or (statement.branches and statement.excludes(of)):
                continue
            if existing.line == new.line and existing.matches.text == new.matches.text:
                return False  # the very same step, as in a loop: behave ignores it
            if not (existing.is_known and new.is_known):
                continue
            try:
                takes = existing.matches.takes(new.pattern)
            except TookTooLongError:
                detail = Detail(pattern=existing.pattern, text=new.pattern)
                self._fault(FaultCode.PATTERN_TOO_SLOW, line, detail)
                return False
            if takes:
                detail = Detail(functions=(existing.facts, new.facts))
                self._fault(FaultCode.AMBIGUOUS_STEP, None, detail)
                return False
            if takes is None:
                words = f"whether a converter takes the pattern {new.pattern!r}"
                detail = Detail(pattern=existing.pattern, words=words)
                self._fault(FaultCode.UNKNOWN_CONVERTER, line, detail)
        return True

    def _call(self, call: ast.Call, statement: Statement) -> None:
        """Record the effects of a call that is a statement."""
        if isinstance(call.func, ast.Call) and len(call.args) == 1:
            # given("…")(function)
            function = self._names.defined(call.args[0])
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                self._register(call.func, function.name, function.lineno, statement)
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
        """Record names that are imported from behave but do not exist there."""
        for alias in node.names:
            is_there = alias.name == "*" or hasattr(behave, alias.name)
            if not is_there and not statement.is_guarded and not _is_module_of_behave(alias.name):
                self._fault(FaultCode.NOT_IN_BEHAVE, node.lineno, Detail(name=alias.name))

    def _check_names(self, node: ast.stmt) -> None:
        """Record the names that a statement reads when it runs and that the module never binds.

        They make behave fail with a NameError.
        """
        for expression in _evaluated(node):
            for one in _names_in(expression):
                if not self._names.is_defined(one.id) and one.id not in self._maybe_bound():
                    self._fault(FaultCode.UNDEFINED_NAME, one.lineno, Detail(name=one.id))

    def _maybe_bound(self) -> set[str]:
        """The names that something binds of which it is not plain whether and when it runs."""
        if self._names_maybe_bound is None:
            self._names_maybe_bound = set(_names_maybe_bound(self._module))
        return self._names_maybe_bound


_USE_CUCUMBER = "behave.cucumber_expression.use_step_matcher_for_cucumber_expressions"


class _AnyTypes(OpenTypes):
    """Types in which every name is known and matches anything."""

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name[:1].isalpha() and len(name) > 1

    def __getitem__(self, name: str) -> StandIn:
        return StandIn(".*")

    def get(self, name: str, default: object = None) -> StandIn:
        return StandIn(".*")


def _is_module_of_behave(name: str) -> bool:
    return importlib.util.find_spec(f"behave.{name}") is not None


def _names_maybe_bound(module: ast.Module) -> Iterator[str]:
    """Names that are bound in a loop, a branch of `match` or `except`, a function or by `:=`."""
    for node in ast.walk(module):
        match node:
            case ast.Global() | ast.Nonlocal():
                yield from node.names
            case ast.NamedExpr():
                yield node.target.id
            case ast.ExceptHandler() | ast.Match() | ast.For() | ast.AsyncFor() | ast.While():
                yield from _names_bound_in(node)


def _names_bound_in(node: ast.AST) -> Iterator[str]:
    for one in ast.walk(node):
        match one:
            case ast.Name(ctx=ast.Store()):
                yield one.id
            case ast.alias():
                yield one.asname or one.name.partition(".")[0]
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield one.name
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                yield name
            case ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                yield name


def _evaluated(node: ast.stmt) -> list[ast.expr]:
    """The expressions that running a statement evaluates, excluding those of nested statements."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            defaults = [one for one in node.args.kw_defaults if one is not None]
            return [*node.decorator_list, *node.args.defaults, *defaults]
        case ast.ClassDef():
            return [*node.decorator_list, *node.bases, *(one.value for one in node.keywords)]
        case ast.Assign() | ast.AugAssign() | ast.Expr() | ast.AnnAssign():
            return [node.value] if node.value is not None else []
        case ast.If() | ast.While() | ast.Assert():
            return [node.test]
        case ast.For() | ast.AsyncFor():
            return [node.iter]
        case ast.With() | ast.AsyncWith():
            return [item.context_expr for item in node.items]
    return []


def _names_in(node: ast.expr) -> Iterator[ast.Name]:
    """The names that evaluating an expression reads, excluding its own local names."""
    waiting: list[ast.AST] = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, ast.Name):
            yield one
        elif isinstance(one, ast.Call):  # faster than by its fields, and the most common case
            waiting += [one.func, *one.args, *(keyword.value for keyword in one.keywords)]
        elif not isinstance(one, _WITHOUT_NAMES):
            waiting += ast.iter_child_nodes(one)


_WITHOUT_NAMES = (
    ast.Constant | ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
)
