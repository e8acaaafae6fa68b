"""From any audio stream to the one format that a receiver wants."""

from __future__ import annotations

from antiphon.audio.pcm import SampleAligner, to_channels, to_mono
from antiphon.audio.resample import Resampler, check_rate
from antiphon.errors import InvalidInputError


class StreamConverter:
    """Pieces cut anywhere, of any rate and number of channels, to one rate and number of channels.

    Channels are joined by their average. A change of format in mid-stream begins a new stream: what
    the old one held comes out first, half a sample of it is dropped.
    """

    def __init__(self, sample_rate: int, num_channels: int = 1) -> None:
        self.sample_rate, self.num_channels = sample_rate, num_channels
        self._resampler = Resampler(sample_rate)
        self._source_channels = 1
        self._aligner = SampleAligner()

    def process(self, pcm: bytes, sample_rate: int, num_channels: int = 1) -> bytes:
        """What `pcm` becomes. Raises `InvalidInputError` for a format no audio has."""
        if num_channels < 1:
            raise InvalidInputError(f"audio of {num_channels} channels does not exist")
        check_rate(sample_rate)
        if num_channels != self._source_channels:
            self._source_channels = num_channels
            self._aligner = SampleAligner(num_channels)
        whole = self._aligner.push(pcm)
        mono = self._resampler.process(to_mono(whole, num_channels), sample_rate)
        return to_channels(mono, self.num_channels)

    def flush(self) -> bytes:
        """The stream has ended: the rest of it."""
        self._aligner.reset()
        return to_channels(self._resampler.flush(), self.num_channels)

    def reset(self) -> None:
        """Begins a new stream and forgets the old one's rest."""
        self._aligner.reset()
        self._resampler.reset()
