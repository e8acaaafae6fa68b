"""An hour of conversation on one recording, in virtual time."""

from __future__ import annotations

import random

import numpy as np
import pytest

from antiphon.audio.pcm import deinterleave, to_samples
from antiphon.frames.audio import InputAudioRawFrame
from antiphon.frames.base import Frame
from antiphon.frames.speech import TTSStartedFrame, TTSStoppedFrame
from antiphon.kernel.pipeline import Pipeline
from antiphon.simulation.loop.virtual_time import run
from antiphon.simulation.testing import SleepFrame, run_test
from antiphon.transports.output import OutputTransport
from antiphon.transports.params import TransportParams
from antiphon.transports.recorder import AudioBufferProcessor
from tests.transports.lines import BareEar, speech

RATE = 8_000
PIECE_SECS = 0.1
MINUTES = 60
CALLER_TALKS, AGENT_TALKS = (5.0, 25.0), (30.0, 50.0)
"""Seconds within each minute."""


def conversation(drift: float) -> list[Frame]:
    """The caller's line from a device whose clock is off by `drift`, up to 60 ms late; the agent
    answers in every minute.
    """
    rng, frames, now = random.Random(5), list[Frame](), 0.0
    talk, quiet = (
        InputAudioRawFrame(np.full(round(16_000 * PIECE_SECS), value, "<i2").tobytes(), 16_000)
        for value in (500, 0)
    )
    answered = 0
    for index in range(round(MINUTES * 60 / PIECE_SECS)):
        arrives = (index + 1) * PIECE_SECS * (1.0 + drift) + rng.random() * 0.06
        if arrives > now:
            frames.append(SleepFrame(arrives - now))
            now = arrives
        within = index * PIECE_SECS % 60
        frames.append(talk if CALLER_TALKS[0] <= within < CALLER_TALKS[1] else quiet)
        if now >= answered * 60 + AGENT_TALKS[0] and answered < MINUTES:
            secs = AGENT_TALKS[1] - AGENT_TALKS[0]
            name = str(answered)
            frames += [TTSStartedFrame(context_id=name), speech(700, secs, name)]
            frames.append(TTSStoppedFrame(context_id=name))
            answered += 1
    return frames


class Edges:
    """Where each side begins and ends to speak, in seconds of the recording, piece by piece."""

    def __init__(self) -> None:
        self.begins: tuple[list[float], list[float]] = ([], [])
        self.ends: tuple[list[float], list[float]] = ([], [])
        self.loud = [0, 0]
        self.samples = 0
        self._last = [0, 0]

    def take(self, stereo: bytes) -> None:
        for side, track in enumerate(deinterleave(stereo, 2)):
            loud = (np.abs(to_samples(track).astype(int)) > 100).astype(int)
            steps = np.diff(loud, prepend=self._last[side])
            self.begins[side].extend((np.flatnonzero(steps > 0) + self.samples) / RATE)
            self.ends[side].extend((np.flatnonzero(steps < 0) + self.samples) / RATE)
            self.loud[side] += int(loud.sum())
            self._last[side] = int(loud[-1])
        self.samples += len(stereo) // 4


@pytest.mark.parametrize("drift", [1e-4, -1e-4, 0.0])
def test_an_hour_does_not_drift_and_its_tail_is_whole(drift: float) -> None:
    """Both sides stand where they were heard, in the last minute as in the first, whatever the
    caller's clock does; every second that was spoken is there, and the pieces are an hour long.
    """
    recorder = AudioBufferProcessor(
        sample_rate=RATE, num_channels=2, buffer_size=2_000_000, auto_start_recording=True
    )
    edges = Edges()

    @recorder.event_handler("on_audio_data")
    async def keep(source: AudioBufferProcessor, audio: bytes, rate: int, channels: int) -> None:
        edges.take(audio)

    async def main() -> None:
        params = TransportParams(audio_out_end_silence_secs=0.0, audio_out_10ms_chunks=10)
        output = OutputTransport(BareEar(), params)
        frames = [*conversation(drift), SleepFrame(1.0)]
        await run_test(Pipeline([output, recorder]), frames_to_send=frames)

    run(main(), timeout_secs=4_000.0)
    total = MINUTES * 60 * (1.0 + drift) + 1.0
    assert edges.samples / RATE == pytest.approx(total, abs=0.15)
    for side, (begin, end) in enumerate((CALLER_TALKS, AGENT_TALKS)):
        scale = 1.0 + drift if side == 0 else 1.0
        for found, expected in ((edges.begins[side], begin), (edges.ends[side], end)):
            assert len(found) == MINUTES
            for minute, at in enumerate(found):
                assert at == pytest.approx((minute * 60 + expected) * scale, abs=0.25)
        spoken = MINUTES * (end - begin) * RATE
        assert edges.loud[side] == pytest.approx(spoken, rel=0.002)


def test_the_last_sample_of_a_resampled_line_is_recorded() -> None:
    """What the resampler holds back comes with the tail: no millisecond is missing."""
    recorder = AudioBufferProcessor(sample_rate=24_000, auto_start_recording=True)
    got: list[bytes] = []

    @recorder.event_handler("on_track_audio_data")
    async def keep(
        source: AudioBufferProcessor, user: bytes, bot: bytes, rate: int, channels: int
    ) -> None:
        got.append(user)

    async def main() -> None:
        piece = InputAudioRawFrame(np.full(320, 5_000, "<i2").tobytes(), 16_000)
        frames = [frame for _ in range(50) for frame in (SleepFrame(0.02), piece)]
        await run_test(recorder, frames_to_send=frames)

    run(main())
    track = to_samples(b"".join(got))
    assert np.count_nonzero(np.abs(track.astype(int)) > 2_000) == pytest.approx(24_000, abs=2)


def test_the_last_sample_of_a_resampled_turn_is_handed_out() -> None:
    """The agent's turn at another rate than the output's is as long as it was spoken."""
    recorder = AudioBufferProcessor(
        sample_rate=16_000, enable_turn_audio=True, auto_start_recording=True
    )
    turns: list[bytes] = []

    @recorder.event_handler("on_bot_turn_audio")
    async def keep(source: AudioBufferProcessor, audio: bytes, rate: int, channels: int) -> None:
        turns.append(audio)

    async def main() -> None:
        output = OutputTransport(BareEar(), TransportParams(audio_out_end_silence_secs=0.0))
        frames: list[Frame] = []
        for name in ("a", "b"):
            frames += [TTSStartedFrame(context_id=name), speech(5_000, 0.5, name)]
            frames += [TTSStoppedFrame(context_id=name), SleepFrame(1.0)]
        await run_test(Pipeline([output, recorder]), frames_to_send=frames)

    run(main())
    assert [len(turn) for turn in turns] == [16_000, 16_000]
