"""Recording a session: what is in the file, and what is left when something goes wrong."""

from __future__ import annotations

import asyncio
import hashlib
import os
import platform
import signal
import struct
import subprocess
import sys
import textwrap
import zlib
from pathlib import Path
from typing import Any

import msgspec
import pytest

import antiphon
from antiphon.errors import InvalidInputError
from antiphon.frames.base import Frame, SystemFrame
from antiphon.frames.lifecycle import EndFrame
from antiphon.frames.text import TextFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.loop.virtual_time import run
from antiphon.simulation.record.observer_log import ObserverLog
from antiphon.simulation.record.record_file import MAGIC
from antiphon.simulation.record.recording import AudioRecord, HandOver, Recording, SessionRecorder
from tests.simulation.recorded import Kitchen, Waiter, serve


def frames(recording: Recording, kind: str) -> list[dict[str, Any]]:
    """The frames of a type, each once."""
    seen = dict.fromkeys(given.frame for given in recording if given.frame.type == kind)
    return [frame.fields for frame in seen]


def rows(recording: Recording) -> list[tuple[object, ...]]:
    """What a recording says, without the identity of its records."""
    return [(g.time, g.source, g.destination, g.direction, g.frame.fields) for g in recording]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where to record."""
    return tmp_path / "session.antiphon"


@pytest.fixture
def recorded(path: Path) -> Recording:
    """A short session."""
    serve([SessionRecorder(path, settings={"model": "rules", "temperature": 0.5})])
    return Recording.load(path)


def test_a_recording_says_what_an_observer_sees(path: Path) -> None:
    """Every hand-over is there, in order, with its time, processors and direction."""
    log = ObserverLog()
    serve([log, SessionRecorder(path)])
    recording = Recording.load(path)
    arrows = {FrameDirection.DOWNSTREAM: "->", FrameDirection.UPSTREAM: "<-"}
    assert len(recording) == len(log.lines) > 30
    for given, line in zip(recording, log.lines, strict=True):
        where = f"{given.time / 1e9:.9f} {given.source} {arrows[given.direction]} "
        assert line.startswith(f"{where}{given.destination} #")
        assert f" {given.frame.type}(" in line


def test_the_header_tells_how_the_session_was_held(path: Path) -> None:
    """Versions, seed, settings, parameters and processors can be read from the file."""
    serve([SessionRecorder(path, settings={"model": "rules", "path": Path("x")})], seed=7)
    recording = Recording.load(path)
    header = recording.header
    assert (header.antiphon, header.python) == (antiphon.__version__, platform.python_version())
    assert (header.virtual, header.seed, header.audio) == (True, 7, AudioRecord.INCLUDE)
    assert header.started.startswith("2026-01-01T09:00:00")
    assert header.settings == {"model": "rules", "path": repr(Path("x"))}
    assert recording.processors == ["Line#0", "Waiter#0", "Kitchen#0"]
    assert recording.graceful
    assert recording.damage is None
    assert recording.end == recording.last


def test_what_is_saved_can_be_loaded(recorded: Recording, tmp_path: Path) -> None:
    """A recording that was loaded and saved again is the same, to the byte."""
    recorded.save(tmp_path / "again.antiphon")
    again = Recording.load(tmp_path / "again.antiphon")
    assert rows(again) == rows(recorded)
    assert again.header == recorded.header
    first = (tmp_path / "session.antiphon").read_bytes()
    assert (tmp_path / "again.antiphon").read_bytes() == first


def test_sound_is_in_the_file_once(recorded: Recording, path: Path) -> None:
    """A frame that is handed over several times is written once, and is one record again."""
    sound = [given for given in recorded if given.frame.type == "InputAudioRawFrame"]
    assert (len(sound), len({given.frame for given in sound})) == (15, 10)
    assert path.read_bytes().count(bytes([1, 3]) * 320) == 1


def test_inputs_are_what_came_from_outside(recorded: Recording) -> None:
    """The input transport is found by what it brings in; the program's frames are inputs, too."""
    assert recorded.entrances() == {"task", "Line#0"}
    inputs = recorded.inputs()
    kinds = [given.frame.type for given in inputs]
    order = [*["InputAudioRawFrame"] * 5, "InputTransportMessageFrame"]
    assert kinds == [*order, *order, "EndFrame"]
    assert [round(given.time / 1e6) for given in inputs[:8]] == [20, 40, 60, 80, 100, 100, 120, 140]
    assert inputs[-1].source == "task"
    assert {given.source for given in recorded.inputs(["Waiter#0"])} == {"task", "Waiter#0"}


