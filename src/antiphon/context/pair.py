"""Both halves of a context: one before the model, one after the output."""

from __future__ import annotations

from typing import Self

from antiphon.context.assistant_aggregator import (
    LLMAssistantAggregator,
    LLMAssistantAggregatorParams,
)
from antiphon.context.llm_context import LLMContext
from antiphon.context.pair_state import PairState
from antiphon.context.user_aggregator import LLMUserAggregator, LLMUserAggregatorParams


class LLMContextAggregatorPair(tuple[LLMUserAggregator, LLMAssistantAggregator]):  # noqa: SLOT001
    """`user, assistant = LLMContextAggregatorPair(context)`.

    `add_tool_change_messages`: when the advertised tools change, a developer message says what
    became available or unavailable.
    """

    context: LLMContext
    shared: PairState

    def __new__(
        cls,
        context: LLMContext,
        *,
        user_params: LLMUserAggregatorParams | None = None,
        assistant_params: LLMAssistantAggregatorParams | None = None,
        add_tool_change_messages: bool | None = None,
    ) -> Self:
        wanted = add_tool_change_messages
        if wanted is None:
            wanted = (user_params or LLMUserAggregatorParams()).add_tool_change_messages or (
                assistant_params or LLMAssistantAggregatorParams()
            ).add_tool_change_messages
        shared = PairState(context, add_tool_change_messages=wanted)
        halves = (
            LLMUserAggregator(shared, user_params),
            LLMAssistantAggregator(shared, assistant_params),
        )
        pair = super().__new__(cls, halves)
        pair.context, pair.shared = context, shared
        return pair

    def user(self) -> LLMUserAggregator:
        """Stands before the model."""
        return self[0]

    def assistant(self) -> LLMAssistantAggregator:
        """Stands after the output."""
        return self[1]
