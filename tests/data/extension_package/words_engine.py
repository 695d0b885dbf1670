import random

from selfbehave import Completion, Engine, EngineSettings, Request


class WordsEngine(Engine):
    """Writes scenarios of random words. `--engine words:7` gives them seven letters."""

    def __init__(self, settings: EngineSettings) -> None:
        self.identity = settings.engine
        self._letters = int(settings.engine.partition(":")[2] or 5)

    async def complete(self, request: Request) -> Completion:
        chance = random.Random(request.seed)
        words = ["".join(chance.choices("aeiklmnorst", k=self._letters)) for _ in range(12)]
        steps = [f"{kind} {' '.join(words[at : at + 4])}" for kind, at in _STEPS]
        scenario = "\n  ".join([f"Scenario: {' '.join(words[:3])}", *steps])
        return Completion(f"```gherkin\n{scenario}\n```", finish_reason="stop")


_STEPS = (("Given", 0), ("When", 4), ("Then", 8))
