"""Local transcription: of real speech, of nothing, and under bad conditions."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from antiphon.audio.pcm import to_bytes
from antiphon.errors import AntiphonError, InvalidInputError, MissingModelError
from antiphon.providers.local.inference import HEARING, InferenceQueue
from antiphon.providers.local.model_store import ModelStore
from antiphon.providers.local.moonshine import Decoded
from antiphon.providers.local.stt import (
    AudioSegment,
    LocalSTTProvider,
    comes_and_goes,
    is_plausible,
)
from antiphon.services.contracts import AudioChunk, Finalize, Transcript
from tests.providers.local.conftest import SpeechOf, Stream

SILENCE = bytes(16_000)  # half a second


def noise(level: float, secs: float = 2.0) -> bytes:
    """White noise of this RMS, 1.0 being full scale."""
    samples = np.random.default_rng(4).standard_normal(int(16_000 * secs)) * level
    return to_bytes(samples)


def transcripts(stream: Stream, *pieces: bytes, breathe: bool = False) -> list[Transcript]:
    """What a fresh provider hears in the pieces, each an utterance."""

    async def main() -> list[Transcript]:
        provider = LocalSTTProvider()
        await provider.connect()
        heard = provider.transcribe(stream(*pieces, breathe=breathe))
        return [transcript async for transcript in heard]

    return asyncio.run(main())


@pytest.mark.models
def test_a_sentence_is_heard(speech: SpeechOf, stream: Stream) -> None:
    """A synthesised sentence comes back, once, final and as the answer to Finalize."""
    said = SILENCE + speech("What is the capital of Germany?") + SILENCE
    (heard,) = [t for t in transcripts(stream, said) if t.final]
    assert heard.text == "What is the capital of Germany?"
    assert heard.finalized
    assert heard.language == "en"


@pytest.mark.models
def test_a_recording_is_heard(beckett: bytes, stream: Stream) -> None:
    """A recorded voice is transcribed with nearly every word, loud or 30 dB quieter."""
    quiet = to_bytes(np.frombuffer(beckett, np.int16).astype(np.float32) / 32768 / 30)
    finals = [t.text.lower() for t in transcripts(stream, beckett, quiet) if t.final]
    assert len(finals) == 2
    for text in finals:
        words = text.replace(",", "").replace(".", "").split()
        assert words == "ever tried ever failed no matter try again fail again fail better".split()


@pytest.mark.models
def test_interim_results_come_while_audio_does(speech: SpeechOf, stream: Stream) -> None:
    """While somebody speaks there are interim results, each news; then one final."""
    said = SILENCE + speech("Please set a timer for ten minutes and call me back.") + SILENCE
    heard = transcripts(stream, said, breathe=True)
    *interim, final = heard
    assert interim
    assert not any(t.final or t.finalized for t in interim)
    texts = [t.text for t in interim]
    assert all(before != after for before, after in itertools.pairwise(texts))
    assert "timer" in final.text
    assert final.finalized


@pytest.mark.models
@pytest.mark.parametrize(
    "sound",
    [b"", bytes(64_000), noise(0.0003), noise(0.003), noise(0.01, 4.0), noise(0.1), noise(0.06, 1)],
    ids=["nothing", "silence", "-70 dB", "-50 dB", "-40 dB, long", "-20 dB", "-24 dB, short"],
)
def test_nothing_is_heard_in_nothing(sound: bytes, stream: Stream) -> None:
    """Silence and steady noise give one empty answer to Finalize, and no invented words."""
    (heard,) = transcripts(stream, sound)
    assert heard == Transcript(text="", final=True, finalized=True, language="en")


@pytest.mark.models
def test_a_single_word_is_heard(speech: SpeechOf, stream: Stream) -> None:
    """A word of a third of a second, without any silence around it, is heard."""
    (heard,) = transcripts(stream, speech("Yes."))
    assert heard.text.strip(".").lower() == "yes"


@pytest.mark.models
def test_a_monologue_is_cut_at_a_pause(beckett: bytes, stream: Stream) -> None:
    """Audio beyond the longest segment comes out in parts that together are all of it."""
    heard = transcripts(stream, beckett * 3)
    finals = [t for t in heard if t.final]
    assert [t.finalized for t in finals] == [False, True]
    assert " ".join(t.text for t in finals).lower().count("try again") == 3


@pytest.mark.models
def test_what_is_left_at_the_end_is_transcribed(speech: SpeechOf) -> None:
    """Audio that ends without Finalize is transcribed, final but not finalized."""

    async def main() -> list[Transcript]:
        async def audio() -> AsyncIterator[AudioChunk | Finalize]:
            yield AudioChunk(SILENCE + speech("No, thank you."))

        return [t async for t in LocalSTTProvider().transcribe(audio())]

    (heard,) = asyncio.run(main())
    assert heard.text.lower().startswith("no, thank you")
    assert (heard.final, heard.finalized) == (True, False)


@pytest.mark.models
def test_sessions_share_one_model(speech: SpeechOf, stream: Stream) -> None:
    """Two sessions at once, on two providers, use one loaded model and hear their own."""
    first, second = LocalSTTProvider(), LocalSTTProvider()

    async def hear(provider: LocalSTTProvider, text: str) -> str:
        heard = provider.transcribe(stream(SILENCE + speech(text) + SILENCE))
        return [t.text async for t in heard if t.final][-1]

    async def main() -> tuple[str, str]:
        return await asyncio.gather(
            hear(first, "What time is it?"), hear(second, "Tell me a joke, please.")
        )

    one, other = asyncio.run(main())
    assert "time" in one
    assert "joke" in other
    assert first._model() is second._model()


@pytest.mark.models
@pytest.mark.parametrize("finalized", [False, True])
def test_closing_leaves_no_job(beckett: bytes, finalized: bool) -> None:
    """A session cancelled in the middle of a reading, interim or final, leaves none in the lane."""

    async def main() -> None:
        reading = asyncio.Event()

        async def audio() -> AsyncIterator[AudioChunk | Finalize]:
            yield AudioChunk(beckett)
            reading.set()
            if finalized:
                yield Finalize()
            await asyncio.Event().wait()

        async def session() -> None:
            async for _ in LocalSTTProvider().transcribe(audio()):
                pass

        task = asyncio.create_task(session())
        await reading.wait()
        assert HEARING.pending >= 1
        await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await HEARING.run(lambda: None)
        assert HEARING.pending == 0

    asyncio.run(main())


def test_half_a_sample_is_refused(stream: Stream) -> None:
    """A chunk that ends in the middle of a sample is one clear error."""

    async def main() -> None:
        with pytest.raises(InvalidInputError, match="321 bytes"):
            async for _ in LocalSTTProvider().transcribe(stream(bytes(321))):
                pass

    asyncio.run(main())


def test_a_missing_model_is_known_at_connect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the model's files, connect() fails and says what to run."""
    monkeypatch.setattr("antiphon.providers.local.model_store._package_file", lambda inside: None)
    provider = LocalSTTProvider(store=ModelStore(tmp_path), lane=InferenceQueue("test"))
    with pytest.raises(MissingModelError, match="antiphon models fetch moonshine-tiny-en"):
        asyncio.run(provider.connect())


