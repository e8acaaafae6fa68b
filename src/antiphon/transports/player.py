"""One playout at work: carries out what a `Playout` decides, for one destination.

Theory of operation
-------------------
Two parties touch the machine, and both do so without awaiting in between: the handlers of the
output, which give it events, and the player's own task, which ticks it and is the only one that
waits for the sink. Frames are delivered in the step in which the machine says so. What must be
awaited (a chunk to write, a message or keys to send, the sink to be cleared) is done by the task
before it asks the machine again, so the sink sees everything in order. Sink and mixer are
strangers' code: whatever they raise is one failed call (`guard`). A chunk that was not taken was
not heard: the machine is told so, and gives it again.

An interruption becomes true when the kernel's epoch ends, which may be before the output's handler
of it runs. So both parties first look whether the epoch they know is still live (`sync`): from the
instant of the interruption no step can bring out anything older.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial

from antiphon.audio.convert import StreamConverter
from antiphon.audio.mixer import AdjustableMixer, AudioMixer
from antiphon.clock import Clock
from antiphon.errors import (
    AntiphonError,
    ConfigurationError,
    ConnectivityError,
    InvalidInputError,
)
from antiphon.frames.audio import OutputAudioRawFrame, TTSAudioRawFrame
from antiphon.frames.base import Frame, SystemFrame
from antiphon.frames.speech import TTSStoppedFrame
from antiphon.frames.transport import (
    MixerControlFrame,
    MixerEnableFrame,
    MixerUpdateSettingsFrame,
    OutputDTMFFrame,
    OutputDTMFUrgentFrame,
    OutputTransportMessageFrame,
    OutputTransportMessageUrgentFrame,
    PlayoutBufferFrame,
)
from antiphon.frames.turns import (
    BotSpeakingFrame,
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
)
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.processor import FrameProcessor
from antiphon.transports.guard import FailureLog, Guard, attempt
from antiphon.transports.line import CallerLine, LineState
from antiphon.transports.playout import Playout
from antiphon.transports.playout_events import (
    Action,
    ClearSink,
    Credit,
    Deliver,
    Drain,
    Drained,
    Event,
    GiveUp,
    InterruptPlayout,
    Item,
    LineBack,
    Overflow,
    PlayoutConfig,
    Sound,
    Speaking,
    Started,
    Stopped,
    Write,
    Written,
)
from antiphon.transports.sinks import AudioSink, ClearableSink, KeySink, MessageSink

WRITE_TIMEOUT_SECS = 5.0
"""A sink that takes longer for a chunk is reported."""
DRAIN_MARGIN_SECS = 2.0
_NOTICE_SECS = 0.5
"""A line whose writes fail for that long without the transport's knowing why is an error."""

Errand = OutputTransportMessageFrame | OutputTransportMessageUrgentFrame | OutputDTMFFrame
Errands = Errand | OutputDTMFUrgentFrame


_ANNOUNCEMENTS: dict[type[Action], type[SystemFrame]] = {
    Started: BotStartedSpeakingFrame,
    Speaking: BotSpeakingFrame,
    Stopped: BotStoppedSpeakingFrame,
}


