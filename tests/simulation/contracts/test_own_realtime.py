"""The service of models that speak, and its tools, under the suite for processors."""

from __future__ import annotations

import asyncio

from antiphon.context.llm_context import LLMContext
from antiphon.errors import ConnectivityError
from antiphon.frames.audio import InputAudioRawFrame
from antiphon.frames.base import Frame
from antiphon.frames.llm import LLMContextFrame, LLMUpdateSettingsFrame
from antiphon.frames.turns import UserStartedSpeakingFrame
from antiphon.kernel.params import PipelineParams
from antiphon.services.realtime import RealtimeService
from antiphon.simulation.contracts import check_processor
from antiphon.simulation.fakes.language_model import call
from antiphon.simulation.fakes.provider import Fail
from antiphon.simulation.fakes.realtime import FakeRealtimeProvider, Reply
from antiphon.simulation.fakes.voice import speak
from antiphon.tools.params import FunctionCallParams
from antiphon.tools.schema import FunctionSchema, ToolsSchema

RATE = 16_000
PARAMS = PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=RATE)


async def look(params: FunctionCallParams) -> None:
    """Takes its time."""
    await asyncio.sleep(0.05)
    await params.result_callback({"seen": 1})


def frames() -> list[Frame]:
    """A caller who says something, and two requests for an answer."""
    tools = ToolsSchema([FunctionSchema("look", "Looks.", handler=look)])
    context = LLMContext([{"role": "user", "content": "Hello."}], tools=tools)
    pcm = speak("good morning")
    cut = [InputAudioRawFrame(pcm[at : at + 6_400], RATE) for at in range(0, len(pcm), 6_400)]
    return [
        UserStartedSpeakingFrame(),
        *cut,
        LLMContextFrame(context.snapshot()),
        LLMContextFrame(context.snapshot()),
    ]


def service(reply: Reply = "Hello there, my friend.") -> RealtimeService:
    """The service with a model that always says the same."""
    return RealtimeService(FakeRealtimeProvider(lambda conversation: reply, first_audio=0.1))


def test_the_service_keeps_the_contract_of_processors() -> None:
    """Speech stops at every interruption, goes on afterwards, survives failures, and ends."""
    check_processor(
        service,
        frames=frames(),
        seeds=2,
        moments=50,
        updates=[LLMUpdateSettingsFrame({"system_instruction": "Be brief."})],
        failing=lambda n: RealtimeService(
            FakeRealtimeProvider(
                default="Hello.", faults={0: Fail(ConnectivityError("gone"), after=n)}
            )
        ),
        params=PARAMS,
    )


def test_its_calls_keep_their_order() -> None:
    """Calls, results and cancels of a model that speaks are announced and end as all others."""
    check_processor(
        lambda: service(["One moment.", call("look")]),
        frames=frames(),
        seeds=2,
        moments=40,
        gap_secs=0.4,
        params=PARAMS,
    )
