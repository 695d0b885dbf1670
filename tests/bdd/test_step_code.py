"""The parts of step functions that the program works out from others."""

from __future__ import annotations

import ast

from selfbehave.bdd.class_openings import class_openings
from selfbehave.bdd.standard_imports import with_imports
from selfbehave.prompts.glue import in_names

FUNCTIONS = """\
@given('{pages:d} pages')
def step_pages(context, pages):
    context.shop = CopyShop()
    context.shop.pages = pages
    context.shop.names.append("x")
    context.shop.limits["a"] = 1


@when('{euros:d} euros are paid')
def step_paid(context, euros):
    context.shop.pay(euros)


@then('{euros:d} euros are left')
def step_left(context, euros):
    assert context.shop.change == euros
"""


def test_a_class_opens_with_the_fields_that_are_used_and_the_method_that_is_called() -> None:
    assert class_openings(FUNCTIONS) == [
        "class CopyShop:\n"
        "    def __init__(self):\n"
        "        self.pages = None\n"
        "        self.names = []\n"
        "        self.limits = {}\n"
        "        self.change = None\n"
        "\n"
        "    def pay(self, euros):\n"
    ]


def test_where_two_methods_are_called_the_model_writes_their_heads() -> None:
    two = FUNCTIONS.replace("pages = pages", "add(pages)")
    assert class_openings(two)[0].endswith("\n\n    def")


def test_a_class_that_takes_arguments_only_has_its_name() -> None:
    assert class_openings("context.a = Shop(3)\n") == ["class Shop:\n"]


def test_functions_that_are_no_python_open_any_class() -> None:
    assert class_openings("def (") == ["class"]
    assert class_openings("context.a = 3\n") == ["class"]


def test_standard_names_are_imported_where_nothing_binds_them() -> None:
    assert with_imports("x = ceil(1.5)\n").startswith("from math import ceil\n")
    assert with_imports("x = math.pi\n").startswith("import math\n")
    for code in ("from math import ceil\nceil(1.5)\n", "def f(ceil):\n    return ceil\n", "x = ("):
        assert with_imports(code) == code
    ast.parse(with_imports("x = defaultdict(list), ceil(1)\n"))


def test_a_sum_is_said_in_the_names_that_are_certain() -> None:
    names = {"30": ["self.base"], "2": ["self.covered"], "8": ["self.extra"], "5": ["cars"]}
    shown = in_names("30 + (5 - 2) * 8 = 54", names)
    assert shown == "self.base + (cars - self.covered) * self.extra"
    assert in_names("5 + 5 = 10", {"5": ["cars", "self.more"]}) == "5 + 5"
