"""llama.cpp grammars (GBNF) of the answers that the bdd prompts ask for.

They guarantee that a small base model's answer is well-formed: the scenario parses, the Python
compiles, and one function binds each step. They do not guarantee that it makes sense.
"""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Iterable

from ..bdd.scenario import Scenario, Step
from ..bdd.steps import bind, read_step_functions

__all__ = ["YES_OR_NO", "scenario_grammar", "step_functions_grammar"]

YES_OR_NO = 'root ::= " "? ("Yes" | "No")'

_CLOSING = "```"

# Rules of words rather than characters: they keep a small model from writing endless lines or
# lines of punctuation. Numbers are allowed wherever words are: a model that is about to write a
# number and may not writes a fragment of a word instead.
_SCENARIO_RULES = r"""
title ::= [A-Z] [a-z]{0,18} (" " item){3,12}
given ::= "  Given " line ("  And " line)?
when ::= "  When " line
then ::= "  Then " outcome ("  And " outcome)?
line ::= start (" " item){2,18} "\n"
outcome ::= start (" " item){1,10} " " value (" " item){0,5} "\n"
start ::= word | number | quoted
item ::= (word | value) ","?
word ::= [A-Za-z] [a-z]{0,18} ("'" [a-z]{1,6})? ("-" [a-z]{2,12})?
value ::= number | quoted | "$" number
number ::= [1-9] [0-9]{0,4} ("," [0-9]{3})? ([.:] [0-9]{1,2})? "%"? | "0"
quoted ::= "\"" [A-Za-z0-9] [A-Za-z0-9]{1,14} (" " [A-Za-z0-9]{1,14}){0,3} "\""
"""

_BODY_RULES = r"""
attribute ::= "context." word ("_" word)?
operator ::= " + " | " - " | " * "
constant ::= text | "True" | "False"
number ::= "0" | [1-9] [0-9]{0,3}
text ::= "\"" [A-Za-z0-9] [A-Za-z0-9 _.:-]{0,24} "\""
"""

# Attributes of the context that behave itself sets or reads.
_RESERVED = frozenset(
    "active_outline aborted captured config cleanup_errors embed failed feature fixture log "
    "rule scenario stdout stderr table tags text context".split()
)
_COMMON = frozenset(
    "a an and are as at be been but by can does for from had has have her his if in into is it its "
    "more no not of off on one or out over she he than that the their them then there they this "
    "to two under until up was were when which while who will with you your given".split()
)
_QUOTED_OR_NUMBER = re.compile(
    r'"(?P<quoted>[^"<>]+)"|(?<![\w.,:/<"-])(?P<number>\d+)(?![\w:/>"-]|[.,]\d)'
)
_OUTLINE_PARAMETER = re.compile(r"<([^<>]+)>")
_FOLLOWING = re.compile(r" ([A-Za-z]+)")
_PRECEDING = re.compile(r"\W*([A-Za-z]+)")  # in the reversed text
_MAX_WORDS = 40


def scenario_grammar(opening: str) -> str:
    """The grammar of one scenario, from `opening` to its closing fence."""
    return (
        f'root ::= {_literal(opening + "Scenario: ")} title "\\n" given when then '
        f"{_literal(_CLOSING)}\n{_SCENARIO_RULES}"
    )


def step_functions_grammar(scenario: Scenario, opening: str) -> str | None:
    """The grammar of a scenario's step functions: one function per step, its decorator fixed.

    Returns None if no such functions can bind the scenario, for example if a step is too long.
    """
    for with_parameters in (True, False):
        functions = _functions(scenario, with_parameters)
        if functions is not None and _binds(scenario, functions):
            return _grammar_of(functions, scenario, opening)
    return None


class _Function:
    """A step function to generate: its kind, head and parameters; the model writes the body."""

    def __init__(self, step: Step, with_parameters: bool, taken: set[str]) -> None:
        assert step.kind is not None
        self.kind = step.kind
        pattern, self.parameters = _pattern(step.text, with_parameters)
        words = re.findall(r"[a-z]+", re.sub(r"{[^{}]*}", " ", pattern.lower()))
        stem = "_".join([self.kind, *words[:5]])
        name, count = stem, 1
        while name in taken:
            count += 1
            name = f"{stem}_{count}"
        taken.add(name)
        arguments = ", ".join(["context", *self.parameters])
        self.head = f"@{self.kind}({pattern!r})\ndef {name}({arguments}):\n"


def _functions(scenario: Scenario, with_parameters: bool) -> list[_Function] | None:
    functions: list[_Function] = []
    taken: set[str] = set()
    seen: set[tuple[str, str]] = set()
    for step in scenario.written_steps:
        if step.kind is None:
            return None
        pattern, _ = _pattern(step.text, with_parameters)
        if (step.kind, pattern) in seen:
            continue
        seen.add((step.kind, pattern))
        functions.append(_Function(step, with_parameters, taken))
    return functions


