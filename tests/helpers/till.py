"""A scenario with honest step functions, for tests that alter either."""

SCENARIO = "Scenario: A till\n  Given 3 coins\n  When 2 more come\n  Then there are 5 coins"
HONEST = """\
from behave import given, when, then

@given("{coins:d} coins")
def have(context, coins):
    context.coins = coins

@when("{more:d} more come")
def add(context, more):
    context.coins += more

@then("there are {coins:d} coins")
def count(context, coins):
    assert context.coins == coins
"""
