r"""The file of a recorded session: a line that says what it is, then one record after the other.

    b"antiphon recording 1\n"
    length, CRC-32    MessagePack of ["header", ...]
    length, CRC-32    MessagePack of ["hand-over", time, source, ..., frame]
    ...
    length, CRC-32    MessagePack of ["end", time, count]

Length and CRC-32 of the MessagePack have 4 bytes each, big-endian.

A frame is written out when it is first handed over; later hand-overs give its number in the file,
counted from 0. Nothing refers forward, so whatever a crash leaves is a readable prefix. A file
without its `end` was cut off.
"""

from __future__ import annotations

import enum
import struct
import weakref
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from antiphon.errors import InvalidInputError
from antiphon.kernel.epoch import FrameDirection

MAGIC = b"antiphon recording 1\n"
_PREFIX = struct.Struct(">II")
_LONGEST = 1 << 28
_FLUSH_BYTES = 1 << 16
_FLUSH_NS = 1_000_000_000


class AudioRecord(enum.Enum):
    """What is kept of sound and pictures."""

    INCLUDE = "include"
    HASH = "hash"
    DROP = "drop"


class Header(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="header"):
    """How the session was held.

    `started` is the wall clock at its beginning (ISO 8601); `seed` that of the virtual loop, None
    where there was none; `settings` what the program wished to note.
    """

    antiphon: str
    python: str
    started: str
    virtual: bool
    seed: int | None
    audio: AudioRecord
    redacted: bool
    settings: dict[str, Any]


class SessionEnd(msgspec.Struct, frozen=True, array_like=True, tag="end"):
    """The session was over at `time` (ns since its start) after `count` hand-overs."""

    time: int
    count: int


class FrameRecord:
    """A frame as plain values: what the codec makes of it. Shared by all its hand-overs.

    `glued`: the text of its kind is joined to the next piece without a space.
    """

    __slots__ = ("__weakref__", "fields", "glued")

    def __init__(self, fields: dict[str, Any], *, glued: bool = False) -> None:
        self.fields: dict[str, Any] = fields
        self.glued: bool = glued

    @property
    def type(self) -> str:
        """The name of the frame's type."""
        return str(self.fields["type"])


class HandOver(msgspec.Struct, frozen=True):
    """A frame was handed over; `time` in ns since the session's start."""

    time: int
    source: str
    destination: str
    direction: FrameDirection
    urgent: bool
    frame: FrameRecord


class _Entry(msgspec.Struct, frozen=True, array_like=True, tag="hand-over"):
    time: int
    source: str
    destination: str
    direction: FrameDirection
    urgent: bool
    frame: dict[str, Any] | int


class RecordWriter:
    """Writes a file. Raises `OSError` as the file system does.

    What was written reaches the system at the latest with the first hand-over a second later.
    """

    def __init__(self, path: Path) -> None:
        self.count: int = 0
        self._file = path.open("wb", buffering=0)
        self._buffer = bytearray(MAGIC)
        self._numbers: weakref.WeakKeyDictionary[FrameRecord, int] = weakref.WeakKeyDictionary()
        self._frames = 0
        self._flushed = 0
        self._encoder = msgspec.msgpack.Encoder()
        self.flush()

    def header(self, header: Header) -> None:
        """Must be the first record."""
        self._write(header)
        self.flush()

    def hand_over(self, given: HandOver) -> None:
        """One hand-over."""
        number = self._numbers.get(given.frame)
        frame = given.frame.fields if number is None else number
        entry = _Entry(
            given.time, given.source, given.destination, given.direction, given.urgent, frame
        )
        try:
            self._write(entry)
        except (OverflowError, TypeError, ValueError):
            given.frame.fields = {
                key: value if self._fits(value) else {"$opaque": type(value).__name__}
                for key, value in given.frame.fields.items()
            }
            self._write(msgspec.structs.replace(entry, frame=given.frame.fields))
        if number is None:
            self._numbers[given.frame] = self._frames
            self._frames += 1
        self.count += 1
        if len(self._buffer) >= _FLUSH_BYTES or given.time - self._flushed >= _FLUSH_NS:
            self._flushed = given.time
            self.flush()

    def end(self, time: int) -> None:
        """The last record."""
        self._write(SessionEnd(time, self.count))

    def flush(self) -> None:
        """Gives everything written so far to the system."""
        while self._buffer:
            del self._buffer[: self._file.write(self._buffer)]

    def close(self) -> None:
        """Flushes and closes the file."""
        try:
            self.flush()
        finally:
            self._file.close()

    def abandon(self) -> None:
        """Closes the file as it is."""
        self._buffer.clear()
        self._file.close()

    def _fits(self, value: Any) -> bool:
        """Whether MessagePack has a form for it: none for huge numbers and halves of characters."""
        try:
            self._encoder.encode(value)
        except (OverflowError, TypeError, ValueError):
            return False
        return True

    def _write(self, record: Header | _Entry | SessionEnd) -> None:
        data = self._encoder.encode(record)
        self._buffer += _PREFIX.pack(len(data), zlib.crc32(data))
        self._buffer += data


