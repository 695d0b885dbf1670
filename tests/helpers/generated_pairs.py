"""Pairs of a scenario and its step functions, made at random by a seed.

Each is a plain pair with some oddities: of keywords, tables, doc strings, backgrounds, rules,
outlines, languages, line ends, imports, matchers, converters and patterns. The code does nothing
but register steps, so that real behave may import it.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from behave.i18n import languages
from gherkin.dialect import DIALECTS

__all__ = ["Pair", "generated_pairs"]


@dataclass(frozen=True)
class Pair:
    """A scenario or feature, a step module, and the oddities that were put into them."""

    scenario: str
    code: str
    kinds: tuple[str, ...]


def generated_pairs(seed: int, count: int) -> list[Pair]:
    """So many pairs; the same seed makes the same ones."""
    chance = random.Random(f"pairs {seed}")
    return [_pair(chance) for _ in range(count)]


def _pair(chance: random.Random) -> Pair:
    writer = _ScenarioWriter(chance, dose=chance.choice(_DOSES))
    scenario = writer.text()
    coder = _CodeWriter(chance, writer.steps, dose=chance.choice(_DOSES))
    code = coder.text()
    return Pair(scenario, code, tuple(dict.fromkeys([*writer.kinds, *coder.kinds])))


# How often oddities come, of a scenario and of its code: many of them hide one another.
_DOSES = (0.2, 0.4, 1.0)


# ---- Scenarios

_TEXTS = [
    "a shop", "I buy 2", "I have 3 apples", 'the name "Bob"', "the price is 3.50", "a is b is c",
    "un été à 3 €", "x{y}", "total: 5", "it's done", "a (b) [c] $1.00?", "path a\\b", "5",
    "nothing  else", "rows:", "A SHOP", "-7 degrees", "yes", "1, 2, 3 as numbers", "a <b> c", "",
    "cats and dogs", "the year 2024", "50 % off", "new Table", "and so on", "नि शब्द", "ﬁn", "a\tb",
    "on 2024-01-31", "I buy {n:d}", "the number five", "red or green", "0x1f", "step * of 2", "#1",
    "@home", "| cell", '"""', "caf\u00e9", "cafe\u0301",
]  # fmt: skip
_CELLS = ["1", "a", "a b", "", "3.50", "a\\|b", "c\\nd", "a\\\\b", "<n>", "x \\", "é", '"q"', "*"]
_HEADINGS = ["n", "m", "who", "price ($)", "a)", "n.m", "", "n", "row.id", "a b", "<n>"]
_LINE_BREAKS = ["\u2028", "\x0b", "\x0c", "\x85", "\x1c", "\r", "\u2029"]


