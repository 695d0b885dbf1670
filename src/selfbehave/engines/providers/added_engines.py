"""Engines that other packages add: `--engine NAME`, or `--engine NAME:MODEL`."""

from __future__ import annotations

from ...core.extensions import ENGINES, Extension, find_extension
from ..base import Engine
from ..client import REQUIRED
from ..settings import EngineSettings

__all__ = ["added_engine", "extension_of"]


def extension_of(settings: EngineSettings) -> Extension | None:
    """The extension that the engine's name selects, if any: the part before the first colon."""
    return find_extension(ENGINES, settings.engine.partition(":")[0])


def added_engine(settings: EngineSettings) -> Engine:
    """Make an extension's engine from the settings.

    Raises:
        SelfBehaveError: the extension is broken, or refuses the settings.
    """
    extension = extension_of(settings)
    assert extension is not None, "asked for by its name"
    engine: Engine = extension.make(settings, needs=REQUIRED)
    return engine
