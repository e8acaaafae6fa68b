"""The agent of the demonstration: a hotel's telephone, on whatever transport it is given."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from antiphon.context.llm_context import LLMContext
from antiphon.context.pair import LLMContextAggregatorPair
from antiphon.context.user_aggregator import LLMUserAggregator, LLMUserAggregatorParams
from antiphon.demo.script import FILLER, PERSONA, WEATHER_SECS
from antiphon.frames.speech import TTSSpeakFrame
from antiphon.kernel.pipeline import Pipeline
from antiphon.providers.local.llm_provider import LocalLLMProvider
from antiphon.providers.local.stt import LocalSTTProvider
from antiphon.providers.local.tts import LocalTTSProvider
from antiphon.providers.local.turn import LocalSmartTurnModel
from antiphon.providers.local.vad import SileroVADAnalyzer
from antiphon.services.contracts import LLMProvider
from antiphon.services.llm import LLMService
from antiphon.services.llm_request import request_of
from antiphon.services.stt import STTService
from antiphon.services.tts import TTSService
from antiphon.settings import LLMSettings
from antiphon.tools.params import FunctionCallParams
from antiphon.tools.schema import FunctionSchema, ToolsSchema
from antiphon.transports.base import BaseTransport
from antiphon.turns.stop_strategies import TurnAnalyzerUserTurnStopStrategy
from antiphon.turns.strategies import UserTurnStrategies

PATIENCE_SECS = 2.2
"""How long a caller who hesitates may be silent before the agent answers all the same."""

WEATHER = FunctionSchema(
    name="get_weather",
    description="Get the current weather in a city.",
    properties={"city": {"type": "string", "description": "The city"}},
    required=["city"],
)


class Bot(msgspec.Struct):
    """The agent, ready to run."""

    pipeline: Pipeline
    context: LLMContext
    llm: LLMService
    stt: STTService
    tts: TTSService
    turn_model: LocalSmartTurnModel
    user: LLMUserAggregator

    async def warm_up(self) -> None:
        """Loads all models, and lets the embedded one read the beginning of its prompt."""
        await self.stt.provider.connect()
        await self.tts.provider.connect()
        await self.turn_model.connect()
        provider = self.llm.provider
        await provider.connect()
        if isinstance(provider, LocalLLMProvider):
            await provider.warm(
                request_of(
                    self.context.snapshot(),
                    provider=provider.name,
                    settings=self.llm.settings,
                    registry=self.llm.functions,
                )
            )

    def parts(self) -> dict[str, str]:
        """Who does what, for people."""
        return {
            "Voice activity": "silero-vad",
            "End of turn": "smart-turn-v3.2",
            "Speech to text": self.stt.provider.name,
            "Language model": f"{self.llm.provider.name}: {self.llm.provider.model}",
            "Text to speech": self.tts.provider.name,
        }


async def get_weather(params: FunctionCallParams) -> None:
    """Slow on purpose: the talk goes on meanwhile."""
    await asyncio.sleep(WEATHER_SECS)
    city = params.arguments.get("city", "London")
    await params.result_callback({"city": city, "conditions": "cloudy", "temperature_celsius": 18})


def build(transport: BaseTransport, provider: LLMProvider) -> Bot:
    """The pipeline from the caller's ear to the caller's ear."""
    stt = STTService(LocalSTTProvider())
    tts = TTSService(LocalTTSProvider())
    context = LLMContext(tools=ToolsSchema(standard_tools=[WEATHER]))
    persona = LLMSettings(system_instruction=PERSONA)
    llm = LLMService(provider, settings=persona, warm_up=context)
    llm.register_function(
        WEATHER.name, get_weather, cancel_on_interruption=False, is_async=True, timeout_secs=60
    )

    @llm.event_handler("on_function_calls_started")
    async def say_so(_service: LLMService, _calls: list[Any]) -> None:
        await tts.queue_frame(TTSSpeakFrame(FILLER))

    turn_model = LocalSmartTurnModel()
    pair = LLMContextAggregatorPair(
        context,
        user_params=LLMUserAggregatorParams(
            vad_analyzer=SileroVADAnalyzer(),
            user_turn_strategies=UserTurnStrategies(
                stop=[
                    TurnAnalyzerUserTurnStopStrategy(
                        turn_analyzer=turn_model, stop_secs=PATIENCE_SECS
                    )
                ]
            ),
        ),
    )
    pipeline = Pipeline(
        [transport.input(), stt, pair.user(), llm, tts, transport.output(), pair.assistant()],
    )
    return Bot(pipeline, context, llm, stt, tts, turn_model, pair.user())
