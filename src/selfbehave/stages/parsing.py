"""The valid instances in an answer."""

from __future__ import annotations

from ..core.records import Instance
from ..prompts import Answer, Family

__all__ = ["valid_instances"]


def valid_instances(
    family: Family, instruction: str, answer: Answer, is_classification: bool
) -> tuple[list[Instance], list[tuple[str, str]]]:
    """The valid instances in an answer, without duplicates, and the faulty parts of it.

    Returns:
        The instances, and for each part that is none, the reason and its text.
    """
    parsed = family.instances(instruction, answer, is_classification)
    faulty: list[tuple[str, str]] = []
    if not parsed:
        faulty.append(("truncated" if answer.is_truncated else "no_instance", answer.text))
    valid: list[Instance] = []
    for one in parsed:
        if one.instance is None:
            faulty.append((one.fault or "no_instance", one.text))
        elif fault := _fault(one.instance):
            faulty.append((fault, one.text))
        elif one.instance in valid:
            faulty.append(("duplicate", one.text))
        else:
            valid.append(one.instance)
    return valid, faulty


def _fault(instance: Instance) -> str | None:
    """The reason why an instance is invalid, or None (Wang et al., section 2.2)."""
    if not instance.output.strip():
        return "empty_output"
    if instance.input.strip() == instance.output.strip():
        return "output_repeats_input"
    if instance.input.rstrip().endswith(":") or instance.output.rstrip().endswith(":"):
        return "unfinished"
    return None
