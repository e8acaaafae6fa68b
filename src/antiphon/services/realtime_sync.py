"""What a model that holds the conversation itself still has to be told of the context. Pure.

Such a model knows what the caller said and what it said itself: it heard the one and spoke the
other. The context writes both down as well. So of the messages of a snapshot that are new, these
are told: messages of the program's, and results of calls. What the caller said is recognised by its
text (`caller_said` came before), what the agent said by its role.

A model that has just been connected knows nothing: it is told everything, as messages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from antiphon.context.messages import IN_PROGRESS, Message
from antiphon.services.contracts import ConversationItem, ToolOutput

Told = ConversationItem | ToolOutput


class ContextSync:
    """Of one connection. `calls` are those that the model has made and that are not answered."""

    def __init__(self) -> None:
        self._known: dict[int, Message] = {}
        self._said: Counter[str] = Counter()
        self._open_calls: set[str] = set()
        self._unfinished: set[str] = set()
        self._fresh = True

    def caller_said(self, text: str) -> None:
        """The model has heard this, and the context will say so."""
        self._said[text.strip()] += 1

    def called(self, tool_call_id: str) -> None:
        """The model has made a call: it waits for the result."""
        self._open_calls.add(tool_call_id)

    def news(self, messages: Sequence[Message]) -> list[Told]:
        """What to tell, in order; it counts as told."""
        told: list[Told] = []
        known: dict[int, Message] = {}
        for message in messages:
            known[id(message)] = message
            new = id(message) not in self._known
            if isinstance(message, dict) and (new or message.get("role") == "tool"):
                told += self._told_of(message)
        self._known, self._fresh = known, False
        return told

    def _told_of(self, message: dict[str, Any]) -> list[Told]:
        role, content = message.get("role"), message.get("content")
        if self._fresh:
            if content == IN_PROGRESS:
                self._unfinished.add(str(message.get("tool_call_id")))
            return [ConversationItem(message)]
        if role == "tool":
            return self._result(message)
        if role == "assistant":
            return []
        if role == "user" and isinstance(content, str) and self._said[content.strip()]:
            self._said[content.strip()] -= 1
            return []
        return [ConversationItem(message)]

    def _result(self, message: dict[str, Any]) -> list[Told]:
        """A result is an output of the call, or, of a call from before the connection, news."""
        call_id, content = str(message.get("tool_call_id")), message.get("content")
        if content == IN_PROGRESS:
            return []
        if call_id in self._open_calls:
            self._open_calls.discard(call_id)
            return [ToolOutput(call_id, str(content))]
        if call_id in self._unfinished:
            self._unfinished.discard(call_id)
            return [ConversationItem(message)]
        return []
