"""The bookkeeping around Silero's model: context, state and sizes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from antiphon.audio.silero import SileroVAD
from antiphon.errors import InvalidInputError


class FakeSession:
    """Records what it is given; the state counts the calls, the probability is the last sample."""

    def __init__(self) -> None:
        self.inputs: list[np.ndarray[Any, Any]] = []
        self.states: list[float] = []

    def run(self, output_names: None, input_feed: dict[str, Any]) -> Any:
        assert int(input_feed["sr"]) == 16_000
        self.inputs.append(input_feed["input"].copy())
        self.states.append(float(input_feed["state"][0, 0, 0]))
        return input_feed["input"][:, -1:], input_feed["state"] + 1


def window(value: int) -> bytes:
    """512 samples of one value."""
    return np.full(512, value, "<i2").tobytes()


def test_the_end_of_a_window_begins_the_next_input() -> None:
    """Each input is the last 64 samples of the window before, then the window, as floats."""
    session = FakeSession()
    vad = SileroVAD(session)
    assert vad.probability(window(16_384)) == 0.5
    vad.probability(window(-8192))
    first, second = session.inputs
    assert first.shape == second.shape == (1, 576)
    assert (first[0, :64] == 0).all()
    assert (second[0, :64] == 0.5).all()
    assert (second[0, 64:] == -0.25).all()


def test_the_state_goes_from_call_to_call_until_reset() -> None:
    """What the model returned is given to it again; reset() forgets it and the context."""
    session = FakeSession()
    vad = SileroVAD(session)
    for _ in range(3):
        vad.probability(window(100))
    vad.reset()
    vad.probability(window(100))
    assert session.states == [0, 1, 2, 0]
    assert (session.inputs[-1][0, :64] == 0).all()


@pytest.mark.parametrize("size", [0, 1, 1023, 1025, 2048])
def test_another_size_is_refused(size: int) -> None:
    """A window of the wrong size is one clear error, and the state is as before."""
    session = FakeSession()
    vad = SileroVAD(session)
    with pytest.raises(InvalidInputError, match=f"1024 bytes.*not {size}"):
        vad.probability(bytes(size))
    vad.probability(window(1))
    assert session.states == [0]
