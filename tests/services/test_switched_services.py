"""Services behind a switch: what configures them is the switch's, and no outage loses words."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from antiphon.context.llm_context import LLMContext
from antiphon.errors import AuthenticationError, ConnectivityError
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import ErrorFrame
from antiphon.frames.llm import (
    LLMConfigureOutputFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMUpdateSettingsFrame,
    STTUpdateSettingsFrame,
    TTSUpdateSettingsFrame,
)
from antiphon.frames.speech import (
    SpeechLostFrame,
    STTMuteFrame,
    TTSSpeakFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
)
from antiphon.frames.switch import ManuallySwitchServiceFrame, ServiceActivatedFrame
from antiphon.frames.text import LLMTextFrame
from antiphon.kernel.switch import ServiceSwitcher
from antiphon.kernel.switch_strategies import ServiceSwitcherStrategyFailover
from antiphon.services.llm import LLMService
from antiphon.services.stt import STTService
from antiphon.services.tts import TTSService
from antiphon.settings import LLMSettings, ServiceSettings
from antiphon.simulation.fakes.language_model import FakeLLMProvider
from antiphon.simulation.fakes.provider import Fail, from_now_on
from antiphon.simulation.fakes.stt import FakeSTTProvider
from antiphon.simulation.fakes.tts import FakeTTSProvider
from antiphon.simulation.fakes.voice import silence
from antiphon.simulation.loop.virtual_time import run
from antiphon.simulation.testing import SleepFrame, run_test
from tests.services.outages import Outages, OutSTT
from tests.services.test_stt import of, said, sound, texts
from tests.services.test_tts import spoken
from tests.services.test_tts_outages import Mute


def through(switcher: ServiceSwitcher, frames: Sequence[Frame]) -> list[Frame]:
    """What comes out of a switcher, both ways."""
    out, up = run(run_test(switcher, frames_to_send=frames))
    return [*out, *up]


def asked() -> LLMContextFrame:
    """A request."""
    return LLMContextFrame(LLMContext([{"role": "user", "content": "hi"}]))


def test_what_configures_models_belongs_to_the_switch() -> None:
    """Settings and `LLMConfigureOutputFrame` reach whichever is active next, merged, and once."""
    main = LLMService(FakeLLMProvider(default="Main."), name="main")
    spare = LLMService(FakeLLMProvider(default="Spare."), name="spare")
    switcher = ServiceSwitcher([main, spare])
    frames = [
        LLMConfigureOutputFrame(skip_tts=True),
        LLMUpdateSettingsFrame(settings={"temperature": 0.5, "extra": {"a": 1}}),
        LLMUpdateSettingsFrame(settings={"max_tokens": 9, "extra": {"b": 2}}),
        LLMUpdateSettingsFrame(settings={"filter_incomplete_user_turns": True}),
        SleepFrame(sleep=1.0),
        ManuallySwitchServiceFrame(service="spare"),
        asked(),
        SleepFrame(sleep=1.0),
    ]
    out = through(switcher, frames)
    expected = LLMSettings(
        temperature=0.5, max_tokens=9, extra={"a": 1, "b": 2}, filter_incomplete_user_turns=True
    )
    assert spare.settings == main.settings == expected
    assert all(frame.skip_tts for frame in of(out, LLMTextFrame))
    assert of(out, ServiceActivatedFrame) == []
    assert of(out, LLMConfigureOutputFrame) == []
    assert of(out, LLMUpdateSettingsFrame) == []


def test_a_service_that_was_active_hears_what_it_missed_when_it_is_again() -> None:
    """There and back."""
    main, spare = (
        LLMService(FakeLLMProvider(default="x"), name=name) for name in ("main", "spare")
    )
    frames = [
        ManuallySwitchServiceFrame(service="spare"),
        LLMUpdateSettingsFrame(settings={"temperature": 0.1}),
        SleepFrame(sleep=1.0),
        LLMUpdateSettingsFrame(settings={"max_tokens": 5}, service="spare"),
        ManuallySwitchServiceFrame(service="main"),
        SleepFrame(sleep=1.0),
    ]
    through(ServiceSwitcher([main, spare]), frames)
    assert main.settings == LLMSettings(temperature=0.1)
    assert spare.settings == LLMSettings(temperature=0.1, max_tokens=5)


class Tuned(FakeTTSProvider):
    """Remembers its settings."""

    configured: ServiceSettings | None = None

    def configure(self, settings: ServiceSettings) -> None:
        """Keeps them."""
        self.configured = settings


def test_a_voice_of_the_switch_is_the_next_ones_too() -> None:
    """`TTSUpdateSettingsFrame(voice)` before the switch."""
    spare = Tuned()
    switcher = ServiceSwitcher([TTSService(Tuned(), name="a"), TTSService(spare, name="b")])
    frames = [
        TTSUpdateSettingsFrame(settings={"voice": "anna"}),
        ManuallySwitchServiceFrame(service="b"),
        TTSSpeakFrame("Hi."),
        SleepFrame(sleep=3.0),
    ]
    out = through(switcher, frames)
    assert spare.configured is not None
    assert "anna" in repr(spare.configured)
    assert spoken(out) == "Hi."


def test_a_muted_transcriber_is_followed_by_a_muted_one() -> None:
    """Muting is of the place in the pipeline."""
    parts = [STTService(FakeSTTProvider(), name=name) for name in "ab"]
    frames = [
        STTMuteFrame(mute=True),
        ManuallySwitchServiceFrame(service="b"),
        *said("secret"),
        *sound(silence(1.0)),
        STTMuteFrame(mute=False),
        *said("open", at=3.0),
        *sound(silence(1.0)),
    ]
    out = through(ServiceSwitcher(parts), frames)
    assert texts(out) == ["open"]
    assert [frame.mute for frame in of(out, STTMuteFrame)] == [True, False]


def test_a_switch_revives_a_service_that_was_refused() -> None:
    """Back again, it is asked again."""

    class Once(OutSTT):
        """Refused until second 5."""

    provider = Once(Outages([(0.0, 5.0)], AuthenticationError("key")))
    services = [STTService(provider, name="a"), STTService(FakeSTTProvider(), name="b")]
    frames = [
        *sound(silence(1.0)),
        ManuallySwitchServiceFrame(service="b"),
        *sound(silence(5.0)),
        ManuallySwitchServiceFrame(service="a"),
        *said("one two", at=6.0),
        *sound(silence(1.0)),
    ]
    assert texts(through(ServiceSwitcher(services), frames)) == ["one two"]
    assert services[0].usable


@pytest.mark.parametrize("segmented", [True, False])
def test_a_switch_in_the_middle_of_speech_loses_no_word(segmented: bool) -> None:
    """What the old transcriber has not answered the new one hears, from its first word."""
    old = OutSTT(Outages([(0.5, 1e9)]), segmented=True)
    new = FakeSTTProvider(segmented=segmented)
    services = [STTService(old, name="a"), STTService(new, name="b")]
    speech = said("one two three four five six")
    speech.insert(len(speech) // 2, ManuallySwitchServiceFrame(service="b"))
    out = through(ServiceSwitcher(services), [*speech, *sound(silence(2.0))])
    assert " ".join(texts(out)) == "one two three four five six"


def failover(*services: TTSService | STTService | LLMService) -> ServiceSwitcher:
    """A switcher that switches by itself."""
    return ServiceSwitcher(list(services), ServiceSwitcherStrategyFailover())


@pytest.mark.parametrize("voice", [Mute, FakeTTSProvider])
def test_a_silent_or_broken_voice_is_a_failure_that_switches(
    voice: type[FakeTTSProvider],
) -> None:
    """The next voice speaks what the first did not, in order, each utterance once."""
    first = voice() if voice is Mute else voice(faults=from_now_on(Fail(ConnectivityError("x"))))
    spare = FakeTTSProvider()
    switcher = failover(TTSService(first, name="main"), TTSService(spare, name="spare"))
    frames = [TTSSpeakFrame("One."), TTSSpeakFrame("Two."), SleepFrame(sleep=5.0)]
    out = through(switcher, [*frames, TTSSpeakFrame("Three."), SleepFrame(sleep=5.0)])
    assert switcher.active_service.name == "spare"
    assert spoken(out) == "One. Two. Three."
    assert of(out, ErrorFrame) == []


def test_a_switch_by_hand_in_the_middle_of_an_answer_loses_no_text() -> None:
    """What was begun is cut off and its rest told as lost; all else the next voice speaks."""
    services = [TTSService(FakeTTSProvider(first_audio=0.5), name=name) for name in "ab"]
    text = "w0 w1 w2 w3. w4 w5 w6. w7 w8 w9."
    frames = [
        LLMFullResponseStartFrame(),
        *(LLMTextFrame(f"{word} ") for word in text.split()[:8]),
        SleepFrame(sleep=0.9),
        ManuallySwitchServiceFrame(service="b"),
        *(LLMTextFrame(f"{word} ") for word in text.split()[8:]),
        LLMFullResponseEndFrame(),
        SleepFrame(sleep=5.0),
    ]
    out = through(ServiceSwitcher(services), frames)
    lost = [word for frame in of(out, SpeechLostFrame) for word in frame.text.split()]
    assert sorted([*spoken(out).split(), *lost]) == sorted(text.split())
    assert len(of(out, TTSStartedFrame)) == len(of(out, TTSStoppedFrame))
    assert len(of(out, LLMFullResponseEndFrame)) == 1


def test_an_outage_of_a_transcriber_switches_and_loses_no_word() -> None:
    """The failover decides by the errors that are told, with their number."""
    old = OutSTT(Outages([(1.0, 1e9)]))
    switcher = failover(STTService(old, name="main"), STTService(FakeSTTProvider(), name="spare"))
    frames = [*sound(silence(1.5)), *said("one two three", at=1.5), *sound(silence(5.0))]
    out = through(switcher, [*frames, *said("four", at=8.0), *sound(silence(1.0))])
    assert switcher.active_service.name == "spare"
    assert texts(out) == ["one two three", "four"]


def test_settings_that_a_transcriber_takes_follow_the_switch() -> None:
    """A language, say."""

    class Speaking(FakeSTTProvider):
        """Remembers its settings."""

        configured: ServiceSettings | None = None

        def configure(self, settings: ServiceSettings) -> None:
            """Keeps them."""
            self.configured = settings

    spare = Speaking()
    switcher = ServiceSwitcher([STTService(Speaking(), name="a"), STTService(spare, name="b")])
    frames = [
        STTUpdateSettingsFrame(settings={"language": "de"}),
        ManuallySwitchServiceFrame(service="b"),
        *said("one"),
        *sound(silence(1.0)),
    ]
    assert texts(through(switcher, frames)) == ["one"]
    assert "'de'" in repr(spare.configured)
