"""`selfbehave study …`: each command does its part, and tells bad input in one line."""

import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from selfbehave.bdd import sandbox
from selfbehave.cli.main import main
from selfbehave.study.ratings import Rating
from selfbehave.study.store import Study

from ..helpers.study_samples import small_study
from ..helpers.study_servers import postgresql, served


def study(*arguments: object) -> int:
    return main(["study", *map(str, arguments)])


def test_a_sample_of_two_datasets_becomes_a_study_with_raters_and_pages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "study.sqlite"
    done = study(
        "sample", "HQ=high_quality", "mixed_quality", "--study", file, "--error", "0.1",
        "--raters", "ada", "ben", "--pages", tmp_path / "pages",
    )  # fmt: skip
    assert done == 0
    shown = capsys.readouterr().out
    assert "HQ: 64 of 175 rows (Yamane, error 0.1)" in shown
    assert "mixed_quality: 64 of 175 rows" in shown
    assert len(list((tmp_path / "pages" / "HQ").glob("*.md"))) == 64
    with Study.open(file) as made:
        assert [rater.name for rater in made.raters()] == ["ada", "ben", "consensus", "owner"]
        assert all(item.name for item in made.items())


def test_links_are_shown_added_and_renewed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "study.sqlite"
    small_study(file).close()

    def links(*arguments: str) -> dict[str, str]:
        assert study("links", file, *arguments) == 0
        return dict(line.split() for line in capsys.readouterr().out.splitlines())

    first = links("--add", "cy", "--url", "https://rate.example.org/")
    assert list(first) == ["ada", "ben", "consensus", "owner", "cy"]
    assert re.fullmatch(r"https://rate\.example\.org/r/[\w-]{32}/", first["ada"])
    renewed = links("--renew", "ada", "--url", "https://rate.example.org")
    assert {name for name in first if first[name] != renewed[name]} == {"ada"}


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "jsonl"])
def test_ratings_go_out_and_come_back_in_every_kind_of_file(tmp_path: Path, suffix: str) -> None:
    ratings = [
        Rating("good", "1", "ada", True, True, False, True, note="a, \"b\"\n'c'"),
        Rating("good", "1", "ben", True, False, False, True, ill_formed=True),
        Rating("mixed", "2", "ada", True, None, None, False),
    ]
    with small_study(tmp_path / "one.sqlite") as one:
        one.import_ratings(ratings)
        expected = one.ratings()
    file = tmp_path / f"ratings.{suffix}"
    assert study("export", tmp_path / "one.sqlite", file) == 0
    assert study("import", tmp_path / "two.sqlite", file) == 0
    with Study.open(tmp_path / "two.sqlite") as two:
        assert sorted(two.ratings(), key=repr) == sorted(expected, key=repr)


def test_rules_rate_a_study_and_a_report_is_made_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "study.sqlite"
    sample = ("sample", "HQ=high_quality", "MQ=mixed_quality", "--size", "12")
    assert study(*sample, "--raters", "ada", "ben", "--study", file) == 0
    assert study("rate", file, "--rater", "auto") == 0
    assert "auto rated 24 scenarios" in capsys.readouterr().out
    with Study.open(file) as made:
        of_rules = {(one.dataset, one.scenario_id): one for one in made.ratings()}
        assert all(one.high_quality for one in of_rules.values() if one.dataset == "HQ")
        people = [
            Rating(*place, rater, True, one.singular, one.complete, one.integrous)
            for rater in ("ada", "ben")
            for place, one in list(of_rules.items())[:-1]
        ]
        made.import_ratings(people)
    folder = tmp_path / "report"
    assert study("report", file, "--to", folder) == 0
    shown = capsys.readouterr().out
    assert "MQ: 1 scenario that nobody has rated." in shown
    assert "Rater auto and the consensus in HQ" in shown
    assert "HQ against MQ" in shown or "MQ" in shown
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert not re.search(r"https?://", page)  # it opens from disk, without a network
    written = {path.suffix for path in folder.iterdir()}
    assert {".csv", ".html", ".png", ".svg"} <= written


def test_an_import_that_fails_leaves_no_study(tmp_path: Path) -> None:
    file = tmp_path / "ratings.jsonl"
    rating = {"dataset": "d", "scenario_id": "1", "rater": "owner", "essential": True}
    file.write_text(json.dumps(rating) + "\n")
    assert study("import", tmp_path / "new.sqlite", file) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["ratings.jsonl"]


