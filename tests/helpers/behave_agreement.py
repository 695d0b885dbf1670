"""Whether the ladder and real behave agree on pairs: on what is read, what is bound, and to what.

Usage: python -m tests.helpers.behave_agreement [--seed N] [--pairs N]

makes pairs of its own at random, by a seed, and prints those on which they disagree.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from selfbehave.bdd import Binding, FaultCode, bind, parse_scenario, read_step_functions, sentence
from selfbehave.bdd.feature_text import ScenarioError, as_feature

from .behave_oracle import Verdict, dry_runs
from .generated_pairs import Pair, generated_pairs

# What behave goes on with: the ladder asks that no function is left over, and behave passes over a
# bad pattern that no step needs.
_OUR_OWN = {FaultCode.UNUSED_STEP_FUNCTION, FaultCode.BAD_PATTERN}
# What the ladder says where only running the code could tell.
_NOT_KNOWN = {FaultCode.PATTERN_NOT_TEXT, FaultCode.UNKNOWN_CONVERTER}
# Faults for which behave ends before it runs anything, and one for which it may as well.
_KEEPS_FROM_RUNNING = {
    FaultCode.UNDEFINED_STEP,
    FaultCode.AMBIGUOUS_STEP,
    FaultCode.BAD_PATTERN,
    FaultCode.NO_CONVERTERS,
    FaultCode.NOT_IN_BEHAVE,
    FaultCode.UNDEFINED_NAME,
    FaultCode.UNKNOWN_MATCHER,
}


@dataclass(frozen=True)
class Comparison:
    """What came of comparing one pair.

    Attributes:
        outcome: "bound", "undefined", "not read" or "refused" where both agree, "not known" where
            the ladder says that it cannot tell, "too large" where it says that it does not look.
        disagreement: where they disagree, what each says.
    """

    outcome: str
    disagreement: str | None = None


def compare(pairs: Sequence[Pair]) -> list[Comparison]:
    """Compare the ladder's verdict on each pair with behave's."""
    found: list[Comparison | None] = []
    asked: list[tuple[str, str]] = []
    for pair in pairs:
        try:
            asked.append((as_feature(pair.scenario)[0], pair.code))
            found.append(None)
        except ScenarioError as error:
            is_large = error.fault.code == FaultCode.SCENARIO_TOO_LARGE
            # A language that behave lacks: it is asked with the text as it is.
            asked.append((pair.scenario, pair.code))
            found.append(Comparison("too large") if is_large else None)
    verdicts = dry_runs(asked)
    return [
        known or _compare(pair, verdict)
        for pair, verdict, known in zip(pairs, verdicts, found, strict=True)
    ]


def _compare(pair: Pair, verdict: Verdict) -> Comparison:
    try:
        scenario = parse_scenario(pair.scenario)
    except ScenarioError as error:
        if error.fault.code == FaultCode.SCENARIO_TOO_LARGE:
            return Comparison("too large")
        if not verdict.steps:
            return Comparison("not read")
        return Comparison("not read", f"behave reads it, the ladder does not: {error}")
    try:
        binding = bind(scenario, read_step_functions(pair.code))
    except SyntaxError as error:
        return Comparison("refused", None if verdict.refusal else f"we: {error}")
    codes = {fault.code for fault in binding.faults}
    if codes & _NOT_KNOWN:
        return Comparison("not known")
    said = "; ".join(map(sentence, binding.faults))
    if verdict.refusal is not None:
        if codes & _KEEPS_FROM_RUNNING:
            return Comparison("refused")
        return Comparison("refused", f"behave refuses, we say {said!r}: {verdict.refusal}")
    ours = tuple((step.kind, step.text) for step in scenario.steps)
    theirs = tuple((kind, text) for kind, text, _ in verdict.steps)
    if ours != theirs:
        return Comparison("read", f"we read {ours}, behave {theirs}")
    if verdict.accepts != (codes <= _OUR_OWN):
        return Comparison("bound", f"behave accepts: {verdict.accepts}, we say {said!r}")
    lines = _located(binding, pair.code)
    if lines != verdict.lines:
        return Comparison("bound", f"we bind lines {lines}, behave {verdict.lines}: {said!r}")
    return Comparison("bound" if verdict.accepts else "undefined")


def _located(binding: Binding, code: str) -> tuple[int | None, ...]:
    """The line where behave locates each step's function: that of its first decorator."""
    first = {
        node.lineno: min([node.lineno, *(one.lineno for one in node.decorator_list)])
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    return tuple(first[function.line] if function else None for _, function in binding.bound)


def main() -> int:
    """Compare generated pairs; return 1 where one is disagreed on."""
    parser = argparse.ArgumentParser(description="Compare the ladder with real behave.")
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers")
    parser.add_argument("--pairs", type=int, default=2_000, help="how many to generate")
    parser.add_argument("--shown", type=int, default=10, help="disagreements to print in full")
    options = parser.parse_args()
    pairs = generated_pairs(options.seed, options.pairs)
    comparisons = compare(pairs)
    print(dict(Counter(one.outcome for one in comparisons).most_common()))
    print(dict(Counter(kind for pair in pairs for kind in pair.kinds).most_common()))
    differing = [
        (pair, one.disagreement)
        for pair, one in zip(pairs, comparisons, strict=True)
        if one.disagreement is not None
    ]
    for pair, said in differing[: options.shown]:
        print(f"\n==== {', '.join(pair.kinds)}\n{said}\n---- scenario\n{pair.scenario!r}")
        print(f"{pair.scenario}\n---- code\n{pair.code}")
    print(f"{len(differing)} of {len(pairs)} disagree")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