def test_silence_needs_no_model(tmp_path: Path) -> None:
    """Silence and faint hiss are not given to the model, which would cost a transcript's time."""
    provider = LocalSTTProvider(store=ModelStore(tmp_path, models=()))
    hiss = np.random.default_rng(8).standard_normal(16_000).astype(np.float32) * 0.0005
    assert provider.read(np.zeros(16_000, np.float32)) == ""
    assert provider.read(hiss) == ""
    with pytest.raises(AntiphonError):
        provider.read(hiss * 10)


def test_interim_readings_are_spaced() -> None:
    """An interim reading is due after the given time, and after an eighth of a long segment."""
    segment = AudioSegment(interim_secs=0.4)

    def due_after(size: int) -> bool:
        segment.add(bytes(size))
        return segment.interim_is_due

    assert [due_after(12_798), due_after(2)] == [False, True]
    segment.audio()
    assert not due_after(0)
    assert due_after(320_000)
    segment.audio()
    assert [due_after(40_000), due_after(10_000)] == [False, True]


def test_a_segment_is_cut_at_its_quietest_moment() -> None:
    """The cut falls into the pause of the second half; no sample is lost or doubled."""
    loud = np.random.default_rng(5).integers(-9000, 9000, 16_000 * 21, np.int16)
    loud[16_000 * 14 : 16_000 * 14 + 6400] //= 100
    segment = AudioSegment(interim_secs=0.4)
    segment.add(loud.tobytes())
    assert segment.is_too_long
    part, rest = segment.cut(), segment.take()
    assert 14.0 <= len(part) / 16_000 <= 14.4
    assert (np.concatenate([part, rest]) * 32768 == loud).all()


def test_readings_of_noise_are_not_believed() -> None:
    """Unsure or likely invented readings are believed only of sound that comes and goes."""
    steady = np.random.default_rng(6).standard_normal(16_000).astype(np.float32) * 0.05
    spoken = np.concatenate([steady / 50, steady[:4000], steady / 50])
    assert comes_and_goes(spoken)
    assert not comes_and_goes(steady)
    assert is_plausible(Decoded("Good morning.", -0.1), steady)
    assert not is_plausible(Decoded("The first is the", -3.4), spoken)
    assert not is_plausible(Decoded("You", -0.6), steady)
    assert is_plausible(Decoded("You.", -0.6), spoken)
    assert not is_plausible(Decoded("You can see the screen.", -1.9), steady)
    assert is_plausible(Decoded("Live it.", -0.9), spoken)
    assert not is_plausible(Decoded("♪", -0.6), spoken)
    assert not is_plausible(Decoded("2-3ตวบนลาง 01/02", -0.3), spoken)
    assert is_plausible(Decoded("It’s a café.", -0.3), steady)
