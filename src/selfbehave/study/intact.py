"""Checking that an SQLite file matches `schema`, since the file may come from an untrusted source.

SQLite stores values of any type in any column and runs the triggers and views in a file. It checks
foreign keys only when a row is written.
"""

from __future__ import annotations

from sqlalchemy import Connection, Float, Integer, Table, inspect

from . import schema
from .ratings import CONSENSUS
from .table_rows import OWNER, read_raters

__all__ = ["fault_of"]


def fault_of(connection: Connection) -> str | None:
    """What is wrong with a study in SQLite; None if it is intact."""
    programs = connection.exec_driver_sql(
        "SELECT count(*) FROM sqlite_schema WHERE type IN ('trigger', 'view')"
    )
    if programs.scalar():
        return "it has triggers or views, as no study has"
    there = inspect(connection)
    for table in schema.METADATA.sorted_tables:
        if not there.has_table(table.name):
            return f"it has no table {table.name}"
        missing = {*table.columns.keys()} - {one["name"] for one in there.get_columns(table.name)}
        if missing:
            return f"its table {table.name} has no column {min(missing)}"
    damage = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if damage != "ok":
        return f"it is damaged: {damage}"
    for table in schema.METADATA.sorted_tables:
        if connection.exec_driver_sql(_of_wrong_types(table)).first():
            return f"its table {table.name} holds a value of a wrong type"
    if connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        return "a row of it refers to one that is not there"
    roles = [rater.role for rater in read_raters(connection)]
    if not roles.count(OWNER) == roles.count(CONSENSUS) == 1:
        return "it has not one owner and one consensus rater"
    return None


def _of_wrong_types(table: Table) -> str:
    """A query for a row with a value whose type does not match its column."""
    tests = []
    for column in table.columns:
        if column.foreign_keys or isinstance(column.type, Integer):
            types = ["integer"]
        elif isinstance(column.type, Float):
            types = ["real", "integer"]
        else:
            types = ["text"]
        if column.nullable:
            types.append("null")
        tests.append(f'typeof("{column.name}") NOT IN ({", ".join(map(repr, types))})')
    return f'SELECT 1 FROM "{table.name}" WHERE {" OR ".join(tests)} LIMIT 1'
