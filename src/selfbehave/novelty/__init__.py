"""The novelty rule and its pool; `dedupe` applies the same rule to millions of texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.lazy import loading_on_use

if TYPE_CHECKING:
    from .rule import Pool

__all__ = ["Pool"]

__getattr__ = loading_on_use(__name__, {"Pool": ".rule"})
