"""When the model hears of results, and what interruptions do to calls."""

from __future__ import annotations

import asyncio

from antiphon.frames.llm import LLMMessagesAppendFrame
from antiphon.frames.speech import TTSSpeakFrame
from antiphon.frames.tools import FunctionCallFromLLM
from antiphon.simulation.fakes.language_model import call
from antiphon.tools.params import FunctionCallParams
from tests.context.rig import Rig, calls_in, converse
from tests.context.tool_rig import answering, asks, rig_with

# ---- timing ----


def test_a_result_while_the_user_speaks_is_covered_by_the_users_turn() -> None:
    """It is written at once and costs no inference of its own."""

    async def play(rig: Rig) -> None:
        await rig.says("Weather?")
        await asyncio.sleep(1)
        await rig.user_starts()
        await asyncio.sleep(2)
        assert calls_in(rig.messages) == [("f", '"nice"')]
        assert rig.inferences == 1
        await rig.user_stops("And hurry up.")
        await asyncio.sleep(10)

    options = {"cancel_on_interruption": False}
    script = [call("f"), "It is nice."]
    rig = converse(rig_with(script, {"f": answering("nice", 2)}, options=options), play)
    assert rig.inferences == 2
    assert dict(calls_in(rig.provider.requests[1].messages)) == {"f": '"nice"'}


def test_a_result_while_the_user_makes_only_noise_runs_after_it() -> None:
    """A turn without words has no inference that could cover the result, so it gets its own."""

    async def play(rig: Rig) -> None:
        await rig.says("Weather?")
        await asyncio.sleep(1)
        await rig.user_starts()
        await asyncio.sleep(2)
        await rig.user_stops()
        await asyncio.sleep(20)

    options = {"cancel_on_interruption": False}
    script = [call("f"), "It is nice."]
    rig = converse(rig_with(script, {"f": answering("nice", 2)}, options=options), play)
    assert rig.inferences == 2
    assert rig.of_role("assistant") == ["It is nice."]


def test_a_result_while_the_bot_speaks_waits_for_the_end_of_the_speech() -> None:
    """The follow-up request sees the whole of what was said, before the call."""
    script = [["Let me check that for you now.", call("f")], "Nice."]
    rig = converse(rig_with(script, {"f": answering("nice")}), asks)
    roles = [(m["role"], m.get("content")) for m in rig.provider.requests[1].messages]
    assert roles == [
        ("user", "Well?"),
        ("assistant", "Let me check that for you now."),
        ("assistant", None),
        ("tool", '"nice"'),
    ]
    assert rig.voice.said == "Let me check that for you now.Nice."


def test_a_result_is_not_lost_when_the_user_interrupts_while_it_waits() -> None:
    """The result waits for the bot; the user cuts in; the user's inference covers it."""

    async def play(rig: Rig) -> None:
        await rig.says("Weather?")
        await asyncio.sleep(0.8)
        assert calls_in(rig.messages) == [("f", '"nice"')]
        await rig.says("Never mind.")
        await asyncio.sleep(10)

    script = [["Let me check that for you now, wait.", call("f")], "As you like."]
    rig = converse(rig_with(script, {"f": answering("nice")}), play)
    assert rig.inferences == 2
    sent = rig.provider.requests[1].messages
    assert dict(calls_in(sent)) == {"f": '"nice"'}
    assert [m["role"] for m in sent] == ["user", "assistant", "assistant", "tool", "user"]
    heard = sent[1]["content"]
    assert "Let me check that for you now, wait.".startswith(heard)
    assert len(heard) < 30
    assert rig.turns[0].interrupted
    assert f"{heard} {rig.turns[0].unheard}" == "Let me check that for you now, wait."


def test_an_inference_cut_off_by_noise_is_made_up_for() -> None:
    """The follow-up was interrupted before a word by a cough: the model is asked again."""

    async def play(rig: Rig) -> None:
        await rig.says("Weather?")
        await asyncio.sleep(1.08)
        assert rig.inferences == 2
        await rig.user_starts()
        await asyncio.sleep(0.5)
        await rig.user_stops()
        await asyncio.sleep(20)

    options = {"cancel_on_interruption": False}
    script = [call("f"), "It is nice.", "It is nice."]
    rig = converse(rig_with(script, {"f": answering("nice", 0.6)}, options=options), play)
    assert rig.of_role("assistant") == ["It is nice."]
    assert rig.inferences == 3


