"""The classic prompts for chat models: examples are turns, and a request asks for one task."""

import pytest

from benchmarks.classification import labelled_tasks
from selfbehave.core.errors import SelfBehaveError
from selfbehave.core.records import is_yes
from selfbehave.engines.base import Message
from selfbehave.prompts import FAMILIES, Answer, Prompt

TURNS = FAMILIES["classic_turns"]
EXAMPLES = ["Name the capital of\neach country.", "Sort the words by their length."]


def said(prompt: Prompt, role: str) -> list[str]:
    return [message.content for message in prompt.before if message.role == role]


def one(text: str, *, is_truncated: bool = False) -> tuple[str, str | None]:
    (candidate,) = TURNS.candidates(Answer(text, is_truncated))
    return candidate.instruction, candidate.fault


class TestBootstrap:
    def test_the_examples_of_the_pool_are_answers_of_one_line(self) -> None:
        prompt = TURNS.bootstrap_prompt(EXAMPLES, "chat")
        assert prompt.before[0].role == "system"
        assert said(prompt, "assistant") == [
            "Name the capital of each country.",
            "Sort the words by their length.",
        ]

    def test_topic_and_kind_follow_from_the_examples(self) -> None:
        asked = {TURNS.bootstrap_prompt([*EXAMPLES, f"Task {n}"], "chat").text for n in range(20)}
        assert len(asked) > 15, "other examples draw another topic and kind"
        prompt = TURNS.bootstrap_prompt(EXAMPLES, "chat")
        assert prompt == TURNS.bootstrap_prompt(EXAMPLES, "chat"), "a run can be replayed"
        assert "Topic: " in prompt.text
        assert " Kind: " in prompt.text

    def test_an_instruction_does_not_take_the_beginning_of_its_own_answer(self) -> None:
        answer = "Write a haiku about the sea at night.\nWaves fold into"
        whole = ("Write a haiku about the sea at night.", None)
        assert one(answer) == whole
        assert one(answer, is_truncated=True) == whole, "the cut is behind the first line"

    def test_a_line_that_the_token_limit_cut_is_dropped(self) -> None:
        assert one("Write a haiku about the se", is_truncated=True)[1] == "truncated"

    @pytest.mark.parametrize("mark", ["9. ", "- ", "Task: ", "**Task:** ", "\n1) Instruction: "])
    def test_marks_before_an_instruction_are_left_out(self, mark: str) -> None:
        assert one(f"{mark}Name three birds that sing.")[0] == "Name three birds that sing."

    def test_quotes_around_the_instruction_go_and_those_within_stay(self) -> None:
        assert one('"Name three birds that sing."')[0] == "Name three birds that sing."
        assert one('Translate "good day" into Welsh.')[0] == 'Translate "good day" into Welsh.'

    def test_an_instruction_of_bad_form_is_dropped_as_in_the_classic_family(self) -> None:
        assert one("Describe what the picture shows here.")[1] == "unwanted_kind"
        assert TURNS.candidates(Answer(" \n", is_truncated=False)) == []


class TestClassify:
    def test_yes_and_no_take_turns_and_give_their_reasons_where_the_answer_stops(self) -> None:
        prompt = TURNS.classify_prompt(" Is 7 a prime number? ", "chat")
        answers = said(prompt, "assistant")
        assert [is_yes(answer) for answer in answers] == [True, False] * (len(answers) // 2)
        assert {answer.partition(prompt.stop[0])[0] for answer in answers} == {"Yes", "No"}
        assert prompt.text == "Task: Is 7 a prime number?"

    def test_no_labelled_task_of_the_benchmark_is_an_example(self) -> None:
        shown = {text.removeprefix("Task: ") for text in said(
            TURNS.classify_prompt("x", "chat"), "user"
        )}  # fmt: skip
        tasks = labelled_tasks()
        assert len({task.instruction for task in tasks}) == len(tasks) == 60
        assert sum(task.is_classification for task in tasks) == 30
        assert not shown & {task.instruction for task in tasks}


class TestInstances:
    @pytest.mark.parametrize("is_classification", [True, False])
    def test_the_examples_can_be_read_as_answers_and_keep_to_the_limit(
        self, is_classification: bool
    ) -> None:
        for limit in (1, 2):
            prompt = TURNS.instances_prompt("Do it.", is_classification, [], limit, "chat")
            found = [
                TURNS.instances("Do it.", Answer(text, False), is_classification)
                for text in said(prompt, "assistant")
            ]
            assert max(map(len, found)) == limit
            assert all(parsed.instance for example in found for parsed in example)
            assert f"at most {limit} examples" in prompt.before[0].content

    def test_a_classification_task_is_asked_for_the_label_first(self) -> None:
        (first, *_) = said(TURNS.instances_prompt("Do it.", True, [], 5, "chat"), "assistant")
        assert first.startswith("Label: ")
        answers = said(TURNS.instances_prompt("Do it.", False, [], 5, "chat"), "assistant")
        assert all(answer.startswith("Example 1\n") for answer in answers)
        assert answers[-1].startswith("Example 1\nInput: "), "the form that a model imitates most"


def test_all_requests_of_a_stage_share_their_beginning() -> None:
    def before(instruction: str) -> list[tuple[Message, ...]]:
        return [
            TURNS.classify_prompt(instruction, "chat").before,
            TURNS.instances_prompt(instruction, True, [], 5, "chat").before,
            TURNS.instances_prompt(instruction, False, [], 5, "chat").before,
        ]

    assert before("Name three birds.") == before("Is 7 a prime number?")


def test_an_engine_of_completions_is_refused_with_the_way_out() -> None:
    with pytest.raises(SelfBehaveError, match="turns of a chat") as raised:
        TURNS.classify_prompt("Name three birds.", "completions")
    assert "--prompts classic" in str(raised.value)
