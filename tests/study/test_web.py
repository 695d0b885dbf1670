"""The rating pages in a real browser, by keyboard and by mouse, and what they refuse."""

import csv
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe

from selfbehave.study.rater_answers import QUESTIONS
from selfbehave.study.ratings import Rating
from selfbehave.study.sampling import Sample
from selfbehave.study.store import Rater, Study

from ..helpers.study_samples import item, small_study
from ..helpers.study_servers import StudyServer, chromium, served

HOSTILE = (
    "<script>document.title='ran'</script>",
    "</pre></main><img src=x onerror=\"document.title='ran'\">",
    "'\"--></style></script><svg/onload=document.title='ran'>",
    "{{ 7*7 }} {% raw %} &lt;b&gt; &amp;",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as one:
        yield one


@pytest.fixture
def faults() -> Iterator[list[str]]:
    """What pages complain of: errors of scripts, and breaches of their security policy."""
    told: list[str] = []
    yield told
    assert told == []


@pytest.fixture
def open_page(browser: Any, faults: list[str]) -> Iterator[Callable[..., Any]]:
    """Opens pages, each in a browser of its own unless it is given another page's."""
    contexts = []

    def open_at(link: str, beside: Any = None, **settings: Any) -> Any:
        context = beside.context if beside else browser.new_context(**settings)
        if not beside:
            context.set_default_timeout(15_000)
            contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "console",
            lambda message: (
                faults.append(message.text) if "Content Security Policy" in message.text else None
            ),
        )
        page.goto(link)
        return page

    yield open_at
    for context in contexts:
        context.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StudyServer]:
    """Four scenarios, rated by ada and ben."""
    place = tmp_path / "study.sqlite"
    small_study(place).close()
    with served(place) as one:
        yield one


def read(server: StudyServer, name: str) -> tuple[Rater, list[int], dict[int, dict[str, str]]]:
    """A rater as the study has them, with their order of the items and their answers."""
    with Study.open(str(server.place)) as study:
        rater = next(one for one in study.raters() if one.name == name)
        return rater, study.order(rater), study.answers(rater)


def answers(server: StudyServer, name: str, position: int = 1) -> dict[str, str]:
    """What is kept of a rater's answers to the scenario at a position."""
    _, order, told = read(server, name)
    return told.get(order[position - 1], {})


def said(server: StudyServer, name: str) -> str:
    """A rater's first letters of yes and no to the first scenario's questions, in their order."""
    kept = answers(server, name)
    return "".join(kept[question][0] for question in QUESTIONS)


def is_saved(page: Any) -> None:
    page.locator("#status[data-state=saved]").wait_for()


def leave_by(page: Any, key: str) -> None:
    """Press a key that leads to another page, and wait for that."""
    here = page.url
    page.keyboard.press(key)
    page.wait_for_url(lambda url: url != here)


def position(page: Any) -> int:
    return int(page.url.rpartition("/")[2])


def test_two_raters_rate_ten_scenarios_by_keyboard_a_third_settles_and_all_is_exported(
    tmp_path: Path, open_page: Callable[..., Any]
) -> None:
    place = tmp_path / "study.sqlite"
    small_study(place, (5, 5)).close()
    # What each says of the five questions, by item; they differ on items 3, 6, 9 and 4, 8.
    says = {
        "ada": dict.fromkeys(range(1, 11), "yyyyy"),
        "ben": {
            number: "nyyyy" if number % 3 == 0 else "yyyyn" if number % 4 == 0 else "yyyyy"
            for number in range(1, 11)
        },
    }
    with served(place) as server:
        for name, of_item in says.items():
            _, order, _ = read(server, name)
            page = open_page(server.links[name])
            for expected in range(1, 11):
                assert position(page) == expected
                for key in of_item[order[expected - 1]]:
                    page.keyboard.press(key)
                if name == "ben" and expected == 1:
                    page.keyboard.press("w")
                    page.keyboard.type("yes and no")  # keys of answers are letters here
                    page.keyboard.press("Escape")
                leave_by(page, "Enter")
            assert page.locator("h1").inner_text() == "All done, thank you"
            assert page.url.endswith("/end")

        page = open_page(server.links["consensus"])
        seen = []
        while page.locator("form#judging").count():
            _, order, _ = read(server, "consensus")
            seen.append(order[position(page) - 1])
            page.keyboard.press("n" if seen[-1] == 3 else "y")
            leave_by(page, "Enter")
        assert sorted(seen) == [3, 4, 6, 8, 9]
        assert page.locator("h1").inner_text() == "All is settled"
        overview = open_page(server.links["owner"]).locator("main").inner_text()
        assert "5 scenarios, 5 of them settled." in overview

    exported = tmp_path / "ratings.csv"
    subprocess.run(
        [sys.executable, "-m", "selfbehave", "study", "export", str(place), str(exported)],
        check=True,
    )
    with exported.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    verdicts = {
        (row["Reviewer ID"], (row["Dataset"] == "mixed") * 5 + int(row["Scenario ID"])): "".join(
            row[name][0] for name in ("Essential", "Singular", "Complete", "Integrous")
        )
        for row in rows
    }
    assert len(rows) == 30
    for number in range(1, 11):
        ben = "FTTT" if number % 3 == 0 else "TTTF" if number % 4 == 0 else "TTTT"
        assert verdicts["ada", number] == "TTTT"
        assert verdicts["ben", number] == ben
        assert verdicts["consensus", number] == ("FTTT" if number == 3 else "TTTT")
    assert [row["Note"] for row in rows if row["Note"]] == ["yes and no"]


