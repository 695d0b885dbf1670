"""What goes wrong on a worker, brought to the user as if it had gone wrong here.

Ray Data keeps of what a worker raised only its text, and ends all other workers. So what a user can
mend comes back as a column of the results; an actor's own errors come back whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import ray

from ..core.errors import SelfBehaveError

__all__ = ["as_of_here", "raise_first", "told"]


def told(error: SelfBehaveError) -> str:
    """An error as the text of a column; "" stands for none."""
    names = ("what", "where", "mend", "exit_code", "goes_on")
    return json.dumps({name: getattr(error, name) for name in names})


def raise_first(column: Iterable[str]) -> None:
    """Raise the first error in a column, if there is one."""
    for text in column:
        if text:
            raise SelfBehaveError(**json.loads(text))


@contextmanager
def as_of_here() -> Iterator[None]:
    """Raise what an actor raised, not that it raised something."""
    try:
        yield
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, SelfBehaveError):
            raise error.cause from error
        raise
