"""Steps that several features share: what is on sale, and on which terms."""

from datetime import date

from behave import given, register_type, step, then, use_step_matcher, when
from counting import *  # noqa: F403
from parse_type import TypeBuilder
from shop.counter import Counter
from shop.money import amount

parse_day = TypeBuilder.make_choice(["2026-03-31", "2026-04-01"])


def parse_share(text):
    return int(text) / 100


parse_share.pattern = r"\d+"
register_type(Day=parse_day, Share=parse_share)


@given("the bakery sells:")
def step_bakery_sells(context):
    context.counter = Counter(
        {row["item"]: (amount(row["price"]), int(row["baked"])) for row in context.table}
    )


@given("no coupon is in use")
def step_no_coupon(context):
    context.counter.discount = 0


@step("a coupon of {share:Share} percent is in use")
def step_coupon(context, share):
    context.counter.discount = share


use_step_matcher("re")


@given(r"a coupon that ends on (?P<day>\d{4}-\d\d-\d\d)")
def step_last_day(context, day):
    context.last_day = date.fromisoformat(day)


@when(r"it is shown on (?P<day>\d{4}-\d\d-\d\d)")
def step_shown(context, day):
    context.is_taken = date.fromisoformat(day) <= context.last_day


@then(r"it is (?P<verdict>taken|refused)")
def step_verdict(context, verdict):
    assert context.is_taken == (verdict == "taken")


use_step_matcher("parse")


@then('{count:d} of "{item}" are left')
def step_left(context, count, item):
    assert left_of(context.counter, item) == count  # noqa: F405