def test_one_who_filters_sound_is_no_input(path: Path) -> None:
    """A processor that makes new input audio of what it was handed is a part of the agent."""
    from antiphon.frames.audio import InputAudioRawFrame
    from antiphon.kernel.processor import FrameProcessor, handles

    class Gain(FrameProcessor):
        @handles(InputAudioRawFrame)
        async def louder(self, frame: InputAudioRawFrame, direction: FrameDirection) -> None:
            await self.push_frame(InputAudioRawFrame(frame.audio * 2, frame.sample_rate))

    from tests.simulation.recorded import Line

    async def main() -> None:
        pipeline = Pipeline([Line(["soup"]), Gain(), Waiter()])
        await PipelineTask(pipeline, observers=[SessionRecorder(path)]).run()

    run(main())
    assert Recording.load(path).entrances() == {"task", "Line#0"}


@pytest.mark.parametrize("seed", [None, 3])
def test_recording_changes_nothing(path: Path, seed: int | None) -> None:
    """With a recorder the session's log is the same as with another observer in its place."""
    with_recorder, without = ObserverLog(), ObserverLog()
    serve([with_recorder, SessionRecorder(path)], seed=seed)
    serve([without, ObserverLog()], seed=seed)
    assert with_recorder.text == without.text
    if seed is None:
        alone = ObserverLog()
        serve([alone])
        assert with_recorder.text == alone.text


def test_hashed_sound_is_not_in_the_file(path: Path) -> None:
    """With `Audio.HASH` there is the length and the SHA-256 of the sound instead."""
    serve([SessionRecorder(path, audio=AudioRecord.HASH)])
    data = bytes([1, 3]) * 320
    recording = Recording.load(path)
    sound = frames(recording, "InputAudioRawFrame")
    assert {"bytes": 640, "sha256": hashlib.sha256(data).hexdigest()} in [f["audio"] for f in sound]
    assert data[:8] not in path.read_bytes()


def test_dropped_sound_leaves_its_length(path: Path) -> None:
    """With `Audio.DROP` nothing can be told of the sound but how long it was."""
    serve([SessionRecorder(path, audio=AudioRecord.DROP)])
    recording = Recording.load(path)
    sound = frames(recording, "InputAudioRawFrame")
    assert [fields["audio"] for fields in sound] == [{"bytes": 640}] * 10


def test_a_file_that_was_cut_off_is_a_readable_prefix(recorded: Recording, path: Path) -> None:
    """Wherever it is cut, everything before the record that is not whole is read."""
    data = path.read_bytes()
    whole = rows(recorded)
    lengths = set()
    for size in range(len(MAGIC) + 200, len(data), 97):
        path.write_bytes(data[:size])
        part = Recording.load(path)
        assert rows(part) == whole[: len(part)]
        assert part.damage is not None
        assert f"record {len(part) + 1} " in part.damage or "ends after" in part.damage
        lengths.add(len(part))
    assert len(lengths) > 20


def test_a_malformed_record_is_named(recorded: Recording, path: Path) -> None:
    """Damage in the middle is one error with the number and place; the prefix can be had."""
    data = bytearray(path.read_bytes())
    place = len(MAGIC)
    for _ in range(10):
        place += 8 + int.from_bytes(data[place : place + 4], "big")
    data[place + 20] ^= 1
    path.write_bytes(data)
    with pytest.raises(InvalidInputError, match=rf"record 10 at byte {place}: .*partial=True"):
        Recording.load(path)
    part = Recording.load(path, partial=True)
    assert rows(part) == rows(recorded)[:9]
    assert part.damage is not None


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"RIFF....WAVE", "is no recording"),
        (b"", "is no recording"),
        (MAGIC, "record 0 .the header.* the file ends"),
        (MAGIC + b"\0\0\0\x01\0\0\0\0\x80", "record 0 .the header.*checksum"),
        (MAGIC + b"\xff" * 8, "record 0 .the header.*cannot be"),
    ],
)
def test_what_is_no_recording_is_refused(path: Path, data: bytes, said: str) -> None:
    """A file without the beginning of one is an error that names the file."""
    path.write_bytes(data)
    with pytest.raises(InvalidInputError, match=said) as caught:
        Recording.load(path)
    assert str(path) in str(caught.value)


def test_a_record_that_refers_to_nothing_is_named(path: Path) -> None:
    """A hand-over of a frame that is not in the file is refused."""
    serve([SessionRecorder(path)])
    whole = path.read_bytes()
    end = whole.rindex(msgspec.msgpack.encode("end")) - 9  # length, checksum, and the array's
    stray = msgspec.msgpack.encode(["hand-over", 0, "a", "b", 1, False, 10**6])
    path.write_bytes(whole[:end] + struct.pack(">II", len(stray), zlib.crc32(stray)) + stray)
    with pytest.raises(InvalidInputError, match="there is no frame 1000000 before it"):
        Recording.load(path)


def test_a_cancelled_session_is_complete(path: Path) -> None:
    """A session that is cancelled from outside closes its file with everything before."""

    async def main() -> None:
        pipeline = Pipeline([Waiter(), Kitchen()])
        task = PipelineTask(pipeline, observers=[SessionRecorder(path)])
        job = asyncio.get_running_loop().create_task(task.run())
        await asyncio.sleep(1.0)
        await task.queue_frame(TextFrame("still here"))
        await asyncio.sleep(0)
        job.cancel()
        await asyncio.wait({job})

    run(main())
    recording = Recording.load(path)
    assert recording.damage is None
    assert recording.hand_overs[-1].frame.fields["text"] == "still here"
    assert not recording.graceful


