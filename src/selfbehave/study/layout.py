"""An item as people read it: its scenario laid out, its step functions, and what stands around.

The words are never changed: line breaks and capitals of keywords are put back where they were
lost, and the raw text stays at hand.
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

MAX_CHARACTERS = 100_000  # of an item, or of one text of it; more is not looked into, nor shown

_CUT = f"Only the first {MAX_CHARACTERS:,} characters are shown."


@dataclass(frozen=True)
class Layout:
    """What a page shows of an item; every text can be shown as it is.

    Attributes:
        scenario: laid out; the whole task's text where there is no scenario to be seen in it.
        on_scenario: what is to be known of that, a sentence each.
        code: the step functions; the whole answer where there is no block of Python in it.
        on_code: what is to be known of them.
        rest: what stands in the answer around the code, "" where there is nothing.
        raw: the texts as the dataset has them, by name; empty ones left out.
    """

    scenario: str
    on_scenario: tuple[str, ...]
    code: str
    on_code: tuple[str, ...]
    rest: str
    raw: tuple[tuple[str, str], ...]


def lay_out(item: StudyItem) -> Layout:
    """Lay an item out."""
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
    """The scenario of a task, laid out with the help of its step functions, and remarks."""
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
