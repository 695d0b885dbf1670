"""Read a feature with behave's own parser in this process; none of the text is executed.

Behave's parser keeps no state between calls except its tables of keywords, which it only reads. Its
time is proportional to the length of the text, which the caller limits.
"""

from __future__ import annotations

import logging
from contextvars import ContextVar

from behave.model import Feature
from behave.parser import Parser, ParserError, State

from .faults import Detail, Fault, FaultCode
from .feature_text import ScenarioError

__all__ = ["read_feature"]

_LONGEST_WORDS = 200
# Errors that behave's parser raises, besides its own error type, on texts it does not expect.
# Running such a feature ends with the same traceback.
_CRASHES = (AssertionError, AttributeError, LookupError, TypeError, ValueError)


class _Parser(Parser):  # type: ignore[misc]
    # By default an environment variable decides; in the sandbox there is none.
    STRIP_STEPS_WITH_TRAILING_COLON = False


def read_feature(feature_text: str, added_lines: int = 0) -> Feature:
    """Read a feature as behave does.

    Args:
        feature_text: from `as_feature`, as is `added_lines`.

    Raises:
        ScenarioError: behave refuses it, with behave's own message; or it contains no feature.
    """
    parser = _Parser()
    quiet = _IS_READING.set(True)
    try:
        feature = parser.parse(feature_text)
    except ParserError as error:
        fault = _step_without_kind(parser, feature_text, added_lines)
        raise ScenarioError(fault or _refusal(error, added_lines)) from error
    except _CRASHES as error:
        words = f"behave's parser ends with {type(error).__name__}: {error}"[:_LONGEST_WORDS]
        raise ScenarioError(Fault(FaultCode.NOT_GHERKIN, None, Detail(words=words))) from error
    finally:
        _IS_READING.reset(quiet)
    if feature is None:
        raise ScenarioError(Fault(FaultCode.NO_STEP))
    return feature


def _step_without_kind(parser: Parser, feature_text: str, added_lines: int) -> Fault | None:
    """The fault of an And or But with no step before it, if that stopped the parser."""
    if parser.state not in (State.SCENARIO, State.BACKGROUND):
        return None
    line = feature_text.splitlines()[parser.line - 1].strip()
    for keyword in (*parser.keywords["and"], *parser.keywords["but"]):
        if line.lower().startswith(keyword.lower()):
            detail = Detail(text=line[len(keyword) :].strip()[:_LONGEST_WORDS])
            return Fault(FaultCode.NO_KEYWORD, max(1, parser.line - added_lines), detail)
    return None


def _refusal(error: ParserError, added_lines: int) -> Fault:
    # The error's message has the document's line number; the fault has the text's.
    words = " ".join(str(error.args[0]).replace(f" at line {error.line}", "", 1).split())
    line = max(1, error.line - added_lines) if error.line else None
    return Fault(FaultCode.NOT_GHERKIN, line, Detail(words=words[:_LONGEST_WORDS]))


# Behave logs a warning for each row of a table that does not end in "|".
_IS_READING: ContextVar[bool] = ContextVar("_IS_READING", default=False)


class _Quiet(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return not _IS_READING.get()


logging.getLogger("behave").addFilter(_Quiet())
