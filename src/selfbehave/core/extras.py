"""Optional packages: if one is missing, a one-line error names the extra that installs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .errors import SelfBehaveError

__all__ = ["needs_extra"]


@contextmanager
def needs_extra(extra: str, user: str | None = None) -> Iterator[None]:
    """Run code that imports packages of an extra: a context manager and a decorator.

    Args:
        extra: its name in pyproject.toml, such as "study".
        user: what needs the packages, for the message; by default the extra's name, which is
            also the name of its command.

    Raises:
        SelfBehaveError: a package is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "selfbehave"):
            raise  # a bug in the program
        raise SelfBehaveError(
            f"{user or extra} needs the package {package}, which is not installed",
            mend=f"pip install 'selfbehave[{extra}]'",
        ) from error
