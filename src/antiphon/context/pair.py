"""Both halves of a context: one before the model, one after the output."""

from __future__ import annotations

from collections.abc import Iterator

from antiphon.context.assistant_aggregator import (
    LLMAssistantAggregator,
    LLMAssistantAggregatorParams,
)
from antiphon.context.llm_context import LLMContext
from antiphon.context.pair_state import PairState
from antiphon.context.user_aggregator import LLMUserAggregator, LLMUserAggregatorParams
from antiphon.kernel.processor import FrameProcessor


class LLMContextAggregatorPair:
    """`user, assistant = LLMContextAggregatorPair(context)`.

    `add_tool_change_messages`: when the advertised tools change, a developer message says what
    became available or unavailable.
    """

    def __init__(
        self,
        context: LLMContext,
        *,
        user_params: LLMUserAggregatorParams | None = None,
        assistant_params: LLMAssistantAggregatorParams | None = None,
        add_tool_change_messages: bool | None = None,
    ) -> None:
        wanted = add_tool_change_messages
        if wanted is None:
            wanted = (user_params or LLMUserAggregatorParams()).add_tool_change_messages or (
                assistant_params or LLMAssistantAggregatorParams()
            ).add_tool_change_messages
        self.context = context
        self.shared: PairState = PairState(context, add_tool_change_messages=wanted)
        self._user = LLMUserAggregator(self.shared, user_params)
        self._assistant = LLMAssistantAggregator(self.shared, assistant_params)

    def user(self) -> LLMUserAggregator:
        """Stands before the model."""
        return self._user

    def assistant(self) -> LLMAssistantAggregator:
        """Stands after the output."""
        return self._assistant

    def __iter__(self) -> Iterator[FrameProcessor]:
        return iter((self._user, self._assistant))
