"""The rung `causal`: cheats that models write do not reach it, and honest code does."""

import time

import pytest

from selfbehave.bdd import Limits, Rung, climb_pairs, sandbox
from selfbehave.bdd.faults import Fault, FaultCode, sentence
from selfbehave.bdd.ladder import Ladder

pytestmark = pytest.mark.skipif(sandbox.missing() is not None, reason=str(sandbox.missing()))

ACCOUNT = """Scenario: Withdraw money from a savings account
  Given Mia's savings account holds 100 euros
  And her limit is 50 euros a day
  When Mia withdraws 30 euros
  Then the savings account holds 70 euros
"""
HONEST = """from behave import given, when, then


class Account:
    def __init__(self, balance):
        self.balance = balance
        self.limit = None

    def withdraw(self, amount):
        if amount <= self.limit:
            self.balance -= amount


@given("Mia's savings account holds {balance:d} euros")
def step_account(context, balance):
    context.account = Account(balance)


@given("her limit is {limit:d} euros a day")
def step_limit(context, limit):
    context.account.limit = limit


@when("Mia withdraws {amount:d} euros")
def step_withdraw(context, amount):
    context.account.withdraw(amount)


@then("the savings account holds {balance:d} euros")
def step_balance(context, balance):
    assert context.account.balance == balance
"""


def climbed(scenario: str, code: str, limits: Limits | None = None) -> Ladder:
    (ladder,) = climb_pairs([(scenario, code)], limits=limits)
    return ladder


def blocked_by(scenario: str, code: str) -> FaultCode:
    """What keeps a pair that is discriminating from being causal."""
    ladder = climbed(scenario, code)
    assert ladder.rung == Rung.DISCRIMINATING, ladder
    (fault,) = [one for one in ladder.faults if one.code in _OF_CAUSES]
    return fault.code


_OF_CAUSES = (
    FaultCode.NO_ACTION,
    FaultCode.GREEN_WITHOUT_ACTION,
    FaultCode.NO_INPUT_VALUE,
    FaultCode.NO_INPUT_TURNS_RED,
)


def account_with(*, given: str = "pass", limit: str = "pass", when: str, then: str) -> str:
    """Step functions of the account as a model writes them, each with a body of one line."""
    return f"""from behave import given, when, then

@given("Mia's savings account holds {{balance:d}} euros")
def step_impl(context, balance):
    {given}

@given("her limit is {{limit:d}} euros a day")
def step_impl(context, limit):
    {limit}

@when("Mia withdraws {{amount:d}} euros")
def step_impl(context, amount):
    {when}

@then("the savings account holds {{balance:d}} euros")
def step_impl(context, balance):
    {then}
"""


def test_an_outcome_with_its_causes_is_causal_and_the_input_is_recorded() -> None:
    ladder = climbed(ACCOUNT, HONEST)
    assert ladder.rung == Rung.CAUSAL
    assert ladder.faults == ()
    assert ladder.change == "line 5: '70' became '71'"
    assert ladder.input_change == "line 4: '30' became '31'"
    assert ladder.to_dict()["input_change"] == ladder.input_change


def test_a_then_that_finds_nothing_to_look_at_without_the_action_is_red() -> None:
    code = account_with(
        given="context.balance = balance",
        limit="context.balance += 0 * limit",
        when="context.left = context.balance - amount",
        then="assert context.left == balance",
    )
    assert climbed(ACCOUNT, code).rung == Rung.CAUSAL


# Cheats. Each of them runs green, and goes red when its expected value is changed.


def test_a_then_that_compares_its_number_with_a_literal_is_not_causal() -> None:
    code = account_with(when="context.withdrawn = amount", then="assert balance == 70")
    assert blocked_by(ACCOUNT, code) == FaultCode.GREEN_WITHOUT_ACTION
    assert FaultCode.HARD_CODED_OUTCOME in {one.code for one in climbed(ACCOUNT, code).faults}


def test_a_given_that_sets_what_the_then_reads_is_not_causal() -> None:
    code = account_with(
        given="context.balance = 70", when="pass", then="assert context.balance == balance"
    )
    assert blocked_by(ACCOUNT, code) == FaultCode.GREEN_WITHOUT_ACTION
    assert FaultCode.IDLE_ACTION in {one.code for one in climbed(ACCOUNT, code).faults}


def test_a_given_that_already_does_what_the_when_says_is_not_causal() -> None:
    code = account_with(
        given="context.balance = balance - 30",
        when='print(f"Mia withdraws {amount} euros")',
        then="assert context.balance == balance",
    )
    assert blocked_by(ACCOUNT, code) == FaultCode.GREEN_WITHOUT_ACTION


