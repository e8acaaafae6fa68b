"""Faults of providers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import pytest

from antiphon.errors import ConfigurationError, ConnectivityError, RateLimitError, ServerError
from antiphon.providers.local.rules import RuleBasedLLMProvider
from antiphon.services.contracts import (
    AudioChunk,
    Configurable,
    Finalize,
    LLMRequest,
    SpeechAudio,
    TextDelta,
)
from antiphon.simulation.contracts import check_llm_provider, check_tts_provider
from antiphon.simulation.fakes.language_model import FakeLLMProvider
from antiphon.simulation.fakes.stt import FakeSTTProvider
from antiphon.simulation.fakes.tts import FakeTTSProvider
from antiphon.simulation.fakes.voice import speak
from antiphon.simulation.faults import FaultLog, faulty
from antiphon.simulation.loop.virtual_time import run

REQUEST = LLMRequest(messages=({"role": "user", "content": "Hello"},))


def model(**options: Any) -> FakeLLMProvider:
    """A model that says three words at once."""
    fake = FakeLLMProvider(default="One two three", first_token=0.0, between_tokens=0.0)
    return faulty(fake, options)


async def words(provider: FakeLLMProvider) -> list[str]:
    """The words of one answer."""
    events = provider.complete(REQUEST)
    return [event.text.strip() async for event in events if isinstance(event, TextDelta)]


async def told(provider: FakeLLMProvider) -> tuple[list[str], float]:
    """The words of an answer and how long it took."""
    began = asyncio.get_running_loop().time()
    return await words(provider), asyncio.get_running_loop().time() - began


def test_an_answer_is_delayed_once_or_event_by_event() -> None:
    """A delay of a model is that of its answers, or with `on: event` of their events."""
    assert run(told(model(delay=2.0))) == (["One", "two", "three"], 2.0)
    assert run(told(model(delay=2.0, on="event", after=1, times=1)))[1] == 2.0
    assert run(told(model(delay=2.0, on="event")))[1] == 8.0  # three words and the usage


def test_events_are_dropped_and_duplicated() -> None:
    """What is dropped never comes, what is duplicated comes twice, the rest in order."""
    assert run(words(model(drop=True, after=1, times=1))) == ["One", "three"]
    assert run(words(model(duplicate=True, every=2))) == ["One", "One", "two", "three", "three"]
    assert run(words(model(drop=True, on="call"))) == []


def test_errors_come_once_or_for_ever() -> None:
    """The next call is answered after an error that comes once, and never after one that stays."""

    async def three(provider: FakeLLMProvider) -> list[bool]:
        answered = []
        for _ in range(3):
            try:
                answered.append(bool(await words(provider)))
            except ServerError:
                answered.append(False)
        return answered

    assert run(three(model(error_once="server", after=1))) == [True, False, True]
    assert run(three(model(error_from_now_on="server", after=1))) == [True, False, False]
    assert run(three(model(error="server", every=2))) == [False, True, False]


def test_an_error_in_the_middle_closes_the_answer() -> None:
    """A stream that breaks off is closed, as by a client who lost it."""

    async def main() -> FakeLLMProvider:
        provider = model(error_once="connectivity", on="event", after=2)
        events = provider.complete(REQUEST)
        await anext(events)
        await anext(events)
        with pytest.raises(ConnectivityError, match="a fault was injected: error_once connect"):
            await anext(events)
        return provider

    provider = run(main())
    assert (provider.running, provider.cut_off) == (0, 1)


def test_a_hanging_answer_can_be_cancelled() -> None:
    """Who gives up on a hanging call leaves nothing behind."""

    async def main() -> None:
        provider = model(hang=True)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(words(provider), 5.0)
        assert provider.running == 0

    run(main())


def test_connecting_fails_and_is_slow() -> None:
    """`on: connect` concerns the connection."""

    async def main() -> None:
        log = FaultLog()
        provider = faulty(
            FakeTTSProvider(),
            {"error_once": "authentication", "on": "connect"},
            {"delay": 1.5, "on": "connect"},
            log=log,
        )
        with pytest.raises(Exception, match="authentication"):
            await provider.connect()
        await provider.connect()
        assert asyncio.get_running_loop().time() == 3.0
        assert [str(event) for event in log.events] == [
            "fault injected: tts: error_once authentication, on connect",
            "fault injected: tts: delay 1.5, on connect",
            "fault injected: tts: delay 1.5, on connect",
        ]

    run(main())


def test_a_transcriber_is_late_from_the_fourth_transcript_on() -> None:
    """Of what lasts as long as the conversation, the transcripts are delayed."""

    async def audio() -> AsyncGenerator[AudioChunk | Finalize, None]:
        for _ in range(5):
            yield AudioChunk(speak("hello"))
            yield Finalize()
            await asyncio.sleep(10.0)

    async def main() -> list[float]:
        provider = faulty(FakeSTTProvider(latency=0.0), {"delay": 2.0, "after": 3})
        loop = asyncio.get_running_loop()
        return [loop.time() async for _ in provider.transcribe(audio())]

    assert run(main()) == [0.0, 10.0, 20.0, 32.0, 44.0]


class Texts(AsyncIterator[str]):
    """Pieces of text that are there."""

    def __init__(self, *texts: str) -> None:
        self.left = list(texts)

    async def __anext__(self) -> str:
        if not self.left:
            raise StopAsyncIteration
        return self.left.pop(0)


def test_a_slow_consumer_takes_its_input_slowly() -> None:
    """`slow` concerns what goes in; what goes in can also be dropped and doubled."""

    async def main(fault: dict[str, Any]) -> tuple[list[str], float]:
        provider = faulty(FakeTTSProvider(first_audio=0.0, speed=float("inf")), fault)
        async for _ in provider.synthesize(Texts("One.", "Two.", "Three.")):
            pass
        return provider.utterances[0], asyncio.get_running_loop().time()

    assert run(main({"slow": 0.5})) == (["One.", "Two.", "Three."], 1.5)
    assert run(main({"drop": True, "on": "input", "times": 1}))[0] == ["Two.", "Three."]
    assert run(main({"duplicate": True, "on": "input", "times": 1}))[0][:2] == ["One.", "One."]


def test_luck_comes_from_the_seed() -> None:
    """The same seed drops the same events; another one others."""

    async def main() -> str:
        provider = faulty(FakeTTSProvider(), {"drop": 0.5})
        events = provider.synthesize(Texts("one two three four five"))
        kinds = ["a" if isinstance(event, SpeechAudio) else "w" async for event in events]
        return "".join(kinds)

    heard = [run(main(), seed=seed) for seed in (1, 1, 2, 3)]
    assert heard[0] == heard[1]
    assert len(set(heard)) == 3


class Rigid:
    """A provider with slots."""

    __slots__ = ()

    async def connect(self) -> None:
        pass

    async def complete(self, request: LLMRequest) -> AsyncGenerator[TextDelta, None]:
        yield TextDelta("no")


class Settable(FakeLLMProvider):
    """A provider with an optional protocol."""

    def configure(self, settings: object) -> None:
        pass


def test_what_cannot_be_wrapped_says_so() -> None:
    """No provider, and a provider with slots, are one clear error each."""
    with pytest.raises(ConfigurationError, match=r"Rigid has __slots__"):
        faulty(Rigid(), {"hang": True})
    with pytest.raises(ConfigurationError, match=r"str is no provider: .* transcribe, complete"):
        faulty("provider", {"hang": True})


def test_a_faulty_provider_is_still_what_it_is() -> None:
    """It is the same object, with its optional protocols, and keeps its contract."""
    provider = Settable(default="Hello.")
    assert faulty(provider, {"delay": 0.5}) is provider
    assert isinstance(provider, Configurable)
    check_llm_provider(
        lambda: faulty(FakeLLMProvider(default="Hello there."), {"delay": 0.1, "on": "event"}),
        seeds=1,
        held=lambda fake: int(fake.running),
    )
    check_tts_provider(
        lambda: faulty(FakeTTSProvider(), {"slow": 0.05}, {"duplicate": 0.2}),
        seeds=1,
        held=lambda fake: int(fake.running),
    )


def test_real_providers_suffer_as_fakes_do() -> None:
    """A provider that users run fails, is late, and answers, without being made for it."""

    async def main() -> list[str]:
        provider = faulty(RuleBasedLLMProvider(), {"error_once": "rate_limit"}, {"delay": 3.0})
        with pytest.raises(RateLimitError):
            await anext(provider.complete(REQUEST))
        events = [event async for event in provider.complete(REQUEST)]
        assert asyncio.get_running_loop().time() >= 6.0
        return [event.text for event in events if isinstance(event, TextDelta)]

    assert "".join(run(main()))
