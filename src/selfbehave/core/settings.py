"""Every setting of every stage: name, default and meaning.

The command line and `run.toml` are two faces of these records. Option names and defaults
are those of the seed project where it has them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DEFAULT_BATCH_DIR = "runs/selfbehave"
PACKAGED_HIGH_QUALITY = "high_quality"
PACKAGED_MIXED_QUALITY = "mixed_quality"

CLASSIFICATION_FILE = "is_clf_or_not_template_1.jsonl"
INSTRUCTIONS_FILE = "machine_generated_instructions.jsonl"
INSTANCES_FILE = "machine_generated_instances.jsonl"
FINETUNING_DIR = "finetuning_data"
DROPPED_FILE = "dropped.jsonl"
JOURNAL_FILE = "journal.sqlite"
LOCK_FILE = "journal.sqlite-lock"
RESERVE_FILE = "journal.sqlite-reserve"
RUN_FILE = "run.toml"
LADDER_FILE = "ladder.jsonl"

RUNGS = ("text", "parsed", "bound", "passing", "discriminating")


def _option(default: Any, help: str, choices: tuple[str, ...] = ()) -> Any:
    return field(default=default, metadata={"help": help, "choices": choices})


@dataclass(frozen=True, kw_only=True)
class EngineSettings:
    """What answers prompts, and how many requests it is given at once."""

    engine: str = _option(
        "embedded",
        "what answers: 'embedded', a path ending in .gguf, a Hugging Face 'org/model', "
        "or an OpenAI-compatible address 'http(s)://…/v1'; several that serve the same model, with "
        "commas between or each with an --engine of its own, share the requests",
    )
    base_url: str | None = _option(
        None, "address of an OpenAI-compatible server for --engine, or several with commas between"
    )
    model: str | None = _option(None, "model to ask for at --engine's address")
    api: str | None = _option(
        None,
        "endpoint kind; default: chat, but completions for a model without a chat template",
        ("chat", "completions"),
    )
    grammar: str = _option(
        "auto",
        "constrain answers by a llama.cpp grammar: auto = where the engine runs on this machine",
        ("auto", "on", "off"),
    )
    request_batch_size: int = _option(5, "requests in flight at once, at all addresses together")
    api_key: str | None = _option(
        None, "key or token; default: HF_TOKEN for 'org/model', else OPENAI_API_KEY"
    )
    organization: str | None = _option(None, "value of the OpenAI-Organization header")
    max_wait: float = _option(600.0, "seconds to go on retrying one request before giving up")
    request_timeout: float = _option(
        600.0, "seconds to wait for one whole answer before asking again"
    )


@dataclass(frozen=True, kw_only=True)
class SamplingSettings:
    """How the engine draws tokens; None means the stage's own default."""

    temperature: float | None = _option(None, "sampling temperature; default: the stage's own")
    top_p: float | None = _option(None, "nucleus sampling mass; default: the stage's own")
    max_tokens: int | None = _option(None, "longest answer in tokens; default: the stage's own")


@dataclass(frozen=True, kw_only=True)
class BootstrapSettings(SamplingSettings):
    """Stage 1: new instructions from the seeds."""

    seed_tasks_path: str = _option(
        PACKAGED_HIGH_QUALITY,
        "seed tasks: a .jsonl file, or the packaged 'high_quality' or 'mixed_quality'",
    )
    num_instructions_to_generate: int = _option(100, "instructions to accept in all")
    use_clf_seed_tasks_only: bool = _option(False, "use only the classification seed tasks")
    num_prompt_instructions: int = _option(8, "example instructions in a prompt")
    prompts: str | None = _option(
        None, "prompt family; default: bdd if every seed task holds a scenario", ("bdd", "classic")
    )
    random_seed: int = _option(42, "seed of every random draw")
    lag: int | None = _option(
        None,
        "request i draws its examples from the pool after request i - lag. A low lag gives the "
        "engine's own instructions a part sooner, a high one keeps a slow answer from holding up "
        "the others. Default, for b = --request_batch_size: 1.5 b where the model runs here; at a "
        "server 3 b times b's length in bits (45 for 5, 576 for 32); 1 for one. A lag above 6 "
        "is grown into, request by request",
    )


@dataclass(frozen=True, kw_only=True)
class ClassifySettings(SamplingSettings):
    """Stage 2: is each instruction a classification task?"""

    num_instructions: int | None = _option(None, "classify only the first so many instructions")
    template: str = _option("template_1", "classification prompt", ("template_1",))
    prompts: str | None = _option(
        None,
        "prompt family; default: bdd if every instruction holds a scenario",
        ("bdd", "classic"),
    )
    random_seed: int = _option(42, "seed of every random draw")


@dataclass(frozen=True, kw_only=True)
class InstancesSettings(SamplingSettings):
    """Stage 3: inputs and outputs for each instruction."""

    input_file: str = _option(INSTRUCTIONS_FILE, "instructions, in --batch_dir or a path")
    output_file: str = _option(INSTANCES_FILE, "what to write, in --batch_dir or a path")
    num_instructions: int | None = _option(None, "use only the first so many instructions")
    max_instances_to_generate: int = _option(5, "instances of one instruction, at most")
    generation_tasks_only: bool = _option(False, "leave classification tasks out")
    classification_tasks_only: bool = _option(False, "take classification tasks only")
    seed_tasks_path: str = _option(
        PACKAGED_HIGH_QUALITY, "seed tasks whose solved instances are shown as examples (bdd)"
    )
    prompts: str | None = _option(
        None,
        "prompt family; default: bdd if every instruction holds a scenario",
        ("bdd", "classic"),
    )
    random_seed: int = _option(42, "seed of every random draw")


@dataclass(frozen=True, kw_only=True)
class PrepareSettings:
    """Stage 4: parse, filter, encode and write the fine-tuning data."""

    instance_files: tuple[str, ...] = _option((), "files of generated instances")
    classification_type_files: tuple[str, ...] = _option((), "files of the classify stage")
    output_dir: str = _option("", "folder for the fine-tuning data")
    num_instructions: int | None = _option(None, "instructions to sample; default: all")
    max_instances_to_generate: int = _option(5, "instances of one instruction, at most")
    include_seed_tasks: bool = _option(False, "add the seed tasks to the fine-tuning data")
    seed_tasks_path: str = _option(PACKAGED_HIGH_QUALITY, "seed tasks for --include_seed_tasks")
    min_rung: str = _option(
        "bound", "rung of the BDD ladder that a scenario's row must reach", RUNGS
    )
    top_rung: str = _option(
        "discriminating",
        "rung to climb to; above bound generated code is run, in the sandbox",
        RUNGS,
    )
    random_seed: int = _option(42, "seed of every random draw")

    @property
    def batch_dir(self) -> Path:
        """The run's folder: that of the first file of instances."""
        return Path(self.instance_files[0]).parent


@dataclass(frozen=True, kw_only=True)
class RunSettings(BootstrapSettings):
    """All four stages; `temperature`, `top_p` and `max_tokens` are for those that generate."""

    num_instructions_to_generate: int = _option(10, "instructions to accept in all")
    max_instances_to_generate: int = _option(5, "instances of one instruction, at most")
    include_seed_tasks: bool = _option(False, "add the seed tasks to the fine-tuning data")
    min_rung: str = _option(
        "bound", "rung of the BDD ladder that a scenario's row must reach", RUNGS
    )
    top_rung: str = _option(
        "discriminating",
        "rung to climb to; above bound generated code is run, in the sandbox",
        RUNGS,
    )
