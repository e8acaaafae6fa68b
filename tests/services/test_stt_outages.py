"""An outage of a transcriber is an interval: what was said in it is transcribed when it is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from itertools import pairwise

import pytest
from msgspec.structs import replace

from antiphon.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectivityError,
    QuotaError,
    ServerError,
)
from antiphon.frames.audio import InputAudioRawFrame
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import ErrorFrame
from antiphon.frames.llm import STTUpdateSettingsFrame
from antiphon.services.contracts import AudioChunk, Finalize, Transcript
from antiphon.services.stt import STTService
from antiphon.settings import ServiceSettings
from antiphon.simulation.fakes.provider import Fail, Hang, from_now_on
from antiphon.simulation.fakes.stt import FakeSTTProvider
from antiphon.simulation.fakes.voice import silence, tone
from antiphon.simulation.loop.virtual_time import run
from antiphon.simulation.testing import SleepFrame, run_test
from tests.services.outages import Outages, OutSTT
from tests.services.test_stt import of, said, sound, texts


def mumbled(at: float) -> list[Frame]:
    """Sound without words."""
    return [
        replace(frame, audio=tone(0.02)) if isinstance(frame, InputAudioRawFrame) else frame
        for frame in said("x", at=at)
    ]


def through(service: STTService, frames: Sequence[Frame]) -> list[Frame]:
    """What comes out of a service, both ways."""
    out, up = run(run_test(service, frames_to_send=frames))
    return [*out, *up]


@pytest.mark.parametrize("segmented", [True, False])
@pytest.mark.parametrize("secs", [0.1, 3.0, 20.0])
def test_what_is_said_during_an_outage_is_transcribed_after_it(
    secs: float, segmented: bool
) -> None:
    """Words before, during and after it come once each, in order."""
    provider = OutSTT(Outages([(1.0, 1.0 + secs)]), segmented=segmented)
    frames = [
        *said("one two three"),
        *sound(silence(0.5)),
        *said("four five", at=1.6),
        *sound(silence(secs + 2.0)),
        *said("six", at=secs + 5.0),
        *sound(silence(2.0)),
    ]
    out = through(STTService(provider), frames)
    assert " ".join(texts(out)).split() == ["one", "two", "three", "four", "five", "six"]
    assert 1 <= len(of(out, ErrorFrame)) <= 3


def test_a_long_outage_is_tried_as_long_as_the_session_lives() -> None:
    """Attempts go on, at most 5 s apart; errors of one cause are told rarely, with a count."""
    provider = OutSTT(Outages([(1.0, 300.0)]))
    out = through(STTService(provider), [*sound(silence(0.1)), SleepFrame(sleep=200.0)])
    gaps = [later - at for at, later in pairwise(provider.outages.attempts)]
    assert len(gaps) > 40
    assert max(gaps[2:]) <= 5.0
    errors = of(out, ErrorFrame)
    assert len(errors) == 3
    assert "times in" in errors[-1].error
    assert errors[-1].count > errors[0].count == 1


def test_a_caller_who_begins_to_speak_is_worth_an_attempt_at_once() -> None:
    """The provider is back, the wait is not over: the first word does not wait for it."""
    provider = OutSTT(Outages([(1.0, 60.0)]), segmented=True)
    frames = [SleepFrame(sleep=60.01), *said("one", at=60.01), *sound(silence(1.0))]
    out = through(STTService(provider), frames)
    assert texts(out) == ["one"]


@pytest.mark.parametrize(
    "error", [AuthenticationError("k"), QuotaError("q"), ConfigurationError("c")]
)
def test_a_refusal_is_told_once_and_new_settings_revive_the_service(error: Exception) -> None:
    """No second attempt as things are; with other settings the service works."""

    class Refusing(OutSTT):
        def configure(self, settings: ServiceSettings) -> None:
            """Everything is well with another model."""
            if settings.model == "other":
                self.outages.spans.clear()

    provider = Refusing(Outages([(0.0, 1e9)], error))
    service = STTService(provider)
    frames = [
        *sound(silence(5.0)),
        STTUpdateSettingsFrame(settings={"model": "other"}),
        *said("one two", at=5.0),
        *sound(silence(1.0)),
    ]
    out = through(service, frames)
    assert len(of(out, ErrorFrame)) == 1
    assert "until its settings change" in of(out, ErrorFrame)[0].error
    assert texts(out) == ["one two"]
    assert service.usable


@pytest.mark.parametrize(
    "error", [asyncio.CancelledError(), RuntimeError("boom"), SystemExit(3), KeyError("k")]
)
def test_whatever_is_raised_is_a_failure_that_is_retried(error: BaseException) -> None:
    """Connecting and transcribing alike: not deaf, and no storm of attempts or errors."""
    provider = OutSTT(Outages([(0.0, 10.0)], error))
    frames = [*said("one two"), *sound(silence(14.0))]
    out = through(STTService(provider), frames)
    assert texts(out) == ["one two"]
    assert len(provider.outages.attempts) < 20
    assert 1 <= len(of(out, ErrorFrame)) <= 3
    assert type(error).__name__ in of(out, ErrorFrame)[0].error


class Deaf(FakeSTTProvider):
    """Its first streams take everything and hear nothing."""

    def __init__(self, deaf_streams: int, *, interim: bool = False) -> None:
        super().__init__(interim=interim)
        self._deaf = deaf_streams

    async def transcribe(
        self, audio: AsyncIterator[AudioChunk | Finalize]
    ) -> AsyncGenerator[Transcript, None]:
        """Hears after so many streams."""
        if self.calls < self._deaf:
            self.planned.begin()
            async for _ in audio:
                pass
            return
        async for transcript in super().transcribe(audio):
            yield transcript


@pytest.mark.parametrize("interim", [True, False])
def test_a_streaming_transcriber_that_goes_dead_is_noticed(interim: bool) -> None:
    """Speech that ended and was not answered is sent again, whether or not an interim came."""
    provider = Deaf(1, interim=interim)
    frames = [*said("one two three"), *sound(silence(4.0))]
    out = through(STTService(provider, stall_timeout_secs=2.0), frames)
    assert texts(out) == ["one two three"]
    assert provider.calls == 2


def test_speech_that_two_streams_do_not_hear_is_reported_lost() -> None:
    """A noise is not: it costs one new stream and no error."""
    frames = [*said(" ".join("abcdefghijklmn")), *sound(silence(6.0))]
    out = through(STTService(Deaf(9), stall_timeout_secs=2.0), frames)
    assert ["lost" in frame.error for frame in of(out, ErrorFrame)] == [True]
    provider = FakeSTTProvider(answer_silence=False)
    frames = [*mumbled(0.0), *sound(silence(9.0))]
    out = through(STTService(provider, stall_timeout_secs=2.0), frames)
    assert of(out, ErrorFrame) == []
    assert provider.calls == 2


def test_a_provider_that_hears_nothing_several_times_is_reported() -> None:
    """One or two noises are usual; what is left unanswered again and again is no noise."""
    provider = FakeSTTProvider(answer_silence=False)
    frames = [frame for n in range(3) for frame in (*mumbled(n * 10.0), *sound(silence(9.0)))]
    out = through(STTService(provider, stall_timeout_secs=2.0), frames)
    assert len(of(out, ErrorFrame)) == 1


def test_silence_is_not_kept() -> None:
    """Half a minute of listening leaves the pre-roll, and a new stream gets no more than that."""
    provider = OutSTT(Outages([(30.0, 30.1)]))
    service = STTService(provider)
    before = [*said("one"), *sound(silence(29.0))]
    run(run_test(service, frames_to_send=[*before, *sound(silence(2.0))]))
    heard = provider.audio_secs - 32.0
    assert 0.3 < heard < 2.5, heard


def test_more_than_can_be_kept_is_reported() -> None:
    """Somebody who talks for longer than an outage is remembered loses words, and that is told."""
    provider = OutSTT(Outages([(0.5, 45.0)]), segmented=True)
    long = " ".join(f"w{n}" for n in range(140))
    out = through(STTService(provider), [*said(long), *sound(silence(6.0))])
    assert any("s of speech" in frame.error for frame in of(out, ErrorFrame))
    assert texts(out)[0].split()[-1] == "w139"


def test_speech_that_never_reached_the_provider_is_told_at_the_end() -> None:
    """The session ends in the middle of an outage."""
    provider = OutSTT(Outages([(0.1, 60.0)]))
    out = through(STTService(provider), [*said("one two"), *sound(silence(0.5))])
    assert texts(out) == []
    assert "the session ends" in of(out, ErrorFrame)[-1].error


def test_a_stream_that_hangs_or_fails_at_its_first_item_does_not_spin() -> None:
    """Failures of every attempt cost a bounded number of attempts."""
    provider = FakeSTTProvider(faults=from_now_on(Fail(ConnectivityError("no route"))))
    through(STTService(provider), [*sound(silence(0.1)), SleepFrame(sleep=60.0)])
    assert 10 < provider.calls < 25
    provider = FakeSTTProvider(faults=from_now_on(Hang()), segmented=True)
    out = through(STTService(provider), [*said("one"), *sound(silence(20.0))])
    assert provider.calls <= 3
    assert any(isinstance(frame.exception, ConnectivityError) for frame in of(out, ErrorFrame))


def test_a_hanging_connect_does_not_hold_the_start() -> None:
    """It is given up after `connect_secs`, and tried again."""

    class Slow(FakeSTTProvider):
        """Connects at the second attempt."""

        tries = 0

        async def connect(self) -> None:
            """Hangs the first time."""
            self.tries += 1
            if self.tries == 1:
                await asyncio.sleep(1e6)
            await super().connect()

    provider = Slow()
    frames = [*said("one", at=15.0), *sound(silence(1.0))]
    out = through(STTService(provider), frames)
    assert texts(out) == ["one"]
    assert "did not connect within 15 s" in of(out, ErrorFrame)[0].error
    assert not isinstance(of(out, ErrorFrame)[0].exception, ServerError)
