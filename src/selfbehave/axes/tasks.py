"""What a general task is steered by: a topic, and the kind of work that it asks for."""

from __future__ import annotations

import random
from dataclasses import dataclass

__all__ = ["KINDS_OF_TASKS", "TOPICS", "TaskAxes", "draw_task_axes"]


@dataclass(frozen=True)
class TaskAxes:
    """What one task is asked for with.

    Attributes:
        topic: what it is about.
        kind: the work that it asks for.
    """

    topic: str
    kind: str


def draw_task_axes(chance: random.Random) -> TaskAxes:
    """A topic and a kind, each as likely as any other."""
    return TaskAxes(chance.choice(TOPICS), chance.choice(KINDS_OF_TASKS))


TOPICS = (
    "gardening",
    "cooking",
    "train travel",
    "the weather",
    "school lessons",
    "a library",
    "house repairs",
    "personal budgets",
    "football",
    "music lessons",
    "pets",
    "health advice",
    "a clothes shop",
    "job applications",
    "office e-mails",
    "history",
    "astronomy",
    "chemistry",
    "mathematics",
    "programming",
    "databases",
    "grammar",
    "poetry",
    "short stories",
    "board games",
    "cycling",
    "hiking",
    "a museum",
    "a theatre",
    "news reports",
    "customer service",
    "a restaurant",
    "rented flats",
    "public transport",
    "cars",
    "recycling",
    "farming",
    "the sea",
    "birds",
    "the human body",
    "sleep",
    "friendship",
    "family celebrations",
    "moving house",
    "online shops",
    "privacy",
    "phones",
    "energy at home",
    "geography",
    "languages",
    "elections",
    "law in everyday life",
    "psychology",
    "economics",
    "film reviews",
    "volunteering",
    "childcare",
    "sewing",
    "woodwork",
    "time management",
)

KINDS_OF_TASKS = (
    "sort short texts into categories that the task names",
    "decide whether a statement is true or false",
    "answer yes or no about a text",
    "pick one of a few options that the task names",
    "rate something as low, medium or high",
    "rewrite a text in another style",
    "shorten a text",
    "correct a text",
    "translate a sentence",
    "extract facts from a text",
    "calculate a number from given numbers",
    "convert between units or formats",
    "put given items in order",
    "compare two given things",
    "explain something to a beginner",
    "answer a question of general knowledge",
    "list ideas",
    "give advice for a situation that is described",
    "plan something step by step",
    "write a short letter or message",
    "write a short story or poem",
    "write a dialogue",
    "write a small function or query in code",
    "make questions about a given text",
)
