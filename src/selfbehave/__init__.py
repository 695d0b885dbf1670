"""SelfBehave: grow behaviour-driven development data from a few seed tasks.

The four stages are `bootstrap`, `classify`, `instances` and `prepare`; `run` does all four.
Their settings are in `selfbehave.core.settings`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .runs.pipeline import RunReport, bootstrap, classify, instances, prepare, run

__all__ = ["RunReport", "bootstrap", "classify", "instances", "prepare", "run"]


def __getattr__(name: str) -> Any:
    # Late, so that the command line answers --help without loading the pipeline.
    if name in __all__:
        from .runs import pipeline

        return getattr(pipeline, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
