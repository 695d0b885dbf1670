"""The rating pages as a web application.

All pages are under `/r/TOKEN/`, and the token identifies the user. A form posts its fields. The
page's script posts each answer immediately in the same way.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from ...core.errors import SelfBehaveError
from ...core.printable import REPLACEMENT, printable
from ..consensus import settle
from ..criteria_guide import ILL_FORMED, SOURCES
from ..items import StudyItem
from ..layout import lay_out
from ..rater_answers import FIELDS, MAX_NOTE_CHARACTERS, NO, QUESTIONS, YES, verdicts
from ..ratings import CONSENSUS
from ..store import OWNER, RATER, Rater, Study
from . import highlight
from .overview import CRITERION_NAMES, overview
from .places import Entry, Visit, Walk, asked_questions, item_at, rater_label, visit_of, walk_of
from .security import SafeHeaders, form_signature, read_form

__all__ = ["link_path", "make_app"]

_FORM_FIELDS = (*QUESTIONS, "ill_formed", "note")
_RATES = (RATER, CONSENSUS)

_PAGES = Environment(
    loader=PackageLoader("selfbehave.study.web"),
    autoescape=True,
    trim_blocks=True,
    undefined=StrictUndefined,
)
_PAGES.globals |= {"ill_formed_guide": ILL_FORMED, "sources": SOURCES}


def link_path(rater: Rater) -> str:
    """Return the path of a rater's private link."""
    return f"/r/{rater.token}/"


def make_app(study: Study, hosts: Collection[str], link: Callable[[Rater], str]) -> Starlette:
    """Make the application of a study.

    Args:
        hosts: the host names of the server, or `security.ANY_HOST`.
        link: returns the full URL of a rater's private link, which the owner's page shows.
    """
    pages = _Pages(study, link)
    return Starlette(
        routes=[
            Route("/r/{token}/", pages.start),
            Route("/r/{token}/guide", pages.guide),
            Route("/r/{token}/all", pages.all),
            Route("/r/{token}/end", pages.end),
            Route("/r/{token}/undo", pages.undo, methods=["POST"]),
            Route("/r/{token}/item/{item_id:int}", pages.item),
            Route("/r/{token}/{position:int}", pages.rate),
            Route("/r/{token}/{position:int}", pages.answer, methods=["POST"]),
            Mount("/static", StaticFiles(packages=[("selfbehave.study.web", "static")])),
        ],
        middleware=[Middleware(SafeHeaders, hosts=hosts)],
        exception_handlers={HTTPException: _refusal, SelfBehaveError: _failure},
    )


