"""Turn raw instances into fine-tuning data: parse, filter, limit and encode them.

Pure functions: `prepare` reads and writes the files.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..bdd.faults import sentence
from ..bdd.ladder import Climbing, Ladder, Rung, climb_rows
from ..core.judged import JudgedScenario
from ..core.records import Dropped, Example, Instance, RawInstances, SeedTask
from ..events.stage_report import StageReport
from ..prompts import Answer, family_of_answer
from ..prompts.bdd import has_scenario
from ..stories.story import story_source
from .aim import BOUND_ROWS, Aim
from .encoding import encode
from .parsing import valid_instances

__all__ = ["FinetuningData", "Gate", "finetuning_data", "scenario_rows"]

NAME = "prepare"  # of the stage, in its report and its rows of dropped.jsonl
JUDGED_BELOW = "judged_below"
NOT_JUDGED = "not_judged"


@dataclass(frozen=True)
class Gate:
    """What a scenario must score with a model's judgement.

    Attributes:
        least: the lowest score, from 0 to 1.
        judged: the judgements, by instruction and input.
    """

    least: float
    judged: Mapping[tuple[str, str], JudgedScenario]

    def lack(self, row: Example) -> tuple[str, str] | None:
        """The reason to drop a row with a scenario, with a detail; None to keep it.

        A row without a score is dropped too: nothing says that it would reach the least one.
        """
        judged = self.judged.get((row.instruction, row.input))
        if judged is None or judged.score is None:
            return NOT_JUDGED, "no score"
        if judged.score < self.least:
            return JUDGED_BELOW, f"score {judged.score:g}, below {self.least:g}"
        return None


@dataclass(frozen=True)
class FinetuningData:
    """The data that the stage writes.

    Attributes:
        examples: every valid instance, in the order of the instructions.
        sampled: the examples of the sampled instructions.
        sampled_instructions: the number of sampled instructions.
        encoded: prompt and completion of the sampled examples (and of seed tasks, if included),
            without duplicates, shuffled.
        climbed: the ladder of each example with a scenario, including dropped ones.
        dropped: the candidates that are not valid data, with the reasons.
    """

    examples: tuple[Example, ...]
    sampled: tuple[Example, ...]
    sampled_instructions: int
    encoded: tuple[dict[str, str], ...]
    climbed: Mapping[Example, Ladder]
    dropped: tuple[Dropped, ...]
    report: StageReport


def finetuning_data(
    raw: Sequence[RawInstances],
    is_classification: Mapping[str, bool],
    *,
    num_instructions: int | None = None,
    max_instances_to_generate: int = 5,
    aim: Aim = BOUND_ROWS,
    top_rung: Rung = Rung.BOUND,
    seeds: Sequence[SeedTask] = (),
    random_seed: int = 42,
    climbing: Climbing = climb_rows,
    gate: Gate | None = None,
) -> FinetuningData:
    """Compute the fine-tuning data.

    Args:
        is_classification: by instruction; a missing instruction is not a classification task.
        num_instructions: the number of instructions to sample; None for all.
        max_instances_to_generate: the maximum number of instances of one instruction.
        aim: what a row with a scenario must be.
        top_rung: the highest rung to check.
        seeds: seed tasks to add to the data.
        climbing: a function that climbs with many rows.
        gate: what the scenarios of rows must score.

    Raises:
        SelfBehaveError: `top_rung` is above `bound` and this machine has no sandbox.
    """
    report = StageReport(NAME, "examples", len(raw))
    chance = random.Random(f"{random_seed} {NAME}")
    dropped: list[Dropped] = []
    labelled = [is_classification.get(one.instruction, False) for one in raw]
    valid = [_valid(one, label, dropped) for one, label in zip(raw, labelled, strict=True)]
    climbed = _climb(raw, valid, top_rung, climbing)
    report.rungs = _marks(raw, climbed)
    examples: dict[str, list[Example]] = {}
    for one, label, instances in zip(raw, labelled, valid, strict=True):
        kept = []
        unfit: list[Dropped] = []
        for instance in instances:
            example = Example(one.instruction, instance.input, instance.output)
            row = climbed.get(example)
            lack = aim.lack(row) if row is not None else None
            if row is not None and lack is not None:
                faults = "; ".join(map(sentence, row.faults))[:500]
                unfit.append(Dropped(NAME, lack, instance.output, None, faults))
            elif row is not None and gate is not None and (below := gate.lack(example)):
                reason, score = below
                unfit.append(Dropped(NAME, reason, instance.output, None, score))
            else:
                kept.append(instance)
        if label:
            kept = _without_contradictions(kept, unfit)
        kept = _at_most(max_instances_to_generate, kept, chance, unfit)
        dropped += _with_story(unfit, one)
        if kept:
            examples.setdefault(one.instruction, []).extend(
                Example(one.instruction, instance.input, instance.output) for instance in kept
            )
        report.done += 1
    every = _without_duplicates(
        (example for group in examples.values() for example in group), dropped
    )
    instructions = list(examples)
    if num_instructions is not None and num_instructions < len(instructions):
        instructions = chance.sample(instructions, num_instructions)
    chosen = set(instructions)
    sampled = [example for example in every if example.instruction in chosen]
    training = sampled + [
        Example(task.instruction, instance.input, instance.output)
        for task in seeds
        for instance in task.instances
    ]
    encoded = list({example: encode(example, chance) for example in training}.values())
    chance.shuffle(encoded)
    report.accepted = len(every)
    report.dropped = Counter(one.reason for one in dropped)
    return FinetuningData(
        tuple(every),
        tuple(sampled),
        len(chosen),
        tuple(encoded),
        climbed,
        tuple(dropped),
        report,
    )


def scenario_rows(
    raw: Sequence[RawInstances], is_classification: Mapping[str, bool]
) -> list[Example]:
    """The valid rows with a scenario, without duplicates, in order.

    Args:
        is_classification: as for `finetuning_data`.
    """
    labelled = ((one, is_classification.get(one.instruction, False)) for one in raw)
    return _with_scenario(raw, [_valid(one, label, []) for one, label in labelled])


def _valid(raw: RawInstances, is_classification: bool, dropped: list[Dropped]) -> list[Instance]:
    """The valid instances in one answer."""
    finish_reason = raw.instance_metadata.get("finish_reason")
    # Files of other tools may not record how an answer ended. Then it counts as complete.
    is_truncated = finish_reason is not None and finish_reason != "stop"
    family = family_of_answer(raw.instruction, raw.instance_metadata)
    valid, faulty = valid_instances(
        family, raw.instruction, Answer(raw.raw_instances, is_truncated), is_classification
    )
    dropped += _with_story([Dropped(NAME, reason, text) for reason, text in faulty], raw)
    return valid


def _with_story(dropped: Sequence[Dropped], raw: RawInstances) -> Iterator[Dropped]:
    """What is dropped of an answer, with the story that its scenario was asked for with."""
    story = story_source(raw.instruction_metadata) or None
    return (replace(one, story=story) for one in dropped)


def _climb(
    raw: Sequence[RawInstances], valid: Sequence[Sequence[Instance]], top: Rung, climbing: Climbing
) -> dict[Example, Ladder]:
    """The ladder of each example with a scenario."""
    rows = _with_scenario(raw, valid)
    ladders = climbing([(row.instruction, row.input, row.output) for row in rows], top)
    return dict(zip(rows, ladders, strict=True))


def _with_scenario(
    raw: Sequence[RawInstances], valid: Sequence[Sequence[Instance]]
) -> list[Example]:
    return list(
        dict.fromkeys(
            Example(one.instruction, instance.input, instance.output)
            for one, instances in zip(raw, valid, strict=True)
            for instance in instances
            if has_scenario(one.instruction)
        )
    )


def _marks(raw: Sequence[RawInstances], climbed: Mapping[Example, Ladder]) -> Counter[str]:
    """The number of answered scenarios, and how many of them reached each mark of the ladder.

    An answer may contain several blocks; its scenario counts once, with the best block.
    """
    of_scenarios: dict[str, list[Ladder]] = {}
    for example, ladder in climbed.items():
        of_scenarios.setdefault(example.instruction, []).append(ladder)

    def count(reached: Callable[[Ladder], bool]) -> int:
        return sum(any(map(reached, ladders)) for ladders in of_scenarios.values())

    marks = Counter(
        {
            "rows": sum(has_scenario(one.instruction) for one in raw),
            "scenario parses": count(lambda ladder: ladder.scenario_parses),
            "Python compiles": count(lambda ladder: ladder.python_compiles),
            "every step bound": count(lambda ladder: ladder.rung >= Rung.BOUND),
            "passing": count(lambda ladder: ladder.rung >= Rung.PASSING),
            "discriminating": count(lambda ladder: ladder.rung >= Rung.DISCRIMINATING),
            "causal": count(lambda ladder: ladder.rung >= Rung.CAUSAL),
        }
    )
    return marks if marks["rows"] else Counter()


def _without_contradictions(
    instances: Sequence[Instance], dropped: list[Dropped]
) -> list[Instance]:
    """The labelled instances, without those whose input has two labels."""
    labels: dict[str, set[str]] = {}
    for instance in instances:
        labels.setdefault(instance.input, set()).add(instance.output)
    dropped += [
        Dropped(NAME, "contradictory_labels", f"{instance.input}\n{instance.output}")
        for instance in instances
        if len(labels[instance.input]) > 1
    ]
    return [instance for instance in instances if len(labels[instance.input]) == 1]


def _at_most(
    most: int, instances: Sequence[Instance], chance: random.Random, dropped: list[Dropped]
) -> list[Instance]:
    """At most `most` instances, chosen at random, in their original order."""
    if len(instances) <= most:
        return list(instances)
    places = set(chance.sample(range(len(instances)), most))
    dropped += [
        Dropped(NAME, "over_the_limit", instance.output)
        for place, instance in enumerate(instances)
        if place not in places
    ]
    return [instance for place, instance in enumerate(instances) if place in places]


def _without_duplicates(examples: Iterable[Example], dropped: list[Dropped]) -> list[Example]:
    kept: dict[Example, None] = {}
    for example in examples:
        if example in kept:
            dropped.append(Dropped(NAME, "duplicate", example.output))
        else:
            kept[example] = None
    return list(kept)
