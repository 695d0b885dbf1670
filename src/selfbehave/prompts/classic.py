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
from .classic_examples import CLASSIFIED, FREE_TASKS, LABELLED_TASKS, input_first, label_first
from .grammars import YES_OR_NO
from .heuristics import length_fault, start_fault

__all__ = ["ClassicFamily", "instruction_fault"]

_NEW_TASKS = 8
_FEWEST_WORDS, _MOST_WORDS = 4, 150
# A text model cannot process these (Self-Instruct, section 2.2: heuristics).
_UNWANTED = re.compile(
    r"\b(images?|pictures?|photos?|graphs?|charts?|files?|maps?|draw|plot|video|audio|go to)\b",
    re.I,
)

_INPUT_FIRST = """\
Come up with examples for the following tasks. Give several where the task takes an input, and \
write only the output where it takes none."""
_LABEL_FIRST = "Given a classification task, write an input for each of its possible labels."

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
            found.append(Candidate(text, "truncated" if is_cut else instruction_fault(text)))
        return found

    def certain_class(self, instruction: str) -> bool | None:
        return None

    def classify_prompt(self, instruction: str, api: Api) -> Prompt:
        question = "Is it classification?"
        solved = "\n\n".join(
            f"Task: {task}\n{question} {'Yes' if is_classification else 'No'}"
            for task, is_classification in CLASSIFIED
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
        if is_classification:
            shown = [f"Task: {x.instruction}\n{label_first(x.instances)}" for x in LABELLED_TASKS]
            lead = _LABEL_FIRST
        else:
            shown = [f"Task: {x.instruction}\n{input_first(x.instances)}" for x in FREE_TASKS]
            lead = _INPUT_FIRST
        text = "\n\n".join([lead, *shown, f"Task: {instruction.strip()}\n"])
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


def instruction_fault(instruction: str) -> str | None:
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
