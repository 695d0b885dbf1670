"""Amounts of money, to the cent."""

from decimal import Decimal

CENT = Decimal("0.01")


def amount(text):
    """An amount of euros."""
    return Decimal(text).quantize(CENT)
