"""A conversation that is told to end."""

from __future__ import annotations

import asyncio
import os
import signal
from types import SimpleNamespace
from typing import cast

import pytest

from antiphon.context.llm_context import LLMContext
from antiphon.context.pair import LLMContextAggregatorPair
from antiphon.demo.bot import Bot
from antiphon.demo.conversation import converse
from antiphon.kernel.pipeline import Pipeline


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_conversation_and_what_there_is_is_kept(number: signal.Signals) -> None:
    """A service that is stopped (SIGTERM) writes its recording and report as after Ctrl-C."""
    context = LLMContext([{"role": "user", "content": "hello"}])
    pair = LLMContextAggregatorPair(context)
    pipeline = Pipeline([pair.user(), pair.assistant()])
    parts = SimpleNamespace(pipeline=pipeline, context=context, user=pair.user(), parts=dict)

    async def main() -> list[dict[str, object]]:
        asyncio.get_running_loop().call_later(0.2, os.kill, os.getpid(), number)
        held = await converse(cast("Bot", parts), title="A call", longest=20)
        return list(held.log.context)

    assert asyncio.run(main())[0]["content"] == "hello"
