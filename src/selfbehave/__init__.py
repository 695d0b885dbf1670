"""SelfBehave: grow behaviour-driven development data from a few seed tasks.

`run` goes through all stages in a folder; `bootstrap`, `classify`, `instances` and `prepare` do one
each. Each takes a settings record and an engine: `EngineSettings`, or an `Engine` of your own.
`climb` and `climb_pairs` tell how far a scenario and its step functions are proven to work, and
`audit_file` does so for a dataset. Whatever a user can put right is a `SelfBehaveError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .core.lazy import loading_on_use

if TYPE_CHECKING:
    from .audit.base import AuditedRow, Check
    from .audit.file_audit import FileAudit, RowAudit, audit_file, audit_rows
    from .audit.repair import repair_file
    from .bdd.criteria import Judgement, judge
    from .bdd.faults import Detail, Fault, FaultCode, sentence
    from .bdd.ladder import Ladder, Rung, climb, climb_pairs
    from .core.errors import SelfBehaveError
    from .core.four_criteria import CRITERIA
    from .engines.base import Completion, Engine, Request
    from .engines.client import Client
    from .engines.failures import Cause, TryAgainError
    from .engines.providers.openai_compatible import OpenAICompatibleEngine
    from .engines.providers.openai_requests import Server
    from .engines.settings import EngineSettings
    from .events.events import Event
    from .events.reporter import Reporter
    from .events.stage_report import StageReport
    from .prompts.base import Answer, Candidate, Family, Parsed, Prompt
    from .prompts.bdd import BddFamily
    from .prompts.classic import ClassicFamily
    from .runs.pipeline import RunReport, bootstrap, classify, instances, prepare, run, run_stage
    from .runs.run_settings import RunSettings
    from .stages.base import Stage
    from .stages.bootstrap import BootstrapSettings
    from .stages.classify import ClassifySettings
    from .stages.instances import InstancesSettings
    from .stages.prepare import PrepareSettings

__all__ = [
    "CRITERIA",
    "Answer",
    "AuditedRow",
    "BddFamily",
    "BootstrapSettings",
    "Candidate",
    "Cause",
    "Check",
    "ClassicFamily",
    "ClassifySettings",
    "Client",
    "Completion",
    "Detail",
    "Engine",
    "EngineSettings",
    "Event",
    "Family",
    "Fault",
    "FaultCode",
    "FileAudit",
    "InstancesSettings",
    "Judgement",
    "Ladder",
    "OpenAICompatibleEngine",
    "Parsed",
    "PrepareSettings",
    "Prompt",
    "Reporter",
    "Request",
    "RowAudit",
    "RunReport",
    "RunSettings",
    "Rung",
    "SelfBehaveError",
    "Server",
    "Stage",
    "StageReport",
    "TryAgainError",
    "audit_file",
    "audit_rows",
    "bootstrap",
    "classify",
    "climb",
    "climb_pairs",
    "instances",
    "judge",
    "prepare",
    "repair_file",
    "run",
    "run_stage",
    "sentence",
]

# Late, so that the command line answers --help without loading the pipeline.
__getattr__ = loading_on_use(
    __name__,
    {
        "run": ".runs.pipeline",
        "bootstrap": ".runs.pipeline",
        "classify": ".runs.pipeline",
        "instances": ".runs.pipeline",
        "prepare": ".runs.pipeline",
        "run_stage": ".runs.pipeline",
        "RunReport": ".runs.pipeline",
        "StageReport": ".events.stage_report",
        "Reporter": ".events.reporter",
        "Event": ".events.events",
        "Stage": ".stages.base",
        "SelfBehaveError": ".core.errors",
        "RunSettings": ".runs.run_settings",
        "BootstrapSettings": ".stages.bootstrap",
        "ClassifySettings": ".stages.classify",
        "InstancesSettings": ".stages.instances",
        "PrepareSettings": ".stages.prepare",
        "EngineSettings": ".engines.settings",
        "Engine": ".engines.base",
        "Request": ".engines.base",
        "Completion": ".engines.base",
        "Client": ".engines.client",
        "TryAgainError": ".engines.failures",
        "Cause": ".engines.failures",
        "OpenAICompatibleEngine": ".engines.providers.openai_compatible",
        "Server": ".engines.providers.openai_requests",
        "Family": ".prompts.base",
        "Prompt": ".prompts.base",
        "Answer": ".prompts.base",
        "Candidate": ".prompts.base",
        "Parsed": ".prompts.base",
        "BddFamily": ".prompts.bdd",
        "ClassicFamily": ".prompts.classic",
        "climb": ".bdd.ladder",
        "climb_pairs": ".bdd.ladder",
        "Ladder": ".bdd.ladder",
        "Rung": ".bdd.ladder",
        "Fault": ".bdd.faults",
        "FaultCode": ".bdd.faults",
        "Detail": ".bdd.faults",
        "sentence": ".bdd.faults",
        "judge": ".bdd.criteria",
        "Judgement": ".bdd.criteria",
        "CRITERIA": ".core.four_criteria",
        "audit_file": ".audit.file_audit",
        "audit_rows": ".audit.file_audit",
        "repair_file": ".audit.repair",
        "FileAudit": ".audit.file_audit",
        "RowAudit": ".audit.file_audit",
        "AuditedRow": ".audit.base",
        "Check": ".audit.base",
    },
)


def __dir__() -> list[str]:
    return __all__