@dataclass
class _ScenarioWriter:
    """Writes a scenario and notes the steps in it as it means them: (kind, text)."""

    chance: random.Random
    dose: float
    kinds: list[str] = field(default_factory=list)
    steps: list[tuple[str, str]] = field(default_factory=list)

    def text(self) -> str:
        self._choose_language()
        lines = self._head()
        if self._odd("background", 0.25):
            lines += self._background()
        for _ in range(self.chance.choice([1, 1, 1, 2])):
            if self._odd("rule", 0.12):
                lines += [f"  {self._title('rule')} r"]
                if self._odd("rule's background", 0.5):
                    lines += self._background()
            lines += self._scenario()
        if self._odd("second feature", 0.02):
            lines += [f"{self._title('feature')} g"]
        if self._odd("text behind", 0.02):
            lines += ["That is all."]
        return self._joined(lines)

    def _odd(self, kind: str, share: float) -> bool:
        if self.chance.random() >= share * self.dose:
            return False
        self.kinds.append(kind)
        return True

    def _choose_language(self) -> None:
        self.language = "en"
        if self._odd("language", 0.12):
            self.language = self.chance.choice(sorted(languages))
        tables = [languages[self.language]]
        if self.language != "en" and self._odd("official keywords", 0.4):
            official = DIALECTS[self.language]
            names = {"scenario_outline": "scenarioOutline"}
            tables = [{name: official.get(names.get(name, name), ()) for name in tables[0]}]
        self._keywords = tables[0]

    def _head(self) -> list[str]:
        lines: list[str] = []
        if self.language != "en" or self._odd("language line", 0.03):
            named = self.language
            if self._odd("unknown language", 0.03):
                named = "xx"
            lines.append(
                self.chance.choice(
                    ["# language: {}"] * 12
                    + ["#language:{}", "#  Language: {} ", "# language : {}", " \t# language: {}"]
                ).format(named)
            )
            if self._odd("second language line", 0.05):
                lines += ["# a comment", "", f"# language: {self.chance.choice(['en', 'fr'])}"]
        if self._odd("prose before", 0.04):
            lines += [self.chance.choice(["Here it is:", "Given this", "scenario: y", "* all"]), ""]
        self.is_whole = self.chance.random() < 0.45
        if self.is_whole:
            if self._odd("tagged feature", 0.1):
                lines.append(self._tags())
            lines.append(self._spaced(f"{self._title('feature')} f"))
            if self._odd("description", 0.15):
                lines += ["  Some words", "  * a point", "  # a comment", "  given that it works"][
                    : self.chance.randint(1, 4)
                ]
        return lines

    def _title(self, name: str) -> str:
        keyword = str(self.chance.choice([*self._keywords[name]] or ["Feature"]))
        if self._odd("title in lower case", 0.01):
            keyword = keyword.lower()
        return keyword + (" :" if self._odd("blank before the colon", 0.005) else ":")

    def _tags(self) -> str:
        return self.chance.choice(
            ["@a", "@a @b", "@a@b", "  @slow  # why", "@a b", "@", "@n=<n>", "@skip", "@x.y(1)"]
        )

    def _background(self) -> list[str]:
        lines = [f"  {self._title('background')} {self.chance.choice(['', 'b'])}"]
        if self._odd("tagged background", 0.03):
            lines.insert(0, self._tags())
        if self._odd("empty background", 0.1):
            return lines
        return lines + self._step_lines(self.chance.randint(1, 2), outline=False)

    def _scenario(self) -> list[str]:
        outline = self.chance.random() < 0.25
        name = "scenario_outline" if outline else "scenario"
        lines = [f"  {self._title(name)} {self.chance.choice(['x', 'x <n>', ''])}"]
        if self._odd("tagged scenario", 0.1):
            lines.insert(0, self._tags())
            if self.chance.random() < 0.2:
                lines.insert(1, "  # between")
        if self._odd("description of a scenario", 0.07):
            lines += [self.chance.choice(["  As said", "    when it rains", "  but no", "  * x y"])]
        lines += self._step_lines(self.chance.randint(1, 4), outline)
        if outline or self._odd("Examples of a scenario", 0.02):
            for _ in range(self.chance.choice([1, 1, 1, 2, 0])):
                lines += self._examples()
        return lines

    def _step_lines(self, count: int, outline: bool) -> list[str]:
        lines: list[str] = []
        kind = None
        for place in range(count):
            said = self.chance.choice(
                ["given", "when", "then"] if place == 0 else ["when", "then", "and", "and", "but"]
            )
            if self._odd("And first", 0.015) and place == 0:
                said = "and"
            keyword = str(self.chance.choice([*self._keywords[said]]))
            if keyword != "* " or self.chance.random() < 0.7:
                keywords = [one for one in self._keywords[said] if one != "* "]
                keyword = str(self.chance.choice(keywords or ["* "]))
            if said in ("given", "when", "then"):
                kind = said if keyword != "* " else (kind or "given")
            text = self._step_text(outline)
            self.steps.append((kind or "given", text))
            lines.append(self._spaced(f"    {self._recased(keyword)}{text}"))
            lines += self._argument(outline)
            if self._odd("comment between", 0.03):
                lines.append(self.chance.choice(["  # why", "#", "", "  \t"]))
        return lines

    def _step_text(self, outline: bool) -> str:
        text = self.chance.choice(_TEXTS)
        if outline and self.chance.random() < 0.8:
            text = self.chance.choice(
                ["I buy <n>", "<who> has <n>", "<n>", '"<n>" of <m>', "<n.m> and <price ($)>",
                 "row <row.id>", "<examples.name> <row.index>", "<a)> <missing>", "<<n>>"]
            )  # fmt: skip
        elif self._odd("parameter without Examples", 0.02):
            text += " <n>"
        if self._odd("odd line break in a step", 0.01):
            text = f"a{self.chance.choice(_LINE_BREAKS)}b"
        if self._odd("colon behind", 0.03):
            text += ":"
        return text

    def _recased(self, keyword: str) -> str:
        if self._odd("keyword in lower case", 0.06):
            return keyword.lower()
        if self._odd("keyword in upper case", 0.02):
            return keyword.upper()
        if self._odd("no blank behind a keyword", 0.01):
            return keyword.rstrip()
        if self._odd("blanks behind a keyword", 0.03):
            return keyword + self.chance.choice([" ", "\t", "\u00a0"])
        return keyword

    def _argument(self, outline: bool) -> list[str]:
        if self._odd("table", 0.12):
            return self._table(self.chance.randint(1, 3), self.chance.randint(1, 3))
        if self._odd("doc string", 0.12):
            return self._doc_string()
        return []

    def _table(self, rows: int, columns: int, header: Sequence[str] | None = None) -> list[str]:
        lines = []
        for row in range(rows):
            cells = [self.chance.choice(_CELLS) for _ in range(columns)]
            if row == 0 and header is not None:
                cells = [*header]
            if self._odd("uneven row", 0.02):
                cells.append("more")
            line = f"      | {' | '.join(cells)} |"
            if self._odd("row without its last bar", 0.02):
                line = line.rstrip(" |")
            if self._odd("text behind a row", 0.01):
                line += " # x"
            lines.append(line)
            if self._odd("comment within a table", 0.02):
                lines.append(self.chance.choice(["      # x", "", "      # | 1 |"]))
        return lines

    def _doc_string(self) -> list[str]:
        quotes = self.chance.choice(['"""', '"""', '"""', "'''"])
        if self._odd("doc string between backticks", 0.15):
            quotes = "```"
        close = quotes
        if self._odd("doc string without an end", 0.03):
            close = "  end"
        media = self.chance.choice(["", "", "", "json", " text"])
        content = []
        for _ in range(self.chance.randint(0, 3)):
            content.append(
                self.chance.choice(
                    ["    one", "      two <n>", "", "    # no comment", "    | a |", "    Given b",
                     "    @t", f"    {quotes}x" if self._odd("quotes within", 0.05) else "    y",
                     "\tthree", "    trailing  ", '    \\"\\"\\"', "    '''", "    Examples:"]
                )
            )  # fmt: skip
            if self._odd("text left of its quotes", 0.04):
                content.append("  left")
        return [f"    {quotes}{media}", *content, f"    {close}"]

    def _examples(self) -> list[str]:
        lines = [f"    {self._title('examples')} {self.chance.choice(['', 'E', 'E <n>'])}"]
        if self._odd("tagged Examples", 0.1):
            lines.insert(0, f"    {self._tags()}")
        if self._odd("description of Examples", 0.03):
            lines.append("    Some of them")
        if self._odd("Examples without a table", 0.03):
            return lines
        header = ["n", "who"] if self.chance.random() < 0.5 else []
        header = header or [self.chance.choice(_HEADINGS) for _ in range(self.chance.randint(1, 3))]
        return lines + self._table(self.chance.randint(1, 3), len(header), header)

    def _spaced(self, line: str) -> str:
        if self._odd("blanks around", 0.03):
            return self.chance.choice(["\t", "", "\u00a0 "]) + line.strip() + " \t"
        return line

    def _joined(self, lines: Sequence[str]) -> str:
        end = "\n"
        if self._odd("line ends", 0.03):
            end = self.chance.choice(["\r\n", "\r", "\u2028"])
        text = end.join(lines) + (end if self.chance.random() < 0.8 else "")
        if self._odd("byte order mark", 0.005):
            text = "\ufeff" + text
        return text


