"""Tests of `antiphon.audio.wav`."""

from __future__ import annotations

import contextlib
import struct
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.audio.g711 import Law
from antiphon.audio.pcm import to_samples
from antiphon.audio.wav import WavWriter, parse_wav, read_wav, wav_bytes, write_wav
from antiphon.errors import InvalidInputError
from tests.scale import examples

VALUES = np.array([0, 1, -1, 12_345, -12_345, 32_767, -32_768], "<i2")


def riff(code: int, bits: int, body: bytes, *, extra: bytes = b"", channels: int = 1) -> bytes:
    unit = channels * bits // 8
    fmt = struct.pack("<HHIIHH", code, channels, 8000, 8000 * unit, unit, bits) + extra
    chunks = struct.pack("<4sI", b"fmt ", len(fmt)) + fmt
    chunks += struct.pack("<4sI", b"LIST", 3) + b"abc\0"
    chunks += struct.pack("<4sI", b"data", len(body)) + body
    return struct.pack("<4sI4s", b"RIFF", 4 + len(chunks), b"WAVE") + chunks


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """Mono and stereo survive the way through a file."""
    for channels in (1, 2):
        path = tmp_path / f"{channels}.wav"
        pcm = np.repeat(VALUES, channels).tobytes()
        write_wav(path, pcm, 16_000, channels)
        assert read_wav(path) == (pcm, 16_000, channels)


def test_the_standard_library_reads_our_files(tmp_path: Path) -> None:
    """Header fields are what others expect."""
    path = tmp_path / "a.wav"
    write_wav(path, bytes(400), 24_000, 2)
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (2, 24_000, 100)


@pytest.mark.parametrize(
    ("code", "bits", "body"),
    [
        (1, 24, b"".join(struct.pack("<i", int(v) << 8)[:3] for v in VALUES)),
        (1, 32, (VALUES.astype("<i4") << 16).tobytes()),
        (3, 32, (VALUES / 32768).astype("<f4").tobytes()),
        (3, 64, (VALUES / 32768).astype("<f8").tobytes()),
    ],
)
def test_other_sample_formats_become_16_bits(code: int, bits: int, body: bytes) -> None:
    """The same sound, whatever the file keeps it in; unknown chunks are skipped."""
    assert to_samples(parse_wav(riff(code, bits, body)).pcm).tolist() == VALUES.tolist()


def test_eight_bits_are_unsigned() -> None:
    """128 is silence in an 8-bit file."""
    assert to_samples(parse_wav(riff(1, 8, bytes([128, 0, 255]))).pcm).tolist() == [
        0,
        -32768,
        32512,
    ]


def test_an_extensible_header_is_understood() -> None:
    """The real format is behind the header's own code."""
    extra = struct.pack("<HHIH", 22, 16, 4, 1) + bytes(14)
    assert parse_wav(riff(0xFFFE, 16, VALUES.tobytes(), extra=extra)).pcm == VALUES.tobytes()


def test_a_file_that_was_cut_off_is_read_as_far_as_it_goes() -> None:
    """Neither a missing end nor the endless size of a piped file is an error."""
    whole = wav_bytes(VALUES.tobytes(), 8000)
    assert parse_wav(whole[:-3]).pcm == VALUES.tobytes()[:-4]
    endless = whole[:40] + b"\xff\xff\xff\xff" + whole[44:]
    assert parse_wav(endless).pcm == VALUES.tobytes()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a wav"),
        (b"RIFF\0\0\0\0WAVE", "no data"),
        (riff(85, 16, bytes(4)), "format 85"),
        (riff(1, 16, bytes(4), channels=0), "0 channels"),
    ],
)
def test_what_cannot_be_read_is_named(data: bytes, message: str, tmp_path: Path) -> None:
    """The error says what is wrong and with which file."""
    path = tmp_path / "bad.wav"
    path.write_bytes(data)
    with pytest.raises(InvalidInputError, match=f"bad.wav: .*{message}"):
        read_wav(path)


def test_a_recording_can_be_read_while_it_is_made(tmp_path: Path) -> None:
    """After a flush a crash loses nothing; after close writing is refused."""
    path = tmp_path / "live.wav"
    writer = WavWriter(path, 8000)
    writer.write(bytes(160))
    writer.flush()
    assert len(read_wav(path).pcm) == 160
    writer.write(bytes(80))
    assert writer.secs == 0.015
    writer.close()
    writer.close()
    assert len(read_wav(path).pcm) == 240
    with pytest.raises(InvalidInputError, match="closed"):
        writer.write(b"")


def test_a_recording_can_be_had_as_mono_at_any_rate() -> None:
    """What the caller's voice needs: one channel at the pipeline's rate."""
    recording = parse_wav(wav_bytes(bytes(4 * 800), 8000, 2))
    assert recording.secs == 0.1
    assert len(recording.mono_at(16_000)) == 3200


@pytest.mark.parametrize(("code", "law"), [(6, Law.A), (7, Law.MU)])
def test_telephone_recordings_are_read(code: int, law: Law) -> None:
    """A-law and mu-law, as carriers record calls."""
    body = bytes(range(256))
    assert parse_wav(riff(code, 8, body)).pcm == law.decode(body)


@pytest.mark.parametrize("size", [0, 0xFFFF_FFFF])
def test_a_streamed_file_is_read_to_its_end(size: int) -> None:
    """Its header was written before anybody knew how long it would be."""
    whole = wav_bytes(b"\1\0\2\0", 8_000)
    streamed = whole[:40] + size.to_bytes(4, "little") + whole[44:]
    assert parse_wav(streamed).pcm == b"\1\0\2\0"


def test_an_empty_recording_with_a_comment_is_empty() -> None:
    """What stands behind 0 bytes of data may be another chunk, which is no sound."""
    assert parse_wav(wav_bytes(b"", 8_000) + b"LIST\x04\0\0\0INFO").pcm == b""


def test_a_file_beyond_four_gigabytes_says_its_size_elsewhere() -> None:
    """RF64 and BW64 keep the size of their data in a chunk of its own."""
    whole = wav_bytes(b"\1\0\2\0", 8_000)
    sizes = b"ds64" + (28).to_bytes(4, "little") + (0).to_bytes(8, "little")
    sizes += (4).to_bytes(8, "little") + bytes(12)
    for kind in (b"RF64", b"BW64"):
        long = kind + b"\xff" * 4 + b"WAVE" + sizes + whole[12:40] + b"\xff" * 4 + whole[44:]
        assert parse_wav(long + b"LIST\0\0\0\0").pcm == b"\1\0\2\0"


@examples()
@given(st.binary(max_size=60), st.integers(0, 60), st.integers(0, 30))
def test_no_bytes_are_more_than_an_error(noise: bytes, at: int, cut: int) -> None:
    """Whatever a file holds: sound, or one error that says what is wrong."""
    whole = wav_bytes(bytes(16), 8_000)
    with contextlib.suppress(InvalidInputError):
        parse_wav(whole[:at] + noise + whole[at + cut :])
    with contextlib.suppress(InvalidInputError):
        parse_wav(b"RIFF\0\0\0\0WAVE" + noise)
