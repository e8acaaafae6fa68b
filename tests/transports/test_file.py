"""Tests of `antiphon.transports.file`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from antiphon.audio.pcm import deinterleave, rms, to_samples
from antiphon.audio.wav import WavFile, read_wav
from antiphon.errors import InvalidInputError
from antiphon.frames.audio import InputAudioRawFrame, TTSAudioRawFrame
from antiphon.frames.speech import TTSStartedFrame, TTSStoppedFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.loop.virtual_time import run
from antiphon.transports.caller_script import Say, Step, Wait, WaitForAgent, WaitForSpeech
from antiphon.transports.file import FileTransport

WORDS = WavFile(np.full(8_000, 2_000, "<i2").tobytes(), 16_000)


class Parrot(FrameProcessor):
    """Says two seconds of 3000 when the caller was silent for 200 ms; stops when interrupted."""

    def __init__(self) -> None:
        super().__init__()
        self.chunks = 0
        self.quiet = 0
        self.heard = False

    @handles(InputAudioRawFrame)
    async def listen(self, frame: InputAudioRawFrame, direction: FrameDirection) -> None:
        self.chunks += 1
        if rms(frame.audio) > 0.01:
            if not self.heard:
                await self.broadcast_interruption()
            self.heard, self.quiet = True, 0
        elif self.heard:
            self.quiet += 1
            if self.quiet == 10:
                self.heard = False
                answer = np.full(48_000, 3_000, "<i2").tobytes()
                await self.push_frame(TTSStartedFrame(context_id="a"))
                await self.push_frame(TTSAudioRawFrame(answer, 24_000, 1, "a"))
                await self.push_frame(TTSStoppedFrame(context_id="a"))


def call(transport: FileTransport) -> tuple[float, Parrot]:
    parrot = Parrot()

    async def main() -> float:
        task = PipelineTask(Pipeline([transport.input(), parrot, transport.output()]))
        await task.run()
        return asyncio.get_running_loop().time()

    return run(main()), parrot


def edges(track: bytes, rate: int) -> list[float]:
    """Seconds at which sound begins and ends."""
    loud = np.abs(to_samples(track).astype(int)) > 500
    return [round(float(i + 1) / rate, 2) for i in np.flatnonzero(np.diff(loud.astype(int)))]


SCRIPT: list[Step] = [
    Wait(0.5),
    Say(WORDS, "question"),
    WaitForAgent(),
    Say(WORDS, "again"),
    WaitForSpeech(after_secs=0.5),
    Say(WORDS, "cuts in"),
    WaitForAgent(),
]


def test_a_call_is_recorded_as_a_third_person_hears_it(tmp_path: Path) -> None:
    """Both sides on one timeline: answers after 200 ms of silence, one cut off within 40 ms."""
    both, alone = tmp_path / "both.wav", tmp_path / "agent.wav"
    transport = FileTransport(SCRIPT, stereo_wav=both, agent_wav=alone)
    secs, _ = call(transport)
    recording = read_wav(both)
    caller, agent = deinterleave(recording.pcm, 2)
    assert recording.num_channels == 2
    assert recording.secs == pytest.approx(secs, abs=0.05)
    assert edges(caller, 24_000) == [0.5, 1.0, 3.8, 4.3, 5.0, 5.5]
    assert edges(agent, 24_000) == pytest.approx([1.2, 3.2, 4.5, 5.04, 5.7, 7.7], abs=0.011)
    assert read_wav(alone).pcm == agent
    assert transport.caller.overdue == []
    assert [step.ended for step in transport.caller.history][:2] == [0.5, 1.0]


def test_the_line_is_a_steady_stream_until_the_caller_hangs_up() -> None:
    """20 ms of sound every 20 ms, silence included; then the conversation ends by itself, whatever
    was still to be said.
    """
    gone: list[object] = []
    transport = FileTransport([Say(WORDS), Wait(1.0)], hang_up_after_secs=0.3)
    transport.event_handler("on_client_disconnected")(lambda source, client: gone.append(client))
    secs, parrot = call(transport)
    assert parrot.chunks == pytest.approx(1.8 / 0.02, abs=1)
    assert secs == pytest.approx(1.8, abs=0.1)
    assert gone == [transport]
    assert transport.disconnect_reason == "the caller hung up"


def test_as_fast_as_possible_nothing_is_lost(tmp_path: Path) -> None:
    """Without pacing the same words are said and answered; only waits take time."""
    both = tmp_path / "both.wav"
    transport = FileTransport(SCRIPT[:4], stereo_wav=both, realtime=False)
    secs, _ = call(transport)
    assert secs < 3.0
    caller, agent = deinterleave(read_wav(both).pcm, 2)
    assert np.count_nonzero(np.abs(to_samples(caller).astype(int)) > 500) == pytest.approx(
        24_000, rel=0.01
    )
    assert np.count_nonzero(to_samples(agent)) >= 48_000


def test_a_line_has_whole_chunks() -> None:
    """A rate at which the line would drift is refused."""
    with pytest.raises(InvalidInputError, match="11025 Hz"):
        FileTransport([], line_rate=11_025)


def test_the_caller_may_stay_on_the_line() -> None:
    """Without hanging up, the program ends the conversation."""
    transport = FileTransport([Wait(0.1)], hang_up_after_secs=None)

    async def main() -> None:
        task = PipelineTask(Pipeline([transport.input(), transport.output()]))
        running = asyncio.get_running_loop().create_task(task.run())
        await asyncio.sleep(60.0)
        assert not task.has_finished()
        await task.cancel()
        await running

    run(main())
