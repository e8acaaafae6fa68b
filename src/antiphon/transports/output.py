"""The end of the pipeline towards the caller: what is said, shown and sent, in one order.

`OutputTransport` routes frames to a `Player` for each destination. Everything ordered that goes
downstream takes its place between the sounds and goes on when the sound before it was heard; urgent
frames and everything going upstream pass at once. No handler ever waits for the caller's side: a
voice that is too far ahead is asked to wait by `PlayoutBufferFrame`.
"""

from __future__ import annotations

from collections.abc import Mapping

from antiphon.audio.dtmf import tones
from antiphon.audio.mixer import AudioMixer
from antiphon.audio.pcm import to_channels
from antiphon.clock import Clock
from antiphon.errors import UnknownNameError
from antiphon.frames.audio import OutputAudioRawFrame
from antiphon.frames.base import ControlFrame, DataFrame, Frame
from antiphon.frames.lifecycle import (
    CancelFrame,
    EndFrame,
    HeartbeatFrame,
    InterruptionFrame,
    StartFrame,
    StopFrame,
)
from antiphon.frames.transport import (
    OutputDTMFFrame,
    OutputDTMFUrgentFrame,
    OutputTransportMessageUrgentFrame,
)
from antiphon.frames.turns import BotSpeechPauseFrame, BotSpeechResumeFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.pipeline_check import Role, part
from antiphon.transports.guard import FailureLog, Guard, Report
from antiphon.transports.line import CallerLine
from antiphon.transports.params import TransportParams
from antiphon.transports.player import Player
from antiphon.transports.playout_events import (
    Acknowledged,
    Cancel,
    HangUp,
    KeyTones,
    LineBack,
    LineLost,
    PausePlayout,
    PlayoutConfig,
    ResumePlayout,
    Sound,
)
from antiphon.transports.sinks import AudioSink, ClosedSink, OpenableSink

OPEN_TIMEOUT_SECS = 10.0


def _tones(frame: OutputDTMFFrame | OutputDTMFUrgentFrame, config: PlayoutConfig) -> bytes:
    keys = "".join(key.value for key in frame.buttons)
    return to_channels(tones(keys, config.sample_rate), config.num_channels)


def _mixer_for(destination: str | None, params: TransportParams) -> AudioMixer | None:
    mixer = params.audio_out_mixer
    return mixer.get(destination) if isinstance(mixer, Mapping) else mixer


