from __future__ import annotations

import numpy as np
import pytest

from antiphon.audio.clip import LOUDNESS, QUIET, evened
from antiphon.audio.pcm import to_samples


@pytest.mark.parametrize("peak", [QUIET + 1, 4_000, 32_767])
def test_a_clip_has_no_silence_at_its_ends_and_one_loudness(peak: int) -> None:
    """What is quiet at the ends goes, what is quiet inside stays, and every clip is as loud."""
    inside = [peak, 0, 5, -peak, 0, peak // 2, peak]
    samples = np.array([0, 7, -QUIET, *inside, QUIET, 0, 0], dtype="<i2")
    clip = to_samples(evened(samples.tobytes()))
    assert len(clip) == len(inside)
    assert np.abs(clip.astype(int)).max() == pytest.approx(LOUDNESS * 32_768, rel=0.01)


def test_nothing_is_left_of_silence() -> None:
    """A clip in which nobody speaks is empty."""
    assert evened(bytes(3200)) == evened(b"") == b""
