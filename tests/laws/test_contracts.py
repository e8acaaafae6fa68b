"""The framework's own processors keep the contract that it asks of others.

Each is interrupted, ended and cancelled at sixty moments of a small conversation.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from antiphon.audio.vad import VADParams
from antiphon.context.conversation import LLMContext
from antiphon.context.pair import LLMContextAggregatorPair
from antiphon.context.user_aggregator import LLMUserAggregatorParams
from antiphon.kernel.processor import FrameProcessor
from antiphon.services.llm import LLMService
from antiphon.services.stt import STTService
from antiphon.services.tts import TTSService
from antiphon.simulation.fakes.llm import FakeLLMProvider
from antiphon.simulation.fakes.stt import FakeSTTProvider
from antiphon.simulation.fakes.tts import FakeTTSProvider
from antiphon.simulation.fakes.vad import FakeVADModel
from antiphon.simulation.processor_contract import check_processor
from antiphon.transports.input import InputTransport
from antiphon.transports.output import OutputTransport
from antiphon.transports.sinks import CallbackSink
from antiphon.turns.stop_strategies import SpeechTimeoutUserTurnStopStrategy
from antiphon.turns.strategies import UserTurnStrategies
from antiphon.turns.vad_driver import VADProcessor


class Analyzer(FakeVADModel):
    """Loudness as voice activity."""

    params = VADParams(min_volume=0.0)


def _user() -> FrameProcessor:
    stop = SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=0.3)
    params = LLMUserAggregatorParams(
        vad_analyzer=Analyzer(), user_turn_strategies=UserTurnStrategies(stop=[stop])
    )
    return LLMContextAggregatorPair(LLMContext(), user_params=params).user()


PARTS: dict[str, Callable[[], FrameProcessor]] = {
    "input": InputTransport,
    "vad": lambda: VADProcessor(Analyzer()),
    "stt": lambda: STTService(FakeSTTProvider(segmented=True)),
    "user": _user,
    "llm": lambda: LLMService(FakeLLMProvider(default="Good to hear.")),
    "tts": lambda: TTSService(FakeTTSProvider()),
    "output": lambda: OutputTransport(CallbackSink(lambda pcm: None)),
    "assistant": lambda: LLMContextAggregatorPair(LLMContext()).assistant(),
}


@pytest.mark.parametrize("part", list(PARTS))
def test_the_parts_of_an_agent_keep_the_contract(part: str) -> None:
    """Unknown frames pass once each way; every end and cancel is in time and leaves nothing."""
    check_processor(PARTS[part], seeds=range(3))
