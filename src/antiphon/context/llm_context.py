"""What was said: the context of a conversation, versioned and copy-on-write.

Messages are never changed, only replaced. Every edit is one synchronous step and counts up
`version`; a `ContextSnapshot` is the state of one version and costs nothing. So a request that is
built from a snapshot cannot see later edits, and whoever holds an answer to it can tell whether the
conversation has moved on (`snapshot.stale`) and whether its beginning is still the same
(`begins_like`).

An edit costs what it edits: appended messages are checked against the calls that are there, not
against the history, and a call's result is found by its index.

Invariants: after every edit `validate.problems` finds nothing (edits by the application that
separate calls from results are mended, and a warning says how); an edit that fails leaves the
context as it was.
"""

from __future__ import annotations

import logging
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from antiphon.context.message_log import MessageLog, View
from antiphon.context.messages import (
    LLMSpecificMessage,
    Message,
    all_kept,
    handed_out,
    kept,
    tool_message,
)
from antiphon.context.use import Use
from antiphon.context.validate import Repair, repaired
from antiphon.errors import InvalidInputError
from antiphon.tools.json_data import well_formed
from antiphon.tools.schema import ToolsSchema, as_tools

logger: Final = logging.getLogger(__name__)


class ContextSnapshot:
    """A context as it was at one version; `context` is the live one it was taken from.

    The messages are shared with the context: read them, and take `get_messages` for copies to
    change.
    """

    __slots__ = ("_view", "context", "tool_choice", "tools", "version")

    def __init__(
        self,
        view: View,
        *,
        tools: ToolsSchema,
        tool_choice: Any,
        version: int,
        context: LLMContext,
    ) -> None:
        self._view = view
        self.tools: ToolsSchema = tools
        self.tool_choice: Any = tool_choice
        self.version: int = version
        self.context: LLMContext = context

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages at that version, to be read only."""
        return self._view.messages

    @property
    def stale(self) -> bool:
        """The context has changed since."""
        return self.context.version != self.version

    def get_messages(self, llm: str | None = None) -> list[Any]:
        """Copies of the messages; of the provider-specific ones only those of `llm`."""
        return [handed_out(m) for m in self.messages if _for(m, llm)]

    def recorded(self) -> dict[str, Any]:
        """What a recording keeps of it."""
        return {
            "messages": self.messages,
            "tools": self.tools,
            "tool_choice": self.tool_choice,
            "version": self.version,
        }

    def with_messages(self, messages: Sequence[Message]) -> ContextSnapshot:
        """The same version, told with other messages."""
        return ContextSnapshot(
            View(list(messages), len(messages)),
            tools=self.tools,
            tool_choice=self.tool_choice,
            version=self.version,
            context=self.context,
        )


def _for(message: Message, llm: str | None) -> bool:
    return not isinstance(message, LLMSpecificMessage) or llm is None or message.llm == llm


def _is_result(message: Message) -> bool:
    return not isinstance(message, LLMSpecificMessage) and message.get("role") == "tool"


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

    `use` says which conversation it belongs to at the moment, `drafts` is what models generated;
    `answer_of` says by the id of a call which answer asked for it, as far as that is known.
    """

    def __init__(
        self,
        messages: Sequence[Any] | None = None,
        tools: Any = None,
        tool_choice: Any = None,
    ) -> None:
        self._log = MessageLog()
        self._tools = as_tools(tools)
        self._tool_choice = tool_choice
        self._version = 0
        self._snapshot: ContextSnapshot | None = None
        self.use: Use = Use()
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
        return self.snapshot().messages

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
                self._log.view(),
                tools=self._tools,
                tool_choice=self._tool_choice,
                version=self._version,
                context=self,
            )
        return self._snapshot

    def begins_like(self, snapshot: ContextSnapshot, count: int) -> bool:
        """The first `count` messages are still those of `snapshot`, untouched."""
        now, then = self.messages[:count], snapshot.messages[:count]
        return len(now) == len(then) == count and all(map(operator.is_, now, then))

    def newest_first(self) -> Iterator[Message]:
        """The messages from the last to the first, to be read only."""
        return self._log.newest_first()

    def position(self, message: Message) -> int | None:
        """Where the very message stands."""
        return self._log.position(message)

    # ---- editing ----

    def add_message(self, message: Any) -> None:
        """Appends one message (OpenAI chat shape, or an `LLMSpecificMessage`)."""
        self.add_messages([message])

    def add_messages(self, messages: Sequence[Any]) -> None:
        """Appends all of the messages, or, if one of them is none, nothing.

        The result of an earlier call takes the place of the one it has.
        """
        self._append(all_kept(messages))

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
        pairs = zip(copies, self.messages, strict=True)
        originals = {id(copy): (copy, original) for copy, original in pairs}
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
        new = all_kept(messages)
        at = None if before is None else self.position(before)
        if at is None:
            self._append(new)
        elif _is_result(self._log[at]) or repaired(new, self._log).changed:
            self._store((*self.messages[:at], *new, *self.messages[at:]))
        else:
            self._log.insert(at, new)
            self._changed()
        return list(new)

    def answer_call(self, tool_call_id: str, text: str) -> bool:
        """Replaces the content of the tool message of that call; False if there is none."""
        at = self._log.result_at(tool_call_id)
        if at is None:
            return False
        self._log.replace(at, tool_message(tool_call_id, well_formed(text)))
        self._changed()
        return True

    def replace_beginning(self, count: int, messages: Sequence[Any]) -> None:
        """Puts messages in the place of the first `count`."""
        self._store((*all_kept(messages), *self.messages[count:]))

    def _append(self, messages: tuple[Message, ...]) -> None:
        repair = repaired(messages, self._log)
        self._report(repair)
        self._log.append(repair.messages)
        for tool_call_id, result in repair.results.items():
            at = self._log.result_at(tool_call_id)
            assert at is not None
            self._log.replace(at, result)
        self._changed()

    def _store(self, messages: tuple[Message, ...]) -> None:
        repair = repaired(messages)
        self._report(repair)
        self._log.reset(repair.messages)
        self._changed()

    def _report(self, repair: Repair) -> None:
        if repair.done:
            logger.warning("The messages of a context were not valid: %s.", "; ".join(repair.done))

    def _changed(self) -> None:
        self._version += 1
        self._snapshot = None
