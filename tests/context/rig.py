"""A conversation without audio: both halves of a context, a language model service, and a voice
between.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from antiphon.context.assistant_aggregator import (
    AssistantTurnStoppedMessage,
    LLMAssistantAggregatorParams,
)
from antiphon.context.llm_context import LLMContext
from antiphon.context.pair import LLMContextAggregatorPair
from antiphon.context.user_aggregator import LLMUserAggregatorParams
from antiphon.context.validate import problems
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import ErrorFrame, InterruptionFrame
from antiphon.frames.llm import LLMFullResponseEndFrame, LLMFullResponseStartFrame
from antiphon.frames.speech import TTSSpeakFrame, TTSStartedFrame, TTSStoppedFrame
from antiphon.frames.text import LLMTextFrame, TranscriptionFrame, TTSTextFrame
from antiphon.frames.turns import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.observers import BaseObserver
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.kernel.task import PipelineTask
from antiphon.services.llm import LLMService
from antiphon.simulation.fakes.language_model import FakeLLMProvider
from antiphon.simulation.loop.virtual_time import run
from antiphon.turns.start_strategies import VADUserTurnStartStrategy
from antiphon.turns.stop_strategies import SpeechTimeoutUserTurnStopStrategy
from antiphon.turns.strategies import UserTurnStrategies

DOWN = FrameDirection.DOWNSTREAM
UP = FrameDirection.UPSTREAM


def turn_strategies() -> UserTurnStrategies:
    """Without a turn model: voice activity starts a turn, 0.3 s of silence ends it."""
    return UserTurnStrategies(
        start=[VADUserTurnStartStrategy(recover=False)],
        stop=[SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=0.3)],
    )


class Voice(FrameProcessor):
    """Speaks a word in `word_secs`: what it lets out has been heard, in one ordered stream."""

    def __init__(self, word_secs: float = 0.1) -> None:
        super().__init__(name="voice")
        self.word_secs = word_secs
        self.said = ""
        self._speaking = False

    @handles(LLMTextFrame)
    async def _llm_text(self, frame: LLMTextFrame, direction: FrameDirection) -> None:
        await self._say(frame.text, spaced=True)

    @handles(TTSSpeakFrame)
    async def _speak(self, frame: TTSSpeakFrame, direction: FrameDirection) -> None:
        await self.push_frame(TTSStartedFrame(append_to_context=frame.append_to_context))
        for word in frame.text.split():
            await self._say(word, spaced=False)
        await self.push_frame(TTSStoppedFrame())
        await self._stop()

    @handles(LLMFullResponseStartFrame)
    async def _start(self, frame: LLMFullResponseStartFrame, direction: FrameDirection) -> None:
        await self.push_frame(frame)

    @handles(LLMFullResponseEndFrame)
    async def _end(self, frame: LLMFullResponseEndFrame, direction: FrameDirection) -> None:
        await self._stop()
        await self.push_frame(frame)

    @handles(InterruptionFrame)
    async def _interrupted(self, frame: InterruptionFrame, direction: FrameDirection) -> None:
        await self._stop()

    async def _say(self, text: str, *, spaced: bool) -> None:
        if not self._speaking:
            self._speaking = True
            await self.broadcast_frame(BotStartedSpeakingFrame)
        await asyncio.sleep(self.word_secs)
        self.said += text if spaced else f" {text}"
        await self.push_frame(
            TTSTextFrame(text, aggregated_by="word", includes_inter_frame_spaces=spaced)
        )

    async def _stop(self) -> None:
        if self._speaking:
            self._speaking = False
            await self.broadcast_frame(BotStoppedSpeakingFrame)


class Rig:
    """A running conversation. `script` is what the model answers, in order or by function."""

    def __init__(
        self,
        script: Any = (),
        *,
        context: LLMContext | None = None,
        word_secs: float = 0.1,
        default: Any = "ok",
        add_tool_change_messages: bool = False,
        provider: Any = None,
        assistant_params: LLMAssistantAggregatorParams | None = None,
        strategies: UserTurnStrategies | None = None,
        observers: Sequence[BaseObserver] = (),
        service: type[LLMService] = LLMService,
        **llm: Any,
    ) -> None:
        self.provider = provider or FakeLLMProvider(
            script, default=default, first_token=0.1, between_tokens=0.0
        )
        self.llm = service(self.provider, name="llm", **llm)
        self.context = context or LLMContext()
        pair = LLMContextAggregatorPair(
            self.context,
            user_params=LLMUserAggregatorParams(
                user_turn_strategies=strategies or turn_strategies()
            ),
            assistant_params=assistant_params,
            add_tool_change_messages=add_tool_change_messages,
        )
        self.shared = pair.shared
        self.user, self.assistant = pair.user(), pair.assistant()
        self.voice = Voice(word_secs)
        self.turns: list[AssistantTurnStoppedMessage] = []
        self.started = 0
        self.errors: list[ErrorFrame] = []
        self.task = PipelineTask(
            Pipeline([self.user, self.llm, self.voice, self.assistant]),
            idle_timeout_secs=None,
            observers=observers,
        )
        self.assistant.add_event_handler("on_assistant_turn_started", self._turn_started)
        self.assistant.add_event_handler("on_assistant_turn_stopped", self._turn_stopped)
        self.task.add_event_handler("on_pipeline_error", self._error)

    def _turn_started(self, _: Any) -> None:
        self.started += 1

    def _turn_stopped(self, _: Any, message: AssistantTurnStoppedMessage) -> None:
        self.turns.append(message)

    def _error(self, _: Any, frame: ErrorFrame) -> None:
        self.errors.append(frame)

    # ---- what happens ----

    async def send(self, *frames: Frame, direction: FrameDirection = DOWN) -> None:
        for frame in frames:
            await self.task.queue_frame(frame, direction)

    async def user_starts(self) -> None:
        now = asyncio.get_running_loop().time()
        await self.send(VADUserStartedSpeakingFrame(start_secs=0.0, timestamp=now))

    async def user_stops(self, text: str = "") -> None:
        now = asyncio.get_running_loop().time()
        if text:
            await self.send(TranscriptionFrame(text, user_id="u", finalized=True))
        await self.send(VADUserStoppedSpeakingFrame(stop_secs=0.0, timestamp=now))

    async def says(self, text: str, secs: float = 0.5) -> None:
        """The caller says something, in `secs`."""
        await self.user_starts()
        await asyncio.sleep(secs)
        await self.user_stops(text)

    # ---- what came of it ----

    @property
    def messages(self) -> list[Any]:
        return self.context.get_messages()

    @property
    def inferences(self) -> int:
        return len(self.provider.requests)

    def of_role(self, role: str) -> list[Any]:
        return [m["content"] for m in self.messages if m["role"] == role and m.get("content")]


def converse(
    rig: Callable[[], Rig], play: Callable[[Rig], Awaitable[None]], *, seed: int | None = None
) -> Rig:
    """Plays a conversation to its end and returns its rig; the context was valid at every step."""

    async def main() -> Rig:
        made = rig()
        job = asyncio.create_task(made.task.run())
        await asyncio.sleep(0.01)
        watch = asyncio.create_task(_watch(made.context))
        await play(made)
        await made.task.stop_when_done()
        await job
        watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watch  # raises what it found
        assert problems(made.context.messages) == []
        assert made.provider.complaints == []
        assert made.started == len(made.turns)
        return made

    return run(main(), seed=seed)


async def _watch(context: LLMContext) -> None:
    version = -1
    while True:
        if context.version != version:
            version = context.version
            assert problems(context.messages) == []
        await asyncio.sleep(0.01)


def calls_in(messages: Sequence[Any]) -> list[tuple[str, str]]:
    """(function name, tool message) of every call in a list of messages."""
    answers = {m["tool_call_id"]: m["content"] for m in messages if m["role"] == "tool"}
    return [
        (call["function"]["name"], answers[call["id"]])
        for m in messages
        for call in m.get("tool_calls") or ()
    ]
