"""A run's folder kept in a store: what is copied which way, and what is left alone."""

import uuid
from pathlib import Path

import fsspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selfbehave.cluster import folder_store as store_module
from selfbehave.cluster.copies import copied
from selfbehave.cluster.folder_store import Moved, kept_in, synchronize
from selfbehave.core.errors import SelfBehaveError
from selfbehave.core.locks import InUseError, holding
from selfbehave.core.run_files import JOURNAL_FILE

MEMORY = fsspec.filesystem("memory")
NAMES = ("a.jsonl", "b.jsonl", "finetuning_data/c.jsonl")


@pytest.fixture
def store() -> str:
    return new_store()


def new_store() -> str:
    return f"memory://{uuid.uuid4().hex}/runs/one"


def put(store: str, name: str, text: str) -> None:
    path = f"{store.removeprefix('memory:/')}/{name}"
    MEMORY.makedirs(path.rpartition("/")[0], exist_ok=True)
    MEMORY.pipe_file(path, text.encode())


def kept(store: str) -> dict[str, str]:
    root = store.removeprefix("memory:/")
    return {path[len(root) + 1 :]: MEMORY.cat_file(path).decode() for path in MEMORY.find(root)}


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)


def texts(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    named = {path.relative_to(folder).as_posix(): path.read_text() for path in files}
    return {name: text for name, text in named.items() if name in NAMES}


def test_a_folder_goes_to_a_store_and_from_there_to_another_machine(
    store: str, tmp_path: Path
) -> None:
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    for name in NAMES:
        write(here, name, name)
    assert synchronize(store, here) == Moved((), NAMES)
    assert kept(store) == {name: name for name in NAMES}
    assert synchronize(store, elsewhere) == Moved(NAMES, ())
    assert texts(elsewhere) == texts(here)
    assert synchronize(store, here) == synchronize(store, elsewhere) == Moved((), ())
    write(elsewhere, NAMES[0], "further")
    assert synchronize(store, elsewhere) == Moved((), NAMES[:1])
    assert synchronize(store, here) == Moved(NAMES[:1], ())
    assert texts(here)[NAMES[0]] == "further"


def test_what_changed_on_both_sides_is_left_as_it_is(store: str, tmp_path: Path) -> None:
    write(tmp_path, NAMES[0], "the same")
    synchronize(store, tmp_path)
    write(tmp_path, NAMES[0], "ours, paid for")
    write(tmp_path, NAMES[1], "new")
    put(store, NAMES[0], "theirs, paid for as well")
    with pytest.raises(SelfBehaveError, match=r"a\.jsonl: changed here and in the store"):
        synchronize(store, tmp_path)
    assert texts(tmp_path) == {NAMES[0]: "ours, paid for", NAMES[1]: "new"}
    assert kept(store) == {NAMES[0]: "theirs, paid for as well"}


def test_what_changed_on_both_sides_to_the_same_is_the_same(store: str, tmp_path: Path) -> None:
    write(tmp_path, NAMES[0], "one")
    put(store, NAMES[0], "one")
    assert synchronize(store, tmp_path) == Moved((), ())
    write(tmp_path, NAMES[0], "other")
    assert synchronize(store, tmp_path) == Moved((), NAMES[:1])


def test_a_journal_that_was_not_closed_waits_for_the_work_that_closes_it(
    store: str, tmp_path: Path
) -> None:
    write(tmp_path, JOURNAL_FILE, "pages")
    write(tmp_path, f"{JOURNAL_FILE}-wal", "newer pages")
    assert synchronize(store, tmp_path) == Moved((), ())
    (tmp_path / f"{JOURNAL_FILE}-wal").unlink()
    assert synchronize(store, tmp_path) == Moved((), (JOURNAL_FILE,))
    write(tmp_path, f"{JOURNAL_FILE}-wal", "newer pages")
    put(store, JOURNAL_FILE, "pages of another")
    with pytest.raises(SelfBehaveError, match="changed here and in the store"):
        synchronize(store, tmp_path)
    assert (tmp_path / JOURNAL_FILE).read_text() == "pages"


def test_a_folder_where_another_works_is_left_alone(store: str, tmp_path: Path) -> None:
    write(tmp_path, NAMES[0], "half")
    with holding(tmp_path), pytest.raises(InUseError):
        synchronize(store, tmp_path)
    assert not kept(store)


def test_a_store_writes_nothing_outside_of_the_folder(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A bucket's names may hold what no file system's do.
    monkeypatch.setattr(store_module, "files_below", lambda url: {"a/../../../evil": "1"})
    with pytest.raises(SelfBehaveError, match="outside the folder"):
        synchronize(store, tmp_path / "run")
    assert not list(tmp_path.rglob("*evil*"))


def test_work_that_fails_is_stored_and_its_own_error_is_told(store: str, tmp_path: Path) -> None:
    said: list[str] = []

    def work(text: str, error: BaseException) -> None:
        with kept_in(store, tmp_path, said.append):
            write(tmp_path, NAMES[0], text)
            if isinstance(error, KeyboardInterrupt):
                put(store, NAMES[0], "theirs")
            raise error

    with pytest.raises(SelfBehaveError, match="the server said no"):
        work("answers until then", SelfBehaveError("the server said no"))
    assert kept(store) == {NAMES[0]: "answers until then"}
    assert said == [f"stored in {store}: {NAMES[0]}"]
    with pytest.raises(KeyboardInterrupt):
        work("ours", KeyboardInterrupt())
    assert said[-1].startswith("not stored: ")


def test_notes_that_cannot_be_read_cost_a_comparison(store: str, tmp_path: Path) -> None:
    write(tmp_path, NAMES[0], "one")
    synchronize(store, tmp_path)
    for notes in ("", "[", "[]", '{"store": 1}', f'{{"store": "{store}", "files": [1]}}'):
        write(tmp_path, store_module.NOTES_FILE, notes)
        assert synchronize(store, tmp_path) == Moved((), ())


SIDES = ("here", "there", "both", "synchronized")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(st.sampled_from(SIDES), st.sampled_from(NAMES)), max_size=12))
def test_the_newer_text_is_on_both_sides_or_both_are_as_they_were(
    tmp_path: Path, changes: list[tuple[str, str]]
) -> None:
    store, folder = new_store(), tmp_path / uuid.uuid4().hex
    same: dict[str, str] = {}  # the texts when they were last the same
    for number, (side, name) in enumerate([*changes, ("synchronized", "")]):
        if side in ("here", "both"):
            write(folder, name, f"text {number}")
        if side in ("there", "both"):
            put(store, name, f"text {number}")
        if side != "synchronized":
            continue
        here, there = texts(folder), kept(store)
        sides = {name: {here.get(name), there.get(name)} - {None} for name in here | there}
        same |= {name: here[name] for name in sides if here.get(name) == there.get(name)}
        newer = {
            name: sorted(filter(None, some - {same.get(name)})) for name, some in sides.items()
        }
        if any(len(texts_of) > 1 for texts_of in newer.values()):
            with pytest.raises(SelfBehaveError, match="changed here and in the store"):
                synchronize(store, folder)
            assert (texts(folder), kept(store)) == (here, there)
        else:
            synchronize(store, folder)
            same |= {name: some[0] for name, some in newer.items() if some}
            assert texts(folder) == kept(store) == {name: same[name] for name in sides}


def test_files_at_addresses_are_worked_on_as_copies(tmp_path: Path, store: str) -> None:
    here = tmp_path / "own.jsonl"
    here.write_text("own")
    put(store, "1.jsonl", "one")
    put(store, "2.jsonl", "two")
    put(f"{store}/pool", "1.jsonl", "pool")
    given_names = ([f"{store}/*.jsonl", str(here)], [f"{store}/pool/1.jsonl"])
    work = tmp_path / "work"
    with copied(given_names, f"{store}/to/kept.jsonl", work) as ((files, pool), to):
        assert [path.read_text() for path in (*files, *pool)] == ["one", "two", "own", "pool"]
        to.write_text("kept")
        to.with_name("kept.dropped.jsonl").write_text("dropped")
    assert kept(f"{store}/to") == {"kept.jsonl": "kept", "kept.dropped.jsonl": "dropped"}
    assert list(work.iterdir()) == []
    with pytest.raises(SelfBehaveError, match="give --work_dir"), copied(given_names, "x", None):
        pass
