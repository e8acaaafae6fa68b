"""Tests of `antiphon.transports.recorder`: a conversation recorded inside its pipeline."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from antiphon.audio.pcm import deinterleave, to_samples
from antiphon.errors import InvalidInputError
from antiphon.frames.audio import InputAudioRawFrame, OutputAudioRawFrame
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import CancelFrame, InterruptionFrame
from antiphon.frames.speech import TTSStartedFrame, TTSStoppedFrame
from antiphon.frames.turns import UserStartedSpeakingFrame, UserStoppedSpeakingFrame
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.loop.virtual_time import run
from antiphon.simulation.testing import SleepFrame, run_test
from antiphon.transports.output import OutputTransport
from antiphon.transports.params import TransportParams
from antiphon.transports.recorder import AudioBufferProcessor
from tests.transports.lines import BareEar, names, speech

RATE = 24_000


def line(value: int, secs: float) -> list[Frame]:
    """The caller's line: a piece of 20 ms every 20 ms."""
    piece = InputAudioRawFrame(np.full(320, value, "<i2").tobytes(), 16_000)
    frames: list[Frame] = []
    for _ in range(round(secs / 0.02)):
        frames += [SleepFrame(0.02), piece]
    return frames


class Tape:
    """Everything the events handed out."""

    def __init__(self, recorder: AudioBufferProcessor) -> None:
        self.log: list[tuple[str, tuple[Any, ...]]] = []
        for name in (
            "on_audio_data",
            "on_track_audio_data",
            "on_user_turn_audio",
            "on_bot_turn_audio",
            "on_recording_started",
            "on_recording_stopped",
        ):
            recorder.event_handler(name)(self._keeper(name))

    def _keeper(self, name: str) -> Any:
        async def keep(source: AudioBufferProcessor, *values: Any) -> None:
            await asyncio.sleep(0.01)
            self.log.append((name, values))

        return keep

    def got(self, name: str) -> list[tuple[Any, ...]]:
        return [values for kind, values in self.log if kind == name]


def record(frames: list[Frame], **options: Any) -> tuple[Tape, list[Frame]]:
    recorder = AudioBufferProcessor(**options)
    tape = Tape(recorder)

    async def main() -> list[Frame]:
        params = TransportParams(audio_out_end_silence_secs=0.0)
        output = OutputTransport(BareEar(), params)
        down, _ = await run_test(Pipeline([output, recorder]), frames_to_send=frames)
        return down

    return tape, run(main())


def answer(secs: float) -> list[Frame]:
    return [TTSStartedFrame(context_id="u"), speech(7, secs), TTSStoppedFrame(context_id="u")]


def spans(track: bytes) -> list[float]:
    loud = (to_samples(track) != 0).astype(int)
    return [round(float(i) / RATE, 2) for i in np.flatnonzero(np.diff(loud, prepend=0, append=0))]


def test_both_sides_are_on_one_timeline_and_the_tail_is_not_cut() -> None:
    """The caller from 0 to 1 s, the agent from 1 to 1.5 s, silence where nobody speaks."""
    frames = [*line(5, 1.0), *answer(0.5), SleepFrame(1.0)]
    tape, down = record(frames, num_channels=2, auto_start_recording=True)
    ((stereo, rate, channels),) = tape.got("on_audio_data")
    assert (rate, channels) == (RATE, 2)
    caller, agent = deinterleave(stereo, 2)
    assert spans(caller) == pytest.approx([0.0, 1.0], abs=0.02)
    assert spans(agent) == pytest.approx([1.0, 1.5], abs=0.02)
    assert len(caller) / 2 / RATE == pytest.approx(2.0, abs=0.03)
    ((user, bot, _, mono),) = tape.got("on_track_audio_data")
    assert (user, bot, mono) == (caller, agent, 1)
    order = [name for name, _ in tape.log]
    assert (order[0], order[-1]) == ("on_recording_started", "on_recording_stopped")
    assert len(names(down, InputAudioRawFrame, OutputAudioRawFrame)) == 75


def test_what_an_interruption_cut_off_is_not_on_the_recording() -> None:
    """Recorded is what was played."""
    frames = [*answer(5.0), SleepFrame(1.0), InterruptionFrame(), SleepFrame(1.0)]
    tape, _ = record(frames, num_channels=2, auto_start_recording=True)
    agent = deinterleave(tape.got("on_audio_data")[0][0], 2)[1]
    assert spans(agent) == pytest.approx([0.0, 1.0], abs=0.021)


def test_mono_is_the_mix() -> None:
    """One channel with both."""
    tape, _ = record([*answer(0.5), *line(5, 0.5)], auto_start_recording=True)
    ((mono, _, channels),) = tape.got("on_audio_data")
    assert channels == 1
    values, counts = np.unique(to_samples(mono)[600:-600], return_counts=True)
    assert int(values[counts.argmax()]) == 12


def test_a_buffer_size_hands_out_pieces_that_make_the_whole() -> None:
    """Long conversations need little memory; the pieces join without a gap."""
    frames = [*line(5, 3.0), *answer(0.5), *line(6, 2.0)]
    whole, _ = record(list(frames), num_channels=2, auto_start_recording=True)
    parts, _ = record(list(frames), num_channels=2, auto_start_recording=True, buffer_size=RATE * 2)
    assert len(parts.got("on_audio_data")) >= 4
    joined = b"".join(values[0] for values in parts.got("on_audio_data"))
    ((once, _, _),) = whole.got("on_audio_data")
    for a, b in zip(deinterleave(joined, 2), deinterleave(once, 2), strict=True):
        assert spans(a) == pytest.approx(spans(b), abs=0.11)
        assert abs(len(a) - len(b)) < RATE * 0.1


def test_turns_are_handed_out_by_themselves() -> None:
    """The caller's with what came before it was noticed, the agent's exactly."""
    frames = [*line(5, 2.0), UserStartedSpeakingFrame(), *line(6, 1.0), UserStoppedSpeakingFrame()]
    tape, _ = record([*frames, *answer(0.4), SleepFrame(1.0)], enable_turn_audio=True)
    ((user, rate, channels),) = tape.got("on_user_turn_audio")
    ((bot, _, _),) = tape.got("on_bot_turn_audio")
    assert (rate, channels) == (RATE, 1)
    assert len(user) / 2 / RATE == pytest.approx(2.0, abs=0.02)
    assert bot == np.full(round(0.4 * RATE), 7, "<i2").tobytes()
    assert tape.got("on_audio_data") == []


def test_recording_can_be_started_and_stopped_in_mid_call() -> None:
    """Each recording begins at zero; starting twice changes nothing."""
    recorder = AudioBufferProcessor(sample_rate=16_000, num_channels=2)
    tape = Tape(recorder)

    async def main() -> None:
        task = PipelineTask(Pipeline([recorder]))
        running = asyncio.get_running_loop().create_task(task.run())
        await asyncio.sleep(1.0)
        for _ in range(2):
            await recorder.start_recording()
            await recorder.start_recording()
            await asyncio.sleep(0.5)
            await recorder.stop_recording()
            await recorder.stop_recording()
        await task.queue_frame(CancelFrame())
        await running

    run(main())
    assert [len(values[0]) for values in tape.got("on_audio_data")] == [32_000] * 2
    assert len(tape.got("on_recording_started")) == len(tape.got("on_recording_stopped")) == 2


def test_a_recording_has_one_or_two_channels() -> None:
    """Anything else is refused when it is made."""
    with pytest.raises(InvalidInputError, match="not 3"):
        AudioBufferProcessor(num_channels=3)
