"""The settings of each stage and of a whole run: names, defaults and help texts.

The command line and `run.toml` are two faces of these records. Option names and defaults
are those of the seed project where it has them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..core.option_fields import option
from ..core.run_files import INSTANCES_FILE, INSTRUCTIONS_FILE
from ..core.rungs import RUNGS
from ..seeds.packaged_names import PACKAGED_HIGH_QUALITY


@dataclass(frozen=True, kw_only=True)
class SamplingSettings:
    """How the engine draws tokens; None means the stage's own default."""

    temperature: float | None = option(None, "sampling temperature; default: the stage's own")
    top_p: float | None = option(None, "nucleus sampling mass; default: the stage's own")
    max_tokens: int | None = option(None, "longest answer in tokens; default: the stage's own")


@dataclass(frozen=True, kw_only=True)
class BootstrapSettings(SamplingSettings):
    """Stage 1: new instructions from the seeds."""

    seed_tasks_path: str = option(
        PACKAGED_HIGH_QUALITY,
        "seed tasks: a .jsonl file, or the packaged 'high_quality' or 'mixed_quality'",
    )
    num_instructions_to_generate: int = option(100, "instructions to accept in all")
    use_clf_seed_tasks_only: bool = option(False, "use only the classification seed tasks")
    num_prompt_instructions: int = option(8, "example instructions in a prompt")
    prompts: str | None = option(
        None, "prompt family; default: bdd if every seed task holds a scenario", ("bdd", "classic")
    )
    random_seed: int = option(42, "seed of every random draw")
    lag: int | None = option(
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

    num_instructions: int | None = option(None, "classify only the first so many instructions")
    template: str = option("template_1", "classification prompt", ("template_1",))
    prompts: str | None = option(
        None,
        "prompt family; default: bdd if every instruction holds a scenario",
        ("bdd", "classic"),
    )
    random_seed: int = option(42, "seed of every random draw")


@dataclass(frozen=True, kw_only=True)
class InstancesSettings(SamplingSettings):
    """Stage 3: inputs and outputs for each instruction."""

    input_file: str = option(INSTRUCTIONS_FILE, "instructions, in --batch_dir or a path")
    output_file: str = option(INSTANCES_FILE, "what to write, in --batch_dir or a path")
    num_instructions: int | None = option(None, "use only the first so many instructions")
    max_instances_to_generate: int = option(5, "instances of one instruction, at most")
    generation_tasks_only: bool = option(False, "leave classification tasks out")
    classification_tasks_only: bool = option(False, "take classification tasks only")
    seed_tasks_path: str = option(
        PACKAGED_HIGH_QUALITY, "seed tasks whose solved instances are shown as examples (bdd)"
    )
    prompts: str | None = option(
        None,
        "prompt family; default: bdd if every instruction holds a scenario",
        ("bdd", "classic"),
    )
    random_seed: int = option(42, "seed of every random draw")


@dataclass(frozen=True, kw_only=True)
class PrepareSettings:
    """Stage 4: parse, filter, encode and write the fine-tuning data."""

    instance_files: tuple[str, ...] = option((), "files of generated instances")
    classification_type_files: tuple[str, ...] = option((), "files of the classify stage")
    output_dir: str = option("", "folder for the fine-tuning data")
    num_instructions: int | None = option(None, "instructions to sample; default: all")
    max_instances_to_generate: int = option(5, "instances of one instruction, at most")
    include_seed_tasks: bool = option(False, "add the seed tasks to the fine-tuning data")
    seed_tasks_path: str = option(PACKAGED_HIGH_QUALITY, "seed tasks for --include_seed_tasks")
    min_rung: str = option(
        "bound", "rung of the BDD ladder that a scenario's row must reach", RUNGS
    )
    top_rung: str = option(
        "causal",
        "rung to climb to; above bound generated code is run, in the sandbox",
        RUNGS,
    )
    random_seed: int = option(42, "seed of every random draw")

    @property
    def batch_dir(self) -> Path:
        """The run's folder: that of the first file of instances."""
        return Path(self.instance_files[0]).parent


@dataclass(frozen=True, kw_only=True)
class RunSettings(BootstrapSettings):
    """All four stages; `temperature`, `top_p` and `max_tokens` are for those that generate."""

    num_instructions_to_generate: int = option(10, "instructions to accept in all")
    max_instances_to_generate: int = option(5, "instances of one instruction, at most")
    include_seed_tasks: bool = option(False, "add the seed tasks to the fine-tuning data")
    min_rung: str = option(
        "bound", "rung of the BDD ladder that a scenario's row must reach", RUNGS
    )
    top_rung: str = option(
        "causal",
        "rung to climb to; above bound generated code is run, in the sandbox",
        RUNGS,
    )
