"""Stage 4, prepare: parse the raw instances, drop what is no data, encode the rest."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..bdd.ladder import Rung, climb_row
from ..prompts import FAMILIES, Answer
from ..prompts.bdd import has_scenario
from ..records import Dropped, Example, Instance, RawInstances, SeedTask
from ..settings import PrepareSettings
from .encoding import encode
from .report import StageReport

__all__ = ["Prepared", "prepare"]

STAGE = "prepare"


@dataclass(frozen=True)
class Prepared:
    """What stage 4 writes.

    Attributes:
        examples: every valid instance, in the order of the instructions.
        sampled: the examples of the sampled instructions.
        sampled_instructions: how many instructions those are.
        encoded: prompt and completion of the sampled examples (and seed tasks, if included),
            without duplicates, shuffled.
        dropped: what was no data, with its reason.
    """

    examples: tuple[Example, ...]
    sampled: tuple[Example, ...]
    sampled_instructions: int
    encoded: tuple[dict[str, str], ...]
    dropped: tuple[Dropped, ...]
    report: StageReport


def prepare(
    settings: PrepareSettings,
    raw: Sequence[RawInstances],
    is_classification: Mapping[str, bool],
    seeds: Sequence[SeedTask],
) -> Prepared:
    """Compute the fine-tuning data; `seeds` are added where the settings include them."""
    report = StageReport(STAGE, "examples", len(raw))
    chance = random.Random(f"{settings.random_seed} {STAGE}")
    dropped: list[Dropped] = []
    examples: dict[str, list[Example]] = {}
    for one in raw:
        kept = _examples_of(
            one, is_classification.get(one.instruction, False), settings, dropped, report.rungs
        )
        if len(kept) > settings.max_instances_to_generate:
            places = set(chance.sample(range(len(kept)), settings.max_instances_to_generate))
            dropped += [
                Dropped(STAGE, "over_the_limit", example.output)
                for place, example in enumerate(kept)
                if place not in places
            ]
            kept = [example for place, example in enumerate(kept) if place in places]
        if kept:
            examples.setdefault(one.instruction, []).extend(kept)
        report.done += 1
    every = _without_duplicates(
        (example for group in examples.values() for example in group), dropped
    )
    instructions = list(examples)
    wanted = settings.num_instructions
    if wanted is not None and wanted < len(instructions):
        instructions = chance.sample(instructions, wanted)
    chosen = set(instructions)
    sampled = [example for example in every if example.instruction in chosen]
    training = list(sampled)
    if settings.include_seed_tasks:
        training += [
            Example(task.instruction, instance.input, instance.output)
            for task in seeds
            for instance in task.instances
        ]
    encoded = list(
        {(e.instruction, e.input, e.output): encode(e, chance) for e in training}.values()
    )
    chance.shuffle(encoded)
    report.accepted = len(every)
    report.dropped = Counter(one.reason for one in dropped)
    return Prepared(
        tuple(every), tuple(sampled), len(chosen), tuple(encoded), tuple(dropped), report
    )


def _examples_of(
    raw: RawInstances,
    is_classification: bool,
    settings: PrepareSettings,
    dropped: list[Dropped],
    rungs: Counter[str],
) -> list[Example]:
    """The valid examples of one answer."""

    def drop(reason: str, text: str, detail: str | None = None) -> None:
        dropped.append(Dropped(STAGE, reason, text, None, detail))

    is_bdd = has_scenario(raw.instruction)
    finish_reason = raw.instance_metadata.get("finish_reason")
    # Files of other tools may not say how an answer ended: then it is taken as whole.
    is_truncated = finish_reason is not None and finish_reason != "stop"
    parsed = FAMILIES["bdd" if is_bdd else "classic"].instances(
        raw.instruction, Answer(raw.raw_instances, is_truncated), is_classification
    )
    if not parsed:
        drop("truncated" if is_truncated else "no_instance", raw.raw_instances)
    if is_bdd:
        rungs["rows"] += 1
    kept: list[Instance] = []
    for one in parsed:
        if one.instance is None:
            drop(one.fault or "no_instance", one.text)
            continue
        if fault := _fault(one.instance):
            drop(fault, one.text)
            continue
        if is_bdd:
            ladder = climb_row(raw.instruction, one.instance.input, one.instance.output)
            rungs["scenario parses"] += ladder.scenario_parses
            rungs["Python compiles"] += ladder.python_compiles
            rungs["every step bound"] += ladder.rung >= Rung.BOUND
            if ladder.rung < Rung.named(settings.min_rung):
                drop(f"below_{settings.min_rung}", one.text, "; ".join(ladder.faults)[:500])
                continue
        if one.instance in kept:
            drop("duplicate", one.text)
            continue
        kept.append(one.instance)
    outputs_of: dict[str, set[str]] = {}
    for instance in kept:
        outputs_of.setdefault(instance.input, set()).add(instance.output)
    contradicted = {
        input for input, outputs in outputs_of.items() if is_classification and len(outputs) > 1
    }
    for instance in kept:
        if instance.input in contradicted:
            drop("contradictory_labels", f"{instance.input}\n{instance.output}")
    return [
        Example(raw.instruction, instance.input, instance.output)
        for instance in kept
        if instance.input not in contradicted
    ]


def _fault(instance: Instance) -> str | None:
    """Why an instance is invalid, if it is (Wang et al., section 2.2)."""
    if not instance.output.strip():
        return "empty_output"
    if instance.input.strip() == instance.output.strip():
        return "output_repeats_input"
    if instance.input.rstrip().endswith(":") or instance.output.rstrip().endswith(":"):
        return "unfinished"
    return None


def _without_duplicates(examples: Iterable[Example], dropped: list[Dropped]) -> list[Example]:
    kept: dict[Example, None] = {}
    for example in examples:
        if example in kept:
            dropped.append(Dropped(STAGE, "duplicate", example.output))
        else:
            kept[example] = None
    return list(kept)
