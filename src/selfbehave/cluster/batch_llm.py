"""Requests answered by Ray's LLM batch processor: vLLM on the cluster's GPU nodes, no server.

Answers have the same journal keys as those of an endpoint with the same model, so a run may switch
between the two.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ray
import ray.data

from ..core.errors import EXIT_USAGE, SelfBehaveError
from ..engines import Completion, Engine, Kept, Request
from ..engines.base import Api
from ..engines.providers.openai_answers import completion_of
from .answering import request_of, row_of

__all__ = ["BatchEngine", "BatchModel", "answer_by_processor", "vllm_config", "vllm_processor"]

Processor = Callable[[ray.data.Dataset], ray.data.Dataset]

_NEEDED = "pip install 'ray[llm]' on every node, of the version of Ray that is there"


@dataclass(frozen=True, kw_only=True)
class BatchModel:
    """A model that vLLM runs on GPU nodes.

    Attributes:
        name: a Hugging Face 'org/model', or a folder that every node sees.
        api: "chat" applies the model's chat template, "completions" sends prompts as they are.
        replicas: copies of the model, each on its own GPUs.
        batch_size: requests that a replica gets at a time.
        engine: vLLM's own engine arguments, such as `tensor_parallel_size` or `max_model_len`.
    """

    name: str
    api: Api = "chat"
    replicas: int = 1
    batch_size: int = 64
    engine: Mapping[str, Any] = field(default_factory=dict)

    @property
    def gpus(self) -> int:
        """How many GPUs all replicas need."""
        sizes = ("tensor_parallel_size", "pipeline_parallel_size")
        return self.replicas * int(self.engine.get(sizes[0], 1)) * int(self.engine.get(sizes[1], 1))


class BatchEngine(Engine):
    """The properties of such a model for a stage. It never answers a single request."""

    def __init__(self, model: BatchModel) -> None:
        self.identity = model.name
        self.api = model.api

    async def complete(self, request: Request) -> Completion:
        raise SelfBehaveError(
            "the batch processor cannot answer single requests",
            where=self.identity,
            mend="give the bootstrap an endpoint, --engine http(s)://…/v1",
        )


def vllm_config(model: BatchModel) -> Any:
    """The processor's configuration, checked by Ray. It needs neither vLLM nor a GPU.

    Raises:
        SelfBehaveError: a setting is wrong.
    """
    from ray.data.llm import vLLMEngineProcessorConfig

    try:
        return vLLMEngineProcessorConfig(
            model_source=model.name,
            concurrency=model.replicas,
            batch_size=model.batch_size,
            engine_kwargs=dict(model.engine),
            chat_template_stage=model.api == "chat",
        )
    except ValueError as error:  # pydantic's
        raise SelfBehaveError(
            f"vLLM's settings are wrong: {error}",
            mend="correct --vllm_replicas or --vllm_engine",
            exit_code=EXIT_USAGE,
        ) from error


def vllm_processor(model: BatchModel) -> Processor:
    """A processor that answers a dataset of requests with vLLM.

    Raises:
        SelfBehaveError: a setting is wrong, the cluster has too few GPUs, or vLLM is missing.
    """
    config = vllm_config(model)
    gpus = int(ray.cluster_resources().get("GPU", 0))
    if gpus < model.gpus:
        raise SelfBehaveError(
            f"{model.replicas} x {model.name} need {model.gpus} GPUs, the cluster has {gpus}",
            mend="add GPU nodes, or lower --vllm_replicas, or give --engine an endpoint",
        )
    from ray.data.llm import build_processor

    try:
        processor: Processor = build_processor(
            config, preprocess=_asked_by(model.api), postprocess=_answered
        )
    except ImportError as error:
        raise SelfBehaveError(
            f"vLLM's batch processor cannot be loaded: {error}", mend=_NEEDED
        ) from error
    return processor


def answer_by_processor(
    requests: Sequence[Request], processor: Processor, engine: BatchEngine, keeper: Any
) -> None:
    """Return once all requests are answered in the journal.

    A lost node loses the batches that it was working on; they cost no money.
    """
    dataset = ray.data.from_items([row_of(request) for request in requests])
    kept = processor(dataset).map_batches(
        _keep, batch_size=None, fn_args=(keeper, engine.identity, engine.api)
    )
    for _ in kept.iter_rows():
        pass


def _asked_by(api: Api) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def asked(row: dict[str, Any]) -> dict[str, Any]:
        request = request_of(row["request"])
        prompt: dict[str, Any] = {"prompt": request.prompt}
        if api == "chat":
            prompt = {"messages": request.messages}
        return {**row, **prompt, "sampling_params": request.parameters}

    return asked


def _answered(row: dict[str, Any]) -> dict[str, Any]:
    names = ("request", "generated_text", "num_input_tokens", "num_generated_tokens")
    return {name: row[name] for name in names}


def _keep(batch: dict[str, Any], keeper: Any, identity: str, api: Api) -> dict[str, list[int]]:
    now = time.time()
    engine = BatchEngine(BatchModel(name=identity, api=api))
    answers = []
    for text, answer, asked, made in zip(
        batch["request"],
        batch["generated_text"],
        map(int, batch["num_input_tokens"]),
        map(int, batch["num_generated_tokens"]),
        strict=True,
    ):
        request = request_of(text)
        # vLLM's processor does not say why an answer ended. Only a truncated one has this length.
        finish_reason = "length" if made >= request.max_tokens else "stop"
        said = {"message": {"content": answer}} if api == "chat" else {"text": answer}
        completion = completion_of(
            {
                "choices": [said | {"finish_reason": finish_reason}],
                "usage": {"prompt_tokens": asked, "completion_tokens": made},
            },
            request,
        )
        answers.append(Kept(request.key(engine), identity, api, request, completion, now))
    ray.get(keeper.keep.remote(answers))
    return {"answered": [len(answers)]}
