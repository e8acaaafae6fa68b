"""A model that hears and speaks, held in a conversation by its service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import pytest

from antiphon.context.llm_context import LLMContext
from antiphon.context.pair import LLMContextAggregatorPair
from antiphon.context.user_aggregator import LLMUserAggregatorParams
from antiphon.errors import AuthenticationError, ConnectivityError
from antiphon.frames.llm import LLMMessagesAppendFrame, LLMRunFrame, LLMUpdateSettingsFrame
from antiphon.kernel.params import PipelineParams
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.task import PipelineTask
from antiphon.services.contracts import CancelResponse, RealtimeEvent, RealtimeInput
from antiphon.services.realtime import RealtimeService, realtime_strategies
from antiphon.simulation.calls.caller import Caller, HeldCall, Script, hold_call
from antiphon.simulation.fakes.language_model import call
from antiphon.simulation.fakes.provider import Fail, Hang
from antiphon.simulation.fakes.realtime import FakeRealtimeProvider
from antiphon.simulation.faults import FaultPlan
from antiphon.simulation.loop.virtual_time import run
from antiphon.tools.params import FunctionCallParams
from antiphon.tools.schema import ToolsSchema

RATE = 16_000
ANSWER = "For how many people and at what time"


class Held:
    """What came of a call: the call, the context, the model, the errors."""

    def __init__(self) -> None:
        self.context = LLMContext([{"role": "system", "content": "Be brief."}])
        self.call: HeldCall | None = None
        self.events: list[str] = []

    @property
    def said(self) -> list[tuple[str, str]]:
        """Roles and texts of the context, without the system's."""
        return [(str(m["role"]), str(m.get("content"))) for m in self.context.get_messages()[1:]]

    @property
    def errors(self) -> list[str]:
        """What was reported."""
        assert self.call is not None
        return [frame.error for frame in self.call.errors]


def hold(
    provider: FakeRealtimeProvider,
    script: Script,
    *,
    seed: int | None = None,
    tools: Any = None,
    faults: dict[str, Any] | None = None,
    setup: Callable[[PipelineTask, RealtimeService], None] | None = None,
) -> Held:
    """Holds a call with a model behind the service."""
    held = Held()

    async def main() -> None:
        caller = Caller()
        held.context.set_tools(tools)
        pair = LLMContextAggregatorPair(
            held.context,
            user_params=LLMUserAggregatorParams(user_turn_strategies=realtime_strategies()),
        )
        service = RealtimeService(provider, context=held.context)
        task = PipelineTask(
            Pipeline([caller.input(), pair.user(), service, caller.output(), pair.assistant()]),
            params=PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=RATE),
        )
        if setup is not None:
            setup(task, service)
        injection = FaultPlan.of(faults or {}).inject(task)
        held.call = await hold_call(task, caller, script)
        held.events = [event.what for event in injection.events]

    run(main(), seed=seed)
    assert provider.running == 0
    assert provider.closed
    return held


async def asks(caller: Caller) -> None:
    """One question and its answer."""
    await caller.says("a table for tonight please")
    await caller.expects_reply(within=3.0)


@pytest.mark.parametrize("answers_turns", [False, True])
@pytest.mark.parametrize("seed", [None, 1, 2, 3])
def test_a_question_is_answered(seed: int | None, answers_turns: bool) -> None:
    """The caller is heard and answered, and the context says who said what; once, in order."""
    provider = FakeRealtimeProvider([ANSWER], answers_turns=answers_turns)
    held = hold(provider, asks, seed=seed)
    assert held.call is not None
    assert held.call.heard == ANSWER
    assert held.said == [("user", "a table for tonight please"), ("assistant", ANSWER)]
    assert [m["role"] for m in provider.conversation] == ["system", "user", "assistant"]
    assert held.errors == []


