"""Each form of a release trains a tiny model with its trainer, and so does the reward."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset, load_dataset
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    DataCollatorWithPadding,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
    PreTrainedTokenizerFast,
    Trainer,
    TrainingArguments,
)
from trl import (
    DPOConfig,
    DPOTrainer,
    GRPOConfig,
    GRPOTrainer,
    KTOConfig,
    KTOTrainer,
    RewardConfig,
    RewardTrainer,
    SFTConfig,
    SFTTrainer,
)

from selfbehave.bdd import sandbox
from selfbehave.release.make_release import ReleaseSettings, release
from selfbehave.reward import BehaveReward

from ..helpers.attempt_runs import attempted_run

TEMPLATE = (
    "{% for message in messages %}<{{ message['role'] }}>{{ message['content'] }}<end>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
SIZES: dict[str, Any] = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2,
    "pad_token_id": 0, "eos_token_id": 0, "bos_token_id": None,
}  # fmt: skip
STEPS: dict[str, Any] = {
    "max_steps": 2, "per_device_train_batch_size": 2, "logging_steps": 1, "report_to": "none",
    "save_strategy": "no", "use_cpu": True, "learning_rate": 1e-3, "seed": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All forms of a run in which the first answers to most scenarios were faulty."""
    if lack := sandbox.missing():
        pytest.fail(f"a run needs a sandbox: {lack}")
    run = attempted_run(tmp_path_factory.mktemp("runs") / "mine", rows=6)
    folder = tmp_path_factory.mktemp("released") / "baskets"
    release([str(run)], folder, ReleaseSettings(forms=("all",)))
    return folder


@pytest.fixture
def form(released: Path, tmp_path: Path) -> Any:
    """Loads a form's rows as users do."""
    return lambda name: load_dataset(
        str(released), name, split="train", cache_dir=str(tmp_path / "cache")
    )


@pytest.fixture(scope="module")
def tokenizer(released: Path) -> PreTrainedTokenizerFast:
    vocabulary = Tokenizer(models.BPE())
    vocabulary.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    vocabulary.decoder = decoders.ByteLevel()
    texts = [path.read_text() for path in (released / "unpaired_preference").glob("*.jsonl")]
    special = ["<end>", "<user>", "<assistant>"]
    vocabulary.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=400, special_tokens=special, show_progress=False)
    )
    made = PreTrainedTokenizerFast(
        tokenizer_object=vocabulary, eos_token="<end>", pad_token="<end>"
    )
    made.chat_template = TEMPLATE
    return made


@pytest.fixture(scope="module")
def folder_of_model(
    tokenizer: PreTrainedTokenizerFast, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Trainers load their reference model from where the model is from."""
    torch.set_num_threads(1)  # more get in each other's way with so little to do
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("model")
    LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **SIZES)).save_pretrained(folder)
    return folder


@pytest.fixture
def model(folder_of_model: Path) -> LlamaForCausalLM:
    return LlamaForCausalLM.from_pretrained(folder_of_model)


@pytest.fixture
def scorer(tokenizer: PreTrainedTokenizerFast) -> LlamaForSequenceClassification:
    torch.manual_seed(0)
    return LlamaForSequenceClassification(
        LlamaConfig(vocab_size=len(tokenizer), num_labels=1, problem_type="regression", **SIZES)
    )


def losses(trainer: Any) -> list[float]:
    """Train, and return the loss of each step."""
    trainer.train()
    found = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    assert len(found) == STEPS["max_steps"]
    return found


def test_preference_pairs_train_by_dpo(
    form: Any, model: Any, tokenizer: Any, tmp_path: Path
) -> None:
    rows = form("preference")
    args = DPOConfig(str(tmp_path), **STEPS)
    trainer = DPOTrainer(model, args=args, train_dataset=rows, processing_class=tokenizer)
    first, last = losses(trainer)
    assert first == pytest.approx(0.693, abs=0.01)  # log 2: the model is its own reference
    assert last < first


def test_preference_pairs_train_a_reward_model_with_their_margin(
    form: Any, scorer: Any, tokenizer: Any, tmp_path: Path
) -> None:
    rows = form("preference")
    args = RewardConfig(str(tmp_path), **STEPS)
    trainer = RewardTrainer(scorer, args=args, train_dataset=rows, processing_class=tokenizer)
    # -log sigmoid(r - margin): without the margins it would begin at log 2.
    assert min(rows["margin"]) > 0.5
    assert losses(trainer)[0] > 0.8


def test_labelled_answers_train_by_kto(
    form: Any, model: Any, tokenizer: Any, tmp_path: Path
) -> None:
    rows = form("unpaired_preference")
    assert set(rows["label"]) == {True, False}
    args = KTOConfig(str(tmp_path), **STEPS)
    trainer = KTOTrainer(model, args=args, train_dataset=rows, processing_class=tokenizer)
    assert losses(trainer)[0] == pytest.approx(0.5, abs=0.01)


def test_repairs_train_as_conversations(
    form: Any, model: Any, tokenizer: Any, tmp_path: Path
) -> None:
    rows = form("language_modeling")
    args = SFTConfig(str(tmp_path), max_length=512, **STEPS)
    trainer = SFTTrainer(model, args=args, train_dataset=rows, processing_class=tokenizer)
    first, last = losses(trainer)
    assert last < first


def test_scored_answers_train_a_model_by_regression(
    form: Any, scorer: Any, tokenizer: Any, tmp_path: Path
) -> None:
    rows = form("scored_completion")
    assert len(set(rows["score"])) > 1

    def encoded(row: dict[str, Any]) -> dict[str, Any]:
        text = tokenizer.apply_chat_template(row["prompt"] + row["completion"], tokenize=False)
        return {"input_ids": tokenizer(text)["input_ids"], "labels": row["score"]}

    trainer = Trainer(
        scorer,
        args=TrainingArguments(str(tmp_path), **STEPS),
        train_dataset=rows.map(encoded, remove_columns=rows.column_names),
        data_collator=DataCollatorWithPadding(tokenizer),
    )
    assert all(loss >= 0 for loss in losses(trainer))


@pytest.mark.parametrize("is_conversational", [True, False])
def test_prompts_train_by_grpo_with_the_reward(
    is_conversational: bool, form: Any, model: Any, tokenizer: Any, tmp_path: Path
) -> None:
    rows: Dataset = form("prompt_only")
    if not is_conversational:
        rows = rows.map(lambda row: {"prompt": row["prompt"][0]["content"]})
    reward = BehaveReward()
    args = GRPOConfig(str(tmp_path), num_generations=2, max_completion_length=16, **STEPS)
    trainer = GRPOTrainer(
        model, reward_funcs=reward, args=args, train_dataset=rows, processing_class=tokenizer
    )
    trainer.train()
    assert reward.asked == 2 * STEPS["max_steps"]
    rewarded = [
        entry["rewards/behave/mean"]
        for entry in trainer.state.log_history
        if "rewards/behave/mean" in entry
    ]
    assert rewarded == [0.0] * STEPS["max_steps"], "a model that knows nothing earns nothing"
