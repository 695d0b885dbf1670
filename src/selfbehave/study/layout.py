"""An item as people read it: its scenario laid out, its step functions, and what stands around.

The words are never changed: line breaks and capitals of keywords are put back where they were
lost, and the raw text stays at hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from ..bdd.extract import Found, find_block
from ..bdd.fences import GHERKIN, PYTHON
from ..bdd.formatting import format_scenario
from ..bdd.scenario import ScenarioError, parse_scenario
from ..bdd.steps import StepFunction, read_step_functions
from ..bdd.unfold import capitalize_keywords, unfold
from ..progress import printable
from .items import StudyItem

__all__ = ["Layout", "lay_out"]


@dataclass(frozen=True)
class Layout:
    """What a page shows of an item; every text can be shown as it is.

    Attributes:
        scenario: laid out; the whole task's text where there is no scenario to be seen in it.
        code: the step functions; the whole answer where there is no block of Python in it.
        rest: what stands in the answer around the code, "" where there is nothing.
        remarks: what is to be known of the layout, a sentence each.
        raw: the texts as the dataset has them, by name; empty ones left out.
    """

    scenario: str
    code: str
    rest: str
    remarks: tuple[str, ...]
    raw: tuple[tuple[str, str], ...]


@lru_cache(maxsize=1024)
def lay_out(item: StudyItem) -> Layout:
    """Lay an item out."""
    remarks: list[str] = []
    answer = find_block(item.output, PYTHON)
    code, rest = item.output.strip("\r\n"), ""
    if answer is None:
        remarks.append("The answer has no block of Python; it is shown whole.")
    else:
        code, rest = answer.body.strip("\r\n"), f"{answer.before}\n{answer.after}".strip()
        if not answer.is_closed:
            remarks.append("The code's fence is never closed.")
    task = f"{item.instruction}\n\n{item.input}".strip()
    found = find_block(task, GHERKIN)
    scenario = task
    if found is None:
        remarks.append("The task has no block of Gherkin; it is shown whole.")
    else:
        scenario = _scenario(found, code, remarks)
    raw = (("instruction", item.instruction), ("input", item.input), ("output", item.output))
    return Layout(
        _shown(scenario),
        _shown(code.rstrip()),
        _shown(rest),
        tuple(remarks),
        tuple((name, _shown(text)) for name, text in raw if text),
    )


def _scenario(found: Found, code: str, remarks: list[str]) -> str:
    if not found.is_closed:
        remarks.append("The scenario's fence is never closed.")
    body = found.body.strip("\r\n")
    if not found.is_proper:
        body = body.strip()
    unfolded = unfold(body, _functions(code))
    for text in (body, capitalize_keywords(body), unfolded):
        if text is not None and _is_scenario(text):
            if text == unfolded != body:
                remarks.append("The scenario's line breaks were lost; they are put back here.")
            return format_scenario(text)
    remarks.append("The scenario is not valid Gherkin.")
    return body if unfolded is None else unfolded


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
    # A dataset may hold half a surrogate pair, which no page can.
    return printable(text.encode("utf-8", "replace").decode("utf-8"))
