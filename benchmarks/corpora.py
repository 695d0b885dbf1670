"""Texts to measure novelty on: real sentences, user stories, scenarios, and adversarial ones.

All are generated from installed packages and from the packaged seed tasks, in the same order on
every machine with the same packages.
"""

from __future__ import annotations

import ast
import random
import sysconfig
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path

from selfbehave.seeds.load import load_seeds
from selfbehave.seeds.packaged_names import PACKAGED

__all__ = [
    "CORPORA",
    "Corpus",
    "chained",
    "docstrings",
    "long_texts",
    "near_ties",
    "repeated",
    "scenarios",
    "stories",
]

ROLES = """shop manager, nurse, night guard, librarian, bus driver, tax clerk, gardener, referee,
ship's cook, teacher, mechanic, customer, museum guide, farmer, pilot, plumber""".split(",")
LEAST_WORDS = 8  # of a sentence: instructions are rarely shorter
KEYWORDS = ("Given", "When", "Then", "And")


def docstrings(count: int) -> list[str]:
    """First paragraphs of docstrings of installed packages: sentences written by people, mostly in
    the imperative, like instructions."""
    return _first_paragraphs()[:count]


def stories(count: int) -> list[str]:
    """User stories: one template around two real phrases."""
    chance = random.Random(2)
    phrases = [text.split(". ")[0].rstrip(".").lower() for text in docstrings(20_000)]
    return [
        f"As a {chance.choice(ROLES).strip()}, I want to {chance.choice(phrases)} "
        f"so that I can {chance.choice(phrases)}"
        for _ in range(count)
    ]


def chained(count: int) -> list[str]:
    """Any number of sentences. Each word follows the one before it as in a real sentence. Four in
    ten are changed copies of an earlier sentence, because models repeat themselves."""
    chance = random.Random(7)
    real = [text.split() for text in docstrings(30_000)]
    followers: dict[str, list[str]] = {}
    for words in real:
        for word, follower in pairwise(words):
            followers.setdefault(word, []).append(follower)
    texts: list[str] = []
    for _ in range(count):
        if texts and chance.random() < 0.4:
            words = chance.choice(texts).split()
            for _ in range(chance.randint(0, len(words) // 2)):
                words[chance.randrange(len(words))] = chance.choice(chance.choice(real))
        else:
            length = len(chance.choice(real))
            words = [chance.choice(real)[0]]
            while len(words) < length and words[-1] in followers:
                words.append(chance.choice(followers[words[-1]]))
        texts.append(" ".join(words))
    return texts


def scenarios(count: int) -> list[str]:
    """Instructions of the bdd family with recombined steps; half of their words are the same."""
    chance = random.Random(3)
    tasks = [task for name in PACKAGED for task in load_seeds(name).tasks]
    lead = tasks[0].instruction.split("```")[0]
    lines = [line.strip() for task in tasks for line in task.instruction.splitlines()]
    steps = {word: [line for line in lines if line.startswith(f"{word} ")] for word in KEYWORDS}
    texts = []
    for _ in range(count):
        chosen = [chance.choice(steps[word]) for word in KEYWORDS[:3]]
        for at in (1, len(chosen) + 1):
            if chance.random() < 0.5:
                chosen.insert(at, chance.choice(steps["And"]))
        texts.append(f"{lead}```gherkin\nScenario: one\n" + "\n".join(chosen) + "\n```")
    return texts


def near_ties(count: int) -> list[str]:
    """Texts whose scores to each other are exactly 0.7 or close to it."""
    chance = random.Random(4)
    texts = []
    for number in range(count):
        size = chance.choice((10, 20, 30, 50, 70, 100))
        kept = size * 7 // 10 + chance.choice((-1, 0, 0, 0, 1))
        common = [f"common{place}" for place in range(kept)]
        own = [f"own{number}x{place}" for place in range(size - kept)]
        places = set(chance.sample(range(size), kept))
        texts.append(
            " ".join(common.pop(0) if place in places else own.pop() for place in range(size))
        )
    return texts


def repeated(count: int) -> list[str]:
    """Texts that repeat a few words; some are empty or one word."""
    chance = random.Random(5)
    return [
        " ".join(chance.choices("a b c d".split(), k=chance.randint(0, 40))) for _ in range(count)
    ]


def long_texts(count: int) -> list[str]:
    """Texts of 65 to 2,000 words, a third of them changed copies of an earlier one."""
    chance = random.Random(6)
    vocabulary = [word for text in docstrings(2_000) for word in text.split()]
    texts: list[list[str]] = []
    for _ in range(count):
        if texts and chance.random() < 1 / 3:
            words = list(chance.choice(texts))
            for place in chance.sample(range(len(words)), int(len(words) * chance.uniform(0, 0.6))):
                words[place] = chance.choice(vocabulary)
        else:
            words = chance.choices(vocabulary, k=round(65 * 31 ** chance.random()))
        texts.append(words)
    return [" ".join(words) for words in texts]


Corpus = Callable[[int], list[str]]  # makes the given number of texts, or fewer if they run out

CORPORA: dict[str, Corpus] = {
    "sentences": docstrings,
    "user stories": stories,
    "scenarios": scenarios,
    "ties at 0.7": near_ties,
    "repeated words": repeated,
    "long texts": long_texts,
}


@cache
def _first_paragraphs() -> list[str]:
    paragraphs: dict[str, None] = {}
    paths = sysconfig.get_paths()
    for root in (paths["stdlib"], paths["purelib"]):
        for file in sorted(Path(root).rglob("*.py")):
            try:
                tree = ast.parse(file.read_text(encoding="utf-8"))
            except (SyntaxError, UnicodeDecodeError, ValueError):
                continue  # test data of packages, invalid on purpose
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef | ast.ClassDef):
                    text = (ast.get_docstring(node) or "").split("\n\n")[0]
                    if len(text.split()) >= LEAST_WORDS:
                        paragraphs[text] = None
    texts = list(paragraphs)
    random.Random(1).shuffle(texts)
    return texts
