"""Vectors of texts: the mean of the static vectors of their words.

WordLlama has its vectors in its package, so it needs no network.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["DIMENSIONS", "Vectors", "of_length_1", "word_vectors"]

DIMENSIONS = 256

Vectors = NDArray[np.float32]


def word_vectors(texts: Sequence[str]) -> Vectors:
    """The vectors of texts, shape (texts, 256). They need the extra `meaning`.

    Raises:
        ModuleNotFoundError: the extra is not installed.
    """
    if not texts:
        return np.empty((0, DIMENSIONS), np.float32)
    return np.asarray(_model().embed(list(texts)), np.float32)


def of_length_1(vectors: Vectors) -> Vectors:
    """Vectors scaled to length 1; those of length 0 stay as they are."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)


@cache
def _model() -> Any:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    import wordllama

    # Importing it configures logging for the whole process; restore the previous state.
    root.handlers[:] = handlers
    root.setLevel(level)
    # The package contains its weights. By default, it would use the user's cache and download them.
    return wordllama.WordLlama.load(
        cache_dir=Path(wordllama.__file__).parent, disable_download=True
    )
