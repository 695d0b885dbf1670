"""A study's tables and its database: an SQLite file, or PostgreSQL.

An answer that a page reports as saved is on disk, because SQLite flushes its journal at every
commit.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Column,
    Engine,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.exc import ArgumentError

from ..core.errors import SelfBehaveError
from ..core.extras import needs_extra

__all__ = [
    "FORMAT",
    "METADATA",
    "WRITES",
    "answers",
    "connect",
    "datasets",
    "history",
    "is_url",
    "items",
    "orders",
    "raters",
    "settings",
]

FORMAT = "1"  # version of the tables
WRITES = {"selfbehave_writes": True}  # execution options of a connection that writes
_BUSY_SECONDS = 30
_MAX_VALUE = 64 * 2**20  # bytes
_CONNECTIONS = 40  # kept open; one per thread of the pages

METADATA = MetaData()

settings = Table(
    "study_settings",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
datasets = Table(
    "study_datasets",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("source", Text, nullable=False),
    Column("population", Integer, nullable=False),
)
items = Table(
    "study_items",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("dataset_id", ForeignKey(datasets.c.id), nullable=False),
    Column("scenario_id", Text, nullable=False),
    Column("row", Integer),  # row number in the dataset's file, from 1
    # ASCII JSON, since a row's texts may contain characters that a database rejects (U+0000).
    Column("texts", Text, nullable=False),
    UniqueConstraint("dataset_id", "scenario_id"),
)
raters = Table(
    "study_raters",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("token", Text, nullable=False, unique=True),
)
orders = Table(  # the order in which each rater sees the items
    "study_orders",
    METADATA,
    Column("rater_id", ForeignKey(raters.c.id), nullable=False),
    Column("position", Integer, nullable=False),  # from 1
    Column("item_id", ForeignKey(items.c.id), nullable=False),
    PrimaryKeyConstraint("rater_id", "position"),
    UniqueConstraint("rater_id", "item_id"),
)
answers = Table(
    "study_answers",
    METADATA,
    Column("rater_id", ForeignKey(raters.c.id), nullable=False),
    Column("item_id", ForeignKey(items.c.id), nullable=False),
    Column("field", Text, nullable=False),
    Column("value", Text, nullable=False),
    PrimaryKeyConstraint("rater_id", "item_id", "field"),
)
history = Table(  # every change of an answer; append-only
    "study_history",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("rater_id", ForeignKey(raters.c.id), nullable=False, index=True),
    Column("item_id", ForeignKey(items.c.id), nullable=False),
    Column("field", Text, nullable=False),
    Column("before", Text, nullable=False),  # "" for no answer
    Column("after", Text, nullable=False),
    Column("origin", Text, nullable=False),  # page, import or undo
    Column("undoes", ForeignKey("study_history.id")),
    Column("at", Float, nullable=False),  # seconds since 1970
)


def is_url(place: str) -> bool:
    """Whether a study's location is a database URL rather than a file."""
    return "://" in place


def connect(place: str) -> Engine:
    """The engine for a study's location; it connects on first use.

    Args:
        place: an SQLite file, or `postgresql://…`.

    Raises:
        SelfBehaveError: the URL is invalid, or is for another kind of database.
    """
    if not is_url(place):
        return _sqlite(Path(place))
    try:
        url = make_url(place)
    except ArgumentError as error:
        raise SelfBehaveError(
            "not the address of a database", where=place, mend="write postgresql://user@host/name"
        ) from error
    if url.drivername not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise SelfBehaveError(
            f"a study cannot be kept in {url.drivername!r}",
            mend="give a file, or postgresql://user@host/name",
        )
    with needs_extra("postgresql", "a study in PostgreSQL"):
        return create_engine(url.set(drivername="postgresql+psycopg"), pool_pre_ping=True)


def _sqlite(path: Path) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": _BUSY_SECONDS},
        pool_size=_CONNECTIONS,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # `begin` below starts transactions, not the driver
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        # The file may be untrusted: let its schema call only harmless functions, and reject values
        # larger than any in a study.
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_VALUE)

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        # A transaction that reads and then writes must hold the write lock from the start.
        is_writing = connection.get_execution_options().keys() & WRITES.keys()
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")

    return engine
