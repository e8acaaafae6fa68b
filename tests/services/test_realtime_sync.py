"""What a model that holds the conversation itself is still told of the context."""

from __future__ import annotations

from typing import Any

from antiphon.context.llm_context import LLMContext
from antiphon.context.messages import IN_PROGRESS, tool_call_message, tool_message
from antiphon.services.contracts import ConversationItem, ToolOutput
from antiphon.services.realtime_sync import ContextSync


def says(role: str, text: str) -> dict[str, Any]:
    """A message."""
    return {"role": role, "content": text}


def test_a_new_model_is_told_everything_and_then_the_news() -> None:
    """All messages at first, nothing twice, and of later ones only the program's own."""
    context, sync = LLMContext([says("system", "a"), says("user", "b")]), ContextSync()
    first = sync.news(context.messages)
    assert [type(item) for item in first] == [ConversationItem, ConversationItem]
    assert sync.news(context.messages) == []
    sync.caller_said(" c ")
    context.add_messages([says("user", "c"), says("assistant", "d"), says("user", "typed")])
    assert sync.news(context.messages) == [ConversationItem(says("user", "typed"))]


def test_the_same_words_twice_are_two_messages() -> None:
    """Words of the caller's are recognised once for each time they were said."""
    context, sync = LLMContext(), ContextSync()
    sync.news(())
    sync.caller_said("yes")
    context.add_messages([says("user", "yes"), says("user", "yes")])
    assert sync.news(context.messages) == [ConversationItem(says("user", "yes"))]


def test_results_answer_the_models_own_calls_once() -> None:
    """A call in progress is no news; its result is an output, once."""
    context, sync = LLMContext(), ContextSync()
    sync.news(())
    sync.called("1")
    context.insert([tool_call_message("1", "look", {}), tool_message("1", IN_PROGRESS)])
    assert sync.news(context.messages) == []
    context.answer_call("1", "fine")
    assert sync.news(context.messages) == [ToolOutput("1", "fine")]
    context.answer_call("1", "late")
    assert sync.news(context.messages) == []


def test_a_result_of_a_call_from_before_is_news() -> None:
    """A model that was told of a call in progress, and did not make it, hears how it ended."""
    context, sync = LLMContext(), ContextSync()
    context.insert([tool_call_message("1", "look", {}), tool_message("1", IN_PROGRESS)])
    assert len(sync.news(context.messages)) == 2
    context.answer_call("1", "fine")
    (told,) = sync.news(context.messages)
    assert isinstance(told, ConversationItem)
    assert told.message["content"] == "fine"
    assert sync.news(context.messages) == []
