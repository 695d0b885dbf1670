"""Score completions by the ladder: many at once, in the sandbox, each pair only once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from threading import Lock
from typing import Any

from ..bdd import sandbox
from ..bdd.faults import Fault, FaultCode
from ..bdd.fences import GHERKIN, fence, fenced_blocks
from ..bdd.ladder import Ladder, Rung, climb, climb_each
from ..bdd.scenario import ScenarioError, parse_scenario
from ..bdd.verdicts import Row, climb_settled
from ..core.errors import SelfBehaveError
from ..prompts.bdd import instruction_for
from .completions import Completion, code_in, text_of
from .memorised import memorised
from .screen import MODULES, tampering
from .weights import Evidence, Weights, score

__all__ = ["BehaveReward", "Scored", "rewards"]

_KEPT = 100_000  # verdicts
_AGAIN = 3  # further runs of what passes, against answers that follow chance or the clock


@dataclass(frozen=True)
class Scored:
    """A completion's score, and what it comes from.

    Attributes:
        score: from 0 to 1.
        evidence: what is known about the answer.
        ladder: the verdict on it with its scenario; None if it has no code, or was not run because
            it reaches too far.
    """

    score: float
    evidence: Evidence
    ladder: Ladder | None = None


@dataclass(frozen=True)
class _Asked:
    """A completion's code with its scenario and hidden checks."""

    scenario: str
    code: str
    checks: tuple[str, ...]


class BehaveReward:
    """A reward function: each completion climbs the ladder with its scenario.

    It can be called as TRL's `GRPOTrainer` calls a reward function. Verdicts are kept in memory, so
    that an answer given before costs nothing. What passes climbs twice and runs a few times more,
    because code may depend on chance. Generated code runs in the sandbox only; what reaches for
    more than a step function needs scores 0 and is not run.

    Attributes:
        weights: what makes up a score.
        asked: completions scored so far.
        climbed: pairs that climbed for them; the others were known, or had no code to climb with.
    """

    def __init__(
        self,
        weights: Weights | None = None,
        *,
        top: Rung = Rung.CAUSAL,
        workers: int | None = None,
        limits: sandbox.Limits | None = None,
        modules: Iterable[str] = MODULES,
        most_kept: int = _KEPT,
    ) -> None:
        """Set it up.

        Args:
            weights: what makes up a score.
            top: the highest rung to check.
            workers: pairs in the sandbox at a time; by default one for each core.
            limits: the limits of each run, such as its seconds.
            modules: what the code may import.
            most_kept: verdicts to keep in memory; the oldest go first.

        Raises:
            SelfBehaveError: `top` is above `bound` and this machine has no sandbox.
        """
        if top > Rung.BOUND:
            sandbox.require()
        self.weights = weights or Weights()
        self.asked = 0
        self.climbed = 0
        # The trainer names its metrics after the function.
        self.__name__ = "behave"
        self._top = top
        self._workers = workers
        self._limits = limits
        self._modules = frozenset(modules)
        self._most_kept = most_kept
        self._kept: OrderedDict[tuple[str, str, Rung], Ladder] = OrderedDict()
        self._one_call = Lock()

    def __call__(
        self,
        prompts: Sequence[Completion] | None = None,
        completions: Sequence[Completion] = (),
        scenario: Sequence[str] | None = None,
        checks: Sequence[Sequence[str]] | None = None,
        **columns: Any,
    ) -> list[float]:
        """The score of each completion: the reward function that TRL calls.

        Args:
            prompts: texts or messages; each holds its scenario unless `scenario` is given.
            completions: texts or messages, one for each prompt.
            scenario: the scenario of each completion, a column of the dataset.
            checks: hidden checks of each completion, if the dataset has them: the scenario with
                other values and their right outcomes.
            columns: other columns of the dataset; not used.

        Raises:
            SelfBehaveError: a scenario is missing or does not parse, or the numbers of scenarios
                and completions differ.
        """
        if scenario is None:
            scenario = [_scenario_in(number, one) for number, one in enumerate(prompts or ())]
        return [one.score for one in self.scored(scenario, completions, checks)]

    def scored(
        self,
        scenarios: Sequence[str],
        completions: Sequence[Completion],
        checks: Sequence[Sequence[str]] | None = None,
    ) -> list[Scored]:
        """Score completions, in order, and say why.

        Args:
            scenarios: in Gherkin, without fences; one for each completion.
            completions: texts or messages.
            checks: hidden checks of each completion.

        Raises:
            SelfBehaveError: as for a call.
        """
        _check(scenarios, completions, checks)
        of_each = checks or [()] * len(scenarios)
        asked = [
            None if code is None else _Asked(scenario, code, tuple(hidden or ()))
            for scenario, code, hidden in zip(
                scenarios, (code_in(text_of(one)) for one in completions), of_each, strict=True
            )
        ]
        with self._one_call:
            self.asked += len(asked)
            reaching = {
                one.code: tampering(one.code, self._modules) for one in asked if one is not None
            }
            to_climb = [one for one in asked if one is not None and not reaching[one.code]]
            ladders = self._ladders(((one.scenario, one.code) for one in to_climb), self._top)
            to_check = [
                one
                for one in to_climb
                if one.checks and ladders[one.scenario, one.code].rung >= Rung.PASSING
            ]
            hidden_pairs = ((check, one.code) for one in to_check for check in one.checks)
            checked = self._ladders(hidden_pairs, min(self._top, Rung.PASSING))
        found = []
        for one in asked:
            if one is None:
                found.append(Scored(0.0, Evidence(rung=Rung.NONE)))
                continue
            ladder = ladders.get((one.scenario, one.code))
            evidence = Evidence(
                rung=Rung.NONE if ladder is None else ladder.rung,
                fault_codes=() if ladder is None else tuple(str(f.code) for f in ladder.faults),
                characters=len(one.code),
                tampering=reaching[one.code],
                is_memorised=memorised(one.scenario, one.code),
                fails_check=any(
                    checked[check, one.code].rung < Rung.PASSING
                    for check in one.checks
                    if (check, one.code) in checked
                ),
            )
            found.append(Scored(score(evidence, self.weights), evidence, ladder))
        return found

    def _ladders(
        self, pairs: Iterable[tuple[str, str]], top: Rung
    ) -> dict[tuple[str, str], Ladder]:
        """The verdict on each pair; those that are not known climb, many at once."""
        wanted = list(dict.fromkeys(pairs))
        missing = [one for one in wanted if (*one, top) not in self._kept]
        self.climbed += len(missing)
        found = {one: self._kept[(*one, top)] for one in wanted if (*one, top) in self._kept}
        rows = [_row(*one) for one in missing]
        for one, ladder in zip(missing, self._climb(rows, missing, top), strict=True):
            found[one] = self._kept[(*one, top)] = ladder
        while len(self._kept) > self._most_kept:
            self._kept.popitem(last=False)
        return found

    def _climb(
        self, rows: Sequence[Row], pairs: Sequence[tuple[str, str]], top: Rung
    ) -> Iterable[Ladder]:
        if top <= Rung.BOUND:
            return [climb(*pair) for pair in pairs]
        ladders = list(climb_settled(rows, top, self._workers, self._limits))
        passing = [at for at, ladder in enumerate(ladders) if ladder.rung >= Rung.PASSING]
        repeated = [rows[at] for at in passing for _ in range(_AGAIN)]
        again = climb_each(repeated, Rung.PASSING, self._workers, self._limits)
        for at in passing:
            if min(one.rung for one in islice(again, _AGAIN)) < Rung.PASSING:
                faults = (*ladders[at].faults, Fault(FaultCode.UNSTABLE))
                ladders[at] = replace(ladders[at], rung=Rung.BOUND, faults=faults)
        return ladders


