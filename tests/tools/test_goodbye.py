"""A tool says goodbye: it is heard to the end, then the session ends, once, whatever happens."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from antiphon.audio.vad import VADParams
from antiphon.context.llm_context import LLMContext
from antiphon.context.pair import LLMContextAggregatorPair
from antiphon.context.user_aggregator import LLMUserAggregatorParams
from antiphon.frames.lifecycle import EndFrame
from antiphon.frames.speech import TTSSpeakFrame
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.task import PipelineTask
from antiphon.services.llm import LLMService
from antiphon.services.stt import STTService
from antiphon.services.tts import TTSService
from antiphon.simulation.calls.caller import Caller, HeldCall, hold_call
from antiphon.simulation.fakes.language_model import FakeLLMProvider, call
from antiphon.simulation.fakes.stt import FakeSTTProvider
from antiphon.simulation.fakes.tts import FakeTTSProvider
from antiphon.simulation.fakes.vad import FakeVADModel
from antiphon.simulation.loop.virtual_time import run
from antiphon.tools.params import FunctionCallParams
from antiphon.tools.schema import FunctionSchema, ToolsSchema

GOODBYE = "Goodbye my dear friend and good luck"


class Analyzer(FakeVADModel):
    """Takes whatever is loud for speech."""

    def __init__(self) -> None:
        super().__init__()
        self.params = VADParams(min_volume=0.0)


class Goodbye:
    """One call in which the model ends it; `way` is how the tool does that."""

    def __init__(self, seed: int, way: str) -> None:
        self.rng = random.Random(f"goodbye {seed}")
        self.seed, self.way = seed, way
        self.ended = 0
        self.caller = Caller()
        tools = ToolsSchema([FunctionSchema("bye", "Ends the call.", {}, [])])
        context = LLMContext(tools=tools)
        first: list[Any] = [call("bye")] if self.rng.random() < 0.5 else ["Very well.", call("bye")]
        llm = LLMService(FakeLLMProvider([first], default="never"))
        llm.register_function("bye", self._bye)
        user_params = LLMUserAggregatorParams(vad_analyzer=Analyzer())
        pair = LLMContextAggregatorPair(context, user_params=user_params)
        word_times = self.rng.random() < 0.5
        self.task = PipelineTask(
            Pipeline(
                [
                    self.caller.input(),
                    STTService(FakeSTTProvider()),
                    pair.user(),
                    llm,
                    TTSService(FakeTTSProvider(word_times=word_times)),
                    self.caller.output(),
                    pair.assistant(),
                ]
            )
        )

        def finished(_: object, __: object) -> None:
            self.ended += 1

        self.task.add_event_handler("on_pipeline_finished", finished)

    async def _bye(self, params: FunctionCallParams) -> None:
        if self.way == "end_call":
            await params.end_call(GOODBYE)
        elif self.way == "twice":
            await asyncio.gather(params.end_call(GOODBYE), params.end_call(GOODBYE))
        elif self.way == "speak then end":
            await params.llm.push_frame(TTSSpeakFrame(GOODBYE))
            await params.llm.push_frame(EndFrame())
        else:
            await self.task.queue_frames([TTSSpeakFrame(GOODBYE), EndFrame()])

    def hold(self, *, speaks: bool, drops: bool) -> HeldCall:
        """The caller may speak into the goodbye, and the line be lost in the middle of it."""

        async def script(caller: Caller) -> None:
            await caller.says("we are done")
            await asyncio.sleep(self.rng.uniform(0.8, 3.0))
            if drops and caller.connected:
                await caller.loses_line()
                await asyncio.sleep(self.rng.uniform(0.1, 4.0))
                await caller.returns()
            if speaks and caller.connected:
                await caller.says("thank you and bye")
            until = asyncio.get_running_loop().time() + 20.0
            while caller.connected and asyncio.get_running_loop().time() < until:  # noqa: ASYNC110
                await asyncio.sleep(0.1)

        return run(hold_call(self.task, self.caller, script), seed=self.seed)


@pytest.mark.parametrize("way", ["end_call", "twice", "speak then end", "queue"])
def test_the_goodbye_is_heard_to_the_end_and_the_call_ends_once(way: str) -> None:
    """The obvious ways too, where the caller is quiet."""
    for seed in range(25):
        goodbye = Goodbye(seed, way)
        held = goodbye.hold(speaks=False, drops=False)
        assert held.heard.endswith(GOODBYE), f"seed {seed}: {held.heard}"
        assert held.heard.count("Goodbye") == 1
        assert goodbye.ended == 1
        assert held.secs < 15.0, f"seed {seed}"


@pytest.mark.parametrize("drops", [False, True])
def test_neither_the_caller_nor_the_line_cuts_a_goodbye_short(drops: bool) -> None:
    """Words said into it interrupt nothing; a line that is lost and comes back goes on with it."""
    for seed in range(25):
        goodbye = Goodbye(seed, "end_call")
        held = goodbye.hold(speaks=not drops, drops=drops)
        last = GOODBYE.rsplit(" ", maxsplit=1)[-1]
        assert held.heard.endswith(last), f"seed {seed}: {held.heard}"
        assert len(set(GOODBYE.split()) - set(held.heard.split())) <= drops, f"seed {seed}"
        assert goodbye.ended == 1
        assert held.secs < 20.0, f"seed {seed}"
