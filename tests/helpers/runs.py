"""Whole runs as processes: started, killed, and their files compared."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ..conftest import ScriptedServer

__all__ = [
    "FILES",
    "answers",
    "contents",
    "kill_after",
    "rows",
    "run",
    "scripted",
    "selfbehave",
]

FILES = (
    "machine_generated_instructions.jsonl",
    "is_clf_or_not_template_1.jsonl",
    "machine_generated_instances.jsonl",
    "dropped.jsonl",
    "finetuning_data/all_generated_instances.jsonl",
    "run.toml",
    "attempts.jsonl",  # last: tests name the others by their place
)


def selfbehave(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "selfbehave", *map(str, arguments)]


def run(*arguments: object, expect: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(selfbehave(*arguments), capture_output=True, text=True, timeout=300)
    assert done.returncode == expect, done.stdout + done.stderr
    return done


def scripted(server: ScriptedServer, folder: Path, *more: object) -> tuple[object, ...]:
    """The arguments of a run of twelve instructions, whose rows need only be bound.

    The server writes scenarios and step functions as the bdd prompts ask for them.
    """
    options = ("--engine", server.url, "--model", "scripted", "--batch_dir", folder)
    options += ("--prompts", "bdd", "--min_rung", "bound")
    return ("run", *options, "--num_instructions_to_generate", 12, *more)


def contents(folder: Path) -> dict[str, bytes]:
    """Every finished file but the journal; paths of the folder itself, which differ, removed."""
    return {
        str(path.relative_to(folder)): path.read_bytes().replace(str(folder).encode(), b"")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "sqlite" not in path.name
    }


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def answers(folder: Path) -> int:
    """Answers in the journal so far."""
    try:
        database = sqlite3.connect(f"file:{folder}/journal.sqlite?mode=ro", uri=True)
        (count,) = database.execute("SELECT count(*) FROM answers").fetchone()
        database.close()
    except sqlite3.OperationalError:
        return 0
    return int(count)


def kill_after(answered: int, command: list[str], folder: Path) -> None:
    """Start a run and kill -9 it once its journal holds so many answers."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while answers(folder) < answered and process.poll() is None:
        time.sleep(0.002)
    process.kill()
    process.wait()