# ---- Step functions

_HEADS = [
    # The first is the usual one.
    "from behave import given, when, then, step",
    "from behave import *",
    "import behave",
    "import behave as b",
    "from behave import given as provided, when, then as expect, step",
    "from behave import Given, When, Then, Step",
    "",
    "from behave import given, when\nfrom pytest_bdd_like import then",
    "from behave import given, when, then, step, givn",
    "from behave import given, when, then, step, matchers, runner",
    "try:\n    from behave import given, wenn\nexcept ImportError:\n    pass",
    "from behave import given, when, then as then_\nthen = then_",
    "def given(*texts, **named):\n    return lambda function: function",
    "import behave.matchers, behave.runner",
    "# -*- coding: latin-1 -*-\nfrom behave import given, when, then, step",
    "from __future__ import annotations\nfrom behave import given, when, then, step",
    "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from pytest_bdd import given",
]
_CONVERTERS: list[tuple[str, str]] = [
    # A statement, and the name that it registers.
    ("@parse.with_pattern(r'\\d+')\ndef number(text):\n    return int(text)\n"
     "register_type(Number=number)", "Number"),
    ("def number(text):\n    return int(text)\nregister_type(Number=number)", "Number"),
    ("register_type(Number=int)", "Number"),
    ("register_type(Word=lambda text: text.upper())", "Word"),
    ("def word(text):\n    return {'five': 5}[text]\nregister_type(**{'Word': word})", "Word"),
    ("types = dict(Word=str)\nregister_type(**types)", "Word"),
    ("YesNo = TypeBuilder.make_enum({'yes': True, 'no': False})\nregister_type(YesNo=YesNo)",
     "YesNo"),
    ("register_type(Colour=TypeBuilder.make_choice(['red', 'green', 'shop']))", "Colour"),
    ("class Pet(Enum):\n    cat = 1\n    dog = 2\nregister_type(Pet=TypeBuilder.make_enum(Pet))",
     "Pet"),
    ("@parse.with_pattern(r'\\d+')\ndef number(text):\n    return int(text)\n"
     "register_type(Numbers=TypeBuilder.with_many(number))", "Numbers"),
    ("@parse.with_pattern(r'\\d+')\ndef number(text):\n    return int(text)\n"
     "register_type(Either=TypeBuilder.make_variant([number, TypeBuilder.make_choice(['a'])]))",
     "Either"),
    ("def word(text):\n    return text\nword.pattern = r'[a-z]+'\nregister_type(Word=word)",
     "Word"),
    ("PATTERN = r'\\d' + r'+'\n@parse.with_pattern(PATTERN)\ndef number(text):\n    return text\n"
     "register_type(Number=number)", "Number"),
    ("@parse.with_pattern(r'(\\d)(\\d)?', regex_group_count=2)\ndef number(text):\n"
     "    return text\nregister_type(Number=number)", "Number"),
    ("@parse.with_pattern(r'\\d*')\ndef number(text):\n    return int(text)\n"
     "register_type(Number=number)", "Number"),
    ("register_type(Number=functools.partial(int, base=10))", "Number"),
    ("class Thing:\n    pattern = r'\\w+'\n    def __init__(self, text):\n        pass\n"
     "register_type(Thing=Thing)", "Thing"),
]  # fmt: skip
_STATEMENTS = [
    "given('called {}')(step_0)",
    "provide = given\n@provide('under another name')\ndef other(context):\n    pass\n",
    "for TEXT in ['a', 'b']:\n    @given(TEXT)\n    def looped(context):\n        pass\n",
    "for TEXT in ():\n    @given('never')\n    def never(context):\n        pass\n",
    "def later():\n    @given('in a function')\n    def inner(context):\n        pass\n",
    "if parse:\n    @given('of a branch')\n    def branch(context):\n        pass\n"
    "else:\n    @given('of a branch')\n    def branch(context):\n        pass\n",
    "use_step_matcher(name='parse')",
    "register_type(Number=float)",
    "register_type(**{'Number': int, 'Word': str})",
    "given = when",
    "del when",
    "undefined_function()",
    "undefined_name",
    "print('hello')",
    "register_typ(Number=int)",
    "TEXTS = {'a': 'b'}",
    "class Holder:\n    given = None\n    pattern = 'x'\n",
    "step_0 = None",
    "try:\n    undefined_function()\nexcept NameError:\n    pass\n",
    "with_types = {}\nwith_types['Number'] = int\nregister_type(**with_types)",
    "with_types = dict(Number=int)\nwith_types.update(Word=str)\nregister_type(**with_types)",
    "number = lambda text: int(text)\nregister_type(Number=number)",
    "import behave\n@behave.step('by module')\ndef by_module(context):\n    pass\n",
    "from behave import register_type as rt\nrt(Number=int)",
    "register_type(Word=parse.with_pattern(r'[a-z]+')(lambda text: text))",
    "assert True, given('not a decorator')",
    "[given(TEXT)(step_0) for TEXT in ('x', 'y')]",
    "@given('asynchronous', timeout=3)\nasync def slow(context):\n    pass\n",
    "global given",
]
_EXPRESSIONS = [
    r"\d+", r"(\d+)", r"(?P<n>\d+)", r".+", r"(.*)", r"\w+", r"[[:digit:]]+", r"\p{N}+",
    r"[0-9]{1,4}", r"(?:\d+)", r"(?i:\D+)|\d+", r"\d+?", r"\d++", r"(?>\d+)", r"[^a]+",
    r"(?P<n>.)(?P<n>.)?", r"\S{e}", r"(a|b|\d)+", r"(?<=\s)\d+", r"\b\d+\b", r"(?#x)\d+",
    r"\h+", r"(?i)\d+", r"(", r"[", r"*", r"\d{1,2",
    r"{i}", r"(?x) \d+", r"\Z", r"$", r"\X", r"[\w--\d]+", r"(\w+\s?)+",
]  # fmt: skip


