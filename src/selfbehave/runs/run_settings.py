"""The settings of a whole run, and those of each stage that follow from them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from ..core.option_fields import option, same_option
from ..stages.base import AimSettings, Stage
from ..stages.bootstrap import BootstrapSettings
from ..stages.instances import InstancesSettings
from ..stages.judge import JudgeSettings
from ..stages.prepare import PrepareSettings

__all__ = ["RunSettings", "settings_of_stage"]

Settings = TypeVar("Settings")


@dataclass(frozen=True, kw_only=True)
class RunSettings(BootstrapSettings, AimSettings):
    """All stages; `temperature`, `top_p` and `max_tokens` are for those that generate."""

    num_instructions_to_generate: int = option(
        10, "instructions to accept in all, unless --rows is given", may_grow=True
    )
    rows: int | None = option(
        None, "go on until so many rows reached --min_rung, within the budget", may_change=True
    )
    max_instances_to_generate: int = same_option(PrepareSettings, "max_instances_to_generate")
    include_seed_tasks: bool = same_option(PrepareSettings, "include_seed_tasks")
    attempts: int = same_option(InstancesSettings, "attempts")
    repair: bool = same_option(InstancesSettings, "repair")
    judge: str | None = same_option(JudgeSettings, "judge")
    min_judgement: float | None = same_option(PrepareSettings, "min_judgement")


def settings_of_stage(stage: Stage[Settings], whole: RunSettings, batch_dir: Path) -> Settings:
    """The settings that a stage has as part of a run.

    A field that the run's settings also have gets their value. Other fields get their defaults,
    unless the stage fixes them.
    """
    if isinstance(whole, stage.settings):
        return whole  # the first stage's table in `run.toml` has the whole run's settings
    shared: set[str] = {one.name for one in fields(whole)}
    values: dict[str, Any] = {
        one.name: getattr(whole, one.name)
        for one in fields(stage.settings)  # type: ignore[arg-type]
        if one.name in shared
    }
    return stage.settings(**values | dict(stage.in_run(batch_dir)))
