"""The names of a run's files, in its folder (`--batch_dir`)."""

from __future__ import annotations

DEFAULT_BATCH_DIR = "runs/selfbehave"

CLASSIFICATION_FILE = "is_clf_or_not_template_1.jsonl"
INSTRUCTIONS_FILE = "machine_generated_instructions.jsonl"
INSTANCES_FILE = "machine_generated_instances.jsonl"
ATTEMPTS_FILE = "attempts.jsonl"
JUDGEMENTS_FILE = "judgements.jsonl"
DROPPED_FILE = "dropped.jsonl"

JOURNAL_FILE = "journal.sqlite"
LOCK_FILE = "journal.sqlite-lock"
RESERVE_FILE = "journal.sqlite-reserve"
RUN_FILE = "run.toml"

FINETUNING_DIR = "finetuning_data"
LADDER_FILE = "ladder.jsonl"  # in FINETUNING_DIR
EXAMPLES_FILE = "all_generated_instances.jsonl"  # in FINETUNING_DIR
