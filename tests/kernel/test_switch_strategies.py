"""Failing over: when a switcher switches by itself, and to whom."""

from __future__ import annotations

import asyncio

import pytest

from antiphon.context.llm_context import LLMContext
from antiphon.errors import (
    AntiphonError,
    ConfigurationError,
    ErrorCategory,
)
from antiphon.frames.base import ControlFrame
from antiphon.frames.lifecycle import ErrorFrame
from antiphon.frames.llm import (
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMUpdateSettingsFrame,
)
from antiphon.frames.text import LLMTextFrame
from antiphon.kernel.switch import ServiceSwitcher
from antiphon.kernel.switch_strategies import ServiceSwitcherStrategyFailover
from antiphon.services.connection_policy import ConnectionPolicy
from antiphon.services.llm import LLMService
from antiphon.simulation.fakes.language_model import FakeLLMProvider
from antiphon.simulation.fakes.provider import Fail, Hang, from_now_on
from antiphon.simulation.loop.virtual_time import run
from antiphon.simulation.testing import SleepFrame, run_test
from tests.kernel.parts import Ear, Word, conversation
from tests.kernel.switched import AUTH, TIME_OUT, pair


def fail_over(
    first: AntiphonError, second: AntiphonError | None = None, words: int = 1
) -> tuple[list[str], list[str], int]:
    """What is heard, the errors that reached the task, and how many were handled."""

    async def main() -> tuple[list[str], list[str], int]:
        a, b = pair()
        a.broken, b.broken = first, second
        switcher = ServiceSwitcher([a, b], ServiceSwitcherStrategyFailover())
        handled: list[ErrorFrame] = []
        switcher.add_event_handler("on_error_handled", lambda _, error: handled.append(error))
        async with conversation(switcher, ear := Ear()) as talk:
            for number in range(words):
                await talk.say(Word(str(number)))
                await asyncio.sleep(1)
        return ear.texts, talk.complaints, len(handled)

    return run(main())


def test_a_lasting_error_switches_and_the_request_is_answered() -> None:
    """The caller hears the answer of the second service, and the task no error."""
    assert fail_over(AUTH) == (["(", "b:0", ")"], [], 1)


def test_time_outs_switch_when_they_are_repeated() -> None:
    """The first is told as it is; the second switches, and its request is answered."""
    assert fail_over(TIME_OUT, words=2) == (["(", ")", "(", "b:1", ")"], ["broken"], 1)


def test_with_nobody_left_the_error_goes_on() -> None:
    """Both are broken: the error of the second reaches the task."""
    assert fail_over(AUTH, AUTH) == (["(", ")"], ["broken"], 1)


def test_a_refused_setting_is_no_failure_of_the_service() -> None:
    """The error goes on, and nobody is switched."""

    async def main() -> tuple[str, list[str]]:
        a, b = pair()
        switcher = ServiceSwitcher([a, b], ServiceSwitcherStrategyFailover())
        async with conversation(switcher) as talk:
            await talk.say(LLMUpdateSettingsFrame(settings={"bad": 1}))
            await asyncio.sleep(1)
        return switcher.active_service.name, talk.complaints

    assert run(main()) == ("a", ["refused"])


def error(
    exception: AntiphonError | None = None, category: ErrorCategory = ErrorCategory.UNKNOWN
) -> ErrorFrame:
    retryable = exception is not None and exception.retryable
    return ErrorFrame(error="e", exception=exception, retryable=retryable, category=category)


def failover() -> ServiceSwitcherStrategyFailover:
    strategy = ServiceSwitcherStrategyFailover()
    strategy.begin(("a", "b", "c"))
    return strategy


def test_failover_goes_round_and_comes_back_to_those_that_had_time_to_recover() -> None:
    """Round robin over all that are not down; one is down for `window_secs`."""
    strategy = failover()
    for now, expected in [(0, "b"), (10, "c"), (30, None), (61, "a"), (62, None), (91, "b")]:
        chosen = strategy.receive(error(AUTH), now)
        assert chosen == expected
        if chosen is not None:
            strategy.switched(chosen)


def test_passing_failures_far_apart_do_not_switch() -> None:
    """Two time-outs count only within the window; a fault of the program counts as one does."""
    strategy = failover()
    assert [strategy.receive(error(TIME_OUT), now) for now in (0, 61, 122)] == [None] * 3
    assert strategy.receive(error(category=ErrorCategory.APPLICATION), 130) == "b"


def test_an_error_that_is_only_a_message_counts_as_passing() -> None:
    """push_error("...") says nothing of how long it lasts; with an exception it may."""
    strategy = failover()
    assert [strategy.receive(error(), now) for now in (0, 1)] == [None, "b"]
    assert failover().receive(error(AntiphonError("broken for good")), 0) == "b"


def test_a_failover_without_sense_is_refused() -> None:
    """The parameters must be positive."""
    with pytest.raises(ConfigurationError):
        ServiceSwitcherStrategyFailover(max_failures=0)
    with pytest.raises(ConfigurationError):
        ServiceSwitcherStrategyFailover(window_secs=0)


# ---- the real service ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "requests"), [(Fail(AUTH), 1), (Hang(), 2)], ids=["wrong key", "hangs"]
)
def test_the_second_llm_answers_when_the_first_fails(fault: Fail | Hang, requests: int) -> None:
    """The caller gets one whole answer, between its boundaries; no error is heard of it."""
    first = FakeLLMProvider(["never"], default="never", faults=from_now_on(fault))
    second = FakeLLMProvider(["Hello from the spare."])
    patience = ConnectionPolicy(max_retries=0, first_event_secs=2)
    switcher = ServiceSwitcher(
        [
            LLMService(first, name="main", retry_policy=patience),
            LLMService(second, name="spare", retry_policy=patience),
        ],
        ServiceSwitcherStrategyFailover(max_failures=requests),
    )
    context = LLMContext([{"role": "user", "content": "hello"}])
    asked = [LLMContextFrame(context.snapshot()) for _ in range(requests)]
    down, up = run(run_test(switcher, frames_to_send=[*asked, SleepFrame(30)]))
    texts = [frame for frame in down if isinstance(frame, LLMTextFrame)]
    assert "".join(frame.text for frame in texts) == "Hello from the spare."
    order = [type(f) for f in down if isinstance(f, ControlFrame | LLMTextFrame)]
    boundaries = [LLMFullResponseStartFrame, LLMFullResponseEndFrame]
    answer = [boundaries[0], *[LLMTextFrame] * len(texts), boundaries[1]]
    assert order == boundaries * (requests - 1) + answer
    assert len([frame for frame in up if isinstance(frame, ErrorFrame)]) == requests - 1
