"""The fake model that hears and speaks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from antiphon.errors import ConnectivityError, InvalidRequestError
from antiphon.kernel.mailbox import Feed
from antiphon.services.contracts import (
    AudioChunk,
    CallerSpeechStarted,
    CallerSpeechStopped,
    CancelResponse,
    ConversationItem,
    Finalize,
    InputTranscript,
    OutputTranscript,
    RealtimeEvent,
    RealtimeInput,
    RealtimeProblem,
    RealtimeProvider,
    RealtimeSession,
    Respond,
    ResponseAudio,
    ResponseDone,
    ResponseStarted,
    ResponseStatus,
    ToolCall,
    ToolOutput,
    Truncate,
    Truncated,
)
from antiphon.simulation.contracts import check_realtime_provider
from antiphon.simulation.fakes.language_model import call
from antiphon.simulation.fakes.provider import Fail, Stall
from antiphon.simulation.fakes.realtime import FakeRealtimeProvider
from antiphon.simulation.fakes.voice import Listener, silence, speak
from antiphon.simulation.loop.virtual_time import run

Timed = list[tuple[float, RealtimeEvent]]


def converse(
    provider: FakeRealtimeProvider, inputs: list[tuple[float, RealtimeInput]], secs: float = 20.0
) -> Timed:
    """The events of a conversation whose inputs come at their times, and when they came."""

    async def main() -> Timed:
        feed: Feed[RealtimeInput] = Feed()
        loop = asyncio.get_running_loop()
        for at, item in inputs:
            loop.call_at(at, feed.put, item)
        loop.call_at(secs, feed.close)
        return [(round(loop.time(), 3), event) async for event in provider.converse(feed)]

    return run(main())


def sound(text: str, at: float) -> list[tuple[float, RealtimeInput]]:
    """Words and a second of silence, as they are spoken."""
    pcm = speak(text) + silence(1.0)
    return [
        (at + number * 0.02, AudioChunk(pcm[start : start + 640]))
        for number, start in enumerate(range(0, len(pcm), 640))
    ]


def of(events: Timed, *kinds: type[Any]) -> list[tuple[float, Any]]:
    """Those of some types."""
    return [(at, event) for at, event in events if isinstance(event, kinds)]


def test_it_is_a_provider() -> None:
    """A type checker and this test agree."""
    provider: RealtimeProvider = FakeRealtimeProvider()
    assert provider.name == "fake-realtime"


def test_it_hears_and_answers_when_it_is_asked() -> None:
    """Speech is detected and understood; the answer has words, sound, and an end."""
    provider = FakeRealtimeProvider(["Good morning."], first_audio=0.5, transcript_latency=0.4)
    events = converse(
        provider,
        [
            (0.0, RealtimeSession(system_instruction="Be nice.")),
            *sound("hello you", 1.0),
            (3.0, Finalize()),
            (3.0, Respond()),
        ],
    )
    assert [at for at, _ in of(events, CallerSpeechStarted)] == [1.0]
    assert [at for at, _ in of(events, CallerSpeechStopped)] == [pytest.approx(2.08)]
    assert of(events, InputTranscript) == [(3.4, InputTranscript(text="hello you"))]
    assert of(events, ResponseStarted) == [(3.0, ResponseStarted("response_1"))]
    said = of(events, OutputTranscript)
    assert (said[0][0], "".join(e.text for _, e in said)) == (3.5, "Good morning.")
    listener = Listener()
    heard = [w for _, e in of(events, ResponseAudio) for w in listener.hear(e.pcm)]
    assert heard == ["Good", "morning."]
    assert of(events, ResponseDone)[0][1] == ResponseDone("response_1")
    assert provider.sessions[0].system_instruction == "Be nice."
    assert provider.conversation == [
        {"role": "user", "content": "hello you"},
        {"role": "assistant", "content": "Good morning."},
    ]


def test_it_can_take_turns_by_itself() -> None:
    """One that answers turns begins when the caller stops, and stops when the caller begins."""
    provider = FakeRealtimeProvider(["One two three four", "Yes"], answers_turns=True, speed=1.0)
    events = converse(provider, [*sound("hello", 0.0), *sound("stop", 1.5)])
    done = [event.status for _, event in of(events, ResponseDone)]
    assert done == [ResponseStatus.CANCELLED, ResponseStatus.COMPLETED]


def test_it_forgets_what_was_not_heard() -> None:
    """A cut leaves of an answer what was played; a cut beyond its end is a problem."""
    provider = FakeRealtimeProvider(["One two three four"])
    asked: list[tuple[float, RealtimeInput]] = [
        (0.0, Respond()),
        (5.0, Truncate("item_2", 0.65)),
        (6.0, Truncate("item_2", 9.0)),
    ]
    events = converse(provider, asked)
    assert provider.conversation == [{"role": "assistant", "content": "One two"}]
    assert len(of(events, Truncated)) == 1
    ((_, problem),) = of(events, RealtimeProblem)
    assert isinstance(problem.error, InvalidRequestError)


def test_it_calls_functions() -> None:
    """Calls are complete and numbered; outputs are remembered, those of no call are a problem."""

    def reply(conversation: list[dict[str, Any]]) -> Any:
        return "Sunny." if conversation[-1]["role"] == "tool" else call("weather", city="Rome")

    provider = FakeRealtimeProvider(reply)
    inputs: list[tuple[float, RealtimeInput]] = [
        (0.0, ConversationItem({"role": "user", "content": "The weather?"})),
        (0.0, Respond()),
        (2.0, ToolOutput("call_2", "sun")),
        (2.0, ToolOutput("call_9", "rain")),
        (2.0, Respond()),
    ]
    events = converse(provider, inputs)
    assert of(events, ToolCall)[0][1] == ToolCall("call_2", "weather", '{"city": "Rome"}')
    assert len(of(events, RealtimeProblem)) == 1
    roles = [message["role"] for message in provider.conversation]
    assert roles == ["user", "assistant", "tool", "assistant"]


def test_what_is_cancelled_ends_so() -> None:
    """A cancel ends the response under way at once; without one it does nothing."""
    provider = FakeRealtimeProvider(["One two three"], default="Well.")
    inputs: list[tuple[float, RealtimeInput]] = [
        (0.0, CancelResponse()),
        (1.0, Respond()),
        (1.0, Respond()),
        (1.35, CancelResponse()),
        (2.0, Respond()),
    ]
    events = converse(provider, inputs)
    at, done = of(events, ResponseDone)[0]
    assert (at, done.status) == (1.35, ResponseStatus.CANCELLED)
    assert len(of(events, ResponseDone)) == 2
    assert len(of(events, RealtimeProblem)) == 1, "a response was under way"


def test_faults_are_planned() -> None:
    """It stalls and breaks where it is told to; a used-up script is a failed response."""
    provider = FakeRealtimeProvider(faults={0: Stall(4.0, after=1)})
    events = converse(provider, [(0.0, Respond())])
    assert [(at, e.status.value) for at, e in of(events, ResponseDone)] == [(4.0, "failed")]
    broken = FakeRealtimeProvider(["One"], faults={0: Fail(ConnectivityError("gone"), after=2)})
    with pytest.raises(ConnectivityError, match="gone"):
        converse(broken, [(0.0, Respond())])
    assert broken.running == 0


@pytest.mark.parametrize(
    "make",
    [
        lambda: FakeRealtimeProvider(default=["Hello there.", call("get_weather", city="Rome")]),
        lambda: FakeRealtimeProvider(default="Hello there.", answers_turns=True),
    ],
)
def test_the_fake_keeps_the_contract(make: Callable[[], FakeRealtimeProvider]) -> None:
    """The fake satisfies the suite for models that hear and speak, errors included."""
    check_realtime_provider(
        make,
        seeds=2,
        held=lambda fake: int(fake.running),
        failing=lambda n: FakeRealtimeProvider(
            default="Hello.", faults={0: Fail(ConnectivityError("gone"), after=n)}
        ),
    )
