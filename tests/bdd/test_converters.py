"""Converters are told from their source: their patterns, and where they raise."""

import ast
from collections.abc import Iterable

import pytest

from selfbehave.bdd import FaultCode, bind, parse_scenario, read_step_functions
from selfbehave.bdd.converters import StandIn, UnknownConverter, UnknownConverterError, converter_of
from selfbehave.bdd.module_names import Names, statements_run

HEAD = (
    "import functools, parse\nfrom behave import *\nfrom decimal import Decimal\n"
    "from enum import Enum\nfrom parse_type import TypeBuilder\n"
)


def stand_in(code: str) -> StandIn | UnknownConverter:
    """The stand-in for what is named `it` in a module."""
    names = Names()
    for statement in statements_run(ast.parse(HEAD + code).body):
        names.note(statement.node)
    return converter_of(ast.Name("it", ast.Load()), names)


def outcome(converter: StandIn | UnknownConverter, text: str) -> str:
    """What comes of converting a text: "made", "raised" or "not known"."""
    assert isinstance(converter, StandIn)
    converter.is_unsure = False
    try:
        converter(text)
    except Exception:  # noqa: BLE001 (a converter may raise anything)
        return "raised"
    return "not known" if converter.is_unsure else "made"


@pytest.mark.parametrize(
    ("code", "pattern", "made", "raised"),
    [
        ("it = int", None, "5", "five"),
        ("it = Decimal", None, "5.5", "five"),
        ("it = lambda text: float(text.strip())", None, " 5.5", "x"),
        ("def it(text):\n    'A number.'\n    return int(text)", None, "5", "five"),
        ("WORDS = {'five': 5}\ndef it(text):\n    return WORDS[text.lower()]", None, "FIVE", "six"),
        ("@parse.with_pattern(r'\\d+')\ndef it(text):\n    return int(text)", r"\d+", "5", "x"),
        ("it = parse.with_pattern('a|b')(str)", "a|b", "c", None),
        ("def it(text):\n    return text\nit.pattern = '[a-z]' + '+'", "[a-z]+", "5", None),
        ("it = TypeBuilder.make_enum({'on': 1, 'off': 0})", "on|off", "off", "dim"),
        ("class State(Enum):\n    on = 1\n    off = 0\nit = TypeBuilder.make_enum(State)", "on|off",
         "on", "dim"),
        ("it = TypeBuilder.make_choice(['a', 'b'])", "a|b", "a", "c"),
        ("it = TypeBuilder.with_optional(int)", "(.+?)?", "", "x"),
        ("it = TypeBuilder.make_list(int)", r"(.+?)(\s*,\s*(.+?))*", "1, 2", "1, x"),
    ],
)  # fmt: skip
def test_a_converter_that_is_spelled_out_is_known(
    code: str, pattern: str | None, made: str, raised: str | None
) -> None:
    converter = stand_in(code)
    assert getattr(converter, "pattern", None) == pattern
    assert outcome(converter, made) == "made"
    if raised is not None:
        assert outcome(converter, raised) == "raised"


@pytest.mark.parametrize(
    "code",
    [
        "def it(text):\n    if text:\n        raise ValueError\n    return text",
        "it = lambda text: anything(text)",
        "it = lambda text: [one for one in text]",
        "it = lambda text: 'x' * 10 ** 10",
    ],
)
def test_whether_other_code_raises_is_not_known(code: str) -> None:
    assert outcome(stand_in(code), "5") == "not known"


@pytest.mark.parametrize(
    "code",
    [
        "it = functools.partial(int, base=2)",
        "from elsewhere import it",
        "it = elsewhere.number",
        "@functools.cache\ndef it(text):\n    return text",
        "it = TypeBuilder.make_enum(elsewhere)",
        "it = TypeBuilder.make_choice(sorted(['a']))",
        "class it(elsewhere):\n    pass",
        "it = it",
    ],
)
def test_the_pattern_of_other_code_is_not_known(code: str) -> None:
    converter = stand_in(code)
    assert isinstance(converter, UnknownConverter)
    with pytest.raises(UnknownConverterError):
        _ = converter.pattern


def codes(scenario: str, code: str) -> Iterable[FaultCode]:
    binding = bind(parse_scenario(scenario), read_step_functions(HEAD + code))
    return [fault.code for fault in binding.faults]


NUMBER = "register_type(Number=functools.partial(int, base=2))\n"
FUNCTION = "@given('{n:Number} cats')\ndef f(context, n):\n    pass\n"


def test_a_step_that_an_unknown_converter_may_take_is_not_called_undefined_or_ambiguous() -> None:
    scenario = "Scenario: x\n  Given 101 cats\n  Given a dog\n"
    more = "@given('{x} cats')\ndef g(context, x):\n    pass\n"
    assert codes(scenario, NUMBER + FUNCTION) == [
        FaultCode.UNKNOWN_CONVERTER,
        FaultCode.UNDEFINED_STEP,
    ]
    assert FaultCode.AMBIGUOUS_STEP not in codes(scenario, NUMBER + FUNCTION + more)


def test_types_that_are_registered_under_unknown_names_are_not_missing() -> None:
    scenario = "Scenario: x\n  Given 101 cats\n"
    assert codes(scenario, "register_type(**types_of(1))\n" + FUNCTION)[-1:] == [
        FaultCode.UNKNOWN_CONVERTER
    ]
    assert FaultCode.BAD_PATTERN in codes(scenario, FUNCTION)


def test_a_converter_that_nothing_uses_matters_to_nothing() -> None:
    code = NUMBER + "@given('{n} cats')\ndef f(context, n):\n    pass\n"
    assert codes("Scenario: x\n  Given 5 cats\n", code) == []


def test_names_that_a_star_import_may_bind_are_not_called_undefined() -> None:
    code = "from somewhere import *\nregister_kinds(1)\n@given('a')\ndef f(context):\n    pass\n"
    assert codes("Scenario: x\n  Given a\n", code) == []
    assert codes("Scenario: x\n  Given a\n", code.replace("import *", "import a")) == [
        FaultCode.UNDEFINED_NAME
    ]


def test_names_of_guarded_code_are_not_called_undefined() -> None:
    code = (
        "try:\n    missing()\nexcept NameError:\n    pass\n@given('a')\ndef f(context):\n    pass\n"
    )
    assert codes("Scenario: x\n  Given a\n", code) == []
