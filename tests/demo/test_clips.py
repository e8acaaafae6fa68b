from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import numpy as np
import pytest

from antiphon.audio.clip import LOUDNESS
from antiphon.audio.pcm import silence, to_bytes, to_float, to_samples
from antiphon.audio.vad import VoiceDetector, VoiceStarted, VoiceStopped
from antiphon.demo import clips
from antiphon.demo.clips import CALLER_PITCH, SAMPLE_RATE, Clip, clips_of
from antiphon.demo.script import SCRIPT, Reading, ScriptedPause, ScriptedSpeech, Turn
from antiphon.observe.words import error_rate
from antiphon.providers.local.registry import ModelFile
from antiphon.providers.local.stt import LocalSTTProvider
from antiphon.providers.local.tts import LocalTTSProvider
from antiphon.providers.local.turn import LocalSmartTurnModel
from antiphon.providers.local.vad import SileroVADAnalyzer
from antiphon.services.contracts import SpeechAudio, TTSCapabilities
from antiphon.simulation.loop.virtual_time import run
from tests.demo.here import needs_models

NOWHERE = (ModelFile("x.wav", "0" * 64, 1, ("no_such_package/x.wav",)),)


class Tone:
    """A voice that hums: a second for each word, with silence around it."""

    name = "tone"
    capabilities = TTSCapabilities(sample_rate=SAMPLE_RATE)

    async def connect(self) -> None:
        """Ready."""

    async def close(self) -> None:
        """Done."""

    async def synthesize(self, text: AsyncIterator[str]) -> AsyncIterator[SpeechAudio]:
        """The hum."""
        async for piece in text:
            hum = np.full(SAMPLE_RATE * len(piece.split()), 3000, np.int16)
            yield SpeechAudio(silence(0.3, SAMPLE_RATE) + to_bytes(hum))


def test_pieces_follow_each_other_trimmed_and_even(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence around words is cut off, pauses are kept, every piece is as loud as the others.

    Where the recording is not on this machine, the voice reads.
    """
    monkeypatch.setattr(clips, "READING", msgspec.structs.replace(clips.READING, files=NOWHERE))
    turn = Turn((ScriptedSpeech("one"), ScriptedPause(0.5), Reading("two words")))
    (clip,) = run(clips_of([turn], Tone()), executor_secs=0.01)
    samples = to_samples(clip.pcm)
    assert not clip.recorded
    assert clip.secs == pytest.approx(3.5, abs=0.01)
    assert int(np.abs(samples).max()) == pytest.approx(LOUDNESS * 32_768, rel=0.01)
    assert not samples[int(1.1 * SAMPLE_RATE) : int(1.4 * SAMPLE_RATE)].any()


class Stretch(msgspec.Struct):
    """Speech between two silences, as the pipeline will hear it."""

    text: str
    complete: float


def heard(clip: Clip) -> list[Stretch]:
    """The stretches of speech in a clip: what is understood, and whether it sounds complete."""
    line = silence(1.0, SAMPLE_RATE) + clip.pcm + silence(1.0, SAMPLE_RATE)
    detector = VoiceDetector(SileroVADAnalyzer())
    stt, turn = LocalSTTProvider(), LocalSmartTurnModel()

    async def listen() -> list[Stretch]:
        stretches, began = [], 0.0
        for k in range(0, len(line), 640):
            for event in detector.feed(line[k : k + 640], (k + 640) / (2 * SAMPLE_RATE)):
                if isinstance(event, VoiceStarted):
                    began = event.since - 0.3
                elif isinstance(event, VoiceStopped):
                    first, last = (2 * round(t * SAMPLE_RATE) for t in (began, event.at))
                    text = stt.read(to_float(line[first:last]))
                    complete = await turn.complete_probability(line[:last])
                    stretches.append(Stretch(text, complete))
        return stretches

    return run(listen(), executor_secs=0.01)


@needs_models
@pytest.mark.parametrize("turn", SCRIPT, ids=lambda turn: turn.text[:30])
def test_the_script_can_be_understood(turn: Turn) -> None:
    """A turn is one stretch of speech, which sounds complete; a hesitation in it does not."""

    async def make() -> list[Clip]:
        return await clips_of([turn], LocalTTSProvider(pitch=CALLER_PITCH, variation=0.0))

    (clip,) = run(make(), executor_secs=0.01)
    *unfinished, last = heard(clip)
    pauses = [p for p in turn.pieces if isinstance(p, ScriptedPause) and p.secs > 0.2]
    assert len(unfinished) == len(pauses)
    assert all(stretch.complete < 0.3 for stretch in unfinished)
    assert last.complete > 0.6
    assert clip.recorded is any(isinstance(piece, Reading) for piece in turn.pieces)
    understood = " ".join(stretch.text for stretch in [*unfinished, last])
    assert error_rate(turn.text, understood.replace("ood-by", "oodby")) <= 0.25
