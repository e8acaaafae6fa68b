"""A whole agent on fakes, called by a scripted caller, in virtual time.

The fakes' words are spelled out in their audio, so that what the caller heard is read back from the
recording of the line: it owes nothing to what the agent says of itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from antiphon.audio.vad import VADParams
from antiphon.audio.wav import WavFile, read_wav
from antiphon.context.assistant_aggregator import AssistantTurnStoppedMessage
from antiphon.context.llm_context import LLMContext
from antiphon.context.pair import LLMContextAggregatorPair
from antiphon.context.user_aggregator import (
    LLMUserAggregatorParams,
    UserTurnMessageAddedMessage,
    UserTurnStoppedMessage,
)
from antiphon.context.validate import problems
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import ErrorFrame
from antiphon.frames.llm import LLMRunFrame
from antiphon.kernel.params import PipelineParams
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor
from antiphon.kernel.task import PipelineTask
from antiphon.services.llm import LLMService
from antiphon.services.stt import STTService
from antiphon.services.tts import TTSService
from antiphon.simulation.fakes.language_model import FakeLLMProvider
from antiphon.simulation.fakes.stt import FakeSTTProvider
from antiphon.simulation.fakes.tts import FakeTTSProvider
from antiphon.simulation.fakes.vad import FakeVADModel
from antiphon.simulation.fakes.voice import Listener, speak
from antiphon.simulation.loop.virtual_time import run
from antiphon.tools.schema import FunctionSchema, ToolsSchema
from antiphon.transports.caller_script import Say, Step
from antiphon.transports.file import FileTransport
from antiphon.turns.machine_actions import Decision
from antiphon.turns.stop_strategies import SpeechTimeoutUserTurnStopStrategy
from antiphon.turns.strategies import UserTurnStrategies

RATE = 16_000


class Analyzer(FakeVADModel):
    """Takes whatever is loud for speech, as the real one takes voices."""

    def __init__(self) -> None:
        super().__init__()
        self.params = VADParams(min_volume=0.0)


def says(text: str) -> Say:
    """The caller says a text, 0.3 s a word."""
    return Say(WavFile(speak(text), RATE), text)


@dataclass
class Outcome:
    """What came of a conversation."""

    context: LLMContext
    llm: FakeLLMProvider
    heard: str = ""
    """What the caller heard of the agent, read from the line; a cut word does not count."""
    user_turns: list[str] = field(default_factory=list)
    user_messages: list[UserTurnStoppedMessage] = field(default_factory=list)
    inferences: list[str] = field(default_factory=list)
    """What was written of what the caller said, segment by segment."""
    decisions: list[Decision] = field(default_factory=list)
    """How it was decided who has the floor, in the order in which it was."""
    assistant_turns: list[AssistantTurnStoppedMessage] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def plain(self) -> list[dict[str, Any]]:
        """The messages that every provider understands: here all of them."""
        return [message for message in self.context.messages if isinstance(message, dict)]

    @property
    def messages(self) -> list[tuple[str, str]]:
        """Role and text of every message with text."""
        return [
            (message["role"], str(message["content"]))
            for message in self.plain
            if message.get("content")
        ]

    @property
    def said(self) -> str:
        """What the context says that the agent said."""
        return " ".join(text for role, text in self.messages if role == "assistant")


Setup = Callable[[LLMService, PipelineTask], None]
"""Prepares the model's service and the task before the conversation."""


React = Callable[[UserTurnStoppedMessage], Sequence[Frame]]
"""What a program does about a turn: the frames it queues."""


def listen(
    outcome: Outcome, pair: LLMContextAggregatorPair, task: PipelineTask, react: React | None
) -> None:
    """Notes the turns of both sides, and errors."""
    user, assistant = pair.user(), pair.assistant()

    @user.event_handler("on_user_turn_message_added")
    def wrote(source: object, message: UserTurnMessageAddedMessage) -> None:
        outcome.inferences.append(message.content)

    @user.event_handler("on_user_turn_stopped")
    async def user_stopped(source: object, by: object, message: UserTurnStoppedMessage) -> None:
        outcome.user_turns.append(message.content)
        outcome.user_messages.append(message)
        if react is not None:
            await task.queue_frames(react(message))

    @assistant.event_handler("on_assistant_turn_stopped")
    def agent_stopped(source: object, message: AssistantTurnStoppedMessage) -> None:
        outcome.assistant_turns.append(message)

    @task.event_handler("on_pipeline_error")
    def failed(task: PipelineTask, frame: ErrorFrame) -> None:
        outcome.errors.append(frame.error)


def converse(
    steps: Sequence[Step],
    replies: Any,
    folder: Path,
    *,
    greets: bool = False,
    tools: Sequence[FunctionSchema] = (),
    setup: Setup | None = None,
    seed: int | None = None,
    stop_secs: float = 0.6,
    tts: FakeTTSProvider | None = None,
    stt: FakeSTTProvider | None = None,
    turns: UserTurnStrategies | None = None,
    line: Callable[..., FileTransport] = FileTransport,
    react: React | None = None,
) -> Outcome:
    """Holds the conversation, and checks what must hold of every one."""

    async def main() -> Outcome:
        provider = FakeLLMProvider(replies)
        context = LLMContext(tools=ToolsSchema(standard_tools=list(tools)) if tools else None)
        outcome = Outcome(context, provider)
        transport = line(
            steps, agent_wav=folder / "agent.wav", recording_rate=RATE, hang_up_after_secs=1.0
        )
        llm = LLMService(provider)
        strategies = turns or UserTurnStrategies(
            stop=[SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=stop_secs)]
        )
        listening = LLMUserAggregatorParams(
            vad_analyzer=Analyzer(), user_turn_strategies=strategies
        )
        pair = LLMContextAggregatorPair(context, user_params=listening)
        parts: list[FrameProcessor] = [
            transport.input(),
            STTService(stt or FakeSTTProvider(sample_rate=RATE, segmented=True)),
            pair.user(),
            llm,
            TTSService(tts or FakeTTSProvider(sample_rate=RATE)),
            transport.output(),
            pair.assistant(),
        ]
        task = PipelineTask(
            Pipeline(parts),
            params=PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=RATE),
        )
        listen(outcome, pair, task, react)
        if setup is not None:
            setup(llm, task)
        if greets:
            await task.queue_frame(LLMRunFrame())
        await task.run()
        outcome.decisions += pair.user().turns.decisions
        return outcome

    outcome = run(main(), seed=seed)
    outcome.heard = " ".join(Listener().hear(read_wav(folder / "agent.wav").pcm))
    assert problems(outcome.context.messages) == []
    assert outcome.llm.complaints == []
    return outcome
