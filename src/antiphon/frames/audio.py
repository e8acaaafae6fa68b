"""Sound and pictures. Audio is 16-bit little-endian PCM, channels interleaved."""

from __future__ import annotations

from typing import ClassVar

from antiphon.frames.base import DataFrame, SystemFrame

_LOWEST_RATE = 1000


class InputAudioRawFrame(SystemFrame):
    """Sound from the caller. `sample_rate` in Hz.

    `timestamp` is its place on the caller's line: when its first sample was said, in seconds on
    the loop's clock. None: its last sample was said just now.
    """

    lossy: ClassVar[bool] = True

    audio: bytes
    sample_rate: int
    num_channels: int = 1
    timestamp: float | None = None

    @property
    def num_frames(self) -> int:
        """Samples per channel."""
        return len(self.audio) // (2 * self.num_channels)

    @property
    def extent(self) -> float:
        if self.sample_rate < _LOWEST_RATE or self.num_channels < 1:
            return 0.0  # no audio, and refused as such where it is used
        return len(self.audio) / (2 * self.num_channels * self.sample_rate)

    def ended(self, now: float) -> float:
        """When its last sample was said, if it is handled at `now`."""
        return now if self.timestamp is None else min(now, self.timestamp + self.extent)


class UserAudioRawFrame(InputAudioRawFrame):
    """Sound from one participant among several."""

    user_id: str = ""


class OutputAudioRawFrame(DataFrame):
    """Sound for the caller. `sample_rate` in Hz."""

    audio: bytes
    sample_rate: int
    num_channels: int = 1

    @property
    def num_frames(self) -> int:
        """Samples per channel."""
        return len(self.audio) // (2 * self.num_channels)


class TTSAudioRawFrame(OutputAudioRawFrame):
    """Synthesised speech of the utterance `context_id`."""

    context_id: str | None = None


class InputImageRawFrame(SystemFrame):
    """A picture from the caller; `size` is (width, height), `format` "RGB" or "image/png"."""

    lossy: ClassVar[bool] = True

    image: bytes
    size: tuple[int, int]
    format: str | None = None


class UserImageRequestFrame(SystemFrame):
    """Asks the transport for one picture of a participant's video."""

    user_id: str
    text: str | None = None
    append_to_context: bool | None = None
    video_source: str | None = None
    function_name: str | None = None
    tool_call_id: str | None = None


class UserImageRawFrame(InputImageRawFrame):
    """A picture of one participant, the answer to `request` if there was one."""

    lossy: ClassVar[bool] = False

    user_id: str = ""
    text: str | None = None
    append_to_context: bool | None = None
    request: UserImageRequestFrame | None = None


class OutputImageRawFrame(DataFrame):
    """A picture for the caller; `size` is (width, height)."""

    image: bytes
    size: tuple[int, int]
    format: str | None = None
