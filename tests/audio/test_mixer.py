"""Tests of `antiphon.audio.mixer` and `antiphon.audio.filters`."""

from __future__ import annotations

import numpy as np
import pytest

from antiphon.audio.filters import GainFilter
from antiphon.audio.mixer import SoundMixer
from antiphon.audio.pcm import to_samples
from antiphon.audio.wav import WavFile
from antiphon.errors import ConfigurationError, UnknownNameError


def steady(value: int, count: int) -> bytes:
    return np.full(count, value, "<i2").tobytes()


def sounds() -> dict[str, WavFile]:
    ramp = np.arange(0, 1000, 10, dtype="<i2").tobytes()
    return {"ramp": WavFile(ramp, 8_000), "stereo": WavFile(steady(600, 400), 8_000, 2)}


def test_the_background_is_added_at_its_volume_and_loops_without_a_gap() -> None:
    """Chunk after chunk, the sound goes on where it was, and begins anew at its end."""
    mixer = SoundMixer(sounds(), "ramp", volume=0.5)
    mixer.start(8_000, 1)
    got = b"".join(mixer.mix(steady(1000, 80)) for _ in range(5))
    want = [1000 + round(0.5 * (10 * (i % 100))) for i in range(400)]
    assert to_samples(got).tolist() == want


def test_without_a_loop_the_sound_ends_and_the_voice_goes_on() -> None:
    """A chunk is always as long as it was."""
    mixer = SoundMixer(sounds(), "ramp", volume=1.0, loop=False)
    mixer.start(8_000, 1)
    got = to_samples(mixer.mix(steady(1, 150)))
    assert len(got) == 150
    assert got[99] == 991
    assert got[100:].tolist() == [1] * 50
    assert mixer.mix(steady(1, 10)) == steady(1, 10)


def test_a_mixer_can_be_switched_off_and_to_another_sound() -> None:
    """`mixing` and `play` act from the next chunk on."""
    mixer = SoundMixer(sounds(), "ramp", volume=1.0)
    mixer.start(8_000, 1)
    mixer.mixing = False
    assert mixer.mix(steady(5, 10)) == steady(5, 10)
    mixer.mixing = True
    mixer.play("stereo")
    assert set(to_samples(mixer.mix(steady(5, 10))).tolist()) == {605}


def test_sounds_are_brought_to_the_outputs_rate_and_channels() -> None:
    """A stereo output gets the background on both channels."""
    mixer = SoundMixer(sounds(), "stereo", volume=1.0)
    mixer.start(16_000, 2)
    got = to_samples(mixer.mix(bytes(4 * 300)), 2)
    assert np.abs(got[50:250] - 600).max() <= 6


def test_an_unknown_sound_is_refused_at_once() -> None:
    """The error lists what there is."""
    with pytest.raises(UnknownNameError, match=r"'rain'.*ramp, stereo"):
        SoundMixer(sounds(), "rain")


def test_settings_change_while_it_plays() -> None:
    """What is named changes, the rest stays; the sound goes on where it was unless it changes."""
    mixer = SoundMixer(sounds(), "ramp", volume=1.0)
    mixer.start(8_000, 1)
    mixer.mix(steady(0, 10))
    mixer.update({"volume": 0.5})
    assert to_samples(mixer.mix(steady(0, 2))).tolist() == [50, 55]
    mixer.enable(on=False)
    assert mixer.mix(steady(7, 3)) == steady(7, 3)
    mixer.enable(on=True)
    assert to_samples(mixer.mix(steady(0, 1))).tolist() == [60]
    mixer.update({"sound": "stereo", "volume": 1, "loop": False})
    assert mixer.mix(steady(0, 10)) == steady(600, 10)
    assert not mixer.loop


@pytest.mark.parametrize(
    ("settings", "culprit"),
    [
        ({"volume": 0.1, "sound": "jazz"}, "'jazz'"),
        ({"volume": "loud"}, "volume"),
        ({"volume": -1.0}, "-1.0"),
        ({"volume": float("nan")}, "nan"),
        ({"volume": 0.1, "pitch": 2}, "pitch"),
        ({"loop": 3}, "loop"),
    ],
)
def test_wrong_settings_change_nothing(settings: dict[str, object], culprit: str) -> None:
    """One error names the culprit, and the mixer plays on as it did."""
    mixer = SoundMixer(sounds(), "ramp", volume=0.7)
    mixer.start(8_000, 1)
    with pytest.raises(ConfigurationError, match=culprit):
        mixer.update(settings)
    assert (mixer.volume, mixer.loop) == (0.7, True)
    assert to_samples(mixer.mix(steady(0, 2))).tolist() == [0, 7]


def test_a_filter_changes_its_settings_or_says_what_is_wrong() -> None:
    """The gain may change in mid-stream; another name is refused."""
    louder = GainFilter(2.0)
    louder.update({"gain": 3})
    assert louder.filter(steady(5, 4)) == steady(15, 4)
    for wrong in ({"gian": 1.0}, {"gain": "much"}):
        with pytest.raises(ConfigurationError, match="gain"):
            louder.update(wrong)
    assert louder.gain == 3


def test_a_gain_filter_makes_a_line_louder() -> None:
    """The one filter that needs no package."""
    loud = GainFilter(2.0)
    loud.start(16_000)
    assert loud.filter(steady(100, 4)) == steady(200, 4)
    loud.stop()
