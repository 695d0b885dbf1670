"""Counting, for the steps."""

FIELDS = ("item", "count")


def lines_of(table):
    """The lines of an order: each item and how many of it."""
    return [(row[FIELDS[0]], int(row[FIELDS[1]])) for row in table]


def left_of(counter, item):
    return counter.shelf[item]