def test_a_when_that_sets_the_expected_literal_is_not_causal() -> None:
    code = account_with(when="context.balance = 70", then="assert context.balance == balance")
    assert blocked_by(ACCOUNT, code) == FaultCode.NO_INPUT_TURNS_RED


def test_a_then_that_only_asks_whether_anything_was_done_is_not_causal() -> None:
    code = account_with(when="context.done = True", then="assert context.done and balance == 70")
    assert blocked_by(ACCOUNT, code) == FaultCode.NO_INPUT_TURNS_RED


@pytest.mark.parametrize("place", ["given", "limit", "when"])
def test_steps_that_check_their_own_inputs_do_not_make_an_outcome_causal(place: str) -> None:
    checks = {
        "given": "assert balance == 100",
        "limit": "assert limit == 50",
        "when": "context.balance = {30: 70}[amount]",
    }
    bodies = {"when": "context.balance = 70", place: checks[place]}
    code = account_with(**bodies, then="assert context.balance == balance")
    assert blocked_by(ACCOUNT, code) == FaultCode.NO_INPUT_TURNS_RED


MESSAGE = """Scenario: Reset a forgotten password
  Given Ana has an account with the address "ana@mail.example"
  When she asks for a new password
  Then she sees "A link was sent to ana@mail.example"
"""
MIRRORED = '''from behave import given, when, then


def get_message(message):
    """Return the message that is shown on the page."""
    return message


@given('Ana has an account with the address "{address}"')
def step_account(context, address):
    context.address = address


@when('she asks for a new password')
def step_ask(context):
    context.message = get_message("A link was sent to ana@mail.example")


@then('she sees "{message}"')
def step_see(context, message):
    assert context.message == message
'''


def test_a_message_compared_with_itself_through_the_code_is_not_causal() -> None:
    assert blocked_by(MESSAGE, MIRRORED) == FaultCode.NO_INPUT_TURNS_RED
    honest = MIRRORED.replace(
        '"A link was sent to ana@mail.example")', 'f"A link was sent to {context.address}")'
    )
    assert climbed(MESSAGE, honest).rung == Rung.CAUSAL


def test_a_then_that_hangs_without_the_action_does_not_count_as_red() -> None:
    code = account_with(
        given="context.balance = balance",
        when="context.withdrawn = amount",
        then=(
            "exec('while not hasattr(context, \"withdrawn\"): pass'); "
            "assert context.balance - context.withdrawn == balance"
        ),
    )
    ladder = climbed(ACCOUNT, code, Limits(seconds=1.5))
    assert ladder.rung == Rung.DISCRIMINATING
    assert FaultCode.GREEN_WITHOUT_ACTION in {one.code for one in ladder.faults}


# What there must be


def test_a_scenario_without_an_action_is_not_causal() -> None:
    scenario = "Scenario: s\n  Given a shelf of 3 books\n  Then it holds 3 books\n"
    code = """from behave import given, then
@given('a shelf of {count:d} books')
def step_shelf(context, count):
    context.count = count
@then('it holds {count:d} books')
def step_count(context, count):
    assert context.count == count
"""
    assert blocked_by(scenario, code) == FaultCode.NO_ACTION


def test_a_scenario_that_states_no_input_is_not_causal() -> None:
    scenario = "Scenario: s\n  Given a shelf\n  When a book is put there\n  Then it holds 1 book\n"
    code = """from behave import given, when, then
@given('a shelf')
def step_shelf(context):
    context.count = 0
@when('a book is put there')
def step_put(context):
    context.count += 1
@then('it holds {count:d} book')
def step_count(context, count):
    assert context.count == count
"""
    assert blocked_by(scenario, code) == FaultCode.NO_INPUT_VALUE


OUTLINE = """Scenario Outline: Discount for <count> books
  Given a book costs <price> euros
  When <count> books are bought
  Then <total> euros are paid
  And the receipt says "<count> books"

  Examples:
    | price | count | total |
    | 10    | 2     | 20    |
    | 10    | 3     | 30    |
"""
OUTLINE_CODE = """from behave import given, when, then
@given('a book costs {price:d} euros')
def step_price(context, price):
    context.price = price
@when('{count:d} books are bought')
def step_buy(context, count):
    context.count, context.total = count, PRODUCT
@then('{total:d} euros are paid')
def step_paid(context, total):
    assert context.total == total
@then('the receipt says "{text}"')
def step_receipt(context, text):
    assert f"{context.count} books" == text
"""


