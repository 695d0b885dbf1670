"""The report's page in a real browser: from disk, without a network, by keyboard and by mouse."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from selfbehave.prompts.bdd import instruction_for
from selfbehave.report.make_report import report

from ..helpers.release_runs import pair, seed_pairs
from ..helpers.report_runs import journalled_run
from ..helpers.study_servers import chromium

HOSTILE = (
    "<script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\">",
    "</script></pre></main><svg/onload=document.title='ran'>",
    "{{ 7*7 }} &lt;b&gt; &amp; \u202e\u0007",
)
WIDTHS = {"desktop": (1280, 800), "phone": (390, 844)}


def unbound(instruction: str, output: str) -> tuple[str, str]:
    return instruction, output.replace("@when", "@given", 1)


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs: 30 pairs of which two are not bound, and 10 with three of hostile text."""
    folder = tmp_path_factory.mktemp("reports")
    pairs = seed_pairs(30)
    pairs[4:6] = [unbound(*one) for one in pairs[4:6]]
    tame = journalled_run(folder / "tame", pairs)
    hostile = [pair(text, f"word{number}", f"x = {text!r}") for number, text in enumerate(HOSTILE)]
    wild = journalled_run(folder / "<b>wild", [*hostile, *seed_pairs(7, start=100)])
    return report([str(tame), str(wild)], folder / "report.html").page


@pytest.fixture(scope="module")
def browser(page_file: Path) -> Iterator[Any]:
    """Opened behind the page: runs cannot be made while Playwright's loop goes."""
    with chromium() as one:
        yield one


@pytest.fixture
def open_page(browser: Any, page_file: Path) -> Iterator[Callable[..., Any]]:
    """Opens the page; at the end nothing was asked of a network, and nothing complained."""
    contexts, faults, asked = [], [], []

    def open_at(fragment: str = "", **settings: Any) -> Any:
        context = browser.new_context(offline=True, **settings)
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.append(message.text))
        page.on("dialog", lambda dialog: faults.append(dialog.message))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(page_file.as_uri() + fragment)
        page.locator("#browser").wait_for()
        return page

    yield open_at
    for context in contexts:
        context.close()
    assert faults == []
    assert all(url.startswith(page_file.as_uri()) for url in asked)


def status(page: Any, expected: str) -> None:
    """Wait until the page says so of its rows."""
    page.wait_for_function(
        "words => document.getElementById('status').textContent === words", arg=expected
    )


def choice(page: Any, name: str) -> Any:
    return page.get_by_role("combobox", name=name)


def titles(page: Any) -> list[str]:
    return [str(one) for one in page.locator("#list .title").all_inner_texts()]


def test_rows_are_paged_by_keyboard(open_page: Callable[..., Any]) -> None:
    page = open_page()
    status(page, "1–20 of 40 rows")
    first = titles(page)
    page.locator("#next").focus()
    page.keyboard.press("Enter")
    status(page, "21–40 of 40 rows")
    assert not set(first) & set(titles(page))
    assert page.locator("#next").is_disabled()


def test_rows_are_filtered_by_rung_fault_run_and_text(open_page: Callable[..., Any]) -> None:
    page = open_page()
    choice(page, "Fault").select_option("undefined step")
    status(page, "1–2 of 2 rows, out of 40")
    assert page.locator("#list .chip.dropped").count() == 2
    choice(page, "Reached").select_option("bound")
    status(page, "No row is like that.")
    page.get_by_role("button", name="Clear").click()
    status(page, "1–20 of 40 rows")
    choice(page, "Run").select_option("<b>wild")
    status(page, "1–10 of 10 rows, out of 40")
    page.get_by_label("Scenario or code has").fill("DOCUMENT.TITLE")
    status(page, "1–2 of 2 rows, out of 40")
    choice(page, "Run").select_option("tame")
    status(page, "No row is like that.")


def test_an_address_keeps_the_filter(open_page: Callable[..., Any]) -> None:
    page = open_page()
    choice(page, "In the data").select_option("dropped")
    status(page, "1–2 of 2 rows, out of 40")
    fragment = page.evaluate("location.hash")
    status(open_page(fragment), "1–2 of 2 rows, out of 40")


def test_a_mark_of_a_figure_leads_to_its_rows(open_page: Callable[..., Any]) -> None:
    page = open_page()
    part = page.locator("figure a[href*='actor=']").first
    words = part.get_attribute("aria-label")
    count = int(re.search(r": (\d+) of", words)[1])  # type: ignore[index]
    part.focus()
    page.keyboard.press("Enter")
    page.wait_for_function(
        "() => document.getElementById('status').textContent.includes('out of 40')"
    )
    assert f"of {count} rows" in page.locator("#status").inner_text()
    page.locator("#chosen button").click()
    choice(page, "Run").select_option("")
    status(page, "1–20 of 40 rows")


def test_a_mark_is_told_beside_the_pointer(open_page: Callable[..., Any]) -> None:
    page = open_page()
    mark = page.locator("figure a[aria-label^='undefined step']").first
    mark.scroll_into_view_if_needed()
    mark.hover()
    assert page.locator(".tip").inner_text() == "undefined step, tame: 2"


def test_a_row_shows_its_texts_and_the_prompts_that_made_it(open_page: Callable[..., Any]) -> None:
    page = open_page()
    row = page.locator("#list details.row").first
    row.locator("summary").first.focus()
    page.keyboard.press("Enter")
    row.locator(".pair pre").nth(1).wait_for()
    scenario, code = row.locator(".pair pre").all_inner_texts()
    wanted_instruction, wanted_output = seed_pairs(1)[0]
    assert instruction_for(scenario) == wanted_instruction
    assert code.strip() in wanted_output
    assert row.locator(".pair .keyword").first.inner_text().strip() == "Scenario"
    prompts = row.locator("details.prompt")
    assert prompts.count() == 2
    prompts.nth(1).locator("summary").click()
    shown = prompts.nth(1).locator("pre")
    shown.wait_for()
    assert scenario in shown.inner_text()
    assert "1,000 tokens read, 100 written" in prompts.nth(1).inner_text()


def test_hostile_text_is_shown_and_never_run(open_page: Callable[..., Any]) -> None:
    page = open_page("#rows?run=%3Cb%3Ewild")
    status(page, "1–10 of 10 rows, out of 40")
    shown = titles(page)[:3]
    assert shown[0] == HOSTILE[0]
    assert shown[1] == HOSTILE[1]
    assert shown[2].startswith("{{ 7*7 }} &lt;b&gt; &amp;")
    assert "\u202e" not in shown[2]
    for number in range(3):
        row = page.locator("#list details.row").nth(number)
        row.locator("summary").first.click()
        row.locator(".pair pre").nth(1).wait_for()
        row.locator("details.prompt summary").first.click()
        row.locator("details.prompt pre").first.wait_for()
    assert "<img src=x" in page.locator("#list .pair pre").first.inner_text()
    assert page.title().startswith("Run report: tame")
    assert page.locator("#list img, #list svg, main b b, #list script").count() == 0


@pytest.mark.parametrize(("width", "scheme"), [("desktop", "light"), ("phone", "dark")])
def test_the_page_fits_and_breaks_no_rule_of_accessibility(
    open_page: Callable[..., Any], width: str, scheme: str
) -> None:
    across, down = WIDTHS[width]
    page = open_page(viewport={"width": across, "height": down}, color_scheme=scheme)
    row = page.locator("#list details.row").nth(4)
    row.locator("summary").first.click()
    row.locator(".pair pre").nth(1).wait_for()
    row.locator("details.prompt summary").first.click()
    row.locator("details.prompt pre").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == across
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