def _binds(scenario: Scenario, functions: list[_Function]) -> bool:
    code = _imports(functions) + "".join(f"{function.head}    pass\n" for function in functions)
    return bind(scenario, read_step_functions(code)).is_bound


def _imports(functions: list[_Function]) -> str:
    kinds = [kind for kind in ("given", "when", "then") if any(f.kind == kind for f in functions)]
    return f"from behave import {', '.join(kinds)}\n\n\n"


def _grammar_of(functions: list[_Function], scenario: Scenario, opening: str) -> str:
    root = [_literal(opening + _imports(functions))]
    rules: list[str] = []
    for index, function in enumerate(functions):
        rule = f"f{index}"
        root += [rule, _literal("\n\n" if index < len(functions) - 1 else _CLOSING)]
        rules.append(f"{rule} ::= {_literal(function.head)} {_body_rule(rule, function, rules)}")
    words = " | ".join(_literal(word) for word in _words(scenario))
    return "\n".join([f"root ::= {' '.join(root)}", *rules, f"word ::= {words}", _BODY_RULES])


def _body_rule(rule: str, function: _Function, rules: list[str]) -> str:
    """Write the rules of one function's body, which may use its own parameters."""
    parameters = [_literal(parameter) for parameter in function.parameters]
    rules.append(f"{rule}-value ::= {' | '.join([*parameters, 'number', 'attribute'])}")
    expression = f"(constant | {rule}-value (operator {rule}-value)?)"
    if function.kind == "then":
        # A Then compares with the step's own values, if it has any.
        expected = " | ".join(parameters) or "constant | number"
        comparison = '" == " | " >= " | " <= "'
        return f'("    assert " attribute ({comparison}) ({expected}) "\\n")'
    assignment = '" = "' if function.kind == "given" else '" = " | " += " | " -= "'
    return f'("    " attribute ({assignment}) {expression} "\\n"){{1,2}}'


def _pattern(text: str, with_parameters: bool) -> tuple[str, list[str]]:
    """A step's pattern for behave's parse matcher, and the names of its parameters."""
    names: list[str] = []
    pieces: list[str] = []
    position = 0
    for match in _places(text, with_parameters):
        pieces.append(_escape(text[position : match.start()]))
        before, after = text[: match.start()], text[match.end() :]
        outline = _OUTLINE_PARAMETER.fullmatch(match.group())
        number = match.groupdict().get("number")
        name = _unique(
            _identifier(outline[1]) if outline else _name_nearby(before, after, bool(number)), names
        )
        names.append(name)
        field = f"{{{name}:d}}" if number else f"{{{name}}}"
        pieces.append(field if outline or number else f'"{field}"')
        position = match.end()
    pieces.append(_escape(text[position:]))
    return "".join(pieces), names


def _places(text: str, with_parameters: bool) -> Iterable[re.Match[str]]:
    """The variable parts of a step's text: an outline's <parameters>, and literals if wanted."""
    outline = list(_OUTLINE_PARAMETER.finditer(text))
    if outline or not with_parameters:
        return outline
    return _QUOTED_OR_NUMBER.finditer(text)


def _name_nearby(before: str, after: str, is_number: bool) -> str:
    """Name a value by the word it counts, or by the word before it."""
    following = _FOLLOWING.match(after)
    preceding = _PRECEDING.match(before[::-1])  # reversed, because a search takes quadratic time
    words = [following[1] if following else "", preceding[1][::-1] if preceding else ""]
    for word in words if is_number else reversed(words):
        if word and word.lower() not in _COMMON:
            return _identifier(word)
    return "number" if is_number else "text"


def _identifier(text: str) -> str:
    word = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    if not word or word[0].isdigit() or keyword.iskeyword(word) or word in _RESERVED:
        return f"{word}_value" if word and not word[0].isdigit() else "value"
    return word


def _unique(name: str, taken: list[str]) -> str:
    unique, count = name, 1
    while unique in taken:
        count += 1
        unique = f"{name}_{count}"
    return unique


def _escape(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _words(scenario: Scenario) -> list[str]:
    """The scenario's own words, as names for attributes of the context."""
    text = " ".join(step.text for step in scenario.written_steps).lower()
    words = dict.fromkeys(
        word
        for word in re.findall(r"[a-z]{3,}", text)
        if word not in _COMMON and word not in _RESERVED and not keyword.iskeyword(word)
    )
    return list(words)[:_MAX_WORDS] or ["value"]


def _literal(text: str) -> str:
    """A text as a GBNF string; GBNF has the escapes of JSON."""
    return json.dumps(text, ensure_ascii=False)
