"""From any audio stream to the one format that a receiver wants."""

from __future__ import annotations

from antiphon.audio.pcm import SampleAligner, deinterleave, interleave, to_channels, to_mono
from antiphon.audio.resample import Resampler, check_rate
from antiphon.errors import InvalidInputError


class StreamConverter:
    """Pieces cut anywhere, of any rate and number of channels, to one rate and number of channels.

    As many channels as wanted stay apart, others are joined by their average. A change of format in
    mid-stream begins a new stream: what the old one held comes out first, half a sample of it is
    dropped.
    """

    def __init__(self, sample_rate: int, num_channels: int = 1) -> None:
        self.sample_rate: int = sample_rate
        self.num_channels: int = num_channels
        self._resamplers = [Resampler(sample_rate)]
        self._source_channels = 1
        self._aligner = SampleAligner()

    def process(self, pcm: bytes, sample_rate: int, num_channels: int = 1) -> bytes:
        """What `pcm` becomes. Raises `InvalidInputError` for a format no audio has."""
        if num_channels < 1:
            raise InvalidInputError(f"audio of {num_channels} channels does not exist")
        check_rate(sample_rate)
        rest = b""
        if num_channels != self._source_channels:
            rest = self.flush()
            self._source_channels = num_channels
            self._aligner = SampleAligner(num_channels)
            tracks = num_channels if num_channels == self.num_channels else 1
            self._resamplers = [Resampler(self.sample_rate) for _ in range(tracks)]
        whole = self._aligner.push(pcm)
        if len(self._resamplers) == 1:
            mono = self._resamplers[0].process(to_mono(whole, num_channels), sample_rate)
            return rest + to_channels(mono, self.num_channels)
        parts = deinterleave(whole, len(self._resamplers))
        return rest + self._joined(
            [
                resampler.process(part, sample_rate)
                for resampler, part in zip(self._resamplers, parts, strict=True)
            ]
        )

    def flush(self) -> bytes:
        """The stream has ended: the rest of it."""
        self._aligner.reset()
        return self._joined([resampler.flush() for resampler in self._resamplers])

    def _joined(self, tracks: list[bytes]) -> bytes:
        if len(tracks) == 1:
            return to_channels(tracks[0], self.num_channels)
        return interleave(*tracks)

    def reset(self) -> None:
        """Begins a new stream and forgets the old one's rest."""
        self._aligner.reset()
        for resampler in self._resamplers:
            resampler.reset()
