"""Both halves of the context: edits, turns, thoughts, changes of tools."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import datetime
from typing import Any

import pytest

from antiphon.context.assistant_aggregator import LLMAssistantAggregatorParams
from antiphon.context.llm_context import LLMContext
from antiphon.context.messages import LLMSpecificMessage
from antiphon.context.pair import LLMContextAggregatorPair
from antiphon.context.user_aggregator import LLMUserAggregatorParams
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import EndFrame, InterruptionFrame
from antiphon.frames.llm import (
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMMessagesAppendFrame,
    LLMMessagesTransformFrame,
    LLMMessagesUpdateFrame,
    LLMRunFrame,
    LLMSetToolChoiceFrame,
    LLMSetToolsFrame,
    LLMThoughtEndFrame,
    LLMThoughtStartFrame,
    LLMThoughtTextFrame,
)
from antiphon.frames.speech import TTSSpeakFrame, TTSStartedFrame, TTSStoppedFrame
from antiphon.frames.text import (
    InterimTranscriptionFrame,
    LLMTextFrame,
    TextFrame,
    TranscriptionFrame,
    TranslationFrame,
    TTSTextFrame,
)
from antiphon.frames.tools import FunctionCallInProgressFrame, FunctionCallResultFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.processor import FrameProcessor
from antiphon.simulation.loop.virtual_time import run
from antiphon.simulation.testing import SleepFrame, run_test
from antiphon.tools.schema import FunctionSchema, ToolsSchema
from tests.context.rig import DOWN, UP, Rig, converse, turn_strategies

X = {"role": "user", "content": "x"}
Y = {"role": "user", "content": "y"}


def half(which: str, context: LLMContext) -> FrameProcessor:
    params = LLMUserAggregatorParams(user_turn_strategies=turn_strategies())
    pair = LLMContextAggregatorPair(context, user_params=params)
    return pair.user() if which == "user" else pair.assistant()


def drive(
    which: str, context: LLMContext, frames: list[Frame], direction: FrameDirection
) -> tuple[list[Frame], list[Frame]]:
    return run(
        run_test(half(which, context), frames_to_send=frames, frames_to_send_direction=direction)
    )


EVERYWHERE = [(half_, way) for half_ in ("user", "assistant") for way in (DOWN, UP)]


@pytest.mark.parametrize(("which", "direction"), EVERYWHERE)
def test_edits_are_taken_by_both_halves_from_both_directions(
    which: str, direction: FrameDirection
) -> None:
    """Every edit is applied in order and consumed; the model's side gets one context per run."""
    context = LLMContext([X])
    frames: list[Frame] = [
        LLMRunFrame(),
        LLMMessagesAppendFrame([Y], run_llm=True),
        LLMMessagesAppendFrame([Y]),
        LLMMessagesTransformFrame(lambda messages: messages[1:], run_llm=True),
        LLMMessagesUpdateFrame([X]),
        LLMSetToolChoiceFrame("none"),
    ]
    down, up = drive(which, context, frames, direction)
    sent, other = (down, up) if which == "user" else (up, down)
    assert [type(f) for f in sent] == [LLMContextFrame] * 3
    assert other == []
    requests = [f.context.get_messages() for f in sent if isinstance(f, LLMContextFrame)]
    assert requests == [[X], [X, Y], [Y, Y]]
    assert context.get_messages() == [X]
    assert context.tool_choice == "none"


def test_a_transform_does_not_overwrite_an_edit_queued_before_it() -> None:
    """The function sees the messages of the moment at which it is handled."""
    context = LLMContext([X])
    frames: list[Frame] = [
        LLMMessagesAppendFrame([Y]),
        LLMMessagesTransformFrame(lambda messages: [*messages, X]),
    ]
    drive("user", context, frames, DOWN)
    assert context.get_messages() == [X, Y, X]


