"""The study's store, in SQLite and in PostgreSQL: nothing answered is ever lost or mixed up."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest

from selfbehave.core.errors import SelfBehaveError
from selfbehave.study.consensus import disputed, open_questions, settle
from selfbehave.study.criteria_guide import QUESTIONS
from selfbehave.study.rater_answers import changes_by, is_finished, rating_of, verdict
from selfbehave.study.ratings import CONSENSUS, Rating
from selfbehave.study.schema import connect
from selfbehave.study.store import Rater, Study

from ..helpers.study_samples import item, sample, small_study
from ..helpers.study_servers import postgresql

YES = {"essential": "yes", "singular": "yes", "complete": "yes", "order": "yes", "kinds": "yes"}
NewPlace = Callable[[], str]


@pytest.fixture(scope="module")
def database_server() -> Iterator[str]:
    with postgresql() as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def new_place(request: pytest.FixtureRequest, tmp_path: Path) -> NewPlace:
    """Gives places for studies, each a new one."""
    if request.param == "sqlite":
        return lambda: str(tmp_path / "study.sqlite")
    import psycopg

    address: str = request.getfixturevalue("database_server")

    def create() -> str:
        name = f"study_{os.urandom(4).hex()}"
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return address.replace("/postgres?", f"/{name}?")

    return create


@pytest.fixture
def study(new_place: NewPlace) -> Iterator[Study]:
    with small_study(new_place()) as one:
        yield one


def named(study: Study, name: str) -> Rater:
    return next(rater for rater in study.raters() if rater.name == name)


def test_an_opened_study_is_the_one_that_was_made(new_place: NewPlace) -> None:
    place = new_place()
    with small_study(place) as made:
        items, raters, secret = made.items(), made.raters(), made.secret
    with Study.open(place) as opened:
        assert opened.items() == items == [*sample("good", 2).items, *sample("mixed", 2).items]
        assert opened.raters() == raters
        assert opened.secret == secret
        assert [(one.name, one.items, one.population) for one in opened.datasets()] == [
            ("good", 2, 100),
            ("mixed", 2, 100),
        ]


def test_texts_that_a_database_cannot_hold_come_back_as_they_were(new_place: NewPlace) -> None:
    one = item("d", "1", "\x00 \ud800 \U0001f600 ‮", code="'; DROP TABLE study_items; --")
    with Study.create(new_place(), [type(sample("d", 1))("d", "f", 1, (one,), (1,))]) as study:
        assert study.items() == [one]


def test_each_rater_has_an_order_of_their_own_that_mixes_the_datasets(tmp_path: Path) -> None:
    orders = []
    for file in ("one", "again"):
        with small_study(tmp_path / file, (30, 30)) as study:
            orders.append([study.order(named(study, name)) for name in ("ada", "ben")])
    assert orders[0] == orders[1]  # it follows from the seed
    ada, ben = orders[0]
    assert sorted(ada) == sorted(ben) == list(range(1, 61))
    assert ada != ben
    datasets = [number <= 30 for number in ada]
    assert sum(one != after for one, after in pairwise(datasets)) > 15


def test_two_tabs_that_answer_different_questions_keep_both(study: Study) -> None:
    ada = named(study, "ada")
    study.answer(ada, 1, {"essential": "yes"})
    study.answer(ada, 1, {"singular": "no"})
    assert study.answers(ada) == {1: {"essential": "yes", "singular": "no"}}


def test_answers_given_at_the_same_time_are_all_kept(study: Study) -> None:
    raters = [named(study, "ada"), named(study, "ben")]
    fields = [*YES, "note", "ill_formed"]

    def answer(job: tuple[Rater, int, str]) -> int:
        return study.answer(job[0], job[1], {job[2]: "yes"})

    jobs = [(rater, number, field) for field in fields for number in (1, 2, 3) for rater in raters]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(answer, jobs)) == [1] * len(jobs)
    for rater in raters:
        assert study.answers(rater) == {n: dict.fromkeys(fields, "yes") for n in (1, 2, 3)}
    assert len(study.history()) == len(jobs)


def test_one_field_answered_at_once_in_many_tabs_has_an_unbroken_history(study: Study) -> None:
    ada = named(study, "ada")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: study.answer(ada, 1, {"note": f"note {n}"}), range(40)))
    history = study.history()
    assert len(history) == 40
    befores = ["", *(change["after"] for change in history)]
    assert [change["before"] for change in history] == befores[:-1]
    assert study.answers(ada)[1]["note"] == befores[-1]


def test_undo_takes_back_answers_one_by_one_the_last_first(study: Study) -> None:
    ada, ben = named(study, "ada"), named(study, "ben")
    study.answer(ada, 1, {"essential": "yes"})
    study.answer(ada, 2, {"essential": "no"})
    study.answer(ben, 3, {"essential": "no"})
    study.answer(ada, 1, {"essential": "no"})
    assert study.undo(ada) == 1
    assert study.answers(ada) == {1: {"essential": "yes"}, 2: {"essential": "no"}}
    assert study.undo(ada) == 2
    assert study.undo(ada) == 1
    assert study.answers(ada) == {}
    assert study.undo(ada) is None
    assert study.answers(ben) == {3: {"essential": "no"}}
    assert len(study.history()) == 7  # what was taken back stays told


def test_an_answer_after_an_undo_is_what_the_next_undo_takes_back(study: Study) -> None:
    ada = named(study, "ada")
    study.answer(ada, 1, {"essential": "yes"})
    study.answer(ada, 1, {"singular": "yes"})
    study.undo(ada)
    study.answer(ada, 1, {"complete": "no"})
    study.undo(ada)
    assert study.answers(ada) == {1: {"essential": "yes"}}
    study.undo(ada)
    assert study.answers(ada) == {}


def test_an_answer_given_again_is_no_change(study: Study) -> None:
    ada = named(study, "ada")
    assert study.answer(ada, 1, {"essential": "yes"}) == 1
    assert study.answer(ada, 1, {"essential": "yes"}) == 0
    assert len(study.history()) == 1


def test_a_link_leads_to_its_rater_and_to_nobody_once_it_is_renewed(study: Study) -> None:
    ada = named(study, "ada")
    assert study.rater_with(ada.token) == ada
    assert study.rater_with(ada.token[:-1]) is None
    assert study.rater_with("") is None
    renewed = study.renew_link("ada")
    assert study.rater_with(ada.token) is None
    assert study.rater_with(renewed.token) == renewed


def test_raters_export_and_import_whole(study: Study, new_place: NewPlace, tmp_path: Path) -> None:
    ada, ben = named(study, "ada"), named(study, "ben")
    study.answer(ada, 1, YES | {"note": "fine", "ill_formed": "yes"})
    study.answer(ben, 1, YES | {"kinds": "no"})
    study.answer(ben, 4, {"singular": "no"})
    ratings = study.ratings()
    with Study.create(tmp_path / "copy.sqlite", []) as copy:
        assert copy.import_ratings(ratings) > 0
        assert copy.import_ratings(ratings) == 0
        assert sorted(copy.ratings(), key=repr) == sorted(ratings, key=repr)


def test_a_rating_of_a_scenario_the_study_lacks_is_refused_and_nothing_taken(study: Study) -> None:
    ratings = [Rating("good", "1", "cy", True), Rating("good", "99", "cy", True)]
    with pytest.raises(SelfBehaveError, match=r"1 rated scenarios are not in.*99 of good"):
        study.import_ratings(ratings)
    assert study.ratings() == []
    assert "cy" not in [rater.name for rater in study.raters()]


@pytest.mark.parametrize(
    "name", ["", " ada", "consensus", "owner", "auto", "auto-run", "a/b", "x" * 65, "a\n"]
)
def test_what_is_no_name_for_a_rater_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(SelfBehaveError, match=r"not a valid rater name|is taken"):
        Study.create(tmp_path / "s.sqlite", [sample("d", 1)], raters=[name])
    assert not (tmp_path / "s.sqlite").exists()


def test_a_study_is_not_made_over_another(new_place: NewPlace, tmp_path: Path) -> None:
    place = new_place()
    small_study(place).close()
    with pytest.raises(SelfBehaveError, match="already"):
        small_study(place)
    with Study.open(place) as study:
        assert len(study.items()) == 4


def test_two_datasets_of_one_name_are_refused(new_place: NewPlace) -> None:
    with pytest.raises(SelfBehaveError, match="two datasets are named 'd'"):
        Study.create(new_place(), [sample("d", 1), sample("d", 2)])


def test_a_study_that_could_not_be_made_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "s.sqlite.partial").write_text("what a killed command left")
    (tmp_path / "s.sqlite.partial-wal").write_text("and its journal")
    with pytest.raises(SelfBehaveError, match="two datasets"):
        Study.create(tmp_path / "s.sqlite", [sample("d", 1), sample("d", 2)])
    assert list(tmp_path.iterdir()) == []


def test_a_study_keeps_the_questions_it_was_made_with(study: Study) -> None:
    assert study.questions() == QUESTIONS


def test_what_is_no_study_is_told(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not a database, but long enough to be taken for one" * 100)
    empty = tmp_path / "empty.sqlite"
    empty.touch()
    for place, complaint in [
        (tmp_path / "none.sqlite", "no such file"),
        (text, "refuses: file is not a database"),
        (empty, "not a study"),
        ("mysql://x/y", "cannot be kept in 'mysql'"),
        ("postgresql://nobody@127.0.0.1:1/none", "refuses: connection"),
    ]:
        with pytest.raises(SelfBehaveError, match=complaint):
            Study.open(place)


def test_only_the_owner_of_the_file_can_read_its_links(tmp_path: Path) -> None:
    small_study(tmp_path / "s.sqlite").close()
    assert stat.S_IMODE((tmp_path / "s.sqlite").stat().st_mode) == 0o600


def test_an_sqlite_study_is_flushed_to_the_disk_at_every_commit(tmp_path: Path) -> None:
    # No test can cut the power; this is the setting that outlives a cut (2 is FULL).
    with connect(str(tmp_path / "s.sqlite")).connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_an_answer_told_as_saved_outlives_a_kill_of_the_process(new_place: NewPlace) -> None:
    place = new_place()
    small_study(place, (50, 0)[:1]).close()
    program = (
        "import sys\n"
        "from selfbehave.study.store import Study\n"
        f"study = Study.open({place!r})\n"
        "ada = study.people()[0]\n"
        "for number in range(1, 51):\n"
        "    study.answer(ada, number, {'essential': 'yes'})\n"
        "    print(number, flush=True)\n"
        "sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) == 20:
            process.send_signal(signal.SIGKILL)
            break
    told = 20 + len(process.stdout.read().split())
    process.wait()
    with Study.open(place) as study:
        answered = sorted(study.answers(named(study, "ada")))
        assert answered[:told] == list(range(1, told + 1))


# ---- answers and the consensus


def test_integrous_holds_where_both_its_questions_are_answered_yes() -> None:
    assert verdict("integrous", {"order": "yes", "kinds": "yes"}) is True
    assert verdict("integrous", {"order": "yes"}) is None
    assert verdict("integrous", {"kinds": "no"}) is False
    assert verdict("integrous", {"integrous": "yes"}) is True
    assert not is_finished(YES | {"kinds": ""})
    assert is_finished(YES)


def test_an_imported_verdict_against_the_finer_answers_replaces_them() -> None:
    rating = rating_of("d", "1", "ada", YES)
    assert changes_by(rating, YES) == {}
    changed = Rating("d", "1", "ada", True, True, True, integrous=False)
    assert changes_by(changed, YES) == {"integrous": "no", "order": "", "kinds": ""}


def test_the_consensus_is_asked_only_what_raters_disagree_on() -> None:
    ada, ben = YES, YES | {"essential": "no", "kinds": "no"}
    assert disputed([ada, ben]) == ("essential", "integrous")
    assert open_questions({}, [ada, ben]) == ("essential", "kinds")
    assert open_questions({"essential": "no"}, [ada, ben]) == ("kinds",)
    settled = settle({"essential": "no", "kinds": "yes"}, [ada, ben])
    assert rating_of("d", "1", CONSENSUS, settled) == Rating(
        "d", "1", CONSENSUS, essential=False, singular=True, complete=True, integrous=True
    )


def test_raters_that_fault_integrous_by_different_questions_do_not_disagree() -> None:
    ada, ben = YES | {"order": "no"}, YES | {"kinds": "no"}
    assert disputed([ada, ben]) == ()
    assert verdict("integrous", settle({}, [ada, ben])) is False


def test_the_consensus_may_overrule_raters_that_agree() -> None:
    assert settle({"singular": "no"}, [YES, YES])["singular"] == "no"


def test_one_rater_alone_makes_no_consensus() -> None:
    assert settle({}, [YES]) == {}
    assert disputed([YES, {}]) == ()


def test_automatic_raters_take_no_part_in_the_consensus(tmp_path: Path) -> None:
    with small_study(tmp_path / "s.sqlite") as study:
        study.answer(named(study, "ada"), 1, YES)
        study.import_ratings([Rating("good", "1", "auto", False, False, False, False)])
        assert [rating.rater for rating in study.ratings()] == ["ada", "auto"]
