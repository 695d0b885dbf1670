"""Faults of a pair of scenario and step functions, as data.

A fault is a code, a line and named facts. Programs compare and count codes. `sentence` makes the
English sentence; call it only to show a fault or to write it to a file for people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any, Literal

__all__ = [
    "Detail",
    "Fault",
    "FaultCode",
    "FunctionFacts",
    "blocks",
    "describe",
    "fault_from_dict",
    "fault_to_dict",
    "label",
    "sentence",
]

Part = Literal["scenario", "python"]


class FaultCode(StrEnum):
    """Every kind of fault, in the order of the rungs they block."""

    # Below `text`.
    SCENARIO_NOT_FOUND = "scenario_not_found"
    SCENARIO_CUT_OFF = "scenario_cut_off"
    PYTHON_NOT_FOUND = "python_not_found"
    PYTHON_CUT_OFF = "python_cut_off"
    # Below `parsed`.
    NOT_GHERKIN = "not_gherkin"
    NO_STEP = "no_step"
    UNKNOWN_LANGUAGE = "unknown_language"
    SCENARIO_TOO_LARGE = "scenario_too_large"
    PYTHON_SYNTAX = "python_syntax"
    NOT_PORTABLE = "not_portable"  # does not affect the rung
    # Below `bound`.
    NO_KEYWORD = "no_keyword"
    UNDEFINED_STEP = "undefined_step"
    AMBIGUOUS_STEP = "ambiguous_step"
    UNUSED_STEP_FUNCTION = "unused_step_function"
    BAD_PATTERN = "bad_pattern"
    PATTERN_NOT_TEXT = "pattern_not_text"
    PATTERN_TOO_SLOW = "pattern_too_slow"
    UNKNOWN_CONVERTER = "unknown_converter"
    NO_CONVERTERS = "no_converters"
    UNDEFINED_NAME = "undefined_name"
    NOT_IN_BEHAVE = "not_in_behave"
    UNKNOWN_MATCHER = "unknown_matcher"
    TOO_MANY_FUNCTIONS = "too_many_functions"
    # Below `passing`.
    RUN_FAILED = "run_failed"
    RUN_TIME_LIMIT = "run_time_limit"
    RUN_CPU_LIMIT = "run_cpu_limit"
    RUN_OUTPUT_LIMIT = "run_output_limit"
    RUN_FILE_SIZE_LIMIT = "run_file_size_limit"
    RUN_KILLED = "run_killed"
    RUN_FORGED_RESULT = "run_forged_result"
    # Below `discriminating`.
    NO_EXPECTED_VALUE = "no_expected_value"
    NO_CHANGE_TURNS_RED = "no_change_turns_red"
    # Below `causal`.
    NO_ACTION = "no_action"
    GREEN_WITHOUT_ACTION = "green_without_action"
    NO_INPUT_VALUE = "no_input_value"
    NO_INPUT_TURNS_RED = "no_input_turns_red"
    TOO_MANY_SCENARIOS = "too_many_scenarios"
    # Do not affect the rung.
    HARD_CODED_OUTCOME = "hard_coded_outcome"
    IDLE_ACTION = "idle_action"
    IDLE_STEP = "idle_step"
    IGNORED_VALUE = "ignored_value"
    UNSTABLE = "unstable"
    # Only read from older files: a sentence that matches no other code.
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class FunctionFacts:
    """A decorated step function: its kind, pattern and name, and the line of its `def`."""

    kind: str
    pattern: str
    name: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """The facts of a fault. Facts that do not apply to its code keep their defaults.

    Attributes:
        words: the error message of the Gherkin parser, Python, `re` or behave; or a piece of the
            code.
        kind: the kind of a step: "given", "when" or "then".
        text: the text of a step.
        pattern: the pattern of a decorator.
        name: the name of a function, a matcher, a converter or a spoken language.
        functions: step functions: the unused one, or the two ambiguous ones in source order.
        count: a number found, or the limit that was exceeded.
        unit: the unit of `count`.
        source: the line of the code that failed.
        operands: the two sides of a failed comparison, or the expression that failed: each as its
            source and its value.
    """

    words: str = ""
    kind: str = ""
    text: str = ""
    pattern: str = ""
    name: str = ""
    functions: tuple[FunctionFacts, ...] = ()
    count: int = 0
    unit: str = ""
    source: str = ""
    operands: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Attributes:
        code: a `FaultCode` of the ladder, or the code of an audit's check.
        line: in the scenario or in the code, from 1; None if no single line is at fault.
    """

    code: str
    line: int | None = None
    detail: Detail = field(default_factory=Detail)


