"""Tables of the reference, read from the code: settings, stages and faults."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Sequence
from dataclasses import Field, fields
from types import NoneType
from typing import Any

from selfbehave.audit.registry import own_fault_meanings
from selfbehave.bdd.faults import FaultCode, blocks, label
from selfbehave.engines.settings import EngineSettings
from selfbehave.evaluation.settings import AnswerSettings
from selfbehave.runs.run_settings import RunSettings
from selfbehave.stages.registry import BUILT_IN

from .markdown import code, escaped

__all__ = ["fault_codes", "faults", "settings", "stages", "table"]


def faults() -> str:
    """Every fault that an audit counts: its name in JSON, and its meaning."""
    return table(
        ("fault", "means"),
        ((code(name), escaped(text)) for name, text in own_fault_meanings().items()),
    )


def fault_codes() -> str:
    """Every code of the ladder's faults, with the words that figures and cards have for it."""
    head = ("code", "shown as", "keeps from the next rung")
    known = (one for one in FaultCode if one != FaultCode.OTHER)
    return table(
        head, ((code(one), escaped(label(one)), "yes" if blocks(one) else "no") for one in known)
    )


def settings() -> str:
    """Every field of every settings record."""
    parts = []
    of_stages = (stage.settings for stage in BUILT_IN)
    records = (RunSettings, EngineSettings, *of_stages, AnswerSettings)
    for record in records:
        types = typing.get_type_hints(record)
        rows = (
            (code(one.name), escaped(_kind(types[one.name])), _default(one), _meaning(one))
            for one in fields(record)
        )
        head = ("field", "type", "default", "meaning")
        parts += [f"## {record.__name__}", record.__doc__ or "", table(head, rows)]
    return "\n\n".join(parts)


def stages() -> str:
    """Every stage: its purpose, the files it reads and writes, and whether it needs an engine."""
    head = ("stage", "does", "reads", "writes", "asks an engine", "spreads over a cluster")
    return table(
        head,
        (
            (
                code(stage.name),
                escaped(stage.summary),
                ", ".join(map(code, stage.reads)) or "seed tasks",
                ", ".join(map(code, stage.writes)),
                "yes" if stage.asks_engine else "no",
                "no" if stage.is_sequential else "yes",
            )
            for stage in BUILT_IN
        ),
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; the cells may contain Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |" for row in lines
    )


def _kind(kind: Any) -> str:
    if kind == tuple[str, ...]:
        return "list of texts"
    (one,) = [one for one in typing.get_args(kind) or (kind,) if one is not NoneType]
    return {bool: "yes or no", int: "whole number", float: "number", str: "text"}[one]


def _default(field: Field[Any]) -> str:
    if field.default is None or field.default in ((), ""):
        return ""
    if isinstance(field.default, bool):
        return "yes" if field.default else "no"
    return code(str(field.default))


def _meaning(field: Field[Any]) -> str:
    choices = field.metadata["choices"]
    text = escaped(field.metadata["help"])
    return f"{text}. One of {', '.join(map(code, choices))}" if choices else text
