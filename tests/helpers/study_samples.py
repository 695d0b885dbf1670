"""Small studies for tests, made in sight of what they hold."""

from __future__ import annotations

from pathlib import Path

from selfbehave.study.items import StudyItem
from selfbehave.study.sampling import Sample
from selfbehave.study.store import Study

SCENARIO = "Scenario: {title}\n  Given a basket\n  When it is emptied\n  Then nothing is in it"
CODE = "from behave import given\n\n\n@given('a basket')\ndef step_basket(context):\n    pass"


def item(dataset: str, scenario_id: str, title: str = "A basket", code: str = CODE) -> StudyItem:
    """An item in the shape that the pipeline writes."""
    scenario = SCENARIO.format(title=title)
    return StudyItem(
        dataset,
        scenario_id,
        title,
        f"Write the step functions:\n\n```gherkin\n{scenario}\n```",
        "",
        f"```python\n{code}\n```",
    )


def sample(dataset: str, size: int) -> Sample:
    """The first items of a dataset of 100."""
    items = tuple(item(dataset, str(number), f"Basket {number}") for number in range(1, size + 1))
    return Sample(dataset, f"{dataset}.jsonl", 100, items, tuple(range(1, size + 1)))


def small_study(place: str | Path, sizes: tuple[int, ...] = (2, 2)) -> Study:
    """A study of the datasets good and mixed, to be rated by ada and ben."""
    samples = [sample(name, size) for name, size in zip(("good", "mixed"), sizes, strict=False)]
    return Study.create(place, samples, raters=["ada", "ben"])
