from __future__ import annotations

import pathlib

import numpy as np
import pytest

from antiphon.audio.pcm import to_bytes, to_samples
from antiphon.audio.wav import write_wav
from antiphon.errors import InvalidInputError
from antiphon.observe.recording import Track, TwoSides


def tone(secs: float, rate: int, value: int = 1000) -> bytes:
    """Constant sound."""
    return to_bytes(np.full(round(secs * rate), value, np.int16))


def test_pieces_stand_where_they_were_played() -> None:
    """Silence fills the time before and between pieces."""
    track = Track(8_000)
    track.add(tone(0.5, 8_000), 8_000, 1.0)
    track.add(tone(0.5, 8_000), 8_000, 3.0)
    loud = to_samples(track.pcm()) != 0
    assert track.secs == pytest.approx(3.5)
    assert np.flatnonzero(np.diff(loud.astype(int))).tolist() == [7999, 11999, 23999]


def test_jitter_leaves_no_seam() -> None:
    """Pieces that come a little late or early follow each other without a gap."""
    track = Track(8_000)
    for k, late in enumerate((0.0, 0.1, -0.02, 0.15, 0.0)):
        track.add(tone(0.02, 8_000), 8_000, k * 0.02 + late)
    assert len(to_samples(track.pcm())) == 5 * 160
    assert np.all(to_samples(track.pcm()))


def test_pieces_of_another_rate_keep_their_length() -> None:
    """Audio of any rate is brought to the track's."""
    track = Track(16_000)
    for k in range(50):
        track.add(tone(0.02, 24_000), 24_000, k * 0.02)
    assert track.secs == pytest.approx(1.0, abs=0.005)


def test_a_track_can_be_cut_and_continued() -> None:
    """`pcm(secs)` has exactly that length."""
    track = Track(8_000)
    track.add(tone(1.0, 8_000), 8_000, 0.0)
    assert [len(track.pcm(secs)) for secs in (0.5, 2.0)] == [8_000, 32_000]


def test_the_wav_has_the_caller_left_and_the_agent_right(tmp_path: pathlib.Path) -> None:
    """What was written is read back, side for side."""
    sides = TwoSides(8_000, tone(0.1, 8_000, 5), tone(0.1, 8_000, 7))
    sides.write(tmp_path / "talk.wav")
    assert TwoSides.read(tmp_path / "talk.wav") == sides


def test_a_mono_file_is_no_conversation(tmp_path: pathlib.Path) -> None:
    """The error names the file and says what was expected."""
    write_wav(tmp_path / "mono.wav", tone(0.1, 8_000), 8_000)
    with pytest.raises(InvalidInputError, match=r"mono\.wav has 1 channel\(s\)"):
        TwoSides.read(tmp_path / "mono.wav")
