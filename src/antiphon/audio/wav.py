"""Wav files: reading of what is met in practice, writing of 16-bit PCM while it is recorded."""

from __future__ import annotations

import struct
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self

import numpy as np

from antiphon.audio.g711 import Law
from antiphon.audio.pcm import SAMPLE_BYTES, duration, to_bytes, to_mono
from antiphon.audio.resample import resample
from antiphon.errors import InvalidInputError

_PCM, _FLOAT, _A_LAW, _EXTENSIBLE = 1, 3, 6, 0xFFFE
_KINDS = (b"RIFF", b"RF64", b"BW64")
_OTHER_CHUNKS = frozenset({b"LIST", b"fact", b"cue ", b"smpl", b"inst", b"bext", b"id3 ", b"PEAK"})
_UNKNOWN = 0xFFFF_FFFF
"""As a size of 32 bits: it is elsewhere, or was not known when the file was begun."""
_MOST_CHANNELS, _HIGHEST_RATE = 64, 768_000
_HEADER_BYTES = 44
_LONGEST = 0xFFFF_FFFF - _HEADER_BYTES


class WavFile(NamedTuple):
    """Audio with what is needed to play it: 16-bit PCM, rate in Hz, interleaved channels."""

    pcm: bytes
    sample_rate: int
    num_channels: int = 1

    @property
    def secs(self) -> float:
        """Length in seconds."""
        return duration(self.pcm, self.sample_rate, self.num_channels)

    def mono_at(self, sample_rate: int) -> bytes:
        """Mono PCM of the whole recording at `sample_rate`."""
        return resample(to_mono(self.pcm, self.num_channels), self.sample_rate, sample_rate)


def read_wav(path: str | Path) -> WavFile:
    """The recording in `path`, as 16-bit PCM.

    Reads 8, 16, 24 and 32-bit PCM, 32 and 64-bit floats, mu-law and A-law, also behind an
    extensible header and in RF64 and BW64. A file that was cut off, and one whose header says 0
    bytes because it was streamed, is read as far as it goes. Raises `InvalidInputError` for
    anything else, naming the file, and `OSError` when it cannot be opened.
    """
    data = Path(path).read_bytes()
    try:
        return parse_wav(data)
    except InvalidInputError as error:
        raise InvalidInputError(f"{path}: {error}") from error


def parse_wav(data: bytes) -> WavFile:
    """The recording in the bytes of a wav file; see `read_wav`."""
    if len(data) < 12 or data[:4] not in _KINDS or data[8:12] != b"WAVE":
        raise InvalidInputError(f"this is not a wav file: it begins with {data[:12]!r}")
    fmt: bytes | None = None
    long_size = _UNKNOWN  # of the data, where 32 bits are too few
    position = 12
    while position + 8 <= len(data):
        kind, size = struct.unpack_from("<4sI", data, position)
        position += 8
        if kind == b"data":
            if fmt is None:
                raise InvalidInputError("the wav file's data comes before its format")
            size = long_size if size == _UNKNOWN else size
            streamed = size == 0 and not _is_chunk(data, position)
            end = len(data) if streamed else position + size
            return _decode(fmt, data[position:end])
        if kind == b"fmt ":
            fmt = data[position : position + size]
        elif kind == b"ds64" and size >= 16 and position + 16 <= len(data):
            (long_size,) = struct.unpack_from("<Q", data, position + 8)
        position += size + size % 2
    raise InvalidInputError("the wav file has no data")


def _is_chunk(data: bytes, position: int) -> bool:
    """Whether another chunk that fits in the file begins there: then an empty one was empty."""
    if position + 8 > len(data):
        return False
    kind, size = struct.unpack_from("<4sI", data, position)
    return kind in _OTHER_CHUNKS and position + 8 + size <= len(data)


def _decode(fmt: bytes, body: bytes) -> WavFile:
    if len(fmt) < 16:
        raise InvalidInputError("the wav file's format chunk is too short")
    code, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", fmt)
    if code == _EXTENSIBLE and len(fmt) >= 26:
        (code,) = struct.unpack_from("<H", fmt, 24)
    if not (1 <= channels <= _MOST_CHANNELS and 1 <= rate <= _HIGHEST_RATE):
        raise InvalidInputError(
            f"the wav file claims {channels} channels at {rate} Hz: at most {_MOST_CHANNELS} at "
            f"{_HIGHEST_RATE} Hz can be read"
        )
    body = body[: len(body) - len(body) % max(1, channels * bits // 8)]
    match code, bits:
        case 1, 16:
            pcm = body
        case 1, 8:
            pcm = to_bytes((np.frombuffer(body, np.uint8).astype(np.int32) - 128) << 8)
        case 1, 24:
            # The upper two of three bytes are the 16-bit sample.
            pcm = np.ascontiguousarray(
                np.frombuffer(body, np.uint8).reshape(-1, 3)[:, 1:]
            ).tobytes()
        case 1, 32:
            pcm = to_bytes(np.frombuffer(body, "<i4") >> 16)
        case 3, 32 | 64:
            pcm = to_bytes(np.frombuffer(body, f"<f{bits // 8}"))
        case 6 | 7, 8:
            pcm = (Law.A if code == _A_LAW else Law.MU).decode(body)
        case _:
            raise InvalidInputError(
                f"a wav file of format {code} with {bits} bits cannot be read; convert it to PCM"
            )
    return WavFile(pcm, rate, channels)


def write_wav(path: str | Path, pcm: bytes, sample_rate: int, num_channels: int = 1) -> None:
    """Writes a whole recording of 16-bit PCM."""
    with WavWriter(path, sample_rate, num_channels) as writer:
        writer.write(pcm)


def wav_bytes(pcm: bytes, sample_rate: int, num_channels: int = 1) -> bytes:
    """A whole wav file in memory."""
    return _header(len(pcm), sample_rate, num_channels) + pcm


def _header(size: int, sample_rate: int, num_channels: int) -> bytes:
    unit = SAMPLE_BYTES * num_channels
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", size + _HEADER_BYTES - 8, b"WAVE"),
        *(b"fmt ", 16, _PCM, num_channels, sample_rate, sample_rate * unit, unit, 16),
        *(b"data", size),
    )


class WavWriter:
    """Writes a recording while it is made. What was flushed can be read even after a crash."""

    def __init__(self, path: str | Path, sample_rate: int, num_channels: int = 1) -> None:
        self.path: Path = Path(path)
        self.sample_rate: int = sample_rate
        self.num_channels: int = num_channels
        self._size = 0
        self._file: BinaryIO | None = self.path.open("wb")
        self._file.write(_header(0, sample_rate, num_channels))

    @property
    def secs(self) -> float:
        """Length so far, in seconds."""
        return self._size / (SAMPLE_BYTES * self.num_channels * self.sample_rate)

    def write(self, pcm: bytes) -> None:
        """Appends audio. Raises `InvalidInputError` after `close`, or beyond a wav's 4 GB."""
        if self._file is None:
            raise InvalidInputError(f"{self.path} is closed")
        if self._size + len(pcm) > _LONGEST:
            raise InvalidInputError(f"{self.path} is full: a wav file holds at most 4 GB")
        self._file.write(pcm)
        self._size += len(pcm)

    def flush(self) -> None:
        """Makes the file on disk complete as far as it goes."""
        if self._file is None:
            return
        self._file.seek(0)
        self._file.write(_header(self._size, self.sample_rate, self.num_channels))
        self._file.seek(0, 2)
        self._file.flush()

    def close(self) -> None:
        """Completes the file. Idempotent."""
        self.flush()
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
