"""What several features of the library share."""

import pytest
from pytest_bdd import given, parsers


@pytest.fixture
def shelf():
    return ["Momo"] * 5


@pytest.fixture
def library(shelf):
    """All that is lent and kept."""
    return {"shelf": shelf, "fines": {}}


@given(parsers.parse('a reader called "{name}"'), target_fixture="reader")
def _(name):
    return {"name": name, "books": 0}
