"""Bombs and coverage-guided fuzzing: `python -m tests.hostile.fuzz SECONDS [READER…]`.

For each reader first every bomb of `bombs`, then SECONDS of fuzzing by atheris. Inputs that reach
new code are kept in `.fuzz/corpus/READER` and started from the next time, at first the seeds of
`readers`; an input that breaks a reader is kept in `.fuzz/findings`, and makes the command fail.
`python -m tests.hostile.fuzz --again FILE…` reads such inputs again, without atheris.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(".fuzz")
MEMORY_MIB = 1024
HANGS = 60  # seconds by the clock; the processor's are counted by `detonate.SECONDS`
LONGEST = 20_000  # bytes of an input

# Words that the fuzzer puts in, as libFuzzer's dictionaries have them.
_WORDS = (
    "Feature:", "Scenario:", "Scenario Outline:", "Examples:", "Background:", "Rule:", "Given ",
    "When ", "Then ", "And ", "* ", "|", "<a>", '\\"\\"\\"', "```gherkin\\x0a", "```python\\x0a",
    "```", "# language: fr", "@given('", "def f(context):", "{x:d}", "use_step_matcher('re')",
    "from behave import given", "register_type(", "import ", "from . import ", "Example 1\\x0a",
    "Input:", "Output:", "Label:", "Task:", "Yes", "No", '{\\"', '\\":', "null", "true", "1e999",
    "\\\\ud800", "\\\\u0000", "## ", "### Output", "TRUE", "=1+1", "[bootstrap]", "\\xe2\\x80\\xa8",
)  # fmt: skip


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--one"]:
        _fuzz(arguments[1], int(arguments[2]))
        return 0
    from .readers import READERS, outcome

    if arguments[:1] == ["--again"]:
        for name in arguments[1:]:
            print(name, outcome(Path(name).name.partition("-")[0], Path(name).read_bytes()))
        return 0
    seconds, names = int(arguments[0]), arguments[1:] or list(READERS)
    (FOLDER / "findings").mkdir(parents=True, exist_ok=True)
    (FOLDER / "words").write_text("".join(f'"{word}"\n' for word in _WORDS))
    found = 0
    for name in names:
        corpus = FOLDER / "corpus" / name
        corpus.mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(READERS[name].seeds()):
            (corpus / f"seed-{number}").write_bytes(seed)
        before = set(_findings(name))
        bombs = subprocess.run(
            [sys.executable, "-m", "tests.hostile.detonate", name],
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"}, stdout=subprocess.PIPE, text=True,
            errors="replace",
        )  # fmt: skip
        command = [sys.executable, "-m", "tests.hostile.fuzz", "--one", name, str(seconds)]
        done = subprocess.run(command, stderr=subprocess.STDOUT, stdout=subprocess.PIPE)
        told = done.stdout.decode("utf-8", "replace")
        new = sorted(set(_findings(name)) - before)
        found += len(new)
        told_of_bombs = bombs.stdout.splitlines()
        broken = [line for line in told_of_bombs if "FAILED" in line]
        found += len(broken)
        print(
            f"{name}: {_figures(told)}, {len(new)} findings; {len(told_of_bombs) - 1} bombs, "
            f"{len(broken)} of them not contained",
            flush=True,
        )
        for line in broken:
            print(f"  {line}")
        for path in new:
            print(f"  {path}")
        if done.returncode and not new:
            found += 1
            print(told[-3000:])
    return 1 if found else 0


def _findings(name: str) -> list[Path]:
    return list((FOLDER / "findings").glob(f"{name}-*"))


def _figures(told: str) -> str:
    """Inputs read and places in the code reached, from what libFuzzer told last."""
    figures = re.findall(r"#(\d+)\s+\w+\s+cov: (\d+)", told)
    done = re.search(r"Done (\d+) runs in (\d+) second", told)
    if done:
        return f"{int(done[1]):,} inputs in {done[2]} s, {figures[-1][1] if figures else 0} places"
    return f"{int(figures[-1][0]):,} inputs, {figures[-1][1]} places" if figures else "no input"


def _fuzz(name: str, seconds: int) -> None:
    """Fuzz one reader in this process, which libFuzzer ends."""
    import atheris

    from .detonate import SECONDS

    with atheris.instrument_imports(include=["selfbehave"]):
        from .readers import READERS, outcome

    def read(data: bytes) -> None:
        began = time.process_time()
        outcome(name, data)
        taken = time.process_time() - began
        assert taken <= SECONDS, f"{taken:.1f} s of processor"

    options = [
        f"-max_total_time={seconds}",
        f"-timeout={HANGS}",
        f"-report_slow_units={HANGS}",
        f"-rss_limit_mb={MEMORY_MIB}",
        f"-max_len={max(LONGEST, *map(len, READERS[name].seeds()))}",
        f"-dict={FOLDER / 'words'}",
        f"-artifact_prefix={FOLDER / 'findings'}/{name}-",
        "-print_final_stats=1",
        str(FOLDER / "corpus" / name),
    ]
    atheris.Setup([sys.argv[0], *options], read)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
