"""Transcription on this machine: Moonshine tiny-en, English.

The model hears whole utterances, so the provider is segmented: it collects the audio of one until
`Finalize`, and reads all of it again now and then for an interim result.

Who computes when

- An interim reading starts when `interim_secs` of new audio came in and the lane has a free
  thread: interim results never queue up, and never cost another session's final one more than the
  reading that happens to run. On `Finalize` a running one is told to stop.
- A final reading always waits its turn. Its latency is about 40 ms a second of speech.
- A segment that grows beyond `_LONGEST_SECS` is cut at its quietest moment; its first part becomes
  a final transcript (not `finalized`), so neither memory nor latency grows with a monologue.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator

import numpy as np

from antiphon.audio.pcm import to_float
from antiphon.errors import ConfigurationError, InvalidInputError
from antiphon.providers.local.english import only_english
from antiphon.providers.local.inference import HEARING, InferenceQueue, Shared
from antiphon.providers.local.model_store import ModelStore
from antiphon.providers.local.moonshine import SAMPLE_RATE, Audio, Decoded, Moonshine, loudness
from antiphon.services.contracts import AudioChunk, Finalize, STTCapabilities, Transcript
from antiphon.settings import ServiceSettings, STTSettings

_LONGEST_SECS = 20.0
# Where a segment that is too long is cut: in its second half, at the quietest fifth of a second.
_PAUSE_SECS = 0.2
_LANGUAGE = "en"
# Quiet speech over a telephone is at -45 dBFS and still understood at -55; empty lines are below.
_SILENCE = 10 ** (-62 / 20)
# Mean log-probability of a token. 550 prompts of an 8 kHz telephone system are above -0.9, in noise
# as loud as the voice above -2; readings of noise alone are between -0.3 and -3.5.
_SURE, _LEAST_CONFIDENCE = -0.8, -2.5
# What the model says of noise and silence even when sure, found with noise of three colours.
_INVENTIONS = frozenset({"you", "so", "the", "thank you", "thank you for watching"})
# Speech comes and goes: its loudest 80 ms stand out by this from its quietest tenth. Steady noise
# (white, pink, brown) reaches 8.6 dB, 99 of 100 prompts in noise 5 dB below the voice reach 10.
_STANDS_OUT = 10 ** (9 / 20)
_LOUDEST_FRAMES = 4

_MODEL = Shared(Moonshine.load)


class AudioSegment:
    """The audio of one utterance so far, and which part of it an interim result has covered."""

    def __init__(self, interim_secs: float) -> None:
        self._fresh_bytes = int(interim_secs * SAMPLE_RATE) * 2
        self._pcm = bytearray()
        self._read = 0

    def add(self, pcm: bytes) -> None:
        """Takes 16-bit mono PCM at 16 kHz; InvalidInputError for half a sample."""
        if len(pcm) % 2:
            raise InvalidInputError(
                f"audio to transcribe is 16-bit PCM, but a chunk of {len(pcm)} bytes ends in the "
                f"middle of a sample"
            )
        self._pcm += pcm

    @property
    def interim_is_due(self) -> bool:
        """Whether enough new audio came in since the last interim reading.

        In a long segment an eighth of it has to be new: a reading costs about 40 ms a second, so
        readings of a monologue take a third of a core at most.
        """
        return len(self._pcm) - self._read >= max(self._fresh_bytes, len(self._pcm) // 8)

    @property
    def is_too_long(self) -> bool:
        """Whether a part has to be cut off."""
        return len(self._pcm) > _LONGEST_SECS * SAMPLE_RATE * 2

    def audio(self) -> Audio:
        """All of it, as floats in -1..1. Counts as read."""
        self._read = len(self._pcm)
        return to_float(bytes(self._pcm))

    def take(self) -> Audio:
        """All of it; the segment is empty afterwards."""
        whole = self.audio()
        self._pcm.clear()
        self._read = 0
        return whole

    def cut(self) -> Audio:
        """The part before the quietest moment of the second half; the rest stays."""
        whole = self.audio()
        window = int(_PAUSE_SECS * SAMPLE_RATE)
        half = len(whole) // 2
        energy = np.concatenate([[0.0], np.cumsum(np.square(whole[half:], dtype=np.float64))])
        quietest = int(np.argmin(energy[window:] - energy[:-window]))
        at = half + quietest + window // 2
        del self._pcm[: 2 * at]
        self._read = 0
        return whole[:at]


class LocalSTTProvider:
    """Transcribes English with Moonshine tiny-en. Several sessions may use one provider."""

    name = "moonshine-tiny-en"

    def __init__(
        self,
        *,
        interim_secs: float = 0.4,
        store: ModelStore | None = None,
        lane: InferenceQueue = HEARING,
    ) -> None:
        """`interim_secs`: how much new audio an interim result needs at least."""
        # Of 60 recorded utterances on two busy cores the median was 0.33 s, the 99th 0.47 s. Every
        # `Finalize` is answered, so on a busier machine a turn waits longer and loses no words.
        self.capabilities: STTCapabilities = STTCapabilities(
            sample_rate=SAMPLE_RATE, segmented=True, interim=True, ttfs_p99_secs=0.6
        )
        self._interim_secs = interim_secs
        self._store = store or ModelStore()
        self._lane = lane

    async def connect(self) -> None:
        """Loads the model; MissingModelError or MissingExtraError say what to run."""
        model = await self._lane.run(self._model)
        # The first reading allocates: better now than in the first words of a caller.
        await self._lane.run(lambda: model.transcribe(np.zeros(SAMPLE_RATE, np.float32)))

    async def close(self) -> None:
        """Nothing to release: the model is shared by the process."""

    def configure(self, settings: ServiceSettings) -> None:
        """Raises `ConfigurationError` for another language or model: there is nothing to choose."""
        if not isinstance(settings, STTSettings):
            raise ConfigurationError(f"{self.name} takes STTSettings, not {settings!r}")
        only_english(self.name, settings.language)
        if settings.model not in (None, self.name):
            raise ConfigurationError(f"{self.name} has no other model, not {settings.model!r}")

    async def transcribe(
        self, audio: AsyncIterator[AudioChunk | Finalize]
    ) -> AsyncGenerator[Transcript, None]:
        """Interim results while audio comes, a final one for each `Finalize` and at the end.

        The answer to `Finalize` has empty text when nothing was said.
        """
        segment = AudioSegment(self._interim_secs)
        interim = _Interim(self)
        try:
            async for item in audio:
                if isinstance(item, Finalize):
                    interim.stop()
                    yield await self._final(segment.take(), finalized=True)
                    continue
                segment.add(item.pcm)
                if segment.is_too_long:
                    interim.stop()
                    part = await self._final(segment.cut(), finalized=False)
                    if part.text:
                        yield part
                    continue
                if heard := interim.result():
                    yield heard
                if segment.interim_is_due and interim.may_start:
                    interim.start(segment.audio())
            interim.stop()
            rest = await self._final(segment.take(), finalized=False)
            if rest.text:
                yield rest
        finally:
            interim.stop()

    def read(self, audio: Audio, stop: threading.Event | None = None) -> str:
        """The text of `audio`, "" if there is nothing in it. Computes: call it in a lane."""
        if (stop is not None and stop.is_set()) or loudness(audio) < _SILENCE:
            return ""
        decoded = self._model().transcribe(audio, stop)
        return decoded.text if decoded is not None and is_plausible(decoded, audio) else ""

    @property
    def lane(self) -> InferenceQueue:
        """Where readings run."""
        return self._lane

    def _model(self) -> Moonshine:
        return _MODEL.get(self._store)

    async def _final(self, audio: Audio, *, finalized: bool) -> Transcript:
        text = await self._lane.run(lambda: self.read(audio)) if len(audio) else ""
        return Transcript(text=text, final=True, finalized=finalized, language=_LANGUAGE)


class _Interim:
    """The interim reading of one session: at most one at a time."""

    def __init__(self, provider: LocalSTTProvider) -> None:
        self._provider = provider
        self._future: asyncio.Future[str] | None = None
        self._stop = threading.Event()
        self._last = ""

    @property
    def may_start(self) -> bool:
        """Whether a reading would start at once."""
        return self._future is None and self._provider.lane.has_free_thread

    def start(self, audio: Audio) -> None:
        self._stop = stop = threading.Event()
        self._future = self._provider.lane.submit(lambda: self._provider.read(audio, stop))

    def result(self) -> Transcript | None:
        """What a reading that is done has found, if it is news. Raises what it raised."""
        if self._future is None or not self._future.done():
            return None
        text = self._future.result()
        self._future = None
        if not text or text == self._last:
            return None
        self._last = text
        return Transcript(text=text, final=False, language=_LANGUAGE)

    def stop(self) -> None:
        """Ends a reading whose result nobody wants, and forgets what was said."""
        self._stop.set()
        if self._future is not None:
            self._future.add_done_callback(_ignore_outcome)
            self._future = None
        self._last = ""


def _ignore_outcome(done: asyncio.Future[str]) -> None:
    if not done.cancelled():
        done.exception()  # seen, so that nobody reports it


def is_plausible(decoded: Decoded, audio: Audio) -> bool:
    """Whether a reading is of speech, rather than what the model makes of noise."""
    words = decoded.text.strip(" .!?,♪").lower()
    # The model was trained on English; of rumble it reads lines of Thai.
    foreign = any(sign.isalpha() and sign > "\u024f" for sign in words)
    if not words or foreign or decoded.confidence < _LEAST_CONFIDENCE:
        return False
    sure = decoded.confidence >= _SURE and words not in _INVENTIONS
    return sure or comes_and_goes(audio)


def comes_and_goes(audio: Audio) -> bool:
    """Whether the level of the audio rises and falls as that of speech does."""
    frame = SAMPLE_RATE // 50
    frames = audio[: len(audio) // frame * frame].reshape(-1, frame)
    if len(frames) < _LOUDEST_FRAMES:
        return False
    levels = np.sqrt(np.square(frames).mean(axis=1)) + 1e-5
    loud = np.sort(levels)[-_LOUDEST_FRAMES]
    return bool(loud > _STANDS_OUT * np.quantile(levels, 0.1))
