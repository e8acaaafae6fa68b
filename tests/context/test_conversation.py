"""The versioned context."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from antiphon.context.llm_context import Drafts, LLMContext
from antiphon.context.messages import LLMSpecificMessage, audio_message, image_message
from antiphon.context.validate import problems
from antiphon.errors import ConfigurationError, InvalidInputError
from antiphon.tools.schema import FunctionSchema

HELLO = {"role": "user", "content": "hello"}
HI = {"role": "assistant", "content": "hi"}
CALL = {
    "role": "assistant",
    "tool_calls": [
        {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
    ],
}
ANSWER = {"role": "tool", "tool_call_id": "1", "content": "ok"}


def test_a_snapshot_never_sees_later_edits() -> None:
    """Whatever is done to the context afterwards, a snapshot says what it said."""
    context = LLMContext([HELLO], tools=[FunctionSchema("f", "")])
    snapshot = context.snapshot()
    before = copy.deepcopy(snapshot.get_messages())
    context.add_message(HI)
    context.transform_messages(lambda messages: messages[1:])
    context.set_tools(None)
    context.set_tool_choice("none")
    assert snapshot.get_messages() == before
    assert snapshot.tools.names == ("f",)
    assert snapshot.tool_choice is None
    assert snapshot.stale


def test_a_snapshot_of_an_unchanged_context_is_the_same_and_fresh() -> None:
    """Asking twice costs nothing, and nothing is stale before an edit."""
    context = LLMContext([HELLO])
    assert context.snapshot() is context.snapshot()
    assert not context.snapshot().stale


def test_what_goes_in_and_out_is_copied() -> None:
    """Neither the caller's list nor what was handed out reaches into the context."""
    given: dict[str, Any] = {"role": "user", "content": [{"type": "text", "text": "a"}]}
    context = LLMContext([given])
    given["content"][0]["text"] = "changed"
    context.get_messages()[0]["content"][0]["text"] = "changed too"
    assert context.get_messages() == [{"role": "user", "content": [{"type": "text", "text": "a"}]}]


@pytest.mark.parametrize(
    "bad",
    [
        {"content": "no role"},
        {"role": "robot", "content": "x"},
        {"role": "user", "content": 5},
        "hello",
        None,
    ],
)
def test_one_bad_message_changes_nothing(bad: Any) -> None:
    """An edit with a message that is none is refused as a whole, with the culprit's name."""
    context = LLMContext([HELLO])
    version = context.version
    with pytest.raises(InvalidInputError, match="message"):
        context.add_messages([HI, bad])
    with pytest.raises(InvalidInputError, match="message"):
        context.set_messages([HI, bad])
    with pytest.raises(InvalidInputError, match="message"):
        context.transform_messages(lambda _: [HI, bad])
    assert context.get_messages() == [HELLO]
    assert context.version == version


def test_a_transform_that_returns_nothing_is_refused() -> None:
    """Forgetting the return statement must not empty the conversation."""
    context = LLMContext([HELLO])
    with pytest.raises(InvalidInputError, match="returns"):
        context.transform_messages(lambda messages: messages.clear())
    assert context.get_messages() == [HELLO]


def test_a_transform_that_raises_changes_nothing() -> None:
    """The exception is the caller's, the context is as it was."""
    context = LLMContext([HELLO])

    def transform(messages: list[Any]) -> list[Any]:
        messages.clear()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        context.transform_messages(transform)
    assert context.get_messages() == [HELLO]


def test_a_transform_keeps_what_it_does_not_touch() -> None:
    """Untouched messages keep their identity, so a summary of them still applies."""
    context = LLMContext([HELLO, HI])
    snapshot = context.snapshot()
    context.transform_messages(lambda messages: [*messages, HELLO])
    assert context.begins_like(snapshot, 2)
    context.transform_messages(lambda messages: [{**messages[0], "content": "x"}, *messages[1:]])
    assert not context.begins_like(snapshot, 1)


def test_cutting_a_call_from_its_result_is_mended(caplog: pytest.LogCaptureFixture) -> None:
    """Keeping the last messages only is fine: an orphaned result goes, with a warning."""
    context = LLMContext([HELLO, CALL, ANSWER, HI])
    context.transform_messages(lambda messages: messages[-2:])
    assert context.get_messages() == [HI]
    assert "'1'" in caplog.text


def test_answer_call_replaces_the_result_in_place() -> None:
    """The tool message of that call changes; an unknown call changes nothing."""
    context = LLMContext([CALL, ANSWER, HELLO])
    assert context.answer_call("1", "new")
    assert context.get_messages()[1]["content"] == "new"
    assert not context.answer_call("2", "new")


def test_provider_messages_are_only_for_their_provider() -> None:
    """`get_messages` leaves out what belongs to other providers."""
    context = LLMContext([HELLO, LLMSpecificMessage("anthropic", {"x": 1})])
    assert len(context.get_messages("anthropic")) == 2
    assert context.get_messages("openai") == [HELLO]


def test_images_and_audio_are_parts() -> None:
    """Pictures and sound become content parts that the validator accepts."""
    context = LLMContext(
        [image_message(b"jpeg", text="what is this?"), audio_message(b"\0\0", sample_rate=16_000)]
    )
    kinds = [[part["type"] for part in m["content"]] for m in context.get_messages()]
    assert kinds == [["text", "image_url"], ["input_audio"]]
    assert problems(context.messages) == []
    with pytest.raises(InvalidInputError, match="3 bytes"):
        audio_message(b"\0\0\0", sample_rate=16_000)


def test_tools_that_are_none_are_refused() -> None:
    """Anything but schemas and functions is one clear error."""
    with pytest.raises(ConfigurationError, match="nonsense"):
        LLMContext(tools="nonsense")


def test_drafts_forget_the_oldest() -> None:
    """Only the last answers are remembered, each whole."""
    drafts = Drafts()
    for answer in range(20):
        drafts.begin(answer, version=answer + 100)
        drafts.add(answer, "a")
        drafts.add(answer, "b")
    assert drafts.get(0) == ""
    assert drafts.get(19) == "ab"
    assert drafts.get(None) == ""
    assert drafts.version(19) == 119
    assert drafts.version(0) is None
