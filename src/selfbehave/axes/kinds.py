"""The kinds of rules: how their values are drawn, and how the outcome follows from the values."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

__all__ = ["KINDS", "Draw", "Drawn", "Kind", "Value"]

Value = int | str
Drawn = tuple[dict[str, int], dict[str, int]]  # values of Given and of When, by quantity
Draw = Callable[[random.Random], Drawn]


@dataclass(frozen=True)
class Kind:
    """A kind of rule.

    Attributes:
        name: of the kind.
        rule: in general words, as the model reads it.
        outcome: name of the quantity that Then states.
        sum: how the outcome follows, such as "{g0} - {w0} * {g1}": `g0` is the first value of
            Given, `w0` the first of When. Arithmetic, or in words where there is an `answer`; ""
            where no line says it.
        draw: draws the values.
        answer: works the outcome out where no arithmetic gives it: takes the names and values of
            Given, and the values of When.
    """

    name: str
    rule: str
    outcome: str
    sum: str
    draw: Draw
    answer: Callable[[Mapping[str, int], list[int]], Value] | None = None


def _tiered_price(r: random.Random) -> Drawn:
    covered, base, extra = r.randint(2, 6), r.randint(4, 20), r.randint(2, 9)
    further = r.randint(2, 6)
    given = {"units covered": covered, "base price": base, "price of each further unit": extra}
    return given, {"units used": covered + further}


def _overflow(r: random.Random) -> Drawn:
    places, free, waiting = r.randint(10, 60), r.randint(1, 8), r.randint(2, 9)
    return {"places": places, "places taken": places - free}, {"newcomers": free + waiting}


def _late_fine(r: random.Random) -> Drawn:
    allowed, fine, late = r.choice([7, 10, 14, 21, 30]), r.randint(2, 9), r.randint(2, 12)
    given = {"days allowed": allowed, "fine for each day": fine}
    return given, {"days until return": allowed + late}


def _discount(r: random.Random) -> Drawn:
    least, percent = r.choice([40, 100, 200]), r.choice([5, 10, 20, 25])
    amount = least + r.choice([0, 20, 40, 100])
    return {"threshold": least, "discount in percent": percent}, {"amount": amount}


def _capped_fee(r: random.Random) -> Drawn:
    fee, units, over = r.randint(3, 9), r.randint(5, 12), r.randint(1, 6)
    return {"fee for each unit": fee, "maximum fee": fee * units - over}, {"units": units}


def _minimum_charge(r: random.Random) -> Drawn:
    price, units, under = r.randint(2, 6), r.randint(2, 5), r.randint(1, 9)
    return {"price for each unit": price, "minimum charge": price * units + under}, {"units": units}


def _remainder(r: random.Random) -> Drawn:
    size, boxes, rest = r.randint(4, 12), r.randint(2, 9), r.randint(1, 3)
    return {"pieces in a full box": size}, {"pieces packed": size * boxes + rest}


def _extra_vehicles(r: random.Random) -> Drawn:
    size, present, extra = r.randint(4, 20), r.randint(2, 4), r.randint(1, 3)
    people = size * (present + extra) - r.randint(0, 3)
    return {"people for one": size, "ready": present}, {"people": people}


def _reorder(r: random.Random) -> Drawn:
    minimum, above, below = r.randint(10, 30), r.randint(1, 9), r.randint(1, 8)
    target = minimum + r.randint(20, 60)
    given = {"stock": minimum + above, "minimum": minimum, "target": target}
    return given, {"taken": above + below}


def _points(r: random.Random) -> Drawn:
    step, each, times = r.choice([5, 10, 20]), r.randint(2, 4), r.randint(3, 9)
    had = r.randint(5, 60)
    given = {"amount that earns": step, "points each time": each, "points so far": had}
    return given, {"amount spent": step * times + r.randint(0, step - 1)}


def _every_nth_free(r: random.Random) -> Drawn:
    nth, price, free = r.randint(3, 10), r.randint(2, 9), r.randint(1, 3)
    units = nth * free + r.randint(0, nth - 1)
    return {"every how many one is free": nth, "price of one": price}, {"units": units}


def _group_price(r: random.Random) -> Drawn:
    size, price, less = r.randint(5, 15), r.randint(8, 20), r.randint(2, 5)
    given = {
        "price for each person": price,
        "group size": size,
        "reduction for each person": less,
    }
    return given, {"people": size + r.randint(0, 6)}


def _deposit(r: random.Random) -> Drawn:
    back, pieces, rest = r.randint(2, 5), r.randint(3, 12), r.randint(3, 40)
    given = {"deposit for each piece": back, "bill": back * pieces + rest}
    return given, {"pieces returned": pieces}


def _falling(r: random.Random) -> Drawn:
    rate, hours, rest = r.randint(2, 9), r.randint(2, 8), r.randint(5, 50)
    given = {"quantity at the start": rate * hours + rest, "loss each hour": rate}
    return given, {"hours": hours}


def _waiting_time(r: random.Random) -> Drawn:
    servers, minutes, rounds = r.randint(2, 5), r.randint(3, 12), r.randint(2, 6)
    given = {"servers": servers, "minutes for each person": minutes}
    return given, {"people ahead": servers * rounds}


def _exchange(r: random.Random) -> Drawn:
    price, fee, tokens = r.randint(2, 8), r.randint(1, 9), r.randint(4, 20)
    return {"price of a token": price, "fee": fee}, {"money": price * tokens + fee}


def _bonus(r: random.Random) -> Drawn:
    base, target, each = r.choice([80, 100, 150]), r.randint(5, 20), r.randint(2, 10)
    given = {"base pay": base, "target": target, "bonus for each unit above it": each}
    return given, {"units": target + r.randint(2, 9)}


def _overtime(r: random.Random) -> Drawn:
    regular, rate, more, extra = r.randint(4, 8), r.randint(8, 20), r.randint(2, 8), r.randint(1, 4)
    given = {"regular hours": regular, "hourly pay": rate, "hourly pay beyond them": rate + more}
    return given, {"hours": regular + extra}


def _shortage(r: random.Random) -> Drawn:
    each, people, lack = r.randint(2, 6), r.randint(6, 20), r.randint(2, 11)
    given = {"supply": each * people - lack, "portion for each": each}
    return given, {"people": people}


def _levels(r: random.Random) -> Drawn:
    low, middle, high = r.choice(
        [("low", "medium", "high"), ("green", "yellow", "red"), ("normal", "raised", "critical")]
    )
    first = r.randint(20, 60)
    second = first + r.randint(10, 40)
    given = {f'"{low}" from': 0, f'"{middle}" from': first, f'"{high}" from': second}
    return given, {"measured": r.choice([first, second - 1])}


def _level_of(given: Mapping[str, int], when: list[int]) -> Value:
    reached = [name for name, limit in given.items() if limit <= when[0]]
    return reached[-1].split('"')[1]


def _decision(r: random.Random) -> Drawn:
    limit, used, over = r.randint(30, 100), r.randint(10, 25), r.choice([0, 1])
    return {"limit": limit, "used so far": used}, {"requested": limit - used + over}


def _is_accepted(given: Mapping[str, int], when: list[int]) -> Value:
    limit, used = given.values()
    return "accepted" if used + when[0] <= limit else "refused"


def _cheaper(r: random.Random) -> Drawn:
    each, units, less = r.randint(2, 8), r.randint(4, 12), r.choice([-5, -3, -2, 2, 4, 6])
    return {"flat price": each * units - less, "price for each unit": each}, {"units": units}


def _stamps(r: random.Random) -> Drawn:
    full, had, rest = r.randint(6, 12), r.randint(2, 5), r.randint(0, 3)
    return {"stamps for a reward": full, "stamps so far": had}, {"new stamps": full + rest - had}


def _started_blocks(r: random.Random) -> Drawn:
    block, price, blocks = r.choice([10, 15, 20, 30]), r.randint(2, 6), r.randint(2, 6)
    given = {"minutes in a block": block, "price of a block": price}
    return given, {"minutes": block * blocks - r.randint(0, block - 1)}


def _refund(r: random.Random) -> Drawn:
    price, percent = r.choice([40, 60, 80, 120, 200]), r.choice([25, 50, 75])
    days = r.randint(3, 14)
    given = {"price paid": price, "days before for a refund": days, "refund in percent": percent}
    return given, {"days before": days + r.randint(0, 5)}


def _scaling(r: random.Random) -> Drawn:
    people, each, now = r.randint(2, 6), r.choice([10, 20, 25, 50, 100]), r.randint(7, 12)
    given = {"people it is meant for": people, "amount for all of them": people * each}
    return given, {"people": now}


def _scarcer_part(r: random.Random) -> Drawn:
    need, products = r.randint(2, 6), r.randint(3, 9)
    stock = need * products + r.randint(0, need - 1)
    given = {
        "part1 in stock": stock,
        "part1 for each product": need,
        "part2 in stock": products + r.choice([-2, -1, 1, 3]),
    }
    return given, {"products ordered": products + 8}


def _two_rates(r: random.Random) -> Drawn:
    limit, low = r.choice([100, 200, 500]), r.choice([5, 10])
    high, rest = low * r.choice([2, 3]), r.choice([100, 200, 300])
    given = {"limit": limit, "percent up to it": low, "percent above it": high}
    return given, {"amount": limit + rest}


def _queue_moves(r: random.Random) -> Drawn:
    rate, minutes, rest = r.randint(2, 6), r.randint(3, 10), r.randint(1, 20)
    given = {"people ahead": rate * minutes + rest, "people served each minute": rate}
    return given, {"minutes": minutes}


def _suspension(r: random.Random) -> Drawn:
    limit, days, new = r.randint(8, 20), r.choice([7, 14, 30]), r.randint(2, 5)
    over = r.choice([0, 0, 1])
    given = {
        "penalty points so far": limit - new + over,
        "limit": limit,
        "days of suspension at the limit": days,
    }
    return given, {"new penalty points": new}


def _days_suspended(given: Mapping[str, int], when: list[int]) -> Value:
    points, limit, days = given.values()
    return days if points + when[0] >= limit else 0


KINDS: tuple[Kind, ...] = (
    Kind(
        "tiered_price",
        "a base price covers the first units, each further unit costs extra",
        "price",
        "{g1} + ({w0} - {g0}) * {g2}",
        _tiered_price,
    ),
    Kind(
        "overflow",
        "who finds no free place goes on the waiting list",
        "on the waiting list",
        "{w0} - ({g0} - {g1})",
        _overflow,
    ),
    Kind(
        "late_fine",
        "each day beyond the allowed ones costs a fine",
        "fine",
        "({w0} - {g0}) * {g1}",
        _late_fine,
    ),
    Kind(
        "discount",
        "amounts from a threshold on get a discount in percent",
        "to pay",
        "{w0} - {w0} * {g1} / 100",
        _discount,
    ),
    Kind(
        "capped_fee",
        "a fee for each unit, but never more than a maximum",
        "fee to pay",
        "min({w0} * {g0}, {g1})",
        _capped_fee,
    ),
    Kind(
        "minimum_charge",
        "a price for each unit, but at least a minimum charge",
        "charge",
        "max({w0} * {g0}, {g1})",
        _minimum_charge,
    ),
    Kind(
        "remainder",
        "what is packed fills boxes of one size, the rest is left over",
        "pieces left over",
        "{w0} % {g0}",
        _remainder,
    ),
    Kind(
        "extra_vehicles",
        "vehicles or rooms of one size are added until everybody has a place",
        "added",
        "ceil({w0} / {g0}) - {g1}",
        _extra_vehicles,
    ),
    Kind(
        "reorder",
        "when the stock falls below a minimum, it is ordered up to a target",
        "ordered",
        "{g2} - ({g0} - {w0})",
        _reorder,
    ),
    Kind(
        "points",
        "every full amount spent earns points",
        "points",
        "{g2} + {w0} // {g0} * {g1}",
        _points,
    ),
    Kind(
        "every_nth_free",
        "one unit of every few is free",
        "to pay",
        "({w0} - {w0} // {g0}) * {g1}",
        _every_nth_free,
    ),
    Kind(
        "group_price",
        "from a group size on each person pays some euros less",
        "total",
        "{w0} * ({g0} - {g2})",
        _group_price,
    ),
    Kind(
        "deposit",
        "a deposit is paid back for each piece returned and taken off the bill",
        "to pay",
        "{g1} - {w0} * {g0}",
        _deposit,
    ),
    Kind(
        "falling",
        "a quantity falls by the same amount each hour",
        "quantity left",
        "{g0} - {w0} * {g1}",
        _falling,
    ),
    Kind(
        "waiting_time",
        "several servers serve the people ahead at the same time, each person takes some minutes",
        "minutes to wait",
        "{w0} / {g0} * {g1}",
        _waiting_time,
    ),
    Kind(
        "exchange",
        "money is exchanged for tokens after a fee is taken off",
        "tokens",
        "({w0} - {g1}) / {g0}",
        _exchange,
    ),
    Kind(
        "bonus",
        "a bonus is added for each unit above a target",
        "pay",
        "{g0} + ({w0} - {g1}) * {g2}",
        _bonus,
    ),
    Kind(
        "overtime",
        "hours beyond the regular ones are paid at a higher rate",
        "pay",
        "{g0} * {g1} + ({w0} - {g0}) * {g2}",
        _overtime,
    ),
    Kind(
        "shortage",
        "everyone gets the same portion, and what the supply lacks must be fetched",
        "missing",
        "{w0} * {g1} - {g0}",
        _shortage,
    ),
    Kind(
        "levels",
        "two limits divide a measured value into three levels",
        "level",
        "",
        _levels,
        _level_of,
    ),
    Kind(
        "decision",
        "a request is accepted only as long as the total stays within a limit",
        "answer",
        "accepted if {g1} + {w0} <= {g0}, else refused",
        _decision,
        _is_accepted,
    ),
    Kind(
        "cheaper",
        "the cheaper of a flat price and a price for each unit is charged",
        "to pay",
        "min({g0}, {w0} * {g1})",
        _cheaper,
    ),
    Kind(
        "stamps",
        "a full card of stamps gives a reward, the other stamps stay on the card",
        "stamps left on the card",
        "({g1} + {w0}) % {g0}",
        _stamps,
    ),
    Kind(
        "started_blocks",
        "every started block of time costs the same",
        "price",
        "ceil({w0} / {g0}) * {g1}",
        _started_blocks,
    ),
    Kind(
        "refund",
        "part of the price is paid back if it is cancelled early enough",
        "paid back",
        "{g0} * {g2} / 100",
        _refund,
    ),
    Kind(
        "scaling",
        "the amount in a recipe or plan for some people is scaled to more people",
        "amount for all of them",
        "{g1} / {g0} * {w0}",
        _scaling,
    ),
    Kind(
        "scarcer_part",
        "the scarcer of two parts limits how many products are made",
        "products made",
        "min({g0} // {g1}, {g2}, {w0})",
        _scarcer_part,
    ),
    Kind(
        "two_rates",
        "the first part of an amount is taxed low in percent, the rest high",
        "tax",
        "{g0} * {g1} / 100 + ({w0} - {g0}) * {g2} / 100",
        _two_rates,
    ),
    Kind(
        "queue_moves",
        "some people of a queue are served each minute",
        "people still ahead",
        "{g0} - {w0} * {g1}",
        _queue_moves,
    ),
    Kind(
        "suspension",
        "penalty points add up, and whoever reaches the limit is suspended for some days",
        "days suspended",
        "{g2} if {g0} + {w0} >= {g1}, else 0",
        _suspension,
        _days_suspended,
    ),
)
