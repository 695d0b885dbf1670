"""The study's store: its sample, its raters with their private links, and every answer they gave.

Answers are kept field by field, so that two tabs of one rater never undo each other's other
fields, and every change of one is kept beside it for good. Tokens of links are kept as they are,
so that the owner can see the links again: whoever can read the store can read the answers anyway.
"""

from __future__ import annotations

import hmac
import json
import os
import random
import re
import secrets
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, insert, inspect, select, update
from sqlalchemy.exc import DBAPIError

from ..errors import SelfBehaveError
from . import schema
from .answers import FIELDS, answers_of, rating_of
from .consensus import settle
from .items import StudyItem
from .ratings import CONSENSUS, Rating
from .sampling import Sample

__all__ = ["AUTOMATIC", "OWNER", "Dataset", "Rater", "Study", "checked_name"]

RATER = "rater"
OWNER = "owner"
MACHINE = "machine"
AUTOMATIC = ("auto", "llm")  # raters that are no people: they take no part in the consensus

_NAME = re.compile(r"[\w][\w .@-]{0,63}")
_TOKEN_BYTES = 24


@dataclass(frozen=True)
class Rater:
    """Who judges, or looks on.

    Attributes:
        role: "rater", "consensus", "owner", or "machine" for a rater that is no person.
        token: what their private link is made of.
    """

    id: int
    name: str
    role: str
    token: str


@dataclass(frozen=True)
class Dataset:
    """A dataset in a study: its name and file, its rows there, and the items drawn from them."""

    name: str
    source: str
    population: int
    items: int


