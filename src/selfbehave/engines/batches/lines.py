"""The lines of batch files, in the form of OpenAI's Batch API, without any I/O.

Azure, Groq, Together and vLLM's `run-batch` read and write the same form. A line's `custom_id` is
the request's key in the journal.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ...core.errors import SelfBehaveError
from ..base import Api, Completion, Message, Request
from ..failures import TryAgainError
from ..providers.http_connections import HttpResponse
from ..providers.openai_answers import answer_of, completion_of

__all__ = [
    "ENDPOINTS",
    "MOST_BYTES",
    "MOST_LINES",
    "Results",
    "files_of",
    "line_of",
    "request_of",
    "results_in",
    "text_of",
]

# What the endpoint of a batch is called in its lines, wherever the server's own address ends.
ENDPOINTS: Mapping[Api, str] = {"chat": "/v1/chat/completions", "completions": "/v1/completions"}
# OpenAI and Azure take 50,000 lines and 200 MB in a file, Together 100 MB.
MOST_LINES = 50_000
MOST_BYTES = 100_000_000
_SUCCESS = 200


@dataclass(frozen=True)
class Results:
    """What the files of a batch hold for its requests.

    Attributes:
        answers: by the request's key; of two lines with one key, the first.
        failures: why a request has no answer, by its key.
        ignored: lines that belong to no request of the batch, repeat another one, or are broken.
    """

    answers: Mapping[str, Completion]
    failures: Mapping[str, str]
    ignored: int


def line_of(key: str, api: Api, body: Mapping[str, Any]) -> bytes:
    """The line of a request, with its line end."""
    line = {"custom_id": key, "method": "POST", "url": ENDPOINTS[api], "body": body}
    return json.dumps(line, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def files_of(
    lines: Iterable[tuple[str, bytes]],
    most_lines: int = MOST_LINES,
    most_bytes: int = MOST_BYTES,
) -> Iterator[tuple[list[str], bytes]]:
    """Divide lines among files of limited size.

    Args:
        lines: each with its key.

    Yields:
        the keys and the content of each file.
    """
    keys: list[str] = []
    content = bytearray()
    for key, line in lines:
        if keys and (len(keys) == most_lines or len(content) + len(line) > most_bytes):
            yield keys, bytes(content)
            keys, content = [], bytearray()
        keys.append(key)
        content += line
    if keys:
        yield keys, bytes(content)


def results_in(lines: Iterable[bytes], requests: Mapping[str, Request], address: str) -> Results:
    """Read the lines of a batch's output and error files.

    Args:
        requests: those of the batch, by their keys.
        address: the server's, for messages.
    """
    answers: dict[str, Completion] = {}
    failures: dict[str, str] = {}
    ignored = 0
    for line in lines:
        if not line.strip():
            continue
        row = _object_in(line)
        key = row.get("custom_id")
        if not isinstance(key, str) or key not in requests or key in answers:
            ignored += 1
            continue
        try:
            answer = answer_of(_response_in(row, address))
            answers[key] = completion_of(answer, requests[key])
            failures.pop(key, None)
        except (TryAgainError, SelfBehaveError) as error:
            failures.setdefault(key, str(error))
    return Results(answers, failures, ignored)


def text_of(request: Request) -> str:
    """A request as a JSON text."""
    return json.dumps(asdict(request))


def request_of(text: str) -> Request:
    """The request in a text that `text_of` made."""
    fields = json.loads(text)
    before: Sequence[Message] = tuple(Message(**message) for message in fields["before"])
    return Request(**fields | {"stop": tuple(fields["stop"]), "before": before})


def _response_in(row: Mapping[str, Any], address: str) -> HttpResponse:
    """The response to a request, as if it had come alone."""
    response = row.get("response")
    if not isinstance(response, dict):
        error = row.get("error")
        words = error.get("message") if isinstance(error, dict) else error
        raise TryAgainError("no answer in the batch", str(words or "no reason is given")[:300])
    # Some servers put the body itself there, without a status.
    body = response.get("body", response)
    status = response.get("status_code", _SUCCESS)
    status = status if isinstance(status, int) and 100 <= status < 600 else _SUCCESS
    return HttpResponse(address, status, {}, json.dumps(body).encode())


def _object_in(line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return row if isinstance(row, dict) else {}
