"""Sessions as files: every hand-over of a conversation, to look at, to cut, and to replay.

    task = PipelineTask(pipeline, observers=[SessionRecorder("call.antiphon")])
    ...
    recording = Recording.load("call.antiphon")

The format is in `record_file`, replaying in `replay`, what takes personal data out in `redaction`.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import platform
import weakref
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

import antiphon
from antiphon.clock import Clock
from antiphon.errors import InvalidInputError
from antiphon.frames.base import Frame
from antiphon.frames.codec import FrameCodec, standard_types
from antiphon.frames.lifecycle import InterruptionFrame
from antiphon.frames.text import TextFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.observers import BaseObserver, FramePushed
from antiphon.simulation.loop.loop import VirtualTimeLoop
from antiphon.simulation.record.passing import passed_at_once, without_waits
from antiphon.simulation.record.record_file import (
    AudioRecord,
    FrameRecord,
    HandOver,
    Header,
    RecordWriter,
    read,
)
from antiphon.simulation.record.redaction import AnyRule, RedactingQueue, Redactor

__all__ = [
    "AudioRecord",
    "FrameEncoder",
    "FrameRecord",
    "HandOver",
    "Header",
    "Recording",
    "SessionRecorder",
]

logger: Final = logging.getLogger("antiphon")

GLUED = frozenset({"LLMTextFrame", "LLMThoughtTextFrame", "InputDTMFFrame"})
"""Types whose texts are pieces of words."""
ENTERING = frozenset(
    {
        "InputAudioRawFrame",
        "UserAudioRawFrame",
        "InputImageRawFrame",
        "UserImageRawFrame",
        "InputTransportMessageFrame",
        "InputDTMFFrame",
    }
)
"""Types by which an input transport is recognised."""
_ENDS = frozenset({"EndFrame", "StopFrame"})
_LIFECYCLE = frozenset({"StartFrame", "CancelFrame"}) | _ENDS
_MEDIA = ("audio", "image")
TASK = "task"
"""Where frames come from that the program queues."""


class FrameEncoder:
    """Makes records of frames: one for each frame, as long as the frame lives."""

    def __init__(self, audio: AudioRecord = AudioRecord.INCLUDE) -> None:
        self._audio = audio
        self._types: dict[str, type[Frame]] = {}
        self._codec = FrameCodec(lenient=True)
        self._standard = standard_types()
        self._records: weakref.WeakKeyDictionary[Frame, FrameRecord] = weakref.WeakKeyDictionary()

    def encode(self, frame: Frame) -> FrameRecord:
        """The frame's record, the same each time."""
        record = self._records.get(frame)
        if record is None:
            kind = type(frame)
            name = kind.__name__
            if self._types.get(name, self._standard.get(name)) is not kind:
                self._types[name] = kind
                self._codec = FrameCodec(*self._types.values(), lenient=True)
            fields = self._codec.to_builtins(frame)
            self._shorten(fields)
            glued = isinstance(frame, TextFrame) and frame.includes_inter_frame_spaces
            record = FrameRecord(fields, glued=glued or name in GLUED)
            self._records[frame] = record
        return record

    def _shorten(self, fields: dict[str, Any]) -> None:
        if self._audio is AudioRecord.INCLUDE:
            return
        for key in _MEDIA:
            data = fields.get(key)
            if isinstance(data, bytes):
                fields[key] = {"bytes": len(data)}
                if self._audio is AudioRecord.HASH:
                    fields[key]["sha256"] = hashlib.sha256(data).hexdigest()


def hand_over(data: FramePushed, encoder: FrameEncoder) -> HandOver:
    """What an observer is told, as a record."""
    return HandOver(
        data.timestamp,
        data.source,
        data.destination,
        data.direction,
        data.frame.urgent,
        encoder.encode(data.frame),
    )


def header_now(
    audio: AudioRecord, *, redacted: bool = False, settings: Mapping[str, Any] | None = None
) -> Header:
    """The header of a session that begins now, on the loop that runs."""
    loop = asyncio.get_running_loop()
    virtual = isinstance(loop, VirtualTimeLoop)
    return Header(
        antiphon=antiphon.__version__,
        python=platform.python_version(),
        started=Clock().timestamp(),
        virtual=virtual,
        seed=loop.seed if isinstance(loop, VirtualTimeLoop) else None,
        audio=audio,
        redacted=redacted,
        settings=dict(settings or {}),
    )


