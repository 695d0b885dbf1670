"""Step functions whose glue the program writes: the model only names things and writes the method.

The program writes imports, decorators, signatures and the bodies that follow from them: a Given
stores its parameters, a When calls a method with its own, a Then compares a field with its one.
The model says what the class, the fields and the method are called, works the outcome out in
numbers, and writes the method last, when all fields are known. In the file the class comes first.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, count

from ..axes.sums import is_right_sum
from ..bdd.class_openings import class_openings
from ..bdd.heads import RESERVED_NAMES, Head, imports_of
from ..bdd.standard_imports import with_imports
from ..bdd.syntax import tree_of
from .base import Answer, Segment, Writing

__all__ = ["Outcome", "in_names", "write_with_glue"]

_OPENING = "```python\n"
_NAME_TOKENS, _SUM_TOKENS, _MAKING_TOKENS, _BODY_TOKENS, _CLASS_TOKENS = 12, 40, 24, 90, 260
_NAME_TRIES, _SUM_TRIES, _METHOD_TRIES = 2, 3, 3
_NAME_STOPS = (" ", "(", "\n", "=", ")", "[")
_BODY_STOPS = ("\n\n", "\n@", "```", "\ndef ", "\nclass ")
_CLASS_STOPS = ("\n@", "```", "\ndef ", "\nfrom behave", "\nclass ", "\n#")
_NAME = re.compile(r"\.([A-Za-z][A-Za-z_0-9]*)(?!\w)")
_MAKES_OBJECT = re.compile(r"\.([a-z][a-z_0-9]*) = ([A-Z][A-Za-z0-9]*)\(\)\s*$")
# Assigns a field, or changes what it holds.
_SETS = (
    r"\bself\.{0}(?:\[[^\]]*\])?\s*(?::[^=\n]+|[-+*/%|&]|//|\*\*)?=(?!=)"
    r"|\bself\.{0}\s*,[^=\n]*=(?!=)"
    r"|\bself\.{0}\.(?:append|add|extend|update|remove|pop|insert)\("
)
_VALUE = re.compile(r'"[^"]*"|(?<![\w.])\d+(?:\.\d+)?')

_Text = Generator[Segment, Answer, str]  # asks for segments, and gives a text


@dataclass(frozen=True)
class Outcome:
    """What is known of a scenario's outcome.

    Attributes:
        text: what Then states, without quotes. The model is asked for a sum that ends in it. None
            if it is not asked.
        sum: how the outcome follows, such as "30 + (5 - 2) * 8 = 54". The model is shown it where
            it is not asked, or where its own sum stays wrong. None if it is not known.
        placeholders: of an outline, by name: the values that the sum means.
    """

    text: str | None = None
    sum: str | None = None
    placeholders: Mapping[str, str] = field(default_factory=dict)


def write_with_glue(heads: Sequence[Head], outcome: Outcome) -> Writing:
    """Write step functions with a model, a segment at a time.

    Args:
        heads: of the step functions.

    Returns:
        The Python; None where no sum is known and the model's stays wrong, or where the class has
        no end.
    """
    glue = _Glue(imports_of(heads), outcome.placeholders)
    for head in heads:
        yield from glue.write_function(head)
    functions = glue.written.removeprefix(imports_of(heads)).rstrip("\n")
    if tree_of(functions) is None:
        return None
    own_sum: str | None = None
    if outcome.text is not None:
        own_sum = yield from glue.ask_sum(outcome.text)
        if own_sum is None and outcome.sum is None:
            return None
    known_sum = in_names(outcome.sum or "", glue.name_of_value) if own_sum is None else ""
    if line := own_sum or known_sum:
        glue.written += f"# {line}\n"
    classes: list[str] = []
    for opening in class_openings(functions):
        one = yield from glue.ask_class(classes, opening, is_led=_is_expression(known_sum))
        if one is None:
            return None
        classes.append(one)
    return with_imports(imports_of(heads) + "\n\n\n".join([*classes, functions]) + "\n")


def in_names(sum_line: str, name_of_value: Mapping[str, Sequence[str]]) -> str:
    """A sum with values replaced by their names in the code, the outcome left out.

    Args:
        name_of_value: what each value is called. A value with several names stays a number.
    """

    def named(found: re.Match[str]) -> str:
        names = name_of_value.get(found[0].strip('"'), [])
        return names[0] if len(names) == 1 else found[0]

    sums = [one.rpartition(" = ")[0] or one for one in sum_line.split("; ")]
    return _VALUE.sub(named, "; ".join(sums))


def _is_expression(text: str) -> bool:
    """Whether a text is a Python expression, not words."""
    return tree_of(f"({text.strip()})") is not None and bool(text.strip())


def _is_usable(name: str) -> bool:
    """Whether a field, a method or a class can have this name."""
    return not keyword.iskeyword(name) and name not in RESERVED_NAMES


class _Glue:
    """The answer as it is written.

    Attributes:
        written: Python so far.
        name_of_value: what each value of Given and When is called within the class.
    """

    def __init__(self, imports: str, placeholders: Mapping[str, str]) -> None:
        self.written = imports
        self.name_of_value: dict[str, list[str]] = {}
        self._placeholders = placeholders
        self._model = ""  # such as "    context.shop", once an object is made
        self._stored: set[str] = set()
        self._methods: set[str] = set()
        self._outcomes: list[str] = []  # the fields that Then compares

    def write_function(self, head: Head) -> Generator[Segment, Answer, None]:
        """Write one step function."""
        start = ""
        if not self._model:
            start = yield from self._making(head)
        if head.columns and head.kind == "given":
            # So that what the table holds is read, and not copied.
            start += f"    for row in context.table:\n    {self._model}"
            body = yield from self._free_body(head, start)
        elif head.kind == "given" and head.is_plain:
            body = yield from self._storing(head, start)
        elif head.kind == "when" and head.is_plain:
            body = yield from self._calling(head, start)
        elif head.kind == "then" and len(head.parameters) == 1 and head.is_plain:
            body = yield from self._comparing(head, start)
        else:
            body = yield from self._free_body(head, start)
        self.written += head.code + (body.strip("\n").rstrip() or "    pass") + "\n\n\n"

    def ask_sum(self, outcome: str) -> Writing:
        """The model's sum, asked for until it holds; None if it never does."""
        for number in range(_SUM_TRIES):
            text = yield from self._go_on("#", ("\n",), _SUM_TOKENS, number)
            if is_right_sum(text.strip(), outcome):
                return text.strip()
        return None

    def ask_class(self, before: Sequence[str], opening: str, *, is_led: bool) -> Writing:
        """A class from its opening on; None if its end is missing.

        Args:
            before: the classes before it.
            is_led: whether its one method is begun with the outcome.
        """
        fields = {one for one in self._stored if f"self.{one} " in opening}
        outcomes = [one for one in self._outcomes if f"self.{one} " in opening]
        if is_led and opening.endswith("):\n") and len(outcomes) == 1:
            opening += f"        self.{outcomes[0]} ="
        shown = "".join(f"{one}\n\n\n" for one in before) + opening
        whole: str | None = None
        for number in range(_METHOD_TRIES):
            answer = yield self._segment(shown, _CLASS_STOPS, _CLASS_TOKENS, number)
            found = (opening + answer.text).strip("\n").rstrip()
            if answer.is_truncated or tree_of(found) is None:
                continue
            # Methods that read each stored field and set each outcome: seen without a run.
            methods = found.partition("__init__")[2].partition("\n\n")[2]
            if all(re.search(rf"\bself\.{name}\b", methods) for name in fields) and all(
                re.search(_SETS.format(name), methods) for name in outcomes
            ):
                return found
            whole = whole or found  # the first is the coolest
        return whole

    def _making(self, head: Head) -> _Text:
        """The line that makes the object; the program names it where the model does not."""
        word = head.name.split("_")[1]
        attribute = word if _is_usable(word) and _is_usable(word.capitalize()) else "system"
        class_name = attribute.capitalize()
        for retry in range(_NAME_TRIES):
            # Not "context.": the dot and the name are one token, and after a dot alone a small
            # model falls into other scripts.
            text = yield from self._go_on(f"{head.code}    context", ("\n",), _MAKING_TOKENS, retry)
            made = _MAKES_OBJECT.match(text)
            if made is not None and _is_usable(made[1]) and _is_usable(made[2]):
                attribute, class_name = made[1], made[2]
                break
        self._model = f"    context.{attribute}"
        return f"{self._model} = {class_name}()\n"

    def _free_body(self, head: Head, first: str) -> _Text:
        for retry in range(_NAME_TRIES):
            shown = head.code + first
            answer = yield self._segment(shown, _BODY_STOPS, _BODY_TOKENS, retry)
            body = first + answer.text
            if not answer.is_truncated and tree_of(f"{head.code}{body}\n") is not None:
                return body
        return "" if tree_of(f"{head.code}{first}\n") is None else first

    def _storing(self, head: Head, body: str) -> _Text:
        for parameter, value in zip(head.parameters, head.values, strict=True):
            shown = head.code + body + self._model
            taken = self._stored | self._methods | {*self._outcomes}
            field = yield from self._name(shown, taken, parameter)
            self._stored.add(field)
            self._note(value, f"self.{field}")
            body += f"{self._model}.{field} = {parameter}\n"
        return body

    def _calling(self, head: Head, body: str) -> _Text:
        for parameter, value in zip(head.parameters, head.values, strict=True):
            self._note(value, parameter)
        taken = self._stored | {*head.parameters, *self._outcomes}
        method = yield from self._name(head.code + body + self._model, taken, "act")
        self._methods.add(method)
        return f"{body}{self._model}.{method}({', '.join(head.parameters)})\n"

    def _comparing(self, head: Head, body: str) -> _Text:
        assertion = f"{body}    assert {self._model.strip()}"
        field = yield from self._name(
            head.code + assertion, self._methods | {*self._outcomes}, "outcome"
        )
        self._outcomes.append(field)
        return f"{assertion}.{field} == {head.parameters[0]}\n"

    def _note(self, value: str, name: str) -> None:
        meant = self._placeholders.get(value.strip("<>"), value)
        self.name_of_value.setdefault(meant, []).append(name)

    def _name(self, opening: str, taken: set[str], spare: str) -> _Text:
        """What the model calls a field or method that comes next, unlike those taken."""
        for retry in range(_NAME_TRIES):
            text = yield from self._go_on(opening, _NAME_STOPS, _NAME_TOKENS, retry)
            found = _NAME.match(text)
            if found and _is_usable(found[1]) and found[1] not in taken:
                return found[1]
        numbered = (f"{spare}_{number}" for number in count(2))
        return next(name for name in chain((spare,), numbered) if name not in taken)

    def _go_on(self, opening: str, stop: tuple[str, ...], max_tokens: int, retry: int) -> _Text:
        answer = yield self._segment(opening, stop, max_tokens, retry)
        return answer.text

    def _segment(self, opening: str, stop: tuple[str, ...], max_tokens: int, retry: int) -> Segment:
        return Segment(_OPENING + self.written + opening, stop, max_tokens, retry)
