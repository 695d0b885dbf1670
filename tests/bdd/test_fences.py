"""Fenced blocks are cut out of answers as CommonMark reads them."""

from hypothesis import given
from hypothesis import strategies as st

from selfbehave.bdd.fences import Block, fence, fenced_blocks


def test_blocks_are_found_with_language_body_and_end() -> None:
    text = "So:\n```gherkin\n  a\n    b\n```\nand\n```Python\nc\n```\nbye"
    first, second = fenced_blocks(text)
    assert (first.language, first.body, first.is_closed) == ("gherkin", "a\n  b", True)
    assert (second.language, second.body) == ("python", "c")
    assert text[second.end :] == "bye"


def test_an_open_block_is_told_apart() -> None:
    assert fenced_blocks("```python\nx = 1") == [Block("python", "x = 1", False, 15)]


def test_a_doc_string_of_backticks_does_not_close_a_longer_fence() -> None:
    body = "Given text\n```\nhi\n```"
    assert [block.body for block in fenced_blocks(fence("gherkin", body))] == [body]


def test_a_fence_with_a_language_does_not_close_a_block() -> None:
    (block,) = fenced_blocks("```python\na\n```gherkin\nb\n```\n")
    assert block.body == "a\n```gherkin\nb"


def test_tildes_fence_a_block_too_and_neither_kind_closes_the_other() -> None:
    (block,) = fenced_blocks("~~~ python\n```\na\n~~\n~~~~\n")
    assert (block.language, block.body, block.is_closed) == ("python", "```\na\n~~", True)
    (block,) = fenced_blocks("```python\n~~~\na\n```")
    assert (block.body, block.is_closed) == ("~~~\na", True)


def test_a_line_with_a_backtick_behind_three_of_them_opens_nothing() -> None:
    assert fenced_blocks("```python` is code\n") == []
    assert [block.language for block in fenced_blocks("~~~python `x`\n~~~")] == ["python"]


bodies = st.text(st.sampled_from("ab`~ \n\"'#é"), max_size=60)


@given(bodies)
def test_what_is_fenced_is_found_again(body: str) -> None:
    (block,) = fenced_blocks(fence("python", body))
    assert block.is_closed
    again = fence("python", block.body)
    assert fenced_blocks(again)[0].body == block.body


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    assert all(block.end <= len(text) for block in fenced_blocks(text))
