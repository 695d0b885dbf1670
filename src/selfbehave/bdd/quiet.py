"""Compiling what a model wrote without the warnings that Python gives for it."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["without_warnings"]

_FILTERS = threading.Lock()  # the filters are the whole process's, and the ladder has threads


@contextmanager
def without_warnings() -> Iterator[None]:
    """Show no warning meanwhile: of a '\\d' in a plain string, say, which is not ours to report."""
    with _FILTERS, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