class _Pages:
    """The pages of one study. Starlette runs the synchronous handlers in separate threads."""

    def __init__(self, study: Study, link: Callable[[Rater], str]) -> None:
        self._study = study
        self._link = link
        self._secret = study.secret
        self._questions = study.questions()

    def start(self, request: Request) -> Response:
        rater = self._rater(request, *_RATES, OWNER)
        if rater.role == OWNER:
            return _page("overview", **overview(self._study, self._link))
        walk = walk_of(self._study, rater)
        entry = walk.first_open()
        if entry is None:
            return _end(walk)
        return RedirectResponse(str(entry.position), HTTPStatus.SEE_OTHER)

    def end(self, request: Request) -> Response:
        walk = walk_of(self._study, self._rater(request, *_RATES))
        entry = walk.first_open()
        if entry is None:
            return _end(walk)
        # Return to the first skipped scenario.
        return RedirectResponse(str(entry.position), HTTPStatus.SEE_OTHER)

    def guide(self, request: Request) -> Response:
        self._rater(request, *_RATES, OWNER)
        return _page("guide", questions=self._questions)

    def all(self, request: Request) -> Response:
        walk = walk_of(self._study, self._rater(request, *_RATES))
        items = self._study.items_by_id()
        return _page(
            "all",
            heading="All disagreements" if walk.is_consensus else "All scenarios",
            finished=walk.finished,
            done_word=walk.done_word,
            entries=[
                {
                    "position": entry.position,
                    "number": entry.number,
                    "name": items[entry.item_id].name,
                    "state": _state(entry, walk),
                    "has_note": "note" in entry.answers,
                }
                for entry in walk.entries
            ],
        )

    def rate(self, request: Request) -> Response:
        rater, visit = self._visit(request)
        if _wants_json(request):
            return JSONResponse(_state_of(visit))
        return self._rating_page(rater, visit)

    async def answer(self, request: Request) -> Response:
        fields = await self._form(request)
        return await run_in_threadpool(self._keep, request, fields)

    def _keep(self, request: Request, fields: Mapping[str, str]) -> Response:
        rater = self._rater(request, *_RATES)
        position = request.path_params["position"]
        item_id = item_at(self._study, rater, position)
        if item_id is None:
            raise HTTPException(404)
        self._study.answer(rater, item_id, _changes(fields))
        visit = self._visit_of(rater, position)
        if _wants_json(request):
            return JSONResponse(_state_of(visit))
        place = visit.place
        return RedirectResponse(
            place.next if fields.get("go") == "next" else place.here, HTTPStatus.SEE_OTHER
        )

    async def undo(self, request: Request) -> Response:
        await self._form(request)
        return await run_in_threadpool(self._undo, request)

    def _undo(self, request: Request) -> Response:
        rater = self._rater(request, *_RATES)
        item_id = self._study.undo(rater)
        walk = walk_of(self._study, rater)
        entry = None if item_id is None else walk.of_item(item_id)
        if not _wants_json(request):
            return RedirectResponse(str(entry.position) if entry else "./", HTTPStatus.SEE_OTHER)
        return JSONResponse({"undone": False} if entry is None else _state_of(walk.visit(entry)))

    def item(self, request: Request) -> Response:
        self._rater(request, OWNER)
        item_id = request.path_params["item_id"]
        item = self._study.item(item_id)
        if item is None:
            raise HTTPException(404)
        everyone = [rater for rater in self._study.raters() if rater.role != OWNER]
        answers_by_rater = self._study.answers_to(item_id, everyone)
        by_raters = [answers_by_rater[rater.id] for rater in everyone if rater.role == RATER]
        for rater in everyone:
            if rater.role == CONSENSUS:
                answers_by_rater[rater.id] = settle(answers_by_rater[rater.id], by_raters)
        rows = [
            {
                "name": rater.name,
                "answers": [
                    {True: YES, False: NO, None: ""}[holds]
                    for holds in verdicts(answers_by_rater[rater.id]).values()
                ],
                "note": answers_by_rater[rater.id].get("note", ""),
            }
            for rater in everyone
        ]
        headings = [CRITERION_NAMES[name] for name in verdicts({})]
        return _page("item", item=item, headings=headings, rows=rows, **_texts(item))

    def _rating_page(self, rater: Rater, visit: Visit) -> Response:
        entry = visit.entry
        item = self._study.item(entry.item_id)
        if item is None:
            raise HTTPException(404)
        by_raters: list[dict[str, str]] = []
        if visit.is_consensus:
            people = self._study.people()
            answers_by_rater = self._study.answers_to(entry.item_id, people)
            by_raters = [answers_by_rater[one.id] for one in people]
        return _page(
            "rate",
            place=visit.place,
            questions=self._questions,
            asked=asked_questions(self._questions, entry.answers, by_raters),
            notes=[
                (f"Rater {rater_label(number)}", answers["note"])
                for number, answers in enumerate(by_raters)
                if "note" in answers
            ],
            note=entry.answers.get("note", ""),
            ill_formed=entry.answers.get("ill_formed", ""),
            max_note=MAX_NOTE_CHARACTERS,
            csrf=form_signature(self._secret, rater.token),
            message="",
            **_texts(item),
        )

    def _rater(self, request: Request, *roles: str) -> Rater:
        rater = self._study.rater_with(request.path_params["token"])
        if rater is None or rater.role not in roles:
            raise HTTPException(404)
        return rater

    def _visit(self, request: Request) -> tuple[Rater, Visit]:
        rater = self._rater(request, *_RATES)
        return rater, self._visit_of(rater, request.path_params["position"])

    def _visit_of(self, rater: Rater, position: int) -> Visit:
        visit = visit_of(self._study, rater, position)
        if visit is None:
            raise HTTPException(404)
        return visit

    async def _form(self, request: Request) -> dict[str, str]:
        token = request.path_params["token"]
        try:
            return await read_form(request, form_signature(self._secret, token))
        except HTTPException:
            await run_in_threadpool(self._rater, request, *_RATES)  # an unknown link gives 404
            raise


