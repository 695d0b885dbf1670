"""The checks of an audit by name: the built-in ones, and those that other packages add."""

from __future__ import annotations

from ..core.extensions import AUDIT_CHECKS, Registry
from .base import MAX_ROW_CHARACTERS, TOO_LONG, Check

__all__ = ["CHECKS", "fault_meanings", "own_fault_meanings"]

_MODULE = "selfbehave.audit.checks"

# In the order of the audit's table.
CHECKS: Registry[Check] = Registry(
    AUDIT_CHECKS,
    {
        "fences": f"{_MODULE}:Fences",
        "answers": f"{_MODULE}:Answers",
        "scenario_syntax": f"{_MODULE}:ScenarioSyntax",
        "portability": f"{_MODULE}:Portability",
        "python_syntax": f"{_MODULE}:PythonSyntax",
        "binding": f"{_MODULE}:Binding",
        "code_smells": f"{_MODULE}:CodeSmells",
        "cheats": f"{_MODULE}:Cheats",
        "scenario_smells": f"{_MODULE}:ScenarioSmells",
        "duplicates": f"{_MODULE}:Duplicates",
    },
    needs=("faults", "find"),
)


def fault_meanings() -> dict[str, str]:
    """Every fault that an audit can find, in the order of its table, with its meaning.

    Raises:
        SelfBehaveError: a package that adds a check is broken, or two checks have the same fault.
    """
    meanings = own_fault_meanings()
    for name in CHECKS.added():
        for fault, meaning in CHECKS[name].faults.items():
            if fault in meanings:
                raise CHECKS.extension(name).broken(f"another check has a fault {fault!r} too")
            meanings[fault] = meaning
    return meanings


def own_fault_meanings() -> dict[str, str]:
    """The faults that the built-in checks can find."""
    too_long = f"a row of more than {MAX_ROW_CHARACTERS:,} characters"
    own = [CHECKS[name] for name in CHECKS if name not in CHECKS.added()]
    return {TOO_LONG: too_long} | {
        fault: meaning for check in own for fault, meaning in check.faults.items()
    }
