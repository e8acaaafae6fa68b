"""The parts of Moonshine that need no model: its vocabulary, loops and loudness."""

from __future__ import annotations

import numpy as np
import pytest

from antiphon.providers.local.moonshine import drop_loop, loudness, read_tokens


def test_the_vocabulary_has_lengths_of_one_or_two_bytes() -> None:
    """Entries shorter than 128 bytes have one byte of length, longer ones two; some are empty."""
    data = b"\x02ab\x00\x01c" + bytes([0x80 | (200 % 128), 200 // 128]) + b"x" * 200
    assert read_tokens(data) == [b"ab", b"", b"c", b"x" * 200]


@pytest.mark.parametrize(
    ("tokens", "left"),
    [
        ([], None),
        ([1, 2, 3, 4], None),
        ([7, 7, 7], None),
        ([5, 7, 7, 7, 7], [5, 7]),
        ([1, 2] * 4, [1, 2]),
        ([9, 1, 2, 3, 1, 2, 3, 1, 2, 3], None),
        ([*range(12)] * 4, [*range(12)]),
    ],
)
def test_a_loop_is_a_phrase_four_times_on_end(tokens: list[int], left: list[int] | None) -> None:
    """A phrase that ends the text four times over is left once; anything else is left alone."""
    before = tokens.copy()
    assert drop_loop(tokens) is (left is not None)
    assert tokens == (before if left is None else left)


def test_loudness_is_that_of_the_loudest_tenth_of_a_second() -> None:
    """Silence around a sound does not make it quieter; no audio is silence."""
    sound = np.zeros(16_000, np.float32)
    sound[3200:4800] = 0.5
    assert loudness(sound) == pytest.approx(0.5)
    assert loudness(np.zeros(0, np.float32)) == 0