@pytest.mark.parametrize("answers_turns", [False, True])
@pytest.mark.parametrize("seed", [None, *range(6)])
def test_an_interruption_cuts_the_model_where_the_caller_did(
    seed: int | None, answers_turns: bool
) -> None:
    """Context and model remember what was heard of an answer, to a word, and the next is given."""
    story = " ".join(f"word{n}" for n in range(30))

    async def script(caller: Caller) -> None:
        await caller.says("tell me a story")
        await caller.interrupts("no stop it please", after=2.0)
        await caller.expects_reply(within=3.0, containing="well then")

    provider = FakeRealtimeProvider([story, "Well then."], answers_turns=answers_turns)
    held = hold(provider, script, seed=seed)
    roles = [role for role, _ in held.said]
    assert roles == ["user", "assistant", "user", "assistant"]
    told = held.said[1][1].split()
    assert told == story.split()[: len(told)]
    assert held.call is not None
    heard = len(held.call.heard.split()) - 2
    assert abs(len(told) - heard) <= 1
    remembered = [m["content"] for m in provider.conversation if m["role"] == "assistant"]
    assert abs(len(str(remembered[0]).split()) - heard) <= 1
    assert len(provider.truncations) == 1
    assert 5 <= heard <= 12
    roles = [message["role"] for message in provider.conversation]
    assert roles == ["system", "user", "assistant", "user", "assistant"]


def test_an_answer_cut_before_it_is_heard_is_forgotten() -> None:
    """Of an answer of which no sound was played nothing is remembered."""

    async def script(caller: Caller) -> None:
        await caller.says("tell me")
        await caller.pauses(0.65)
        await caller.says("no wait")
        await caller.expects_reply(within=3.0)

    provider = FakeRealtimeProvider(["One two three", "Yes?"], first_audio=0.3)
    held = hold(provider, script)
    assert held.call is not None
    assert held.call.heard == "Yes?"
    assert [role for role, _ in held.said] == ["user", "user", "assistant"]
    assert provider.cancels == 1


class SlowToStop(FakeRealtimeProvider):
    """Hears of a cancel half a second after it was said, and goes on until then."""

    async def converse(
        self, inputs: AsyncIterator[RealtimeInput]
    ) -> AsyncGenerator[RealtimeEvent, None]:
        async with aclosing(super().converse(LateCancels(inputs))) as events:
            async for event in events:
                yield event


class LateCancels:
    """Inputs, of which a cancel takes half a second."""

    def __init__(self, inputs: AsyncIterator[RealtimeInput]) -> None:
        self._inputs = inputs

    def __aiter__(self) -> AsyncIterator[RealtimeInput]:
        return self

    async def __anext__(self) -> RealtimeInput:
        item = await anext(self._inputs)
        if isinstance(item, CancelResponse):
            await asyncio.sleep(0.5)
        return item


def test_what_a_model_still_says_after_a_cut_is_forgotten() -> None:
    """An item that begins after the interruption was never heard: context and model agree."""

    async def script(caller: Caller) -> None:
        await caller.says("tell me")
        await caller.interrupts("no wait", after=0.7)
        await caller.expects_reply(within=4.0, containing="Yes?")

    said = ["One two three four", "Five six seven"]
    provider = SlowToStop([said, "Yes?"], speed=1.1)
    held = hold(provider, script)
    remembered = [m["content"] for m in provider.conversation if m["role"] == "assistant"]
    assert [str(text).split() for text in remembered][1:] == [[], ["Yes?"]]
    assert [text for role, text in held.said if role == "assistant"] == [remembered[0], "Yes?"]


def test_a_model_that_takes_no_input_is_called_anew() -> None:
    """Sound that nobody takes piles up, is reported, and the conversation is held anew."""

    async def script(caller: Caller) -> None:
        await caller.pauses(130.0)

    provider = FakeRealtimeProvider()
    fault = {"hang": True, "on": "input", "after": 10, "times": 1}
    held = hold(provider, script, faults={"realtime": fault})
    assert [error for error in held.errors if "takes no input" in error]
    assert provider.calls == 2


async def weather(params: FunctionCallParams, city: str) -> str:
    """The weather.

    Args:
        city: where.
    """
    await asyncio.sleep(0.5)
    return f"rain in {city}"


