"""The codes of faults in files written before faults had codes.

Such a `ladder.jsonl` has `faults`, a list of sentences, but no `fault_codes`. Only this module
derives codes from sentences, and only for older files. No current decision depends on it.
"""

from __future__ import annotations

import re

from .faults import FaultCode

__all__ = ["code_in_older_file"]

_LINE = r"(?:line \d+: )?"
# The beginnings of the sentences of each kind.
_BEGINNINGS = [
    (re.compile(beginning), code)
    for beginning, code in (
        ("scenario: not found$", FaultCode.SCENARIO_NOT_FOUND),
        ("scenario: cut off$", FaultCode.SCENARIO_CUT_OFF),
        ("python: not found$", FaultCode.PYTHON_NOT_FOUND),
        ("python: cut off$", FaultCode.PYTHON_CUT_OFF),
        ("scenario: no step in it$", FaultCode.NO_STEP),
        ("scenario: unknown spoken language", FaultCode.UNKNOWN_LANGUAGE),
        ("scenario: (?:longer|more) than", FaultCode.SCENARIO_TOO_LARGE),
        ("scenario: ", FaultCode.NOT_GHERKIN),
        ("python: ", FaultCode.PYTHON_SYNTAX),
        (f"{_LINE}no Given, When or Then before", FaultCode.NO_KEYWORD),
        (f"{_LINE}undefined step", FaultCode.UNDEFINED_STEP),
        (f"{_LINE}ambiguous step", FaultCode.AMBIGUOUS_STEP),
        (f"{_LINE}unused step function", FaultCode.UNUSED_STEP_FUNCTION),
        (f"{_LINE}bad pattern", FaultCode.BAD_PATTERN),
        (f"{_LINE}the pattern of .* is not a plain text$", FaultCode.PATTERN_NOT_TEXT),
        (f"{_LINE}unknown step matcher", FaultCode.UNKNOWN_MATCHER),
        ("more than .* step functions$", FaultCode.TOO_MANY_FUNCTIONS),
        ("run: failed", FaultCode.RUN_FAILED),
        ("run: time limit", FaultCode.RUN_TIME_LIMIT),
        ("run: cpu limit", FaultCode.RUN_CPU_LIMIT),
        ("run: output limit", FaultCode.RUN_OUTPUT_LIMIT),
        ("run: file size limit", FaultCode.RUN_FILE_SIZE_LIMIT),
        ("run: killed", FaultCode.RUN_KILLED),
        ("run: forged result", FaultCode.RUN_FORGED_RESULT),
        ("mutants: none", FaultCode.NO_CHANGE_TURNS_RED),
        ("mutants: no expected value", FaultCode.NO_EXPECTED_VALUE),
    )
]


def code_in_older_file(sentence: str) -> FaultCode:
    """The code of a fault that an older file records only as a sentence."""
    return next((code for found, code in _BEGINNINGS if found.match(sentence)), FaultCode.OTHER)