@pytest.mark.parametrize("which", ["user", "assistant"])
def test_a_bad_edit_is_one_error_and_loses_nothing(which: str) -> None:
    """The next edit works, and the error names the frame and the culprit."""
    context = LLMContext([X])
    frames: list[Frame] = [
        LLMMessagesAppendFrame([{"role": "robot", "content": "beep"}]),
        LLMMessagesAppendFrame([Y]),
    ]
    _, up = drive(which, context, frames, DOWN)
    (error,) = up
    assert "LLMMessagesAppendFrame" in str(error)
    assert "robot" in str(error)
    assert context.get_messages() == [X, Y]


def test_transcripts_and_translations_end_at_the_user_half() -> None:
    """Final, interim and translated: none goes on."""
    frames: list[Frame] = [
        InterimTranscriptionFrame("he"),
        TranslationFrame("bonjour"),
        TranscriptionFrame("hello"),
    ]
    down, _ = drive("user", LLMContext(), frames, DOWN)
    assert not any(
        isinstance(f, TranscriptionFrame | InterimTranscriptionFrame | TranslationFrame)
        for f in down
    )


def test_a_user_turn_becomes_a_message_and_runs_the_model() -> None:
    """What was said in a turn is written once and answered once."""
    stopped: list[Any] = []

    async def play(rig: Rig) -> None:
        rig.user.add_event_handler("on_user_turn_stopped", lambda _, s, m: stopped.append(m))
        await rig.says("Hello there.")
        await asyncio.sleep(5)

    rig = converse(lambda: Rig(["Hi."]), play)
    assert rig.messages == [
        {"role": "user", "content": "Hello there."},
        {"role": "assistant", "content": "Hi."},
    ]
    assert [(m.content, m.user_id) for m in stopped] == [("Hello there.", "u")]


def test_both_events_of_a_turn_carry_who_said_what_and_when() -> None:
    """The segment that is written, and the whole turn, with text, user and times."""
    triggered: list[Any] = []
    stopped: list[Any] = []

    async def play(rig: Rig) -> None:
        rig.user.add_event_handler("on_user_turn_message_added", lambda _, m: triggered.append(m))
        rig.user.add_event_handler("on_user_turn_stopped", lambda _, s, m: stopped.append(m))
        await rig.says("Hello there.")
        await asyncio.sleep(5)

    converse(lambda: Rig(["Hi."]), play)
    (segment,), (turn,) = triggered, stopped
    assert (
        (segment.content, segment.user_id) == (turn.content, turn.user_id) == ("Hello there.", "u")
    )
    began, ended = (datetime.fromisoformat(text) for text in (turn.timestamp, turn.ended_at))
    assert began <= datetime.fromisoformat(segment.timestamp) <= ended
    assert 0.3 < (ended - began).total_seconds() < 3


# ---- the assistant's turns ----


def test_only_what_was_heard_is_kept_when_cut_off() -> None:
    """The context has what was played, the event also what was not."""

    async def play(rig: Rig) -> None:
        await rig.says("Tell me.")
        await asyncio.sleep(0.8)
        await rig.says("Stop.")
        await asyncio.sleep(5)

    text = "One two three four five six seven eight nine ten."
    rig = converse(lambda: Rig([text, "Ok."]), play)
    first, second = rig.turns
    assert first.interrupted
    assert text == f"{first.content} {first.unheard}"
    assert 0 < len(first.content) < len(text)
    assert rig.of_role("assistant") == [first.content, "Ok."]
    assert (second.content, second.interrupted, second.unheard) == ("Ok.", False, "")


def test_turns_come_in_pairs_even_without_text() -> None:
    """An answer without a word is a turn with empty content, and writes nothing."""
    rig = converse(lambda: Rig(["", ""]), lambda rig: _ask(rig, "Hello?"))
    assert [(t.content, t.interrupted) for t in rig.turns] == [("", False)]
    assert rig.started == 1
    assert rig.of_role("assistant") == []


