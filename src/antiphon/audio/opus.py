"""Opus, by libopus itself: encoding, decoding, and what makes up for a packet that was lost.

The package `av` encodes Opus but offers no concealment and no forward error correction, so this
module speaks to the library that av's wheel carries, or else to the system's (Debian: `libopus0`).
A packet may be decoded to any rate that Opus knows, whatever it was encoded at: nothing is
resampled. Audio is mono.

A lost packet has two remedies. With forward error correction the packet after it carries a coarse
copy (`OpusDecoder.recover`); else the decoder goes on with what it heard before
(`OpusDecoder.conceal`), which is inaudible for one packet and fades within five.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import enum
import functools
import importlib.util
from collections.abc import Iterator
from pathlib import Path

from antiphon.audio.pcm import SAMPLE_BYTES
from antiphon.errors import InvalidInputError, MissingExtraError

RATES = (8_000, 12_000, 16_000, 24_000, 48_000)
"""Sample rates (Hz) of Opus (RFC 6716, section 2)."""

CLOCK_RATE = 48_000
"""Ticks a second of its RTP timestamps, whatever the sample rate (RFC 7587, section 4.1)."""

_PACKET_SECS = (0.0025, 0.005, 0.01, 0.02, 0.04, 0.06)
_LONGEST_SECS = 0.12
_LARGEST_PACKET = 1_275 * 6


class _Request(enum.IntEnum):
    """Settings of an encoder, by their numbers in `opus_defines.h`."""

    BITRATE = 4002
    COMPLEXITY = 4010
    INBAND_FEC = 4012
    PACKET_LOSS_PERC = 4014
    SIGNAL = 4024


_APPLICATION_VOIP = 2048
_SIGNAL_VOICE = 3001


class OpusEncoder:
    """Encodes one stream of mono speech.

    Args:
        sample_rate: of the audio, in Hz; one of `RATES`.
        bitrate: bits a second, 6,000 to 510,000.
        complexity: 0 to 10; the quality of 0 is good enough for speech at half the CPU of 5.
        expected_loss: share of packets that may be lost, 0 to 1; above 0 each packet carries a
            coarse copy of the one before.

    Raises `InvalidInputError` for values that Opus does not know.

    """

    def __init__(
        self,
        sample_rate: int,
        *,
        bitrate: int = 32_000,
        complexity: int = 5,
        expected_loss: float = 0.0,
    ) -> None:
        _check_rate(sample_rate)
        if not 6_000 <= bitrate <= 510_000:
            raise InvalidInputError(f"a bitrate of {bitrate} is outside 6,000..510,000 bit/s")
        if not 0 <= complexity <= 10:
            raise InvalidInputError(f"a complexity of {complexity} is outside 0..10")
        self.sample_rate = sample_rate
        self._library = _library()
        error = ctypes.c_int()
        size = self._library.opus_encoder_get_size(1)
        self._state = ctypes.create_string_buffer(size)
        error.value = self._library.opus_encoder_init(
            self._state, sample_rate, 1, _APPLICATION_VOIP
        )
        _check(error.value, "the encoder cannot be set up")
        self._packet = ctypes.create_string_buffer(_LARGEST_PACKET)
        self._set(_Request.BITRATE, bitrate)
        self._set(_Request.COMPLEXITY, complexity)
        self._set(_Request.SIGNAL, _SIGNAL_VOICE)
        self.expect_loss(expected_loss)

    def expect_loss(self, share: float) -> None:
        """Sets how many packets may be lost, from 0 to 1: from the reports of the other side."""
        if not 0 <= share <= 1:
            raise InvalidInputError(f"an expected loss of {share} is outside 0..1")
        self._set(_Request.INBAND_FEC, int(share > 0))
        self._set(_Request.PACKET_LOSS_PERC, round(share * 100))

    def encode(self, pcm: bytes) -> bytes:
        """One packet of 2.5, 5, 10, 20, 40 or 60 ms of audio.

        Raises `InvalidInputError` for any other length.
        """
        count = len(pcm) // SAMPLE_BYTES
        sizes = [round(secs * self.sample_rate) for secs in _PACKET_SECS]
        if len(pcm) % SAMPLE_BYTES or count not in sizes:
            raise InvalidInputError(
                f"{len(pcm)} bytes are no Opus packet at {self.sample_rate} Hz: it takes "
                f"{', '.join(str(size * SAMPLE_BYTES) for size in sizes)} bytes"
            )
        length = self._library.opus_encode(self._state, pcm, count, self._packet, _LARGEST_PACKET)
        _check(length, "the audio cannot be encoded")
        return ctypes.string_at(self._packet, length)

    def _set(self, request: _Request, value: int) -> None:
        code = self._library.opus_encoder_ctl(self._state, int(request), ctypes.c_int(value))
        _check(code, f"the encoder refuses {request.name.lower()}={value}")


class OpusDecoder:
    """Decodes one stream to mono PCM at `sample_rate` (Hz; one of `RATES`)."""

    def __init__(self, sample_rate: int) -> None:
        _check_rate(sample_rate)
        self.sample_rate = sample_rate
        self._library = _library()
        self._state = ctypes.create_string_buffer(self._library.opus_decoder_get_size(1))
        code = self._library.opus_decoder_init(self._state, sample_rate, 1)
        _check(code, "the decoder cannot be set up")
        self._room = round(_LONGEST_SECS * sample_rate)
        self._pcm = ctypes.create_string_buffer(self._room * SAMPLE_BYTES)

    def samples_in(self, packet: bytes) -> int:
        """How many samples a packet holds. Raises `InvalidInputError` for what is no packet."""
        count = self._library.opus_packet_get_nb_samples(packet, len(packet), self.sample_rate)
        _check(count, "not an Opus packet")
        return int(count)

    def decode(self, packet: bytes) -> bytes:
        """The audio of a packet. Raises `InvalidInputError` for what is no packet."""
        if not packet:
            raise InvalidInputError("an empty Opus packet holds no audio")
        return self._decoded(packet, self._room, fec=False)

    def recover(self, following: bytes, samples: int) -> bytes:
        """The audio of a lost packet of `samples`, from the copy in the packet that follows it.

        Where that carries no copy the gap is concealed. Decode `following` itself afterwards.
        """
        return self._decoded(following, self._whole(samples), fec=True)

    def conceal(self, samples: int) -> bytes:
        """Audio in place of `samples` that were lost: the voice goes on, and fades."""
        return b"".join(self._decoded(None, part, fec=False) for part in self._parts(samples))

    def _parts(self, samples: int) -> Iterator[int]:
        left = self._whole(samples)
        while left > 0:
            yield min(left, self._room)
            left -= self._room

    def _whole(self, samples: int) -> int:
        """The nearest length that a gap may have: Opus counts in steps of 2.5 ms."""
        step = round(_PACKET_SECS[0] * self.sample_rate)
        if samples < 0:
            raise InvalidInputError(f"a gap of {samples} samples cannot be filled")
        return max(1, round(samples / step)) * step

    def _decoded(self, packet: bytes | None, room: int, *, fec: bool) -> bytes:
        size = 0 if packet is None else len(packet)
        count = self._library.opus_decode(self._state, packet, size, self._pcm, room, int(fec))
        _check(count, "not an Opus packet")
        return ctypes.string_at(self._pcm, count * SAMPLE_BYTES)


def is_available() -> bool:
    """Tells if libopus can be loaded on this machine."""
    return any(True for _ in _candidates())


@functools.cache
def _library() -> ctypes.CDLL:
    for path in _candidates():
        try:
            library = ctypes.CDLL(path)
        except OSError:
            continue
        library.opus_strerror.restype = ctypes.c_char_p
        return library
    raise MissingExtraError("Opus", "webrtc", "av (or the system's libopus, libopus0 in Debian)")


def _candidates() -> Iterator[str]:
    """Paths of libopus: in av's wheel first, for that is the version it was tried with."""
    spec = importlib.util.find_spec("av")
    if spec is not None and spec.origin is not None:
        package = Path(spec.origin).parent
        for folder in (package.with_name("av.libs"), package / ".dylibs", package):
            yield from (str(path) for path in sorted(folder.glob("*opus*.*")) if path.is_file())
    system = ctypes.util.find_library("opus")
    if system is not None:
        yield system


def _check_rate(sample_rate: int) -> None:
    if sample_rate not in RATES:
        known = ", ".join(str(rate) for rate in RATES)
        raise InvalidInputError(f"Opus has no sample rate of {sample_rate} Hz: use one of {known}")


def _check(code: int, what: str) -> None:
    if code < 0:
        reason = _library().opus_strerror(code).decode()
        raise InvalidInputError(f"{what}: {reason}")
