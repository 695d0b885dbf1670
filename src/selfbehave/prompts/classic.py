"""The classic prompts: the Self-Instruct method (Wang et al., arXiv 2212.10560) for any tasks.

The wording and the solved examples are this project's own. The formats are those of the paper
(section 2.2 and appendix A): a numbered list of instructions, a Yes/No question, and instances
with the input first or, for classification, with the label first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..core.records import Instance, SeedTask
from .base import Answer, Api, Candidate, Family, Parsed, Prompt
from .grammars import YES_OR_NO
from .heuristics import length_fault, start_fault

__all__ = ["ClassicFamily"]

_NEW_TASKS = 8
_FEWEST_WORDS, _MOST_WORDS = 4, 150
# A text model cannot process these (Self-Instruct, section 2.2: heuristics).
_UNWANTED = re.compile(
    r"\b(images?|pictures?|photos?|graphs?|charts?|files?|maps?|draw|plot|video|audio|go to)\b",
    re.I,
)

_CLASSIFY_EXAMPLES = (
    ("Tell whether the message is spam or a personal note.", True),
    ("Write a short poem about the first snow.", False),
    ("Which of these departments should handle the complaint: billing, delivery or repairs?", True),
    ("Summarise the meeting notes in three sentences.", False),
    ("Convert the distance from miles to kilometres.", False),
    ("Judge if the second sentence follows from the first. Answer true, false or unclear.", True),
    ("Suggest five names for a neighbourhood bakery.", False),
    ("Mark the tone of the paragraph as formal or informal.", True),
    ("Explain to a child why the sky is blue.", False),
    ("Pick the language the sentence is written in from: Dutch, German, Danish.", True),
    ("Write a function that returns the second largest number of a list.", False),
    ("Is the given year a leap year? Say yes or no.", True),
)

_INPUT_FIRST = """\
Come up with examples for the following tasks. Give several where the task takes an input, and \
write only the output where it takes none.

Task: Turn the sentence into the passive voice.
Example 1
Input: The gardener waters the roses every evening.
Output: The roses are watered every evening by the gardener.
Example 2
Input: A storm damaged the old bridge.
Output: The old bridge was damaged by a storm.

Task: Name three ways to save water at home.
Example 1
Output: Take shorter showers, mend dripping taps, and collect rain for the garden.

Task: Add up the prices and give the total with tax of the given rate.
Example 1
Input: Prices: 12.00, 8.00, 5.00
Tax rate: 10%
Output: The prices come to 25.00; with 10% tax the total is 27.50.
Example 2
Input: Prices: 40.00
Tax rate: 5%
Output: The price is 40.00; with 5% tax the total is 42.00.

Task: {instruction}
"""

_LABEL_FIRST = """\
Given a classification task, write an input for each of its possible labels.

Task: Tell whether the message is spam or a personal note.
Label: spam
Input: You have been chosen for a free cruise! Reply within ten minutes to claim it.
Label: personal note
Input: Hi Lena, I left the keys under the blue pot. See you on Sunday.

Task: Mark the tone of the paragraph as formal or informal.
Label: formal
Input: We regret to inform you that your application could not be considered.
Label: informal
Input: Hey, no worries, just drop by whenever you're around!

Task: Is the given number a multiple of three? Say yes or no.
Label: yes
Input: 27
Label: no
Input: 40

