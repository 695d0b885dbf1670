"""Repair a row whose scenario and code are complete but badly formatted.

The repair corrects line breaks, the case of keywords and fences, and cuts text that is not part of
the answer. It adds no word to a scenario or to code, and reports every cut.
"""

from __future__ import annotations

from dataclasses import dataclass

from .extract import compiles, find_block, find_leak, has_step_functions, unfinished_tail
from .fences import GHERKIN, PYTHON, fence, first_block
from .formatting import format_scenario
from .scenario import Scenario, ScenarioError, parse_scenario
from .steps import StepFunctions, bind, read_step_functions
from .unfold import capitalize_keywords, unfold

__all__ = ["MAX_REPAIRED_CHARACTERS", "Repaired", "repair"]

MAX_REPAIRED_CHARACTERS = 1_000_000


@dataclass(frozen=True)
class Repaired:
    """A repaired row.

    Attributes:
        instruction, output: the row's texts, unchanged if nothing could be repaired.
        changes: one text for each change: its kind, and for a cut a colon and the `repr` of the
            text that was cut.
    """

    instruction: str
    output: str
    changes: tuple[str, ...]


def repair(instruction: str, output: str) -> Repaired:
    """Repair a row: the scenario in its instruction, and the step functions in its output.

    A scenario with an unclosed fence may have lost its end. So the fence is closed only if every
    step is bound and no step function is unused.
    """
    if len(instruction) + len(output) > MAX_REPAIRED_CHARACTERS:
        return Repaired(instruction, output, ())
    changes: list[str] = []
    mended_output = _mend_output(output, changes)
    mended_instruction = _mend_instruction(instruction, mended_output, changes)
    return Repaired(mended_instruction, mended_output, tuple(changes))


def _mend_instruction(instruction: str, output: str, changes: list[str]) -> str:
    found = find_block(instruction, GHERKIN)
    if found is None:
        return instruction
    functions = _step_functions(output)
    done: list[str] = []
    body = found.body.strip("\r\n")
    if not found.is_proper:
        body = body.strip()
    scenario = _parsed(body)
    if scenario is None:
        capitalized = capitalize_keywords(body)
        unfolded = unfold(body, functions.functions if functions else ())
        if scenario := _parsed(capitalized):
            done.append("capitalised the scenario's keywords")
            body = capitalized
        elif unfolded is not None and (scenario := _parsed(unfolded)):
            done.append("laid out the folded scenario")
            body = format_scenario(unfolded)
        else:
            return instruction
    if not found.is_closed:
        if functions is None or not bind(scenario, functions).is_bound:
            return instruction
        done.append("closed the scenario's fence")
    elif not found.is_proper:
        done.append("put the scenario's fences on lines of their own")
    if not done:
        return instruction
    changes += done
    # This removes only the whitespace around the block.
    parts = [found.before.strip(), fence("gherkin", body), found.after.strip()]
    return "\n\n".join(part for part in parts if part)


def _mend_output(output: str, changes: list[str]) -> str:
    found = find_block(output, PYTHON)
    if found is None:
        return _fence_code(output, changes)
    done: list[str] = []
    body, after = found.body, found.after
    if not found.is_closed:
        body = _cut_leak(body, done)
        kept = _cut_unfinished(body, done)
        if kept is None:
            return _without_leak(output, changes)
        body = kept
        done.append("closed the code's fence")
    if found.begins_on_fence_line:
        done.append("moved the code on the fence line to the next line")
    if found.ends_on_fence_line:
        done.append("put the code's closing fence on a line of its own")
    after = _cut_leak(after, done)
    if not done:
        return output
    changes += done
    parts = [found.before.strip(), fence("python", _trimmed(body)), after.strip()]
    return "\n\n".join(part for part in parts if part)


def _fence_code(output: str, changes: list[str]) -> str:
    """Put fences around code without fences, with only a closing one, or without a language."""
    done: list[str] = []
    text = _cut_leak(output, done)
    before, ticks, rest = text.partition("```")
    if ticks and not before.strip():
        before, ticks, rest = rest.partition("```")
    body = _cut_unfinished(before, done)
    if body is None or not has_step_functions(body):
        return _without_leak(output, changes)
    changes += [*done, "put the code into a ```python fence"]
    parts = [fence("python", _trimmed(body)), rest.strip()]
    return "\n\n".join(part for part in parts if part)


def _without_leak(output: str, changes: list[str]) -> str:
    """An answer without code to repair; cut the text of the next task after it."""
    done: list[str] = []
    kept = _cut_leak(output, done).strip()
    if not done or not kept:
        return output
    changes += done
    return kept


def _cut_leak(text: str, done: list[str]) -> str:
    start = find_leak(text)
    if start is None:
        return text
    done.append(f"cut the text of another task: {text[start:].strip()!r}")
    return text[:start]


def _cut_unfinished(code: str, done: list[str]) -> str | None:
    """Code without its unfinished last statement; None if even that does not compile."""
    if compiles(code):
        return code
    start = unfinished_tail(code)
    if start is None or not has_step_functions(code[:start]):
        return None
    done.append(f"cut the unfinished last statement: {code[start:].strip()!r}")
    return code[:start]


def _trimmed(code: str) -> str:
    """Code without surrounding empty lines; unindent a first line that the fence's line indents."""
    return code.strip("\r\n ") if code[:1] != "\n" else code.strip("\r\n").rstrip()


def _step_functions(output: str) -> StepFunctions | None:
    block = first_block(output, PYTHON)
    if block is None or not block.is_closed:
        return None
    try:
        return read_step_functions(block.body)
    except SyntaxError:
        return None


def _parsed(text: str) -> Scenario | None:
    try:
        return parse_scenario(text)
    except ScenarioError:
        return None
