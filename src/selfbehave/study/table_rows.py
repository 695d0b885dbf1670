"""Reading and changing a study's rows within a transaction."""

from __future__ import annotations

import json
import random
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, case, delete, func, insert, or_, select, update

from ..core.errors import SelfBehaveError
from ..core.printable import REPLACEMENT
from . import schema
from .items import StudyItem
from .rater_answers import FIELDS, NO, YES, questions_of
from .ratings import AUTOMATIC, CONSENSUS, CRITERIA
from .sampling import Sample

__all__ = [
    "MACHINE",
    "OWNER",
    "RATER",
    "Dataset",
    "Rater",
    "add_items",
    "add_rater",
    "answers_to",
    "change",
    "checked_identifier",
    "checked_name",
    "finished",
    "item_ids",
    "item_of",
    "last_on_page",
    "lock",
    "new_token",
    "read_raters",
    "select_items",
]

RATER = "rater"
OWNER = "owner"
MACHINE = "machine"

_NAME = re.compile(r"[\w][\w .@-]{0,63}")
_TOKEN_BYTES = 24
_LONGEST_IDENTIFIER = 1_000  # characters
# Characters that a database cannot store: lone surrogates and, in PostgreSQL, U+0000.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class Rater:
    """A person or program that rates, or the owner, who observes.

    Attributes:
        role: "rater", "consensus", "owner", or "machine" for an automatic rater.
        token: the token in their private link.
    """

    id: int
    name: str
    role: str
    token: str


@dataclass(frozen=True)
class Dataset:
    """A dataset in a study: its name and file, its row count, and the number of drawn items."""

    name: str
    source: str
    population: int
    items: int


def checked_name(name: str, role: str = RATER) -> str:
    """Return a rater's name if it is valid.

    Raises:
        SelfBehaveError: the name is empty, too long or reserved, or has invalid characters.
    """
    if not _NAME.fullmatch(name) or name != name.strip():
        raise SelfBehaveError(
            f"{name!r} is not a valid rater name",
            mend="use up to 64 letters, digits, spaces and . @ _ -",
        )
    if name in (CONSENSUS, OWNER) or (role != MACHINE and name in AUTOMATIC):
        raise SelfBehaveError(f"the name {name!r} is taken", mend="give the rater another")
    return name


def checked_identifier(text: str) -> str:
    """Return a dataset's name or a scenario's id if it is valid.

    Raises:
        SelfBehaveError: the text is too long or has characters that a database cannot store.
    """
    if len(text) > _LONGEST_IDENTIFIER or _UNSTORABLE.search(text):
        raise SelfBehaveError(
            f"{text[:40]!r} is not a valid name of a dataset or a scenario",
            mend=f"use up to {_LONGEST_IDENTIFIER:,} characters, and no U+0000",
        )
    return text


def select_items() -> Any:
    """The query for every item with its dataset's name."""
    table = schema.items
    return select(table, schema.datasets.c.name.label("dataset")).join(schema.datasets)


def item_of(row: Any) -> StudyItem:
    """The item in a row of `select_items`.

    Raises:
        ValueError: the texts are not valid JSON.
        TypeError: the texts are not those of an item.
    """
    texts = json.loads(row.texts)
    if not (isinstance(texts, dict) and all(isinstance(text, str) for text in texts.values())):
        raise TypeError("an item's texts are no texts")
    return StudyItem(row.dataset, row.scenario_id, **texts)


def read_raters(connection: Connection) -> list[Rater]:
    """Everyone in the study, in the order they joined."""
    query = select(schema.raters).order_by(schema.raters.c.id)
    return [Rater(*row) for row in connection.execute(query)]


