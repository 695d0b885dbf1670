"""The changed scenarios that the prompts show as turns of a chat, one for each operation.

In each the outcome follows from the values, so that a copied form can be proven.
"""

from __future__ import annotations

from ..evolution.operations import EvolutionRequest, Operation
from .solved_examples import EXAMPLES, CellExample

__all__ = ["EVOLUTION_EXAMPLES"]

_FERRY, _POTTERY_CLASS, _, _SEED_CATALOGUE = (one.scenario for one in EXAMPLES)

EVOLUTION_EXAMPLES = (
    CellExample(
        EvolutionRequest(_FERRY, Operation.BOUNDARY).text,
        """\
Scenario: A column that the base price just covers
  Given the crossing costs 30 euros for up to 2 cars
  And each further car costs 8 euros
  When Ana takes 2 cars across on the ferry
  Then she pays 30 euros""",
    ),
    CellExample(
        EvolutionRequest(_SEED_CATALOGUE, Operation.REFUSAL).text,
        """\
Scenario: A small order of seeds gets no discount
  Given orders of at least 50 euros get a discount of 10 percent
  When Mia orders seeds for 35 euros
  Then she pays the full 35 euros""",
    ),
    CellExample(
        EvolutionRequest(_POTTERY_CLASS, Operation.OUTLINE).text,
        """\
Scenario Outline: Some find a place in the pottery class and others wait
  Given the pottery class has 12 places
  And 10 of its places are taken
  When <people> people sign up for the class
  Then <waiting> people are put on the waiting list

  Examples:
    | people | waiting |
    | 1      | 0       |
    | 2      | 0       |
    | 6      | 4       |""",
    ),
    CellExample(
        EvolutionRequest(_FERRY, Operation.RULE_MORE).text,
        """\
Scenario: A long column with a pass for residents
  Given the crossing costs 30 euros for up to 2 cars
  And each further car costs 8 euros
  And a pass for residents takes 10 euros off the price
  When Ana takes 5 cars across on the ferry with such a pass
  Then she pays 44 euros""",
    ),
)
