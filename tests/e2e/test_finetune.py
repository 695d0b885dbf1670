"""A release fine-tunes a model in one command: here a tiny one, of random weights."""

import importlib.util
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

from selfbehave.release.make_release import ReleaseSettings, release

from ..helpers.paths import ROOT
from ..helpers.release_runs import make_run, pair

ASKED = "Write the Python step functions for this Gherkin scenario, using behave:"  # each prompt's
ANSWERED = "```python\nfrom behave import given, when, then"  # how each answer begins
SUBJECTS = "dog cat kettle ladder ferry parcel voucher tunnel garden ticket bridge lamp".split()
PAIRS = [pair(f"{one} {two}", f"{one}{two}") for one in SUBJECTS for two in SUBJECTS[:3]]
LONG = pair("A long one", "walrus", "\n    ".join(["pass"] * 200))

_SPEC = importlib.util.spec_from_file_location("finetune", ROOT / "examples/finetune.py")
assert _SPEC is not None
assert _SPEC.loader is not None
finetune = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(finetune)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of short pairs, some of them in its test split, and a long one."""
    run = make_run(tmp_path_factory.mktemp("runs") / "mine", [*PAIRS, LONG])
    folder = tmp_path_factory.mktemp("released") / "baskets"
    release([str(run)], folder, ReleaseSettings(test=0.1))
    return folder


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that knows nothing, with a vocabulary of the release's words."""
    torch.set_num_threads(1)  # more get in each other's way with so little to do
    vocabulary = Tokenizer(models.BPE())
    vocabulary.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    vocabulary.decoder = decoders.ByteLevel()
    vocabulary.train_from_iterator(
        (text for pair in PAIRS for text in pair),
        trainers.BpeTrainer(vocab_size=500, special_tokens=["<end>"], show_progress=False),
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=vocabulary, eos_token="<end>")
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=64, intermediate_size=128, num_hidden_layers=2,
        num_attention_heads=4, eos_token_id=0, bos_token_id=None,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("tiny")
    tokenizer.save_pretrained(folder)
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def command_of_the_page(released: Path, model: Path, to: Path) -> list[str]:
    """What docs/how-to/fine-tune.md tells to type, with these folders for its own."""
    page = (ROOT / "docs/how-to/fine-tune.md").read_text()
    (line,) = re.findall(r"^python examples/finetune\.py (baskets .*)$", page, re.M)
    words = shlex.split(line)
    assert (words[0], words[1], words[3]) == ("baskets", "--model", "--to")
    return [str(released), "--model", str(model), "--to", str(to), *words[5:]]


def loss(model: Any, tokenizer: Any, before: str, text: str) -> float:
    """Mean loss of a text's tokens behind another text."""
    context, tokens = (tokenizer(part)["input_ids"] for part in (before, text))
    labels = torch.tensor([[-100] * len(context) + tokens])
    with torch.no_grad():
        return float(model(torch.tensor([context + tokens]), labels=labels).loss)


def of_test_split(shown: str) -> tuple[float, float]:
    found = re.search(r"loss on the test split: ([\d.]+) before, ([\d.]+) after", shown)
    assert found, shown
    return float(found[1]), float(found[2])


def test_a_model_learns_to_answer_a_scenario_and_nothing_of_the_prompts(
    released: Path, tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    finetune.main(
        [*command_of_the_page(released, tiny, tmp_path / "tuned"),
         "--learning_rate", "5e-3", "--batch_size", "1", "--epochs", "6", "--max_length", "400"]
    )  # fmt: skip
    shown = capsys.readouterr().out
    before, after = of_test_split(shown)
    assert after < 0.5 * before
    assert re.search(r"1 of \d+ rows of \w+ are longer than 400 tokens", shown)

    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "tuned")
    untuned = AutoModelForCausalLM.from_pretrained(tiny)
    tuned = AutoModelForCausalLM.from_pretrained(tmp_path / "tuned")
    scenario = [{"role": "user", "content": pair("A hat", "hat")[0]}]
    prompt = tokenizer.apply_chat_template(scenario, tokenize=False, add_generation_prompt=True)
    untaught = loss(untuned, tokenizer, prompt, ANSWERED)
    assert loss(tuned, tokenizer, prompt, ANSWERED) < 0.4 * untaught
    # Every prompt has this sentence: had prompts been trained on, it would be known by heart.
    start = prompt.partition(ASKED)[0]
    assert loss(tuned, tokenizer, start, ASKED) > 0.7 * loss(untuned, tokenizer, start, ASKED)


def test_an_adapter_is_saved_and_fits_the_model_it_was_made_for(
    released: Path, tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--model", str(tiny), "--to", str(tmp_path / "adapter"), "--method", "lora"]
    options += ["--learning_rate", "1e-2", "--epochs", "2"]
    finetune.main([str(released), *options])
    shown = capsys.readouterr().out
    before, after = of_test_split(shown)
    assert after < before
    assert f"adapter: {tmp_path / 'adapter'}" in shown
    assert not (tmp_path / "adapter" / "model.safetensors").exists()
    plain = AutoModelForCausalLM.from_pretrained(tiny)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "adapter")
    without = loss(plain, tokenizer, "", ANSWERED)
    adapted = PeftModel.from_pretrained(plain, str(tmp_path / "adapter"))
    assert loss(adapted, tokenizer, "", ANSWERED) < without


@pytest.mark.parametrize(
    ("release_at", "model_at", "complaint"),
    [("nowhere", "nowhere", "cannot load this release"),
     (None, "nowhere", "cannot load this model"),
     (None, None, "give a new folder")],
)  # fmt: skip
def test_what_cannot_be_loaded_or_would_be_overwritten_is_told(
    released: Path, tmp_path: Path, release_at: str | None, model_at: str | None, complaint: str
) -> None:
    to = tmp_path / "to"
    if complaint == "give a new folder":
        to.mkdir()
        (to / "file").touch()
    release_folder = tmp_path / release_at if release_at else released
    model_folder = tmp_path / (model_at or "model")
    options = [str(release_folder), "--model", str(model_folder), "--to", str(to)]
    with pytest.raises(SystemExit, match=complaint):
        finetune.main(options)
