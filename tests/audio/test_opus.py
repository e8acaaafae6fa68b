"""Opus by libopus: what is encoded can be heard again, and what is lost is made up for."""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib.util

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.audio import opus
from antiphon.audio.opus import RATES, OpusDecoder, OpusEncoder
from antiphon.audio.pcm import to_bytes, to_samples
from antiphon.errors import InvalidInputError, MissingExtraError

SECS = 0.02


def tone(rate: int, secs: float, hz: float = 220.0) -> bytes:
    """A voice-like sound: a few harmonics."""
    at = np.arange(round(rate * secs)) / rate
    wave = sum(np.sin(2 * np.pi * hz * k * at) / k for k in range(1, 6))
    return to_bytes(np.asarray(wave * 0.2, dtype=np.float32))


def packets(encoder: OpusEncoder, pcm: bytes) -> list[bytes]:
    """The packets of 20 ms of a sound."""
    size = round(encoder.sample_rate * SECS) * 2
    return [encoder.encode(pcm[at : at + size]) for at in range(0, len(pcm) - size + 1, size)]


def likeness(heard: bytes, said: bytes, rate: int) -> float:
    """The correlation of two sounds at the best shift within 15 ms, from -1 to 1."""
    a, b = (to_samples(pcm).astype(np.float64) for pcm in (heard, said))
    length = min(len(a), len(b)) - round(0.015 * rate)
    shifts = range(round(0.015 * rate))
    return max(float(np.corrcoef(a[s : s + length], b[:length])[0, 1]) for s in shifts)


def loudness(pcm: bytes) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(to_samples(pcm).astype(np.float64) ** 2)))


@pytest.mark.parametrize("decoded", RATES)
@pytest.mark.parametrize("encoded", [16_000, 24_000, 48_000])
def test_what_is_encoded_at_one_rate_is_heard_at_any(encoded: int, decoded: int) -> None:
    """Length and sound survive, and nothing needs to be resampled."""
    encoder, decoder = OpusEncoder(encoded), OpusDecoder(decoded)
    sent = packets(encoder, tone(encoded, 0.4))
    heard = b"".join(decoder.decode(packet) for packet in sent)
    assert len(heard) // 2 == round(decoded * SECS) * len(sent)
    assert likeness(heard, tone(decoded, 0.4), decoded) > 0.95
    assert decoder.samples_in(sent[0]) == round(decoded * SECS)


def test_a_lost_packet_is_recovered_from_the_one_after_it() -> None:
    """With forward error correction the copy sounds like what was lost, also at its beginning,
    which no concealment can know.
    """
    rate = 16_000
    encoder = OpusEncoder(rate, expected_loss=0.2)
    said = tone(rate, 0.2) + tone(rate, 0.2, 330.0)
    sent = packets(encoder, said)
    lost = 10  # the first packet of the second tone
    plain, repaired, concealed = OpusDecoder(rate), OpusDecoder(rate), OpusDecoder(rate)
    for packet in sent[:lost]:
        for decoder in (plain, repaired, concealed):
            decoder.decode(packet)
    meant = plain.decode(sent[lost]) + plain.decode(sent[lost + 1])
    samples = round(rate * SECS)
    recovered = repaired.recover(sent[lost + 1], samples) + repaired.decode(sent[lost + 1])
    guessed = concealed.conceal(samples) + concealed.decode(sent[lost + 1])
    assert len(recovered) == len(guessed) == len(meant)

    def error(heard: bytes) -> float:
        return loudness(to_bytes(to_samples(heard).astype(np.int32) - to_samples(meant)))

    assert error(recovered) < 0.5 * error(guessed)


def test_a_gap_is_concealed_and_fades() -> None:
    """The voice goes on for the first packet; after half a second nothing is left of it."""
    rate = 16_000
    decoder = OpusDecoder(rate)
    for packet in packets(OpusEncoder(rate), tone(rate, 0.4)):
        heard = decoder.decode(packet)
    first = decoder.conceal(320)
    assert len(first) == 640
    assert loudness(first) > 0.3 * loudness(heard)
    rest = decoder.conceal(16_000)
    assert len(rest) == 32_000
    assert loudness(rest[-3_200:]) < 0.02 * loudness(heard)


def test_packets_of_a_line_without_loss_carry_no_copies() -> None:
    """The bits go into the sound; from the other side's reports on they are shared."""
    encoder = OpusEncoder(16_000)
    library = opus._library()
    sound = tone(16_000, 0.4)
    assert not any(library.opus_packet_has_lbrr(p, len(p)) for p in packets(encoder, sound))
    encoder.expect_loss(0.1)
    assert any(library.opus_packet_has_lbrr(p, len(p)) for p in packets(encoder, sound))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: OpusEncoder(44_100), "no sample rate of 44100 Hz"),
        (lambda: OpusDecoder(22_050), "no sample rate of 22050 Hz"),
        (lambda: OpusEncoder(16_000, bitrate=100), "bitrate of 100"),
        (lambda: OpusEncoder(16_000, complexity=11), "complexity of 11"),
        (lambda: OpusEncoder(16_000, expected_loss=3.0), "expected loss of 3.0"),
        (lambda: OpusEncoder(16_000).encode(b"\0" * 641), "641 bytes are no Opus packet"),
        (lambda: OpusEncoder(16_000).encode(b"\0" * 500), "it takes 80, 160, 320, 640"),
        (lambda: OpusDecoder(16_000).decode(b""), "empty Opus packet"),
        (lambda: OpusDecoder(16_000).conceal(-1), "a gap of -1 samples"),
    ],
)
def test_what_opus_cannot_do_is_refused_by_name(make: object, says: str) -> None:
    """One clear error says which value is wrong."""
    assert callable(make)
    with pytest.raises(InvalidInputError, match=says):
        make()


@given(st.binary(max_size=1_500))
def test_garbage_is_audio_or_refused(packet: bytes) -> None:
    """Bytes of strangers never end the process: they are decoded, or one error says no."""
    decoder = OpusDecoder(16_000)
    for use in (decoder.decode, decoder.samples_in, lambda p: decoder.recover(p, 320)):
        try:
            use(packet)
        except InvalidInputError:
            continue
    assert len(decoder.conceal(320)) == 640


def test_without_the_library_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without av and libopus says what to install."""
    opus._library.cache_clear()
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(ctypes.util, "find_library", lambda _: None)
    try:
        assert not opus.is_available()
        with pytest.raises(MissingExtraError, match=r"antiphon\[webrtc\]"):
            OpusEncoder(16_000)
    finally:
        opus._library.cache_clear()
