"""The names of the BDD ladder's rungs, lowest first.

They are apart from the ladder itself so that the command line can list them without loading it.
"""

from __future__ import annotations

RUNGS = ("text", "parsed", "bound", "passing", "discriminating", "causal")
