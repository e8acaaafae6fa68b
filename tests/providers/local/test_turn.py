"""smart-turn: Whisper's features, and its opinion on finished and unfinished utterances."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from antiphon.errors import InvalidInputError, MissingModelError
from antiphon.providers.local.inference import TURNS, InferenceQueue
from antiphon.providers.local.model_store import ModelStore
from antiphon.providers.local.turn import LocalSmartTurnModel, _mel_filters, last_seconds, log_mel
from tests.providers.local.conftest import SpeechOf

PAUSE = bytes(6400)  # 0.2 s


def probabilities(*utterances: bytes) -> list[float]:
    """The model's opinion on each."""

    async def main() -> list[float]:
        model = LocalSmartTurnModel()
        await model.connect()
        return await asyncio.gather(*(model.complete_probability(pcm) for pcm in utterances))

    return asyncio.run(main())


@pytest.mark.models
def test_finished_utterances_score_high(speech: SpeechOf) -> None:
    """Whole questions and requests, followed by a pause, are taken for complete."""
    said = (
        "What is the capital of Germany?",
        "Please set a timer for ten minutes.",
        "My name is Joe and I live in London.",
    )
    assert min(probabilities(*(speech(text) + PAUSE for text in said))) > 0.9


@pytest.mark.models
def test_cut_utterances_score_lower(speech: SpeechOf) -> None:
    """Utterances broken off in the middle of a word score clearly lower than whole ones."""
    said = (
        speech("My name is Joe and I live in London."),
        speech("What is the capital of Germany?"),
        speech("Can you tell me the weather in Paris?"),
    )
    cut = [pcm[: int(len(pcm) * 0.7) // 2 * 2] + PAUSE for pcm in said]
    assert max(probabilities(*cut)) < 0.5


@pytest.mark.models
def test_only_the_last_eight_seconds_count(beckett: bytes) -> None:
    """Audio longer than eight seconds is judged by its end."""
    whole, end = probabilities(beckett, beckett[-2 * 128_000 :])
    assert whole == end


@pytest.mark.models
def test_any_length_has_a_probability() -> None:
    """No audio, one sample and a fraction of a second all give a value between 0 and 1."""
    assert all(0 <= value <= 1 for value in probabilities(b"", b"\1\0", PAUSE))


@pytest.mark.models
def test_a_cancelled_question_leaves_no_job(beckett: bytes) -> None:
    """Whoever stops waiting for an opinion leaves nothing in the lane."""

    async def main() -> None:
        await TURNS.run(lambda: None)
        before = TURNS.pending  # a virtual loop that was closed may have left jobs that never began
        asked = [
            asyncio.create_task(LocalSmartTurnModel().complete_probability(beckett))
            for _ in range(5)
        ]
        await asyncio.sleep(0)
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
        async with asyncio.timeout(60):  # a machine may be slow; a job that stays is there for ever
            while TURNS.pending > before:
                await TURNS.run(lambda: None)

    asyncio.run(main())


def test_half_a_sample_is_refused() -> None:
    """Audio that ends in the middle of a sample is one clear error."""
    with pytest.raises(InvalidInputError, match="3 bytes"):
        asyncio.run(LocalSmartTurnModel().complete_probability(bytes(3)))


def test_a_missing_model_is_known_at_connect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the model's file, connect() fails and says what to run."""
    monkeypatch.setattr("antiphon.providers.local.model_store._package_file", lambda inside: None)
    model = LocalSmartTurnModel(store=ModelStore(tmp_path), lane=InferenceQueue("test"))
    with pytest.raises(MissingModelError, match=r"antiphon models fetch smart-turn-v3\.2"):
        asyncio.run(model.connect())


def test_features_have_whispers_shape_and_range() -> None:
    """Features are 80 bands by 800 frames; the loudest is at most 2 above the quietest."""
    tone = np.sin(np.arange(128_000) * 2 * np.pi * 1000 / 16_000).astype(np.float32)
    features = log_mel(tone)
    assert features.shape == (80, 800)
    assert features.dtype == np.float32
    assert features.max() - features.min() == pytest.approx(2.0, abs=1e-6)
    # 1 kHz is 15 mel; 82 edges lie evenly between 0 and 45.2 mel, so it is between bands 25 and 26.
    assert int(features[:, 400].argmax()) in {25, 26}


def test_features_do_not_depend_on_loudness() -> None:
    """The wave is normalised: the same sound at a tenth of the level has the same features."""
    sound = np.random.default_rng(7).standard_normal(128_000, np.float32)
    loud, quiet = log_mel(sound), log_mel(sound * np.float32(0.1))
    assert np.allclose(loud, quiet, atol=1e-3)


def test_mel_filters_are_triangles_of_one_area() -> None:
    """Each of Slaney's filters is a triangle with area 1 over frequency, the wider the lower."""
    filters = _mel_filters()
    assert filters.shape == (201, 80)
    assert (filters >= 0).all()
    areas = filters[:, 40:].sum(axis=0) * 40  # bins are 40 Hz apart
    assert areas == pytest.approx(1, rel=0.08)
    assert filters[:, 79].max() < filters[:, 30].max()


def test_short_audio_is_padded_at_its_start() -> None:
    """Silence goes before the audio, which keeps its end; longer audio loses its start."""
    samples = np.arange(1, 5, dtype=np.float32)
    padded = last_seconds(samples)
    assert len(padded) == 128_000
    assert (padded[-4:] == samples).all()
    assert not padded[:-4].any()
    assert last_seconds(np.arange(130_000, dtype=np.float32))[0] == 2000
