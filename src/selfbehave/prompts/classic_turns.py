"""The classic prompts for chat models that follow instructions: their examples are turns of a chat.

A small model learns more from turns than from the same examples in one message (see
docs/explanation/yield.md). The answers have the formats of the classic prompts, except that a
request asks for one new instruction.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from ..axes.tasks import draw_task_axes
from ..core.errors import SelfBehaveError
from ..core.records import Instance, SeedTask
from .base import Answer, Api, Candidate, Prompt
from .classic import ClassicFamily, instruction_fault
from .classic_examples import FREE_TASKS, LABELLED_TASKS, SolvedTask, input_first, label_first
from .grammars import YES_OR_NO
from .turns import turns

__all__ = ["ClassicTurnsFamily"]

_BOOTSTRAP_SYSTEM = """\
You invent tasks for an assistant that reads and writes plain text. You get a topic and a kind of \
task. Write one instruction in one line, and no solution. Where the task works on a text, a list \
or numbers, speak of "the text", "the list" or "the numbers": the user adds them later."""
_NEXT_TASK = "Write a task."
_INSTRUCTION_TOKENS = 90  # of one line

_CLASSIFY_SYSTEM = """\
You tell classification tasks from other tasks. In a classification task every answer is one of a \
few fixed labels, such as yes and no, or the categories that the task names. A task whose answer \
is a free text, a list, a number, code or a translation is no classification task. Answer Yes or \
No, and what the answers to the task are."""
# Yes and No by turns: a small model repeats the answer that it saw more often.
_CLASSIFIED = (
    ("Tell whether the message is spam or a personal note.", "Yes, one of: spam, personal note."),
    ("Write a short poem about the first snow.", "No, a poem of its own."),
    (
        "Which of these departments should handle the complaint: billing, delivery or repairs?",
        "Yes, one of: billing, delivery, repairs.",
    ),
    ("Summarise the meeting notes in three sentences.", "No, a text of three sentences."),
    (
        "Judge if the second sentence follows from the first. Answer true, false or unclear.",
        "Yes, one of: true, false, unclear.",
    ),
    ("Why do cats purr, and what does it mean?", "No, an explanation."),
    ("Mark the tone of the paragraph as formal or informal.", "Yes, one of: formal, informal."),
    ("Say the sentence in other words, more politely.", "No, another sentence."),
    (
        "Pick the language of the sentence: Dutch, German or Danish.",
        "Yes, one of: Dutch, German, Danish.",
    ),
    ("Put the events into the order in which they happened.", "No, a list in another order."),
    ("Is the given year a leap year? Say yes or no.", "Yes, one of: yes, no."),
    ("Find the wrong word in each line and replace it.", "No, the lines with other words."),
    ("Does the caller sound calm or nervous?", "Yes, one of: calm, nervous."),
    ("Write a function that returns the second largest number of a list.", "No, a piece of code."),
    ("Grade the pupil's answer as good, fair or poor.", "Yes, one of: good, fair, poor."),
    ("Convert the distance from miles to kilometres.", "No, a number that depends on the input."),
)

_INPUT_FIRST_SYSTEM = """\
You write examples for a task: an input as a user could give it, and the right output. Write every \
text, list or number out in full, invented where needed; no placeholders. If the task needs no \
input, write only the output. Write at most {limit} examples, in the form of the earlier ones."""

_LABEL_FIRST_SYSTEM = """\
You write examples for a classification task: a label, and an input for which this label is the \
right answer. Take the labels that the task names, each of them once. Write every input out in \
full. Write at most {limit} examples, in the form of the earlier ones."""

# The last one has an input: after one without, a small model leaves the inputs out.
_FREE_TASKS = (
    SolvedTask(
        "Write a function that returns the second largest number of a list.",
        (Instance("", "def second_largest(numbers):\n    return sorted(set(numbers))[-2]"),),
    ),
    *FREE_TASKS,
    SolvedTask(
        "Correct the spelling mistakes in the message.",
        (
            Instance(
                "Their are to many cups on the tabel.", "There are too many cups on the table."
            ),
            Instance("I recieved you're parcel yesterday.", "I received your parcel yesterday."),
        ),
    ),
)
_LABELLED_TASKS = (
    *LABELLED_TASKS,
    SolvedTask(
        "Grade the pupil's answer to the question as good, fair or poor.",
        (
            Instance("Question: Why does ice float?\nAnswer: It is less dense than water.", "good"),
            Instance("Question: Why does ice float?\nAnswer: Because it is cold.", "poor"),
            Instance("Question: Why does ice float?\nAnswer: It has some air in it.", "fair"),
        ),
    ),
)

# What models put before an instruction, and around it.
_MARK = re.compile(r"^\s*+(?:(?:\d{1,3}[.)]|[-*])\s++)?(?:\**(?:Task|Instruction):\**\s*+)?")
_QUOTED = re.compile(r"^\"([^\"]*)\"$")
# A line about the prompt itself is no task: nobody who reads it later has the prompt.
_OF_THE_PROMPT = re.compile(r"\b(?:previous|earlier|above) (?:instructions?|prompts?)\b", re.I)


class ClassicTurnsFamily(ClassicFamily):
    """See `Family`. Its prompts are for chat endpoints, and raise SelfBehaveError for others."""

    name = "classic_turns"

    def bootstrap_prompt(self, examples: Sequence[str], api: Api) -> Prompt:
        _check(api)
        # The examples differ from request to request, and the same request draws the same axes.
        axes = draw_task_axes(random.Random("\n".join(examples)))
        shown = ((_NEXT_TASK, " ".join(example.split())) for example in examples)
        return Prompt(
            text=f"{_NEXT_TASK} Topic: {axes.topic}. Kind: {axes.kind}.",
            before=turns(_BOOTSTRAP_SYSTEM, shown),
            stop=("\n",),
            max_tokens=_INSTRUCTION_TOKENS,
        )

    def candidates(self, answer: Answer) -> list[Candidate]:
        """The first line of the answer; what follows would be a solution of the task."""
        first, separator, _ = _MARK.sub("", answer.text).partition("\n")
        text = _QUOTED.sub(r"\1", first.strip())
        if not text or _OF_THE_PROMPT.search(text):
            return []
        is_cut = answer.is_truncated and not separator
        return [Candidate(text, "truncated" if is_cut else instruction_fault(text))]

    def classify_prompt(self, instruction: str, api: Api) -> Prompt:
        _check(api)
        return Prompt(
            text=f"Task: {instruction.strip()}",
            before=turns(_CLASSIFY_SYSTEM, ((f"Task: {task}", why) for task, why in _CLASSIFIED)),
            stop=(",",),  # the reasons in the examples teach the model; its own cost tokens
            grammar=lambda: YES_OR_NO,
            max_tokens=8,
        )

    def instances_prompt(
        self,
        instruction: str,
        is_classification: bool,
        solved: Sequence[SeedTask],
        limit: int,
        api: Api,
    ) -> Prompt:
        _check(api)
        tasks = _LABELLED_TASKS if is_classification else _FREE_TASKS
        written = label_first if is_classification else input_first
        system = _LABEL_FIRST_SYSTEM if is_classification else _INPUT_FIRST_SYSTEM
        stop = ["\nTask:"]
        if not is_classification:
            stop.append(f"\nExample {limit + 1}\n")
        return Prompt(
            text=f"Task: {instruction.strip()}",
            before=turns(
                system.replace("{limit}", str(limit)),
                ((f"Task: {x.instruction}", written(x.instances[:limit])) for x in tasks),
            ),
            stop=tuple(stop),
        )


def _check(api: Api) -> None:
    if api != "chat":
        raise SelfBehaveError(
            "the prompts 'classic_turns' are turns of a chat, and this engine is asked for "
            "completions",
            mend="use --prompts classic, or --api chat if the model follows instructions",
        )
