"""Summaries on behalf of the assistant's half: asks a model, waits no longer than it may, applies.

    idle --due, or asked--> asked for a summary --answer--> applied | made again | dropped --> idle

One at a time. A summary whose messages have changed meanwhile is made anew once, and then dropped:
there will be another occasion.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from antiphon.context.llm_context import LLMContext
from antiphon.context.summary import (
    PROMPT,
    LLMAutoContextSummarizationConfig,
    LLMContextSummaryConfig,
    SummaryAppliedEvent,
    SummaryPlan,
    plan,
)
from antiphon.frames.llm import LLMContextSummaryRequestFrame, LLMContextSummaryResultFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.processor import FrameProcessor

if TYPE_CHECKING:
    from antiphon.context.pair_state import PairState
    from antiphon.kernel.call_frames import Timer

logger: Final = logging.getLogger(__name__)

_GRACE_SECS = 1.0
_MAX_ATTEMPTS = 2


class ContextSummarizer:
    """Keeps one context short. `auto` None: only when asked."""

    def __init__(
        self,
        processor: FrameProcessor,
        shared: PairState,
        auto: LLMAutoContextSummarizationConfig | None,
        *,
        on_applied: Callable[[ContextSummarizer, SummaryAppliedEvent], Awaitable[None]],
    ) -> None:
        self._processor = processor
        self._shared = shared
        self._auto = auto
        self._on_applied = on_applied
        self._request: LLMContextSummaryRequestFrame | None = None
        self._plan: SummaryPlan | None = None
        self._attempts = 0
        self._timer: Timer | None = None

    @property
    def busy(self) -> bool:
        """A summary is being made."""
        return self._request is not None

    def open(self) -> None:
        """The session has started."""
        self._timer = self._processor.timer(self._too_late)

    async def check(self) -> None:
        """Makes a summary if one is due by itself."""
        messages = self._shared.context.messages
        if self._auto is not None and not self.busy and self._auto.is_due(messages):
            await self.summarize(self._auto.summary_config)

    async def summarize(self, config: LLMContextSummaryConfig | None = None) -> None:
        """Makes a summary now; nothing happens while one is being made."""
        if self.busy:
            return
        if config is None:
            config = self._auto.summary_config if self._auto else LLMContextSummaryConfig()
        self._attempts = 0
        await self._ask(config)

    async def result(self, frame: LLMContextSummaryResultFrame) -> None:
        """An answer has come; one to another request is left alone."""
        if self._request is None or frame.request_id != self._request.request_id:
            return
        made, self._plan, self._request = self._plan, None, None
        assert self._timer is not None
        assert made is not None
        self._timer.arm(None)
        if frame.error is not None or not frame.summary.strip():
            logger.warning("No summary was made: %s", frame.error or "it was empty")
            return
        applied = made.apply(self._shared.context, frame.summary.strip())
        if applied is not None:
            await self._on_applied(self, applied)
        elif self._attempts < _MAX_ATTEMPTS:
            await self._ask(made.config)
        else:
            logger.warning("A summary was dropped: the conversation was changed meanwhile.")

    async def _ask(self, config: LLMContextSummaryConfig) -> None:
        open_calls = [call.tool_call_id for call in self._shared.calls.table.open_calls]
        snapshot = self._shared.context.snapshot()
        made = plan(snapshot, config, open_calls, limit=self._shared.told)
        if made is None:
            return
        self._attempts += 1
        request = LLMContextSummaryRequestFrame(
            request_id=f"{self._processor.name}-{self._shared.context.version}-{self._attempts}",
            context=LLMContext([{"role": "user", "content": made.transcript}]),
            prompt=config.summarization_prompt or PROMPT,
            max_tokens=made.max_tokens,
            timeout=config.summarization_timeout,
            llm=config.llm,
        )
        self._plan, self._request = made, request
        assert self._timer is not None
        deadline = self._processor.clock.now() + config.summarization_timeout + _GRACE_SECS
        self._timer.arm(deadline)
        await self._processor.push_frame(request, FrameDirection.UPSTREAM)

    async def _too_late(self) -> None:
        logger.warning("No summary was made: nobody answered in time.")
        self._plan, self._request = None, None