class Study:
    """A study in a database; `create` and `open` make one of a place."""

    def __init__(self, place: str, engine: Engine) -> None:
        self.place = place
        self._engine = engine

    @classmethod
    def create(
        cls,
        place: str | Path,
        samples: Sequence[Sample],
        *,
        raters: Sequence[str] = (),
        random_seed: int = 42,
    ) -> Study:
        """Make a study of samples, with its raters, a consensus rater and an owner.

        Args:
            place: a file that is not there yet, or the address of a database without a study.
            random_seed: of the order in which each rater is shown the items of all samples.

        Raises:
            SelfBehaveError: there is a study already, a name is not one, or it cannot be written.
        """
        place = str(place)
        for name in raters:
            checked_name(name)
        if schema.is_url(place):
            study = cls(place, schema.connect(place))
            with study._told():
                if inspect(study._engine).has_table(schema.settings.name):
                    raise SelfBehaveError(
                        "there is a study in this database already",
                        where=study.shown_place,
                        mend="give another database",
                    )
                study._fill(samples, raters, random_seed)
            return study
        return cls._create_file(Path(place), samples, raters, random_seed)

    @classmethod
    def _create_file(
        cls, path: Path, samples: Sequence[Sample], raters: Sequence[str], random_seed: int
    ) -> Study:
        if path.exists():
            raise SelfBehaveError("the file is there already", where=path, mend="give another name")
        partial = path.with_name(path.name + ".partial")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Only the owner may read the links in it.
            os.close(os.open(partial, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
            study = cls(str(partial), schema.connect(str(partial)))
            with study, study._told():
                study._fill(samples, raters, random_seed)
            partial.replace(path)
        except OSError as error:
            raise SelfBehaveError(
                f"cannot be written: {error.strerror}",
                where=path,
                mend="check the folder and the disk",
            ) from error
        return cls(str(path), schema.connect(str(path)))

    @classmethod
    def open(cls, place: str | Path) -> Study:
        """Open a study.

        Raises:
            SelfBehaveError: there is no study in that place, or one of another format.
        """
        place = str(place)
        if not schema.is_url(place) and not Path(place).is_file():
            raise SelfBehaveError(
                "there is no such file", where=place, mend="make one with: selfbehave study sample"
            )
        study = cls(place, schema.connect(place))
        with study._told():
            is_study = inspect(study._engine).has_table(schema.settings.name)
            if not is_study or study.setting("format") != schema.FORMAT:
                study.close()
                raise SelfBehaveError(
                    "its format is of another version" if is_study else "not a study",
                    where=study.shown_place,
                    mend="use the version of selfbehave that made it"
                    if is_study
                    else "make one with: selfbehave study sample",
                )
        return study

    def close(self) -> None:
        self._engine.dispose()

    def __enter__(self) -> Study:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def shown_place(self) -> str:
        """The study's place without a password."""
        return str(self._engine.url) if schema.is_url(self.place) else self.place

    @property
    def secret(self) -> bytes:
        """The secret that the study's pages are signed with."""
        return bytes.fromhex(self.setting("secret") or "")

    def setting(self, name: str) -> str | None:
        """A setting of the study by its name."""
        query = select(schema.settings.c.value).where(schema.settings.c.name == name)
        with self._reading() as connection:
            return connection.scalar(query)

    def datasets(self) -> list[Dataset]:
        """The datasets, in the order they were given."""
        table, count = schema.datasets, func.count(schema.items.c.id)
        query = (
            select(table.c.name, table.c.source, table.c.population, count)
            .outerjoin(schema.items)
            .group_by(table.c.id, table.c.name, table.c.source, table.c.population)
            .order_by(table.c.id)
        )
        with self._reading() as connection:
            return [Dataset(*row) for row in connection.execute(query)]

    def items(self) -> list[StudyItem]:
        """Every item, by dataset and in the order of its file."""
        return list(self.items_by_id().values())

    def items_by_id(self) -> dict[int, StudyItem]:
        """Every item by its number in the store."""
        query = _select_items().order_by(schema.items.c.id)
        with self._reading() as connection:
            return {row.id: _item(row) for row in connection.execute(query)}

    def item(self, item_id: int) -> StudyItem | None:
        """One item by its number in the store."""
        with self._reading() as connection:
            row = connection.execute(_select_items().where(schema.items.c.id == item_id)).first()
        return None if row is None else _item(row)

    def raters(self) -> list[Rater]:
        """Everyone in the study, in the order they came."""
        with self._reading() as connection:
            return _raters(connection)

    def people(self) -> list[Rater]:
        """The raters whose verdicts the consensus is about."""
        return [rater for rater in self.raters() if rater.role == RATER]

    def rater_with(self, token: str) -> Rater | None:
        """Whose link a token is of; how long this takes tells nothing about any token."""
        given = token.encode("utf-8", "replace")
        found = None
        for rater in self.raters():
            if hmac.compare_digest(rater.token.encode(), given):
                found = rater
        return found

    def add_rater(self, name: str) -> Rater:
        """Add a rater, who is shown the items in an order of their own.

        Raises:
            SelfBehaveError: the name is not one, or is taken.
        """
        checked_name(name)
        with self._told(), self._writing() as connection:
            if any(rater.name == name for rater in _raters(connection)):
                raise SelfBehaveError(f"there is a rater named {name!r} already")
            return _add_rater(connection, name, RATER, self.setting("random_seed") or "")

    def renew_link(self, name: str) -> Rater:
        """Give a rater a new link; the old one leads nowhere from now on.

        Raises:
            SelfBehaveError: there is no such rater.
        """
        table = schema.raters
        changed = update(table).where(table.c.name == name).values(token=_new_token())
        with self._told(), self._writing() as connection:
            if connection.execute(changed).rowcount == 0:
                names = ", ".join(rater.name for rater in _raters(connection))
                raise SelfBehaveError(f"there is no rater named {name!r}", mend=f"give {names}")
            return next(rater for rater in _raters(connection) if rater.name == name)

    def order(self, rater: Rater) -> list[int]:
        """The numbers of the items in the order in which a rater is shown them."""
        table = schema.orders
        query = select(table.c.item_id).where(table.c.rater_id == rater.id)
        with self._reading() as connection:
            return list(connection.scalars(query.order_by(table.c.position)))

    def answers(self, rater: Rater) -> dict[int, dict[str, str]]:
        """A rater's answers by item and field; items without an answer are left out."""
        return self.answers_of_all([rater])[rater.id]

    def answers_of_all(self, raters: Sequence[Rater]) -> dict[int, dict[int, dict[str, str]]]:
        """The answers of several raters, by rater, item and field."""
        table = schema.answers
        query = select(table).where(table.c.rater_id.in_([rater.id for rater in raters]))
        told: dict[int, dict[int, dict[str, str]]] = {rater.id: {} for rater in raters}
        with self._reading() as connection:
            for row in connection.execute(query):
                told[row.rater_id].setdefault(row.item_id, {})[row.field] = row.value
        return told

    def answers_to(self, item_id: int, raters: Sequence[Rater]) -> dict[int, dict[str, str]]:
        """Raters' answers to one item, by rater and field."""
        table = schema.answers
        query = select(table).where(
            table.c.item_id == item_id, table.c.rater_id.in_([rater.id for rater in raters])
        )
        told: dict[int, dict[str, str]] = {rater.id: {} for rater in raters}
        with self._reading() as connection:
            for row in connection.execute(query):
                told[row.rater_id][row.field] = row.value
        return told

    def answer(
        self, rater: Rater, item_id: int, changes: Mapping[str, str], origin: str = "page"
    ) -> int:
        """Keep a rater's answers to an item; fields that are not given stay as they are.

        Args:
            changes: the new answers by field, "" for none.

        Returns:
            How many fields changed.
        """
        with self._told(), self._writing() as connection:
            _lock(connection, rater)
            return _change(connection, rater.id, item_id, changes, origin)

    def undo(self, rater: Rater) -> int | None:
        """Take back the last answer that a rater gave on a page and has not taken back.

        Returns:
            The item it was given to, or None where there is nothing to take back.
        """
        table = schema.history
        undone = select(table.c.undoes).where(
            table.c.rater_id == rater.id, table.c.undoes.is_not(None)
        )
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
        with self._told(), self._writing() as connection:
            _lock(connection, rater)
            row = connection.execute(last).first()
            if row is None:
                return None
            _change(
                connection, rater.id, row.item_id, {row.field: row.before}, "undo", undoes=row.id
            )
            return int(row.item_id)

    def history(self) -> list[dict[str, Any]]:
        """Every change of an answer, in order."""
        with self._reading() as connection:
            rows = connection.execute(select(schema.history).order_by(schema.history.c.id))
            return [dict(row._mapping) for row in rows]

    def ratings(self) -> list[Rating]:
        """Every rating with an answer, the consensus included, by rater and item.

        The consensus is what its rater answered, and what all raters agree on where they did not.
        """
        items, everyone = self.items_by_id(), self.raters()
        told = self.answers_of_all(everyone)
        people = [told[rater.id] for rater in everyone if rater.role == RATER]
        ratings = []
        for rater in sorted(everyone, key=lambda one: one.role == CONSENSUS):
            if rater.role == OWNER:
                continue
            for item_id, item in items.items():
                fields = told[rater.id].get(item_id, {})
                if rater.role == CONSENSUS:
                    fields = settle(fields, [given.get(item_id, {}) for given in people])
                if fields:
                    ratings.append(rating_of(item.dataset, item.scenario_id, rater.name, fields))
        return ratings

    def import_ratings(self, ratings: Sequence[Rating]) -> int:
        """Take ratings from elsewhere; what they leave unanswered stays as it is.

        A rater the study lacks is added. Where a study has no items at all, those that are rated
        become its items, without texts.

        Returns:
            How many answers changed.

        Raises:
            SelfBehaveError: a scenario is not in the study, or a rater rates one twice.
        """
        _refuse_repeated(ratings)
        with self._told(), self._writing() as connection:
            known = _item_ids(connection)
            if not known:
                _add_items(connection, _samples_of(ratings))
                known = _item_ids(connection)
            _refuse_unknown(ratings, known)
            seed = self.setting("random_seed") or ""
            by_name = {rater.name: rater for rater in _raters(connection)}
            changed = 0
            for rating in ratings:
                name = rating.rater
                if name not in by_name:
                    role = MACHINE if name in AUTOMATIC else RATER
                    by_name[name] = _add_rater(connection, checked_name(name, role), role, seed)
                item_id = known[rating.dataset, rating.scenario_id]
                changes = answers_of(rating)
                changed += _change(connection, by_name[name].id, item_id, changes, "import")
            return changed

    def _fill(self, samples: Sequence[Sample], raters: Sequence[str], random_seed: int) -> None:
        with self._writing() as connection:
            schema.METADATA.create_all(connection)
            values = {
                "format": schema.FORMAT,
                "random_seed": str(random_seed),
                "secret": secrets.token_hex(32),
                "created": str(time.time()),
            }
            rows = [{"name": name, "value": value} for name, value in values.items()]
            connection.execute(insert(schema.settings), rows)
            _add_items(connection, samples)
            roles = dict.fromkeys(raters, RATER) | {CONSENSUS: CONSENSUS, OWNER: OWNER}
            for name, role in roles.items():
                _add_rater(connection, name, role, str(random_seed))

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        connection = self._engine.connect().execution_options(**schema.WRITES)
        with connection, connection.begin():
            yield connection

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise SelfBehaveError(
                f"the study's database refuses: {error.orig}",
                where=self.shown_place,
                mend="check the file or address and the disk, then try again",
            ) from error


def checked_name(name: str, role: str = RATER) -> str:
    """A rater's name, if it may be one.

    Raises:
        SelfBehaveError: it is empty, too long, has odd characters, or means something else.
    """
    if not _NAME.fullmatch(name) or name != name.strip():
        raise SelfBehaveError(
            f"{name!r} is no name for a rater",
            mend="use up to 64 letters, digits, spaces and . @ _ -",
        )
    if name in (CONSENSUS, OWNER) or (role != MACHINE and name in AUTOMATIC):
        raise SelfBehaveError(f"the name {name!r} is taken", mend="give the rater another")
    return name


def _select_items() -> Any:
    table = schema.items
    return select(table, schema.datasets.c.name.label("dataset")).join(schema.datasets)


def _item(row: Any) -> StudyItem:
    return StudyItem(row.dataset, row.scenario_id, **json.loads(row.texts))


def _raters(connection: Connection) -> list[Rater]:
    query = select(schema.raters).order_by(schema.raters.c.id)
    return [Rater(*row) for row in connection.execute(query)]


def _new_token() -> str:
    return secrets.token_urlsafe(_TOKEN_BYTES)


def _add_rater(connection: Connection, name: str, role: str, random_seed: str) -> Rater:
    values = {"name": name, "role": role, "token": _new_token()}
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


def _add_items(connection: Connection, samples: Sequence[Sample]) -> None:
    seen: set[str] = set()
    for sample in samples:
        if sample.dataset in seen:
            raise SelfBehaveError(
                f"two datasets are named {sample.dataset!r}",
                mend="name one otherwise: NAME=FILE",
            )
        seen.add(sample.dataset)
        (dataset_id,) = connection.execute(
            insert(schema.datasets)
            .values(name=sample.dataset, source=sample.source, population=sample.population)
            .returning(schema.datasets.c.id)
        ).one()
        connection.execute(
            insert(schema.items),
            [
                {
                    "dataset_id": dataset_id,
                    "scenario_id": item.scenario_id,
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


def _item_ids(connection: Connection) -> dict[tuple[str, str], int]:
    return {(row.dataset, row.scenario_id): row.id for row in connection.execute(_select_items())}


def _lock(connection: Connection, rater: Rater) -> None:
    """Make one rater's changes wait for each other; SQLite's writers wait already."""
    table = schema.raters
    connection.execute(select(table.c.id).where(table.c.id == rater.id).with_for_update())


def _change(
    connection: Connection,
    rater_id: int,
    item_id: int,
    changes: Mapping[str, str],
    origin: str,
    undoes: int | None = None,
) -> int:
    """Change answers and add to their history what changed."""
    table = schema.answers
    mine = (table.c.rater_id == rater_id, table.c.item_id == item_id)
    known: dict[str, str] = {
        row.field: row.value for row in connection.execute(select(table).where(*mine))
    }
    changed = 0
    for field, after in changes.items():
        if field not in FIELDS:
            raise ValueError(f"no field of an answer: {field!r}")
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


def _samples_of(ratings: Sequence[Rating]) -> list[Sample]:
    """The scenarios that ratings are of, as samples without texts."""
    ids: dict[str, dict[str, None]] = defaultdict(dict)
    for rating in ratings:
        ids[rating.dataset].setdefault(rating.scenario_id)
    return [
        Sample(
            dataset,
            "imported ratings",
            len(of_dataset),
            tuple(StudyItem(dataset, one, "", "", "", "") for one in of_dataset),
            tuple(range(1, len(of_dataset) + 1)),
        )
        for dataset, of_dataset in ids.items()
    ]


def _refuse_repeated(ratings: Sequence[Rating]) -> None:
    seen = set()
    for rating in ratings:
        key = (rating.rater, rating.dataset, rating.scenario_id)
        if key in seen:
            raise SelfBehaveError(
                f"rater {rating.rater} rates scenario {rating.scenario_id} of {rating.dataset} "
                "twice",
                mend="keep one of the two",
            )
        seen.add(key)


def _refuse_unknown(ratings: Sequence[Rating], known: Mapping[tuple[str, str], int]) -> None:
    unknown = {
        (rating.dataset, rating.scenario_id): None
        for rating in ratings
        if (rating.dataset, rating.scenario_id) not in known
    }
    if unknown:
        dataset, scenario_id = next(iter(unknown))
        raise SelfBehaveError(
            f"{len(unknown)} rated scenarios are not in the study, the first of them "
            f"{scenario_id} of {dataset}",
            mend="datasets and scenario ids must be those of the study; or import into a new file",
        )
