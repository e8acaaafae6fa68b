"""What a turn model gets to hear."""

from __future__ import annotations

from antiphon.turns.turn_model_runner import LEAD_SECS, LISTEN_SECS, TurnAudio

RATE = 1_000
CHUNK = bytes(2 * RATE // 50)


def secs(audio: TurnAudio) -> float:
    """How much is kept."""
    return len(audio.audio()) / 2 / RATE


def test_between_turns_only_the_lead_is_kept() -> None:
    """Silence before a turn is not part of it, but for a moment."""
    audio = TurnAudio(RATE)
    for _ in range(50 * 60):
        audio.add(CHUNK, keep_secs=LEAD_SECS)
    assert LEAD_SECS <= secs(audio) <= LEAD_SECS + 0.02


def test_a_turn_is_kept_as_far_as_a_model_listens() -> None:
    """From its lead on, at most the last seconds."""
    audio = TurnAudio(RATE)
    for _ in range(50 * 5):
        audio.add(CHUNK, keep_secs=LEAD_SECS)
    for _ in range(50 * 3):
        audio.add(CHUNK, keep_secs=LISTEN_SECS)
    assert 3 + LEAD_SECS <= secs(audio) <= 3 + LEAD_SECS + 0.04
    for _ in range(50 * 60):
        audio.add(CHUNK, keep_secs=LISTEN_SECS)
    assert secs(audio) == LISTEN_SECS


def test_the_last_sound_is_the_last_that_came() -> None:
    """Old audio goes, new audio stays."""
    audio = TurnAudio(RATE)
    for value in range(100):
        audio.add(bytes([value, 0]) * 100, keep_secs=0.5)
    assert audio.audio()[-2:] == bytes([99, 0])
