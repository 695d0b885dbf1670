"""An item formatted for reading: its scenario, its step functions, and the surrounding text.

The wording never changes. Formatting restores lost line breaks and the capitals of keywords, and
keeps the raw text available.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..bdd.extract import find_block
from ..bdd.fences import GHERKIN, PYTHON
from ..bdd.formatting import format_scenario
from ..bdd.scenario import ScenarioError, parse_scenario
from ..bdd.steps import StepFunction, read_step_functions
from ..bdd.unfold import capitalize_keywords, unfold
from ..core.printable import printable
from .items import StudyItem

__all__ = ["MAX_CHARACTERS", "Layout", "lay_out"]

MAX_CHARACTERS = 100_000  # of an item, or one of its texts; the rest is neither parsed nor shown

_CUT = f"Only the first {MAX_CHARACTERS:,} characters are shown."


@dataclass(frozen=True)
class Layout:
    """What a page shows of an item; every text is safe to print unchanged.

    Attributes:
        scenario: the formatted scenario; the whole task if it has no recognizable scenario.
        on_scenario: remarks on the scenario, one sentence each.
        code: the step functions; the whole answer if it has no block of Python.
        on_code: remarks on the code, one sentence each.
        rest: the answer's text around the code; "" if there is none.
        raw: the dataset's original texts by name, without empty ones.
    """

    scenario: str
    on_scenario: tuple[str, ...]
    code: str
    on_code: tuple[str, ...]
    rest: str
    raw: tuple[tuple[str, str], ...]


def lay_out(item: StudyItem) -> Layout:
    """Format an item for reading."""
    task = f"{item.instruction}\n\n{item.input}".strip()
    scenario, on_scenario = task, [_CUT]
    code, rest, on_code = item.output, "", [_CUT]
    if len(task) + len(item.output) <= MAX_CHARACTERS:
        code, rest, on_code = _code(item.output)
        scenario, on_scenario = _scenario(task, code)
    raw = (("instruction", item.instruction), ("input", item.input), ("output", item.output))
    return Layout(
        _shown(scenario),
        tuple(on_scenario),
        _shown(code),
        tuple(on_code),
        _shown(rest),
        tuple((name, _shown(text)) for name, text in raw if text),
    )


def _code(answer: str) -> tuple[str, str, list[str]]:
    """The code of an answer, the text around it, and remarks."""
    found = find_block(answer, PYTHON)
    if found is None:
        whole = answer.strip("\r\n").rstrip()
        return whole, "", ["The answer has no block of Python; it is shown whole."]
    remarks = [] if found.is_closed else ["The code's fence is never closed."]
    rest = f"{found.before}\n{found.after}".strip()
    return found.body.strip("\r\n").rstrip(), rest, remarks


def _scenario(task: str, code: str) -> tuple[str, list[str]]:
    """The scenario of a task, formatted with the help of its step functions, and remarks."""
    found = find_block(task, GHERKIN)
    if found is None:
        return task, ["The task has no block of Gherkin; it is shown whole."]
    remarks = [] if found.is_closed else ["The scenario's fence is never closed."]
    body = found.body.strip("\r\n")
    if not found.is_proper:
        body = body.strip()
    unfolded = unfold(body, _functions(code))
    for text in (body, capitalize_keywords(body), unfolded):
        if text is not None and _is_scenario(text):
            if text == unfolded != body:
                remarks.append("The scenario's line breaks were lost; they are put back here.")
            return format_scenario(text), remarks
    remarks.append("The scenario is not valid Gherkin.")
    return body if unfolded is None else unfolded, remarks


def _functions(code: str) -> tuple[StepFunction, ...]:
    try:
        return tuple(read_step_functions(code).functions)
    except SyntaxError:
        return ()


def _is_scenario(text: str) -> bool:
    try:
        parse_scenario(text)
    except ScenarioError:
        return False
    return True


def _shown(text: str) -> str:
    return printable(text[:MAX_CHARACTERS])