def test_a_crash_leaves_what_was_before_it(path: Path) -> None:
    """A process that is killed in mid-session leaves a file that is behind by a second at most."""
    program = f"""
        import asyncio, os, signal
        from antiphon import Pipeline, PipelineTask, TextFrame
        from antiphon.simulation.record.recording import SessionRecorder
        from antiphon.simulation.loop.virtual_time import run
        from tests.simulation.recorded import Kitchen, Waiter

        async def main():
            task = PipelineTask(
                Pipeline([Waiter(), Kitchen()]), observers=[SessionRecorder({str(path)!r})]
            )
            @task.event_handler("on_pipeline_started")
            async def started(task, frame):
                for number in range(100):
                    await asyncio.sleep(0.1)
                    await task.queue_frame(TextFrame(str(number)))
                os.kill(os.getpid(), signal.SIGKILL)
            await task.run()

        run(main())
    """
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        check=False,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert done.returncode == -signal.SIGKILL
    recording = Recording.load(path)
    assert recording.damage is not None
    assert recording.last >= 8.9e9


def test_a_full_disk_ends_the_recording_and_nothing_else(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """When writing fails the session goes on, and it is reported once."""
    log, recorder = ObserverLog(), SessionRecorder(path)
    writer = recorder._writer
    assert writer is not None

    def full() -> None:
        raise OSError(28, "No space left on device")

    writer.flush = full  # type: ignore[method-assign]
    serve([log, recorder])
    undisturbed = ObserverLog()
    serve([undisturbed])
    assert log.text == undisturbed.text
    assert [record.getMessage() for record in caplog.records] == [
        f"{path} is not written any further"
    ]


def test_a_folder_that_is_not_there_is_an_error_at_once(tmp_path: Path) -> None:
    """The program hears of it where it makes the recorder."""
    with pytest.raises(FileNotFoundError):
        SessionRecorder(tmp_path / "nowhere" / "x.antiphon")


class Odd(SystemFrame):
    """A frame of the program's own, with what MessagePack cannot hold."""

    number: int
    text: str
    thing: object = None


def test_values_without_a_form_stay_in_their_place(path: Path) -> None:
    """Huge numbers, halves of characters and objects are noted by their type; the rest is kept."""

    async def main() -> None:
        task = PipelineTask(Pipeline([Kitchen()]), observers=[SessionRecorder(path)])
        odd: list[Frame] = [Odd(2**70, "fine", Kitchen()), Odd(1, "\ud800"), EndFrame()]
        await task.queue_frames(odd)
        await task.run()

    run(main())
    recording = Recording.load(path)
    first, second = frames(recording, "Odd")
    assert (first["number"], first["text"]) == ({"$opaque": "int"}, "fine")
    assert "Kitchen" in first["thing"]["$opaque"]
    assert (second["number"], second["text"]) == (1, {"$opaque": "str"})
    assert recording.graceful


def test_a_stretch_is_cut_out(recorded: Recording) -> None:
    """A cut begins at 0 with the start of the pipeline, and ends where it was told."""
    stretch = recorded.cut(0.1, 0.45)
    inside: list[HandOver] = [g for g in recorded if 0.1e9 <= g.time < 0.45e9]
    starts = [g for g in stretch if g.frame.type == "StartFrame"]
    rest = [g for g in stretch if g.frame.type != "StartFrame"]
    assert len(starts) == 3
    assert [g.time + 100_000_000 for g in rest] == [g.time for g in inside]
    assert [g.frame.type for g in rest] == [g.frame.type for g in inside]
    assert stretch.processors == recorded.processors
    assert stretch.header.started == "2026-01-01T09:00:00.100+00:00"
    assert (recorded.graceful, stretch.graceful) == (True, False)
    with pytest.raises(InvalidInputError, match="nothing to cut"):
        recorded.cut(0.5, 0.5)


def test_a_cut_moves_the_times_in_frames(path: Path) -> None:
    """The presentation times of frames move with the cut."""

    async def main() -> None:
        task = PipelineTask(Pipeline([Kitchen()]), observers=[SessionRecorder(path)])
        await task.queue_frames([TextFrame("x", pts=2_000_000_000), EndFrame()])
        await task.run()

    run(main())
    recording = Recording.load(path)
    shifted = [msgspec.structs.replace(given, time=given.time + 10**9) for given in recording]
    (text,) = frames(Recording(recording.header, shifted).cut(1.0), "TextFrame")
    assert text["pts"] == 1_000_000_000
    assert frames(recording, "TextFrame")[0]["pts"] == 2_000_000_000
