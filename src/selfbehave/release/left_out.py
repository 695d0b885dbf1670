"""Why attempts are in no form, or not in one of them, in words."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["REASONS"]

REASONS: Mapping[str, str] = {
    "evaluation_data": "attempts that hold the canary of evaluation data",
    "held_out_data": "attempts that are like held-out data, or at a scenario that is",
    "no_scenario": "attempts at a task without a scenario",
    "scenario_not_parsed": "attempts at a scenario that is not valid",
    "no_code": "attempts without a closed block of Python",
    "several_blocks": "attempts with several blocks, of which it is not known which was judged",
    "unstable": "attempts whose verdict changes from run to run",
    "repeated": "answers that repeat another one to the same prompt",
    "prompts_of_one_rung": "prompts whose answers are all of one rung",
    "better_by_cheating": "pairs whose better answer may cheat",
    "not_checked_further": "answers that no run checked for a higher rung, or pairs with one",
    "over_the_limit": "pairs above the limit for one prompt",
    "no_better": "repairs that are not better",
    "repaired_answer_without_code": "repairs of an answer without code",
    "not_in_the_journal": "repairs whose request is not in the journal",
}
