"""A context belongs to one conversation at a time, and a tool can end that conversation."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from antiphon.audio.vad import VADParams
from antiphon.context.llm_context import LLMContext
from antiphon.context.pair import LLMContextAggregatorPair
from antiphon.context.user_aggregator import LLMUserAggregatorParams
from antiphon.errors import AlreadyInPipelineError
from antiphon.frames.lifecycle import EndFrame, StopFrame
from antiphon.frames.speech import TTSSpeakFrame
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.task import PipelineTask
from antiphon.services.llm import LLMService
from antiphon.services.stt import STTService
from antiphon.services.tts import TTSService
from antiphon.simulation.calls.caller import Caller, hold_call
from antiphon.simulation.fakes.language_model import FakeLLMProvider, call
from antiphon.simulation.fakes.stt import FakeSTTProvider
from antiphon.simulation.fakes.tts import FakeTTSProvider
from antiphon.simulation.fakes.vad import FakeVADModel
from antiphon.simulation.loop.virtual_time import run
from antiphon.tools.params import FunctionCallParams
from antiphon.tools.schema import FunctionSchema, ToolsSchema
from tests.context.rig import Rig, converse
from tests.context.tool_rig import asks, rig_with

# ---- one at a time ----


def task_with(context: LLMContext) -> PipelineTask:
    user, assistant = LLMContextAggregatorPair(context)
    return PipelineTask(Pipeline([user, LLMService(FakeLLMProvider(default="x")), assistant]))


def test_a_second_conversation_is_refused_and_the_first_goes_on() -> None:
    """`run` of the second raises one error that says what to do; afterwards the context is free."""

    async def main() -> None:
        context = LLMContext()
        first = task_with(context)
        running = asyncio.create_task(first.run())
        await asyncio.sleep(0.1)
        with pytest.raises(AlreadyInPipelineError, match="a context of its own"):
            await task_with(context).run()
        assert not first.has_finished()
        await first.stop_when_done()
        await running
        third = task_with(context)
        running = asyncio.create_task(third.run())
        await asyncio.sleep(0.1)
        await third.cancel()
        await running
        fourth = task_with(context)
        await fourth.queue_frame(StopFrame())
        await fourth.run()
        fifth = task_with(context)
        await fifth.queue_frame(EndFrame())
        await fifth.run()

    run(main())


def test_a_conversation_whose_loop_is_gone_holds_nothing() -> None:
    """A loop that was closed under a conversation does not keep its context."""
    context = LLMContext()
    loop = asyncio.new_event_loop()
    pair = LLMContextAggregatorPair(context)

    async def begin() -> None:
        pair.shared.begin("user")

    loop.run_until_complete(begin())
    loop.close()

    async def main() -> None:
        task = task_with(context)
        await task.queue_frame(EndFrame())
        await task.run()

    run(main())


# ---- hanging up ----

GOODBYE = "Goodbye my dear friend"


class Loudness(FakeVADModel):
    """Takes whatever is loud for speech."""

    def __init__(self) -> None:
        super().__init__()
        self.params = VADParams(min_volume=0.0)


class Phone:
    """A bot with a tool that ends the call."""

    def __init__(self, tool: Any, replies: list[Any], **options: Any) -> None:
        self.caller = Caller()
        self.context = LLMContext(tools=ToolsSchema([FunctionSchema("bye", "Ends the call.")]))
        user, assistant = LLMContextAggregatorPair(
            self.context, user_params=LLMUserAggregatorParams(vad_analyzer=Loudness())
        )
        self.model = FakeLLMProvider(replies, default="And another thing.")
        llm = LLMService(self.model)
        llm.register_function("bye", tool, **options)
        parts = [
            self.caller.input(),
            STTService(FakeSTTProvider()),
            user,
            llm,
            TTSService(FakeTTSProvider()),
            self.caller.output(),
            assistant,
        ]
        self.task = PipelineTask(Pipeline(parts))
        self.ends: list[Any] = []
        self.task.add_event_handler(
            "on_pipeline_finished", lambda _, frame: self.ends.append(frame)
        )

    def hold(self, script: Any, seed: int) -> Any:
        async def main() -> Any:
            return await hold_call(self.task, self.caller, script)

        return run(main(), seed=seed)


async def says_goodbye(params: FunctionCallParams) -> None:
    await params.end_call(GOODBYE)


async def answers_first(params: FunctionCallParams) -> None:
    await params.result_callback({"ok": True})
    await params.end_call(GOODBYE)


async def speaks_first(params: FunctionCallParams) -> None:
    await params.llm.push_frame(TTSSpeakFrame(GOODBYE))
    await params.end_call()


async def asks_twice(params: FunctionCallParams) -> None:
    await params.end_call(GOODBYE)
    await params.end_call("Never heard")


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "tool", [says_goodbye, answers_first, speaks_first, asks_twice], ids=lambda tool: tool.__name__
)
def test_a_tool_says_goodbye_and_ends_the_call(tool: Any, seed: int) -> None:
    """The words are heard to their end, nothing is said after them, and the session ends once."""
    phone = Phone(tool, [["Wait.", call("bye")]])

    async def script(caller: Any) -> None:
        await caller.says("we are done")
        await asyncio.sleep(25)

    heard = phone.hold(script, seed).heard
    assert heard.split("Wait.")[-1].strip() == GOODBYE
    assert len(phone.ends) == 1
    assert isinstance(phone.ends[0], EndFrame)
    assert phone.task.has_finished()
    assert {"role": "assistant", "content": GOODBYE} in phone.context.messages


@pytest.mark.parametrize("seed", range(12))
def test_nothing_cuts_a_goodbye_off(seed: int) -> None:
    """A caller who goes on talking over it, from any moment on, hears all of it.

    One who cuts in before the model has asked for the end stays on the line.
    """
    begun: list[float] = []

    async def tool(params: FunctionCallParams) -> None:
        begun.append(params.llm.clock.now())
        await says_goodbye(params)

    phone = Phone(
        tool,
        [["One moment please.", call("bye")]],
        is_async=True,
        cancel_on_interruption=False,
    )

    async def script(caller: Any) -> None:
        await caller.says("we are done")
        await asyncio.sleep(0.4 + 0.15 * seed)
        await caller.says("oh and one more thing that I forgot to say")
        await asyncio.sleep(25)

    heard = phone.hold(script, seed).heard
    assert (GOODBYE in heard) is bool(begun)
    assert len(phone.ends) == 1
    assert bool(begun) or seed < 4


def test_no_text_ends_at_once_and_needs_no_voice() -> None:
    """`end_call()` in a pipeline without sound: the session is over, the model asked no more."""

    async def handler(params: FunctionCallParams) -> None:
        await params.end_call()

    async def play(rig: Rig) -> None:
        await asks(rig)
        assert rig.task.has_finished()

    rig = converse(rig_with([call("f"), "never"], {"f": handler}), play)
    assert rig.inferences == 1
