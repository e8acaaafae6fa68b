"""What the transcriber's place in a pipeline promises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from antiphon.errors import AuthenticationError, ConfigurationError, ConnectivityError
from antiphon.frames.audio import InputAudioRawFrame
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import (
    ErrorFrame,
    InterruptionFrame,
    MetricsFrame,
    STTUsageMetricsData,
    TTFBMetricsData,
)
from antiphon.frames.llm import STTUpdateSettingsFrame
from antiphon.frames.speech import STTMetadataFrame, STTMuteFrame
from antiphon.frames.text import InterimTranscriptionFrame, TranscriptionFrame
from antiphon.frames.turns import VADUserStartedSpeakingFrame, VADUserStoppedSpeakingFrame
from antiphon.kernel.params import PipelineParams
from antiphon.services.stt import STTService
from antiphon.settings import ServiceSettings, STTSettings
from antiphon.simulation.fakes.provider import Fail, Hang, from_now_on
from antiphon.simulation.fakes.stt import FakeSTTProvider
from antiphon.simulation.fakes.voice import silence, speak
from antiphon.simulation.loop.virtual_time import run
from antiphon.simulation.testing import SleepFrame, run_test

F = TypeVar("F", bound=Frame)
RATE = 16_000
CHUNK = 640


def sound(pcm: bytes, *, pace: float = 0.02) -> list[Frame]:
    """Audio as a transport delivers it."""
    frames: list[Frame] = []
    for start in range(0, len(pcm), CHUNK):
        frames += [
            InputAudioRawFrame(pcm[start : start + CHUNK], RATE),
            SleepFrame(sleep=pace),
        ]
    return frames


def said(text: str, *, at: float = 0.0) -> list[Frame]:
    """A stretch of speech with its voice activity frames; `at` is when it begins."""
    pcm = speak(text, sample_rate=RATE)
    end = at + len(pcm) / 2 / RATE
    lead, rest = pcm[: 10 * CHUNK], pcm[10 * CHUNK :]
    return [
        *sound(lead),
        VADUserStartedSpeakingFrame(start_secs=0.2, timestamp=at + 0.2),
        *sound(rest + silence(0.2, sample_rate=RATE)),
        VADUserStoppedSpeakingFrame(stop_secs=0.2, timestamp=end + 0.2),
    ]


def texts(frames: Sequence[Frame], kind: type[Frame] = TranscriptionFrame) -> list[str]:
    """The texts of the frames of one type."""
    return [
        frame.text
        for frame in frames
        if isinstance(frame, TranscriptionFrame | InterimTranscriptionFrame)
        and isinstance(frame, kind)
    ]


def of(frames: Sequence[Frame], kind: type[F]) -> list[F]:
    """The frames of one type."""
    return [frame for frame in frames if isinstance(frame, kind)]


def down(
    provider: FakeSTTProvider, frames: Sequence[Frame], **options: float | bool
) -> list[Frame]:
    """What comes out behind a service over this provider, without the audio."""
    params = PipelineParams(enable_metrics=True, enable_usage_metrics=True)
    service = STTService(
        provider,
        stall_timeout_secs=float(options.get("stall_timeout_secs", 5.0)),
        audio_passthrough=bool(options.get("audio_passthrough", True)),
    )
    out, up = run(run_test(service, frames_to_send=frames, pipeline_params=params))
    return [*out, *up]


def test_a_segmented_transcriber_hears_speech_from_its_first_word() -> None:
    """Pre-roll: what was said before the VAD was sure reaches a segmented transcriber."""
    provider = FakeSTTProvider(segmented=True)
    frames = [*sound(silence(2.0)), *said("one two three", at=2.0), *sound(silence(1.0))]
    assert texts(down(provider, frames)) == ["one two three"]
    assert provider.audio_secs < 2.0, "silence was sent as well"


def test_a_streaming_transcriber_hears_everything() -> None:
    """A transcriber that is not segmented gets all audio, and `Finalize` at the end of speech."""
    provider = FakeSTTProvider()
    frames = [*sound(silence(2.0)), *said("one two", at=2.0), *sound(silence(1.0))]
    out = down(provider, frames)
    assert texts(out) == ["one two"]
    assert of(out, TranscriptionFrame)[0].finalized
    assert provider.audio_secs > 3.0


def test_interim_transcripts_come_before_the_final_one() -> None:
    """Interim results are passed on as they come."""
    out = down(FakeSTTProvider(interim=True), [*said("one two"), *sound(silence(1.0))])
    assert texts(out, InterimTranscriptionFrame) == ["one", "one two"]
    assert texts(out) == ["one two"]


def test_the_turn_strategies_learn_how_long_a_transcript_may_take() -> None:
    """Metadata goes downstream at the start."""
    assert [frame.ttfs_p99_secs for frame in of(down(FakeSTTProvider(), []), STTMetadataFrame)] == [
        1.0
    ]


def test_speech_without_words_is_answered_with_an_empty_finalized_transcript() -> None:
    """A cough keeps no turn open: an empty final transcript says that there were no words."""
    out = down(FakeSTTProvider([""], segmented=True), [*said("x"), *sound(silence(1.0))])
    assert [(f.text, f.finalized) for f in of(out, TranscriptionFrame)] == [("", True)]


def test_the_first_answer_is_measured_from_the_true_end_of_speech() -> None:
    """The measurement does not begin when the VAD is sure, but when speech ended."""
    provider = FakeSTTProvider(latency=0.3)
    out = down(provider, [*said("one two"), *sound(silence(1.0))])
    values = [
        data.value
        for frame in of(out, MetricsFrame)
        for data in frame.data
        if isinstance(data, TTFBMetricsData)
    ]
    assert len(values) == 1
    assert abs(values[0] - 0.5) < 0.05, values
    assert any(
        isinstance(data, STTUsageMetricsData) for f in of(out, MetricsFrame) for data in f.data
    )


def test_a_broken_stream_is_replaced_and_loses_no_word() -> None:
    """After an error the new stream begins with what was not acknowledged."""
    provider = FakeSTTProvider(interim=True, faults={0: Fail(ConnectivityError("reset"), after=2)})
    out = down(provider, [*said("one two three"), *sound(silence(2.0))])
    assert texts(out) == ["one two three"]
    assert provider.calls == 2
    assert [frame.category for frame in of(out, ErrorFrame)] == [ConnectivityError.category]


def test_what_was_acknowledged_is_not_transcribed_again() -> None:
    """A break after a final transcript repeats nothing."""
    provider = FakeSTTProvider(interim=True, faults={0: Fail(ConnectivityError("reset"), after=4)})
    frames = [*said("one two"), *sound(silence(1.0)), *said("three four"), *sound(silence(2.0))]
    assert texts(down(provider, frames)) == ["one two", "three four"]


def test_a_stream_that_does_not_answer_is_replaced() -> None:
    """A hanging provider costs the stall timeout, not the words, and is reported."""
    provider = FakeSTTProvider(segmented=True, faults={0: Hang()})
    out = down(provider, [*said("one two"), *sound(silence(4.0))], stall_timeout_secs=1.0)
    assert texts(out) == ["one two"]
    assert len(of(out, ErrorFrame)) == 1


def test_a_provider_that_never_answers_is_given_up_segment_by_segment() -> None:
    """Two stalls lose what was said; nothing waits for ever."""
    provider = FakeSTTProvider(segmented=True, faults=from_now_on(Hang()))
    out = down(provider, [*said("one"), SleepFrame(sleep=5.0)], stall_timeout_secs=1.0)
    assert [frame.error.rsplit(": ")[-1] for frame in of(out, ErrorFrame)] == [
        "it is sent again",
        "what was said is lost",
    ]


def test_an_error_that_will_not_go_away_is_reported_and_not_retried() -> None:
    """A wrong key: one attempt, and the audio still passes."""
    provider = FakeSTTProvider(faults=from_now_on(Fail(AuthenticationError("who are you?"))))
    out = down(provider, [*said("one"), SleepFrame(sleep=20.0), *said("two", at=21.0)])
    assert provider.calls == 1
    assert AuthenticationError.category in [frame.category for frame in of(out, ErrorFrame)]
    assert of(out, InputAudioRawFrame)


def test_a_service_that_cannot_connect_says_so_and_lets_the_conversation_go_on() -> None:
    """A failed connection is an error frame, not a failed start."""
    provider = FakeSTTProvider(connect_error=AuthenticationError("bad key"))
    out = down(provider, [*sound(silence(0.1))])
    assert "bad key" in of(out, ErrorFrame)[0].error
    assert of(out, InputAudioRawFrame)


def test_a_connection_that_fails_at_first_is_tried_again() -> None:
    """A provider out of reach at the start is connected when it can be."""
    provider = FakeSTTProvider(connect_error=ConnectivityError("not yet"))
    out = down(provider, [*said("one two"), *sound(silence(1.0))])
    assert "not yet" in of(out, ErrorFrame)[0].error
    assert texts(out) == ["one two"]
    assert provider.connected


def test_muted_audio_is_not_transcribed() -> None:
    """While muted nothing is sent; what was being said before is finished."""
    frames = [
        *said("one"),
        STTMuteFrame(mute=True),
        *said("two", at=1.0),
        STTMuteFrame(mute=False),
        *said("three", at=2.0),
        *sound(silence(1.0)),
    ]
    assert texts(down(FakeSTTProvider(segmented=True), frames)) == ["one", "three"]


def test_interruptions_lose_no_words() -> None:
    """What the caller says is transcribed whatever happens to the answer."""
    frames = said("one two three")
    for index in range(5, len(frames), 7):
        frames.insert(index, InterruptionFrame())
    assert texts(down(FakeSTTProvider(), [*frames, *sound(silence(1.0))])) == ["one two three"]


def test_audio_is_passed_on_unless_told_otherwise() -> None:
    """Passthrough is a choice."""
    assert of(down(FakeSTTProvider(), sound(silence(0.1))), InputAudioRawFrame)
    held = down(FakeSTTProvider(), sound(silence(0.1)), audio_passthrough=False)
    assert not of(held, InputAudioRawFrame)


class ConfigurableFake(FakeSTTProvider):
    """Takes settings."""

    configured: ServiceSettings | None = None

    def configure(self, settings: ServiceSettings) -> None:
        """Keeps them; French is refused."""
        if isinstance(settings, STTSettings) and settings.language == "fr":
            raise ConfigurationError("no French")
        self.configured = settings


def test_settings_change_between_utterances() -> None:
    """A change restarts the stream, but not in the middle of what somebody says."""
    provider = ConfigurableFake()
    frames = said("one two three")
    frames.insert(len(frames) // 2, STTUpdateSettingsFrame(settings={"language": "de"}))
    out = down(provider, [*frames, *sound(silence(1.0)), *said("four"), *sound(silence(1.0))])
    assert texts(out) == ["one two three", "four"]
    assert provider.configured == STTSettings(language="de")
    assert provider.calls == 2


def test_a_setting_that_does_not_exist_is_one_clear_error() -> None:
    """The culprit is named; nothing else is lost."""
    frames = [STTUpdateSettingsFrame(settings={"langauge": "de"}), *said("one")]
    out = down(ConfigurableFake(), [*frames, *sound(silence(1.0))])
    assert "did you mean 'language'" in of(out, ErrorFrame)[0].error
    assert texts(out) == ["one"]


def test_what_the_transcriber_refuses_changes_nothing() -> None:
    """Settings that the provider does not take are one error, and those before them stay."""
    provider = ConfigurableFake()
    frames = [STTUpdateSettingsFrame(settings={"language": "fr"}), *said("one")]
    out = down(provider, [*frames, *sound(silence(1.0))])
    assert "no French" in of(out, ErrorFrame)[0].error
    assert (texts(out), provider.calls) == (["one"], 1)


def test_settings_for_another_service_go_on() -> None:
    """An update that names somebody else is not ours."""
    frame = STTUpdateSettingsFrame(settings={"language": "de"}, service="other")
    assert of(down(ConfigurableFake(), [frame]), STTUpdateSettingsFrame) == [frame]
