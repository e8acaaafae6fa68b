"""The real parts that the planted ones are made after, under the same suites: `REAL`.

Each check returns how many runs it took; it raises `ContractError` if it finds something.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from antiphon.context.llm_context import LLMContext
from antiphon.errors import ServerError
from antiphon.frames.audio import InputAudioRawFrame
from antiphon.frames.base import Frame
from antiphon.frames.llm import (
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
)
from antiphon.frames.text import LLMTextFrame
from antiphon.frames.turns import VADUserStartedSpeakingFrame, VADUserStoppedSpeakingFrame
from antiphon.kernel.params import PipelineParams
from antiphon.services.llm import LLMService
from antiphon.services.realtime import RealtimeService
from antiphon.services.stt import STTService
from antiphon.services.tts import TTSService
from antiphon.simulation.contracts import (
    check_output_sink,
    check_processor,
    check_serializer,
    check_stop_strategy,
)
from antiphon.simulation.fakes.language_model import FakeLLMProvider, call
from antiphon.simulation.fakes.provider import Fail
from antiphon.simulation.fakes.realtime import FakeRealtimeProvider
from antiphon.simulation.fakes.stt import FakeSTTProvider
from antiphon.simulation.fakes.tts import FakeTTSProvider
from antiphon.simulation.fakes.voice import speak
from antiphon.simulation.faults import faulty
from antiphon.tools.params import FunctionCallParams
from antiphon.tools.schema import FunctionSchema, ToolsSchema
from antiphon.transports.serializer import FrameCodecSerializer
from antiphon.transports.sinks import CallbackSink
from antiphon.turns.stop_strategies import SpeechTimeoutUserTurnStopStrategy

Seeds = int | Iterable[int]
RATE = 16_000
PARAMS = PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=RATE)
MOMENTS = 40


async def look(params: FunctionCallParams) -> None:
    """A function that takes its time."""
    await asyncio.sleep(0.05)
    await params.result_callback({"seen": 1})


def _asking() -> list[Frame]:
    tools = ToolsSchema([FunctionSchema("look", "Looks.", handler=look)])
    context = LLMContext([{"role": "user", "content": "Hello."}], tools=tools)
    return [LLMContextFrame(context.snapshot()) for _ in range(2)]


def _voice(seeds: Seeds) -> int:
    answer: list[Frame] = [
        LLMFullResponseStartFrame(),
        LLMTextFrame("Good morning. How are you?"),
        LLMFullResponseEndFrame(),
    ]
    return check_processor(
        lambda: TTSService(FakeTTSProvider()),
        frames=answer,
        seeds=seeds,
        failing=lambda n: TTSService(FakeTTSProvider(faults={n: Fail(ServerError("overloaded"))})),
        moments=MOMENTS,
        params=PARAMS,
    )


def _ears(seeds: Seeds) -> int:
    pcm = speak("good morning")
    sound = [InputAudioRawFrame(pcm[at : at + 2_560], RATE) for at in range(0, len(pcm), 2_560)]
    return check_processor(
        lambda: STTService(FakeSTTProvider()),
        frames=[VADUserStartedSpeakingFrame(), *sound, VADUserStoppedSpeakingFrame()],
        seeds=seeds,
        failing=lambda n: STTService(FakeSTTProvider(faults={n: Fail(ServerError("overloaded"))})),
        moments=MOMENTS,
        params=PARAMS,
    )


def _model(seeds: Seeds) -> int:
    def service(fails_after: int | None = None) -> LLMService:
        provider = FakeLLMProvider(lambda request: ["Let me see. ", call("look")])
        if fails_after is None:
            return LLMService(provider)
        fault = {"error_once": "server", "on": "event", "after": fails_after}
        return LLMService(faulty(provider, fault))

    return check_processor(
        service, frames=_asking(), seeds=seeds, failing=service, moments=MOMENTS, gap_secs=0.6
    )


def _speaking_model(seeds: Seeds) -> int:
    return check_processor(
        lambda: RealtimeService(
            FakeRealtimeProvider(lambda conversation: ["One moment.", call("look")])
        ),
        frames=_asking(),
        seeds=seeds,
        moments=MOMENTS,
        gap_secs=0.4,
        params=PARAMS,
    )


REAL: dict[str, Callable[[Seeds], int]] = {
    "TTSService": _voice,
    "STTService": _ears,
    "LLMService with a tool": _model,
    "RealtimeService with a tool": _speaking_model,
    "OutputTransport": lambda seeds: check_output_sink(
        lambda: CallbackSink(lambda pcm: None), seeds=seeds, moments=MOMENTS
    ),
    "SpeechTimeoutUserTurnStopStrategy": lambda seeds: check_stop_strategy(
        SpeechTimeoutUserTurnStopStrategy, seeds=seeds
    ),
    "FrameCodecSerializer": lambda seeds: check_serializer(FrameCodecSerializer, seeds=seeds),
}
