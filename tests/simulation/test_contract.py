"""The suite for providers: the fakes keep the contract, and each kind of sinner is caught."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

import pytest

from antiphon.services.contracts import (
    AudioChunk,
    Finalize,
    LLMEvent,
    LLMRequest,
    SpeechAudio,
    TextDelta,
    Transcript,
    TTSEvent,
    WordTime,
)
from antiphon.simulation.contract import (
    ContractError,
    check_llm_provider,
    check_stt_provider,
    check_tts_provider,
)
from antiphon.simulation.fakes.llm import FakeLLMProvider, call
from antiphon.simulation.fakes.stt import FakeSTTProvider
from antiphon.simulation.fakes.tts import FakeTTSProvider


def test_the_fakes_keep_the_contract() -> None:
    """All three fakes pass their suites."""
    check_llm_provider(lambda: FakeLLMProvider(default=["Let me see.", call("look", at="it")]))
    check_stt_provider(lambda: FakeSTTProvider(interim=True))
    check_tts_provider(FakeTTSProvider)


class Leaks(FakeLLMProvider):
    """Leaves a task behind."""

    async def complete(self, request: LLMRequest) -> AsyncGenerator[LLMEvent, None]:
        self.task = asyncio.get_running_loop().create_task(asyncio.sleep(1000))
        yield TextDelta("hi")


class Raises(FakeLLMProvider):
    """Lets a vendor's exception through."""

    async def complete(self, request: LLMRequest) -> AsyncGenerator[LLMEvent, None]:
        yield TextDelta("hi")
        raise KeyError("choices")


class Swallows(FakeLLMProvider):
    """Does not let itself be cancelled."""

    async def complete(self, request: LLMRequest) -> AsyncGenerator[LLMEvent, None]:
        for _ in range(5):
            try:
                await asyncio.sleep(2)
            except asyncio.CancelledError:
                await asyncio.sleep(3)
            yield TextDelta("on and on")


class Chatty(FakeLLMProvider):
    """Yields what is no event."""

    async def complete(self, request: LLMRequest) -> AsyncGenerator[LLMEvent, None]:
        yield "hi"  # type: ignore[misc]


class Dries(FakeLLMProvider):
    """Gives nothing more once a stream was closed early."""

    dry = False

    async def complete(self, request: LLMRequest) -> AsyncGenerator[LLMEvent, None]:
        if self.dry:
            return
        try:
            yield TextDelta("a")
            yield TextDelta("b")
        except GeneratorExit:
            self.dry = True
            raise


@pytest.mark.parametrize(
    ("sinner", "sin"),
    [
        (Leaks, "left a task running"),
        (Raises, r"raised KeyError\('choices'\)"),
        (Swallows, "does not stop when it is cancelled"),
        (Chatty, "'hi' is no LLMEvent"),
        (Dries, "gives nothing any more"),
    ],
)
def test_a_sinful_llm_provider_is_caught(sinner: type[FakeLLMProvider], sin: str) -> None:
    """A leak, a stranger's exception, a swallowed cancel, junk, a dead stream: each is named."""
    with pytest.raises(ContractError, match=sin):
        check_llm_provider(sinner)


class IgnoresFinalize(FakeSTTProvider):
    """Never gives a final transcript."""

    async def transcribe(
        self, audio: AsyncIterator[AudioChunk | Finalize]
    ) -> AsyncGenerator[Transcript, None]:
        async for _ in audio:
            yield Transcript(text="uh", final=False)


class Odd(FakeTTSProvider):
    """Cuts samples in half, and goes back in time."""

    async def synthesize(self, text: AsyncIterator[str]) -> AsyncGenerator[TTSEvent, None]:
        async for _ in text:
            yield SpeechAudio(b"\0\0\0")
            yield WordTime("b", 1.0, 2.0)
            yield WordTime("a", 0.5, 0.9)


def test_sinful_speech_providers_are_caught() -> None:
    """A transcriber that ignores `Finalize` and a voice with broken samples and times are named."""
    with pytest.raises(ContractError, match="Finalize was not answered"):
        check_stt_provider(IgnoresFinalize)
    with pytest.raises(ContractError, match=r"(?s)within a sample.*back in time"):
        check_tts_provider(Odd)
