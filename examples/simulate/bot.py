"""A restaurant's telephone, and a scenario to try it with: no key, no microphone, no model.

    antiphon simulate examples/simulate/dinner.yaml

    antiphon simulate examples/simulate/dinner.yaml --seed 17 --timeline dinner.html
    antiphon simulate examples/simulate/dinner.yaml --agent bot:make_careless_task
    antiphon simulate examples/simulate/spoken.yaml

The pipeline is the one that would answer a real telephone: the function that builds it takes the
transport and the providers as arguments, and the simulation gives it its own.
"""

from __future__ import annotations

import asyncio

from antiphon import (
    BaseTransport,
    FrameDirection,
    FrameProcessor,
    FunctionCallParams,
    LLMContext,
    LLMContextAggregatorPair,
    LLMFullResponseStartFrame,
    LLMRequest,
    LLMService,
    LLMTextFrame,
    LLMUserAggregatorParams,
    Pipeline,
    PipelineTask,
    SpeechTimeoutUserTurnStopStrategy,
    STTProvider,
    STTService,
    TTSProvider,
    TTSService,
    TTSSpeakFrame,
    UserTurnStrategies,
    VADAnalyzer,
    VADParams,
    handles,
)
from antiphon.simulation import (
    FakeLLMProvider,
    FakeSTTProvider,
    FakeTTSProvider,
    FakeVADModel,
    Reply,
    call,
    lognormal,
)

PATIENCE_SECS = 5.0


class Filler(FrameProcessor):
    """Says that it takes a moment when the model has said nothing for some seconds."""

    def __init__(self, *, careless: bool = False) -> None:
        super().__init__()
        self._careless = careless
        self._answering = False

    @handles(LLMFullResponseStartFrame)
    async def begin(self, frame: LLMFullResponseStartFrame, direction: FrameDirection) -> None:
        self._answering = False
        # A bound task ends when the caller interrupts. The careless one goes on, and takes the
        # silence before the next answer for its own.
        self.create_task(self._wait(), name="patience", bound=not self._careless)
        await self.push_frame(frame, direction)

    @handles(LLMTextFrame)
    async def answer(self, frame: LLMTextFrame, direction: FrameDirection) -> None:
        self._answering = True
        await self.push_frame(frame, direction)

    async def _wait(self) -> None:
        await asyncio.sleep(PATIENCE_SECS)
        if not self._answering:
            await self.push_frame(TTSSpeakFrame("One moment, please."))


async def book_table(params: FunctionCallParams, people: int, hour: int) -> None:
    """Books a table for so many people, at a full hour from 18 to 22."""
    await asyncio.sleep(0.4)
    await params.result_callback({"booked": f"{people} people at {hour}"})


def waiter(request: LLMRequest) -> Reply:
    """What a language model would answer, more or less."""
    last = request.messages[-1]
    if last["role"] == "tool":
        return "Done, a table for four at eight. Is there anything else?"
    said = str(last["content"])
    if "four" in said:
        return call("book_table", people=4, hour=20)
    if "table" in said:
        return "With pleasure. For how many people, and at what time would you like to come?"
    return "You are welcome. Goodbye!"


class LoudnessVAD(FakeVADModel):
    """Takes whatever is loud for speech."""

    params = VADParams(min_volume=0.0)


def restaurant(
    transport: BaseTransport,
    stt: STTProvider,
    tts: TTSProvider,
    vad: VADAnalyzer,
    *,
    careless: bool = False,
) -> PipelineTask:
    """The agent, with the ears, the voice and the transport that it is given."""
    user, assistant = LLMContextAggregatorPair(
        LLMContext(tools=[book_table]),
        user_params=LLMUserAggregatorParams(
            vad_analyzer=vad,
            user_turn_strategies=UserTurnStrategies(
                stop=[SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=0.6)]
            ),
        ),
    )
    llm = LLMService(FakeLLMProvider(waiter, first_token=lognormal(0.4, 1.2)))
    return PipelineTask(
        Pipeline(
            [
                transport.input(),
                STTService(stt),
                user,
                llm,
                Filler(careless=careless),
                TTSService(tts),
                transport.output(),
                assistant,
            ]
        )
    )


def make_task(transport: BaseTransport, *, careless: bool = False) -> PipelineTask:
    """The agent on fakes, for callers who speak in the coded voice, or in facts."""
    stt = FakeSTTProvider(latency=lognormal(0.2, 0.5), segmented=True)
    tts = FakeTTSProvider(first_audio=lognormal(0.15, 0.4))
    return restaurant(transport, stt, tts, LoudnessVAD(), careless=careless)


def make_careless_task(transport: BaseTransport) -> PipelineTask:
    """The same with a mistake in it, which few calls show."""
    return make_task(transport, careless=True)


def make_spoken_task(transport: BaseTransport) -> PipelineTask:
    """The agent with the embedded ears and voice, for callers who speak."""
    from antiphon.providers.local.stt import LocalSTTProvider
    from antiphon.providers.local.tts import LocalTTSProvider
    from antiphon.providers.local.vad import SileroVADAnalyzer

    voice = LocalTTSProvider(variation=0.0)
    return restaurant(transport, LocalSTTProvider(), voice, SileroVADAnalyzer())
