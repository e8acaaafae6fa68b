"""What was said: the context of a conversation, versioned and copy-on-write.

An `LLMContext` holds a tuple of messages that are never changed, only replaced. Every edit makes a
new tuple in one synchronous step and counts up `version`; a `ContextSnapshot` is the state of one
version and costs nothing. So a request that is built from a snapshot cannot see later edits, and
whoever holds an answer to it can tell whether the conversation has moved on (`snapshot.stale`) and
whether its beginning is still the same (`begins_like`).

Invariants: after every edit `validate.problems` finds nothing (edits by the application that
separate calls from results are mended, and a warning says how); an edit that fails leaves the
context as it was.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from antiphon.context.messages import LLMSpecificMessage, Message, all_kept, handed_out, kept
from antiphon.context.validate import repaired
from antiphon.errors import InvalidInputError
from antiphon.tools.schema import ToolsSchema, as_tools

logger: Final = logging.getLogger(__name__)


class ContextSnapshot(msgspec.Struct, frozen=True, eq=False):
    """A context as it was at one version; `context` is the live one it was taken from.

    The messages are shared with the context: read them, and take `get_messages` for copies to
    change.
    """

    messages: tuple[Message, ...]
    tools: ToolsSchema
    tool_choice: Any
    version: int
    context: LLMContext

    @property
    def stale(self) -> bool:
        """The context has changed since."""
        return self.context.version != self.version

    def get_messages(self, llm: str | None = None) -> list[Any]:
        """Copies of the messages; of the provider-specific ones only those of `llm`."""
        return [handed_out(m) for m in self.messages if _for(m, llm)]


def _for(message: Message, llm: str | None) -> bool:
    return not isinstance(message, LLMSpecificMessage) or llm is None or message.llm == llm


class Drafts:
    """What models have generated, by the id of the answer, whether or not anybody heard it.

    The context itself only says what was heard; this is what lets the aggregators tell what was
    not.
    """

    _KEPT = 8

    def __init__(self) -> None:
        self._texts: dict[int, str] = {}
        self._versions: dict[int, int] = {}

    def begin(self, response_id: int, version: int) -> None:
        """An answer to that version of the context begins; the oldest answers are forgotten."""
        self._texts[response_id], self._versions[response_id] = "", version
        while len(self._texts) > self._KEPT:
            oldest = next(iter(self._texts))
            del self._texts[oldest], self._versions[oldest]

    def add(self, response_id: int, text: str) -> None:
        """Another piece of an answer that has begun."""
        if response_id in self._texts:
            self._texts[response_id] += text

    def version(self, response_id: int | None) -> int | None:
        """Which version of the context it answers, None if it is not known."""
        return None if response_id is None else self._versions.get(response_id)

    def get(self, response_id: int | None) -> str:
        """All of an answer so far; empty if it is not known."""
        return "" if response_id is None else self._texts.get(response_id, "")


class LLMContext:
    """The live context: messages, tools and tool choice of one conversation.

    `drafts` is what models generated; `answer_of` says by the id of a call which answer asked for
    it, as far as that is known.
    """

    def __init__(
        self,
        messages: Sequence[Any] | None = None,
        tools: Any = None,
        tool_choice: Any = None,
    ) -> None:
        self._messages: tuple[Message, ...] = ()
        self._tools = as_tools(tools)
        self._tool_choice = tool_choice
        self._version = 0
        self._snapshot: ContextSnapshot | None = None
        self.drafts: Drafts = Drafts()
        self.answer_of: dict[str, int] = {}
        if messages:
            self.set_messages(messages)

    # ---- reading ----

    @property
    def version(self) -> int:
        """Counts the edits."""
        return self._version

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages of this moment, to be read only."""
        return self._messages

    @property
    def tools(self) -> ToolsSchema:
        return self._tools

    @property
    def tool_choice(self) -> Any:
        return self._tool_choice

    def get_messages(self, llm: str | None = None) -> list[Any]:
        """Copies of the messages; of the provider-specific ones those of `llm`, if it is given."""
        return self.snapshot().get_messages(llm)

    def snapshot(self) -> ContextSnapshot:
        """The context as it is now, for good."""
        if self._snapshot is None:
            self._snapshot = ContextSnapshot(
                self._messages, self._tools, self._tool_choice, self._version, self
            )
        return self._snapshot

    def begins_like(self, snapshot: ContextSnapshot, count: int) -> bool:
        """The first `count` messages are still those of `snapshot`, untouched."""
        if len(self._messages) < count or len(snapshot.messages) < count:
            return False
        pairs = zip(self._messages[:count], snapshot.messages[:count], strict=True)
        return all(now is then for now, then in pairs)

    # ---- editing ----

    def add_message(self, message: Any) -> None:
        """Appends one message (OpenAI chat shape, or an `LLMSpecificMessage`)."""
        self.add_messages([message])

    def add_messages(self, messages: Sequence[Any]) -> None:
        """Appends all of the messages, or, if one of them is none, nothing."""
        self._store((*self._messages, *all_kept(messages)))

    def set_messages(self, messages: Sequence[Any]) -> None:
        """Replaces all messages, or, if one of the new ones is none, nothing."""
        self._store(all_kept(messages))

    def transform_messages(self, transform: Callable[[list[Any]], Any]) -> None:
        """Replaces the messages by what `transform` makes of a copy of them.

        What it returns unchanged keeps its identity, so that a summary of it stays applicable.

        Raises:
            InvalidInputError: it did not return a list of messages; nothing has changed.

        """
        copies = self.get_messages()
        originals = {id(copy): (copy, self._messages[index]) for index, copy in enumerate(copies)}
        made = transform(copies)
        if made is None or isinstance(made, str | Mapping):
            raise InvalidInputError(
                f"A transform returns the new list of messages, not {type(made).__name__}."
            )
        new = []
        for message in made:
            _, original = originals.get(id(message), (None, None))
            new.append(original if original == message and original is not None else kept(message))
        self._store(tuple(new))

    def set_tools(self, tools: Any) -> None:
        """Replaces the tools: a `ToolsSchema`, a list of schemas and direct functions, or None."""
        self._tools = as_tools(tools)
        self._changed()

    def set_tool_choice(self, tool_choice: Any) -> None:
        """Sets "auto", "none", "required", a provider's own object, or None for its default."""
        self._tool_choice = tool_choice
        self._changed()

    def insert(self, messages: Sequence[Any], *, before: Message | None = None) -> list[Message]:
        """Puts messages before the very message `before`, or at the end if it is None or gone.

        Returns the messages as they are kept, to be found again by `position` and `replace`.
        """
        at = None if before is None else self.position(before)
        at = len(self._messages) if at is None else at
        new = all_kept(messages)
        self._store((*self._messages[:at], *new, *self._messages[at:]))
        return list(new)

    def answer_call(self, tool_call_id: str, text: str) -> bool:
        """Replaces the content of the tool message of that call; False if there is none."""
        for at, message in enumerate(self._messages):
            if isinstance(message, dict) and message.get("tool_call_id") == tool_call_id:
                new = kept({**message, "content": text})
                self._store((*self._messages[:at], new, *self._messages[at + 1 :]))
                return True
        return False

    def replace_beginning(self, count: int, messages: Sequence[Any]) -> None:
        """Puts messages in the place of the first `count`."""
        self._store((*all_kept(messages), *self._messages[count:]))

    def position(self, message: Message) -> int | None:
        """Where the very message stands."""
        return next((i for i, kept_one in enumerate(self._messages) if kept_one is message), None)

    def _store(self, messages: tuple[Message, ...]) -> None:
        repair = repaired(messages)
        if repair.done:
            logger.warning("The messages of a context were not valid: %s.", "; ".join(repair.done))
        self._messages = repair.messages
        self._changed()

    def _changed(self) -> None:
        self._version += 1
        self._snapshot = None
