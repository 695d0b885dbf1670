"""What must hold of a run's folder, whatever happened to it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from ..helpers.runs import contents
from .server import digest_of

__all__ = ["differing", "kept_answers", "retries"]

Answer = tuple[object, ...]


def kept_answers(folder: Path) -> dict[str, Answer]:
    """The journal's answers by the request's digest, as the server names it."""
    if not (folder / "journal.sqlite").exists():
        return {}
    database = sqlite3.connect(folder / "journal.sqlite")
    try:
        found = database.execute(
            "SELECT prompt, parameters, text, finish_reason, prompt_tokens, completion_tokens"
            " FROM answers"
        ).fetchall()
    except sqlite3.OperationalError:  # killed before there was a table
        return {}
    finally:
        database.close()
    return {
        digest_of(prompt, json.loads(parameters)["seed"]): answer
        for prompt, parameters, *answer in found
    }


def retries(folder: Path) -> int:
    """Failed attempts before the answers in the journal."""
    database = sqlite3.connect(folder / "journal.sqlite")
    (total,) = database.execute("SELECT sum(attempts - 1) FROM answers").fetchone()
    database.close()
    return int(total)


def differing(folder: Path, expected: dict[str, bytes]) -> list[str]:
    """Files that are missing, too many, or other than expected.

    run.toml tells the server's address, which is another for each server.
    """
    found = contents(folder)
    return sorted(
        name
        for name in found.keys() | expected.keys()
        if name != "run.toml" and found.get(name) != expected.get(name)
    )
