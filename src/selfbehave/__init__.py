"""SelfBehave: grow behaviour-driven development data from a few seed tasks.

The four stages are `bootstrap`, `classify`, `instances` and `prepare`; `run` does all four.
Their settings are in the modules of `selfbehave.stages`, those of a run in
`selfbehave.runs.run_settings`, those of an engine in
`selfbehave.engines.settings`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .core.lazy import loading_on_use

if TYPE_CHECKING:
    from .runs.pipeline import RunReport, bootstrap, classify, instances, prepare, run

__all__ = ["RunReport", "bootstrap", "classify", "instances", "prepare", "run"]

# Late, so that the command line answers --help without loading the pipeline.
__getattr__ = loading_on_use(__name__, dict.fromkeys(__all__, ".runs.pipeline"))
