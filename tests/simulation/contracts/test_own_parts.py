"""What Antiphon ships keeps the contracts that it asks of others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from antiphon.audio.energy_vad import EnergyVADModel
from antiphon.context.llm_context import LLMContext
from antiphon.context.pair import LLMContextAggregatorPair
from antiphon.context.user_aggregator import LLMUserAggregatorParams
from antiphon.errors import ConnectivityError, ServerError
from antiphon.frames.audio import InputAudioRawFrame
from antiphon.frames.base import Frame
from antiphon.frames.llm import (
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    TTSUpdateSettingsFrame,
)
from antiphon.frames.speech import TTSSpeakFrame
from antiphon.frames.text import LLMTextFrame, TranscriptionFrame
from antiphon.frames.tools import (
    FunctionCallCancelFrame,
    FunctionCallInProgressFrame,
    FunctionCallResultFrame,
)
from antiphon.frames.turns import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from antiphon.kernel.params import PipelineParams
from antiphon.kernel.pipeline import Pipeline
from antiphon.providers.local.rules import RuleBasedLLMProvider
from antiphon.services.llm import LLMService
from antiphon.services.stt import STTService
from antiphon.services.tts import TTSService
from antiphon.simulation.contracts import (
    PartTrace,
    check_llm_provider,
    check_output_sink,
    check_processor,
    check_start_strategy,
    check_stop_strategy,
    check_stt_provider,
    check_transport,
    check_tts_provider,
    check_turn_model,
    check_vad_model,
)
from antiphon.simulation.fakes.language_model import FakeLLMProvider, call
from antiphon.simulation.fakes.provider import Fail
from antiphon.simulation.fakes.stt import FakeSTTProvider
from antiphon.simulation.fakes.tts import FakeTTSProvider
from antiphon.simulation.fakes.vad import FakeTurnModel, FakeVADModel
from antiphon.simulation.fakes.voice import speak
from antiphon.tools.params import FunctionCallParams
from antiphon.tools.schema import FunctionSchema, ToolsSchema
from antiphon.transports.file import FileTransport
from antiphon.transports.sinks import CallbackSink
from antiphon.turns.backchannel import BackchannelUserTurnStartStrategy
from antiphon.turns.completion_strategies import (
    ExternalUserTurnCompletionStopStrategy,
    LLMTurnCompletionUserTurnStopStrategy,
)
from antiphon.turns.start_strategies import (
    ExternalUserTurnStartStrategy,
    MinWordsUserTurnStartStrategy,
    TranscriptionUserTurnStartStrategy,
    VADUserTurnStartStrategy,
    WakePhraseUserTurnStartStrategy,
)
from antiphon.turns.stop_strategies import (
    ExternalUserTurnStopStrategy,
    SpeechTimeoutUserTurnStopStrategy,
    TurnAnalyzerUserTurnStopStrategy,
)
from antiphon.turns.strategies import UserTurnStrategies
from antiphon.turns.strategy import UserTurnStartStrategy, UserTurnStopStrategy

RATE = 16_000
PARAMS = PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=RATE)
CALL_FRAMES: tuple[type[Frame], ...] = (
    FunctionCallInProgressFrame,
    FunctionCallResultFrame,
    FunctionCallCancelFrame,
)

STARTS: dict[str, Callable[[], UserTurnStartStrategy]] = {
    "voice": VADUserTurnStartStrategy,
    "words": TranscriptionUserTurnStartStrategy,
    "min words": lambda: MinWordsUserTurnStartStrategy(3),
    "wake phrase": lambda: WakePhraseUserTurnStartStrategy(["hello there"]),
    "external": ExternalUserTurnStartStrategy,
    "backchannel": BackchannelUserTurnStartStrategy,
}
STOPS: dict[str, Callable[[], UserTurnStopStrategy]] = {
    "silence": SpeechTimeoutUserTurnStopStrategy,
    "turn model": TurnAnalyzerUserTurnStopStrategy,
    "external": ExternalUserTurnStopStrategy,
    "judged": ExternalUserTurnCompletionStopStrategy,
    "markers": LLMTurnCompletionUserTurnStopStrategy,
}


def running(provider: Any) -> int:
    """How many calls of a fake go on."""
    return int(provider.running)


def audio() -> list[Frame]:
    """A caller who says two words."""
    pcm = speak("good morning")
    cut = [InputAudioRawFrame(pcm[at : at + 1280], RATE) for at in range(0, len(pcm), 1280)]
    return [VADUserStartedSpeakingFrame(), *cut, VADUserStoppedSpeakingFrame()]


def test_the_fakes_keep_their_contracts() -> None:
    """The fakes satisfy the suites for providers and models, errors included."""
    check_stt_provider(
        FakeSTTProvider,
        seeds=2,
        held=running,
        failing=lambda n: FakeSTTProvider(faults={0: Fail(ConnectivityError("gone"), after=n)}),
    )
    check_tts_provider(
        FakeTTSProvider,
        seeds=2,
        held=running,
        failing=lambda n: FakeTTSProvider(faults={0: Fail(ConnectivityError("gone"), after=n)}),
    )
    check_llm_provider(
        lambda: FakeLLMProvider(default="Hello there, you."),
        seeds=2,
        held=running,
        failing=lambda n: FakeLLMProvider(default="Hello.", faults={0: Fail(ServerError("x"), n)}),
    )
    check_vad_model(FakeVADModel, seeds=2)
    check_turn_model(FakeTurnModel, seeds=2)


def test_the_rules_keep_the_contract_of_language_models() -> None:
    """The rule-based responder answers, calls and stops as every language model must."""
    check_llm_provider(RuleBasedLLMProvider, seeds=2)


def test_the_energy_model_keeps_the_contract_of_vad_models() -> None:
    """Loudness gives probabilities, forgets at a reset, and bears every sound."""
    check_vad_model(EnergyVADModel, seeds=3)


@pytest.mark.parametrize("name", STARTS)
def test_start_strategies_keep_their_contract(name: str) -> None:
    """Start strategies are pure, meet their deadlines once, and start turns."""
    check_start_strategy(STARTS[name], seeds=100)


@pytest.mark.parametrize("name", STOPS)
def test_stop_strategies_keep_their_contract(name: str) -> None:
    """Stop strategies are pure, meet their deadlines once, and end every turn."""
    check_stop_strategy(STOPS[name], seeds=100)


def test_the_voice_service_keeps_the_contract_of_processors() -> None:
    """Speech stops at every interruption, goes on afterwards, and ends."""
    frames: Sequence[Frame] = [
        LLMFullResponseStartFrame(),
        LLMTextFrame("Good morning. "),
        LLMTextFrame("How are you?"),
        LLMFullResponseEndFrame(),
        TTSSpeakFrame("One moment."),
    ]
    check_processor(
        lambda: TTSService(FakeTTSProvider()),
        frames=frames,
        seeds=2,
        moments=50,
        updates=[TTSUpdateSettingsFrame({"speed": 1.2})],
        failing=lambda n: TTSService(FakeTTSProvider(faults={n: Fail(ServerError("overloaded"))})),
        params=PARAMS,
    )


def test_the_transcribing_service_keeps_the_contract_of_processors() -> None:
    """Transcription goes on through interruptions and failures, and ends."""
    check_processor(
        lambda: STTService(FakeSTTProvider()),
        frames=audio(),
        seeds=2,
        moments=50,
        gap_secs=0.04,
        failing=lambda n: STTService(FakeSTTProvider(faults={n: Fail(ServerError("overloaded"))})),
        params=PARAMS,
    )


def test_the_model_service_keeps_the_contract_of_processors() -> None:
    """Answers stop at every interruption, and the next is given."""
    context = LLMContext([{"role": "user", "content": "Hello."}])
    check_processor(
        lambda: LLMService(FakeLLMProvider(default="Hello there, my friend.")),
        frames=[LLMContextFrame(context.snapshot()), LLMContextFrame(context.snapshot())],
        seeds=3,
        moments=50,
        failing=lambda n: LLMService(
            FakeLLMProvider(default="Hello.", faults={n: Fail(ServerError("overloaded"))})
        ),
    )


def test_the_model_service_with_tools_keeps_the_contract_of_processors() -> None:
    """Calls, results and cancels stay in order, wherever an interruption falls."""
    seen: list[Frame] = []

    async def look(params: FunctionCallParams) -> None:
        await asyncio.sleep(0.05)
        await params.result_callback({"seen": 1})

    def service() -> LLMService:
        provider = FakeLLMProvider(lambda request: ["Let me see. ", call("look"), call("watch")])
        llm = LLMService(provider)
        llm.register_function("look", look)
        llm.register_function("watch", look, cancel_on_interruption=False)
        return llm

    def watched(trace: PartTrace) -> None:
        seen.extend(entry.frame for entry in trace.made(*CALL_FRAMES))

    tools = [
        FunctionSchema(name=name, description=name, properties={}, required=[])
        for name in ("look", "watch")
    ]
    context = LLMContext(
        [{"role": "user", "content": "Hello."}], tools=ToolsSchema(standard_tools=tools)
    )
    check_processor(
        service,
        frames=[LLMContextFrame(context.snapshot()) for _ in range(3)],
        seeds=2,
        moments=40,
        gap_secs=0.6,
        laws=[watched],
    )
    assert {type(frame) for frame in seen} == set(CALL_FRAMES)


def test_the_aggregators_keep_the_contract_of_processors() -> None:
    """Both halves of the context, with an answer between them, lose nothing and never hang."""

    def pair() -> Pipeline:
        stop = SpeechTimeoutUserTurnStopStrategy()
        halves = LLMContextAggregatorPair(
            LLMContext(),
            user_params=LLMUserAggregatorParams(
                user_turn_strategies=UserTurnStrategies(stop=[stop])
            ),
        )
        return Pipeline([halves.user(), halves.assistant()])

    check_processor(
        pair,
        frames=[
            VADUserStartedSpeakingFrame(start_secs=0.2, timestamp=0.2),
            TranscriptionFrame("hello", finalized=True),
            VADUserStoppedSpeakingFrame(stop_secs=0.2, timestamp=0.4),
            LLMFullResponseStartFrame(),
            BotStartedSpeakingFrame(),
            LLMTextFrame("Good morning."),
            LLMFullResponseEndFrame(),
            BotStoppedSpeakingFrame(),
        ],
        seeds=2,
        moments=40,
        recovers=False,
        settle_secs=8.0,
    )


def test_what_carries_sound_keeps_the_contract_of_transports() -> None:
    """A sink of a function's and the transport of files bear everything that may happen."""
    check_output_sink(lambda: CallbackSink(lambda pcm: None), seeds=2, moments=20)
    check_transport(lambda: FileTransport([], hang_up_after_secs=None), seeds=1, moments=6)
