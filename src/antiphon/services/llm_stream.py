"""One request to a language model: its stream under deadlines, and when to try again.

A stream that says nothing for too long is closed and reported as a `ConnectivityError`; one that
cannot be closed is left behind. A failed request is tried again only if the error is worth it and
nothing of the answer has been given away: the caller never hears a sentence twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import cast

import msgspec

from antiphon.errors import ConfigurationError, ConnectivityError, ServiceError
from antiphon.kernel.streams import StreamReader, StreamTimeoutError
from antiphon.services.contracts import LLMEvent, LLMProvider, LLMRequest, TextDelta

_GRACE_SECS = 0.8
"""How long a stream may take to stop: less than a handler that an interruption cancels has."""


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How patient to be. Seconds; a caller on the line waits for about two without asking what is
    wrong.

    `first_event_secs`: from the request to the first event. `stall_secs`: between two events. The
    n-th retry (from 0) waits `backoff_secs * 2**n` first.
    """

    max_retries: int = 2
    first_event_secs: float = 15.0
    stall_secs: float = 10.0
    backoff_secs: float = 0.25

    def __post_init__(self) -> None:
        if self.max_retries < 0 or min(self.first_event_secs, self.stall_secs) <= 0:
            raise ConfigurationError(
                f"A policy needs deadlines above 0 and no negative count: {self}"
            )

    def delay(self, error: ServiceError, *, retries: int) -> float | None:
        """Seconds to wait before trying again; None to give up."""
        if not error.retryable or retries >= self.max_retries:
            return None
        return float(self.backoff_secs * 2**retries)


class CompletionTimeoutError(ConnectivityError):
    """The model began too late, or stopped in mid-stream."""


async def events_of(
    provider: LLMProvider, request: LLMRequest, policy: RetryPolicy
) -> AsyncGenerator[LLMEvent, None]:
    """The provider's events; closes its stream in every case.

    Raises:
        CompletionTimeoutError: it was silent for too long.
        ServiceError: whatever the provider raised.

    """
    # The contract says that closing the iterator stops the generation: it is a generator.
    stream = cast("AsyncGenerator[LLMEvent, None]", provider.complete(request))
    limit, what = policy.first_event_secs, "did not begin to answer"
    name = f"the stream of {provider.name} ({provider.model})"
    reader = StreamReader(stream, name=name, grace_secs=_GRACE_SECS)
    async with aclosing(reader):
        while True:
            try:
                event = await reader.next(limit)
            except StopAsyncIteration:
                return
            except StreamTimeoutError as error:
                raise CompletionTimeoutError(
                    f"{provider.name} ({provider.model}) {what} for {limit:g} s."
                ) from error
            yield event
            limit, what = policy.stall_secs, "stopped in the middle of its answer"


async def infer(provider: LLMProvider, request: LLMRequest, policy: RetryPolicy) -> str:
    """The whole text of one answer, tried again as the policy says.

    Raises:
        ServiceError: it failed for good.

    """
    retries = 0
    while True:
        text = ""
        try:
            async with aclosing(events_of(provider, request, policy)) as events:
                async for event in events:
                    if isinstance(event, TextDelta):
                        text += event.text
            return text
        except ServiceError as error:
            delay = policy.delay(error, retries=retries)
            if delay is None:
                raise
        retries += 1
        await asyncio.sleep(delay)
