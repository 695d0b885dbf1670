"""The solved examples that the classic prompts show, as one text or as turns of a chat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..core.records import Instance

__all__ = [
    "CLASSIFIED",
    "FREE_TASKS",
    "LABELLED_TASKS",
    "SolvedTask",
    "input_first",
    "label_first",
]


@dataclass(frozen=True)
class SolvedTask:
    """An instruction and instances of it."""

    instruction: str
    instances: tuple[Instance, ...]


def input_first(instances: Sequence[Instance]) -> str:
    """Instances as the input-first prompt wants them: numbered, without an empty input."""
    return "\n".join(
        f"Example {number}\n{f'Input: {one.input}' + chr(10) if one.input else ''}"
        f"Output: {one.output}"
        for number, one in enumerate(instances, start=1)
    )


def label_first(instances: Sequence[Instance]) -> str:
    """Instances as the label-first prompt wants them."""
    return "\n".join(f"Label: {one.output}\nInput: {one.input}" for one in instances)


# Instructions, and whether they are classification tasks.
CLASSIFIED = (
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

FREE_TASKS = (
    SolvedTask(
        "Turn the sentence into the passive voice.",
        (
            Instance(
                "The gardener waters the roses every evening.",
                "The roses are watered every evening by the gardener.",
            ),
            Instance("A storm damaged the old bridge.", "The old bridge was damaged by a storm."),
        ),
    ),
    SolvedTask(
        "Name three ways to save water at home.",
        (
            Instance(
                "", "Take shorter showers, mend dripping taps, and collect rain for the garden."
            ),
        ),
    ),
    SolvedTask(
        "Add up the prices and give the total with tax of the given rate.",
        (
            Instance(
                "Prices: 12.00, 8.00, 5.00\nTax rate: 10%",
                "The prices come to 25.00; with 10% tax the total is 27.50.",
            ),
            Instance(
                "Prices: 40.00\nTax rate: 5%",
                "The price is 40.00; with 5% tax the total is 42.00.",
            ),
        ),
    ),
)

LABELLED_TASKS = (
    SolvedTask(
        "Tell whether the message is spam or a personal note.",
        (
            Instance(
                "You have been chosen for a free cruise! Reply within ten minutes to claim it.",
                "spam",
            ),
            Instance(
                "Hi Lena, I left the keys under the blue pot. See you on Sunday.",
                "personal note",
            ),
        ),
    ),
    SolvedTask(
        "Mark the tone of the paragraph as formal or informal.",
        (
            Instance(
                "We regret to inform you that your application could not be considered.", "formal"
            ),
            Instance("Hey, no worries, just drop by whenever you're around!", "informal"),
        ),
    ),
    SolvedTask(
        "Is the given number a multiple of three? Say yes or no.",
        (Instance("27", "yes"), Instance("40", "no")),
    ),
)
