"""Background sound under the agent's voice: an office, music on hold, keys being typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import msgspec

from antiphon.audio.convert import StreamConverter
from antiphon.audio.pcm import SAMPLE_BYTES, apply_gain, mix
from antiphon.audio.wav import WavFile
from antiphon.errors import ConfigurationError, UnknownNameError


class AudioMixer(Protocol):
    """Adds something to every chunk that is played. A channel with a mixer is never silent."""

    def start(self, sample_rate: int, num_channels: int) -> None:
        """Called once before the first chunk; `sample_rate` in Hz."""

    def mix(self, pcm: bytes) -> bytes:
        """The chunk with the background added; exactly as long as `pcm`."""
        ...


@runtime_checkable
class AdjustableMixer(AudioMixer, Protocol):
    """A mixer that obeys `MixerEnableFrame` and `MixerUpdateSettingsFrame`."""

    def enable(self, *, on: bool) -> None:
        """Off, chunks pass as they are."""

    def update(self, settings: Mapping[str, Any]) -> None:
        """Changes what is named, or nothing: raises `ConfigurationError` naming the culprit."""


class _Changes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sound: str | msgspec.UnsetType = msgspec.UNSET
    volume: float | msgspec.UnsetType = msgspec.UNSET
    loop: bool | msgspec.UnsetType = msgspec.UNSET


class SoundMixer:
    """Plays one of several recordings beneath the voice; an `AdjustableMixer`.

    `volume` is a factor (1.0 as loud as recorded); `loop` starts the sound again at its end.
    """

    def __init__(
        self,
        sounds: Mapping[str, WavFile],
        default: str,
        *,
        volume: float = 0.4,
        mixing: bool = True,
        loop: bool = True,
    ) -> None:
        self._recordings = dict(sounds)
        self._tracks: dict[str, bytes] = {}
        self.volume: float = volume
        self.mixing: bool = mixing
        self.loop: bool = loop
        self._position = 0
        self._sound = default
        self.play(default)

    def play(self, sound: str) -> None:
        """Changes to another sound, from its beginning."""
        if sound not in self._recordings:
            known = ", ".join(sorted(self._recordings))
            raise UnknownNameError(f"the mixer has no sound {sound!r}; it has: {known}")
        self._sound, self._position = sound, 0

    def enable(self, *, on: bool) -> None:
        """Off, the sound waits where it is."""
        self.mixing = on

    def update(self, settings: Mapping[str, Any]) -> None:
        """Changes `sound` (from its beginning), `volume` (0.0 and above), `loop`, or nothing.

        Raises `ConfigurationError`, for an unknown sound `UnknownNameError`.
        """
        try:
            changes = msgspec.convert(settings, _Changes)
        except msgspec.ValidationError as error:
            raise ConfigurationError(
                f"a SoundMixer cannot be changed so: {error}. It has sound, volume and loop."
            ) from error
        if isinstance(changes.volume, float) and not 0.0 <= changes.volume < float("inf"):
            raise ConfigurationError(f"the volume of a mixer is 0.0 or more, not {changes.volume}")
        if isinstance(changes.sound, str):
            self.play(changes.sound)
        if isinstance(changes.volume, float):
            self.volume = changes.volume
        if isinstance(changes.loop, bool):
            self.loop = changes.loop

    def start(self, sample_rate: int, num_channels: int) -> None:
        """Brings all sounds to the rate and channels of the output."""
        for name, recording in self._recordings.items():
            converter = StreamConverter(sample_rate, num_channels)
            track = converter.process(recording.pcm, recording.sample_rate, recording.num_channels)
            self._tracks[name] = track + converter.flush()

    def mix(self, pcm: bytes) -> bytes:
        """`pcm` and the next piece of the sound."""
        if not self.mixing:
            return pcm
        background = self._next(len(pcm))
        return mix(pcm, apply_gain(background, self.volume)) if background else pcm

    def _next(self, size: int) -> bytes:
        track = self._tracks.get(self._sound, b"")
        if not self.loop or len(track) < SAMPLE_BYTES:
            piece = track[self._position : self._position + size]
            self._position += len(piece)
            return piece
        pieces = []
        while size > 0:
            piece = track[self._position : self._position + size]
            pieces.append(piece)
            size -= len(piece)
            self._position = (self._position + len(piece)) % len(track)
        return b"".join(pieces)