def test_an_answer_by_mouse_is_saved_and_shown_again(
    server: StudyServer, open_page: Callable[..., Any]
) -> None:
    page = open_page(server.links["ada"])
    page.get_by_role("group", name="Singular").get_by_role("radio", name="No").click()
    page.get_by_label("Ill-formed code").click()
    page.get_by_label("Note").fill("first line\nsecond")
    page.get_by_label("Note").blur()
    is_saved(page)
    expected = {"singular": "no", "ill_formed": "yes", "note": "first line\nsecond"}
    assert answers(server, "ada") == expected
    page.reload()
    assert page.get_by_role("group", name="Singular").get_by_role("radio", name="No").is_checked()
    assert page.get_by_label("Ill-formed code").is_checked()
    assert page.get_by_label("Note").input_value() == "first line\nsecond"
    page.get_by_label("Ill-formed code").click()
    is_saved(page)
    page.reload()
    assert not page.get_by_label("Ill-formed code").is_checked()


def test_a_phones_user_goes_on_where_the_questions_end(
    server: StudyServer, open_page: Callable[..., Any]
) -> None:
    page = open_page(
        server.links["ada"], viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    for question in page.get_by_role("radio", name="Yes").all():
        question.tap()
    page.locator("form").get_by_role("link", name="Next").tap()
    page.wait_for_url("**/2")
    assert said(server, "ada") == "yyyyy"


def test_keys_choose_questions_undo_and_turn_pages(
    server: StudyServer, open_page: Callable[..., Any]
) -> None:
    page = open_page(server.links["ada"])
    for key in ("3", "n", "1", "y"):
        page.keyboard.press(key)
    is_saved(page)
    assert answers(server, "ada") == {"complete": "no", "essential": "yes"}
    leave_by(page, "ArrowRight")
    page.keyboard.press("y")
    is_saved(page)
    page.keyboard.press("u")
    page.get_by_text("Undone").wait_for()
    assert answers(server, "ada", 2) == {}
    leave_by(page, "u")  # what was answered before that stands on the page before
    assert position(page) == 1
    assert answers(server, "ada") == {"complete": "no"}
    page.keyboard.press("g")
    assert page.get_by_role("dialog").get_by_role("heading", name="The criteria").is_visible()
    page.keyboard.press("y")  # the guide is open: no answer
    page.keyboard.press("Escape")
    assert answers(server, "ada") == {"complete": "no"}


def test_keys_can_be_turned_off(server: StudyServer, open_page: Callable[..., Any]) -> None:
    page = open_page(server.links["ada"])
    page.keyboard.press("?")
    page.get_by_label("Use these keys").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("y")
    page.reload()
    page.keyboard.press("y")
    page.get_by_role("radio", name="No").first.check()
    is_saved(page)
    assert answers(server, "ada") == {"essential": "no"}


def test_every_answer_outlives_kills_of_the_server_between_clicks(
    server: StudyServer, open_page: Callable[..., Any]
) -> None:
    page = open_page(server.links["ada"])
    for key in "yny":
        page.keyboard.press(key)
        is_saved(page)
        server.kill()
        server.start()
    for key in "ny":
        server.kill()
        page.keyboard.press(key)
        page.locator("#status[data-state=away]").wait_for()
        server.start()
        is_saved(page)
    assert said(server, "ada") == "ynyny"


def test_what_is_answered_while_the_server_is_away_outlives_the_page_too(
    server: StudyServer, open_page: Callable[..., Any]
) -> None:
    page = open_page(server.links["ada"])
    server.kill()
    page.keyboard.press("n")
    page.keyboard.press("w")
    page.keyboard.type("kept")
    page.locator("#status[data-state=away]").wait_for()
    link = page.url
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowRight")  # not left before all is saved
    page.get_by_text("Not saved: the study does not answer").wait_for()
    assert page.url == link
    again = open_page("about:blank", beside=page)
    page.close()
    server.start()
    again.goto(link)
    is_saved(again)
    assert answers(server, "ada") == {"essential": "no", "note": "kept"}


def test_an_old_unsaved_answer_does_not_overrule_a_newer_one(
    server: StudyServer, open_page: Callable[..., Any]
) -> None:
    page = open_page(server.links["ada"])
    server.kill()
    page.keyboard.press("n")
    page.locator("#status[data-state=away]").wait_for()
    link = page.url
    again = open_page("about:blank", beside=page)
    page.close()
    server.start()
    elsewhere = open_page(link)
    elsewhere.keyboard.press("y")
    is_saved(elsewhere)
    again.goto(link)
    again.keyboard.press("2")
    again.keyboard.press("y")
    is_saved(again)
    assert answers(server, "ada") == {"essential": "yes", "singular": "yes"}


def test_two_tabs_of_one_rater_keep_each_others_answers_and_show_them(
    server: StudyServer, open_page: Callable[..., Any]
) -> None:
    one = open_page(server.links["ada"])
    other = open_page(one.url, beside=one)
    one.keyboard.press("y")
    is_saved(one)
    other.keyboard.press("2")
    other.keyboard.press("n")
    is_saved(other)
    assert answers(server, "ada") == {"essential": "yes", "singular": "no"}
    assert other.get_by_role("group", name="Essential").get_by_label("Yes").is_checked()


def test_two_raters_at_once_see_nothing_of_each_other(
    server: StudyServer, open_page: Callable[..., Any]
) -> None:
    pages = {name: open_page(server.links[name]) for name in ("ada", "ben")}
    for keys in ("yy", "nn", "y"):
        for name, page in pages.items():
            for key in keys if name == "ada" else keys.translate({ord("y"): "n", ord("n"): "y"}):
                page.keyboard.press(key)
    for name, expected in (("ada", "yynny"), ("ben", "nnyyn")):
        is_saved(pages[name])
        assert said(server, name) == expected
        html = httpx.get(pages[name].url).text
        assert {"ada": "ben", "ben": "ada"}[name] not in html


def test_a_page_works_without_its_script(
    server: StudyServer, open_page: Callable[..., Any]
) -> None:
    page = open_page(server.links["ada"], java_script_enabled=False)
    stale = open_page(page.url, beside=page)
    page.get_by_role("group", name="Essential").get_by_role("radio", name="Yes").click()
    page.get_by_label("Note").fill("written")
    page.get_by_role("button", name="Save", exact=True).click()
    assert answers(server, "ada") == {"essential": "yes", "note": "written"}
    # A form that still shows the state before changes only what was changed in it.
    stale.get_by_role("group", name="Complete").get_by_role("radio", name="No").click()
    stale.get_by_role("button", name="Save and go on").click()
    assert position(stale) == 2
    expected = {"essential": "yes", "note": "written", "complete": "no"}
    assert answers(server, "ada") == expected
    stale.get_by_role("button", name="Undo").click()
    assert position(stale) == 1
    assert answers(server, "ada") == {"essential": "yes", "note": "written"}
    stale.get_by_role("link", name="Guide").click()
    assert stale.get_by_role("heading", name="The criteria").is_visible()


def test_generated_text_is_shown_and_never_obeyed(
    tmp_path: Path, open_page: Callable[..., Any]
) -> None:
    items = tuple(
        item("d", str(number), title=text, code=f"{text}\nx = '{text}'")
        for number, text in enumerate(HOSTILE, start=1)
    )
    place = tmp_path / "study.sqlite"
    Study.create(place, [Sample("d", "d", 4, items, (1, 2, 3, 4))], raters=["ada", "ben"]).close()
    with served(place) as server:
        _, order, _ = read(server, "ada")
        page = open_page(server.links["ada"])
        for number in range(1, 5):
            text = HOSTILE[order[number - 1] - 1]
            assert page.title().startswith(f"Scenario {number} of 4")
            assert text in page.locator("pre.gherkin").inner_text()
            assert text in page.locator("pre.python").inner_text()
            page.get_by_text("Raw text").click()
            assert text in page.locator("details.raw").inner_text()
            page.get_by_label("Note").fill(text)
            page.locator("h1").focus()
            leave_by(page, "ArrowRight")
        page.goto(server.links["ada"] + "all")
        assert all(text in page.locator("main").inner_text() for text in HOSTILE)
        owner = open_page(server.links["owner"] + f"item/{order[0]}")
        assert HOSTILE[order[0] - 1] in owner.locator("td.written").first.inner_text()
        assert "ran" not in (page.title(), owner.title())


def test_no_page_obeys_the_names_ids_and_notes_it_shows(
    tmp_path: Path, open_page: Callable[..., Any]
) -> None:
    place = tmp_path / "study.sqlite"
    samples = [Sample(text, text, 1, (item(text, text, title=text),), (1,)) for text in HOSTILE]
    with Study.create(place, samples, raters=["ada", "ben"]) as study:
        verdicts = {"singular": True, "complete": True, "integrous": True}
        study.import_ratings(
            [
                Rating(text, text, rater, essential=rater == "ada", note=text, **verdicts)
                for text in HOSTILE
                for rater in ("ada", "ben")
            ]
        )
        items = study.items_by_id()
    report = [sys.executable, "-m", "selfbehave", "study", "report", str(place)]
    subprocess.run([*report, "--to", str(tmp_path / "report")], check=True, capture_output=True)
    with served(place) as server:
        owner, consensus = server.links["owner"], server.links["consensus"]
        page = open_page(owner)
        for link, texts in [
            (owner, HOSTILE),
            (consensus + "all", HOSTILE),
            *((f"{owner}item/{number}", [one.name]) for number, one in items.items()),
            ((tmp_path / "report" / "report.html").as_uri(), HOSTILE),
        ]:
            page.goto(link)
            shown = page.locator("body").inner_text()
            assert all(text in shown for text in texts), link
            assert page.title() != "ran"
        for number in range(1, 5):
            page.goto(f"{consensus}{number}")
            notes = page.locator("dl.notes").inner_text()
            assert any(text in notes for text in HOSTILE)
            assert page.title() != "ran"


def test_the_consensus_rater_sees_verdicts_and_notes_but_no_names(
    server: StudyServer, open_page: Callable[..., Any]
) -> None:
    with Study.open(str(server.place)) as study:
        ada, ben = study.people()
        everything = dict.fromkeys(QUESTIONS, "yes")
        study.answer(ada, 1, everything | {"note": "too long"})
        study.answer(ben, 1, everything | {"singular": "no"})
        study.answer(ada, 2, everything)
        study.answer(ben, 2, everything)
    page = open_page(server.links["consensus"])
    assert page.locator("h1").inner_text() == "Disagreement 1 of 1"
    assert page.locator("fieldset.current legend").inner_text().endswith("Singular")
    assert page.locator(".current .verdicts").inner_text().split() == ["A", "yes", "B", "no"]
    assert page.locator(".notes").inner_text().split("\n") == ["Rater A", "too long"]
    html = page.content()
    assert not re.search(r"\b(ada|ben)\b", html)
    _, order, _ = read(server, "consensus")
    agreed = order.index(2) + 1
    assert httpx.get(f"{server.links['consensus']}{agreed}").status_code == 404


def test_nothing_on_a_raters_pages_tells_the_dataset(server: StudyServer) -> None:
    for path in ("", "1", "2", "3", "4", "all", "guide"):
        answer = httpx.get(server.links["ada"] + path, follow_redirects=True)
        assert answer.status_code == 200
        told = answer.text + str(answer.url) + str(answer.headers)
        assert not re.search(r"\bgood\b|\bmixed\b|jsonl", told)


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_no_page_is_wider_than_its_window(
    server: StudyServer, open_page: Callable[..., Any], width: int
) -> None:
    page = open_page(server.links["ada"], viewport={"width": width, "height": 800})
    for path in ("1", "all", "guide", "end"):
        page.goto(server.links["ada"] + path)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, path


def test_everything_a_mouse_can_do_has_a_name_and_can_be_reached_by_tab(
    server: StudyServer, open_page: Callable[..., Any]
) -> None:
    page = open_page(server.links["ada"])
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                "(() => { const at = document.activeElement;"
                " return at.name || at.id || at.textContent.trim() })()"
            )
        )
    wanted = ["next", "guide-link", "essential", "kinds", "note", "ill_formed", "undo"]
    assert [name for name in wanted if name not in reached] == []
    assert reached[0].startswith("Skip to")
    for role in ("link", "button", "radio", "checkbox", "textbox"):
        for one in page.get_by_role(role).all():
            assert one.evaluate(
                "one => (one.ariaLabel || one.labels?.[0]?.textContent || one.textContent).trim()"
            )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_breaks_a_rule_of_accessibility(
    server: StudyServer, open_page: Callable[..., Any], scheme: str
) -> None:
    with Study.open(str(server.place)) as study:
        for rater, answer in zip(study.people(), ("yes", "no"), strict=True):
            study.answer(rater, 1, dict.fromkeys(QUESTIONS, answer) | {"note": "so I think"})
    page = open_page(server.links["ada"], color_scheme=scheme)
    axe = Axe()
    for name, path in [("ada", "1"), ("ada", "all"), ("ada", "guide"), ("consensus", ""),
                       ("owner", ""), ("owner", "item/1"), ("owner", "nowhere")]:  # fmt: skip
        page.goto(server.links[name] + path)
        assert axe.run(page).violations_count == 0, (name, path)


