"""A writer by rote: it puts a cell into words, and solves what it wrote by the cell's formulas.

A scripted server answers with it what the `bdd_turns` prompts ask. It knows the packaged axes, so
the steps are stiff and the step functions right.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from functools import cache

from selfbehave.axes.axes_file import packaged_axes
from selfbehave.axes.table import Kind

__all__ = [
    "asks_to_solve",
    "heads_in",
    "is_by_rote",
    "scenario_by_rote",
    "scenario_in",
    "step_functions_by_rote",
]

FUNCTIONS = """\
from math import ceil


def clock_minutes(text):
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def time(minutes):
    return f"{minutes // 60:02}:{minutes % 60:02}"


def word_count(text):
    return len(text.split())


def has_word(text, word):
    return word in text.split()


def listed(*names):
    return ", ".join(name for name in names if name)


def typed(value):
    return int(value) if str(value).isdigit() else value


"""
_VALUE = re.compile(r'(.+?) ("[^"]*"|<[^>]*>|\d+)(?:, |$)')
_HEAD = re.compile(r"@(given|when|then)\(.*\)\ndef \w+\(context(?:, )?(.*)\):\n(.*)")
_TITLE = "By the rule "
_HEADS = "\n\nHeads:\n\n```python\n"


def scenario_by_rote(request: str, words: Sequence[str]) -> str:
    """The scenario that a cell's request asks for, with a step for each value.

    Args:
        words: they make the steps unlike those of other scenarios.
    """
    parts = dict(line.split(": ", 1) for line in request.splitlines() if ": " in line)
    rows = [line for line in request.splitlines() if line.startswith("|")]
    form, chance = parts.get("Form", ""), random.Random(request)

    def some() -> str:
        return " ".join(chance.sample(words, 4))

    given = [
        f"the {name} is {value} {some()}" for name, value in _VALUE.findall(parts.get("Given", ""))
    ]
    if "table" in form:
        given.insert(0, "\n    ".join([f"the {some()} has this table:", *rows]))
    rule = parts["Rule"]
    given[0] = f"{rule} so {given[0]}"
    when = " and ".join(f"{name} {value}" for name, value in _VALUE.findall(parts["When"]))
    if '"""' in form:
        (text,) = re.findall(r'"(.*)"', parts["When"])
        when = f'this text:\n      """\n      {text}\n      """'
    then = [f"it tells the {name} {value}" for name, value in _VALUE.findall(parts["Then"])]
    steps = [f"{'And' if at else 'Given'} {step}" for at, step in enumerate(given)]
    steps.append(f"When the {some()} sends {when}")
    steps += [f"{'And' if at else 'Then'} {step}" for at, step in enumerate(then)]
    title = f"Scenario: {_TITLE}{_kind_of(parts['System'], rule).name}"
    return "\n".join([title, *(f"  {step}" for step in steps)])


def asks_to_solve(message: str) -> bool:
    """Whether a message asks for step functions and shows their heads."""
    return _HEADS in message


def scenario_in(message: str) -> str:
    """The scenario that a message asks to solve."""
    return message.partition(_HEADS)[0].removeprefix("```gherkin\n").removesuffix("\n```")


def heads_in(message: str) -> str:
    """The heads of step functions that a message shows."""
    return message.partition(_HEADS)[2].partition("\n```")[0]


def is_by_rote(scenario: str) -> bool:
    """Whether a scenario was written by rote, so that it can be solved by rote."""
    return _TITLE in scenario


def step_functions_by_rote(scenario: str, heads: str) -> str:
    """The Python that solves a scenario by rote.

    Args:
        heads: of the step functions, as the prompt shows them.
    """
    (name,) = re.findall(rf"{_TITLE}(\w+)", scenario)
    (kind,) = (one for one in packaged_axes().kinds if one.name == name)
    functions: list[str] = []
    stated = iter(kind.then)
    for found in _HEAD.finditer(heads):
        head, body = found[0].removesuffix(found[3]), found[3]
        values = [f"typed({one})" for one in filter(None, found[2].split(", "))]
        if "context.text" in body:
            values.append('" ".join(context.text.split())')
        told = ", ".join(values)
        match found[1]:
            case "given":
                made = ["context.model = Model()"] if not functions else []
                takes = [f"context.model.given.extend([{told}])"] if values else []
                if "context.table" in body:
                    cells = "typed(cell) for row in context.table for cell in row.cells"
                    takes.append(f"context.model.given.extend({cells})")
                lines = [*made, *takes]
            case "when":
                lines = [f"context.model.act({told})"]
            case _:
                lines = [f"assert context.model.{next(stated)} == {told}"]
        functions.append(head + "\n".join(f"    {line}" for line in lines))
    imports = heads.partition("\n")[0]
    return f"{imports}\n{FUNCTIONS}{_model_of(kind)}\n\n\n" + "\n\n\n".join(functions)


def _model_of(kind: Kind) -> str:
    """The class that works out what the kind's formulas say."""
    named = {name: re.findall(r'"{(\w+)}"', full) for name, full in kind.given.items()}
    in_order = sorted(kind.given, key=lambda name: not named[name])  # a table comes first
    known = [one for name in in_order for one in (*named[name], name)]
    lines = [f"{', '.join(known)}, = self.given"]
    for name in kind.given:
        # A value that is a word of the system: the formulas mean it by that name too.
        if (word := kind.values[name].text).isidentifier() and word not in known:
            lines.append(f"{word} = {name}")
    lines += [f"self.{name} = {kind.values[name].text}" for name in kind.then]
    body = "\n        ".join(lines)
    return (
        "class Model:\n    def __init__(self):\n        self.given = []\n\n"
        f"    def act(self, {', '.join(kind.when)}):\n        {body}"
    )


@cache
def _kind_of(system: str, rule: str) -> Kind:
    (kind,) = {
        kind.name: kind
        for kind in packaged_axes().kinds
        for setting in kind.settings
        if setting.system == system and _pattern(kind.rule, setting.words).fullmatch(rule)
    }.values()
    return kind


def _pattern(rule: str, words: Mapping[str, str]) -> re.Pattern[str]:
    """What matches a kind's rule with the words of a setting in place of their names."""
    parts = re.split(r"(?:\b[Aa] )?\{(\w+)\}", rule)
    for at in range(1, len(parts), 2):
        parts[at] = f"(?:[Aa]n? )?{re.escape(words[parts[at]]) if parts[at] in words else '.+'}"
    parts[::2] = map(re.escape, parts[::2])
    return re.compile("".join(parts))
