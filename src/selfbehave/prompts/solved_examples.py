"""The solved examples that the prompts show as turns of a chat.

They are fixed: with a changed example the server evaluates the whole prompt again.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..bdd.heads import Head, heads_of, imports_of
from ..bdd.scenario import parse_scenario

__all__ = ["EXAMPLES", "OUTLINE", "CellExample", "SolvedExample"]


@dataclass(frozen=True)
class CellExample:
    """A cell and its scenario.

    Attributes:
        request: the cell, as the model reads it.
        scenario: that puts it into words.
    """

    request: str
    scenario: str


@dataclass(frozen=True)
class SolvedExample(CellExample):
    """A cell, its scenario, and the step functions that solve it.

    Attributes:
        sum: the outcome in numbers.
        model_class: the class that models the system.
        bodies: of the step functions, in the order of the steps.
    """

    sum: str
    model_class: str
    bodies: tuple[str, ...]

    @property
    def heads(self) -> tuple[Head, ...]:
        """The heads of its step functions."""
        heads = heads_of(parse_scenario(self.scenario))
        if heads is None:
            raise ValueError(f"the steps of an example cannot bind:\n{self.scenario}")
        return heads

    @property
    def class_first(self) -> str:
        """Its Python, the class before the step functions."""
        return self._code([self.model_class, *self._functions])

    @property
    def functions_first(self) -> str:
        """Its Python, the step functions before the sum and the class."""
        return self._code([*self._functions, f"# {self.sum}\n{self.model_class}"])

    @property
    def _functions(self) -> list[str]:
        return [h.code + body for h, body in zip(self.heads, self.bodies, strict=True)]

    def _code(self, parts: list[str]) -> str:
        return imports_of(self.heads) + "\n\n\n".join(parts)


_FERRY = SolvedExample(
    request="""\
System: ferry
Rule: the base price pays for the cars covered, and each further car costs the extra price
Given: cars covered 2, base price in euros 30, extra price for each further car in euros 8
When: cars taken across 5
Then: price to pay in euros 54""",
    scenario="""\
Scenario: A long column of cars pays extra
  Given the crossing costs 30 euros for up to 2 cars
  And each further car costs 8 euros
  When Ana takes 5 cars across on the ferry
  Then she pays 54 euros""",
    sum="30 + (5 - 2) * 8 = 54",
    model_class="""\
class Ferry:
    def __init__(self):
        self.base_price = None
        self.cars_covered = None
        self.price_of_further_car = None
        self.price = None

    def cross(self, cars):
        further_cars = max(0, cars - self.cars_covered)
        self.price = self.base_price + further_cars * self.price_of_further_car""",
    bodies=(
        """\
    context.ferry = Ferry()
    context.ferry.base_price = euros
    context.ferry.cars_covered = cars""",
        "    context.ferry.price_of_further_car = euros",
        "    context.ferry.cross(cars)",
        "    assert context.ferry.price == euros",
    ),
)

_POTTERY_CLASS = SolvedExample(
    request="""\
System: pottery class
Rule: people who find no free place go on the waiting list
Given: places in all 12, places already taken 10
When: people who sign up 5
Then: people on the waiting list 3""",
    scenario="""\
Scenario: Whoever finds no place in the pottery class waits
  Given the pottery class has 12 places
  And 10 of its places are taken
  When 5 people sign up for the class
  Then 3 people are put on the waiting list""",
    sum="5 - (12 - 10) = 3",
    model_class="""\
class PotteryClass:
    def __init__(self):
        self.places = None
        self.taken_places = None
        self.waiting_people = None

    def sign_up(self, people):
        free_places = self.places - self.taken_places
        self.waiting_people = max(0, people - free_places)""",
    bodies=(
        "    context.course = PotteryClass()\n    context.course.places = places",
        "    context.course.taken_places = places",
        "    context.course.sign_up(people)",
        "    assert context.course.waiting_people == people",
    ),
)

_COLD_STORE = SolvedExample(
    request="""\
System: cold store
Rule: the level is the highest one whose lower limit the temperature reaches
Form: Given holds this table
| level | from |
| normal | 2 |
| warning | 6 |
| alarm | 9 |
When: temperature in degrees 8
Then: level "warning\"""",
    scenario="""\
Scenario: A warm cold store gives a warning
  Given the cold store has these levels:
    | level   | from |
    | normal  | 2    |
    | warning | 6    |
    | alarm   | 9    |
  When the sensor measures 8 degrees
  Then the cold store shows "warning\"""",
    sum='6 <= 8 < 9 = "warning"',
    model_class="""\
class ColdStore:
    def __init__(self):
        self.limits = {}
        self.shown = None

    def measure(self, degrees):
        for level, limit in self.limits.items():
            if degrees >= limit:
                self.shown = level""",
    bodies=(
        """\
    context.store = ColdStore()
    for row in context.table:
        context.store.limits[row["level"]] = int(row["from"])""",
        "    context.store.measure(degrees)",
        "    assert context.store.shown == name",
    ),
)

_SEED_CATALOGUE = SolvedExample(
    request="""\
System: seed catalogue
Rule: an order of at least the least amount gets the discount in percent
Given: least amount in euros 50, discount in percent 10
When: amount of the order in euros 80
Then: amount to pay in euros 72""",
    scenario="""\
Scenario: A large order of seeds is discounted
  Given orders of at least 50 euros get a discount of 10 percent
  When Mia orders seeds for 80 euros
  Then she pays 72 euros""",
    sum="80 - 80 * 10 / 100 = 72",
    model_class="""\
class SeedShop:
    def __init__(self):
        self.discount_threshold = None
        self.discount_percent = None
        self.price = None

    def order(self, euros):
        self.price = euros
        if euros >= self.discount_threshold:
            self.price -= euros * self.discount_percent / 100""",
    bodies=(
        """\
    context.shop = SeedShop()
    context.shop.discount_threshold = euros
    context.shop.discount_percent = percent""",
        "    context.shop.order(euros)",
        "    assert context.shop.price == euros",
    ),
)

EXAMPLES = (_FERRY, _POTTERY_CLASS, _COLD_STORE, _SEED_CATALOGUE)

# Shows a name in quotes besides an outline.
OUTLINE = CellExample(
    request="""\
System: rehearsal rooms
Rule: each hour costs the price of an hour of its room, and the choir gets the reduction in euros
Form: Scenario Outline with these Examples
| hours | price |
| 3 | 36 |
| 2 | 22 |
Given: room "Blue Room", price of an hour in euros 14, reduction in euros 6
When: hours booked <hours>
Then: price in euros <price>""",
    scenario="""\
Scenario Outline: A choir books a room for some hours
  Given an hour in the "Blue Room" costs 14 euros
  And the choir pays 6 euros less for each booking
  When the choir books it for <hours> hours
  Then the booking costs <price> euros

  Examples:
    | hours | price |
    | 3     | 36    |
    | 2     | 22    |""",
)
