"""A mixer at work in an output: the background beneath the voice, and what frames make of it."""

from __future__ import annotations

import numpy as np
import pytest

from antiphon.audio.mixer import SoundMixer
from antiphon.audio.pcm import Samples, to_samples
from antiphon.audio.wav import WavFile
from antiphon.frames.audio import OutputAudioRawFrame
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import ErrorFrame, InterruptionFrame
from antiphon.frames.speech import TTSStartedFrame, TTSStoppedFrame
from antiphon.frames.transport import MixerEnableFrame, MixerUpdateSettingsFrame
from antiphon.simulation.loop.virtual_time import run
from antiphon.simulation.testing import SleepFrame, run_test
from antiphon.transports.output import OutputTransport
from antiphon.transports.params import TransportParams
from tests.transports.lines import RATE, Ear, names, speech


def utterance(value: int, secs: float) -> list[Frame]:
    return [
        TTSStartedFrame(context_id="u", pts=0),
        speech(value, secs),
        TTSStoppedFrame(context_id="u"),
    ]


def play(
    frames: list[Frame], params: TransportParams | None
) -> tuple[Ear, list[Frame], list[Frame]]:
    """Sends the frames through an output; returns the ear and what left it down and up."""
    ear = Ear()

    async def main() -> tuple[list[Frame], list[Frame]]:
        return await run_test(OutputTransport(ear, params), frames_to_send=frames)

    return (ear, *run(main()))


def test_a_mixer_plays_all_the_time_beneath_the_voice() -> None:
    """The background is there before, under and after the words, and is not passed on alone."""
    hum = WavFile(np.full(RATE, 100, "<i2").tobytes(), RATE)
    mixer = SoundMixer({"hum": hum}, "hum", volume=1.0)
    params = TransportParams(audio_out_mixer=mixer, audio_out_end_silence_secs=0.0)
    ear, down, _ = play([SleepFrame(0.5), *utterance(7, 0.5), SleepFrame(1.0)], params)
    assert set(ear.heard) == {100, 107}
    assert len(ear.chunks) == pytest.approx(75, abs=2)
    assert len([f for f in down if isinstance(f, OutputAudioRawFrame)]) == 25


def beneath(sounds: dict[str, Samples], first: str) -> TransportParams:
    recordings = {name: WavFile(samples.tobytes(), RATE) for name, samples in sounds.items()}
    mixer = SoundMixer(recordings, first, volume=1.0)
    return TransportParams(audio_out_mixer=mixer, audio_out_end_silence_secs=0.0)


def humming() -> TransportParams:
    sounds = {"hum": np.full(RATE, 100, "<i2"), "buzz": np.full(RATE, 500, "<i2")}
    return beneath(sounds, "hum")


def ticking() -> tuple[TransportParams, Samples]:
    """Every sample of the background has a value of its own."""
    ramp = np.arange(1, RATE + 1, dtype="<i2")
    return beneath({"ramp": ramp}, "ramp"), ramp


def test_a_mixer_obeys_frames_behind_the_speech_before_them() -> None:
    """Softer, another sound, off and on: each in its place between the words, and passed on."""
    orders = [
        MixerUpdateSettingsFrame({"volume": 0.5}),
        MixerUpdateSettingsFrame({"sound": "buzz", "volume": 1.0}),
        MixerEnableFrame(enable=False),
        MixerEnableFrame(enable=True),
    ]
    frames: list[Frame] = []
    for order in orders:
        frames += [*utterance(7, 0.2), order]
    ear, down, up = play([*frames, SleepFrame(1.5)], humming())
    assert [value for value in ear.heard if value != 100] == [107, 57, 507, 7, 500]
    assert [frame for frame in down if frame in orders] == orders
    assert not [frame for frame in up if isinstance(frame, ErrorFrame)]


def test_an_interruption_leaves_the_background_alone() -> None:
    """The voice stops; the sound beneath goes on sample by sample, without a gap."""
    params, ramp = ticking()
    ear, _, _ = play(
        [*utterance(5000, 5.0), SleepFrame(0.2), InterruptionFrame(), SleepFrame(0.3)], params
    )
    played = to_samples(b"".join(pcm for _, pcm in ear.chunks)).astype(int)
    assert len(played) == pytest.approx(0.5 * RATE, abs=0.03 * RATE)
    voice = np.trim_zeros(played - ramp[: len(played)], "f")
    assert voice[0] == 5000
    assert np.count_nonzero(np.diff(voice)) == 1, "one step down and no gap in the background"
    assert voice[-1] == 0


def test_an_interruption_does_not_make_a_mixer_forget_an_order() -> None:
    """What waited behind speech that was cut off is obeyed at once."""
    params, _ = ticking()
    softer = MixerUpdateSettingsFrame({"volume": 0.0})
    ear, down, _ = play(
        [*utterance(5000, 5), softer, SleepFrame(0.2), InterruptionFrame(), SleepFrame(0.3)], params
    )
    assert softer in down
    played = to_samples(b"".join(pcm for _, pcm in ear.chunks))
    assert not played[round(0.23 * RATE) :].any()
    assert played[: round(0.19 * RATE)].all()


def test_an_order_that_no_mixer_can_obey_is_one_error() -> None:
    """Without a mixer, or with an impossible setting, the culprit is named and speech goes on."""
    order = MixerUpdateSettingsFrame({"volume": "loud"})
    for params, culprit in ((None, "has none"), (humming(), "volume")):
        _, down, up = play([order, *utterance(7, 0.2), SleepFrame(0.5)], params)
        (error,) = [frame for frame in up if isinstance(frame, ErrorFrame)]
        assert culprit in error.error
        assert order in down
        assert names(down, TTSStoppedFrame) == ["TTSStoppedFrame"]