def test_speech_without_the_model_is_a_turn() -> None:
    """`TTSSpeakFrame` makes a turn of its own, kept in the context unless it says otherwise."""

    async def play(rig: Rig) -> None:
        await rig.send(TTSSpeakFrame("Welcome to the line."))
        await asyncio.sleep(3)
        await rig.send(TTSSpeakFrame("One two three four five six."))
        await asyncio.sleep(0.35)
        await rig.says("Stop.")
        await asyncio.sleep(3)

    rig = converse(lambda: Rig(["Ok."]), play)
    assert [(t.content, t.interrupted) for t in rig.turns] == [
        ("Welcome to the line.", False),
        ("One two three", True),
        ("Ok.", False),
    ]
    assert rig.of_role("assistant") == ["Welcome to the line.", "One two three", "Ok."]


def test_text_without_a_voice_is_collected() -> None:
    """In a text-only pipeline the model's own text is what is heard."""
    context = LLMContext([X])
    frames: list[Frame] = [
        LLMFullResponseStartFrame(),
        LLMTextFrame("Hel"),
        LLMTextFrame("lo"),
        LLMTextFrame(" you"),
        LLMFullResponseEndFrame(),
    ]
    drive("assistant", context, frames, DOWN)
    assert context.get_messages() == [X, {"role": "assistant", "content": "Hello you"}]


def test_text_that_is_not_for_the_context_is_left_out() -> None:
    """`append_to_context=False` is heard but not kept."""
    context = LLMContext()
    frames: list[Frame] = [
        LLMFullResponseStartFrame(),
        LLMTextFrame("secret", append_to_context=False),
        LLMTextFrame("said"),
        LLMFullResponseEndFrame(),
    ]
    drive("assistant", context, frames, DOWN)
    assert context.get_messages() == [{"role": "assistant", "content": "said"}]


def test_thoughts_are_collected_and_kept_for_their_provider() -> None:
    """The event always; a message only where the provider needs it back, before the text."""
    context = LLMContext()
    thoughts: list[str] = []
    assistant = half("assistant", context)
    assistant.add_event_handler("on_assistant_thought", lambda _, m: thoughts.append(m.content))
    frames: list[Frame] = [
        LLMFullResponseStartFrame(),
        LLMThoughtStartFrame(append_to_context=True, llm="anthropic"),
        LLMThoughtTextFrame("hm, "),
        LLMThoughtTextFrame("yes"),
        LLMThoughtEndFrame(signature="sig"),
        LLMThoughtStartFrame(),
        LLMThoughtTextFrame("unsigned"),
        LLMThoughtEndFrame(),
        LLMTextFrame("Yes."),
        LLMFullResponseEndFrame(),
    ]
    run(run_test(assistant, frames_to_send=frames))
    assert thoughts == ["hm, yes", "unsigned"]
    data = {"type": "thought", "text": "hm, yes", "signature": "sig"}
    assert context.get_messages() == [
        LLMSpecificMessage("anthropic", data),
        {"role": "assistant", "content": "Yes."},
    ]


# ---- calls without a service ----


def test_frames_of_a_call_are_enough() -> None:
    """The assistant's half alone writes a call and runs the model upstream after its result."""
    context = LLMContext([X])
    frames: list[Frame] = [
        FunctionCallInProgressFrame("f", "1", {"a": 1}),
        FunctionCallResultFrame("f", "1", {"a": 1}, {"t": 20}),
    ]
    _, up = drive("assistant", context, frames, DOWN)
    (run_frame,) = up
    assert isinstance(run_frame, LLMContextFrame)
    assert run_frame.context.get_messages()[2]["content"] == '{"t": 20}'


def test_a_result_of_no_call_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    """A warning, and the context is as it was."""
    context = LLMContext([X])
    _, up = drive("assistant", context, [FunctionCallResultFrame("f", "1", {}, 5)], DOWN)
    assert up == []
    assert context.get_messages() == [X]
    assert "no call" in caplog.text


def test_the_result_of_a_call_the_program_removed_still_runs_the_model() -> None:
    """Resetting the messages in a handler is allowed: nothing is orphaned, the model goes on."""
    context = LLMContext([X])
    frames: list[Frame] = [
        FunctionCallInProgressFrame("f", "1", {}),
        LLMMessagesUpdateFrame([Y]),
        FunctionCallResultFrame("f", "1", {}, "done"),
    ]
    _, up = drive("assistant", context, frames, DOWN)
    assert [f.context.get_messages() for f in up if isinstance(f, LLMContextFrame)] == [[Y]]


