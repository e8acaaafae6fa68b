"""The stream of a request under deadlines, with providers that do not let themselves be stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

import pytest

from antiphon.context.llm_context import LLMContext
from antiphon.errors import ErrorCategory
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import ErrorFrame, InterruptionFrame
from antiphon.frames.llm import LLMContextFrame
from antiphon.frames.text import LLMTextFrame
from antiphon.frames.tools import FunctionCallsStartedFrame
from antiphon.services.connection_policy import ConnectionPolicy
from antiphon.services.contracts import LLMEvent, LLMRequest, TextDelta, ToolCall
from antiphon.services.llm import LLMService
from antiphon.simulation.loop.virtual_time import run
from antiphon.simulation.testing import SleepFrame, run_test
from antiphon.tools.params import FunctionCallParams


class Stubborn:
    """Its first answer comes after a minute and swallows every cancellation; later ones at once."""

    name, model = "stubborn", "m"

    def __init__(self) -> None:
        self.calls = 0

    async def connect(self) -> None: ...

    async def close(self) -> None: ...

    async def complete(self, request: LLMRequest) -> AsyncGenerator[LLMEvent, None]:
        self.calls += 1
        if self.calls == 1:
            until = asyncio.get_running_loop().time() + 60
            while asyncio.get_running_loop().time() < until:
                with suppress(asyncio.CancelledError):
                    await asyncio.sleep(1)
            yield TextDelta("stale")
            yield ToolCall("late", "f", "{}")
        yield TextDelta("fresh")


def request() -> LLMContextFrame:
    return LLMContextFrame(LLMContext([{"role": "user", "content": "hi"}]).snapshot())


def texts(frames: list[Frame]) -> list[str]:
    return [frame.text for frame in frames if isinstance(frame, LLMTextFrame)]


def test_a_provider_that_swallows_its_cancellation_is_given_up_in_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The deadline holds: the request is tried again, and the stream left behind is named."""
    provider = Stubborn()
    service = LLMService(provider, retry_policy=ConnectionPolicy(first_event_secs=2.0))
    frames: list[Frame] = [request(), SleepFrame(5)]

    async def main() -> tuple[list[str], list[Frame]]:
        down, up = await run_test(service, frames_to_send=frames)
        early = texts(down)
        await asyncio.sleep(60)
        return early, up

    early, up = run(main())
    assert early == ["fresh"]
    assert not [frame for frame in up if isinstance(frame, ErrorFrame)]
    assert "the stream of stubborn did not stop within 0.8 s" in caplog.text


def test_without_retries_it_is_one_error() -> None:
    """A timeout is a ConnectivityError that names the provider."""
    service = LLMService(
        Stubborn(), retry_policy=ConnectionPolicy(max_retries=0, first_event_secs=2.0)
    )

    async def main() -> list[Frame]:
        _, up = await run_test(service, frames_to_send=[request(), SleepFrame(5)])
        await asyncio.sleep(60)
        return up

    (error,) = [frame for frame in run(main()) if isinstance(frame, ErrorFrame)]
    assert error.category is ErrorCategory.CONNECTIVITY
    assert "stubborn (m) did not begin to answer" in error.error


def test_an_interruption_does_not_wait_for_it_and_none_of_its_calls_is_made() -> None:
    """The next request is answered within a second; what comes late is neither said nor done."""
    service = LLMService(Stubborn())
    called: list[str] = []

    async def f(params: FunctionCallParams) -> None:
        called.append(params.tool_call_id)

    service.register_function("f", f)
    frames: list[Frame] = [
        request(),
        SleepFrame(1),
        InterruptionFrame(),
        request(),
        SleepFrame(1),
        SleepFrame(90),
    ]

    async def main() -> list[Frame]:
        down, _ = await run_test(service, frames_to_send=frames)
        return down

    down = run(main())
    assert texts(down) == ["fresh"]
    assert called == []
    assert not [frame for frame in down if isinstance(frame, FunctionCallsStartedFrame)]
