"""The operations: how a scenario is changed into a new one of its family."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ..bdd.scenario import Scenario, parse_scenario, parts_of
from ..bdd.screening import ScreenCode, ScreenFault, unsolvable

__all__ = ["EvolutionRequest", "Operation", "fault_of_change", "suits"]


class Operation(StrEnum):
    """What is changed."""

    BOUNDARY = "boundary"
    REFUSAL = "refusal"
    OUTLINE = "outline"
    RULE_MORE = "rule_more"


_IN_WORDS = {
    Operation.BOUNDARY: (
        "Keep the rule. The value of the action is now exactly at the limit of the rule, and the "
        "outcome is what follows there."
    ),
    Operation.REFUSAL: (
        "Keep the rule. The action now breaks the rule or does not meet it, and the outcome is "
        "what follows then."
    ),
    Operation.OUTLINE: (
        "Make it a Scenario Outline with 3 rows of Examples: values below, at and above the limit, "
        "each with its outcome."
    ),
    Operation.RULE_MORE: (
        "Add one more rule with a number of its own as a Given step. It changes the outcome."
    ),
}


@dataclass(frozen=True)
class EvolutionRequest:
    """What a changed scenario is asked for with."""

    scenario: str
    operation: Operation

    @property
    def text(self) -> str:
        """The request as the model reads it."""
        return f"{self.scenario.strip()}\n\nChange: {_IN_WORDS[self.operation]}"


def suits(operation: Operation, scenario_text: str, made_by: str) -> bool:
    """Whether an operation makes something new of a scenario that behave reads.

    Args:
        made_by: the operation that the scenario was made by; "" if it has no parent.
    """
    if operation is Operation.RULE_MORE:
        return True
    # An outline has the limit and what lies beyond it among its rows.
    return operation != made_by and not _is_outline(parse_scenario(scenario_text))


def fault_of_change(scenario_text: str, request: EvolutionRequest) -> ScreenFault | None:
    """What keeps an answer from being the changed scenario, None where nothing does."""
    if fault := unsolvable(scenario_text):
        return fault
    if request.operation is Operation.OUTLINE and not _is_outline(parse_scenario(scenario_text)):
        return ScreenFault(ScreenCode.FORM_LACKING, value=str(request.operation))
    return None


def _is_outline(scenario: Scenario) -> bool:
    return any(part.get("examples") for part in parts_of(scenario.document))