@dataclass
class _CodeWriter:
    """Writes a step module for the steps of a scenario."""

    chance: random.Random
    steps: Sequence[tuple[str, str]]
    dose: float
    kinds: list[str] = field(default_factory=list)

    def text(self) -> str:
        self._matcher = self._default = "parse"
        self._types: list[str] = []
        self._blocks: list[str] = []
        head = self.chance.choice(_HEADS[:1] * 8 + _HEADS)
        if head != _HEADS[0]:
            self.kinds.append("imports")
        if "pytest_bdd_like" in head:
            # A package of its own, as pytest_bdd is one.
            head = head.replace(
                "from pytest_bdd_like import then",
                "import types\nlibrary = types.SimpleNamespace()\n"
                "library.then = lambda step_text: lambda function: function\nthen = library.then",
            )
        self._head = head
        self._block(
            head
            + "\nfrom behave import register_type, use_step_matcher, use_default_step_matcher\n"
            "import parse, functools\nfrom enum import Enum\nfrom parse_type import TypeBuilder\n"
        )
        wanted = list(dict.fromkeys(self.steps))
        if self._odd("function missing", 0.08) and wanted:
            wanted.pop(self.chance.randrange(len(wanted)))
        if self._odd("function too many", 0.05):
            wanted.append((self.chance.choice(["given", "when"]), self.chance.choice(_TEXTS)))
        if self._odd("functions in another order", 0.3):
            self.chance.shuffle(wanted)
        for number, (kind, text) in enumerate(wanted):
            self._change_matcher()
            self._add_types()
            self._function(number, kind, text)
            if self._odd("statement", 0.05):
                self._block(self.chance.choice(_STATEMENTS))
        return "\n".join(self._blocks)

    def _odd(self, kind: str, share: float) -> bool:
        if self.chance.random() >= share * self.dose:
            return False
        self.kinds.append(kind)
        return True

    def _block(self, text: str) -> None:
        self._blocks.append(text)

    def _change_matcher(self) -> None:
        if not self._odd("matcher", 0.12):
            return
        name = self.chance.choice(["re", "re", "re0", "parse", "cfparse", "cfparse", "cucumber"])
        if name == "cucumber":
            self._block(
                "from behave.cucumber_expression import use_step_matcher_for_cucumber_expressions\n"
                "use_step_matcher_for_cucumber_expressions()"
            )
            self._matcher = "cucumber"
        elif self._odd("default matcher", 0.3):
            if self.chance.random() < 0.5:
                self._block("use_default_step_matcher()")
                self._matcher = self._default
            else:
                self._block(f"use_default_step_matcher({name!r})")
                self._matcher = self._default = name
        elif self._odd("unknown matcher", 0.03):
            self._block("use_step_matcher('cucumber_expressions')")
        else:
            call = self.chance.choice(
                ["use_step_matcher({!r})"] * 4
                + ["step_matcher({!r})", "M = {!r}\nuse_step_matcher(M)",
                   "import behave.matchers\nbehave.matchers.use_step_matcher({!r})"]
            )  # fmt: skip
            self._block(call.format(name))
            self._matcher = name

    def _add_types(self) -> None:
        if self._odd("converter", 0.1):
            statement, name = self.chance.choice(_CONVERTERS)
            self._block(statement)
            self._types.append(name)

    def _function(self, number: int, kind: str, text: str) -> None:
        pattern = self._pattern(text)
        written = self._written(pattern)
        decorator = self._decorator(kind)
        function = f"def step_{number}(context, *values, **named):\n    pass\n"
        if self._odd("asynchronous", 0.02):
            function = f"async {function}"
        if self._odd("oddly decorated", 0.02):
            other = self.chance.choice(
                ["given()", "given('a', 'b')", "given(text='a')", "given(1)", "given(b'a')",
                 "givn('a')", "given(TEXTS[0])", "given('a' * 2)", "given('a', timeout=2)",
                 "given('{}'.format('a'))", "given('%s' % 'a')",
                 "staticmethod", "given(None)", "given('a').__call__", "behave.given('a')",
                 "given(str('a'))", "given('a'.upper())", "(lambda f: f)"]
            )  # fmt: skip
            function = f"@{other}\n{function}"
        if self._odd("stacked", 0.04):
            other = self._decorator(self.chance.choice(["given", "then", kind]))
            decorator = f"{other}({written})\n@{decorator}"
        block = f"@{decorator}({written})\n{function}"
        if self._odd("twice", 0.02):
            block += f"\n\n@{decorator}({written})\n{function}"
        if self._odd("in a class", 0.02):
            block = "class Steps:\n" + _indented(block)
        elif self._odd("in a branch", 0.03):
            test = self.chance.choice(
                ["if True:", "if False:", "if __name__ == '__main__':", "try:", "while True:",
                 "if not False:", "with open(__file__):", "for _ in range(2):"]
            )  # fmt: skip
            block = f"{test}\n{_indented(block)}"
            if test == "try:":
                block += "\nexcept ImportError:\n    raise\n"
            if test == "while True:":
                block += "\n    break\n"
        self._block(block)
        if self._odd("more general function", 0.03):
            general = re.sub(r"\w+", "{}", pattern, count=1)
            self._block(
                f"@{kind}({general!r})\ndef general_{number}(context, *v, **n):\n    pass\n"
            )

    def _decorator(self, kind: str) -> str:
        if self._odd("@step", 0.06):
            kind = "step"
        elif self._odd("another kind", 0.02):
            kind = self.chance.choice(["given", "when", "then"])
        if "import behave as b" in self._head:
            return f"b.{kind}"
        if self._head == "import behave":
            return f"behave.{kind}"
        if "provided" in self._head:
            return {"given": "provided", "then": "expect"}.get(kind, kind)
        if "Given" in self._head or self._odd("title case", 0.02):
            return kind.title()
        return kind

    def _written(self, pattern: str) -> str:
        if self._odd("pattern put together", 0.06):
            half = len(pattern) // 2
            first, second = pattern[:half], pattern[half:]
            name = f"P{len(self._blocks)}"
            return self.chance.choice(
                [f"{first!r} {second!r}", f"{first!r} + {second!r}", f"u{pattern!r}",
                 f"step_text={pattern!r}", self._constant(name, pattern),
                 "f'" + repr(pattern)[1:-1].replace("{", "{{").replace("}", "}}") + "'"
                 if not {"'", '"', "\\"} & set(repr(pattern)[1:-1]) else repr(pattern)]
            )  # fmt: skip
        return repr(pattern)

    def _constant(self, name: str, pattern: str) -> str:
        self._block(f"{name} = {pattern!r}")
        return name

    def _pattern(self, text: str) -> str:
        if self._matcher in ("re", "re0"):
            return self._expression(text)
        if self._matcher == "cucumber":
            return self._cucumber(text)
        return self._fields(text)

    def _fields(self, text: str) -> str:
        """A pattern of `parse` for a step, with fields in place of some of its words."""
        pattern = text.replace("{", "{{").replace("}", "}}") if self.chance.random() < 0.9 else text
        if self.chance.random() < 0.45:
            return re.sub(r"<\w+>", lambda found: f"{{{found[0][1:-1]}}}", pattern)
        counter = iter(range(100))

        def field(found: re.Match[str]) -> str:
            if self.chance.random() < 0.4:
                return found[0]
            name = self.chance.choice(["", f"x{next(counter)}", f"y{next(counter)}", "same", "x-y"])
            type = ""
            if self.chance.random() < 0.6:
                builtin = ["d", "d", "w", "g", "f", "n", "l", "S", "D", "s", "x", "5", "2d", ">",
                           "tg", "ti", "02d", ".2f", "%", "e"]  # fmt: skip
                type = ":" + self.chance.choice(builtin)
                if self._types and self.chance.random() < 0.7:
                    type = f":{self.chance.choice(self._types)}"
                    if self._odd("cardinality", 0.25):
                        type += self.chance.choice(["+", "*", "?"])
                elif self._odd("unknown type", 0.03):
                    type = ":Nothing"
            return f"{{{name}{type}}}"

        return re.sub(r"\d+(?:\.\d+)?|<\w+>|\w+", field, pattern)

    def _expression(self, text: str) -> str:
        """A regular expression for a step."""
        pattern = re.escape(text) if self.chance.random() < 0.8 else text
        pattern = re.sub(r"<\\?\w+>|\\<\w+\\>|<\w+>", lambda _: r"(.+)", pattern)
        if self.chance.random() < 0.6:
            pattern = re.sub(
                r"\d+|\w{3,}",
                lambda found: (
                    self.chance.choice(_EXPRESSIONS) if self.chance.random() < 0.5 else found[0]
                ),
                pattern,
                count=2,
            )
        ends: list[Callable[[str], str]] = [
            lambda one: one, lambda one: one, lambda one: one, lambda one: f"^{one}",
            lambda one: f"{one}$", lambda one: f"^{one}$", lambda one: f"(?i){one}",
            lambda one: f"{one}|{one}x", lambda one: f"(?:{one})", lambda one: f"{one}(?: again)?",
            lambda one: one[: max(1, len(one) // 2)],
        ]  # fmt: skip
        return self.chance.choice(ends)(pattern)

    def _cucumber(self, text: str) -> str:
        pattern = re.sub(r"([({/\\])", r"\\\1", text) if self.chance.random() < 0.8 else text
        return re.sub(
            r"\d+(?:\.\d+)?|\w+|\"\w+\"",
            lambda found: (
                self.chance.choice(
                    ["{int}", "{word}", "{float}", "{string}", "{}", "{byte}", f"{found[0]}(s)",
                     f"{found[0]}/other", "{unknown}", "{bigdecimal}"]
                )
                if self.chance.random() < 0.3
                else found[0]
            ),
            pattern,
        )  # fmt: skip


def _indented(text: str) -> str:
    return "".join(
        f"    {line}" if line.strip() else line for line in text.splitlines(keepends=True)
    )
