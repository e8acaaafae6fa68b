"""Two agents to record and to replay: a waiter in three processors, and a whole voice agent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path

from antiphon.audio.vad import VADParams
from antiphon.context.llm_context import LLMContext
from antiphon.context.pair import LLMContextAggregatorPair
from antiphon.context.user_aggregator import LLMUserAggregatorParams
from antiphon.frames.audio import InputAudioRawFrame
from antiphon.frames.lifecycle import EndFrame, StartFrame
from antiphon.frames.llm import LLMFullResponseEndFrame, LLMFullResponseStartFrame
from antiphon.frames.text import LLMTextFrame, TranscriptionFrame
from antiphon.frames.transport import InputTransportMessageFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.observers import BaseObserver
from antiphon.kernel.params import PipelineParams
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.kernel.task import PipelineTask
from antiphon.services.llm import LLMService
from antiphon.services.stt import STTService
from antiphon.services.tts import TTSService
from antiphon.simulation.fakes.language_model import FakeLLMProvider
from antiphon.simulation.fakes.stt import FakeSTTProvider
from antiphon.simulation.fakes.tts import FakeTTSProvider
from antiphon.simulation.fakes.vad import FakeVADModel
from antiphon.simulation.fakes.voice import speak
from antiphon.simulation.loop.virtual_time import run
from antiphon.simulation.record.recording import Recording, SessionRecorder
from antiphon.transports.caller_script import Say, Step, Wait, WaitForAgent
from antiphon.transports.file import FileTransport
from antiphon.turns.stop_strategies import SpeechTimeoutUserTurnStopStrategy
from antiphon.turns.strategies import UserTurnStrategies

RATE = 16_000
ANSWERS = ("Hello, who is this please?", "Nice to meet you dear Ann, how are you?")


# ---- the waiter -------------------------------------------------------------------------------


class Line(FrameProcessor):
    """The caller: 20 ms of sound every 20 ms, an order after each fifth, and the end."""

    def __init__(self, orders: Sequence[str]) -> None:
        super().__init__()
        self._orders = orders

    @handles(StartFrame)
    async def start(self, frame: StartFrame, direction: FrameDirection) -> None:
        self.create_task(self._orders_come(), name="call")

    async def _orders_come(self) -> None:
        for number, order in enumerate(self._orders):
            for chunk in range(5):
                await asyncio.sleep(0.02)
                await self.push_frame(InputAudioRawFrame(bytes([number, chunk]) * 320, RATE))
            await self.push_frame(InputTransportMessageFrame(order))
        await asyncio.sleep(1.0)
        await self.push_frame(EndFrame(reason="hung up"))


class Waiter(FrameProcessor):
    """Repeats an order, 0.3 s later, in pieces of four letters."""

    courtesy = "Very well: "

    @handles(InputTransportMessageFrame)
    async def take(self, frame: InputTransportMessageFrame, direction: FrameDirection) -> None:
        text = f"{self.courtesy}{frame.message}."
        await self.push_frame(TranscriptionFrame(str(frame.message)))
        await asyncio.sleep(0.3)
        await self.push_frame(LLMFullResponseStartFrame())
        for begin in range(0, len(text), 4):
            await self.push_frame(LLMTextFrame(text[begin : begin + 4]))
        await self.push_frame(LLMFullResponseEndFrame())


class RudeWaiter(Waiter):
    """The same, without the same words."""

    courtesy = "What? "


class Kitchen(FrameProcessor):
    """Takes what is said."""

    @handles(LLMTextFrame)
    async def cook(self, frame: LLMTextFrame, direction: FrameDirection) -> None:
        pass


def waiter(orders: Sequence[str] = ()) -> Pipeline:
    """The agent; `orders` are the caller's, who need not be there in a replay."""
    return Pipeline([Line(orders), Waiter(), Kitchen()])


def rude_waiter() -> Pipeline:
    """The agent, changed."""
    return Pipeline([Line(()), RudeWaiter(name="Waiter#0"), Kitchen()])


def serve(
    observers: Iterable[BaseObserver],
    orders: Sequence[str] = ("soup", "fish"),
    seed: int | None = None,
) -> None:
    """Holds a session of the waiter."""

    async def main() -> None:
        params = PipelineParams(audio_in_sample_rate=RATE)
        await PipelineTask(waiter(orders), params=params, observers=observers).run()

    run(main(), seed=seed)


# ---- the voice agent --------------------------------------------------------------------------


class _Analyzer(FakeVADModel):
    def __init__(self) -> None:
        super().__init__()
        self.params = VADParams(min_volume=0.0)


def _says(text: str) -> Say:
    from antiphon.audio.wav import WavFile as Sound

    return Say(Sound(speak(text), RATE), text)


def voice_agent(steps: Sequence[Step] = (), answers: Sequence[str] = ANSWERS) -> Pipeline:
    """A whole agent on fakes."""
    transport = FileTransport(steps, hang_up_after_secs=1.0)
    stop = SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=0.6)
    pair = LLMContextAggregatorPair(
        LLMContext(),
        user_params=LLMUserAggregatorParams(
            vad_analyzer=_Analyzer(), user_turn_strategies=UserTurnStrategies(stop=[stop])
        ),
    )
    return Pipeline(
        [
            transport.input(),
            STTService(FakeSTTProvider(sample_rate=RATE, segmented=True)),
            pair.user(),
            LLMService(FakeLLMProvider(list(answers))),
            TTSService(FakeTTSProvider(sample_rate=RATE)),
            transport.output(),
            pair.assistant(),
        ]
    )


def call(path: Path, seed: int | None = None) -> Recording:
    """Records a call to the voice agent: two turns, the second cuts the agent off."""
    steps: list[Step] = [
        _says("good morning"),
        WaitForAgent(),
        _says("this is ann"),
        Wait(2.0),
        _says("stop it"),
        WaitForAgent(),
    ]

    async def main() -> None:
        params = PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=RATE)
        pipeline = voice_agent(steps, (*ANSWERS, "I am sorry."))
        await PipelineTask(pipeline, params=params, observers=[SessionRecorder(path)]).run()

    run(main(), seed=seed)
    return Recording.load(path)
