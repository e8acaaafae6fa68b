"""An outage of a voice is an interval: what was to be spoken is spoken after it or told as lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

import pytest

from antiphon.errors import AuthenticationError, ConnectivityError, InvalidRequestError, QuotaError
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import ErrorFrame
from antiphon.frames.llm import LLMFullResponseEndFrame, TTSUpdateSettingsFrame
from antiphon.frames.speech import SpeechLostFrame, TTSSpeakFrame
from antiphon.services.connection_policy import ConnectionPolicy
from antiphon.services.contracts import TTSEvent
from antiphon.services.tts import TTSService
from antiphon.settings import ServiceSettings
from antiphon.simulation.fakes.provider import Fail, from_now_on
from antiphon.simulation.fakes.tts import FakeTTSProvider
from antiphon.simulation.loop.virtual_time import run
from antiphon.simulation.testing import SleepFrame, run_test
from tests.services.outages import Outages, OutTTS
from tests.services.test_tts import answer, of, spoken

THREE = [TTSSpeakFrame("One."), TTSSpeakFrame("Two."), TTSSpeakFrame("Three.")]


def through(service: TTSService, *frames: Frame) -> list[Frame]:
    """What comes out of a service, both ways."""
    out, up = run(run_test(service, frames_to_send=frames))
    return [*out, *up]


@pytest.mark.parametrize("secs", [0.1, 1.0, 3.0, 10.0])
def test_what_is_to_be_spoken_in_an_outage_is_spoken_after_it(secs: float) -> None:
    """Three utterances within 0.2 s, and one long after: in order, each once."""
    provider = OutTTS(Outages([(0.0, secs)]))
    out = through(TTSService(provider), *THREE, SleepFrame(sleep=40.0), TTSSpeakFrame("Four."))
    assert spoken(out) == "One. Two. Three. Four."
    assert of(out, SpeechLostFrame) == []
    assert len(of(out, ErrorFrame)) <= 2


def test_in_a_longer_outage_it_is_given_up_and_told() -> None:
    """Content and what was lost are the text; an error says why; afterwards the voice speaks."""
    provider = OutTTS(Outages([(0.0, 20.0)]))
    out = through(TTSService(provider), *THREE, SleepFrame(sleep=40.0), TTSSpeakFrame("Four."))
    assert spoken(out) == "Four."
    assert [frame.text for frame in of(out, SpeechLostFrame)] == ["One.", "Two.", "Three."]
    given_up = [frame for frame in of(out, ErrorFrame) if "given up" in frame.error]
    assert len(given_up) == 3


def test_new_text_is_worth_an_attempt_at_once() -> None:
    """The voice is back, and the wait after the last failure is not over."""
    provider = OutTTS(Outages([(0.0, 14.0)]))
    policy = ConnectionPolicy(give_up_secs=13.5)
    frames = [TTSSpeakFrame("One."), SleepFrame(sleep=14.05), TTSSpeakFrame("Two.")]
    out = through(TTSService(provider, policy=policy), *frames, SleepFrame(sleep=1.0))
    assert spoken(out) == "Two."


@pytest.mark.parametrize("error", [AuthenticationError("key"), QuotaError("money")])
def test_a_refusal_mutes_the_voice_until_its_settings_change(error: Exception) -> None:
    """Told once, with what was not spoken; the next settings revive the voice."""

    class Refusing(OutTTS):
        def configure(self, settings: ServiceSettings) -> None:
            """Everything is well with another voice."""
            if settings.model == "other":
                self.outages.spans.clear()

    provider = Refusing(Outages([(0.0, 1e9)], error))
    update = TTSUpdateSettingsFrame(settings={"model": "other"})
    out = through(
        TTSService(provider), *THREE, SleepFrame(sleep=2.0), update, TTSSpeakFrame("Four.")
    )
    assert spoken(out) == "Four."
    assert [frame.text for frame in of(out, SpeechLostFrame)] == ["One.", "Two.", "Three."]
    assert len(of(out, ErrorFrame)) == 1
    assert "until its settings change" in of(out, ErrorFrame)[0].error


def test_a_text_that_is_refused_costs_itself_only() -> None:
    """An invalid request says nothing of the next."""
    provider = FakeTTSProvider(faults={0: Fail(InvalidRequestError("odd text"))})
    out = through(TTSService(provider), *THREE)
    assert spoken(out) == "Two. Three."
    assert [frame.text for frame in of(out, SpeechLostFrame)] == ["One."]
    assert provider.calls == 3


def test_isolated_failures_never_add_up() -> None:
    """An utterance a minute that fails at first, for an hour: all are spoken, none is an error."""
    provider = FakeTTSProvider(faults=lambda n: None if n % 2 else Fail(ConnectivityError("reset")))
    frames = [f for n in range(60) for f in (TTSSpeakFrame(f"w{n}."), SleepFrame(sleep=60.0))]
    out = through(TTSService(provider), *frames)
    assert spoken(out) == " ".join(f"w{n}." for n in range(60))
    assert of(out, ErrorFrame) == []


@pytest.mark.parametrize(
    "error", [asyncio.CancelledError(), RuntimeError("boom"), SystemExit(3), GeneratorExit()]
)
def test_whatever_is_raised_is_a_failure_that_is_retried(error: BaseException) -> None:
    """Nothing of it ends a task of ours, and there is no storm of attempts."""
    provider = OutTTS(Outages([(0.0, 3.0)], error))
    out = through(TTSService(provider), *THREE, SleepFrame(sleep=10.0))
    assert spoken(out) == "One. Two. Three."
    assert len(provider.outages.attempts) < 40
    assert type(error).__name__ in of(out, ErrorFrame)[0].error


class Mute(FakeTTSProvider):
    """Reads its text and gives no sound."""

    async def synthesize(self, text: AsyncIterator[str]) -> AsyncGenerator[TTSEvent, None]:
        """Nothing."""
        self.planned.begin()
        async for _ in text:
            pass
        events: list[TTSEvent] = []
        for event in events:
            yield event


def test_a_silent_voice_fails_its_utterance_and_the_turn_completes() -> None:
    """Asked twice, told, and what was not said is lost."""
    provider = Mute()
    frames = [*answer("One."), SleepFrame(sleep=1.0), *answer("Two.")]
    out = through(TTSService(provider), *frames)
    assert provider.calls == 4
    assert len(of(out, LLMFullResponseEndFrame)) == 2
    assert [frame.text for frame in of(out, SpeechLostFrame)] == ["One.", "Two."]
    assert all(frame.retryable for frame in of(out, ErrorFrame))
    assert len(of(out, ErrorFrame)) == 2


def test_a_voice_that_is_down_for_good_is_tried_for_ever_and_told_rarely() -> None:
    """An error for each utterance that was given up, and none for each attempt."""
    provider = FakeTTSProvider(faults=from_now_on(Fail(ConnectivityError("no route"))))
    frames: list[Frame] = []
    for number in range(6):
        frames += [*answer(f"Answer {number}."), SleepFrame(sleep=20.0)]
    out = through(TTSService(provider), *frames)
    assert len(of(out, LLMFullResponseEndFrame)) == 6
    assert sum("given up" in frame.error for frame in of(out, ErrorFrame)) == 6
    assert len(of(out, ErrorFrame)) <= 10
    assert provider.calls > 20
