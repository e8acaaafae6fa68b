"""The messages of a context, so kept that an edit costs what it edits.

They stand in one list, the *page*. A `View` is a page's first `count` messages: what is appended
behind them changes no view, so appending copies nothing. Every other edit copies the page first if
it has ever been viewed, and works on the copy.

`results` tells where the result of each call stands; so a call is answered by index, and its id is
known to be taken without reading the conversation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from antiphon.context.messages import LLMSpecificMessage, Message


class View:
    """The messages at one moment, for good. The tuple is made when it is first asked for."""

    __slots__ = ("_count", "_made", "_page")

    def __init__(self, page: list[Message], count: int) -> None:
        self._page: list[Message] | None = page
        self._count = count
        self._made: tuple[Message, ...] = ()

    def __len__(self) -> int:
        return self._count

    @property
    def messages(self) -> tuple[Message, ...]:
        """All of them."""
        if self._page is not None:
            self._made = tuple(self._page[: self._count])
            self._page = None
        return self._made


class MessageLog:
    """See the module's docstring. What is put in is valid: the context sees to that."""

    def __init__(self) -> None:
        self._page: list[Message] = []
        self._viewed = False
        self._results: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._page)

    def __getitem__(self, index: int) -> Message:
        return self._page[index]

    def __contains__(self, tool_call_id: object) -> bool:
        """There is a call of that id."""
        return tool_call_id in self._results

    def view(self) -> View:
        """The messages as they are now."""
        self._viewed = True
        return View(self._page, len(self._page))

    def newest_first(self) -> Iterator[Message]:
        """The messages from the last to the first."""
        return reversed(self._page)

    def position(self, message: Message) -> int | None:
        """Where the very message stands; looked for from the end."""
        for at in range(len(self._page) - 1, -1, -1):
            if self._page[at] is message:
                return at
        return None

    def result_at(self, tool_call_id: str) -> int | None:
        """Where the result of that call stands."""
        return self._results.get(tool_call_id)

    # ---- edits ----

    def append(self, messages: Sequence[Message]) -> None:
        self._index(messages, len(self._page))
        self._page.extend(messages)

    def replace(self, at: int, message: Message) -> None:
        """Puts a message in the place of another of the same kind."""
        self._own()
        self._page[at] = message

    def insert(self, at: int, messages: Sequence[Message]) -> None:
        """Puts messages before the one at that place."""
        self._own()
        self._page[at:at] = messages
        self._index(self._page[at:], at)

    def reset(self, messages: Sequence[Message]) -> None:
        """Begins anew with these."""
        self._page, self._viewed = list(messages), False
        self._results = {}
        self._index(messages, 0)

    def _own(self) -> None:
        if self._viewed:
            self._page, self._viewed = list(self._page), False

    def _index(self, messages: Sequence[Message], start: int) -> None:
        for at, message in enumerate(messages, start):
            if not isinstance(message, LLMSpecificMessage) and message["role"] == "tool":
                self._results[str(message.get("tool_call_id"))] = at