def test_speech_during_a_call_is_written_before_it() -> None:
    """What the agent says while the model waits for a result comes before the call."""

    async def handler(params: FunctionCallParams) -> None:
        await params.llm.push_frame(TTSSpeakFrame("One moment."))
        await asyncio.sleep(2)
        await params.result_callback("nice")

    rig = converse(rig_with([call("f"), "It is nice."], {"f": handler}), asks)
    sent = rig.provider.requests[1].messages
    assert [(m["role"], m.get("content")) for m in sent] == [
        ("user", "Well?"),
        ("assistant", "One moment."),
        ("assistant", None),
        ("tool", '"nice"'),
    ]


def test_a_run_in_mid_speech_sees_what_is_being_said() -> None:
    """The request has all that was generated, in its place; the context only what was heard."""

    async def play(rig: Rig) -> None:
        await rig.says("Weather?")
        await asyncio.sleep(0.8)
        await rig.send(LLMMessagesAppendFrame([{"role": "user", "content": "x"}], run_llm=True))
        await asyncio.sleep(0.05)
        assert rig.of_role("assistant") == []
        await rig.says("Stop.")
        await asyncio.sleep(5)

    said = "Let me check that for you now."
    options = {"cancel_on_interruption": False}
    script = [[said, call("f")], "B.", "C."]
    rig = converse(rig_with(script, {"f": answering("nice", 8)}, options=options), play)
    second = rig.provider.requests[1].messages
    assert [(m["role"], m.get("content")) for m in second] == [
        ("user", "Weather?"),
        ("assistant", said),
        ("assistant", None),
        ("tool", "IN_PROGRESS"),
        ("user", "x"),
    ]
    heard = rig.of_role("assistant")[0]
    assert said.startswith(heard)
    assert len(heard) < len(said)


# ---- interruption ----


def test_an_interruption_cancels_a_call_and_says_so() -> None:
    """The handler is stopped, its message says `CANCELLED`, and the event names the call."""
    stopped: list[str] = []
    cancelled: list[FunctionCallFromLLM] = []

    async def handler(params: FunctionCallParams) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            stopped.append(params.function_name)
            raise

    def make() -> Rig:
        rig = rig_with([call("f"), "Fine."], {"f": handler})()
        rig.llm.add_event_handler(
            "on_function_calls_cancelled", lambda _, calls: cancelled.extend(calls)
        )
        return rig

    async def play(rig: Rig) -> None:
        await rig.says("Weather?")
        await asyncio.sleep(2)
        await rig.says("Stop it.")
        await asyncio.sleep(5)

    rig = converse(make, play)
    assert stopped == ["f"]
    assert [one.function_name for one in cancelled] == ["f"]
    assert calls_in(rig.messages) == [("f", "CANCELLED")]
    assert rig.inferences == 2


def test_calls_that_survive_interruptions_do() -> None:
    """`cancel_on_interruption=False`: the call goes on and its result is told afterwards."""

    async def play(rig: Rig) -> None:
        await rig.says("Weather?")
        await asyncio.sleep(1)
        await rig.says("Are you there?")
        await asyncio.sleep(10)

    options = {"cancel_on_interruption": False}
    script = [call("f"), "Yes.", "It is nice."]
    rig = converse(rig_with(script, {"f": answering("nice", 4)}, options=options), play)
    assert dict(calls_in(rig.provider.requests[1].messages)) == {"f": "IN_PROGRESS"}
    assert calls_in(rig.messages) == [("f", '"nice"')]
    assert rig.of_role("assistant") == ["Yes.", "It is nice."]


def test_calls_that_wait_their_turn_are_cancelled_too() -> None:
    """One at a time: an interruption also ends those that have not started, and tells the model."""

    async def play(rig: Rig) -> None:
        await rig.says("Go.")
        await asyncio.sleep(1)
        await rig.says("Stop.")
        await asyncio.sleep(5)

    handlers = {"a": answering("a", 30), "b": answering("b", 30)}
    script = [[call("a"), call("b")], "Fine."]
    rig = converse(rig_with(script, handlers, run_in_parallel=False), play)
    assert dict(calls_in(rig.messages)) == {"a": "CANCELLED", "b": "CANCELLED"}


def test_the_end_of_the_session_cancels_what_is_open() -> None:
    """No call is left open in the context of a conversation that is over."""

    async def play(rig: Rig) -> None:
        await rig.says("Go.")
        await asyncio.sleep(1)

    rig = converse(rig_with([call("f")], {"f": answering("late", 60)}), play)
    assert calls_in(rig.messages) == [("f", "CANCELLED")]
