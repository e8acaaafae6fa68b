"""One request to a language model: its stream under deadlines, and when to try again.

A stream that says nothing for too long is closed and reported as a `SilenceError`; one that cannot
be closed is left behind. A failed request is tried again only if the error is worth it and nothing
of the answer has been given away: the caller never hears a sentence twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Final

from antiphon.errors import AntiphonError, ServerError
from antiphon.services.connection import SilenceError, Supervised, failures_of
from antiphon.services.contracts import LLMEvent, LLMProvider, LLMRequest, TextDelta, ToolCall
from antiphon.services.llm_text import AnswerText

logger: Final = logging.getLogger("antiphon")


class EmptyReplyError(ServerError):
    """A model ended its answer without a word and without a call."""


async def events_of(
    line: Supervised, provider: LLMProvider, request: LLMRequest
) -> AsyncGenerator[LLMEvent, None]:
    """The provider's events; closes its stream in every case.

    Raises:
        SilenceError: it was silent for too long.
        AntiphonError: whatever else went wrong with it.

    """
    now, policy = asyncio.get_running_loop().time, line.policy
    limit, what = policy.first_event_secs, "did not begin to answer"
    text = AnswerText()
    async with aclosing(await line.stream(lambda: provider.complete(request))) as reader:
        while True:
            try:
                event = await reader.next(now() + limit)
            except StopAsyncIteration:
                break
            except SilenceError as error:
                name = f"{provider.name} ({provider.model})"
                raise SilenceError(f"{name} {what} for {limit:g} s") from error
            for ready in text.push(event):
                yield ready
            limit, what = policy.stall_secs, "stopped in the middle of its answer"
        for ready in text.flush():
            yield ready


async def answered(
    line: Supervised, attempt: Callable[[], Awaitable[None]], *, spent: Callable[[], bool]
) -> None:
    """Makes attempts until one succeeds, or the policy gives up, or one is `spent`: something of it
    is out.

    Raises:
        AntiphonError: the last attempt failed; whatever it raised is one.

    """
    now = asyncio.get_running_loop().time
    began, retries = now(), 0
    while True:
        try:
            with failures_of(line.provider.name):
                await attempt()
        except AntiphonError as error:
            delay = line.policy.delay(error, retries=retries, elapsed=now() - began, now=now())
            empty = isinstance(error, EmptyReplyError) and retries > 0
            if spent() or delay is None or empty:
                raise
            logger.warning("%s: %s; trying again in %.2g s", line.provider.name, error, delay)
        else:
            return
        retries += 1
        await asyncio.sleep(delay)


async def infer(line: Supervised, provider: LLMProvider, request: LLMRequest) -> str:
    """The whole text of one answer, tried again as the policy says.

    Raises:
        AntiphonError: it failed for good.

    """
    text = ""

    async def attempt() -> None:
        nonlocal text
        text = ""
        async with aclosing(events_of(line, provider, request)) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    text += event.text

    await answered(line, attempt, spent=lambda: False)
    return text


def is_empty(event: LLMEvent) -> bool:
    """Tell that the event gives the caller nothing."""
    return not (isinstance(event, ToolCall) or (isinstance(event, TextDelta) and event.text))
