"""The language model service."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from antiphon.context.llm_context import LLMContext
from antiphon.errors import (
    AuthenticationError,
    ErrorCategory,
    InvalidInputError,
    ServerError,
)
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import (
    ErrorFrame,
    InterruptionFrame,
    LLMUsageMetricsData,
    MetricsFrame,
    ProcessingMetricsData,
    TTFBMetricsData,
)
from antiphon.frames.llm import (
    LLMConfigureOutputFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMThoughtEndFrame,
    LLMThoughtStartFrame,
    LLMThoughtTextFrame,
    LLMUpdateSettingsFrame,
)
from antiphon.frames.text import LLMTextFrame
from antiphon.frames.tools import FunctionCallsStartedFrame
from antiphon.kernel.params import PipelineParams
from antiphon.services.connection_policy import ConnectionPolicy
from antiphon.services.contracts import (
    LLMEvent,
    LLMRequest,
    TextDelta,
    ThoughtDelta,
    ThoughtSignature,
)
from antiphon.services.llm import LLMService
from antiphon.settings import LLMSettings
from antiphon.simulation.fakes.language_model import FakeLLMProvider, call
from antiphon.simulation.fakes.provider import Fail, Hang, Stall
from antiphon.simulation.loop.virtual_time import run
from antiphon.simulation.testing import SleepFrame, run_test
from tests.context.rig import Rig, converse

HELLO = {"role": "user", "content": "hello"}
OVERLOADED = ServerError("overloaded")


def context() -> LLMContextFrame:
    return LLMContextFrame(LLMContext([HELLO]).snapshot())


def serve(
    service: LLMService, frames: list[Frame] | None = None, **params: Any
) -> tuple[list[Frame], list[Frame]]:
    sent = frames or [context(), SleepFrame(30)]
    return run(run_test(service, frames_to_send=sent, pipeline_params=PipelineParams(**params)))


def text_of(frames: list[Frame]) -> str:
    return "".join(frame.text for frame in frames if isinstance(frame, LLMTextFrame))


def errors_in(frames: list[Frame]) -> list[ErrorFrame]:
    return [frame for frame in frames if isinstance(frame, ErrorFrame)]


def test_an_answer_is_streamed_between_its_boundaries() -> None:
    """Start, the text token by token as it is generated, end."""
    service = LLMService(FakeLLMProvider(["Hello there you."]))
    down, up = serve(service)
    assert [type(frame) for frame in down] == [
        LLMFullResponseStartFrame,
        *[LLMTextFrame] * 3,
        LLMFullResponseEndFrame,
    ]
    assert text_of(down) == "Hello there you."
    assert up == []


def test_a_live_context_is_as_good_as_a_snapshot() -> None:
    """A program may put either into an `LLMContextFrame`; anything else is one clear error."""
    service = LLMService(FakeLLMProvider(["Hi."]))
    down, _ = serve(service, [LLMContextFrame(LLMContext([HELLO])), SleepFrame(5)])
    assert text_of(down) == "Hi."
    _, up = serve(LLMService(FakeLLMProvider()), [LLMContextFrame("nonsense"), SleepFrame(5)])
    (error,) = errors_in(up)
    assert isinstance(error.exception, InvalidInputError)


def test_the_request_says_what_was_set() -> None:
    """Settings become the request; what is not set is left to the provider."""
    provider = FakeLLMProvider(["Hi."])
    settings = LLMSettings(
        system_instruction="Be brief.", temperature=0.3, max_tokens=50, top_p=0.9, extra={"k": 1}
    )
    serve(LLMService(provider, settings=settings))
    (request,) = provider.requests
    assert request == LLMRequest(
        messages=(HELLO,),
        system_instruction="Be brief.",
        temperature=0.3,
        max_tokens=50,
        extra={"top_p": 0.9, "k": 1},
    )


def test_an_interruption_closes_the_stream_and_nothing_follows() -> None:
    """The provider's iterator is closed; no text, no end and no call comes afterwards."""
    provider = FakeLLMProvider([["one two three four five", call("f")]], between_tokens=1.0)
    down, _ = serve(
        LLMService(provider), [context(), SleepFrame(2.0), InterruptionFrame(), SleepFrame(20)]
    )
    assert provider.cut_off == 1
    assert provider.running == 0
    after = down[next(i for i, f in enumerate(down) if isinstance(f, InterruptionFrame)) :]
    assert [type(frame) for frame in after] == [InterruptionFrame]
    assert not any(isinstance(frame, FunctionCallsStartedFrame) for frame in down)


def test_the_next_answer_comes_after_an_interruption() -> None:
    """A new context is answered although the last answer was cut off."""
    provider = FakeLLMProvider(["one two three", "Second."], between_tokens=1.0)
    frames: list[Frame] = [
        context(),
        SleepFrame(0.5),
        InterruptionFrame(),
        context(),
        SleepFrame(5),
    ]
    down, _ = serve(LLMService(provider), frames)
    assert text_of(down) == "oneSecond."


