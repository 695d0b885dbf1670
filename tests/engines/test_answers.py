"""What is made of the bodies of answers: text, thoughts, tokens, finish reasons, errors."""

import json
from typing import Any

import pytest

from selfbehave.core.errors import SelfBehaveError
from selfbehave.engines import Cause, Completion, Request, TryAgainError
from selfbehave.engines.providers.http_connections import HttpResponse
from selfbehave.engines.providers.openai_answers import answer_of, completion_of
from selfbehave.engines.providers.refused_parameters import changed, refused_in

ASKED = Request("test", 0, "Say hello", 0.5, 0.9, 20, seed=7, stop=("\nTask",))
CHAT = {"model": "m", **ASKED.parameters, "stream": False}


def read(body: Any, status: int = 200, kind: str = "application/json") -> Completion:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = HttpResponse("http://x/v1", status, {"Content-Type": kind}, content)
    return completion_of(answer_of(response), ASKED)


def message(content: Any, finish_reason: str = "stop", **fields: Any) -> dict[str, Any]:
    said = {"role": "assistant", "content": content, **fields}
    return {"choices": [{"message": said, "finish_reason": finish_reason}]}


@pytest.mark.parametrize(
    ("content", "text", "thoughts"),
    [
        ("hello", "hello", ""),
        ("<think>hm</think>\n\nhello", "hello", "hm"),
        ("hm\n</think>\nhello", "hello", "hm"),
        ("  <THINK>hm</Think>hello", "hello", "hm"),
        ("<think>a</think>b<think>c</think>hello", "hello", "abc"),
        ("<think>hm", "", "hm"),
        ("hello<think>hm", "hello", "hm"),
        ("a</think>hello<think>b", "hello", "a\n\nb"),
        ("<think></think>", "", ""),
        ("[THINK]hm[/THINK]hello", "hello", "hm"),
        ("◁think▷hm◁/think▷hello", "hello", "hm"),
        ("<seed:think>hm</seed:think>hello", "hello", "hm"),
        ("<thinking>hm</thinking>hello", "hello", "hm"),
        ("Given the tag </thinking> is shown", "Given the tag </thinking> is shown", ""),
        ("Given a <thought> of a user", "Given a <thought> of a user", ""),
        ("<|channel|>analysis<|message|>hm<|end|>", "", "<|channel|>analysis<|message|>hm<|end|>"),
        ([{"type": "text", "text": "hel"}, {"type": "text", "text": "lo"}], "hello", ""),
        (["hel", "lo"], "hello", ""),
        ({"type": "text", "text": "hello"}, "hello", ""),
        ([{"text": "hello"}], "hello", ""),
        ([{"type": "text", "text": {"value": "hello"}}], "hello", ""),
        ([{"type": "reasoning", "summary": [{"text": "hm"}]}, {"text": "hello"}], "hello", "hm"),
        ([{"type": "thinking", "thinking": "hm"}, {"text": "hello"}], "hello", "hm"),
        ([{"type": ["text"], "text": "hm"}, 7, None, {"text": "hello"}], "hello", "hm"),
        ([{"type": "text", "text": 7}], "", ""),
        ([], "", ""),
        ("", "", ""),
    ],
)
def test_text_and_thoughts_are_told_apart(content: Any, text: str, thoughts: str) -> None:
    answer = read(message(content))
    assert (answer.text, answer.reasoning) == (text, thoughts)


def test_thoughts_in_two_fields_are_kept_once() -> None:
    answer = read(message("hello", reasoning="hm", reasoning_content="hm"))
    assert (answer.text, answer.reasoning) == ("hello", "hm")


def test_thoughts_of_any_depth_and_length_are_bounded() -> None:
    deep: Any = "x"
    for _ in range(50):
        deep = [{"thinking": deep}]
    answer = read(message([{"type": "thinking", "thinking": deep}, {"text": "hello"}]))
    assert answer.text == "hello"
    assert len(read(message("hello", reasoning="x" * 1_000_000)).reasoning) == 200_000


@pytest.mark.parametrize("refusal", [{"refusal": "No."}, {"content": [{"type": "refusal"}]}])
def test_a_refusal_is_an_answer_without_text(refusal: dict[str, Any]) -> None:
    answer = read(message(refusal.pop("content", None), **refusal))
    assert (answer.text, answer.finish_reason, answer.is_truncated) == ("", "refusal", True)