# ---- what is refused, without a browser


def signature(link: str) -> str:
    """What the forms of a rater's pages carry."""
    page = httpx.get(link, follow_redirects=True).text
    found = re.search(r'name="csrf" value="(\w+)"', page)
    assert found is not None
    return found[1]


def test_a_link_that_is_not_whole_or_of_another_leads_nowhere(server: StudyServer) -> None:
    base = server.links["ada"].partition("/r/")[0]
    rater, owner = server.links["ada"], server.links["owner"]
    for link in (f"{base}/r/x/", f"{base}/r/x/1", f"{base}/", rater[:-2] + "/", rater + "item/1",
                 rater + "5", rater + "0", owner + "1", owner + "all"):  # fmt: skip
        assert httpx.get(link).status_code == 404, link
    assert httpx.post(f"{base}/r/x/1", data={"essential": "yes"}).status_code == 404


def test_a_form_that_no_page_of_ours_sent_is_refused(server: StudyServer) -> None:
    link, own = server.links["ada"] + "1", signature(server.links["ada"])
    other = signature(server.links["ben"])
    fine = {"essential": "yes", "csrf": own}
    for data, headers in [
        ({"essential": "yes"}, {}),
        ({"essential": "yes", "csrf": other}, {}),
        (fine, {"origin": "http://evil.example"}),
        (fine, {"origin": "null"}),
        (fine, {"sec-fetch-site": "cross-site"}),
        (fine, {"origin": "null", "sec-fetch-site": "same-site"}),
    ]:
        assert httpx.post(link, data=data, headers=headers).status_code == 403
    assert answers(server, "ada") == {}
    assert httpx.post(link, data=fine).status_code == 303
    assert answers(server, "ada") == {"essential": "yes"}