def new_token() -> str:
    """A new unguessable token."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def add_rater(connection: Connection, name: str, role: str, random_seed: str) -> Rater:
    """Add a rater; the seed and their name determine the order of their items."""
    values = {"name": name, "role": role, "token": new_token()}
    (rater_id,) = connection.execute(
        insert(schema.raters).values(values).returning(schema.raters.c.id)
    ).one()
    order = list(connection.scalars(select(schema.items.c.id).order_by(schema.items.c.id)))
    random.Random(f"{random_seed} order {name}").shuffle(order)
    if order:
        connection.execute(
            insert(schema.orders),
            [
                {"rater_id": rater_id, "position": position, "item_id": item_id}
                for position, item_id in enumerate(order, start=1)
            ],
        )
    return Rater(rater_id, **values)


def add_items(connection: Connection, samples: Sequence[Sample]) -> None:
    """Add samples' datasets and items.

    Raises:
        SelfBehaveError: two datasets have the same name.
    """
    seen: set[str] = set()
    for sample in samples:
        if sample.dataset in seen:
            raise SelfBehaveError(
                f"two datasets are named {sample.dataset!r}",
                mend="rename one: NAME=FILE",
            )
        seen.add(sample.dataset)
        (dataset_id,) = connection.execute(
            insert(schema.datasets)
            .values(
                name=checked_identifier(sample.dataset),
                source=_UNSTORABLE.sub(REPLACEMENT, sample.source),
                population=sample.population,
            )
            .returning(schema.datasets.c.id)
        ).one()
        connection.execute(
            insert(schema.items),
            [
                {
                    "dataset_id": dataset_id,
                    "scenario_id": checked_identifier(item.scenario_id),
                    "row": row,
                    "texts": json.dumps(
                        {
                            "name": item.name,
                            "instruction": item.instruction,
                            "input": item.input,
                            "output": item.output,
                        }
                    ),
                }
                for item, row in zip(sample.items, sample.rows, strict=True)
            ],
        )


def item_ids(connection: Connection) -> dict[tuple[str, str], int]:
    """The number of each item in the store, by dataset and scenario id."""
    return {(row.dataset, row.scenario_id): row.id for row in connection.execute(select_items())}


def lock(connection: Connection, rater: Rater) -> None:
    """Serialize one rater's changes; SQLite already serializes all writers."""
    table = schema.raters
    connection.execute(select(table.c.id).where(table.c.id == rater.id).with_for_update())


def answers_to(connection: Connection, rater_id: int, item_id: int) -> dict[str, str]:
    """A rater's answers to one item, by field."""
    table = schema.answers
    query = select(table).where(table.c.rater_id == rater_id, table.c.item_id == item_id)
    return {row.field: row.value for row in connection.execute(query)}


def finished(connection: Connection, rater_id: int) -> int:
    """The number of items a rater has finished, by the rule of `rater_answers.is_finished`."""
    return connection.scalar(_finished(), {"rater_id": rater_id}) or 0


@cache  # building the statement takes as long as executing it
def _finished() -> Any:
    table = schema.answers
    bits = {field: 1 << place for place, field in enumerate(FIELDS)}
    # One bit per answered field, so one pass over the rater's answers is enough.
    answered = func.sum(case(bits, value=table.c.field, else_=0))

    def has(*fields: str) -> Any:
        mask = sum(bits[field] for field in fields)
        return answered.bitwise_and(mask) == mask

    items = (
        select(table.c.item_id)
        .where(table.c.rater_id == bindparam("rater_id"), table.c.value.in_((YES, NO)))
        .group_by(table.c.item_id)
        .having(*(or_(has(one), has(*questions_of(one))) for one in CRITERIA))
    )
    return select(func.count()).select_from(items.subquery())


def change(
    connection: Connection,
    rater_id: int,
    item_id: int,
    changes: Mapping[str, str],
    origin: str,
    undoes: int | None = None,
) -> int:
    """Change answers to one item and record the changes in the history.

    Args:
        changes: the new answers by field; "" removes an answer.
        undoes: the change in the history that this one undoes.

    Returns:
        The number of changed answers.
    """
    table = schema.answers
    mine = (table.c.rater_id == rater_id, table.c.item_id == item_id)
    known = answers_to(connection, rater_id, item_id)
    changed = 0
    for field, given in changes.items():
        if field not in FIELDS:
            raise ValueError(f"no field of an answer: {field!r}")
        after = _UNSTORABLE.sub(REPLACEMENT, given)
        before = known.get(field, "")
        if before == after and undoes is None:
            continue
        if not after:
            connection.execute(delete(table).where(*mine, table.c.field == field))
        elif before:
            connection.execute(
                update(table).where(*mine, table.c.field == field).values(value=after)
            )
        else:
            row = {"rater_id": rater_id, "item_id": item_id, "field": field, "value": after}
            connection.execute(insert(table).values(row))
        connection.execute(
            insert(schema.history).values(
                rater_id=rater_id,
                item_id=item_id,
                field=field,
                before=before,
                after=after,
                origin=origin,
                undoes=undoes,
                at=time.time(),
            )
        )
        changed += 1
    return changed


def last_on_page(connection: Connection, rater: Rater) -> Any:
    """The last change on a page that a rater has not undone; None if there is none."""
    table = schema.history
    undone = select(table.c.undoes).where(table.c.rater_id == rater.id, table.c.undoes.is_not(None))
    last = (
        select(table)
        .where(
            table.c.rater_id == rater.id,
            table.c.origin == "page",
            table.c.id.not_in(undone),
        )
        .order_by(table.c.id.desc())
        .limit(1)
    )
    return connection.execute(last).first()