class OutputTransport(FrameProcessor):
    """Plays to a sink, or to several by destination (None: the default one)."""

    described = part(Role.OUTPUT)

    def __init__(
        self,
        sink: AudioSink | Mapping[str | None, AudioSink],
        params: TransportParams | None = None,
        *,
        line: CallerLine | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.transport_params: TransportParams = params or TransportParams()
        self.line: CallerLine = line or CallerLine(self.transport_params.reconnect_secs)
        self._sinks: Mapping[str | None, AudioSink] = (
            sink if isinstance(sink, Mapping) else {None: sink}
        )
        self._players: dict[str | None, Player] = {}
        self._opened: list[OpenableSink] = []
        self._report: Report = lambda message, error: self.push_error(message, exception=error)
        self._unknown: set[str | None] = set()
        self._at_once: tuple[type[Frame], ...] = (
            HeartbeatFrame,
            *self.transport_params.audio_out_at_once,
        )

    # ---- life cycle ---------------------------------------------------------------------------

    @handles(StartFrame)
    async def start(self, frame: StartFrame, direction: FrameDirection) -> None:
        params = self.transport_params
        rate = params.audio_out_sample_rate or frame.audio_out_sample_rate
        default = None if None in self._sinks else next(iter(self._sinks), None)
        for destination, sink in self._sinks.items():
            opened = await self._open(sink, rate)
            mixer = _mixer_for(destination, params)
            player = Player(
                self,
                sink if opened else ClosedSink(),
                _config(self.transport_params, self.clock, rate, continuous=mixer is not None),
                self.clock,
                destination=destination,
                mixer=mixer,
                line=self.line if destination == default else None,
            )
            self._players[destination] = player
            self.create_task(player.run(), name=f"playout {destination or ''}".strip())
            if not opened:
                player.tell(LineLost())
            if not opened and destination == default:
                self.line.failing("the sink could not be opened")
        self.line.attach(self)

    async def _open(self, sink: AudioSink, rate: int) -> bool:
        """Whether the sink is open."""
        if not isinstance(sink, OpenableSink):
            return True
        self._opened.append(sink)
        opening = Guard(FailureLog("the agent cannot be heard", self._report), OPEN_TIMEOUT_SECS)
        self.allow(OPEN_TIMEOUT_SECS + 1.0)
        opened = await opening.call(sink.open, rate, self.transport_params.audio_out_channels)
        opening.close()
        return opened

    @handles(EndFrame, StopFrame)
    async def drain(self, frame: EndFrame | StopFrame, direction: FrameDirection) -> None:
        for player in self._players.values():
            player.end()
        for player in self._players.values():
            await player.drained_within(self.allow)

    @handles(CancelFrame)
    async def cancel(self, frame: CancelFrame, direction: FrameDirection) -> None:
        for player in self._players.values():
            player.tell(Cancel())

    async def cleanup(self) -> None:
        self.line.detach()
        opened, self._opened = self._opened, []
        closing = Guard(FailureLog("the sink does not close", self._report), OPEN_TIMEOUT_SECS)
        for sink in opened:
            await closing.call(sink.close)
        closing.close()

    # ---- what passes --------------------------------------------------------------------------

    @handles(InterruptionFrame)
    async def interrupted(self, frame: InterruptionFrame, direction: FrameDirection) -> None:
        for player in self._players.values():
            player.sync()

    @handles(BotSpeechPauseFrame, BotSpeechResumeFrame)
    async def _hold(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, BotSpeechPauseFrame):
            self.pause()
        else:
            self.resume()
        await self.push_frame(frame, direction)

    @handles(OutputAudioRawFrame)
    async def play(self, frame: OutputAudioRawFrame, direction: FrameDirection) -> None:
        if direction is FrameDirection.UPSTREAM:
            await self.push_frame(frame, direction)
            return
        player = self._player(frame)
        if player is not None and self.transport_params.audio_out_enabled:
            player.play(frame)

    @handles(DataFrame, ControlFrame)
    async def put(self, frame: Frame, direction: FrameDirection) -> None:
        at_once = direction is FrameDirection.UPSTREAM or isinstance(frame, self._at_once)
        player = None if at_once else self._player(frame)
        if player is None:
            await self.push_frame(frame, direction)
        else:
            player.put(frame)

    @handles(OutputDTMFFrame)
    async def press(self, frame: OutputDTMFFrame, direction: FrameDirection) -> None:
        player = self._player(frame)
        if player is None:
            return
        if player.presses_keys:
            player.put(frame)
        else:
            sound = _tones(frame, player.machine.config)
            player.tell(Sound(sound, interruptible=frame.interruptible))

    @handles(OutputDTMFUrgentFrame)
    async def press_now(self, frame: OutputDTMFUrgentFrame, direction: FrameDirection) -> None:
        player = self._player(frame)
        if player is None:
            return
        if player.presses_keys:
            player.run_errand(frame)
        else:
            player.tell(KeyTones(_tones(frame, player.machine.config)))

    @handles(OutputTransportMessageUrgentFrame)
    async def send_now(
        self, frame: OutputTransportMessageUrgentFrame, direction: FrameDirection
    ) -> None:
        player = self._player(frame)
        if player is not None:
            player.run_errand(frame)

    def _player(self, frame: Frame) -> Player | None:
        """The player of the frame's destination; an unknown one is reported once."""
        destination = frame.transport_destination
        player = self._players.get(destination)
        if player is None and self._players and destination not in self._unknown:
            self._unknown.add(destination)
            known = ", ".join(str(name) for name in self._players)
            message = f"there is no destination {destination!r} to play to; there are: {known}"
            self.push_error(message, exception=UnknownNameError(message))
        return player

    # ---- what programs and transports call ----------------------------------------------------

    def pause(self) -> None:
        """Holds what is being said, as for a caller's "mhm", until `resume` or an interruption."""
        for player in self._players.values():
            player.tell(PausePlayout())

    def resume(self) -> None:
        """Goes on where `pause` held it."""
        for player in self._players.values():
            player.tell(ResumePlayout())

    def line_lost(self) -> None:
        """Holds what is being said: nothing reaches the caller now."""
        for player in self._players.values():
            player.tell(LineLost())

    def line_back(self) -> None:
        """Goes on where the line was lost."""
        for player in self._players.values():
            player.tell(LineBack())

    def line_over(self, reason: str) -> None:
        """Cuts off the agent, whom nobody hears, and ends the session if that is wanted."""
        self.broadcast_interruption()
        for player in self._players.values():
            player.tell(HangUp())
        if self.transport_params.end_on_disconnect:
            self.push_frame(EndFrame(reason=reason))

    def acknowledge(self, samples: int, destination: str | None = None) -> None:
        """The other side has heard this many of the samples written since the beginning."""
        if (player := self._players.get(destination)) is not None:
            player.tell(Acknowledged(samples))

    @property
    def buffered_secs(self) -> float:
        """Sound of the default destination that waits to be played."""
        player = self._players.get(None)
        return 0.0 if player is None else player.machine.buffered_secs


def _config(params: TransportParams, clock: Clock, rate: int, *, continuous: bool) -> PlayoutConfig:
    return PlayoutConfig(
        sample_rate=rate,
        num_channels=params.audio_out_channels,
        chunk_ms=10 * params.audio_out_10ms_chunks,
        paced=params.audio_out_paced,
        continuous=continuous or params.audio_out_continuous,
        lead_secs=params.audio_out_lead_secs,
        fade_out_secs=params.audio_out_fade_secs,
        end_silence_secs=params.audio_out_end_silence_secs,
        origin=clock.now() - clock.get_time() / 1e9,
    )
