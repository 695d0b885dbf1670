"""The items of a study: the scenarios that raters judge, as stored in their dataset."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["StudyItem"]


@dataclass(frozen=True)
class StudyItem:
    dataset: str
    scenario_id: str  # "1", "2", … within its dataset
    name: str  # the scenario's title, may be empty
    instruction: str
    input: str
    output: str  # raw text of the dataset row