# The names of the kinds of faults in tables and figures.
_LABELS: Mapping[str, str] = {
    FaultCode.SCENARIO_NOT_FOUND: "scenario: not found",
    FaultCode.SCENARIO_CUT_OFF: "scenario: cut off",
    FaultCode.PYTHON_NOT_FOUND: "python: not found",
    FaultCode.PYTHON_CUT_OFF: "python: cut off",
    FaultCode.NOT_GHERKIN: "scenario: not valid Gherkin",
    FaultCode.NO_STEP: "scenario: no step",
    FaultCode.UNKNOWN_LANGUAGE: "scenario: unknown spoken language",
    FaultCode.SCENARIO_TOO_LARGE: "scenario: too large",
    FaultCode.PYTHON_SYNTAX: "python: not valid",
    FaultCode.NOT_PORTABLE: "scenario: not portable",
    FaultCode.NO_KEYWORD: "step without Given, When or Then",
    FaultCode.UNDEFINED_STEP: "undefined step",
    FaultCode.AMBIGUOUS_STEP: "ambiguous step",
    FaultCode.UNUSED_STEP_FUNCTION: "unused step function",
    FaultCode.BAD_PATTERN: "bad pattern",
    FaultCode.PATTERN_NOT_TEXT: "pattern is not a plain text",
    FaultCode.PATTERN_TOO_SLOW: "pattern takes too long",
    FaultCode.UNKNOWN_CONVERTER: "converter is not known",
    FaultCode.NO_CONVERTERS: "step matcher takes no converters",
    FaultCode.UNDEFINED_NAME: "undefined name",
    FaultCode.NOT_IN_BEHAVE: "import of what behave does not have",
    FaultCode.UNKNOWN_MATCHER: "unknown step matcher",
    FaultCode.TOO_MANY_FUNCTIONS: "too many step functions",
    FaultCode.RUN_FAILED: "run: failed",
    FaultCode.RUN_TIME_LIMIT: "run: time limit",
    FaultCode.RUN_CPU_LIMIT: "run: cpu limit",
    FaultCode.RUN_OUTPUT_LIMIT: "run: output limit",
    FaultCode.RUN_FILE_SIZE_LIMIT: "run: file size limit",
    FaultCode.RUN_KILLED: "run: killed",
    FaultCode.RUN_FORGED_RESULT: "run: forged result",
    FaultCode.NO_EXPECTED_VALUE: "mutants: no expected value",
    FaultCode.NO_CHANGE_TURNS_RED: "mutants: none turns it red",
    FaultCode.NO_ACTION: "cause: no When",
    FaultCode.GREEN_WITHOUT_ACTION: "cause: green without its When",
    FaultCode.NO_INPUT_VALUE: "cause: no input value",
    FaultCode.NO_INPUT_TURNS_RED: "cause: no input turns it red",
    FaultCode.TOO_MANY_SCENARIOS: "cause: too many scenarios",
    FaultCode.HARD_CODED_OUTCOME: "hard-coded outcome",
    FaultCode.IDLE_ACTION: "idle action",
    FaultCode.IDLE_STEP: "idle step",
    FaultCode.IGNORED_VALUE: "ignored value",
    FaultCode.UNSTABLE: "unstable",
    FaultCode.OTHER: "other",
}

_NOT_BLOCKING: frozenset[str] = frozenset(
    {
        FaultCode.NOT_PORTABLE,
        FaultCode.HARD_CODED_OUTCOME,
        FaultCode.IDLE_ACTION,
        FaultCode.IDLE_STEP,
        FaultCode.IGNORED_VALUE,
        FaultCode.UNSTABLE,
    }
)

_PART_OF: Mapping[str, Part] = {
    FaultCode.NOT_GHERKIN: "scenario",
    FaultCode.NO_STEP: "scenario",
    FaultCode.UNKNOWN_LANGUAGE: "scenario",
    FaultCode.SCENARIO_TOO_LARGE: "scenario",
    FaultCode.NOT_PORTABLE: "scenario",
    FaultCode.PYTHON_SYNTAX: "python",
}


def blocks(code: str) -> bool:
    """Whether a fault keeps its pair from the next rung; other faults are only reported."""
    return code not in _NOT_BLOCKING


def label(code: str) -> str:
    """The name of a kind of fault, as tables and figures show it."""
    return _LABELS.get(code) or code.replace("_", " ")


def sentence(fault: Fault) -> str:
    """The fault as one line for people. If a part does not parse, the line begins with its name."""
    part = _PART_OF.get(fault.code)
    return f"{part}: {describe(fault)}" if part else describe(fault)


def describe(fault: Fault) -> str:
    """The sentence of a fault without the name of the part, for use in context: "line 3: …"."""
    text = _text(fault)
    return text if fault.line is None else f"line {fault.line}: {text}"