# ---- failures ----


def test_a_retryable_failure_before_the_first_word_is_tried_again() -> None:
    """The caller hears one whole answer, and nobody is bothered with an error."""
    provider = FakeLLMProvider(
        ["Hello."], faults={0: Fail(OVERLOADED), 1: Fail(OVERLOADED)}, default="Hello."
    )
    down, up = serve(LLMService(provider))
    assert provider.calls == 3
    assert text_of(down) == "Hello."
    assert errors_in(up) == []


def test_retries_end() -> None:
    """After the policy's retries there is one error with its category, and the turn ends."""
    provider = FakeLLMProvider(default="x", faults=lambda _: Fail(OVERLOADED))
    down, up = serve(LLMService(provider, retry_policy=ConnectionPolicy(max_retries=1)))
    assert provider.calls == 2
    (error,) = errors_in(up)
    assert error.category is ErrorCategory.SERVER
    assert "overloaded" in error.error
    assert [type(frame) for frame in down] == [LLMFullResponseStartFrame, LLMFullResponseEndFrame]


def test_a_failure_in_mid_answer_is_not_repeated() -> None:
    """What was said is said: no retry, one error, the turn ends."""
    provider = FakeLLMProvider(default="one two three", faults={0: Fail(OVERLOADED, after=2)})
    down, up = serve(LLMService(provider))
    assert provider.calls == 1
    assert text_of(down) == "one two"
    assert isinstance(down[-1], LLMFullResponseEndFrame)
    assert len(errors_in(up)) == 1


def test_the_users_faults_are_not_retried() -> None:
    """A wrong key does not become right by asking again."""
    fault = Fail(AuthenticationError("no such key"))
    provider = FakeLLMProvider(default="x", faults=lambda _: fault)
    _, up = serve(LLMService(provider))
    assert provider.calls == 1
    assert errors_in(up)[0].category is ErrorCategory.AUTHENTICATION


def test_a_call_of_a_failed_answer_is_not_made() -> None:
    """Calls are made when the stream has ended well, and only then."""
    provider = FakeLLMProvider(
        default=["Let me see.", call("f")], faults={0: Fail(OVERLOADED, after=4)}
    )
    down, _ = serve(LLMService(provider))
    assert text_of(down) == "Let me see."
    assert not any(isinstance(frame, FunctionCallsStartedFrame) for frame in down)


def test_a_model_that_does_not_begin_is_given_up() -> None:
    """Silence before the first event is a timeout: closed, tried again, then told."""
    timeouts: list[int] = []
    provider = FakeLLMProvider(default="x", faults=lambda _: Hang())
    service = LLMService(
        provider, retry_policy=ConnectionPolicy(max_retries=1, first_event_secs=2.0)
    )
    service.add_event_handler("on_completion_timeout", lambda _: timeouts.append(1))
    _, up = serve(service)
    assert provider.calls == 2
    assert provider.running == 0
    (error,) = errors_in(up)
    assert error.category is ErrorCategory.CONNECTIVITY
    assert "did not begin" in error.error
    assert timeouts == [1]


def test_a_model_that_stalls_is_given_up() -> None:
    """Silence in mid-answer ends the answer with an error."""
    provider = FakeLLMProvider(default="one two three", faults={0: Hang(after=1)})
    down, up = serve(LLMService(provider, retry_policy=ConnectionPolicy(stall_secs=3.0)))
    assert text_of(down) == "one"
    assert "stopped in the middle" in errors_in(up)[0].error
    assert isinstance(down[-1], LLMFullResponseEndFrame)


def test_a_pause_within_the_limit_is_none_of_our_business() -> None:
    """A slow model is still a model."""
    provider = FakeLLMProvider(default="one two", faults={0: Stall(5.0, after=1)})
    down, up = serve(LLMService(provider))
    assert text_of(down) == "one two"
    assert errors_in(up) == []


# ---- what else comes out ----


def test_reasoning_is_framed_apart_from_text() -> None:
    """Thoughts are never `TextFrame`s, and end before the text begins."""
    provider = FakeLLMProvider([[ThoughtDelta("hm"), ThoughtDelta("..."), TextDelta("Yes.")]])
    down, _ = serve(LLMService(provider))
    assert [type(frame) for frame in down] == [
        LLMFullResponseStartFrame,
        LLMThoughtStartFrame,
        LLMThoughtTextFrame,
        LLMThoughtTextFrame,
        LLMThoughtEndFrame,
        LLMTextFrame,
        LLMFullResponseEndFrame,
    ]