class SessionRecorder(BaseObserver):
    """Writes one session to a file, which is complete when the `PipelineTask` has run.

    `audio` says what is kept of sound and pictures; `redact` rules take personal data out before
    anything is written; `settings` is noted in the file. Where there are rules, text waits some
    seconds for what may belong to it. Raises `OSError` at once if the file cannot be made; one that
    breaks off later is reported once, and the session goes on.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        audio: AudioRecord = AudioRecord.INCLUDE,
        redact: Iterable[AnyRule] = (),
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.path: Path = Path(path)
        rules = list(redact)
        self._audio = audio
        self._redactor = Redactor(rules) if rules else None
        self._queue = RedactingQueue(self._redactor) if self._redactor is not None else None
        plain = msgspec.to_builtins(dict(settings or {}), enc_hook=repr)
        self._settings = self._redactor.value(plain) if self._redactor is not None else plain
        self._encoder = FrameEncoder(audio)
        self._began: float | None = None
        self._last = 0
        self._told = False
        self._writer: RecordWriter | None = RecordWriter(self.path)

    async def on_push_frame(self, data: FramePushed) -> None:
        if self._writer is None:
            if not self._told:
                self._told = True
                logger.error("%s holds its session: make a recorder for each", self.path)
            return
        try:
            self._note(self._writer, data)
        except OSError:
            self._told = True
            logger.exception("%s is not written any further", self.path)
            self._writer.abandon()
            self._writer = None

    async def on_pipeline_finished(self) -> None:
        self.close()

    def close(self) -> None:
        """Completes the file. Called at the end of the session; without effect after that."""
        writer, self._writer = self._writer, None
        if writer is None:
            return
        try:
            for given in self._queue.finish() if self._queue is not None else ():
                writer.hand_over(given)
            if self._began is not None:
                writer.end(self._last)
            writer.close()
        except OSError:
            logger.exception("%s is not complete", self.path)

    def _note(self, writer: RecordWriter, data: FramePushed) -> None:
        if self._began is None:
            self._began = asyncio.get_running_loop().time()
            redacted = self._redactor is not None
            writer.header(header_now(self._audio, redacted=redacted, settings=self._settings))
        self._last = data.timestamp
        given = hand_over(data, self._encoder)
        if self._queue is None:
            writer.hand_over(given)
            return
        for settled in self._queue.put(given):
            writer.hand_over(settled)


_START_NS = 50_000_000
"""What comes so soon after the first input is not its work: the two came side by side."""


class Recording:
    """A session that was recorded: iterate over its hand-overs, in the order of their times.

    `damage` says what is wrong with the file it was read from; what is here is from before that.
    """

    def __init__(
        self,
        header: Header,
        hand_overs: Iterable[HandOver],
        *,
        end: int | None = None,
        damage: str | None = None,
    ) -> None:
        self.header = header
        self.hand_overs: list[HandOver] = list(hand_overs)
        self.end = end
        self.damage = damage

    @classmethod
    def load(cls, path: str | Path, *, partial: bool = False) -> Recording:
        """Reads a file. One that was cut off by a crash is read as far as it goes.

        Raises `InvalidInputError` for a record that is malformed, naming it; with `partial` what is
        before that is read.
        """
        found = read(Path(path), GLUED, partial=partial)
        end = found.end.time if found.end is not None else None
        return cls(found.header, found.hand_overs, end=end, damage=found.damage)

    def save(self, path: str | Path) -> None:
        """Writes it to a file."""
        writer = RecordWriter(Path(path))
        try:
            writer.header(self.header)
            for given in self.hand_overs:
                writer.hand_over(given)
            writer.end(self.last if self.end is None else self.end)
        finally:
            writer.close()

    def __iter__(self) -> Iterator[HandOver]:
        return iter(self.hand_overs)

    def __len__(self) -> int:
        return len(self.hand_overs)

    @property
    def last(self) -> int:
        """The time of the last hand-over, in ns."""
        return self.hand_overs[-1].time if self.hand_overs else 0

    @property
    def processors(self) -> list[str]:
        """The names of the pipeline's processors, in downstream order."""
        return [
            given.destination
            for given in self.hand_overs
            if given.frame.type == "StartFrame" and given.source == TASK
        ]

    @property
    def graceful(self) -> bool:
        """Whether it holds the request to end gracefully; else it was cancelled, or cut."""
        return any(given.source == TASK and given.frame.type in _ENDS for given in self.hand_overs)

    def entrances(self) -> set[str]:
        """Who brings in what is outside: the program (`task`), and the input transports.

        An input transport is a processor that hands over audio, pictures, messages or keys of the
        caller without having been handed any by another processor.
        """
        found, inside = set(), set()
        seen: set[FrameRecord] = set()
        for given in self.hand_overs:
            if given.frame.type not in ENTERING:
                continue
            if given.frame not in seen and given.source not in inside and given.source != TASK:
                found.add(given.source)
            seen.add(given.frame)
            if given.source != TASK and given.direction is FrameDirection.DOWNSTREAM:
                inside.add(given.destination)
        return {TASK} | (found - inside)

    def inputs(self, sources: Iterable[str] | None = None) -> list[HandOver]:
        """What came from outside: each frame that one of `sources` handed over.

        By default those of `entrances()`. What only passed one of them, at once, is not here.
        Life-cycle frames are the kernel's own, but for a graceful end that was asked for; an
        interruption, told to many, is here once.
        """
        wanted = self.entrances() if sources is None else {TASK, *sources}
        found: list[HandOver] = []
        interruptions: set[FrameRecord] = set()
        passed = passed_at_once(self.hand_overs)
        for given in without_waits(self.hand_overs, self.processors, lost=True):
            kind = given.frame.type
            if given.source not in wanted or kind == "HeartbeatFrame":
                continue
            if (given.frame, given.source, given.direction) in passed:
                continue
            if kind in _LIFECYCLE and not (given.source == TASK and kind in _ENDS):
                continue
            if kind == InterruptionFrame.__name__:
                if given.frame in interruptions:
                    continue
                interruptions.add(given.frame)
            found.append(given)
        return found

    def cut(self, start: float, end: float | None = None) -> Recording:
        """The stretch from `start` to `end` (seconds), as a recording that begins at 0.

        It starts as the whole does, up to the first input, and is no further than its inputs: what
        the agent knew and heard before is not in it, nor what was under way, so begin where nobody
        speaks. Raises `InvalidInputError` for a stretch that is none.
        """
        first = round(start * 1e9)
        final = self.last + 1 if end is None else round(end * 1e9)
        if not 0 <= first < final:
            raise InvalidInputError(f"from {start} s to {end} s there is nothing to cut out")
        records: dict[FrameRecord, FrameRecord] = {}

        def moved(given: HandOver) -> HandOver:
            frame = records.get(given.frame)
            if frame is None:
                fields = dict(given.frame.fields)
                if isinstance(fields.get("pts"), int):
                    fields["pts"] -= first
                frame = records[given.frame] = FrameRecord(fields, glued=given.frame.glued)
            return msgspec.structs.replace(given, time=given.time - first, frame=frame)

        starts = self._beginning() if first > 0 else []
        under_way = {given.frame for given in self.hand_overs if given.time < first}
        kept = [
            given
            for given in self.hand_overs
            if first <= given.time < final
            and given.frame.type != "CancelFrame"
            and given.frame not in under_way
        ]
        early = set(map(id, starts))
        stretch = starts + [moved(given) for given in kept if id(given) not in early]
        stretch.sort(key=lambda given: given.time)
        begun = datetime.fromisoformat(self.header.started).timestamp() + start
        started = datetime.fromtimestamp(begun, UTC).isoformat(timespec="milliseconds")
        header = msgspec.structs.replace(self.header, started=started)
        length = None if self.end is None else max(0, min(self.end, final) - first)
        return Recording(header, stretch, end=length, damage=self.damage)

    def _beginning(self) -> list[HandOver]:
        """What the agent did by itself at the start."""
        inputs = self.inputs()
        until = inputs[0].time + _START_NS if inputs else self.last + 1
        entered = {given.frame for given in inputs}
        return [
            given
            for given in self.hand_overs
            if given.frame.type == "StartFrame"
            or (given.time < until and given.frame not in entered)
        ]

    def redact(self, rules: Iterable[AnyRule]) -> Recording:
        """The recording without what the rules find. Sound is left as it is."""
        redactor = Redactor(rules)
        queue = RedactingQueue(redactor)
        records: dict[FrameRecord, FrameRecord] = {}
        found: list[HandOver] = []
        for given in self.hand_overs:
            record = records.get(given.frame)
            if record is None:
                record = FrameRecord(dict(given.frame.fields), glued=given.frame.glued)
                records[given.frame] = record
            found += queue.put(msgspec.structs.replace(given, frame=record))
        found += queue.finish()
        header = msgspec.structs.replace(
            self.header, redacted=True, settings=redactor.value(self.header.settings)
        )
        return Recording(header, found, end=self.end, damage=self.damage)
