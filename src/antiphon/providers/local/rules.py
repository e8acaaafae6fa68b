"""A deterministic stand-in for a language model: rules over tables, and the same Protocol.

It serves demonstrations on machines without a model, continuous integration, and scripted
conversations. It streams words, calls tools with arguments taken from what the caller said, tells
what tools return, and says what it is when asked. English only.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from collections.abc import AsyncGenerator, Iterator

from antiphon.providers.chat import calls_of, text_of
from antiphon.providers.local.rules_engine import answer
from antiphon.services.contracts import LLMEvent, LLMRequest, TextDelta, TokenUsage, ToolCall

_WORD = re.compile(r"\s*\S+")


class RuleBasedLLMProvider:
    """Answers from rules.

    `first_word_secs` and `word_secs` (seconds, default 0) imitate the pace of a model: the wait
    before the first word, and between words.
    """

    name = "rules"
    model = "rules"

    def __init__(self, *, first_word_secs: float = 0.0, word_secs: float = 0.0) -> None:
        self._first_word_secs = first_word_secs
        self._word_secs = word_secs
        self._numbers: Iterator[int] = itertools.count(1)

    async def connect(self) -> None:
        """There is nothing to prepare."""

    async def complete(self, request: LLMRequest) -> AsyncGenerator[LLMEvent, None]:
        """Streams the answer word by word, then its calls, then the count of words as usage."""
        reply = answer(request)
        await asyncio.sleep(self._first_word_secs)
        pieces = _WORD.findall(reply.text)[: request.max_tokens]
        for number, piece in enumerate(pieces):
            if number:
                await asyncio.sleep(self._word_secs)
            yield TextDelta(piece)
        taken = {call.id for message in request.messages for call in calls_of(message)}
        for wish in reply.calls:
            identity = next(i for n in self._numbers if (i := f"call_{n}") not in taken)
            yield ToolCall(identity, wish.tool.name, json.dumps(wish.arguments, ensure_ascii=False))
        heard = sum(len(text_of(m.get("content")).split()) for m in request.messages)
        yield TokenUsage(heard, len(pieces) + len(reply.calls))

    async def close(self) -> None:
        """There is nothing to release."""