@pytest.mark.parametrize(
    ("reason", "read_as"),
    [("eos", "stop"), ("STOP", "stop"), ("end_turn", "stop"), ("max_tokens", "length"),
     ("MAX_TOKENS", "length"), ("SAFETY", "content_filter"), ("tool_calls", "tool_calls")],
)  # fmt: skip
def test_finish_reasons_of_other_servers_are_understood(reason: str, read_as: str) -> None:
    assert read(message("hello", reason)).finish_reason == read_as


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        ({"prompt_tokens": 9, "completion_tokens": 8, "total_tokens": 17}, (9, 8, 6, 0)),
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 8,
                "completion_tokens_details": {"reasoning_tokens": 5},
                "prompt_tokens_details": {"cached_tokens": 4},
            },
            (9, 8, 5, 4),
        ),
        ({"prompt_tokens": 9, "completion_tokens": 8, "total_tokens": 47}, (9, 38, 30, 0)),
        ({"prompt_tokens": 9, "completion_tokens": 8, "prompt_cache_hit_tokens": 7}, (9, 8, 6, 7)),
        ({"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 99}}, (9, 0, 0, 9)),
        ({"prompt_tokens_details": [3], "completion_tokens_details": "x"}, (0, 0, 0, 0)),
    ],
    ids=["estimated", "OpenAI", "Gemini and xAI", "DeepSeek", "too many", "nonsense"],
)
def test_tokens_of_thoughts_and_of_the_cache_are_counted_apart(
    usage: dict[str, Any], counted: tuple[int, int, int, int]
) -> None:
    answer = read(message("<think>" + "t" * 75 + "</think>" + "x" * 25) | {"usage": usage})
    tokens = (answer.prompt_tokens, answer.completion_tokens)
    assert (*tokens, answer.reasoning_tokens, answer.cached_tokens) == counted


def stream(*chunks: Any, end: str = "data: [DONE]\n\n") -> bytes:
    return "".join([*(f"data: {json.dumps(one)}\n\n" for one in chunks), end]).encode()


def chunk(finish_reason: str | None = None, index: int = 0, **delta: Any) -> dict[str, Any]:
    return {"choices": [{"index": index, "delta": delta, "finish_reason": finish_reason}]}


def test_the_chunks_of_a_stream_are_joined() -> None:
    usage = {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 8}}
    body = stream(
        chunk(role="assistant", content=None),
        chunk(reasoning="h"),
        chunk(reasoning="m"),
        chunk(index=1, content="another choice"),
        chunk(content="hel"),
        chunk("stop", content="lo"),
        usage,
    )
    expected = Completion("hello", "stop", 9, 8, reasoning="hm", reasoning_tokens=2)
    assert read(body, kind="text/event-stream") == expected
    assert read(b"\xef\xbb\xbf: comment\r\n\r\n" + body.replace(b"\n", b"\r\n")) == expected


def test_a_stream_of_completions_and_one_of_parts_are_read() -> None:
    texts = stream({"choices": [{"text": "hel"}]}, {"choices": [{"text": "lo"}]})
    assert read(texts).text == "hello"
    parts = stream(chunk(content=[{"text": "hel"}]), chunk("stop", content="lo"))
    assert read(parts).text == "hello"


def test_a_stream_that_is_long_takes_time_by_its_length_only() -> None:
    body = stream(*[chunk(content="x" * 10)] * 100_000, chunk("stop"))
    assert len(read(body).text) == 200_000


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (stream(chunk(content="hel"), end=""), "bad JSON"),
        (stream(chunk(content="hel"), end='data: {"choices": [{"del'), "bad JSON"),
        (stream([1]), "bad JSON"),
        (stream(), "no text"),
        (stream(chunk(content="hel"), {"error": {"code": 502, "message": "away"}}), "502"),
        (stream(chunk(content="hel"), {"error": "away"}), "an error"),
    ],
)
def test_a_stream_that_breaks_off_is_asked_for_again(body: bytes, reason: str) -> None:
    with pytest.raises(TryAgainError) as caught:
        read(body, kind="text/event-stream")
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ({"error": {"code": 402, "message": "no credit"}}, 402),
        ({"error": {"code": "403", "message": "no"}}, 403),
        ({"error": {"type": "invalid_request_error", "message": "no"}}, 400),
        ({"error": {"code": "model_not_found", "message": "no"}}, 404),
        ({"object": "error", "code": 400, "message": "no", "type": "BadRequestError"}, 400),
        ([{"error": {"code": 404, "message": "no"}}], 404),
        ({"error": {"type": "insufficient_quota", "message": "no"}}, 402),
        ({"choices": [{"error": {"code": 401, "message": "no"}, "finish_reason": "error"}]}, 401),
    ],
)
def test_an_error_sent_as_a_success_is_the_refusal_that_its_code_says(
    error: Any, status: int
) -> None:
    with pytest.raises(SelfBehaveError, match=rf"refused the request \({status}\)"):
        read(error)


