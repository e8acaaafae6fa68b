"""The strategies of a session and the order in which they are asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from antiphon.frames.base import Frame
from antiphon.turns.facts import Fact
from antiphon.turns.opinions import Opinion, Swallow
from antiphon.turns.strategy import TurnStrategy

if TYPE_CHECKING:
    from antiphon.turns.strategies import UserTurnStrategies

Said = tuple[TurnStrategy, Sequence[Opinion]]


class StrategySet:
    """Start strategies in their order, then stop strategies in theirs."""

    def __init__(self, strategies: UserTurnStrategies) -> None:
        self.strategies = strategies
        self._all: tuple[TurnStrategy, ...] = (*strategies.start, *strategies.stop)
        self.frame_types: tuple[type[Frame], ...] = tuple(
            {kind for strategy in self._all for kind in strategy.frame_types}
        )
        self.resolves_proposals: bool = any(strategy.resolves_proposals for strategy in self._all)

    @property
    def deadline(self) -> float | None:
        """When the first of them wants to be asked again."""
        due: float | None = None
        for strategy in self._all:
            at = strategy.deadline
            if at is not None and (due is None or at < due):
                due = at
        return due

    @property
    def held_until(self) -> float | None:
        """Until when a strategy keeps an open turn from the watchdog."""
        held = [s.deadline for s in self.strategies.stop if s.holds_open and s.deadline is not None]
        return max(held) if held else None

    def tell(self, event: Fact, now: float) -> Iterator[Said]:
        """Tells them a fact, one after the other. What one says is heeded before the next is
        told.
        """
        for start in self.strategies.start:
            opinions = start.receive(event, now)
            if opinions:
                yield start, opinions
                if any(isinstance(opinion, Swallow) for opinion in opinions):
                    break
        for stop in self.strategies.stop:
            opinions = stop.receive(event, now)
            if opinions:
                yield stop, opinions

    def due(self, now: float) -> Iterator[tuple[TurnStrategy, Sequence[Opinion], float]]:
        """Asks those whose deadline has come, which is told as well."""
        for strategy in self._all:
            at = strategy.deadline
            if at is None or at > now:
                continue
            opinions = strategy.tick(now)
            if strategy.deadline is not None and strategy.deadline <= now:
                strategy.deadline = None  # it did not move it: it is not asked for ever
            yield strategy, opinions, at
