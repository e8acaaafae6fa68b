"""A caller out of files: plays a script into the pipeline and records what both sides say.

The line is continuous, as a telephone's is: 20 ms of sound every 20 ms, silence when nothing is
said. In real time (or in virtual time) a recording is what a third person would hear. As fast as
possible (`realtime=False`) the caller's words and the agent's are not paced; while the script waits
for the agent, time passes as it does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

import msgspec

from antiphon.audio.convert import StreamConverter
from antiphon.audio.recorder import TrackSide, TwoTracks, as_channels
from antiphon.audio.wav import WavWriter
from antiphon.errors import InvalidInputError
from antiphon.frames.lifecycle import InterruptionFrame, StartFrame
from antiphon.frames.turns import BotStartedSpeakingFrame, BotStoppedSpeakingFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.processor import handles
from antiphon.transports.base import BaseTransport
from antiphon.transports.caller_script import CallerScript, Step
from antiphon.transports.input import InputTransport
from antiphon.transports.output import OutputTransport
from antiphon.transports.params import TransportParams

CHUNK_SECS = 0.02
_FLUSH_SECS = 5.0


class LineRecorder:
    """Writes both sides to a stereo file (caller left, agent right) and the agent to its own."""

    def __init__(self, stereo: Path | None, agent: Path | None, sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self._line = TwoTracks(sample_rate)
        self._stereo = None if stereo is None else WavWriter(stereo, sample_rate, 2)
        self._agent = None if agent is None else WavWriter(agent, sample_rate)
        self._converters = {side: StreamConverter(sample_rate) for side in TrackSide}

    def add(
        self, side: TrackSide, pcm: bytes, rate: int, at: float | None, channels: int = 1
    ) -> None:
        """Sound of one side, heard `at` seconds after the beginning (None: without a gap)."""
        heard = self._converters[side].process(pcm, rate, channels)
        self._line.add(side, heard, at)
        if self._line.waiting_bytes > 2 * self.sample_rate * _FLUSH_SECS:
            self._write(*self._line.take())

    def close(self, at: float) -> None:
        """Completes the files; both sides are `at` seconds long at least."""
        for side, converter in self._converters.items():
            self._line.add(side, converter.flush())
        self._write(*self._line.finish(at))
        for writer in (self._stereo, self._agent):
            if writer is not None:
                writer.close()

    def _write(self, caller: bytes, agent: bytes) -> None:
        if self._stereo is not None:
            self._stereo.write(as_channels(caller, agent, 2))
        if self._agent is not None:
            self._agent.write(agent)


class FileTransport(BaseTransport):
    """Calls with a script; `caller` says afterwards what it said when, and which waits gave up.

    `line_rate` (Hz) is the rate of the caller's sound. `stereo_wav` gets both sides, `agent_wav`
    the agent's alone, both at `recording_rate` and on one timeline from the start of the
    conversation. `hang_up_after_secs` after the last step the conversation ends; None: it does not.
    """

    def __init__(
        self,
        steps: Iterable[Step],
        params: TransportParams | None = None,
        *,
        line_rate: int = 16_000,
        stereo_wav: str | Path | None = None,
        agent_wav: str | Path | None = None,
        recording_rate: int = 24_000,
        realtime: bool = True,
        hang_up_after_secs: float | None = 0.5,
    ) -> None:
        if line_rate % 50:
            raise InvalidInputError(
                f"20 ms are not a whole number of samples at a line_rate of {line_rate} Hz"
            )
        params = params or TransportParams()
        if not realtime:
            params = msgspec.structs.replace(params, audio_out_paced=False)
        super().__init__(params)
        self.caller: CallerScript = CallerScript(steps, line_rate)
        self.realtime = realtime
        self.hang_up_after_secs = hang_up_after_secs
        self._recorder = LineRecorder(
            None if stereo_wav is None else Path(stereo_wav),
            None if agent_wav is None else Path(agent_wav),
            recording_rate,
        )
        self._started: float | None = None
        self._closed = False
        self._output_format = (24_000, 1)
        self._input = FileInput(self)
        self._output = OutputTransport(self, params, line=self.line)

    def input(self) -> InputTransport:
        """The caller's sound."""
        return self._input

    def output(self) -> OutputTransport:
        """The agent's sound."""
        return self._output

    # ---- as the output's sink -----------------------------------------------------------------

    async def open(self, sample_rate: int, num_channels: int) -> None:
        """Remembers the format of what will be written."""
        self._output_format = (sample_rate, num_channels)
        self.begin()

    async def write(self, pcm: bytes) -> None:
        """Records a chunk of the agent's, heard from now on."""
        rate, channels = self._output_format
        at = self.elapsed if self.realtime else self.caller.secs
        self._record(TrackSide.AGENT, pcm, rate, at, channels)

    async def close(self) -> None:
        """Completes the recordings."""
        if not self._closed:
            self._closed = True
            self._recorder.close(self.elapsed if self.realtime else 0.0)

    # ---- as the caller ------------------------------------------------------------------------

    def begin(self) -> None:
        """Time zero of the recording. Without effect when it was called before."""
        if self._started is None:
            self._started = asyncio.get_running_loop().time()

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return 0.0 if self._started is None else asyncio.get_running_loop().time() - self._started

    def record_caller(self, pcm: bytes) -> None:
        """The next piece of the caller's sound; it has no gaps."""
        self._record(TrackSide.CALLER, pcm, self.caller.sample_rate, None)

    def _record(
        self, side: TrackSide, pcm: bytes, rate: int, at: float | None, channels: int = 1
    ) -> None:
        if not self._closed:
            self._recorder.add(side, pcm, rate, at, channels)


class FileInput(InputTransport):
    """Feeds the line's sound, and tells the script when the agent speaks."""

    def __init__(self, transport: FileTransport) -> None:
        super().__init__(transport.params)
        self._transport = transport

    async def start(self, frame: StartFrame, direction: FrameDirection) -> None:
        await super().start(frame, direction)
        self._transport.begin()
        self.create_task(self._feed(), name="line")

    @handles(BotStartedSpeakingFrame)
    async def agent_started(
        self, frame: BotStartedSpeakingFrame, direction: FrameDirection
    ) -> None:
        self._transport.caller.agent_started()
        await self.push_frame(frame, direction)

    @handles(InterruptionFrame)
    async def agent_cut_off(self, frame: InterruptionFrame, direction: FrameDirection) -> None:
        self._transport.caller.agent_cut_off()

    @handles(BotStoppedSpeakingFrame)
    async def agent_stopped(
        self, frame: BotStoppedSpeakingFrame, direction: FrameDirection
    ) -> None:
        self._transport.caller.agent_stopped()
        await self.push_frame(frame, direction)

    async def _feed(self) -> None:
        transport, script = self._transport, self._transport.caller
        samples = round(script.sample_rate * CHUNK_SECS)
        due, chunks_after_end = self.clock.now(), 0
        hang_up = transport.hang_up_after_secs
        transport.line.open(transport)
        while hang_up is None or chunks_after_end * CHUNK_SECS <= hang_up:
            if transport.realtime or not script.saying:
                # What was said in a chunk is known when the chunk is over.
                due += CHUNK_SECS
                await asyncio.sleep(max(0.0, due - self.clock.now()))
            else:
                due = self.clock.now()
                await asyncio.sleep(0)
            chunk = script.next_chunk(samples)
            transport.record_caller(chunk)
            self.push_audio(chunk, script.sample_rate)
            chunks_after_end += script.finished
        transport.line.hang_up("the caller hung up")
