"""Turn-taking as a processor of its own: decides once, for several branches that share the
decision.
"""

from __future__ import annotations

from typing import Final

from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import CancelFrame, EndFrame, InterruptionFrame, StartFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.event_source import Event
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.turns.controller import (
    UserTurnController,
    UserTurnSegment,
    UserTurnStartedParams,
    UserTurnStoppedParams,
)
from antiphon.turns.frame_facts import PROPOSALS
from antiphon.turns.machine_actions import Decision
from antiphon.turns.strategies import UserTurnStrategies
from antiphon.turns.strategy import TurnStrategy


class UserTurnProcessor(FrameProcessor):
    """Announces turns and interrupts; leaves context and inference to others.

    Aggregators behind it use `ExternalUserTurnStrategies`. All frames pass, but for the proposals
    of services where they are decided about here.
    """

    on_user_turn_started: Final = Event[[TurnStrategy | None, UserTurnStartedParams]]()
    on_user_turn_inference_triggered: Final = Event[[TurnStrategy | None, UserTurnSegment]]()
    on_user_turn_stopped: Final = Event[[TurnStrategy | None, UserTurnStoppedParams]]()
    on_user_turn_stop_timeout: Final = Event[[]]()
    on_user_turn_decision: Final = Event[[Decision]]()

    def __init__(
        self,
        *,
        user_turn_strategies: UserTurnStrategies | None = None,
        user_turn_stop_timeout: float = 5.0,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.turns: UserTurnController = UserTurnController(
            user_turn_strategies, stop_timeout=user_turn_stop_timeout
        )

    @handles(StartFrame)
    async def start(self, frame: StartFrame, direction: FrameDirection) -> None:
        self.turns.attach(self, self)
        await self.turns.process_frame(frame, direction)

    @handles(InterruptionFrame)
    async def interrupted(self, frame: InterruptionFrame, direction: FrameDirection) -> None:
        await self.turns.process_frame(frame, direction)

    @handles(EndFrame, CancelFrame)
    async def end(self, frame: Frame, direction: FrameDirection) -> None:
        await self.turns.cleanup()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if not (isinstance(frame, PROPOSALS) and self.turns.resolves_proposals):
            await self.push_frame(frame, direction)
        await self.turns.process_frame(frame, direction)

    # ---- TurnListener --------------------------------------------------------------------------

    async def on_turn_started(
        self, strategy: TurnStrategy | None, params: UserTurnStartedParams
    ) -> None:
        await self.on_user_turn_started.emit(strategy, params)

    async def on_inference_triggered(
        self, strategy: TurnStrategy | None, segment: UserTurnSegment
    ) -> None:
        await self.on_user_turn_inference_triggered.emit(strategy, segment)

    async def on_turn_stopped(
        self, strategy: TurnStrategy | None, params: UserTurnStoppedParams
    ) -> None:
        await self.on_user_turn_stopped.emit(strategy, params)

    async def on_turn_stop_timeout(self) -> None:
        await self.on_user_turn_stop_timeout.emit()

    async def on_turn_decision(self, decision: Decision) -> None:
        await self.on_user_turn_decision.emit(decision)
