"""Fine-tune a model on a release of SelfBehave, to write step functions for scenarios.

    python examples/finetune.py RELEASE --model org/name-or-folder --to FOLDER

RELEASE is a folder made by `selfbehave release`, or its name on the Hugging Face Hub. The script
loads its chat form. Only the answers count for the loss, so the model learns to write step
functions, not scenarios. Needs `pip install 'selfbehave[finetune]'`; see docs/how-to/fine-tune.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset, DatasetDict, load_dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer

LARGE = 500_000_000  # parameters; for larger models LoRA is the default
LEARNING_RATE = {"full": 5e-5, "lora": 2e-4}
# For models without a chat template.
PLAIN_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '### ' + message['role'] + ':\n' + message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}"
    "{{ '\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '### assistant:\n' }}{% endif %}"
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Fine-tune with the options of the command line."""
    options = parser().parse_args(arguments)
    if options.to.exists() and any(options.to.iterdir()):
        sys.exit(f"finetune: {options.to}: already exists: give a new folder")
    with tempfile.TemporaryDirectory() as cache:
        finetune(options, chat_rows(options.release, cache))


def finetune(options: argparse.Namespace, rows: DatasetDict) -> None:
    """Train on the train split, print the loss on the test split, and save the model."""
    tokenizer, model = tokenizer_and_model(options.model)
    splits = {
        name: fitting(prompts_and_completions(part), tokenizer, options.max_length, name)
        for name, part in rows.items()
    }
    if not len(splits["train"]):
        sys.exit("finetune: all rows are too long: give a higher --max_length")

    method = options.method
    if method == "auto":
        method = "lora" if model.num_parameters() >= LARGE else "full"
    trainer = SFTTrainer(
        model,
        args=training_settings(options, method),
        train_dataset=splits["train"],
        eval_dataset=splits.get("test"),
        processing_class=tokenizer,
        peft_config=lora(options.lora_rank) if method == "lora" else None,
    )
    trained = sum(one.numel() for one in trainer.model.parameters() if one.requires_grad)
    print(
        f"{options.model}: {trained:,} of {model.num_parameters():,} parameters are trained "
        f"({method}) on {len(splits['train']):,} rows, on {trainer.args.device.type}"
    )
    before = test_loss(trainer)
    trainer.train()
    after = test_loss(trainer)

    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    print(f"loss in training: {losses[0]:.4f} at first, {losses[-1]:.4f} at last")
    if before is not None and after is not None:
        print(f"loss on the test split: {before:.4f} before, {after:.4f} after")
    if method == "lora" and options.merge:
        trainer.model.merge_and_unload().save_pretrained(options.to)
        tokenizer.save_pretrained(options.to)
    else:
        trainer.save_model(str(options.to))
    is_adapter = method == "lora" and not options.merge
    print(f"{'adapter' if is_adapter else 'model'}: {options.to}")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    made.add_argument("release", help="a release's folder, or its name on the Hub")
    made.add_argument("--model", required=True, help="org/name on the Hub, or a folder")
    made.add_argument("--to", type=Path, required=True, help="a new folder for what is trained")
    made.add_argument(
        "--method",
        choices=("auto", "lora", "full"),
        default="auto",
        help="train all weights, or a small adapter (LoRA); auto: LoRA for models with "
        f"{LARGE:,} parameters or more",
    )
    made.add_argument("--lora_rank", type=int, default=16, help="(default: %(default)s)")
    made.add_argument("--merge", action="store_true", help="merge the adapter into the saved model")
    made.add_argument("--epochs", type=float, default=3.0, help="(default: %(default)s)")
    made.add_argument("--batch_size", type=int, default=8, help="(default: %(default)s)")
    made.add_argument(
        "--learning_rate", type=float, help=f"(default: {LEARNING_RATE}, by the method)"
    )
    made.add_argument(
        "--max_length",
        type=int,
        default=2048,
        help="tokens; longer rows are left out, because a cut answer is not a good example "
        "(default: %(default)s)",
    )
    made.add_argument("--random_seed", type=int, default=42, help="(default: %(default)s)")
    return made


def chat_rows(release: str, cache: str) -> DatasetDict:
    """A release's chat form: `messages` of a user and an assistant, by split.

    Args:
        cache: a new folder. In its shared cache, `datasets` confuses folders with the same name and
            splits, and returns the rows of the first one.
    """
    try:
        return load_dataset(release, "chat", cache_dir=cache if Path(release).is_dir() else None)
    except (OSError, ValueError) as error:
        sys.exit(f"finetune: {release}: cannot load this release: {error}")


def tokenizer_and_model(name: str) -> tuple[Any, Any]:
    """A model and its tokenizer. Only safetensors are loaded: other formats can run code."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
        model = AutoModelForCausalLM.from_pretrained(
            name, dtype=torch.float32, use_safetensors=True
        )
    except (OSError, ValueError) as error:
        sys.exit(f"finetune: {name}: cannot load this model: {error}")
    if tokenizer.chat_template is None:
        tokenizer.chat_template = PLAIN_TEMPLATE
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer, model


def prompts_and_completions(rows: Dataset) -> Dataset:
    """Split messages into prompts and completions.

    The trainer then leaves the prompt's tokens out of the loss, with any chat template.
    """
    return rows.map(
        lambda row: {"prompt": row["messages"][:-1], "completion": row["messages"][-1:]},
        remove_columns=rows.column_names,
    )


def fitting(rows: Dataset, tokenizer: Any, max_length: int, split: str) -> Dataset:
    """The rows that are not too long; print the number of the others."""

    def fits(row: dict[str, Any]) -> bool:
        text = tokenizer.apply_chat_template(row["prompt"] + row["completion"], tokenize=False)
        return len(tokenizer(text, add_special_tokens=False)["input_ids"]) <= max_length

    kept = rows.filter(fits)
    if left_out := len(rows) - len(kept):
        print(f"{left_out:,} of {len(rows):,} rows of {split} are longer than {max_length} tokens")
    return kept


def training_settings(options: argparse.Namespace, method: str) -> SFTConfig:
    """The trainer's settings; all others have the trainer's defaults."""
    takes_bf16 = torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    return SFTConfig(
        output_dir=str(options.to),
        num_train_epochs=options.epochs,
        per_device_train_batch_size=options.batch_size,
        per_device_eval_batch_size=options.batch_size,
        learning_rate=options.learning_rate or LEARNING_RATE[method],
        max_length=options.max_length,
        seed=options.random_seed,
        bf16=takes_bf16,
        gradient_checkpointing=torch.cuda.is_available(),
        dataloader_pin_memory=torch.cuda.is_available(),
        logging_steps=5,
        save_strategy="no",
        report_to="none",
    )


def lora(rank: int) -> LoraConfig:
    """An adapter for every linear layer (Hu et al., arXiv 2106.09685)."""
    return LoraConfig(
        r=rank,
        lora_alpha=2 * rank,
        lora_dropout=0.05,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )


def test_loss(trainer: SFTTrainer) -> float | None:
    """The mean loss per answer token in the test split; None without a test split."""
    if trainer.eval_dataset is None:
        return None
    return float(trainer.evaluate()["eval_loss"])


if __name__ == "__main__":
    main()
