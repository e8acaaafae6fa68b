"""The last decisions of a turn machine, with their reasons."""

from __future__ import annotations

from collections import deque

from antiphon.turns.facts import Fact, describe
from antiphon.turns.machine_actions import Decision, DecisionKind
from antiphon.turns.states import TurnState


class DecisionLog:
    """Keeps the last `size` decisions. `fact` is what is being decided about."""

    def __init__(self, size: int) -> None:
        self.decisions: deque[Decision] = deque(maxlen=size)
        self.fact: Fact | str = ""
        self._untold = 0

    def add(
        self, now: float, kind: DecisionKind, strategy: str, reason: str, state: TurnState
    ) -> None:
        """Something was decided; `strategy` is empty where the machine itself did."""
        self._untold += 1
        fact = self.fact if isinstance(self.fact, str) else describe(self.fact)
        self.decisions.append(Decision(now, kind, strategy, reason, fact, state.value))

    def news(self) -> list[Decision]:
        """The decisions made since the last call, as far as they are still kept."""
        count, self._untold = min(self._untold, len(self.decisions)), 0
        return list(self.decisions)[len(self.decisions) - count :] if count else []