def test_a_form_too_large_or_with_what_is_no_answer_is_refused(server: StudyServer) -> None:
    link, csrf = server.links["ada"] + "1", signature(server.links["ada"])

    def refused(**data: str) -> tuple[int, str]:
        answer = httpx.post(
            link, data=data | {"csrf": csrf}, headers={"accept": "application/json"}
        )
        return answer.status_code, answer.json()["error"]

    assert refused(note="x" * 70_000)[0] == 413
    assert refused(note="x" * 4001) == (422, "The note has 4001 characters; 4000 are the most.")
    assert refused(essential="perhaps")[0] == 422
    assert refused(**{f"field{number}": "" for number in range(60)})[0] == 400
    assert answers(server, "ada") == {}


def test_control_characters_are_taken_out_of_notes(server: StudyServer) -> None:
    data = {"note": "a\x00b\x1b[31m\u202ec\r\nd\te\n", "csrf": signature(server.links["ada"])}
    httpx.post(server.links["ada"] + "1", data=data)
    assert answers(server, "ada") == {"note": "ab[31mc\nd\te"}


def test_every_response_has_the_headers_that_keep_pages_and_links_safe(
    server: StudyServer,
) -> None:
    for path in ("1", "999", "../../static/rate.js"):
        headers = httpx.get(server.links["ada"] + path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; ")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == ("no-cache" if "static" in path else "no-store")


def test_a_name_that_another_site_gave_this_address_is_refused(server: StudyServer) -> None:
    link = server.links["ada"] + "guide"
    for host, status in [("evil.example", 400), ("localhost", 200), ("LOCALHOST:1", 200)]:
        assert httpx.get(link, headers={"host": host}).status_code == status
