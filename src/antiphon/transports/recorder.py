"""Records a conversation inside its pipeline: both sides on one timeline.

Put it behind the transport's output: there the agent's sound passes as it was played, and the
caller's as it was heard. Turns can be recorded by themselves.
"""

from __future__ import annotations

from typing import Final

from antiphon.audio.convert import StreamConverter
from antiphon.audio.recorder import TrackSide, TurnClip, TwoTracks, as_channels
from antiphon.errors import InvalidInputError
from antiphon.frames.audio import InputAudioRawFrame, OutputAudioRawFrame
from antiphon.frames.lifecycle import CancelFrame, EndFrame, StartFrame, StopFrame
from antiphon.frames.turns import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
)
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.event_source import Event
from antiphon.kernel.processor import FrameProcessor, handles

USER_PREROLL_SECS = 1.0
"""A turn is noticed after it began: its recording begins that much earlier."""


class AudioBufferProcessor(FrameProcessor):
    """Hands out recordings through events.

    `on_audio_data(audio, sample_rate, num_channels)`: both sides, mixed (1 channel) or the caller
    left and the agent right (2). `on_track_audio_data(user_audio, bot_audio, sample_rate,
    num_channels)`: the sides alone, mono. With `buffer_size` (bytes of one side) they fire
    whenever that much is there, and in any case when the recording stops, with the tail; with 0
    only then, so all of it is kept in memory. `on_user_turn_audio` and `on_bot_turn_audio`
    (audio, sample_rate, num_channels): one turn, mono, with `enable_turn_audio`.

    `sample_rate` in Hz; None is the pipeline's output rate.
    """

    on_audio_data: Final = Event[[bytes, int, int]]()
    on_track_audio_data: Final = Event[[bytes, bytes, int, int]]()
    on_user_turn_audio: Final = Event[[bytes, int, int]]()
    on_bot_turn_audio: Final = Event[[bytes, int, int]]()
    on_recording_started: Final = Event[[]]()
    on_recording_stopped: Final = Event[[]]()

    def __init__(
        self,
        *,
        sample_rate: int | None = None,
        num_channels: int = 1,
        buffer_size: int = 0,
        enable_turn_audio: bool = False,
        auto_start_recording: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        if num_channels not in (1, 2):
            raise InvalidInputError(f"a recording has 1 or 2 channels, not {num_channels}")
        self._wanted_rate, self._num_channels = sample_rate, num_channels
        self._buffer_size = buffer_size
        self._auto_start = auto_start_recording
        self._turns = enable_turn_audio
        self._rate = 0
        self._converters: dict[TrackSide, StreamConverter] = {}
        self._clips: dict[TrackSide, TurnClip] = {}
        self._line: TwoTracks | None = None
        self._began = 0.0

    @property
    def sample_rate(self) -> int:
        """Of the recordings, in Hz; known once the conversation has started."""
        return self._rate

    async def start_recording(self) -> None:
        """Time zero is now. Without effect while a recording runs."""
        if self._line is None:
            self._line, self._began = TwoTracks(self._rate), self.clock.now()
            await self.on_recording_started.emit()

    async def stop_recording(self) -> None:
        """Hands out the tail. Without effect when no recording runs."""
        line, self._line = self._line, None
        if line is None:
            return
        for side in TrackSide:
            line.add(side, self._tail(side))
        await self._hand_out(*line.finish(self.clock.now() - self._began))
        await self.on_recording_stopped.emit_and_wait()

    # ---- life cycle ---------------------------------------------------------------------------

    @handles(StartFrame)
    async def start(self, frame: StartFrame, direction: FrameDirection) -> None:
        self._rate = self._wanted_rate or frame.audio_out_sample_rate
        self._converters = {side: StreamConverter(self._rate) for side in TrackSide}
        self._clips = {
            TrackSide.CALLER: TurnClip(self._rate, USER_PREROLL_SECS),
            TrackSide.AGENT: TurnClip(self._rate, 0.0),
        }
        if self._auto_start:
            await self.start_recording()

    @handles(EndFrame, StopFrame, CancelFrame)
    async def stop(
        self, frame: EndFrame | StopFrame | CancelFrame, direction: FrameDirection
    ) -> None:
        await self.stop_recording()

    # ---- sound --------------------------------------------------------------------------------

    @handles(InputAudioRawFrame)
    async def hear_caller(self, frame: InputAudioRawFrame, direction: FrameDirection) -> None:
        heard_at = frame.timestamp
        if heard_at is None:
            # A piece of the caller's sound is there when it is over.
            heard_at = self.clock.now() - frame.num_frames / max(1, frame.sample_rate)
        await self.push_frame(frame, direction)
        await self._add(TrackSide.CALLER, frame, heard_at)

    @handles(OutputAudioRawFrame)
    async def hear_agent(self, frame: OutputAudioRawFrame, direction: FrameDirection) -> None:
        await self.push_frame(frame, direction)
        if direction is FrameDirection.DOWNSTREAM:
            await self._add(TrackSide.AGENT, frame, self.clock.now())

    async def _add(
        self, side: TrackSide, frame: InputAudioRawFrame | OutputAudioRawFrame, heard_at: float
    ) -> None:
        converter = self._converters[side]
        pcm = converter.process(frame.audio, frame.sample_rate, frame.num_channels)
        if self._turns:
            self._clips[side].add(pcm)
        line = self._line
        if line is None:
            return
        line.add(side, pcm, max(0.0, heard_at - self._began))
        if self._buffer_size and line.waiting_bytes >= self._buffer_size:
            line.advance(self.clock.now() - self._began)
            await self._hand_out(*line.take(), wait=False)

    def _tail(self, side: TrackSide) -> bytes:
        """What the resampler still holds of a stretch of sound that is over."""
        tail = self._converters[side].flush()
        if self._turns:
            self._clips[side].add(tail)
        return tail

    async def _hand_out(self, caller: bytes, agent: bytes, *, wait: bool = True) -> None:
        if not caller:
            return
        both = as_channels(caller, agent, self._num_channels)
        if wait:
            # At the end: the conversation must not be over before the recording is in safety.
            await self.on_audio_data.emit_and_wait(both, self._rate, self._num_channels)
            await self.on_track_audio_data.emit_and_wait(caller, agent, self._rate, 1)
        else:
            await self.on_audio_data.emit(both, self._rate, self._num_channels)
            await self.on_track_audio_data.emit(caller, agent, self._rate, 1)

    # ---- turns --------------------------------------------------------------------------------

    @handles(UserStartedSpeakingFrame, BotStartedSpeakingFrame)
    async def begin_turn(
        self,
        frame: UserStartedSpeakingFrame | BotStartedSpeakingFrame,
        direction: FrameDirection,
    ) -> None:
        self._clips[self._side(frame)].start()
        await self.push_frame(frame, direction)

    @handles(UserStoppedSpeakingFrame, BotStoppedSpeakingFrame)
    async def end_turn(
        self,
        frame: UserStoppedSpeakingFrame | BotStoppedSpeakingFrame,
        direction: FrameDirection,
    ) -> None:
        side = self._side(frame)
        if side is TrackSide.AGENT and self._clips[side].active:
            tail = self._tail(side)
            if self._line is not None:
                self._line.add(side, tail)
        if clip := self._clips[side].stop():
            event = self.on_user_turn_audio if side is TrackSide.CALLER else self.on_bot_turn_audio
            await event.emit(clip, self._rate, 1)
        await self.push_frame(frame, direction)

    def _side(
        self,
        frame: UserStartedSpeakingFrame
        | UserStoppedSpeakingFrame
        | BotStartedSpeakingFrame
        | BotStoppedSpeakingFrame,
    ) -> TrackSide:
        users = (UserStartedSpeakingFrame, UserStoppedSpeakingFrame)
        return TrackSide.CALLER if isinstance(frame, users) else TrackSide.AGENT
