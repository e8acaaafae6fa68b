"""A failed inference never ends in silence: the program is told, and the caller, if wished."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest

from antiphon.context.llm_context import LLMContext
from antiphon.errors import AntiphonError, AuthenticationError, ConnectivityError
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import ErrorFrame
from antiphon.frames.llm import LLMContextFrame, LLMFullResponseEndFrame, LLMFullResponseStartFrame
from antiphon.frames.text import LLMTextFrame
from antiphon.services.connection_policy import ConnectionPolicy
from antiphon.services.contracts import LLMEvent, LLMRequest, TextDelta, ThoughtDelta
from antiphon.services.llm import LLMService
from antiphon.simulation.fakes.language_model import FakeLLMProvider, call
from antiphon.simulation.fakes.provider import Fail, from_now_on
from antiphon.simulation.loop.virtual_time import run
from antiphon.simulation.testing import SleepFrame, run_test
from tests.services.outages import Outages, OutLLM

SORRY = "Sorry, I cannot answer right now."


def ask(service: LLMService, *messages: dict[str, Any], secs: float = 40.0) -> list[Frame]:
    """What comes out, both ways, when the service is asked."""
    context = LLMContext(list(messages) or [{"role": "user", "content": "hi"}])
    frames = [LLMContextFrame(context), SleepFrame(sleep=secs)]
    down, up = run(run_test(service, frames_to_send=frames))
    return [*down, *up]


def heard(frames: Sequence[Frame]) -> str:
    """What the caller hears."""
    return "".join(frame.text for frame in frames if isinstance(frame, LLMTextFrame))


def errors(frames: Sequence[Frame]) -> list[ErrorFrame]:
    """The errors that were told."""
    return [frame for frame in frames if isinstance(frame, ErrorFrame)]


RAISED = [
    KeyError("weird"),
    TypeError("a schema that cannot be read"),
    asyncio.CancelledError(),
    SystemExit(2),
    AuthenticationError("key"),
    ConnectivityError("no route"),
]


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("apology", [SORRY, None])
def test_whatever_is_raised_is_a_failed_inference(
    error: BaseException, apology: str | None
) -> None:
    """Told with its culprit within seconds; the caller hears the apology, where there is one."""
    provider = OutLLM(Outages([(0.0, 1e9)], error), default="x")
    service, failed = LLMService(provider, apology=apology), list[AntiphonError]()
    service.add_event_handler("on_inference_failed", lambda _, reason: failed.append(reason))
    out = ask(service, secs=8.0)
    assert heard(out) == (apology or "")
    assert len(failed) == len(errors(out)) == 1
    assert provider.name in errors(out)[0].error
    assert str(failed[0]) in errors(out)[0].error
    kinds = (LLMFullResponseStartFrame, LLMTextFrame, LLMFullResponseEndFrame)
    assert [type(f) for f in out if isinstance(f, kinds)] == [
        LLMFullResponseStartFrame,
        *([LLMTextFrame] if apology else []),
        LLMFullResponseEndFrame,
    ]


@pytest.mark.parametrize("secs", [0.1, 1.0, 3.0])
def test_an_outage_within_the_time_to_give_up_costs_no_answer(secs: float) -> None:
    """Attempts go on, and nothing is told of them."""
    provider = OutLLM(Outages([(0.0, secs)]), default="Hello.")
    out = ask(LLMService(provider, apology=SORRY))
    assert heard(out) == "Hello."
    assert errors(out) == []


def test_after_an_outage_the_model_answers() -> None:
    """A failed inference says nothing of the next."""
    provider = OutLLM(Outages([(0.0, 20.0)]), default="Hello.")
    service = LLMService(provider, apology=SORRY)
    frames = []
    for _ in range(3):
        context = LLMContext([{"role": "user", "content": "hi"}])
        frames += [LLMContextFrame(context), SleepFrame(sleep=10.0)]
    down, up = run(run_test(service, frames_to_send=frames))
    assert heard(down) == SORRY + SORRY + "Hello."
    assert len(errors(up)) == 2


def test_a_request_that_cannot_be_made_is_not_made_again() -> None:
    """Our own part of the handler is guarded as the provider's is."""

    class Odd(LLMService):
        made = 0

        def _request(self, snapshot: object) -> LLMRequest:
            self.made += 1
            raise RecursionError("a schema in a schema")

    service = Odd(FakeLLMProvider(default="x"), apology=SORRY)
    out = ask(service)
    assert heard(out) == SORRY
    assert service.made == 1
    assert "its request cannot be made" in errors(out)[0].error
    assert "RecursionError" in errors(out)[0].error


def test_a_connection_that_fails_at_the_start_is_tried_with_the_request() -> None:
    """The session starts all the same."""

    class Late(FakeLLMProvider):
        tries = 0

        async def connect(self) -> None:
            self.tries += 1
            if self.tries == 1:
                raise RuntimeError("not yet")

    provider = Late(default="Hello.")
    out = ask(LLMService(provider))
    assert heard(out) == "Hello."
    assert "not yet" in errors(out)[0].error
    assert provider.tries == 2


def test_an_apology_follows_no_half_answer() -> None:
    """Who has heard something has been answered."""
    provider = FakeLLMProvider(
        default="one two three", faults={0: Fail(ConnectivityError("reset"), after=2)}
    )
    out = ask(LLMService(provider, apology=SORRY))
    assert heard(out) == "one two"
    assert len(errors(out)) == 1


class Thinking(FakeLLMProvider):
    """Ends without a word, the first `empty` times."""

    def __init__(self, empty: int) -> None:
        super().__init__(default="Hello.")
        self._empty = empty

    async def complete(self, request: LLMRequest) -> AsyncGenerator[LLMEvent, None]:
        """Thinks, or says nothing at all."""
        if self.calls < self._empty:
            self.planned.begin()
            if self.calls % 2:
                yield TextDelta("")
            return
        async for event in super().complete(request):
            yield event


def test_an_empty_answer_is_asked_for_again_and_then_a_failure() -> None:
    """A caller who asked is not left in silence; an empty echo of a tool's result is none."""
    assert heard(ask(LLMService(Thinking(1)))) == "Hello."
    provider = Thinking(9)
    out = ask(LLMService(provider, apology=SORRY))
    assert heard(out) == SORRY
    assert provider.calls == 2
    assert "empty answer" in errors(out)[0].error
    tool: list[dict[str, Any]] = [
        {"role": "user", "content": "bye"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
            ],
        },
        {"role": "tool", "tool_call_id": "1", "content": "done"},
    ]
    out = ask(LLMService(Thinking(9), apology=SORRY), *tool)
    assert heard(out) == ""
    assert errors(out) == []


def test_thoughts_alone_are_no_answer() -> None:
    """They are out, so it is not asked again; the caller has heard nothing."""

    class Musing(FakeLLMProvider):
        async def complete(self, request: LLMRequest) -> AsyncGenerator[LLMEvent, None]:
            yield ThoughtDelta("hm")

    out = ask(LLMService(Musing(), apology=SORRY))
    assert heard(out) == SORRY
    assert len(errors(out)) == 1


def test_calls_of_a_failed_answer_are_not_made_and_it_is_told() -> None:
    """The stream breaks behind a call."""
    provider = FakeLLMProvider(
        default=[call("f")], faults=from_now_on(Fail(ConnectivityError("reset"), after=1))
    )
    policy = ConnectionPolicy(max_retries=0)
    out = ask(LLMService(provider, apology=SORRY, retry_policy=policy))
    assert heard(out) == SORRY
    assert len(errors(out)) == 1
