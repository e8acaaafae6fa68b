"""Making a conversation shorter: what can be summarized, when, and how it is put in place. Pure.

A plan covers the messages from the first (after leading system and developer instructions) to a
boundary, and never

* splits a call from its result,
* reaches a call that is still open (its result has yet to find its place),
* reaches what the model is still to be told,
* touches the last `min_messages_after_summary` messages.

It is applied only to the conversation it was made from: if the covered messages are no longer the
very same, nothing happens (`SummaryPlan.apply` returns None). Messages that were added since do not
matter.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from antiphon.context.llm_context import ContextSnapshot, LLMContext
from antiphon.context.messages import IN_PROGRESS, LLMSpecificMessage, Message, text_of
from antiphon.errors import ConfigurationError

PROMPT = (
    "You summarize conversations between a user and an assistant, so that the assistant can go on "
    "with the summary in place of the conversation. Keep what the user wants and has said about "
    "themselves, names, numbers and dates exactly as they were given, what was decided, promised "
    "or looked up, and what is still open. Leave out greetings and repetitions. Answer with the "
    "summary alone, in the language of the conversation."
)


class LLMContextSummaryConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How a summary is made.

    `target_context_tokens`: what the context should be left with. `summary_message_template` has a
    `{summary}`. `llm`: the service that makes it (anything with `run_inference`), None for the
    pipeline's own. `summarization_timeout` in seconds.
    """

    target_context_tokens: int = 6000
    min_messages_after_summary: int = 4
    summarization_prompt: str | None = None
    summary_message_template: str = "Conversation summary: {summary}"
    llm: Any = None
    summarization_timeout: float = 120.0

    def __post_init__(self) -> None:
        if self.target_context_tokens <= 0 or self.summarization_timeout <= 0:
            raise ConfigurationError("A summary needs a target and a timeout above 0.")
        if self.min_messages_after_summary < 0:
            raise ConfigurationError("min_messages_after_summary cannot be negative.")
        if "{summary}" not in self.summary_message_template:
            raise ConfigurationError("summary_message_template needs a '{summary}'.")


class LLMAutoContextSummarizationConfig(msgspec.Struct, frozen=True, kw_only=True):
    """When a summary is made by itself: at so many (estimated) tokens or messages; None: never."""

    max_context_tokens: int | None = 8000
    max_unsummarized_messages: int | None = 20
    summary_config: LLMContextSummaryConfig = msgspec.field(default_factory=LLMContextSummaryConfig)

    def __post_init__(self) -> None:
        limits = (self.max_context_tokens, self.max_unsummarized_messages)
        if all(limit is None for limit in limits):
            raise ConfigurationError("Automatic summaries need max tokens or max messages.")
        if any(limit is not None and limit <= 0 for limit in limits):
            raise ConfigurationError(f"Limits of a context are above 0 or None: {limits}.")
        most = self.max_context_tokens
        if most is not None and self.summary_config.target_context_tokens > most:
            lower = msgspec.structs.replace(
                self.summary_config, target_context_tokens=max(1, int(most * 0.8))
            )
            msgspec.structs.force_setattr(self, "summary_config", lower)

    def is_due(self, messages: Sequence[Message]) -> bool:
        """The context has grown beyond a limit."""
        tokens, count = self.max_context_tokens, self.max_unsummarized_messages
        if tokens is not None and estimated_tokens(messages) >= tokens:
            return True
        return count is not None and len(messages) - 1 >= count


class SummaryAppliedEvent(msgspec.Struct, frozen=True):
    """What a summary changed, in numbers of messages."""

    original_message_count: int
    new_message_count: int
    summarized_message_count: int
    preserved_message_count: int


def estimated_tokens(messages: Sequence[Message]) -> int:
    """A quarter of the characters, 10 for each message and tool id, 500 for each picture."""
    total = 0
    for message in messages:
        total += 10
        if isinstance(message, LLMSpecificMessage):
            continue
        total += len(text_of(message)) // 4
        total += 10 * ("tool_call_id" in message)
        for call in message.get("tool_calls") or ():
            function = call["function"]
            total += 10 + (len(function["name"]) + len(function["arguments"])) // 4
        content = message.get("content")
        parts = content if isinstance(content, list) else []
        total += sum(500 for part in parts if part.get("type") == "image_url")
    return total