def test_a_study_is_served_until_interrupted(tmp_path: Path) -> None:
    file = tmp_path / "study.sqlite"
    small_study(file).close()
    command = [sys.executable, "-m", "selfbehave", "study", "serve", str(file)]
    process = subprocess.Popen(
        [*command, "--port", "0", "--host", "0.0.0.0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(5)]
    assert [line.split()[0] for line in lines] == ["ada", "ben", "consensus", "owner", "serving"]
    process.send_signal(signal.SIGINT)
    _, complaints = process.communicate()
    assert process.returncode == 130
    assert "0.0.0.0 can be reached from other machines" in complaints
    assert "Traceback" not in complaints


def test_a_team_rates_in_postgresql_and_a_kill_loses_nothing(tmp_path: Path) -> None:
    with postgresql() as address:
        assert study("sample", "high_quality", "--db", address, "--size", 3, "--raters", "ada") == 0
        with served(address) as server:
            link = server.links["ada"]
            page = httpx.get(link, follow_redirects=True)
            csrf = re.search(r'name="csrf" value="(\w+)"', page.text)
            assert csrf is not None
            for answer in ("essential", "singular"):
                httpx.post(str(page.url), data={answer: "no", "csrf": csrf[1]})
            server.kill()
            assert study("export", address, tmp_path / "ratings.jsonl") == 0
    (rating,) = map(json.loads, (tmp_path / "ratings.jsonl").read_text().splitlines())
    assert (rating["essential"], rating["singular"], rating["complete"]) == (False, False, None)


def told(capsys: pytest.CaptureFixture[str]) -> str:
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert error.startswith("selfbehave: ")
    return error


def test_bad_input_is_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, none = tmp_path / "study.sqlite", tmp_path / "none.sqlite"
    small_study(file).close()
    taken = socket.create_server(("127.0.0.1", 0))
    for arguments, exit_code, complaint in [
        ((), 2, "required: COMMAND"),
        (("sample", "high_quality"), 2, "give the study once"),
        (("serve", file, "--db", "postgresql://x/y"), 2, "give the study once"),
        (("sample", "high_quality", "--study", file), 1, "the file already exists"),
        (("sample", "nowhere.jsonl", "--study", none), 1, "nowhere.jsonl: cannot be read"),
        (("sample", "high_quality", "--study", none, "--size", "176"), 1, "from 1 to the"),
        (("sample", "high_quality", "--study", none, "--error", "2"), 1, "between 0 and 1"),
        (("sample", "high_quality", "--study", none, "--raters", "auto"), 1, "is taken"),
        (("serve", none), 1, "no such file"),
        (("serve", file, "--port", taken.getsockname()[1]), 1, "cannot listen at 127.0.0.1"),
        (("serve", file, "--port", "70000"), 1, "cannot listen at 127.0.0.1 port 70000"),
        (("serve", file, "--port", "0", "--url", "rate.example.org"), 1, "is not an address"),
        (("links", file, "--add", "ada"), 1, "a rater named 'ada' already"),
        (("links", file, "--renew", "cy"), 1, "no rater named 'cy'"),
        (("export", file, tmp_path / "r.csv"), 1, "there are no ratings yet"),
        (("import", file, tmp_path / "none.csv"), 1, "none.csv"),
        (("rate", file, "--rater", "me"), 2, "invalid choice: 'me'"),
    ]:
        assert study(*arguments) == exit_code, arguments
        assert complaint in told(capsys)
    taken.close()
    assert not none.exists()


def test_a_missing_package_is_told_with_the_command_that_installs_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("selfbehave.study")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    assert study("links", tmp_path / "study.sqlite") == 1
    assert "study needs the package sqlalchemy, which is not installed" in (error := told(capsys))
    assert "pip install 'selfbehave[study]'" in error


def test_the_command_line_loads_none_of_the_studys_packages() -> None:
    program = (
        "import sys; from selfbehave.cli.main import command_parser;"
        "command_parser().format_help();"
        "print({'sqlalchemy', 'starlette', 'jinja2', 'uvicorn', 'pygments', 'statsmodels'}"
        " & set(sys.modules))"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert shown.stdout.strip() == "set()"


@pytest.mark.skipif(sandbox.missing() is not None, reason=str(sandbox.missing()))
def test_rules_that_run_the_code_rate_under_a_name_of_their_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "study.sqlite"
    sample = ("sample", "HQ=high_quality", "MQ=mixed_quality", "--size", "4")
    assert study(*sample, "--raters", "ada", "ben", "--study", file) == 0
    for rater in ("auto", "auto-run"):
        assert study("rate", file, "--rater", rater) == 0
    assert "auto-run rated 8 scenarios" in capsys.readouterr().out
    with Study.open(file) as made:
        assert {one.rater for one in made.ratings()} == {"auto", "auto-run"}
    assert study("report", file, "--to", tmp_path / "report") == 0
    assert "auto-run" in (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
