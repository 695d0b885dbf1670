"""Read the attempts of finished runs: every answer to a scenario, with the rung that it reached."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..bdd.faults import FaultCode, blocks
from ..bdd.fences import PYTHON, first_block
from ..bdd.ladder import Rung
from ..core.canary import CANARY
from ..core.errors import SelfBehaveError
from ..core.jsonl import read_records
from ..core.records import Attempt
from ..core.run_files import ATTEMPTS_FILE
from ..core.rungs import RUNGS
from ..engines.kept_answers import prompts_of
from ..prompts import Answer, family_of_answer
from ..prompts.bdd import parsed_scenario, scenario_of
from ..stages.parsing import valid_instances
from .finished import named_folders, row_id

__all__ = ["FinishedAttempt", "TriedPrompt", "tried_prompts"]

_BEFORE_TOLD = "\n\n[user]\n"  # in the transcript of a request that the journal keeps


@dataclass(frozen=True, slots=True)
class FinishedAttempt:
    """An answer to a scenario.

    Attributes:
        run: name of the run that made it.
        number: its number among the attempts of the run at this instruction, from 0.
        repairs: the number of the attempt that it repairs; None if it was made afresh.
        output: the step functions in a fence, as a row of the data has them.
        code: the step functions without the fence.
        told: what the model was told of the attempt that it repairs; None if that is not known.
    """

    run: str
    instruction: str
    number: int
    repairs: int | None
    rung: Rung
    fault_codes: tuple[str, ...]
    output: str
    code: str
    told: str | None

    @property
    def id(self) -> str:
        """The id of the row that the data has of it, if it was kept."""
        return row_id(self.instruction, "", self.output)

    @property
    def is_settled(self) -> bool:
        """Whether a fault kept it from a higher rung. Else its run may not have checked for one."""
        return self.rung == Rung.CAUSAL or any(map(blocks, self.fault_codes))


@dataclass(frozen=True, slots=True)
class TriedPrompt:
    """An instruction with a scenario, and the attempts at it that hold code, of all runs."""

    instruction: str
    scenario: str
    attempts: tuple[FinishedAttempt, ...]


def tried_prompts(runs: Sequence[str]) -> tuple[list[TriedPrompt], Counter[str]]:
    """The instructions of runs with the attempts at them, in order.

    Args:
        runs: their folders, each as `FOLDER` or `NAME=FOLDER`.

    Returns:
        The instructions, and the number of attempts that were left out, by the reason:
        `evaluation_data` (it holds the canary), `no_scenario`, `scenario_not_parsed`, `no_code`,
        `several_blocks` (which of them reached the rung is not recorded) and `unstable`.

    Raises:
        SelfBehaveError: a run has no attempts, or a file of it is broken.
    """
    left_out: Counter[str] = Counter()
    found: dict[str, list[FinishedAttempt]] = {}
    for name, folder in named_folders(runs):
        path = folder / ATTEMPTS_FILE
        if not path.exists() or not path.stat().st_size:
            raise SelfBehaveError(
                f"run {name} has no attempts",
                where=path,
                mend="make them with `selfbehave instances` (--attempts 3) in a folder with its "
                "instructions, or leave --forms out",
            )
        attempts = read_records(path, _attempt)
        told = _told_in(folder, attempts)
        for attempt in attempts:
            if (reason := _prompt_lack(attempt)) is not None:
                left_out[reason] += 1
                continue
            of_prompt = found.setdefault(attempt.instruction, [])
            outputs = _outputs(attempt)
            if (reason := _answer_lack(attempt, outputs)) is not None:
                left_out[reason] += 1
                continue
            place = (attempt.instruction, attempt.attempt)
            of_prompt.append(_finished(name, attempt, outputs[0], told.get(place)))
    return [
        TriedPrompt(instruction, scenario_of(instruction), tuple(attempts))
        for instruction, attempts in found.items()
    ], left_out


def _attempt(source: Mapping[str, Any]) -> Attempt:
    attempt = Attempt.from_dict(source)
    if attempt.rung not in (None, str(Rung.NONE), *RUNGS):
        raise ValueError(f"field 'rung' must be one of {', '.join(RUNGS)}, not {attempt.rung!r}")
    return attempt


def _prompt_lack(attempt: Attempt) -> str | None:
    """Why an attempt is none at a scenario that can be judged; None if it is one."""
    if CANARY in attempt.instruction or CANARY in attempt.raw_instances:
        return "evaluation_data"
    if attempt.rung is None:
        return "no_scenario"
    return "scenario_not_parsed" if parsed_scenario(attempt.instruction) is None else None


def _answer_lack(attempt: Attempt, outputs: Sequence[str]) -> str | None:
    """Why it is not known what an attempt's code is worth; None if it is."""
    if not outputs:
        return "no_code"
    if len(outputs) > 1:
        return "several_blocks"
    return "unstable" if FaultCode.UNSTABLE in attempt.faults else None


def _outputs(attempt: Attempt) -> list[str]:
    """The outputs of the rows in an answer, as `prepare` finds them."""
    finish_reason = attempt.metadata.get("finish_reason")
    answer = Answer(attempt.raw_instances, finish_reason not in (None, "stop"))
    family = family_of_answer(attempt.instruction, attempt.metadata)
    valid, _ = valid_instances(family, attempt.instruction, answer, False)
    return [one.output for one in valid if _code(one.output) is not None]


def _code(output: str) -> str | None:
    block = first_block(output, PYTHON)
    return None if block is None else block.body


def _finished(run: str, attempt: Attempt, output: str, told: str | None) -> FinishedAttempt:
    assert attempt.rung is not None
    return FinishedAttempt(
        run=run,
        instruction=attempt.instruction,
        number=attempt.attempt,
        repairs=attempt.repairs,
        rung=Rung.named(attempt.rung),
        fault_codes=attempt.faults,
        output=output,
        code=_code(output) or "",
        told=told,
    )


def _told_in(folder: Path, attempts: Sequence[Attempt]) -> dict[tuple[str, int], str]:
    """What the model was told of the answers that it repaired, from the run's journal.

    Returns:
        The messages, by instruction and number of the attempt that repairs.
    """
    answers = {(one.instruction, one.attempt): one.raw_instances for one in attempts}
    repairs = [one for one in attempts if one.repairs is not None]
    prompts = prompts_of(folder, _keys(repairs))
    found = {}
    for one in repairs:
        assert one.repairs is not None
        prompt = prompts.get(str(one.metadata.get("request_key")), "")
        repaired = answers.get((one.instruction, one.repairs), "")
        _, shown, told = prompt.rpartition(f"[assistant]\n{repaired}{_BEFORE_TOLD}")
        if repaired and shown and told:
            found[one.instruction, one.attempt] = told
    return found


def _keys(attempts: Iterable[Attempt]) -> Iterator[str]:
    for one in attempts:
        if isinstance(key := one.metadata.get("request_key"), str):
            yield key
