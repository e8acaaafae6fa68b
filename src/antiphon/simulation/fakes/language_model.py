"""A language model that follows a script or a function, and checks what it is sent."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from typing import Any

from antiphon.context.validate import problems
from antiphon.errors import InvalidRequestError, ServiceError
from antiphon.services.contracts import (
    LLMEvent,
    LLMRequest,
    TextDelta,
    TokenUsage,
    ToolCall,
)
from antiphon.simulation.fakes.delays import Delay, stream, wait
from antiphon.simulation.fakes.provider import FakeProvider, Faults

Reply = str | LLMEvent | Sequence[str | LLMEvent]
"""A text, which is streamed token by token, an event, or several of both."""

_TOKENS = re.compile(r"\s*\S+|\s+$")


def call(name: str, **arguments: Any) -> ToolCall:
    """A function call as the model would ask for it; `FakeLLMProvider` gives it an id."""
    return ToolCall("", name, json.dumps(arguments))


class FakeLLMProvider(FakeProvider):
    """Satisfies `LLMProvider`.

    Args:
        script: the replies in order, or a function that makes one from each request.
        default: the reply once the script is used up; without it that is an `InvalidRequestError`.
        first_token: seconds to the first event of an answer.
        between_tokens: seconds from one event to the next.
        words_per_event: how much text comes at once.
        faults: what goes wrong, by the number of the `complete` call.
        check_context: raises `InvalidRequestError` for a request whose messages are not valid, and
            keeps what was wrong in `complaints`.
        connect_error: `connect` raises this once.

    `requests` holds what was asked; `cut_off` counts the answers that were closed before they had
    ended; `running` those that go on.

    """

    name = "fake-llm"
    model = "scripted"

    def __init__(
        self,
        script: Sequence[Reply] | Callable[[LLMRequest], Reply] = (),
        *,
        default: Reply | None = None,
        first_token: Delay = 0.3,
        between_tokens: Delay = 0.02,
        words_per_event: int = 1,
        faults: Faults | None = None,
        check_context: bool = True,
        connect_delay: Delay = 0.0,
        connect_error: ServiceError | None = None,
    ) -> None:
        super().__init__(faults, connect_delay, connect_error)
        self.requests: list[LLMRequest] = []
        self.complaints: list[str] = []
        self._script = script if callable(script) else list(script)
        self._default = default
        self._first_token, self._between_tokens = first_token, between_tokens
        self._check_context = check_context
        self._words_per_event = words_per_event
        self._call_numbers = itertools.count(1)

    async def complete(self, request: LLMRequest) -> AsyncGenerator[LLMEvent, None]:
        planned, rng = self.planned.begin(), stream(self.name)
        self.requests.append(request)
        self._check(request)
        self.running += 1
        ended = False
        try:
            reply = self._reply(request)
            await wait(self._first_token, rng)
            tokens = 0
            for event in self._numbered(_events(reply, self._words_per_event)):
                if tokens:
                    await wait(self._between_tokens, rng)
                await planned.checkpoint()
                tokens += 1
                yield event
            await planned.checkpoint()
            prompt = sum(len(str(m.get("content")).split()) for m in request.messages)
            yield TokenUsage(prompt, tokens)
            ended = True
        except ServiceError:
            ended = True
            raise
        finally:
            self.running -= 1
            self.cut_off += not ended

    def _check(self, request: LLMRequest) -> None:
        if self._check_context and (found := problems(request.messages)):
            self.complaints += found
            raise InvalidRequestError(f"the context is not valid: {'; '.join(found)}")

    def _numbered(self, events: list[LLMEvent]) -> Iterator[LLMEvent]:
        for event in events:
            if isinstance(event, ToolCall) and not event.id:
                yield ToolCall(f"call_{next(self._call_numbers)}", event.name, event.arguments)
            else:
                yield event

    def _reply(self, request: LLMRequest) -> Reply:
        if callable(self._script):
            return self._script(request)
        if self._script:
            return self._script.pop(0)
        if self._default is None:
            raise InvalidRequestError(
                f"the script of {self.name} has no reply to request {self.calls}: "
                f"add one, or pass default="
            )
        return self._default


def _events(reply: Reply, size: int) -> list[LLMEvent]:
    if isinstance(reply, LLMEvent):
        return [reply]
    if isinstance(reply, str):
        tokens = _TOKENS.findall(reply)
        pieces = ["".join(tokens[at : at + size]) for at in range(0, len(tokens), size)]
        return [TextDelta(piece) for piece in pieces]
    return [event for part in reply for event in _events(part, size)]
