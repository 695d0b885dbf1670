"""The settings of an evaluation, which the command line shows without loading what they drive."""

from __future__ import annotations

from dataclasses import dataclass

from .. import prompts
from ..core.option_fields import option, same_option
from ..stages.base import SamplingSettings
from ..stages.instances import InstancesSettings

__all__ = ["TEMPERATURE", "AnswerSettings"]

TEMPERATURE = 0.7


@dataclass(frozen=True, kw_only=True)
class AnswerSettings(SamplingSettings):
    """How an engine is asked about the scenarios of a benchmark."""

    attempts: int = option(1, "answers to each scenario")
    # One for all answers: the estimates are unbiased only if the answers are drawn alike.
    temperature: float | None = option(
        TEMPERATURE, "sampling temperature, the same for all answers to a scenario"
    )
    # One for all engines, so that they are asked alike: a run chooses by the engine.
    prompts: str = option("bdd", "prompt family, the same for all engines", prompts.FAMILIES)
    seed_tasks_path: str = same_option(InstancesSettings, "seed_tasks_path")
    examples: int = option(2, "solved seed tasks that each prompt shows; 0 for none")
    random_seed: int = same_option(InstancesSettings, "random_seed")
