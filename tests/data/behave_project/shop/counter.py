"""The counter of the bakery."""

from . import money


class OutOfStockError(Exception):
    """There is not enough on the shelf."""


class Counter:
    def __init__(self, goods):
        self.prices = {item: price for item, (price, _) in goods.items()}
        self.shelf = {item: baked for item, (_, baked) in goods.items()}
        self.discount = 0
        self.total = money.amount("0")

    def order(self, lines):
        """Sell items; return the receipt."""
        for item, count in lines:
            if count > self.shelf[item]:
                raise OutOfStockError(f"only {self.shelf[item]} left")
        full = sum(self.prices[item] * count for item, count in lines)
        for item, count in lines:
            self.shelf[item] -= count
        self.total = money.amount(float(full) * (1 - self.discount))
        bought = [f"{count} x {item}" for item, count in lines]
        return "\n".join([*bought, f"total {self.total} euros"])
