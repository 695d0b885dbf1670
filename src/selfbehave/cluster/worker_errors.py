"""Errors of workers, raised again in this process.

If a worker raises an error, Ray Data keeps only its text and ends all other workers. So errors that
a user can fix come back in a column of the results. Errors of actors come back whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import ray

from ..core.errors import SelfBehaveError

__all__ = ["error_text", "original_errors", "raise_first"]


def error_text(error: SelfBehaveError) -> str:
    """An error as text for a column. "" stands for no error."""
    names = ("what", "where", "mend", "exit_code", "goes_on")
    return json.dumps({name: getattr(error, name) for name in names})


def raise_first(column: Iterable[str]) -> None:
    """Raise the first error in a column, if there is one."""
    for text in column:
        if text:
            raise SelfBehaveError(**json.loads(text))


@contextmanager
def original_errors() -> Iterator[None]:
    """Re-raise the original exception of an actor."""
    try:
        yield
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, SelfBehaveError):
            raise error.cause from error
        raise
