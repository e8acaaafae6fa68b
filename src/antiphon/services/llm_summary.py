"""Summaries on request of the assistant's half of a context."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from antiphon.errors import ServiceError
from antiphon.frames.llm import LLMContextSummaryRequestFrame, LLMContextSummaryResultFrame
from antiphon.kernel.processor import FrameProcessor


class Inferring(Protocol):
    """Whoever can answer out of band."""

    async def run_inference(
        self, context: Any, *, max_tokens: int | None, system_instruction: str | None
    ) -> str: ...


async def make_summary(
    service: FrameProcessor, by: Inferring, request: LLMContextSummaryRequestFrame
) -> None:
    """Has `by` make the summary and broadcasts it, or why there is none."""
    summary, problem = "", None
    try:
        async with asyncio.timeout(request.timeout):
            summary = await by.run_inference(
                request.context, max_tokens=request.max_tokens, system_instruction=request.prompt
            )
    except (ServiceError, TimeoutError) as error:
        problem = str(error) or f"it took longer than {request.timeout:g} s"
    await service.broadcast_frame(
        LLMContextSummaryResultFrame(request.request_id, summary, problem)
    )