def _changes(fields: Mapping[str, str]) -> dict[str, str]:
    """Return the answers that a posted form changes.

    A complete form also contains the value that its page showed for each field (`was.FIELD`). A
    field that the user did not change is ignored, so that it cannot overwrite a newer answer from
    another tab.

    Raises:
        HTTPException: 422 for an invalid answer, or a note that is too long.
    """
    changes = {}
    for field in _FORM_FIELDS:
        was = fields.get(f"was.{field}")
        if was is None and field not in fields:
            continue
        value = fields.get(field, "")
        if field == "note":
            value, was = _note(value), was and _note(was)
            if len(value) > MAX_NOTE_CHARACTERS:
                raise HTTPException(
                    422,
                    f"The note has {len(value)} characters; {MAX_NOTE_CHARACTERS} are the most.",
                )
        elif value not in (YES, NO, ""):
            raise HTTPException(422, f"An answer is yes or no, not {value[:20]!r}.")
        if value != was:
            changes[field] = value
    return changes


def _note(text: str) -> str:
    return printable(text).replace(REPLACEMENT, "").strip("\n")


def _state_of(visit: Visit) -> dict[str, Any]:
    """Return the response for a page's script: the saved answers and the progress."""
    entry = visit.entry
    return {
        "position": entry.position,
        "answers": {field: entry.answers.get(field, "") for field in FIELDS},
        "finished": visit.finished,
        "total": visit.total,
    }


@lru_cache(maxsize=2048)  # enough for several datasets of 286 scenarios in different orders
def _texts(item: StudyItem) -> Mapping[str, Any]:
    """Return a scenario in the form that pages show."""
    layout = lay_out(item)
    return {
        "layout": layout,
        "scenario": highlight.gherkin(layout.scenario),
        "code": highlight.python(layout.code),
    }


def _state(entry: Entry, walk: Walk) -> str:
    if entry.is_finished:
        return walk.done_word
    is_begun = any(field in entry.answers for field in QUESTIONS)
    return "begun" if is_begun else "open"


def _end(walk: Walk) -> Response:
    total = len(walk.entries)
    if walk.is_consensus:
        heading = "All is settled" if total else "No disagreement so far"
        words = (
            "Every scenario that the raters disagree on has been settled. New ones may come up "
            "as long as they rate; this page will show them."
        )
        if not total:
            words = "A scenario comes up here once two raters have judged it differently."
    else:
        heading = "All done, thank you"
        words = f"You have judged all {total} scenarios, and everything is saved."
    return _page("done", heading=heading, words=words, total=total)


def _page(name: str, status: int = 200, **values: Any) -> Response:
    return HTMLResponse(_PAGES.get_template(f"{name}.html").render(values), status)


def _wants_json(request: Request) -> bool:
    return "application/json" in request.headers.get("accept", "")


def _refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    words = error.detail
    if error.status_code == HTTPStatus.NOT_FOUND:
        words = "There is nothing here. Check that the link is whole, or ask for a new one."
    return _error(request, error.status_code, words)


def _failure(request: Request, error: Exception) -> Response:
    # Raters cannot fix the error, and its message may contain paths that they should not see.
    print(f"selfbehave: {error}", file=sys.stderr, flush=True)
    words = "The study cannot be reached just now. What was saved is not lost; try again soon."
    return _error(request, HTTPStatus.SERVICE_UNAVAILABLE, words)


def _error(request: Request, status: int, words: str) -> Response:
    if _wants_json(request):
        return JSONResponse({"error": words}, status)
    return _page("message", status, heading=HTTPStatus(status).phrase, words=words)
