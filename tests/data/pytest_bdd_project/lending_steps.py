"""The steps of the lending feature; the test module binds its scenarios."""

import rates
from pytest_bdd import parsers, then, when


@when(parsers.parse("she borrows {count:d} books"))
def borrow(reader, library, count):
    reader["books"] += count
    del library["shelf"][:count]


@then(parsers.parse("{count:d} books are on the shelf"))
def _(library, count):
    assert len(library["shelf"]) == count


@then("her card reads:")
def _(reader, docstring):
    assert f"{reader['name']}: {reader['books']}" == docstring


@when(
    parsers.re(r"a book comes back (?P<days>\d+) days? late$"),
    converters={"days": int},
    target_fixture="fine",
)
def _(days: int) -> int:
    """What the reader owes."""
    return rates.fine_of(
        days,
    )


@then(parsers.re(r"the fine is (?P<cents>\d+) cents"))
def _(fine, cents):
    assert fine == int(cents)


@when("these books arrive:")
def _(library, datatable):
    rows = datatable[1:]
    library["shelf"] = [title for title, _ in sorted(rows, key=lambda row: row[1])]


@then(parsers.parse('the first on the shelf is "{title}"'))
def _(library, title):
    assert library["shelf"][0] == title


@when("a mail is written to a file")
def _(tmp_path):
    (tmp_path / "mail").write_text("Dear reader")


@then("it is sent")
def _():
    pass


@when("the loan is watched", target_fixture="watch")
def _(reader):
    if reader["books"]:
        return "many"
    return "none"


@then("nothing is heard of it")
def _(watch):
    assert watch == "none"
