"""Step functions whose glue the program writes: the model only names things and writes the method.

The program writes imports, decorators, signatures and the bodies that follow from them: a Given
stores its parameters, a When calls a method with its own, a Then compares a field with its one.
The model says what the class, the fields and the method are called, works the outcome out in
numbers, and writes the method last, when all fields are known. In the file the class comes first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from selfbehave.axes.sums import is_right_sum
from selfbehave.bdd.heads import Head, imports_of

from .class_opening import class_openings
from .joint_answer import JointAnswer
from .standard_imports import with_imports

__all__ = ["in_names", "write_with_glue"]

_OPENING = "```python\n"
_NAME_TOKENS, _SUM_TOKENS, _MAKING_TOKENS, _BODY_TOKENS, _CLASS_TOKENS = 12, 32, 24, 90, 260
_SUM_TRIES, _METHOD_TRIES = 3, 2
_HOTTER = 0.4  # with each further try for a name, a sum or a method
_NAME_STOPS = (" ", "(", "\n", "=", ")", "[")
_BODY_STOPS = ("\n\n", "\n@", "```", "\ndef ", "\nclass ")
_CLASS_STOPS = ("\n@", "```", "\ndef ", "\nfrom behave", "\nclass ", "\n#")
_NAME = re.compile(r"\.?([A-Za-z_][A-Za-z_0-9]*)")
_MAKES_OBJECT = re.compile(r"\.([a-z_][a-z_0-9]*) = ([A-Z][A-Za-z0-9]*)\(\)\s*$")
_VALUE = re.compile(r'"[^"]*"|\d+')


def write_with_glue(
    joint: JointAnswer, heads: Sequence[Head], outcome: str, known_sum: str | None
) -> str | None:
    """Python for a scenario, or None where the model's sum stays wrong.

    Args:
        heads: of the scenario's step functions.
        outcome: what Then states, without quotes.
        known_sum: the program's own sum, shown instead of asking for the model's; or None.
    """
    glue = _Glue(joint, imports_of(heads))
    for head in heads:
        glue.write_function(head)
    functions = glue.written.removeprefix(imports_of(heads)).rstrip("\n")
    if known_sum is None:
        sum_line = glue.ask_sum(outcome)
        if sum_line is None:
            return None
    else:
        sum_line = in_names(known_sum, glue.name_of_value)
    glue.written += f"# {sum_line}\n"
    classes = glue.ask_classes(class_openings(functions))
    return with_imports(imports_of(heads) + "\n\n\n".join([*classes, functions]) + "\n")


def in_names(sum_line: str, name_of_value: dict[str, list[str]]) -> str:
    """A sum with values replaced by their names in the code, the outcome left out.

    Args:
        name_of_value: what each value is called. A value with several names stays a number.
    """

    def named(found: re.Match[str]) -> str:
        names = name_of_value.get(found[0].strip('"'), [])
        return names[0] if len(names) == 1 else found[0]

    sums = [one.rpartition(" = ")[0] or one for one in sum_line.split("; ")]
    return _VALUE.sub(named, "; ".join(sums))


class _Glue:
    """The answer as it is written.

    Attributes:
        written: Python so far.
        name_of_value: what each value of Given and When is called within the class.
    """

    def __init__(self, joint: JointAnswer, imports: str) -> None:
        self._joint = joint
        self.written = imports
        self.name_of_value: dict[str, list[str]] = {}
        self._model = ""  # such as "    context.shop", once an object is made
        self._stored: set[str] = set()
        self._methods: set[str] = set()

    def write_function(self, head: Head) -> None:
        """Write one step function."""
        if not self._model:
            body = self._first_body(head)
        elif head.kind == "given" and head.parameters and head.is_plain:
            body = self._storing(head, "")
        elif head.kind == "when" and head.is_plain:
            body = self._calling(head)
        elif head.kind == "then" and len(head.parameters) == 1 and head.is_plain:
            body = self._comparing(head)
        else:
            body = self._free_body(head, "")
        self.written += head.code + (body.strip("\n").rstrip() or "    pass") + "\n\n\n"

    def ask_sum(self, outcome: str) -> str | None:
        """The model's sum, asked for until it holds; None if it never does."""
        for number in range(_SUM_TRIES):
            line = self._go_on("#", ("\n",), _SUM_TOKENS, _HOTTER * number).strip()
            if is_right_sum(line, outcome):
                return line
        return None

    def ask_classes(self, openings: Sequence[str]) -> list[str]:
        """The classes, each from its opening on."""
        classes: list[str] = []
        for opening in openings:
            before = "".join(f"{one}\n\n\n" for one in classes) + opening
            body = ""
            for number in range(_METHOD_TRIES):
                body = self._go_on(before, _CLASS_STOPS, _CLASS_TOKENS, _HOTTER * number)
                # A field that no method reads cannot matter: seen without running anything.
                if all(re.search(rf"\bself\.{name}\b", body) for name in self._stored):
                    break
            classes.append((opening + body).strip("\n").rstrip())
        return classes

    def _first_body(self, head: Head) -> str:
        # Not "context.": the dot and the name are one token, and after a dot alone a small model
        # falls into other scripts.
        text = self._go_on(f"{head.code}    context", ("\n",), _MAKING_TOKENS)
        made = _MAKES_OBJECT.match(text)
        if made is not None and head.kind == "given" and head.is_plain:
            self._model = f"    context.{made[1]}"
            return self._storing(head, f"{self._model} = {made[2]}()\n")
        body = self._free_body(head, f"    context{text}\n")
        object_made = re.search(r"context\.(\w+) = [A-Z]\w*\(", body)
        self._model = f"    context.{object_made[1]}" if object_made else ""
        return body

    def _free_body(self, head: Head, first: str) -> str:
        return first + self._go_on(head.code + first, _BODY_STOPS, _BODY_TOKENS)

    def _storing(self, head: Head, body: str) -> str:
        for parameter, value in zip(head.parameters, head.values, strict=True):
            field = self._name(head.code + body + self._model, self._stored, parameter)
            self._stored.add(field)
            self.name_of_value.setdefault(value, []).append(f"self.{field}")
            body += f"{self._model}.{field} = {parameter}\n"
        return body

    def _calling(self, head: Head) -> str:
        for parameter, value in zip(head.parameters, head.values, strict=True):
            self.name_of_value.setdefault(value, []).append(parameter)
        method = self._name(head.code + self._model, self._stored, "act")
        self._methods.add(method)
        return f"{self._model}.{method}({', '.join(head.parameters)})\n"

    def _comparing(self, head: Head) -> str:
        assertion = f"    assert {self._model.strip()}"
        field = self._name(head.code + assertion, self._methods, "outcome")
        return f"{assertion}.{field} == {head.parameters[0]}\n"

    def _name(self, opening: str, taken: set[str], spare: str) -> str:
        """What the model calls a field or method that comes next, unlike those taken."""
        name = spare
        for hotter in (0.0, _HOTTER):
            found = _NAME.match(self._go_on(opening, _NAME_STOPS, _NAME_TOKENS, hotter))
            name = found[1] if found else spare
            if name not in taken:
                return name
        return f"{name}_{spare}" if f"{name}_{spare}" not in taken else f"{name}_2"

    def _go_on(
        self, opening: str, stop: tuple[str, ...], max_tokens: int, hotter: float = 0.0
    ) -> str:
        written = _OPENING + self.written + opening
        return self._joint.go_on(written, stop, max_tokens, hotter=hotter).text
