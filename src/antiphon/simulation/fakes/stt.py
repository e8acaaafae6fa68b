"""A transcriber that hears what it is told to, or what `voice` encoded in the audio."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence

from antiphon.errors import ServiceError
from antiphon.services.contracts import AudioChunk, Finalize, STTCapabilities, Transcript
from antiphon.simulation.fakes.delays import Delay, stream, wait
from antiphon.simulation.fakes.provider import FakeProvider, Faults
from antiphon.simulation.fakes.voice import Listener


class FakeSTTProvider(FakeProvider):
    """Satisfies `STTProvider`.

    Args:
        script: the transcript of each segment, in order (a segment ends with `Finalize`); once it
            is used up, and without one, the words are read from the audio (`fakes.voice`).
        latency: seconds from `Finalize` to its transcript.
        interim: also yields what was heard so far, word by word.
        segmented: announced in the capabilities.
        answer_silence: a segment without words is answered with an empty transcript.
        faults: what goes wrong, by the number of the `transcribe` call.
        connect_error: `connect` raises this once.

    `transcripts` are the final texts given so far; `audio_secs` is how much audio came in;
    `running` counts the calls of `transcribe` that have not ended.

    """

    name = "fake-stt"

    def __init__(
        self,
        script: Sequence[str] | None = None,
        *,
        latency: Delay = 0.2,
        interim: bool = False,
        segmented: bool = False,
        answer_silence: bool = True,
        sample_rate: int = 16_000,
        faults: Faults | None = None,
        connect_delay: Delay = 0.0,
        connect_error: ServiceError | None = None,
    ) -> None:
        super().__init__(faults, connect_delay, connect_error)
        self.capabilities: STTCapabilities = STTCapabilities(
            sample_rate=sample_rate, segmented=segmented, interim=interim
        )
        self.transcripts: list[str] = []
        self.audio_secs: float = 0.0
        self._script = list(script or ())
        self._latency = latency
        self._answer_silence = answer_silence

    async def transcribe(
        self, audio: AsyncIterator[AudioChunk | Finalize]
    ) -> AsyncGenerator[Transcript, None]:
        call, rng = self.planned.begin(), stream(self.name)
        listener, words = Listener(), list[str]()
        self.running += 1
        try:
            await call.checkpoint()
            async for item in audio:
                if isinstance(item, AudioChunk):
                    self.audio_secs += len(item.pcm) / 2 / self.capabilities.sample_rate
                    heard = listener.hear(item.pcm)
                    words += heard
                    if heard and self.capabilities.interim:
                        await call.checkpoint()
                        yield Transcript(text=" ".join(words), final=False)
                    continue
                text = self._script.pop(0) if self._script else " ".join(words)
                words.clear()
                await wait(self._latency, rng)
                if text or self._answer_silence:
                    await call.checkpoint()
                    self.transcripts.append(text)
                    yield Transcript(text=text, final=True, finalized=True)
            if words:
                self.transcripts.append(" ".join(words))
                yield Transcript(text=self.transcripts[-1], final=True)
        finally:
            self.running -= 1
