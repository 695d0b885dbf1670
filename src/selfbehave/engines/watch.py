"""What a client notices about answers: refused parameters, and answers without text."""

from __future__ import annotations

from collections.abc import Sequence

from ..core.errors import SelfBehaveError
from ..events.events import Emit, ParameterRefused, Said
from .base import Completion, Engine, Request

__all__ = ["AnswerWatch"]

_FIRST_ANSWERS = 5  # of a stage; if none of them has text, no more requests are sent


class AnswerWatch:
    """Looks at the answers of engines, and tells each thing once.

    Args:
        emit: takes an event for each parameter that an engine's server refuses, and a message about
            the first answer whose tokens all went into thoughts.
    """

    def __init__(self, engines: Sequence[Engine], emit: Emit) -> None:
        self._engines = engines
        self._emit = emit
        self._told: set[tuple[int, str]] = set()
        self._has_told_limit = False
        self._textless: dict[str, list[str]] = {}  # finish reasons by stage, until one has text
        self._with_text: set[str] = set()

    def tell_changes(self) -> None:
        """Emit an event for each parameter that was refused since the last call."""
        for place, engine in enumerate(self._engines):
            for name, instead in getattr(engine, "changes", {}).items():
                if (place, name) not in self._told:
                    self._told.add((place, name))
                    address = engine.address or engine.identity
                    self._emit(ParameterRefused(address, name, instead))

    def note(self, request: Request, completion: Completion) -> None:
        """Note an answer."""
        stage = _stage_of(request)
        if not _is_textless(completion):
            self._with_text.add(stage)
            return
        if stage not in self._with_text:
            self._textless.setdefault(stage, []).append(completion.finish_reason)
        if completion.finish_reason == "length" and not self._has_told_limit:
            self._has_told_limit = True
            self._emit(
                Said(
                    f"an answer in {stage} has no text: {self._limit_words(request)}; "
                    "--max_tokens or --thinking_tokens raises it"
                )
            )

    def refuse_if_useless(self, request: Request) -> None:
        """Refuse a request of a stage whose first answers are all without text.

        Raises:
            SelfBehaveError: they are; all of them have been returned, and can be kept.
        """
        stage = _stage_of(request)
        found = self._textless.get(stage, [])
        if stage in self._with_text or len(found) < _FIRST_ANSWERS:
            return
        reasons = set(found)
        what = f"none of the first {len(found)} answers in {stage} has any text"
        if "length" in reasons:
            what += f": {self._limit_words(request)}"
            mend = "raise it with --max_tokens or --thinking_tokens, or let the model think less "
            mend += "with --extra_body"
        elif reasons == {"stop"}:
            what += ", only thoughts"
            mend = "turn thinking off with --extra_body, or correct the server's settings for "
            mend += "reading this model's thoughts"
        else:
            what += f" ({', '.join(sorted(reasons))})"
            mend = "take other seed tasks or another model"
        raise SelfBehaveError(what, mend=f"in another --batch_dir, {mend}")

    def _limit_words(self, request: Request) -> str:
        added = getattr(self._engines[0], "additions", {}).get("thinking_tokens", 0)
        return f"its limit of {request.max_tokens + added} tokens went on thinking"


def _stage_of(request: Request) -> str:
    """The stage without further words, by which a study's questions differ."""
    return request.stage.partition(" ")[0]


def _is_textless(completion: Completion) -> bool:
    """Whether an answer has no text, although its model did not simply write nothing."""
    is_cut = completion.finish_reason != "stop"
    return not completion.text.strip() and (is_cut or bool(completion.reasoning))