def rewards(
    scenarios: Sequence[str], completions: Sequence[str], weights: Weights | None = None
) -> list[float]:
    """The scores of completions, each a text, for scenarios in Gherkin.

    For more than one call make a `BehaveReward`, which remembers verdicts.

    Raises:
        SelfBehaveError: a scenario does not parse, the numbers of scenarios and completions differ,
            or this machine has no sandbox.
    """
    return [one.score for one in BehaveReward(weights).scored(scenarios, completions)]


def _row(scenario: str, code: str) -> Row:
    return instruction_for(scenario), "", fence("python", code)


def _check(
    scenarios: Sequence[str],
    completions: Sequence[Completion],
    checks: Sequence[Sequence[str]] | None,
) -> None:
    for name, column in (("completions", completions), ("checks", checks)):
        if column is not None and len(column) != len(scenarios):
            raise SelfBehaveError(
                f"{len(scenarios)} scenarios and {len(column)} {name}",
                mend="give one for each scenario",
            )
    texts = {text: f"scenario {number}" for number, text in enumerate(scenarios)}
    texts |= {
        text: f"check {at} of completion {number}"
        for number, of_one in enumerate(checks or ())
        for at, text in enumerate(of_one or ())
    }
    for text, where in texts.items():
        try:
            parse_scenario(text)
        except ScenarioError as error:
            raise SelfBehaveError(
                f"not a scenario: {error}", where=where, mend="give it in Gherkin, without fences"
            ) from error


def _scenario_in(number: int, prompt: Completion) -> str:
    """The scenario in a prompt; of messages, in the last of the user.

    Raises:
        SelfBehaveError: there is none.
    """
    texts = (
        [prompt]
        if isinstance(prompt, str)
        else [
            str(message.get("content"))
            for message in reversed(prompt)
            if isinstance(message, Mapping) and message.get("role") == "user"
        ]
    )
    for text in texts:
        blocks = [one for one in fenced_blocks(text) if one.language in GHERKIN and one.is_closed]
        if blocks:
            return blocks[-1].body  # those before it are examples
    raise SelfBehaveError(
        "no ```gherkin block in it",
        where=f"prompt {number}",
        mend="give the column `scenario`, as the form prompt_only of a release has it",
    )