Task: {instruction}
"""

# Possessive, so that two repeats that both match blanks cannot backtrack.
_ITEM = re.compile(r"^[^\S\n]*+(\d{1,3})[.)]\s+", re.M)
_EXAMPLE = re.compile(r"^Example \d{1,2}[ \t]*+(?::[ \t]*+)?$", re.M)
_NEXT_TASK = re.compile(r"^Task\b.*", re.M | re.S)


class ClassicFamily(Family):
    """See `Family`."""

    name = "classic"

    def bootstrap_prompt(self, examples: Sequence[str], api: Api) -> Prompt:
        listed = "\n".join(
            f"{number}. {_one_line(example)}" for number, example in enumerate(examples, start=1)
        )
        first, last = len(examples) + 1, len(examples) + _NEW_TASKS
        if api == "chat":
            return Prompt(
                text=f"Here is a list of varied tasks:\n{listed}\n\nContinue the list with tasks "
                f"{first} to {last}, one line each, numbered, unlike those above in subject and "
                "form. Write only the list.",
            )
        return Prompt(
            text=f"Come up with a series of varied tasks:\n{listed}\n{first}.",
            prefix=f"{first}.",
            stop=(f"\n{last + 1}.", "\n\n"),
        )

    def candidates(self, answer: Answer) -> list[Candidate]:
        starts = list(_ITEM.finditer(answer.text))
        found = []
        for place, match in enumerate(starts):
            is_last = place == len(starts) - 1
            end = len(answer.text) if is_last else starts[place + 1].start()
            text = answer.text[match.end() : end].strip()
            is_cut = answer.is_truncated and is_last
            found.append(Candidate(text, "truncated" if is_cut else _fault(text)))
        return found

    def certain_class(self, instruction: str) -> bool | None:
        return None

    def classify_prompt(self, instruction: str, api: Api) -> Prompt:
        question = "Is it classification?"
        solved = "\n\n".join(
            f"Task: {task}\n{question} {'Yes' if is_classification else 'No'}"
            for task, is_classification in _CLASSIFY_EXAMPLES
        )
        text = (
            "Can each task be seen as a classification task with a finite set of output labels?"
            f"\n\n{solved}\n\nTask: {instruction.strip()}\n{question}"
        )
        if api == "chat":
            text += "\n\nAnswer with the one word Yes or No."
        return Prompt(text=text, stop=("\n\n", "Task:"), grammar=lambda: YES_OR_NO, max_tokens=8)

    def instances_prompt(
        self,
        instruction: str,
        is_classification: bool,
        solved: Sequence[SeedTask],
        limit: int,
        api: Api,
    ) -> Prompt:
        template = _LABEL_FIRST if is_classification else _INPUT_FIRST
        text = template.replace("{instruction}", instruction.strip())
        first = "Label:" if is_classification else "Example 1\n"
        if api == "chat":
            return Prompt(
                text=f"{text}\nContinue with at most {limit} examples of the last task in the same "
                f"form, beginning with '{first.strip()}'. Write nothing else.",
            )
        stop = ["\nTask:"]
        if not is_classification:
            stop.append(f"\nExample {limit + 1}\n")
        return Prompt(text=text + first, prefix=first, stop=tuple(stop))

    def instances(self, instruction: str, answer: Answer, is_classification: bool) -> list[Parsed]:
        text = _NEXT_TASK.sub("", answer.text)
        # If the next task begins, the last instance is complete.
        is_cut = answer.is_truncated and text == answer.text
        found = _label_first(text) if is_classification else _input_first(text)
        if is_cut and found:
            found[-1] = Parsed(None, found[-1].text, "truncated")
        return found


def _fault(instruction: str) -> str | None:
    """The reason to drop an instruction by the heuristics of Self-Instruct, section 2.2."""
    if fault := length_fault(instruction, _FEWEST_WORDS, _MOST_WORDS) or start_fault(instruction):
        return fault
    if _UNWANTED.search(instruction) or instruction.lower().startswith("write a program"):
        return "unwanted_kind"
    return None


def _input_first(text: str) -> list[Parsed]:
    """Instances as `Example n`, then `Input:` if there is one, then `Output:`."""
    found = []
    # A heading must be alone on its line: the word "Example" may occur anywhere else.
    for part in _EXAMPLE.split(text):
        body = part.strip()
        if not body:
            continue
        match = re.match(r"(?:Input:(?P<input>.*?)^)?Output:(?P<output>.*)\Z", body, re.M | re.S)
        if match is None:
            found.append(Parsed(None, body, "no_output"))
        else:
            pair = Instance((match["input"] or "").strip(), match["output"].strip())
            found.append(Parsed(pair, body))
    return found


def _label_first(text: str) -> list[Parsed]:
    """Instances as `Label:`, then `Input:`."""
    found = []
    for part in re.split(r"^Label:", text, flags=re.M):
        body = part.strip()
        if not body:
            continue
        label, separator, input = body.partition("Input:")
        if not separator:
            found.append(Parsed(None, body, "no_input"))
        else:
            found.append(Parsed(Instance(input.strip(), label.strip()), body))
    return found


def _one_line(text: str) -> str:
    return " ".join(text.split())
