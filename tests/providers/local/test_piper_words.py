"""Which word is heard when: matched from the text to the sounds, whatever becomes of it between."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.audio.pcm import to_float
from antiphon.providers.local.piper import SAMPLE_RATE
from antiphon.providers.local.piper_text import clauses, speakable
from antiphon.providers.local.piper_words import PieceWords, Span, aligned, parts_of, word_sounds
from antiphon.providers.local.tts import LocalTTSProvider
from antiphon.services.contracts import SpeechAudio, WordTime

SENTENCES = """
The library opens at nine in the morning, and closes late in the evening.
It costs 3.14 or $80, on March 3rd at 4:30 p.m., i.e. 15%.
In a (very) "short" well-known joke — café 東京 R & D. Call 555-1234 now!
👋 Dr. Who, U.S.A., won't pay 5km: it's o'clock/rock 'n' roll - isn't it?
Out of the blue, "東京" was 1/2 as big as C++, or 2-3 zorblax xylotronics.
""".strip().splitlines()


def said(
    *texts: str, variation: float = 0.0, pitch: float = 1.0, speed: float = 1.0
) -> tuple[list[WordTime], bytes]:
    """The times of the words, and the audio; no time may come behind the word's audio."""
    voice = LocalTTSProvider(variation=variation, pitch=pitch, speed=speed)

    async def pieces() -> AsyncIterator[str]:
        for text in texts:
            yield text

    async def main() -> tuple[list[WordTime], bytes]:
        words, audio = list[WordTime](), b""
        async for event in voice.synthesize(pieces()):
            if isinstance(event, SpeechAudio):
                audio += event.pcm
            else:
                assert event.end_secs >= len(audio) / 2 / SAMPLE_RATE - 1e-6
                words.append(event)
        return words, audio

    return asyncio.run(main())


def plain_words(text: str) -> list[str]:
    """What has a letter or a digit, between spaces."""
    return [word for word in text.split() if any(map(str.isalnum, word))]


@pytest.mark.models
@pytest.mark.parametrize(
    "how",
    [{}, {"pitch": 1.25, "variation": 1.0}, {"speed": 0.7}, {"speed": 1.5}],
    ids=str,
)
def test_every_word_has_its_time_within_the_audio(how: dict[str, float]) -> None:
    """All words of all pieces, in order, monotonic, inside the audio and near its end."""
    words, audio = said(*SENTENCES, **how)
    secs = len(audio) / 2 / SAMPLE_RATE
    assert [word.word for word in words] == [w for text in SENTENCES for w in plain_words(text)]
    for word, after in itertools.pairwise(words):
        assert 0 <= word.start_secs <= word.end_secs <= secs
        assert word.start_secs <= after.start_secs
        assert word.end_secs <= after.end_secs
    assert secs - 0.4 < words[-1].end_secs <= secs
    timed = [word for word in words if word.end_secs > word.start_secs]
    assert len(timed) == len(words) - 2  # the two in a script that it does not read