def test_an_example_value_that_is_only_an_input_shows_the_cause() -> None:
    ladder = climbed(OUTLINE, OUTLINE_CODE.replace("PRODUCT", "context.price * count"))
    assert ladder.rung == Rung.CAUSAL
    assert ladder.input_change == "line 9: '10' became '11'"


def test_an_example_value_that_a_then_uses_too_shows_no_cause() -> None:
    answers = OUTLINE_CODE.replace("PRODUCT", "{2: 20, 3: 30}[count]")
    assert blocked_by(OUTLINE, answers) == FaultCode.NO_INPUT_TURNS_RED


def test_each_scenario_of_a_text_needs_its_causes() -> None:
    both = f"{ACCOUNT}\nScenario: The next day\n  Given Mia's savings account holds 9 euros\n"
    cheat = f"{both}  When Mia withdraws 0 euros\n  Then the savings account holds 9 euros\n"
    code = HONEST.replace("self.limit = None", "self.limit = 0")
    assert blocked_by(cheat, code) == FaultCode.GREEN_WITHOUT_ACTION


def test_several_actions_are_left_out_together() -> None:
    scenario = ACCOUNT + (
        "  When Mia withdraws 20 euros\n  And Mia withdraws 0 euros\n"
        "  Then the savings account holds 50 euros\n"
    )
    assert climbed(scenario, HONEST).rung == Rung.CAUSAL


# Idle steps


def idle_steps(ladder: Ladder) -> list[Fault]:
    return [fault for fault in ladder.faults if fault.code == FaultCode.IDLE_STEP]


def test_a_given_that_the_code_ignores_is_reported_with_its_step_and_lowers_nothing() -> None:
    code = HONEST.replace("if amount <= self.limit:", "if amount:")
    ladder = climbed(ACCOUNT, code)
    assert ladder.rung == Rung.CAUSAL
    (fault,) = idle_steps(ladder)
    assert (fault.line, fault.detail.text) == (3, "her limit is 50 euros a day")
    assert sentence(fault) == "line 3: idle step: green without 'Given her limit is 50 euros a day'"


def test_idle_steps_are_looked_for_only_where_the_pair_passes_and_the_top_is_causal() -> None:
    code = HONEST.replace("if amount <= self.limit:", "if amount:")
    (lower,) = climb_pairs([(ACCOUNT, code)], top=Rung.DISCRIMINATING)
    assert idle_steps(lower) == []
    failing = code.replace("self.balance -= amount", "self.balance -= 1")
    assert idle_steps(climbed(ACCOUNT, failing)) == []
    vague = code.replace("assert context.account.balance == balance", "assert balance")
    ladder = climbed(ACCOUNT, vague)
    assert ladder.rung == Rung.PASSING
    assert [fault.line for fault in idle_steps(ladder)] == [3]


def test_static_faults_of_a_pair_lower_nothing_and_need_no_sandbox() -> None:
    code = account_with(when="pass", then="assert balance == 70")
    (ladder,) = climb_pairs([(ACCOUNT, code)], top=Rung.BOUND)
    assert ladder.rung == Rung.BOUND
    told = [sentence(one) for one in ladder.faults if one.code != FaultCode.IGNORED_VALUE]
    assert len(ladder.faults) - len(told) == 3, "no number of its Givens and its When is used"
    assert told == [
        "hard-coded outcome: only 'balance == 70' is compared by "
        "@then('the savings account holds {balance:d} euros') step_impl, line 16",
        "idle action: nothing is done by "
        "@when('Mia withdraws {amount:d} euros') step_impl, line 12",
    ]


def test_code_that_sleeps_through_every_variant_costs_ten_limits_of_one_run() -> None:
    code = account_with(
        given="context.balance = balance",
        when="context.balance = 70",
        then="assert context.balance == balance",
    )
    slow = f"import time\nfrom pathlib import Path\n{code}".replace(
        "    context.balance = 70",
        "    text = Path('/pair/features/one.feature').read_text()\n"
        "    time.sleep(0.7 * ('30' not in text or '100' not in text or '50' not in text))\n"
        "    context.balance = 70",
    )
    started = time.monotonic()
    ladder = climbed(ACCOUNT, slow, Limits(seconds=1))
    assert time.monotonic() - started < 30  # 32 changes would take it that long
    (fault,) = [one for one in ladder.faults if one.code == FaultCode.NO_INPUT_TURNS_RED]
    assert fault.detail.count < 20