@pytest.mark.parametrize("answers_turns", [False, True])
@pytest.mark.parametrize("seed", [None, 1, 2])
def test_functions_run_and_their_results_are_spoken_about(
    seed: int | None, answers_turns: bool
) -> None:
    """A call is announced, run, written down, answered to the model, and the model goes on."""
    provider = FakeRealtimeProvider(
        [["Let me see", call("weather", city="Rome")], "It rains"], answers_turns=answers_turns
    )
    held = hold(provider, asks, seed=seed, tools=ToolsSchema([weather]))
    assert held.call is not None
    assert "It rains" in held.call.heard
    roles = [role for role, _ in held.said]
    assert roles == ["user", "assistant", "assistant", "tool", "assistant"]
    assert held.said[3][1] == '"rain in Rome"'
    outputs = [m for m in provider.conversation if m["role"] == "tool"]
    assert [m["content"] for m in outputs] == ['"rain in Rome"']
    assert [tool.name for tool in provider.sessions[-1].tools] == ["weather"]
    assert held.errors == []


def test_the_program_speaks_first_and_adds_messages() -> None:
    """A run without the caller, messages and settings of the program's reach the model."""

    def setup(task: PipelineTask, service: RealtimeService) -> None:
        task.queue_frame(LLMUpdateSettingsFrame({"system_instruction": "Be nice."}))
        message = {"role": "developer", "content": "The caller is called Ann."}
        task.queue_frame(LLMMessagesAppendFrame([message]))
        task.queue_frame(LLMRunFrame())

    async def script(caller: Caller) -> None:
        await caller.expects_reply(within=5.0, containing="hello Ann")

    provider = FakeRealtimeProvider(["Hello Ann"])
    held = hold(provider, script, setup=setup)
    assert [m["role"] for m in provider.conversation] == ["system", "developer", "assistant"]
    assert provider.sessions[-1].system_instruction == "Be nice."
    assert held.said[-1] == ("assistant", "Hello Ann")


@pytest.mark.parametrize(
    "faults",
    [
        {0: Fail(ConnectivityError("gone"), after=1)},
        {0: Fail(ConnectivityError("gone"), after=3)},
        {0: Fail(ConnectivityError("gone")), 1: Fail(ConnectivityError("gone"))},
    ],
)
def test_a_conversation_that_breaks_off_is_held_again(faults: dict[int, Fail]) -> None:
    """A broken connection is made anew with all of the context, and the caller is answered."""

    async def script(caller: Caller) -> None:
        await caller.says("a table please")
        await caller.pauses(8.0)
        await caller.says("are you there")
        await caller.expects_reply(within=4.0, containing=ANSWER)

    provider = FakeRealtimeProvider(lambda _: ANSWER, faults=faults)
    held = hold(provider, script)
    assert provider.calls == 1 + len(faults)
    assert provider.conversation[0] == {"role": "system", "content": "Be brief."}
    assert any("gone" in error for error in held.errors)


def test_a_hopeless_provider_is_given_up() -> None:
    """An error that will not go away is said once; the conversation ends all the same."""

    async def script(caller: Caller) -> None:
        await caller.says("hello")
        await caller.pauses(5.0)

    held = hold(FakeRealtimeProvider(connect_error=AuthenticationError("no key")), script)
    assert len(held.errors) == 1
    assert "gives up" in held.errors[0]


def test_a_model_that_says_nothing_is_reported_and_asked_again() -> None:
    """An answer that never begins fails by its deadline and is tried again; then it is reported."""

    async def script(caller: Caller) -> None:
        await caller.says("hello")
        await caller.expects_reply(within=30.0)

    provider = FakeRealtimeProvider(["One", "Two"])
    held = hold(provider, script, faults={"realtime": {"delay": 12.0, "after": 3, "times": 1}})
    assert held.events == ["delay 12.0, after 3, times 1"]
    assert held.call is not None
    assert held.call.heard in {"One", "Two", "One Two"}


def test_a_model_that_hangs_does_not_hang_the_call() -> None:
    """A stream that never goes on is reported; the end comes in time."""

    async def script(caller: Caller) -> None:
        await caller.says("hello")
        await caller.pauses(60.0)

    provider = FakeRealtimeProvider(["One"], faults={0: Hang(after=3)})
    held = hold(provider, script)
    assert any("failed to answer" in error for error in held.errors)