def test_signed_reasoning_is_handed_back() -> None:
    """The provider that signed a thought finds it in its next request, before the text."""

    async def play(rig: Rig) -> None:
        await rig.says("Why?")
        await asyncio.sleep(3)
        await rig.says("And?")
        await asyncio.sleep(3)

    signed: list[str | LLMEvent] = [
        ThoughtDelta("hm"),
        ThoughtSignature("sig"),
        TextDelta("Because."),
    ]
    provider = FakeLLMProvider([signed, "So."])
    made = converse(lambda: Rig(provider=provider), play)
    thought = {"type": "thought", "text": "hm", "signature": "sig"}
    assert made.provider.requests[1].messages[1:3] == (
        {"role": "provider_specific", "message": thought},
        {"role": "assistant", "content": "Because."},
    )


def test_metrics_are_measured_when_asked_for() -> None:
    """Time to the first event, time to the last, and tokens; nothing unless enabled."""
    provider = FakeLLMProvider(["one two"], first_token=0.3, between_tokens=0.1)
    down, _ = serve(LLMService(provider), enable_metrics=True, enable_usage_metrics=True)
    data = [item for frame in down if isinstance(frame, MetricsFrame) for item in frame.data]
    first, usage, whole = data
    assert isinstance(first, TTFBMetricsData)
    assert first.value == pytest.approx(0.3, abs=0.01)
    assert isinstance(usage, LLMUsageMetricsData)
    assert (usage.prompt_tokens, usage.completion_tokens) == (1, 2)
    assert isinstance(whole, ProcessingMetricsData)
    assert whole.value == pytest.approx(0.4, abs=0.01)
    down, _ = serve(LLMService(FakeLLMProvider(["one"])))
    assert not any(isinstance(frame, MetricsFrame) for frame in down)


def test_output_can_be_shown_and_not_spoken() -> None:
    """`LLMConfigureOutputFrame` stamps everything from now on and is consumed."""
    service = LLMService(FakeLLMProvider(["Hi."]))
    down, _ = serve(service, [LLMConfigureOutputFrame(True), context(), SleepFrame(5)])
    stamps = [
        frame.skip_tts
        for frame in down
        if isinstance(frame, LLMFullResponseStartFrame | LLMTextFrame | LLMFullResponseEndFrame)
    ]
    assert stamps == [True, True, True]
    assert len(down) == 3


# ---- settings ----


def test_settings_change_while_it_runs() -> None:
    """The next request has the new values; the update is consumed."""
    provider = FakeLLMProvider(default="Hi.")
    update = LLMUpdateSettingsFrame({"temperature": 0.1, "model": "better"})
    down, _ = serve(LLMService(provider), [context(), update, context(), SleepFrame(5)])
    assert [request.temperature for request in provider.requests] == [None, 0.1]
    assert provider.model == "better"
    assert not any(isinstance(frame, LLMUpdateSettingsFrame) for frame in down)


def test_an_update_for_another_service_goes_on() -> None:
    """`service` names the one that is meant."""
    service = LLMService(FakeLLMProvider(), name="mine")
    other = LLMUpdateSettingsFrame({"temperature": 0.1}, service="other")
    mine = LLMUpdateSettingsFrame({"temperature": 0.2}, service="mine")
    down, _ = serve(service, [other, mine, SleepFrame(1)])
    assert down == [other]
    assert service.settings.temperature == 0.2


@pytest.mark.parametrize("change", [{"temprature": 1}, {"temperature": "hot"}])
def test_a_bad_update_is_one_error_and_changes_nothing(change: dict[str, Any]) -> None:
    """The error names the setting."""
    service = LLMService(FakeLLMProvider(), settings=LLMSettings(temperature=0.5))
    _, up = serve(service, [LLMUpdateSettingsFrame(change), SleepFrame(1)])
    assert "temp" in errors_in(up)[0].error
    assert service.settings.temperature == 0.5


# ---- out of band ----


def test_run_inference_answers_out_of_band() -> None:
    """Text comes back to the caller, retried like any request; no frame is pushed."""
    provider = FakeLLMProvider(default="A summary.", faults={0: Fail(OVERLOADED)})
    service = LLMService(provider)

    async def main() -> str:
        return await service.run_inference(
            LLMContext([HELLO]), system_instruction="Summarize.", max_tokens=10
        )

    assert run(main()) == "A summary."
    assert provider.requests[-1].system_instruction == "Summarize."
    assert provider.requests[-1].max_tokens == 10


def test_the_provider_is_connected_at_the_start_and_closed_at_the_end() -> None:
    """Whatever it holds is held for as long as the conversation lasts."""
    provider = FakeLLMProvider()

    async def main() -> None:
        await run_test(LLMService(provider), frames_to_send=[SleepFrame(1)])
        await asyncio.sleep(1)

    run(main())
    assert provider.connected
    assert provider.closed
