"""The names of the BDD ladder's rungs, lowest first.

They have their own module so that the command line can list them without loading the ladder.
"""

from __future__ import annotations

RUNGS = ("text", "parsed", "bound", "passing", "discriminating", "causal")