class SummaryPlan(msgspec.Struct, frozen=True):
    """Messages `first` up to (not including) `end` of `snapshot` are to be summarized."""

    snapshot: ContextSnapshot
    first: int
    end: int
    config: LLMContextSummaryConfig

    @property
    def transcript(self) -> str:
        """What is to be summarized, as text."""
        lines = [_line(message) for message in self.snapshot.messages[self.first : self.end]]
        return "\n".join(line for line in lines if line)

    @property
    def max_tokens(self) -> int:
        """How long the summary may be, for the context to reach its target."""
        rest = (*self.snapshot.messages[: self.first], *self.snapshot.messages[self.end :])
        return max(200, self.config.target_context_tokens - estimated_tokens(rest))

    def apply(self, context: LLMContext, summary: str) -> SummaryAppliedEvent | None:
        """Puts the summary in place; None, and nothing done, if the covered messages changed."""
        if not context.begins_like(self.snapshot, self.end):
            return None
        before = len(context.messages)
        text = self.config.summary_message_template.format(summary=summary)
        message = {"role": "user", "content": text}
        context.replace_beginning(self.end, [*context.messages[: self.first], message])
        return SummaryAppliedEvent(
            before, len(context.messages), self.end - self.first, before - self.end
        )


def plan(
    snapshot: ContextSnapshot,
    config: LLMContextSummaryConfig,
    open_calls: Collection[str] = (),
    *,
    limit: int | None = None,
) -> SummaryPlan | None:
    """What can be summarized now, at most the first `limit` messages; None: not worth it."""
    messages = snapshot.messages
    first = 0
    while first < len(messages) and _role(messages[first]) in {"system", "developer"}:
        first += 1
    end = min(
        len(messages) - config.min_messages_after_summary,
        _first_open(messages, set(open_calls)),
        len(messages) if limit is None else limit,
    )
    while first < end < len(messages) and _role(messages[end]) == "tool":
        end -= 1
    return SummaryPlan(snapshot, first, end, config) if end - first >= 2 else None


def _first_open(messages: Sequence[Message], open_calls: set[str]) -> int:
    """Where the first call stands whose end is not written yet."""
    pending = open_calls | _in_progress(messages) | (_started(messages) - _ended(messages))
    for index, message in enumerate(messages):
        if isinstance(message, LLMSpecificMessage):
            continue
        if any(call["id"] in pending for call in message.get("tool_calls") or ()):
            return index
    return len(messages)


def _in_progress(messages: Sequence[Message]) -> set[str]:
    return {
        str(message.get("tool_call_id"))
        for message in messages
        if isinstance(message, dict) and message.get("content") == IN_PROGRESS
    }


def _started(messages: Sequence[Message]) -> set[str]:
    return {i for role, i, status in _news(messages) if role == "tool" and status == "started"}


def _ended(messages: Sequence[Message]) -> set[str]:
    ends = {"finished", "cancelled", "timeout"}
    return {i for role, i, status in _news(messages) if role == "developer" and status in ends}


def _news(messages: Sequence[Message]) -> list[tuple[str, str, str]]:
    """(role, call, status) of each message about an asynchronous call."""
    found = []
    for message in messages:
        text = text_of(message)
        if '"async_tool"' not in text:
            continue
        try:
            data = json.loads(text)
        except ValueError:
            continue
        if isinstance(data, dict) and data.get("type") == "async_tool":
            found.append((_role(message), str(data.get("tool_call_id")), str(data.get("status"))))
    return found


def _role(message: Message) -> str:
    return "" if isinstance(message, LLMSpecificMessage) else str(message.get("role"))


def _line(message: Message) -> str:
    if isinstance(message, LLMSpecificMessage):
        return ""
    calls = [
        f"[calls {call['function']['name']}({call['function']['arguments']})]"
        for call in message.get("tool_calls") or ()
    ]
    text = text_of(message)
    return f"{_role(message).upper()}: {' '.join([text, *calls]).strip()}"