class Contents(msgspec.Struct):
    """What is in a file. `damage` says what is wrong with it from which record on."""

    header: Header
    hand_overs: list[HandOver]
    end: SessionEnd | None
    damage: str | None


def read(path: Path, glued: frozenset[str], *, partial: bool) -> Contents:
    """Reads a file. A record cut off at the end of the file is `damage`.

    Any other malformed record raises `InvalidInputError` with its number and place, or is `damage`
    if `partial`. `glued` names the types whose text is joined without spaces.
    """
    data = path.read_bytes()
    if not data.startswith(MAGIC):
        raise InvalidInputError(
            f"{path} is no recording of a session: it does not begin with "
            f"{MAGIC.decode().strip()!r}"
        )
    records = _records(data)
    _, place, first = next(records, (0, len(MAGIC), "the file ends"))
    if not isinstance(first, Header):
        said = first if isinstance(first, str) else "it is no header"
        raise InvalidInputError(f"{path}: record 0 (the header) at byte {place}: {said}")
    found = Contents(first, [], None, None)
    frames: list[FrameRecord] = []
    for number, place, record in records:
        wrong = _take(record, found, frames, glued)
        if wrong is None:
            continue
        found.damage = f"record {number} at byte {place}: {wrong}"
        if wrong is not _CUT_OFF and not partial:
            raise InvalidInputError(
                f"{path}: {found.damage}; Recording.load(path, partial=True) reads what is before"
            )
        break
    if found.end is None and found.damage is None:
        found.damage = f"the file ends after {len(found.hand_overs) + 1} records, without an end"
    return found


_CUT_OFF = "it is cut off"


def _take(
    record: Header | _Entry | SessionEnd | str,
    found: Contents,
    frames: list[FrameRecord],
    glued: frozenset[str],
) -> str | None:
    """Adds a record; says what is wrong with it."""
    if isinstance(record, str):
        return record
    if found.end is not None:
        return "it comes after the end"
    if isinstance(record, SessionEnd):
        found.end = record
        count = len(found.hand_overs)
        return (
            None if record.count == count else f"there are {count}, not {record.count} hand-overs"
        )
    if isinstance(record, Header):
        return "it is a second header"
    if isinstance(record.frame, int):
        if not 0 <= record.frame < len(frames):
            return f"there is no frame {record.frame} before it"
        frame = frames[record.frame]
    else:
        name = record.frame.get("type")
        if not isinstance(name, str):
            return "its frame has no type"
        joined = record.frame.get("includes_inter_frame_spaces", name in glued)
        frame = FrameRecord(record.frame, glued=joined is True)
        frames.append(frame)
    found.hand_overs.append(
        HandOver(
            record.time, record.source, record.destination, record.direction, record.urgent, frame
        )
    )
    return None


def _records(data: bytes) -> Iterator[tuple[int, int, Header | _Entry | SessionEnd | str]]:
    """Number, place and record; in place of the first malformed one what is wrong, and no more."""
    decoder = msgspec.msgpack.Decoder(Header | _Entry | SessionEnd)
    place, number = len(MAGIC), 0
    while place < len(data):
        begin = place + _PREFIX.size
        if begin > len(data):
            yield number, place, _CUT_OFF
            return
        length, check = _PREFIX.unpack_from(data, place)
        if length > _LONGEST:
            yield number, place, f"its length, {length} bytes, cannot be"
            return
        if begin + length > len(data):
            yield number, place, _CUT_OFF
            return
        record = data[begin : begin + length]
        if zlib.crc32(record) != check:
            yield number, place, "its checksum is wrong"
            return
        try:
            yield number, place, decoder.decode(record)
        except (msgspec.DecodeError, RecursionError) as error:
            yield number, place, str(error)
            return
        place, number = begin + length, number + 1
