"""The line to a model that holds a conversation: held, and held anew when it breaks.

States                       left by
  down   no conversation     its time has come (`Supervised`) -> held
  held   inputs go in        the stream fails, ends or is given up (`renew`) -> down
  refused                    new settings (`revive`) -> down

What is put while the line is down is lost: a new conversation begins with all that the model has to
know (`begin`), and whoever asks for an answer waits until the line is `held`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

from antiphon.errors import AntiphonError, ConnectivityError, MailboxFullError
from antiphon.kernel.mailbox import Feed
from antiphon.kernel.processor import FrameProcessor
from antiphon.services.connection import Supervised
from antiphon.services.connection_policy import ConnectionPolicy
from antiphon.services.contracts import RealtimeEvent, RealtimeInput, RealtimeProvider

_FEED_LIMIT = 5_000
"""Inputs; more than a minute of audio in pieces of 20 ms."""


class RealtimeListener(Protocol):
    """What a service does about its conversation."""

    def begin(self) -> None:
        """A new conversation begins: puts what the model has to know."""

    async def received(self, event: RealtimeEvent) -> None:
        """An event came."""

    def broken(self, error: AntiphonError) -> None:
        """The conversation is over."""


class RealtimeConnection:
    """Belongs to one processor."""

    def __init__(
        self,
        processor: FrameProcessor,
        provider: RealtimeProvider,
        policy: ConnectionPolicy,
        talk: RealtimeListener,
        tell: Callable[[str], Awaitable[None]],
    ) -> None:
        self.provider: RealtimeProvider = provider
        self._line = Supervised(processor, provider, policy, tell)
        self._talk = talk
        self._inputs: Feed[RealtimeInput] | None = None
        self._held = asyncio.Event()

    @property
    def usable(self) -> bool:
        """False while the provider refuses."""
        return self._line.usable

    async def start(self) -> None:
        """Connects, and holds a conversation from now on."""
        try:
            await self._line.connect()
        except AntiphonError as error:
            await self._line.failed(error)
        self._line.keep(self)

    def close(self) -> None:
        """The conversation may end. Idempotent."""
        self._line.close()
        if self._inputs is not None:
            self._inputs.close()

    def put(self, item: RealtimeInput) -> None:
        """An input of the model's; one that takes none is given up."""
        if self._inputs is None:
            return
        try:
            self._inputs.put(item)
        except MailboxFullError:
            self.renew(ConnectivityError(f"{self.provider.name} takes no input"))

    def renew(self, error: AntiphonError) -> None:
        """The model does not react: the conversation is ended, and held anew."""
        if self._held.is_set():
            self._held.clear()
            self._line.renew(error)

    def revive(self) -> None:
        """What the provider refused it may grant now."""
        self._line.revive()

    def answered(self) -> None:
        """The model works: failures so far count no longer."""
        self._line.worked()

    async def until_held(self) -> bool:
        """Waits, as long as for an answer, until there is a conversation; False if the provider
        refuses one.
        """
        self._line.hurry()
        try:
            async with asyncio.timeout(self._line.policy.first_event_secs):
                while self.usable and not self._held.is_set():
                    await self._held.wait()
        except TimeoutError:
            pass
        return self.usable

    # ---- the stream that is kept open (`KeptStream`) -------------------------------------------

    def open(self) -> AsyncIterator[RealtimeEvent]:
        """Another conversation, told what the model has to know."""
        self._inputs = Feed[RealtimeInput](limit=_FEED_LIMIT, name="inputs of the model")
        self._talk.begin()
        self._held.set()
        return self.provider.converse(self._inputs)

    async def received(self, event: RealtimeEvent) -> None:
        """An event came."""
        await self._talk.received(event)

    def broken(self, error: AntiphonError) -> None:
        """The conversation is over."""
        self._held.clear()
        self._inputs = None
        self._talk.broken(error)
