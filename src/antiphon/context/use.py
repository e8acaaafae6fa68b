"""A context belongs to one conversation at a time."""

from __future__ import annotations

from typing import Protocol

from antiphon.errors import AlreadyInPipelineError


class Holder(Protocol):
    """A conversation that uses a context."""

    @property
    def over(self) -> bool:
        """It has ended without a word: its loop is closed."""
        ...


class Use:
    """Who uses one context."""

    def __init__(self) -> None:
        self._holder: Holder | None = None

    def take(self, holder: Holder) -> None:
        """A conversation begins to use the context; it may do so again.

        Raises:
            AlreadyInPipelineError: another one is using it.

        """
        if self._holder is not None and self._holder is not holder and not self._holder.over:
            raise AlreadyInPipelineError(
                "this LLMContext is used by another conversation that is going on: give each "
                "conversation a context of its own, LLMContext(context.get_messages(), "
                "tools=context.tools)"
            )
        self._holder = holder

    def leave(self, holder: Holder) -> None:
        """The conversation has ended."""
        if self._holder is holder:
            self._holder = None