def silences(audio: bytes) -> list[tuple[float, float]]:
    """Where nothing is heard for 0.12 s or longer, within."""
    frame = SAMPLE_RATE // 100
    wave = to_float(audio)
    loud = np.sqrt((wave[: len(wave) // frame * frame].reshape(-1, frame) ** 2).mean(1))
    found, at = list[tuple[float, float]](), 0.0
    for quiet, run in itertools.groupby(loud < 0.06 * loud.max()):
        length = len(list(run)) / 100
        if quiet and length >= 0.12:
            found.append((at, at + length))
        at += length
    return [(begin, end) for begin, end in found if begin > 0 and end < at - 0.01]


@pytest.mark.models
@pytest.mark.parametrize("how", [{}, {"pitch": 1.25}, {"speed": 0.7}, {"speed": 1.5}], ids=str)
def test_pauses_are_where_the_times_say(how: dict[str, float]) -> None:
    """At each silence in the audio one word has just ended and the next is about to begin: within
    30 ms at its end, and 70 at its beginning, where a sound dies away; also between clauses.
    """
    words, audio = said("Wait. Nobody knows, nobody wonders, and nobody will ever know.", **how)
    pauses = [
        (word.end_secs, after.start_secs)
        for word, after in itertools.pairwise(words)
        if word.word[-1] in ",."
    ]
    heard = silences(audio)
    assert len(heard) == len(pauses) == 3
    for (ended, begins), (quiet, loud) in zip(pauses, heard, strict=True):
        assert ended == pytest.approx(quiet, abs=0.07)
        assert begins == pytest.approx(loud, abs=0.03)


@pytest.mark.models
def test_what_is_silent_is_told_with_what_is_said() -> None:
    """Words of which nothing is said come with the first sound after them, or at once behind one;
    an utterance without any sound tells of none.
    """
    words, audio = said("東京", "Hello. 東京", "東京!")
    end = len(audio) / 2 / SAMPLE_RATE
    first, hello, behind, last = words
    assert (first.word, first.start_secs, first.end_secs) == ("東京", 0, 0)
    assert hello.word == "Hello."
    assert behind.start_secs == behind.end_secs == hello.end_secs
    assert (last.word, last.start_secs, last.end_secs) == ("東京!", end, end)
    assert said("東京", "👋") == ([], b"")


@pytest.mark.models
def test_a_voice_that_does_not_tell_gives_no_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model without the durations speaks as ever; `connect` finds out and promises no words."""
    voice = LocalTTSProvider()
    with monkeypatch.context() as patch:
        patch.setattr("antiphon.providers.local.piper.with_output_of", _nothing)
        patch.setattr("antiphon.providers.local.tts._VOICE", _fresh())
        asyncio.run(voice.connect())
        assert not voice.capabilities.word_times
        assert voice.capabilities.piecewise

        async def main() -> list[type]:
            async def pieces() -> AsyncIterator[str]:
                yield "Hello there."
                yield "東京"

            return [type(event) async for event in voice.synthesize(pieces())]

        assert set(asyncio.run(main())) == {SpeechAudio}
    asyncio.run(voice.connect())
    assert voice.capabilities.word_times


def _nothing(path: Path, operator: str) -> None:
    assert (path.suffix, operator) == (".onnx", "Ceil")


def _fresh() -> object:
    from antiphon.providers.local.inference import Shared
    from antiphon.providers.local.piper import Piper

    return Shared(Piper.load)


# ---- matching, without a voice ------------------------------------------------------------------

LETTERS = st.text("abc1 ", max_size=4)


@given(st.lists(st.sampled_from("abcd"), max_size=7), st.lists(st.sampled_from("abcd"), max_size=7))
def test_rows_are_matched_whole_and_in_order(row: list[str], other: list[str]) -> None:
    """Every word of both rows is in exactly one group, in order, and no group owns nobody's."""
    groups = aligned(row, other)
    assert [at for own, _ in groups for at in own] == list(range(len(row)))
    if row:
        assert [at for _, theirs in groups for at in theirs] == list(range(len(other)))
        assert all(own for own, _ in groups)


@given(st.lists(st.sampled_from("abcd"), max_size=7), st.lists(LETTERS, min_size=4, max_size=4))
def test_no_word_is_lost_however_it_is_read(words: list[str], readings: list[str]) -> None:
    """Whatever words become alone and together: one range for each, and never backwards."""
    alone = dict(zip("abcd", readings, strict=True))
    for together in (words, "a b c".split(), [*words, "x"], words[1:], []):
        found = parts_of(words, together, alone.__getitem__, str)
        assert len(found) == len(words)
        for those, after in itertools.pairwise(found):
            assert those.start <= after.start
            assert those.stop <= after.stop
        assert all(0 <= those.start <= those.stop <= len(together) for those in found)


@given(st.text("aé1.5$%&-—:/東\U0001f44b km(\"'", max_size=40))
def test_every_piece_has_all_its_words_told(piece: str) -> None:
    """Any text: its words, each once and in order, with ends that never decrease."""
    parts = clauses(speakable(piece), first=True)
    words, told, at = PieceWords(piece, parts), list[WordTime](), 0
    for clause in parts:
        count = len(clause.split())
        told += words.spoken([Span(at + i, at + i + 0.5) for i in range(count)])
        at += count
    told += words.unsaid(at)
    assert [word.word for word in told] == plain_words(piece)
    assert all(a.end_secs <= b.end_secs for a, b in itertools.pairwise(told))
    assert all(a.start_secs <= b.start_secs for a, b in itertools.pairwise(told))


@pytest.mark.parametrize(
    ("piece", "times"),
    [
        ("one two", [(0, 1), (1, 2)]),
        ("about 5km away", [(0, 1), (1, 3), (3, 4)]),
        ("R & D", [(0, 1), (2, 3)]),
        ("so—well then", [(0, 2), (2, 3)]),
        ("a 東京 b", [(0, 1), (1, 1), (1, 2)]),
        ("東京 b", [(0, 0), (0, 1)]),
        ("at 4:30 PM", [(0, 1), (1, 3), (3, 4)]),
        ("on 2024-03-05.", [(0, 1), (1, 4)]),
        ("(415) 555-1234 now", [(0, 3), (3, 10), (10, 11)]),
    ],
)
def test_words_are_found_in_what_is_read(piece: str, times: list[tuple[int, int]]) -> None:
    """Each given word has the time of what is read for it, a second a word."""
    words, told, at = PieceWords(piece, parts := clauses(speakable(piece), first=True)), [], 0
    for clause in parts:
        count = len(clause.split())
        told += words.spoken([Span(at + i, at + i + 1) for i in range(count)])
        at += count
    assert [(word.start_secs, word.end_secs) for word in told] == times


def test_sounds_are_found_by_how_words_sound_alone() -> None:
    """Numbers are several sounds, quotes none; words that flow together share theirs."""
    book = {"it": "ɪt", "80": "ˈeɪɾi fɔːɹ", "'": "", "of": "ʌv", "the": "ðə", "day": "dˈeɪ"}
    sounds = word_sounds("it 80 ' day", ["ˌɪt", "ˈeɪɾi", "fˈɔːɹ", "dˈeɪ"], book.__getitem__)
    assert sounds == [range(1), range(1, 3), range(3, 3), range(3, 4)]
    merged = word_sounds("it of the day", ["ɪt", "əvðə", "dˈeɪ"], book.__getitem__)
    assert merged == [range(1), range(1, 2), range(1, 2), range(2, 3)]
