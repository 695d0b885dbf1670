"""The valid instances of an answer are found, and each faulty part has its reason."""

import pytest

from selfbehave.core.records import Instance
from selfbehave.prompts import FAMILIES, Answer
from selfbehave.prompts.bdd import instruction_for
from selfbehave.stages.parsing import valid_instances

SCENARIO = instruction_for("Scenario: A\n  Given b\n  When c\n  Then d")


def found(
    text: str, family: str = "classic", is_truncated: bool = False
) -> tuple[list[Instance], list[str]]:
    instruction = SCENARIO if family == "bdd" else "Do it."
    answer = Answer(text, is_truncated)
    valid, faulty = valid_instances(FAMILIES[family], instruction, answer, False)
    return valid, [reason for reason, _ in faulty]


def test_a_valid_instance_is_kept_beside_a_faulty_one() -> None:
    text = "Example 1\nInput: a\nOutput: b\nExample 2\nInput: c\nOutput: the list is:"
    valid, reasons = found(text)
    assert [(one.input, one.output) for one in valid] == [("a", "b")]
    assert reasons == ["unfinished"]


@pytest.mark.parametrize(
    ("text", "is_truncated", "reasons"),
    [
        ("I cannot.", False, ["no_instance"]),
        ("I can", True, ["truncated"]),
        ("```python\nx = 1\n", True, ["truncated"]),
        ("```python\nx = 1\n", False, ["unclosed_fence"]),
    ],
)
def test_an_answer_without_step_functions_says_why(
    text: str, is_truncated: bool, reasons: list[str]
) -> None:
    assert found(text, "bdd", is_truncated) == ([], reasons)


def test_a_block_written_twice_is_one_instance() -> None:
    block = "```python\nx = 1\n```"
    valid, reasons = found(f"{block}\n\nAgain:\n\n{block}", "bdd")
    assert len(valid) == 1
    assert reasons in ([], ["duplicate"])
