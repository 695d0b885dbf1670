"""One answer that the program and the model write together, a segment at a time."""

from __future__ import annotations

from dataclasses import dataclass, field

from .asking import Answer, Asker
from .prompts import Message

__all__ = ["JointAnswer"]

_HOTTEST = 1.0


@dataclass
class JointAnswer:
    """Asks for segments of one answer, and notes what they cost.

    Attributes:
        messages: that the answer answers.
        temperature, seed: of all segments.
        slot: of the server's prompt cache, the same for all that share a beginning.
        answers: what was answered so far.
    """

    asker: Asker
    messages: list[Message]
    temperature: float
    seed: int
    slot: int
    answers: list[Answer] = field(default_factory=list)

    def go_on(
        self, written: str, stop: tuple[str, ...], max_tokens: int, *, hotter: float = 0.0
    ) -> Answer:
        """What the model adds.

        Args:
            written: the answer so far; "" for a whole answer.
            stop: texts that end the segment.
            max_tokens: of the segment.
            hotter: added to the temperature.
        """
        answer = self.asker.ask(
            self.messages,
            temperature=min(_HOTTEST, self.temperature + hotter),
            max_tokens=max_tokens,
            seed=self.seed,
            stop=stop,
            beginning=written,
            slot=self.slot,
        )
        self.answers.append(answer)
        return answer
