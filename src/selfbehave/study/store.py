"""The study's store: its sample, its raters with their private links, and all their answers.

The store saves each field separately, so two tabs of one rater never overwrite each other's other
fields. It keeps the full history of each answer. It stores link tokens in plain text, so that the
owner can see the links again. Anyone with read access to the store can read the answers anyway.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, astuple
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, inspect, select, update
from sqlalchemy.exc import DBAPIError

from ..core.errors import SelfBehaveError
from . import schema
from . import table_rows as rows
from .consensus import settle
from .criteria_guide import QUESTIONS, Question
from .imported import refuse_unknown, samples_of
from .intact import fault_of
from .items import StudyItem
from .rater_answers import QUESTIONS as FIELDS_ASKED
from .rater_answers import changes_by, rating_of
from .ratings import AUTOMATIC, CONSENSUS, Rating
from .sampling import Sample
from .table_rows import MACHINE, OWNER, RATER, Dataset, Rater, checked_name
from .turns import WriterTurns

__all__ = ["MACHINE", "OWNER", "RATER", "Dataset", "Rater", "Study"]


class Study:
    """A study in a database; `create` makes a new one and `open` opens an existing one."""

    def __init__(self, place: str, engine: Engine) -> None:
        self.place = place
        self._engine = engine
        self._turns = WriterTurns(self._writing)
        self._orders: dict[int, tuple[int, ...]] = {}

    @classmethod
    def create(
        cls,
        place: str | Path,
        samples: Sequence[Sample],
        *,
        raters: Sequence[str] = (),
        random_seed: int = 42,
    ) -> Study:
        """Create a study from samples, with its raters, a consensus rater and an owner.

        Args:
            place: the path of a new file, or the URL of a database without a study.
            random_seed: the seed for the order in which each rater sees the items of all samples.

        Raises:
            SelfBehaveError: a study exists already, a name is invalid, or writing fails.
        """
        place = str(place)
        for name in raters:
            checked_name(name)
        if schema.is_url(place):
            study = cls(place, schema.connect(place))
            with study._naming_refusals():
                if inspect(study._engine).has_table(schema.settings.name):
                    raise SelfBehaveError(
                        "this database already holds a study",
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
            raise SelfBehaveError("the file already exists", where=path, mend="give another name")
        partial = path.with_name(path.name + ".partial")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _remove(partial)  # left over from a killed command
            # The file contains links, so only the owner may read it.
            os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            study = cls(str(partial), schema.connect(str(partial)))
            try:
                with study:
                    study._fill(samples, raters, random_seed)
                partial.replace(path)
            finally:
                _remove(partial)
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
            SelfBehaveError: there is no study at that location, or it has another format.
        """
        place = str(place)
        if not schema.is_url(place) and not Path(place).is_file():
            raise SelfBehaveError(
                "there is no such file", where=place, mend="make one with: selfbehave study sample"
            )
        study = cls(place, schema.connect(place))
        with study._naming_refusals():
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
            fault = None if schema.is_url(place) else study._fault()
        if fault:
            study.close()
            raise SelfBehaveError(
                f"the study is broken: {fault}", where=place, mend="restore the file from a copy"
            )
        return study

    def _fault(self) -> str | None:
        """What is wrong with a study's file; None if it is intact."""
        with self._reading() as connection:
            if fault := fault_of(connection):
                return fault
        try:
            self.questions()
            self.secret  # noqa: B018
            self.items_by_id()
        except (ValueError, TypeError, RecursionError) as error:
            return f"a text of it cannot be read: {error}"
        return None

    def close(self) -> None:
        """Close the connections to the study's database."""
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
        """The study's location without a password."""
        return str(self._engine.url) if schema.is_url(self.place) else self.place

    @property
    def secret(self) -> bytes:
        """The secret that signs the study's pages."""
        return bytes.fromhex(self.setting("secret") or "")

    def questions(self) -> tuple[Question, ...]:
        """The questions to raters, as they were at the study's creation."""
        asked = [Question(**one) for one in json.loads(self.setting("questions") or "[]")]
        for question in asked:
            if question.field not in FIELDS_ASKED or not all(map(str, astuple(question))):
                raise ValueError(f"no question of ours: {question.field!r}")
        return tuple(asked)

    def setting(self, name: str) -> str | None:
        """A setting of the study by its name."""
        query = select(schema.settings.c.value).where(schema.settings.c.name == name)
        with self._reading() as connection:
            return connection.scalar(query)

    def datasets(self) -> list[Dataset]:
        """The datasets, in their original order."""
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
        """Every item, by dataset and in file order."""
        return list(self.items_by_id().values())

    def items_by_id(self) -> dict[int, StudyItem]:
        """Every item by its number in the store."""
        query = rows.select_items().order_by(schema.items.c.id)
        with self._reading() as connection:
            return {row.id: rows.item_of(row) for row in connection.execute(query)}

    def item(self, item_id: int) -> StudyItem | None:
        """One item by its number in the store."""
        with self._reading() as connection:
            query = rows.select_items().where(schema.items.c.id == item_id)
            row = connection.execute(query).first()
        return None if row is None else rows.item_of(row)

    def raters(self) -> list[Rater]:
        """Everyone in the study, in the order they joined."""
        with self._reading() as connection:
            return rows.read_raters(connection)

    def people(self) -> list[Rater]:
        """The human raters, whose verdicts the consensus settles."""
        return [rater for rater in self.raters() if rater.role == RATER]

    def rater_with(self, token: str) -> Rater | None:
        """The rater whose link has this token; its timing reveals nothing about any token."""
        given = token.encode("utf-8", "replace")
        found = None
        for rater in self.raters():
            if hmac.compare_digest(rater.token.encode(), given):
                found = rater
        return found

    def add_rater(self, name: str) -> Rater:
        """Add a rater with their own item order.

        Raises:
            SelfBehaveError: the name is invalid or taken.
        """
        checked_name(name)
        with self._writing() as connection:
            if any(rater.name == name for rater in rows.read_raters(connection)):
                raise SelfBehaveError(f"there is a rater named {name!r} already")
            return rows.add_rater(connection, name, RATER, self.setting("random_seed") or "")

    def renew_link(self, name: str) -> Rater:
        """Give a rater a new link; the old one stops working.

        Raises:
            SelfBehaveError: there is no such rater.
        """
        table = schema.raters
        changed = update(table).where(table.c.name == name).values(token=rows.new_token())
        with self._writing() as connection:
            if connection.execute(changed).rowcount == 0:
                names = ", ".join(rater.name for rater in rows.read_raters(connection))
                raise SelfBehaveError(f"there is no rater named {name!r}", mend=f"give {names}")
            return next(rater for rater in rows.read_raters(connection) if rater.name == name)

    def order(self, rater: Rater) -> tuple[int, ...]:
        """The item numbers in the order in which a rater sees them."""
        if rater.id not in self._orders:  # the order never changes
            table = schema.orders
            query = select(table.c.item_id).where(table.c.rater_id == rater.id)
            with self._reading() as connection:
                order = tuple(connection.scalars(query.order_by(table.c.position)))
            self._orders[rater.id] = order
        return self._orders[rater.id]

    def progress(self, rater: Rater, item_id: int) -> tuple[dict[str, str], int]:
        """A rater's answers to one item by field, and their number of finished items."""
        with self._reading() as connection:
            answers = rows.answers_to(connection, rater.id, item_id)
            return answers, rows.finished(connection, rater.id)

    def answers(self, rater: Rater) -> dict[int, dict[str, str]]:
        """A rater's answers by item and field; items without an answer are left out."""
        return self.answers_of_all([rater])[rater.id]

    def answers_of_all(self, raters: Sequence[Rater]) -> dict[int, dict[int, dict[str, str]]]:
        """The answers of several raters, by rater, item and field."""
        table = schema.answers
        query = select(table).where(table.c.rater_id.in_([rater.id for rater in raters]))
        answers: dict[int, dict[int, dict[str, str]]] = {rater.id: {} for rater in raters}
        with self._reading() as connection:
            for row in connection.execute(query):
                answers[row.rater_id].setdefault(row.item_id, {})[row.field] = row.value
        return answers

    def answers_to(self, item_id: int, raters: Sequence[Rater]) -> dict[int, dict[str, str]]:
        """Raters' answers to one item, by rater and field."""
        table = schema.answers
        query = select(table).where(
            table.c.item_id == item_id, table.c.rater_id.in_([rater.id for rater in raters])
        )
        answers: dict[int, dict[str, str]] = {rater.id: {} for rater in raters}
        with self._reading() as connection:
            for row in connection.execute(query):
                answers[row.rater_id][row.field] = row.value
        return answers

    def answer(
        self, rater: Rater, item_id: int, changes: Mapping[str, str], origin: str = "page"
    ) -> int:
        """Save a rater's answers to an item; other fields do not change.

        Args:
            changes: the new answers by field; "" removes an answer.

        Returns:
            The number of changed fields.
        """

        def change(connection: Connection) -> int:
            rows.lock(connection, rater)
            return rows.change(connection, rater.id, item_id, changes, origin)

        return self._turns.write(change)

    def undo(self, rater: Rater) -> int | None:
        """Undo a rater's last change on a page that is not undone yet.

        Returns:
            The item of the change, or None if there is nothing to undo.
        """

        def take_back(connection: Connection) -> int | None:
            rows.lock(connection, rater)
            row = rows.last_on_page(connection, rater)
            if row is None:
                return None
            rows.change(
                connection, rater.id, row.item_id, {row.field: row.before}, "undo", undoes=row.id
            )
            return int(row.item_id)

        return self._turns.write(take_back)

    def history(self) -> list[dict[str, Any]]:
        """Every change of an answer, in order."""
        with self._reading() as connection:
            changes = connection.execute(select(schema.history).order_by(schema.history.c.id))
            return [dict(change._mapping) for change in changes]

    def ratings(self) -> list[Rating]:
        """Every rating with an answer, including the consensus, by rater and item.

        The consensus has its rater's answers. Where that rater gave none, it has the answers that
        all raters share.
        """
        items, everyone = self.items_by_id(), self.raters()
        answers = self.answers_of_all(everyone)
        people = [answers[rater.id] for rater in everyone if rater.role == RATER]
        ratings = []
        for rater in sorted(everyone, key=lambda one: one.role == CONSENSUS):
            if rater.role == OWNER:
                continue
            for item_id, item in items.items():
                fields = answers[rater.id].get(item_id, {})
                if rater.role == CONSENSUS:
                    fields = settle(fields, [given.get(item_id, {}) for given in people])
                if fields:
                    ratings.append(rating_of(item.dataset, item.scenario_id, rater.name, fields))
        return ratings

    def import_ratings(self, ratings: Sequence[Rating]) -> int:
        """Import ratings; criteria that they leave unanswered do not change.

        New raters are added. If the study has no items, the rated scenarios become its items,
        without texts.

        Returns:
            The number of changed answers.

        Raises:
            SelfBehaveError: a scenario is not in the study, or a rater name is invalid.
        """
        with self._writing() as connection:
            known = rows.item_ids(connection)
            if not known:
                rows.add_items(connection, samples_of(ratings))
                known = rows.item_ids(connection)
            refuse_unknown(ratings, known)
            seed = self.setting("random_seed") or ""
            by_name = {rater.name: rater for rater in rows.read_raters(connection)}
            changed = 0
            for rating in ratings:
                name = rating.rater
                if name not in by_name:
                    role = MACHINE if name in AUTOMATIC else RATER
                    by_name[name] = rows.add_rater(connection, checked_name(name, role), role, seed)
                item_id = known[rating.dataset, rating.scenario_id]
                answers = rows.answers_to(connection, by_name[name].id, item_id)
                changes = changes_by(rating, answers)
                changed += rows.change(connection, by_name[name].id, item_id, changes, "import")
            return changed

    def _fill(self, samples: Sequence[Sample], raters: Sequence[str], random_seed: int) -> None:
        with self._writing() as connection:
            schema.METADATA.create_all(connection)
            values = {
                "format": schema.FORMAT,
                "random_seed": str(random_seed),
                "secret": secrets.token_hex(32),
                "created": str(time.time()),
                "questions": json.dumps([asdict(question) for question in QUESTIONS]),
            }
            settings = [{"name": name, "value": value} for name, value in values.items()]
            connection.execute(insert(schema.settings), settings)
            rows.add_items(connection, samples)
            roles = dict.fromkeys(raters, RATER) | {CONSENSUS: CONSENSUS, OWNER: OWNER}
            for name, role in roles.items():
                rows.add_rater(connection, name, role, str(random_seed))

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._naming_refusals(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with (
            self._naming_refusals(),
            self._engine.connect() as connection,
            connection.execution_options(**schema.WRITES).begin(),
        ):
            yield connection

    @contextmanager
    def _naming_refusals(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise SelfBehaveError(
                f"the study's database refuses: {error.orig}",
                where=self.shown_place,
                mend="check the file or address and the disk, then try again",
            ) from error
        except UnicodeDecodeError as error:  # from a message that quotes the file
            raise SelfBehaveError(
                "the study's database holds text that is not UTF-8",
                where=self.shown_place,
                mend="restore the file from a copy",
            ) from error


def _remove(path: Path) -> None:
    """Remove an SQLite file and its side files, if they exist."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
