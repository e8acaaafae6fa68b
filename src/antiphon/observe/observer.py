"""Observers that log, and record, the conversation they are attached to."""

from __future__ import annotations

import datetime
from collections.abc import Callable

from antiphon.audio.pcm import to_mono
from antiphon.frames.audio import InputAudioRawFrame, OutputAudioRawFrame
from antiphon.frames.turns import BotStartedSpeakingFrame
from antiphon.kernel.observers import BaseObserver, FramePushed
from antiphon.observe.conversation_log import ConversationLog
from antiphon.observe.happenings import Happening
from antiphon.observe.recording import Track, TwoSides
from antiphon.observe.tracker import ConversationTracker

Watcher = Callable[[Happening], None]


class ConversationObserver(BaseObserver):
    """Keeps `log` up to date from the frames of a running task.

    Each of `watchers` is called with what happens, as it happens: it must not block.
    """

    def __init__(self, *watchers: Watcher, title: str = "Conversation") -> None:
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        self._tracker = ConversationTracker(ConversationLog(title=title, started_at=now))
        self._watchers = watchers
        self._last = 0.0

    @property
    def log(self) -> ConversationLog:
        """What happened so far."""
        return self._tracker.log

    async def on_push_frame(self, data: FramePushed) -> None:
        """Follows the frame."""
        self.receive(data)

    def receive(self, data: FramePushed) -> None:
        """Follows the frame, at once."""
        self._last = data.timestamp / 1e9
        self._tell(self._tracker.receive(data.frame, data.source, self._last))

    async def on_pipeline_finished(self) -> None:
        """Closes what is open."""
        self.finish()

    def finish(self) -> None:
        """The conversation is over: closes what is open."""
        self._tell(self._tracker.finish(self._last))

    def _tell(self, happenings: list[Happening]) -> None:
        for happening in happenings:
            for watcher in self._watchers:
                watcher(happening)


class RecordingObserver(BaseObserver):
    """Records what came in and what was played, on the conversation's clock."""

    def __init__(self, sample_rate: int = 24_000) -> None:
        self._caller, self._agent = Track(sample_rate), Track(sample_rate)
        self._output: str | None = None
        self._input: str | None = None

    async def on_push_frame(self, data: FramePushed) -> None:
        """Keeps the frame's audio if it was captured or played just now."""
        self.receive(data)

    def receive(self, data: FramePushed) -> None:
        """Keeps the frame's audio, at once."""
        frame = data.frame
        if isinstance(frame, BotStartedSpeakingFrame) and self._output is None:
            self._output = data.source
        elif isinstance(frame, InputAudioRawFrame):
            if self._input is None:
                self._input = data.source
            if data.source == self._input:
                self._add(self._caller, frame, data.timestamp)
        elif isinstance(frame, OutputAudioRawFrame) and data.source == self._output:
            self._add(self._agent, frame, data.timestamp)

    def sides(self) -> TwoSides:
        """The recording so far; both tracks have the same length."""
        secs = max(self._caller.secs, self._agent.secs)
        return TwoSides(self._caller.sample_rate, self._caller.pcm(secs), self._agent.pcm(secs))

    @staticmethod
    def _add(track: Track, frame: InputAudioRawFrame | OutputAudioRawFrame, timestamp: int) -> None:
        end = timestamp / 1e9
        start = end - frame.num_frames / frame.sample_rate
        track.add(to_mono(frame.audio, frame.num_channels), frame.sample_rate, start)
