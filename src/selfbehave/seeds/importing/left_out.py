"""Why a scenario is left out of an import: the reasons, and the exception that carries one."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["REASONS", "CannotImportError", "LeftOut"]

# Every reason, in the order of the table, with what it means.
REASONS = {
    "feature_not_read": "a feature file that is not readable Gherkin",
    "no_steps": "no step in it",
    "no_title": "no title",
    "background_parameter": "a background with an outline's parameter in it",
    "no_step_modules": "no step modules for its feature file",
    "undefined_step": "a step that no step function binds",
    "ambiguous_step": "a step that two step functions bind",
    "step_under_condition": "a step function defined under if, try, with or a loop",
    "name_clash": "two things of one name would meet in one module",
    "undefined_name": "its code uses a name that is nowhere defined",
    "import_not_followed": "its code imports a module of yours in a way that is not followed",
    "executes_steps": "its code runs other steps (execute_steps)",
    "needs_files": "its code looks for files beside its own (__file__)",
    "needs_fixture": "a pytest fixture that cannot come along",
    "not_translated": "pytest-bdd that has no safe counterpart in behave",
    "too_long": "longer than a seed task should be",
    "bound_otherwise": "by itself, its steps would be bound otherwise",
    "duplicate": "the same scenario as an earlier one",
    "below_min_rung": "below --min_rung of the ladder",
}


@dataclass(frozen=True)
class LeftOut:
    """A scenario that is not imported.

    Attributes:
        reason: one of `REASONS`.
        place: `file:line` of the scenario.
        detail: the particulars, one line.
    """

    reason: str
    place: str
    detail: str

    def to_dict(self) -> dict[str, str]:
        return {"reason": self.reason, "place": self.place, "detail": self.detail}


class CannotImportError(Exception):
    """What keeps one scenario from being imported.

    Args:
        reason: one of `REASONS`.
        detail: the particulars; made one line.
        line: of the file at hand, where that tells more than the scenario's own.
    """

    def __init__(self, reason: str, detail: str, line: int | None = None) -> None:
        assert reason in REASONS
        self.reason = reason
        self.detail = " ".join(detail.split())[:300]
        self.line = line
        super().__init__(f"{reason}: {self.detail}")