class Player:
    """Plays to one sink. `start` it in a running conversation; `run` is its task."""

    def __init__(
        self,
        host: FrameProcessor,
        sink: AudioSink,
        config: PlayoutConfig,
        clock: Clock,
        *,
        destination: str | None = None,
        mixer: AudioMixer | None = None,
        line: CallerLine | None = None,
    ) -> None:
        self.machine: Playout = Playout(config)
        self.sink = sink
        self.destination = destination
        self.drained: asyncio.Event = asyncio.Event()
        self._host, self._config, self._clock, self._mixer = host, config, clock, mixer
        self._converter = StreamConverter(config.sample_rate, config.num_channels)
        self._speech_context: str | None = None
        self._epoch = host.emitter()
        self._errands: deque[Errands] = deque()
        self._clearing = self._over = self._failing = self._restored = False
        self._line = line
        writes = FailureLog(
            "the caller's side of the output fails", self._line_fails, patience_secs=_NOTICE_SECS
        )
        self._writes = Guard(writes, WRITE_TIMEOUT_SECS)
        errands = FailureLog("the caller's side of the output fails", self._report)
        self._calls = Guard(errands, WRITE_TIMEOUT_SECS)
        self._mixing = FailureLog("the mixer fails, the voice is heard without it", self._report)
        self._bad_format = False
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self._armed: float | None = None
        if mixer is not None:
            attempt(lambda: mixer.start(config.sample_rate, config.num_channels), self._mixing)

    # ---- what the output's handlers call --------------------------------------------------------

    def sync(self) -> None:
        """Interrupts the machine if the conversation was interrupted."""
        if self._epoch.live:
            return
        self._epoch = self._host.emitter()
        self._converter.reset()
        self._errands = deque(errand for errand in self._errands if not errand.interruptible)
        self._receive(InterruptPlayout())

    def play(self, frame: OutputAudioRawFrame) -> None:
        """Sound of any format, in its place. What cannot be sound is reported once."""
        self.sync()
        try:
            pcm = self._converter.process(frame.audio, frame.sample_rate, frame.num_channels)
        except AntiphonError as error:
            if not self._bad_format:
                self._host.push_error(f"audio for the caller is dropped: {error}", exception=error)
            self._bad_format = True
            return
        self._bad_format = False
        speech = isinstance(frame, TTSAudioRawFrame)
        context_id = frame.context_id if isinstance(frame, TTSAudioRawFrame) else None
        self._receive(Sound(pcm, speech, context_id, frame.interruptible, frame.pts))

    def put(self, frame: Frame) -> None:
        """A frame that has its place behind the sound so far."""
        self.sync()
        if isinstance(frame, TTSStoppedFrame) and (rest := self._converter.flush()):
            self._receive(Sound(rest, True, frame.context_id))
        self._receive(Item(frame))

    def tell(self, event: Event) -> None:
        """Any other event."""
        self._restored = self._restored or isinstance(event, LineBack)
        self.sync()
        self._receive(event)

    def run_errand(self, frame: Errands) -> None:
        """Sends a message or keys before everything that waits."""
        self._errands.appendleft(frame)
        self._wake()

    @property
    def presses_keys(self) -> bool:
        """Whether the sink does that itself."""
        return isinstance(self.sink, KeySink)

    def end(self) -> None:
        """Nothing more will come."""
        self.sync()
        if rest := self._converter.flush():
            self._receive(Sound(rest))
        self._receive(Drain())

    async def drained_within(self, allow: Callable[[float], None]) -> None:
        """Returns when everything was heard; bounded by its length, and by the time for which a
        lost line is waited for. `allow` extends deadlines.
        """
        while not self.drained.is_set():
            self._restored = False
            secs = self.machine.buffered_secs + self._config.end_silence_secs + DRAIN_MARGIN_SECS
            allow(secs + 1.0)
            try:
                async with asyncio.timeout(secs + self.machine.pacer.latency):
                    await self.drained.wait()
            except TimeoutError:
                lost = self._line is not None and self._line.state is LineState.LOST
                if self._restored or (self.machine.lost and lost):
                    continue  # it comes back, or is over before long
                if not (self._failing or self.machine.lost):  # else that was told
                    message = f"the output did not get rid of its sound in time: {secs:.1f} s"
                    self._host.push_error(message, exception=ConnectivityError(message))
                self.tell(GiveUp())
                return

    # ---- the task -------------------------------------------------------------------------------

    async def run(self) -> None:
        """Ticks the machine for as long as the conversation lasts."""
        try:
            while True:
                self.sync()
                if not self._epoch.live:
                    return  # the conversation is over: no epoch begins any more
                if self._clearing:
                    self._clearing = False
                    await self._clear()
                elif self._errands:
                    await self._send(self._errands.popleft())
                elif self._over:
                    return
                elif (deadline := self.machine.deadline) is None or deadline > self._clock.now():
                    await self._wait(deadline)
                else:
                    await self._tick()
        finally:
            self._writes.close()
            self._calls.close()
            self.drained.set()

    async def _tick(self) -> None:
        write = self._carry_out(self.machine.tick(self._clock.now()))
        if write is None:
            return
        mixed = (
            write.pcm
            if self._mixer is None
            else attempt(partial(_mix, self._mixer, write.pcm), self._mixing)
        )
        pcm = write.pcm if mixed is None else mixed
        epoch = self._epoch
        accepted = await self._writes.call(self.sink.write, pcm)
        if accepted and self._failing and self._line is not None:
            self._line.working()
        self._failing = not accepted
        self._carry_out(self.machine.receive(Written(accepted), self._clock.now()))
        if accepted and write.sound:
            epoch.push_frame(self._heard(write, pcm))
        if not self._config.paced:
            await asyncio.sleep(0)

    def _heard(self, write: Write, pcm: bytes) -> OutputAudioRawFrame:
        rate, channels = self._config.sample_rate, self._config.num_channels
        where = self.destination
        if not write.speech:
            return OutputAudioRawFrame(pcm, rate, channels, transport_destination=where)
        return TTSAudioRawFrame(pcm, rate, channels, write.context_id, transport_destination=where)

    async def _clear(self) -> None:
        if isinstance(self.sink, ClearableSink):
            await self._calls.call(self.sink.clear)

    async def _send(self, frame: Errands) -> None:
        sink = self.sink
        if isinstance(frame, OutputDTMFFrame | OutputDTMFUrgentFrame):
            if isinstance(sink, KeySink):
                keys = "".join(key.value for key in frame.buttons)
                await self._calls.call(sink.send_keys, keys)
        elif isinstance(sink, MessageSink):
            await self._calls.call(sink.send_message, frame.message)

    async def _wait(self, deadline: float | None) -> None:
        waiter = self._waiter = self._loop.create_future()
        self._armed = deadline
        timer = None if deadline is None else self._loop.call_at(deadline, self._wake)
        try:
            await waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()

    def _line_fails(self, message: str, error: BaseException) -> None:
        if self.machine.gone:
            return
        self._report(message, error)
        if self._line is not None and self._failing:
            self._line.failing(message)

    def _report(self, message: str, error: BaseException) -> None:
        self._host.push_error(message, exception=error)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # ---- carrying out -------------------------------------------------------------------------

    def _receive(self, event: Event) -> None:
        self._carry_out(self.machine.receive(event, self._clock.now()))
        if self._waiter is None:
            return
        deadline, armed = self.machine.deadline, self._armed
        sooner = deadline is not None and (armed is None or deadline < armed)
        if sooner or self._clearing or self._errands or self._over:
            self._wake()

    def _carry_out(self, actions: list[Action]) -> Write | None:
        write: Write | None = None
        for action in actions:
            match action:
                case Write():
                    write = action
                case Deliver(frame):
                    self._deliver(frame)
                case Started() | Speaking() | Stopped():
                    kind = _ANNOUNCEMENTS[type(action)]
                    self._host.broadcast_frame(kind(transport_destination=self.destination))
                case ClearSink():
                    self._clearing = True
                case Credit(full, secs):
                    credit = PlayoutBufferFrame(full, secs)
                    self._host.push_frame(credit, FrameDirection.UPSTREAM)
                case Overflow(secs):
                    self._host.push_error(
                        f"sound is dropped: {secs:.0f} s of it wait to be played already. Stop "
                        "sending while a PlayoutBufferFrame says that the buffer is full."
                    )
                case Drained():
                    self._over = True
                    if self.machine.gone:
                        self.drained.set()  # whatever the sink is still busy with
        return write

    def _deliver(self, frame: Frame) -> None:
        if isinstance(frame, OutputTransportMessageFrame | OutputDTMFFrame):
            self._errands.append(frame)
            return
        if isinstance(frame, MixerControlFrame):
            log = FailureLog("the mixer stays as it was", self._report)
            attempt(lambda: _adjust(self._mixer, frame, self.destination), log)
        self._host.push_frame(frame)


def _adjust(mixer: AudioMixer | None, frame: MixerControlFrame, destination: str | None) -> None:
    if not isinstance(mixer, AdjustableMixer):
        raise ConfigurationError(
            f"the output {destination or ''!r} has none that can be changed; "
            "give one to TransportParams(audio_out_mixer=...)"
        )
    if isinstance(frame, MixerEnableFrame):
        mixer.enable(on=frame.enable)
    elif isinstance(frame, MixerUpdateSettingsFrame):
        mixer.update(frame.settings)


def _mix(mixer: AudioMixer, pcm: bytes) -> bytes:
    mixed = mixer.mix(pcm)
    if len(mixed) != len(pcm):
        raise InvalidInputError(f"it gave {len(mixed)} bytes for a chunk of {len(pcm)}")
    return mixed
