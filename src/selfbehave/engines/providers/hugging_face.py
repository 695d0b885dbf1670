"""The Hugging Face inference endpoint: `org/model`."""

from __future__ import annotations

import os

from ...core.errors import SelfBehaveError
from ..settings import EngineSettings
from .openai_compatible import OpenAICompatibleEngine
from .servers import servers_at

__all__ = ["hugging_face"]

_ADDRESS = "https://router.huggingface.co/v1"


def hugging_face(settings: EngineSettings) -> list[OpenAICompatibleEngine]:
    """Make the engine of a model on the Hub; HF_INFERENCE_ENDPOINT selects another endpoint.

    Raises:
        SelfBehaveError: there is no token.
    """
    token = settings.api_key or os.environ.get("HF_TOKEN")
    if not token:
        raise SelfBehaveError(
            f"engine '{settings.engine}' needs a Hugging Face token",
            mend="set HF_TOKEN or give --api_key; for a server of your own give --base_url",
        )
    address = os.environ.get("HF_INFERENCE_ENDPOINT") or _ADDRESS
    return servers_at([address], settings.engine, token, settings)
