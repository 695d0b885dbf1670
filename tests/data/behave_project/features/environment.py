"""What holds around every scenario."""

from behave import fixture, use_fixture


@fixture
def days_log(context):
    context.log = []
    yield context.log


def before_scenario(context, scenario):
    use_fixture(days_log, context)