def fault_to_dict(fault: Fault) -> dict[str, Any]:
    """A fault as a JSON object, without the facts that have their defaults."""
    facts = asdict(fault.detail)
    empty = asdict(Detail())
    known = {name: value for name, value in facts.items() if value != empty[name]}
    return {"code": str(fault.code), "line": fault.line, "detail": known}


def fault_from_dict(source: Mapping[str, Any]) -> Fault:
    """Make a fault from the result of `fault_to_dict`.

    Raises:
        KeyError, TypeError, ValueError: the object is not a fault.
    """
    names = {one.name for one in fields(Detail)}
    facts = {name: value for name, value in source["detail"].items() if name in names}
    functions = tuple(FunctionFacts(**one) for one in facts.pop("functions", ()))
    operands = tuple((str(name), str(value)) for name, value in facts.pop("operands", ()))
    detail = Detail(**facts, functions=functions, operands=operands)
    return Fault(FaultCode(source["code"]), source["line"], detail)


def _text(fault: Fault) -> str:
    detail = fault.detail
    match fault.code:
        case FaultCode.NO_STEP:
            return "no step in it"
        case FaultCode.UNKNOWN_LANGUAGE:
            return f"unknown spoken language '{detail.name}'"
        case FaultCode.SCENARIO_TOO_LARGE:
            than = "longer than" if detail.unit in ("characters", "lines") else "more than"
            return f"{than} {detail.count:,} {detail.unit}"
        case FaultCode.NOT_PORTABLE:
            return f"not portable: {detail.words}"
        case FaultCode.NO_KEYWORD:
            return f"no Given, When or Then before '{detail.text}'"
        case FaultCode.UNDEFINED_STEP:
            return f"undefined step '{detail.kind} {detail.text}'"
        case FaultCode.AMBIGUOUS_STEP:
            return f"ambiguous step functions {' and '.join(map(_function, detail.functions))}"
        case FaultCode.UNUSED_STEP_FUNCTION:
            return f"unused step function {_function(detail.functions[0])}"
        case FaultCode.BAD_PATTERN:
            return f"bad pattern {detail.pattern!r}: {detail.words}"
        case FaultCode.PATTERN_NOT_TEXT:
            return f"the pattern of {detail.name} is not a plain text"
        case FaultCode.PATTERN_TOO_SLOW:
            return f"the pattern {detail.pattern!r} takes too long on '{detail.text}'"
        case FaultCode.UNKNOWN_CONVERTER:
            return f"what the pattern {detail.pattern!r} matches depends on {detail.words}"
        case FaultCode.NO_CONVERTERS:
            return f"the step matcher {detail.name!r} takes no converters"
        case FaultCode.UNDEFINED_NAME:
            return f"the name {detail.name!r} is not defined"
        case FaultCode.NOT_IN_BEHAVE:
            return f"behave has no {detail.name!r} to import"
        case FaultCode.UNKNOWN_MATCHER:
            return f"unknown step matcher {detail.name!r}"
        case FaultCode.TOO_MANY_FUNCTIONS:
            return f"more than {detail.count} step functions"
        case FaultCode.NO_EXPECTED_VALUE:
            return "mutants: no expected value in it"
        case FaultCode.NO_CHANGE_TURNS_RED:
            return f"mutants: none of {detail.count} changed values turns it red"
        case FaultCode.NO_ACTION:
            return "cause: no When in it"
        case FaultCode.GREEN_WITHOUT_ACTION:
            return "cause: no Then turns red without the When steps"
        case FaultCode.NO_INPUT_VALUE:
            return "cause: no value in a Given or a When"
        case FaultCode.NO_INPUT_TURNS_RED:
            return f"cause: none of {detail.count} changed inputs turns a Then red"
        case FaultCode.TOO_MANY_SCENARIOS:
            return f"cause: more than {detail.count} scenarios"
        case FaultCode.HARD_CODED_OUTCOME:
            function = _function(detail.functions[0])
            return f"hard-coded outcome: only '{detail.words}' is compared by {function}"
        case FaultCode.IDLE_ACTION:
            return f"idle action: nothing is done by {_function(detail.functions[0])}"
        case FaultCode.IDLE_STEP:
            return f"idle step: green without 'Given {detail.text}'"
        case FaultCode.IGNORED_VALUE:
            return f"ignored value: {detail.name} is not used by {_function(detail.functions[0])}"
        case FaultCode.UNSTABLE:
            return f"unstable: {detail.words}"
        case FaultCode.NOT_GHERKIN | FaultCode.PYTHON_SYNTAX | FaultCode.OTHER:
            return detail.words
    name = label(fault.code)
    return f"{name}: {detail.words}" if detail.words else name


def _function(function: FunctionFacts) -> str:
    return f"@{function.kind}({function.pattern!r}) {function.name}, line {function.line}"
