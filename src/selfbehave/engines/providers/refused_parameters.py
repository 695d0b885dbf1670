"""Parameters that a server refuses: which one an error names, and what to send instead.

Reasoning models of OpenAI take no temperature, others no seed, stop texts or grammar. Only such
parameters are changed; an error about a value, such as a limit of tokens that is too high, stays an
error, and so does one about what the user added with `--extra_body`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from .http_connections import HttpResponse
from .http_failures import json_in

__all__ = ["LEFT_OUT", "changed", "refused_in"]

LEFT_OUT = ""
# What is sent instead of a parameter: the same value under another name, or nothing. A limit of
# tokens is never left out, because answers cost money.
_INSTEAD: Mapping[str, str] = {
    "max_tokens": "max_completion_tokens",
    "temperature": LEFT_OUT,
    "top_p": LEFT_OUT,
    "seed": LEFT_OUT,
    "stop": LEFT_OUT,
    "stream": LEFT_OUT,
    "grammar": LEFT_OUT,
    "structured_outputs": LEFT_OUT,
    "guided_grammar": LEFT_OUT,
    "ebnf": LEFT_OUT,
    "response_format": LEFT_OUT,
    "cache_prompt": LEFT_OUT,
    "id_slot": LEFT_OUT,
}
_STATUSES = (400, 422)
# OpenAI's error codes for a parameter, or a value of it, that a model does not take.
_CODES = ("unsupported_parameter", "unsupported_value", "unknown_parameter")
_EXTRA = "extra_forbidden"  # pydantic's type of error, as FastAPI and Mistral send it
_MAX_BYTES = 20_000  # of an error's body, where names are looked for
_REFUSES = re.compile(
    r"unsupported|not (?:be )?support|n't support|not support|unrecogni[sz]ed|unknown|unexpected"
    r"|not permitted|not allowed|no longer|deprecated|both be|not available|invalid parameter"
    r"|extra (?:inputs|fields)",
    re.IGNORECASE,
)
_BOTH = re.compile(r"\bboth\b", re.IGNORECASE)  # of two parameters only one is taken
_AROUND = r"(?:parameters?|arguments?|fields?|options?|property|properties|names?|keys?|inputs?)"


def refused_in(
    response: HttpResponse, body: Mapping[str, Any], besides: Collection[str] = ()
) -> dict[str, str]:
    """The parameters that a response refuses, each with what to send instead.

    Args:
        body: of the request.
        besides: parameters that are sent as they are, or not at all.

    Returns:
        Names of parameters in the body, each with its new name or `LEFT_OUT`. Empty if the
        response is about something else.
    """
    if response.status not in _STATUSES:
        return {}
    sent = [name for name in _INSTEAD if name in body and name not in besides]
    content = response.content[:_MAX_BYTES]
    return {name: _INSTEAD[name] for name in _named_in(json_in(content), sent) or ()} or {
        name: _INSTEAD[name] for name in _named_by(content.decode("utf-8", "replace"), sent)
    }


def changed(body: Mapping[str, Any], changes: Mapping[str, str]) -> dict[str, Any]:
    """The body of a request with renamed parameters, and without those left out."""
    return {
        changes.get(name, name): value
        for name, value in body.items()
        if changes.get(name) != LEFT_OUT
    }


def _named_in(error: Any, sent: Collection[str]) -> list[str]:
    """The parameters that the fields of an error name."""
    if isinstance(error, list):
        found = [_named_in(one, sent) for one in error[:10]]
        return list(dict.fromkeys(name for names in found for name in names))
    if not isinstance(error, dict):
        return []
    place = error.get("loc")
    if error.get("type") == _EXTRA and isinstance(place, list) and place:
        return [name for name in sent if name == place[-1]]
    if error.get("code") in _CODES and error.get("param"):
        return [name for name in sent if name == error["param"]]
    return _named_in([error.get(name) for name in ("error", "message", "detail")], sent)


def _named_by(words: str, sent: Collection[str]) -> list[str]:
    """The parameter that the words of an error name first; of two that exclude each other, last."""
    if not _REFUSES.search(words):
        return []
    places = {name: place for name in sent if (place := _place_of(name, words)) is not None}
    in_order = sorted(places, key=lambda name: places[name])
    return in_order[-1:] if _BOTH.search(words) else in_order[:1]


def _place_of(name: str, words: str) -> int | None:
    """Where an error names a parameter; a name that is an ordinary word only if marked as one."""
    word = rf"(?<![\w-]){name}(?![\w-])"
    marked = rf"[\"'`]{name}\\?[\"'`]|{_AROUND}\W{{1,4}}{word}|{word} (?:{_AROUND}|is not|is un)"
    marked += rf"|: {word}(?=[\"'.,]|\s*$)"
    found = re.search(word if "_" in name or name == "temperature" else marked, words)
    return found.start() if found else None
