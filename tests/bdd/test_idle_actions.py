"""When functions that do nothing are found, and those that may do something never are."""

import ast

import pytest

from selfbehave.bdd import bind, parse_scenario, read_step_functions
from selfbehave.bdd.fences import PYTHON, first_block
from selfbehave.bdd.idle_actions import idle_actions
from selfbehave.prompts.bdd import scenario_of
from selfbehave.seeds.load import load_seeds


def is_idle(body: str, rest: str = "") -> bool:
    """Whether a When with this body is idle in a module with this rest."""
    lines = "\n".join(f"    {line}" for line in body.strip("\n").split("\n"))
    module = ast.parse(f"def act(context, amount):\n{lines}\n\n{rest}\n")
    return idle_actions(module, [1]) == (1,)


def test_the_whens_of_a_small_model_that_do_nothing() -> None:
    code = '''
from behave import given, when, then

@given('a user with a balance of {balance:d}')
def step_user(context, balance):
    context.balance = balance - 30

@when('the user withdraws {amount:d}')
def step_withdraw(context, amount):
    """The user withdraws money from the account."""
    pass

@when('the bank confirms')
def step_confirm(context):
    # The confirmation is sent here.
    print("Bank confirms the withdrawal")
    context.confirmed = True

@then('the balance is {balance:d}')
def step_balance(context, balance):
    assert context.balance == balance
'''
    module = ast.parse(code)
    assert idle_actions(module, [9, 14]) == (9, 14)


@pytest.mark.parametrize(
    "body",
    [
        "pass",
        '"""Do it."""',
        "...",
        "return",
        "return None",
        "print('done')",
        "print(f'{amount} withdrawn')",
        "result = amount",
        "result = int(amount) + 1",
        "context.result = amount",
        "context.done: bool = True",
        "context.amount = context.amount",
        "assert True",
        "amount = amount",
    ],
)
def test_a_body_without_effect_is_idle(body: str) -> None:
    assert is_idle(body), body


@pytest.mark.parametrize(
    "body",
    [
        "context.account.withdraw(amount)",
        "context.balance -= amount",
        "result = withdraw(amount)",
        "print(withdraw(amount))",
        "context.account.balance = amount",
        "context.items[0] = amount",
        "global total\ntotal = amount",
        "raise NotImplementedError",
        "assert context.account",
        "with context.open(): pass",
        "for _ in range(3): act()",
        "import time",
        "del context.account",
        "await context.account",
        "context.a, context.b = 1, 2",
        "return [withdraw(amount)]",
        "time.sleep(1)",
        "open('x', 'w')",
    ],
)
def test_a_body_that_may_have_an_effect_is_not(body: str) -> None:
    lines = "\n".join(f"    {line}" for line in body.split("\n"))
    module = ast.parse(f"async def act(context, amount):\n{lines}\n")
    assert idle_actions(module, [1]) == (), body


@pytest.mark.parametrize(
    "rest",
    [
        "def check(context):\n    assert context.done",
        "def check(ctx):\n    assert ctx.done",
        "def check(context):\n    assert 'done' in context",
        "def check(context):\n    assert getattr(context, name)",
        "def check(context):\n    context.done += 1",
        "def check(context):\n    assert context.__dict__",
        "def check(context):\n    assert hasattr(context, 'done')",
    ],
)
def test_what_another_function_may_read_is_an_action(rest: str) -> None:
    assert not is_idle("context.done = True", rest)


def test_to_print_is_an_action_where_the_output_is_looked_at() -> None:
    looks = "def check(context):\n    assert context.stdout_capture.getvalue() == 'done'"
    assert not is_idle("print('done')", looks)


def test_no_action_of_a_high_quality_seed_is_idle() -> None:
    for task in load_seeds("high_quality").tasks:
        code = first_block(task.instances[0].output, PYTHON)
        assert code is not None
        functions = read_step_functions(code.body)
        binding = bind(parse_scenario(scenario_of(task.instruction)), functions)
        lines = {one.line for step, one in binding.bound if one and step.kind == "when"}
        assert idle_actions(functions.module, lines) == (), task.name
