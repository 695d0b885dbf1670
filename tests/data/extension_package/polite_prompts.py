from collections.abc import Sequence
from dataclasses import replace

from selfbehave import Answer, BddFamily, Parsed, Prompt


class PoliteFamily(BddFamily):
    """The bdd family, which says please, and reads answers that thank."""

    name = "polite"

    def bootstrap_prompt(self, examples: Sequence[str], api: str) -> Prompt:
        prompt = super().bootstrap_prompt(examples, api)
        return replace(prompt, text=f"Please read these.\n\n{prompt.text}")

    def instances(self, instruction: str, answer: Answer, is_classification: bool) -> list[Parsed]:
        thanked = replace(answer, text=answer.text.replace("```python\n", "```python\n# Thanks!\n"))
        return super().instances(instruction, thanked, is_classification)