@pytest.mark.parametrize(
    ("error", "reason", "cause"),
    [
        ({"error": {"code": 429, "message": "slow"}}, "429", Cause.BUSY),
        ({"error": {"code": 503, "message": "away"}}, "503", Cause.GATEWAY),
        ({"error": {"type": "overloaded_error", "message": "busy"}}, "529", Cause.FAILED),
        ({"error": {"code": None, "message": "odd"}}, "an error", Cause.UNUSABLE),
        ({"error": "odd"}, "an error", Cause.UNUSABLE),
        ({"detail": [{"loc": ["body", "x"], "msg": "odd"}]}, "an error", Cause.UNUSABLE),
        ({"choices": [{"finish_reason": "error", "text": "half"}]}, "error", Cause.FAILED),
        ({"choices": []}, "no choices", Cause.UNUSABLE),
        ({"choices": [{}]}, "no text", Cause.UNUSABLE),
    ],
)
def test_an_error_sent_as_a_success_may_pass(error: Any, reason: str, cause: Cause) -> None:
    with pytest.raises(TryAgainError) as caught:
        read(error)
    assert (caught.value.reason, caught.value.cause) == (reason, cause)


def test_a_prompt_refused_by_a_filter_within_a_success_is_answered_with_nothing() -> None:
    answer = read({"error": {"code": "content_filter", "message": "filtered"}})
    assert (answer.text, answer.finish_reason) == ("", "content_filter")


# Parameters


def refused(words: str, status: int = 400, **fields: Any) -> dict[str, str]:
    content = json.dumps({"error": {"message": words, **fields}}).encode()
    return refused_in(HttpResponse("http://x/v1", status, {}, content), CHAT)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'.", "max_tokens"),
        ("Unrecognized request argument supplied: seed", "seed"),
        ("unknown field `stop`, expected one of `model`, `messages`", "stop"),
        ("temperature is not supported by this model", "temperature"),
        ("stop is not supported by this model", "stop"),
        ("property 'seed' is unsupported", "seed"),
        ("Provider returned error: Argument not supported on this model: stop", "stop"),
    ],
)
def test_a_parameter_is_found_in_the_words_of_a_refusal(words: str, named: str) -> None:
    assert set(refused(words)) == {named}


@pytest.mark.parametrize(
    "words",
    [
        "max_tokens is too large: 9000",
        "This model's maximum context length is 8192 tokens",
        "Please stop sending such requests: your account is not supported",
        "top_k is not supported",
        "temperature must be between 0 and 1",
        "the seed of doubt",
    ],
)
def test_a_refusal_of_something_else_changes_no_parameter(words: str) -> None:
    assert refused(words) == {}


def test_only_a_refusal_of_the_request_changes_a_parameter() -> None:
    assert refused("Unsupported parameter: 'seed'", status=401) == {}
    assert refused("Unsupported parameter: 'seed'", status=500) == {}
    assert refused("no", param="seed", code="unknown_parameter") == {"seed": ""}


def test_what_the_user_added_is_never_changed() -> None:
    content = b'{"error": {"message": "Unsupported parameter: \'temperature\'"}}'
    response = HttpResponse("http://x/v1", 400, {}, content)
    assert refused_in(response, CHAT, besides={"temperature": 1}) == {}


def test_a_changed_body_has_the_value_under_the_new_name() -> None:
    body = changed(CHAT, {"max_tokens": "max_completion_tokens", "seed": ""})
    assert body["max_completion_tokens"] == 20
    assert not {"max_tokens", "seed"} & set(body)
