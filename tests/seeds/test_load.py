"""The packaged seed sets: every scenario parses, binds, runs green, and differs from the others."""

import os

import pytest

from selfbehave.bdd import parse_scenario, sandbox
from selfbehave.bdd.fences import PYTHON, first_block
from selfbehave.bdd.ladder import Rung, climb_row, climb_rows
from selfbehave.core.four_criteria import CRITERIA
from selfbehave.core.records import SeedTask
from selfbehave.novelty.rule import Pool
from selfbehave.prompts.bdd import scenario_of
from selfbehave.prompts.grammars import scenario_grammar, step_functions_grammar
from selfbehave.seeds.load import load_seeds

from ..helpers.behave_oracle import runs_green
from ..helpers.paths import ROOT

HIGH = load_seeds("high_quality").tasks
MIXED = load_seeds("mixed_quality").tasks
EVERY = {task.id: task for task in HIGH + MIXED}


def faulty(task: SeedTask) -> bool:
    return task.criteria is None or not all(task.criteria.values())


def test_the_sets_have_the_seed_projects_size() -> None:
    assert len(HIGH) == len(MIXED) == 175


def test_high_quality_seeds_meet_every_criterion() -> None:
    assert not any(faulty(task) for task in HIGH)


def test_mixed_quality_seeds_are_105_good_ones_and_70_that_break_each_criterion_often() -> None:
    broken = [task for task in MIXED if faulty(task)]
    assert [task for task in MIXED if not faulty(task)] == [task for task in HIGH if task in MIXED]
    assert len(broken) == 70
    for criterion in CRITERIA:
        assert sum(not (task.criteria or {})[criterion] for task in broken) >= 15


@pytest.mark.parametrize("tasks", [HIGH, MIXED], ids=["high_quality", "mixed_quality"])
def test_no_two_scenarios_of_a_set_are_alike(tasks: tuple[SeedTask, ...]) -> None:
    pool = Pool()
    for task in tasks:
        scenario = scenario_of(task.instruction)
        assert pool.nearest_too_similar(scenario) is None, task.name
        pool.add(scenario)


def test_every_other_seed_is_bound_and_runs_green_under_behave() -> None:
    for task in MIXED:
        if task in HIGH:
            continue  # causal, as tested below, which is more
        (instance,) = task.instances
        ladder = climb_row(task.instruction, instance.input, instance.output)
        assert ladder.rung == Rung.BOUND, (task.name, ladder.faults)
        code = first_block(instance.output, PYTHON)
        assert code is not None
        feature = parse_scenario(scenario_of(task.instruction)).feature_text
        assert runs_green(feature, code.body), task.name


@pytest.mark.skipif(not ("CI" in os.environ or sandbox.missing() is None), reason="no sandbox")
def test_every_high_quality_seed_is_causal_and_has_no_idle_step() -> None:
    rows = [(task.instruction, task.instances[0].input, task.instances[0].output) for task in HIGH]
    ladders = climb_rows(rows, Rung.CAUSAL)
    poor = [
        (task.name, ladder)
        for task, ladder in zip(HIGH, ladders, strict=True)
        if ladder.rung < Rung.CAUSAL or ladder.faults
    ]
    assert poor == []
    assert all(ladder.change and ladder.input_change for ladder in ladders)


def test_every_seed_has_a_grammar_of_functions_that_bind_it() -> None:
    for task in EVERY.values():
        scenario = parse_scenario(scenario_of(task.instruction))
        assert step_functions_grammar(scenario, ""), task.name


def test_a_scenario_whose_steps_cannot_be_bound_has_no_grammar() -> None:
    assert (
        step_functions_grammar(parse_scenario(f"Scenario: x\n  Given {'a' * 1_001}\n"), "") is None
    )
    assert scenario_grammar("```gherkin\n").startswith('root ::= "```gherkin\\nScenario: "')


def test_the_seed_sets_lie_where_the_seed_project_has_them() -> None:
    for name, tasks in (("high_quality", HIGH), ("mixed_quality", MIXED)):
        path = ROOT / f"{name}_seed_data/data/{name}_seed_tasks/{name}_seed_tasks.jsonl"
        assert load_seeds(str(path)).tasks == tasks
