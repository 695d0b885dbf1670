"""The mark of evaluation data: each line of the packaged benchmark holds it, and no other data.

Whoever gathers training data can leave out what holds it, as BIG-bench (arXiv 2206.04615) asks for
its tasks.
"""

from __future__ import annotations

__all__ = ["CANARY"]

CANARY = "selfbehave-benchmark 7c0f2a8e-5d1b-4e53-9a6f-2b84d1f06c39"
