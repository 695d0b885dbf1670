"""Steps of placing an order."""

import counting
from behave import then, when
from shop.counter import Counter, OutOfStockError  # the application itself
from shop.money import amount
from wording import plural as as_plural


@when("{name:w} orders")
@when("{name:w} orders:")
def step_impl(context, name):
    context.receipt = place(context, counting.lines_of(context.table))


@when('{name:w} orders {count:d} of "{item}"')
def step_impl(context, name, count, item):  # noqa: F811
    context.refusal = None
    try:
        context.receipt = place(context, [(item, count)])
    except OutOfStockError as error:
        context.refusal = str(error)


@then("the order costs {total} euros")
def step_impl(context, total):  # noqa: F811
    assert context.counter.total == amount(total), context.counter.total


@then('the order is refused because "{reason}"')
def step_impl(context, reason):  # noqa: F811
    assert context.refusal == reason, context.refusal


@then("the receipt reads")
@then("the receipt reads:")
def step_impl(context):  # noqa: F811
    assert context.receipt == context.text, context.receipt


@then("the log of the day has {count:d} {noun:w}")
def step_impl(context, count, noun):  # noqa: F811
    assert noun == as_plural("entry", count)
    assert len(context.log) == count


def place(context, lines):
    """Order at the counter, and note it in the day's log where there is one."""
    counter: Counter = context.counter
    receipt = counter.order(lines)
    if "log" in context:
        context.log.append(receipt)
    return receipt


def unused_helper():
    raise NotImplementedError
