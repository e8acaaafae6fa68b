"""Asks a turn model about the sound of a turn, without ever making anybody wait for it.

It keeps the last seconds of the caller's audio: all of an open turn, as far as a model listens, and
between turns only as much as may prove to be the beginning of one. A model that fails or is slow
costs one error report and is asked again the next time; the silence timeout of the strategy
decides meanwhile.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from antiphon.audio.pcm import SAMPLE_BYTES, to_mono
from antiphon.audio.resample import Resampler
from antiphon.errors import AntiphonError
from antiphon.frames.audio import InputAudioRawFrame
from antiphon.frames.lifecycle import MetricsFrame, TurnMetricsData
from antiphon.kernel.processor import FrameProcessor
from antiphon.turns.facts import TurnModelVerdict
from antiphon.turns.strategy import TurnModel

LISTEN_SECS = 8.0
"""What smart-turn hears at most; it comes from the model's publisher."""
LEAD_SECS = 0.8
"""Kept from before a turn: half a second of lead-in and the VAD's time to be sure."""
ANSWER_WITHIN_SECS = 2.0


class TurnAudio:
    """The last seconds of mono PCM."""

    def __init__(self, sample_rate: int) -> None:
        self._bytes_per_sec = sample_rate * SAMPLE_BYTES
        self._chunks: deque[bytes] = deque()
        self._size = 0

    def add(self, pcm: bytes, *, keep_secs: float) -> None:
        """Appends, and drops whole chunks from the front that are not needed for `keep_secs`."""
        self._chunks.append(pcm)
        self._size += len(pcm)
        limit = int(keep_secs * self._bytes_per_sec)
        while self._size - len(self._chunks[0]) >= limit:
            self._size -= len(self._chunks.popleft())

    def audio(self) -> bytes:
        """What is kept, at most the last `LISTEN_SECS`."""
        limit = int(LISTEN_SECS * self._bytes_per_sec)
        return b"".join(self._chunks)[-limit:]


class TurnModelRunner:
    """One session's link to a turn model."""

    def __init__(self, tell: Callable[[TurnModelVerdict], Awaitable[None]]) -> None:
        self._tell = tell
        self._model: TurnModel | None = None
        self._audio = TurnAudio(16_000)
        self._resampler: Resampler | None = None
        self._round = 0

    def use(self, model: TurnModel | None) -> None:
        """Asks this model from now on; None: nobody."""
        if model is self._model:
            return
        self._model = model
        if model is not None:
            self._audio = TurnAudio(model.sample_rate)
            self._resampler = Resampler(model.sample_rate)

    @property
    def listens(self) -> bool:
        """Whether there is a model to hear for."""
        return self._model is not None

    def hear(self, frame: InputAudioRawFrame, *, keep: bool) -> None:
        """Takes audio in; `keep` while it may belong to a turn."""
        if self._model is None or self._resampler is None:
            return
        pcm = to_mono(frame.audio, frame.num_channels)
        pcm = self._resampler.process(pcm, frame.sample_rate)
        self._audio.add(pcm, keep_secs=LISTEN_SECS if keep else LEAD_SECS)

    def turn_stopped(self) -> None:
        """An answer that is still to come is about a turn that is over."""
        self._round += 1

    def ask(self, processor: FrameProcessor) -> None:
        """Asks about the turn so far; the answer is told unless it was asked again meanwhile."""
        if self._model is None:
            return
        self._round += 1
        processor.create_task(
            self._ask(self._model, self._audio.audio(), self._round, processor), name="turn model"
        )

    async def _ask(
        self, model: TurnModel, audio: bytes, number: int, processor: FrameProcessor
    ) -> None:
        asked = processor.clock.now()
        try:
            async with asyncio.timeout(ANSWER_WITHIN_SECS):
                probability = await model.complete_probability(audio)
        except TimeoutError as error:
            message = f"the turn model did not answer within {ANSWER_WITHIN_SECS:.0f} s"
            await processor.push_error(message, exception=error)
            return
        except (AntiphonError, OSError, RuntimeError, ValueError) as error:
            await processor.push_error(f"the turn model failed: {error}", exception=error)
            return
        complete = probability > COMPLETE_ABOVE
        metrics = TurnMetricsData(
            processor=processor.name,
            is_complete=complete,
            probability=probability,
            processing_ms=(processor.clock.now() - asked) * 1000,
        )
        await processor.push_frame(MetricsFrame(data=(metrics,)))
        if number == self._round:
            await self._tell(TurnModelVerdict(complete=complete, probability=probability))


COMPLETE_ABOVE = 0.5
"""The threshold that smart-turn's publisher uses."""
