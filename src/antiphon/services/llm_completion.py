"""Turn completion by markers: carries out what `antiphon.turns.completion` decides, for one LLM
service. Off until the settings turn it on.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from antiphon.frames.llm import LLMMarkerFrame, LLMMessagesAppendFrame
from antiphon.frames.turns import UserTurnInferenceCompletedFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.processor import FrameProcessor
from antiphon.settings import LLMSettings
from antiphon.turns.completion import (
    CompleteTurn,
    CompletionAction,
    CompletionEvent,
    Emit,
    EmitMarker,
    Prompt,
    TurnCompletion,
    UserTurnCompletionConfig,
    Warn,
)

if TYPE_CHECKING:
    from antiphon.kernel.call_frames import Timer

logger: Final = logging.getLogger(__name__)


class CompletionDriver:
    """Tells the machine what happens and does what it wants."""

    def __init__(self, service: FrameProcessor) -> None:
        self._service = service
        self._machine: TurnCompletion | None = None
        self._timer: Timer | None = None

    def open(self) -> None:
        """The session has started."""
        self._timer = self._service.timer(self._due)

    def configure(self, settings: LLMSettings) -> None:
        """Turns the protocol on or off; a machine with the same configuration goes on."""
        if not settings.filter_incomplete_user_turns:
            self._machine = None
            return
        config = settings.user_turn_completion_config or UserTurnCompletionConfig()
        if self._machine is None or self._machine.config != config:
            self._machine = TurnCompletion(config)

    @property
    def instruction(self) -> str | None:
        """What the model is told about the protocol; None while it is off."""
        return None if self._machine is None else self._machine.config.system_instruction(None)

    async def receive(self, event: CompletionEvent) -> str:
        """Takes an event; returns the text to be said now."""
        if self._machine is None:
            return ""
        return await self._carry_out(self._machine.receive(event, self._service.clock.now()))

    @property
    def active(self) -> bool:
        """The protocol is on: text goes through `receive`."""
        return self._machine is not None

    async def _due(self) -> None:
        if self._machine is not None:
            await self._carry_out(self._machine.tick(self._service.clock.now()))

    async def _carry_out(self, actions: list[CompletionAction]) -> str:
        assert self._machine is not None
        if self._timer is not None:
            self._timer.arm(self._machine.deadline)
        said = ""
        for action in actions:
            match action:
                case Emit(text=text):
                    said += text
                case EmitMarker(marker=marker, append_immediately=at_once):
                    frame = LLMMarkerFrame(marker, append_to_context_immediately=at_once)
                    await self._service.push_frame(frame)
                    if at_once:
                        await self._service.push_frame(frame, FrameDirection.UPSTREAM)
                case CompleteTurn():
                    await self._service.broadcast_frame(UserTurnInferenceCompletedFrame)
                case Prompt(text=text):
                    message = {"role": "developer", "content": text}
                    ask = LLMMessagesAppendFrame([message], run_llm=True)
                    await self._service.push_frame(ask, FrameDirection.UPSTREAM)
                case Warn(message=message):
                    logger.warning("%s: %s", self._service.name, message)
        return said
