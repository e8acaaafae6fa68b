"""The driver of the turn machine: frames in, decisions carried out, one timer.

It belongs to one processor (the user aggregator, or `UserTurnProcessor`), which feeds it every
frame that was not muted. What a decision means for everybody (announcements, interruptions, held
playout) is done here; what it means for the processor (the context, its events) is told to the
`TurnListener`.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Protocol

import msgspec

from antiphon.errors import InvalidInputError
from antiphon.frames.audio import InputAudioRawFrame
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import InterruptionFrame, StartFrame
from antiphon.frames.turns import (
    BotSpeechPauseFrame,
    BotSpeechResumeFrame,
    EndUserTurnFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
)
from antiphon.kernel.call_frames import Timer
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.processor import FrameProcessor
from antiphon.turns.defaults import analyzers, with_default_stop
from antiphon.turns.facts import Fact, FrameSeen, Muted, TurnModelVerdict, Unmuted
from antiphon.turns.frame_facts import fact_of
from antiphon.turns.machine import TurnMachine
from antiphon.turns.machine_actions import (
    Action,
    CloseTurn,
    Decision,
    HoldPlayout,
    InterruptAgent,
    OpenTurn,
    ReleasePlayout,
    RunTurnModel,
    StopTimedOut,
    TriggerInference,
)
from antiphon.turns.opinions import Notify, SendFrame
from antiphon.turns.states import OPEN, SOUNDING
from antiphon.turns.strategies import UserTurnStrategies
from antiphon.turns.strategy import TurnStrategy
from antiphon.turns.turn_model_runner import TurnModelRunner


class UserTurnSegment(msgspec.Struct, frozen=True):
    """What the caller said since the turn began or since the last inference.

    `text` is empty when nothing new was said and the model must be asked (again) all the same.
    `timestamp` (ISO 8601) is when the segment began.
    """

    text: str
    user_id: str = ""
    timestamp: str = ""


class UserTurnStartedParams(msgspec.Struct, frozen=True):
    """How a turn began; `timestamp` is ISO 8601."""

    enable_interruptions: bool = True
    enable_user_speaking_frames: bool = True
    reason: str = ""
    user_id: str = ""
    timestamp: str = ""


class UserTurnStoppedParams(msgspec.Struct, frozen=True):
    """A whole turn.

    `content`: everything the caller said in it. `tail`: the part that no inference has taken; it
    belongs into the context, without running the model. `nothing_understood`: sound, but no words.
    Times are ISO 8601.
    """

    content: str
    tail: str = ""
    nothing_understood: bool = False
    user_id: str = ""
    started_at: str = ""
    timestamp: str = ""
    inferences: int = 0
    reason: str = ""
    enable_user_speaking_frames: bool = True


class TurnListener(Protocol):
    """What a processor does about turns. `strategy` is None when the watchdog or the end
    decided.
    """

    async def on_turn_started(
        self, strategy: TurnStrategy | None, params: UserTurnStartedParams
    ) -> None:
        """A turn began: it has been announced and has interrupted, where it should."""

    async def on_inference_triggered(
        self, strategy: TurnStrategy | None, segment: UserTurnSegment
    ) -> None:
        """Commit the segment to the context and run the model."""

    async def on_turn_stopped(
        self, strategy: TurnStrategy | None, params: UserTurnStoppedParams
    ) -> None:
        """The turn is final: exactly once for each that started."""

    async def on_turn_stop_timeout(self) -> None:
        """No strategy ended the turn in time; it is about to be stopped."""

    async def on_turn_decision(self, decision: Decision) -> None:
        """Something was decided, and why."""


class UserTurnController:
    """Runs one turn machine for one processor."""

    def __init__(
        self, strategies: UserTurnStrategies | None = None, *, stop_timeout: float = 5.0
    ) -> None:
        self._machine = TurnMachine(strategies, stop_timeout=stop_timeout)
        self._judge = TurnModelRunner(self._verdict)
        self._processor: FrameProcessor | None = None
        self._listener: TurnListener | None = None
        self._timer: Timer | None = None
        self._own_interruptions = 0
        self._closed = False
        self._frame_types: tuple[type[Frame], ...] = ()

    # ---- for the processor ---------------------------------------------------------------------

    @property
    def decisions(self) -> Sequence[Decision]:
        """The last decisions, oldest first."""
        return self._machine.log.decisions

    @property
    def strategies(self) -> UserTurnStrategies:
        """Who decides at the moment."""
        return self._machine.strategies

    @property
    def resolves_proposals(self) -> bool:
        """Whether the proposals of services are decided here, so that they need not go further."""
        return self._machine.resolves_proposals

    @property
    def turn_is_open(self) -> bool:
        """Between the start of a turn and its stop."""
        return self._machine.state in OPEN

    def attach(self, processor: FrameProcessor, listener: TurnListener) -> None:
        """Call it when the processor handles its `StartFrame`."""
        self._processor, self._listener = processor, listener
        self._timer = processor.timer(self._due)

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Call it with every frame that was not muted, the `StartFrame` first."""
        if self._processor is None or self._closed:
            return
        if isinstance(frame, InputAudioRawFrame):
            if self._judge.listens:
                self._judge.hear(frame, keep=self._machine.state in OPEN | SOUNDING)
            return
        if isinstance(frame, EndUserTurnFrame):
            await self.end_turn()
            return
        if isinstance(frame, StartFrame):
            await self.update_strategies(self._machine.strategies)
        if isinstance(frame, self._frame_types):
            await self._receive(FrameSeen(frame))
        if isinstance(frame, InterruptionFrame) and self._own_interruptions:
            self._own_interruptions -= 1
            return
        try:
            fact = fact_of(frame, self._now())
        except InvalidInputError as error:
            await self._processor.push_error(str(error), exception=error)
            return
        if fact is not None:
            await self._receive(fact)

    async def update_strategies(self, strategies: UserTurnStrategies) -> None:
        """Others decide from now on; an open turn stays open. Loads a turn model if one is used."""
        assert self._processor is not None
        strategies = await with_default_stop(strategies, self._processor)
        models = [strategy.turn_analyzer for strategy in analyzers(strategies)]
        self._judge.use(next((model for model in models if model is not None), None))
        await self._carry_out(self._machine.update_strategies(strategies, self._now()))
        self._frame_types = self._machine.frame_types

    async def end_turn(self) -> None:
        """Ends the open turn, if there is one, without asking the model; its words are told."""
        if self._processor is not None and not self._closed:
            await self._carry_out(self._machine.close(self._now(), "ended by the program"))

    async def muted(self, on: bool) -> None:
        """Call it when a mute begins or ends."""
        await self._receive(Muted() if on else Unmuted())

    async def cleanup(self) -> None:
        """The session ends: an open turn is closed, and told."""
        if self._processor is not None and not self._closed:
            self._closed = True
            await self._carry_out(self._machine.close(self._now()))
            if self._timer is not None:
                self._timer.arm(None)

    # ---- driving -------------------------------------------------------------------------------

    def _now(self) -> float:
        assert self._processor is not None
        return self._processor.clock.now()

    async def _receive(self, fact: Fact) -> None:
        if self._closed:
            return
        await self._carry_out(self._machine.receive(fact, self._now()))

    async def _due(self) -> None:
        await self._carry_out(self._machine.tick(self._now()))

    async def _verdict(self, verdict: TurnModelVerdict) -> None:
        await self._receive(verdict)

    async def _carry_out(self, actions: Sequence[Action]) -> None:
        assert self._timer is not None
        assert self._listener is not None
        decisions = self._machine.log.news()
        self._timer.arm(self._machine.deadline)
        for action in actions:
            await self._do(action)
        for decision in decisions:
            await self._listener.on_turn_decision(decision)

    async def _do(self, action: Action) -> None:
        assert self._processor is not None
        assert self._listener is not None
        match action:
            case OpenTurn():
                await self._open(action)
            case InterruptAgent():
                await self._interrupt()
            case TriggerInference(strategy=strategy, segment=segment):
                when = self._iso(segment.started)
                told = UserTurnSegment(segment.text, segment.user_id, when)
                await self._listener.on_inference_triggered(strategy, told)
            case CloseTurn():
                await self._close(action)
            case StopTimedOut():
                await self._listener.on_turn_stop_timeout()
            case HoldPlayout():
                await self._processor.broadcast_frame(BotSpeechPauseFrame())
            case ReleasePlayout():
                await self._processor.broadcast_frame(BotSpeechResumeFrame())
            case RunTurnModel():
                self._judge.ask(self._processor)
            case SendFrame(frame=frame, direction=None):
                await self._processor.broadcast_frame(frame)
            case SendFrame(frame=frame, direction=direction) if direction is not None:
                await self._processor.push_frame(frame, direction)
            case Notify(event=event, args=args):
                await event.emit(*args)

    async def _open(self, action: OpenTurn) -> None:
        assert self._processor is not None
        assert self._listener is not None
        if action.announce:
            await self._processor.broadcast_frame(UserStartedSpeakingFrame())
        if action.interrupt:
            await self._interrupt()
        params = UserTurnStartedParams(
            enable_interruptions=action.interrupt or action.in_doubt,
            enable_user_speaking_frames=action.announce,
            reason=action.reason,
            user_id=action.user_id,
            timestamp=self._iso(self._now()),
        )
        await self._listener.on_turn_started(action.strategy, params)

    async def _interrupt(self) -> None:
        assert self._processor is not None
        self._own_interruptions += 1
        await self._processor.broadcast_interruption()

    async def _close(self, action: CloseTurn) -> None:
        assert self._processor is not None
        assert self._listener is not None
        self._judge.turn_stopped()
        if action.announce:
            await self._processor.broadcast_frame(UserStoppedSpeakingFrame())
        params = UserTurnStoppedParams(
            content=action.content,
            tail=action.tail,
            nothing_understood=action.nothing_understood,
            user_id=action.user_id,
            started_at=self._iso(action.started),
            timestamp=self._iso(self._now()),
            inferences=action.inferences,
            reason=action.reason,
            enable_user_speaking_frames=action.announce,
        )
        await self._listener.on_turn_stopped(action.strategy, params)

    def _iso(self, at: float) -> str:
        assert self._processor is not None
        clock = self._processor.clock
        wall = clock.wall() - datetime.timedelta(seconds=clock.now() - at)
        return wall.isoformat(timespec="milliseconds")