# ---- changes of tools ----


def tools(*names: str) -> ToolsSchema:
    return ToolsSchema([FunctionSchema(name, name) for name in names])


@pytest.mark.parametrize("direction", [DOWN, UP])
@pytest.mark.parametrize("enabled", [True, False])
def test_a_change_of_tools_is_told_once(direction: FrameDirection, enabled: bool) -> None:
    """Both halves see the frame, one developer message says what changed, or none at all."""

    async def play(rig: Rig) -> None:
        await rig.send(LLMSetToolsFrame(tools("b", "c", "d")), direction=direction)
        await asyncio.sleep(1)
        await rig.send(LLMSetToolsFrame(tools("b", "c", "d")), direction=direction)
        await asyncio.sleep(1)
        await rig.says("Well?")
        await asyncio.sleep(2)

    def make() -> Rig:
        context = LLMContext(tools=tools("a", "b"))
        return Rig(["Ok."], context=context, add_tool_change_messages=enabled)

    rig = converse(make, play)
    notice = (
        "These functions are available from now on: c, d. "
        "These functions are no longer available: a."
    )
    assert rig.of_role("developer") == ([notice] if enabled else [])
    assert [tool.name for tool in rig.provider.requests[0].tools] == ["b", "c", "d"]


def test_bad_tools_are_one_error() -> None:
    """The tools that were there stay."""
    context = LLMContext(tools=tools("a"))
    _, up = drive("user", context, [LLMSetToolsFrame("nonsense")], DOWN)
    assert len(up) == 1
    assert context.tools.names == ("a",)


def _ask(rig: Rig, text: str) -> Awaitable[None]:
    async def ask() -> None:
        await rig.says(text)
        await asyncio.sleep(5)

    return ask()


def say(words: str, **more: Any) -> TTSTextFrame:
    return TTSTextFrame(text=words, aggregated_by="word", includes_inter_frame_spaces=True, **more)


def remembered(frames: list[Frame], marker: str = "") -> list[Any]:
    """What the context holds after the assistant's half saw the frames."""
    context = LLMContext()
    params = LLMAssistantAggregatorParams(interruption_marker=marker)
    pair = LLMContextAggregatorPair(context, assistant_params=params)
    run(run_test(pair.assistant(), frames_to_send=[*frames, SleepFrame(0.05)]))
    return [message["content"] for message in context.messages if isinstance(message, dict)]


def test_the_model_is_told_that_it_was_interrupted_if_that_is_wanted() -> None:
    """A marker stands behind what was heard of a cut answer, of no other, and by default not."""
    heard = [LLMFullResponseStartFrame(), say("One "), say("two ")]
    cut: list[Frame] = [*heard, SleepFrame(0.05), InterruptionFrame()]
    assert remembered(cut) == ["One two"]
    assert remembered(cut, "[interrupted]") == ["One two [interrupted]"]
    assert remembered([*heard, LLMFullResponseEndFrame()], "[interrupted]") == ["One two"]
    nothing: list[Frame] = [LLMFullResponseStartFrame(), SleepFrame(0.05), InterruptionFrame()]
    assert remembered(nothing, "[interrupted]") == []


def test_text_of_speech_outside_the_conversation_stays_outside() -> None:
    """Plain text and words of that utterance are no message; what comes after it is one again."""
    outside: list[Frame] = [
        TTSStartedFrame(context_id="a", append_to_context=False),
        TextFrame("please hold"),
        say("please ", context_id="a"),
        TTSStoppedFrame(context_id="a"),
    ]
    assert remembered([*outside, EndFrame()]) == []
    assert remembered([*outside, TextFrame("hello"), EndFrame()]) == ["hello"]
    again = [*outside[:2], TTSStartedFrame(context_id="b"), say("hello", context_id="b")]
    assert remembered([*again, EndFrame()]) == ["hello"]
