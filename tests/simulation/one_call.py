"""A whole call in a process of its own: prints how it went, to be compared with other processes.

python -m tests.simulation.one_call SEED
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
from collections.abc import Sequence

from antiphon import (
    FunctionCallParams,
    LLMService,
    LLMUserAggregatorParams,
    Pipeline,
    PipelineParams,
    PipelineTask,
    SpeechTimeoutUserTurnStopStrategy,
    STTService,
    TTSService,
    UserTurnStrategies,
    VADParams,
)
from antiphon.context.llm_context import LLMContext
from antiphon.context.pair import LLMContextAggregatorPair
from antiphon.kernel.observers import BaseObserver
from antiphon.services.contracts import LLMRequest
from antiphon.simulation.calls.caller import Caller, hold_call
from antiphon.simulation.fakes.delays import lognormal
from antiphon.simulation.fakes.language_model import FakeLLMProvider, Reply, call
from antiphon.simulation.fakes.stt import FakeSTTProvider
from antiphon.simulation.fakes.tts import FakeTTSProvider
from antiphon.simulation.fakes.vad import FakeVADModel
from antiphon.simulation.loop.virtual_time import simulate
from antiphon.simulation.record.observer_log import ObserverLog

RATE = 16_000


class LoudnessVAD(FakeVADModel):
    """Speech is what is loud."""

    params = VADParams(min_volume=0.0)


async def get_weather(params: FunctionCallParams, city: str) -> None:
    """The weather of a city."""
    await asyncio.sleep(0.5)
    await params.result_callback(f"mild in {city}")


def answer(request: LLMRequest) -> Reply:
    """The tool, what it said, or a story."""
    last = request.messages[-1]
    if last["role"] == "tool":
        return "It will be mild and dry all day."
    if "weather" in str(last["content"]):
        return ["Let me see.", call("get_weather", city="Rome")]
    return "Well, there once was a man who walked along the river every day."


def agent(caller: Caller, observers: Sequence[BaseObserver] = ()) -> PipelineTask:
    """A whole agent: only its services and its voice activity model are fakes."""
    pair = LLMContextAggregatorPair(
        LLMContext(tools=[get_weather]),
        user_params=LLMUserAggregatorParams(
            vad_analyzer=LoudnessVAD(),
            user_turn_strategies=UserTurnStrategies(
                stop=[SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=0.6)]
            ),
        ),
    )
    return PipelineTask(
        Pipeline(
            [
                caller.input(),
                STTService(FakeSTTProvider(sample_rate=RATE, segmented=True)),
                pair.user(),
                LLMService(FakeLLMProvider(answer, first_token=lognormal(0.3, 1.0))),
                TTSService(FakeTTSProvider(sample_rate=RATE)),
                caller.output(),
                pair.assistant(),
            ]
        ),
        params=PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=RATE),
        observers=observers,
    )


async def talk(log: ObserverLog) -> str:
    """The caller asks, is told, asks again and interrupts."""
    caller = Caller()

    async def script(caller: Caller) -> None:
        await caller.says("what is the weather in rome")
        await caller.expects_reply(within=8.0, containing="mild", settle=3.0)
        await caller.says("tell me a story")
        await caller.interrupts("thank you that is enough", after=1.0)
        await caller.expects_reply(within=8.0)

    return (await hold_call(agent(caller, [log]), caller, script)).heard


def main() -> None:
    """One line: fingerprint, steps, virtual seconds, and a digest of all hand-overs."""
    log = ObserverLog()
    outcome = simulate(talk(log), seed=int(sys.argv[1]))
    outcome.result()
    digest = hashlib.sha256(log.text.encode()).hexdigest()
    print(outcome.fingerprint, outcome.steps, outcome.virtual_secs, digest)


if __name__ == "__main__":
    main()
