"""Where the tests' files are."""

from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
DATA = ROOT / "tests" / "data"
CLASSIC_SEEDS = DATA / "classic_seed_tasks.jsonl"
