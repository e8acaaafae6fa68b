"""Which words of an utterance have been heard when."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from antiphon.context.spoken import Heard, Pace, SpokenLedger, SpokenWord
from antiphon.frames.base import Frame
from antiphon.frames.llm import LLMMessagesAppendFrame


def texts(items: Sequence[Heard]) -> list[str]:
    """The words, and a star for each mark."""
    return [item.text if isinstance(item, SpokenWord) else "*" for item in items]


def mark() -> Frame:
    """Something that has its place between words."""
    return LLMMessagesAppendFrame(messages=[])


def test_exact_word_times() -> None:
    """A word comes out when its end lies within the audio, with its own time."""
    ledger = SpokenLedger()
    ledger.add_piece("One two. Three.")
    for word, end in (("One", 0.3), ("two.", 0.6), ("Three.", 1.0)):
        ledger.add_word(word, end)
    ledger.add_audio(0.7)
    out = ledger.take()
    assert texts(out) == ["One", " two."]
    assert [(w.end_secs, w.estimated) for w in out if isinstance(w, SpokenWord)] == [
        (0.3, False),
        (0.6, False),
    ]
    ledger.add_audio(0.4)
    assert texts(ledger.take()) == [" Three."]


def test_estimates_are_marked_and_share_out_the_known_length() -> None:
    """When the length of a piece is known its words share it by weight."""
    ledger = SpokenLedger()
    ledger.add_piece("aaaa aaaa aaaa aaaa")
    ledger.add_audio(2.0)
    ledger.piece_spoken()
    words = [w for w in ledger.take() if isinstance(w, SpokenWord)]
    assert [round(w.end_secs, 3) for w in words] == [0.5, 1.0, 1.5, 2.0]
    assert all(w.estimated for w in words)


def test_only_the_pieces_that_were_spoken_share_the_audio() -> None:
    """Text that waits for its turn takes nothing of the audio before it."""
    ledger = SpokenLedger()
    ledger.add_piece("aaaa aaaa ")
    ledger.add_piece("bbbb bbbb")
    ledger.add_audio(2.0)
    ledger.piece_spoken(1)
    words = [w for w in ledger.take() if isinstance(w, SpokenWord)]
    assert [(w.text.strip(), round(w.end_secs, 3)) for w in words] == [("aaaa", 1.0), ("aaaa", 2.0)]


def test_pauses_take_time() -> None:
    """A comma and a full stop are silence in the middle of the audio, after their word."""
    ledger = SpokenLedger()
    ledger.add_piece("aaaaa, aaaaa. aaaaa")
    ledger.add_audio(3.3)
    ledger.piece_spoken()
    ends = [round(w.end_secs, 2) for w in ledger.take() if isinstance(w, SpokenWord)]
    assert ends == [0.7, 1.8, 3.3]


def test_the_pace_is_learnt() -> None:
    """What one piece took is the estimate for the next, and for the next utterance."""
    pace = Pace()
    for _ in range(10):
        ledger = SpokenLedger(pace)
        ledger.add_piece("aaaaa aaaaa")
        ledger.add_audio(2.0)
        ledger.finish()
    assert abs(pace.secs_per_letter - 2.0 / 14) < 0.01
    fresh = SpokenLedger(pace)
    fresh.add_piece("aaaaa aaaaa")
    fresh.add_audio(1.1)
    assert texts(fresh.take()) == ["aaaaa"]


def test_what_is_shown_differs_from_what_is_spoken() -> None:
    """Words of the shown text come out when what is spoken for them has been heard."""
    for timed in (True, False):
        ledger = SpokenLedger()
        ledger.add_piece("It costs $5.00, ok?", "It costs five dollars, ok?")
        if timed:
            for index, word in enumerate(["It", "costs", "five", "dollars,", "ok?"]):
                ledger.add_word(word, 0.2 * (index + 1))
        ledger.add_audio(1.0)
        if not timed:
            ledger.piece_spoken()
        words = [w for w in ledger.take() if isinstance(w, SpokenWord)]
        assert "".join(w.text for w in words) == "It costs $5.00, ok?"
        by_text = {w.text: w.end_secs for w in words}
        assert 0.6 <= by_text[" $5.00,"] <= 0.85


def test_voices_report_words_in_odd_ways() -> None:
    """Punctuation apart, two words as one, other case: the letters decide."""
    ledger = SpokenLedger()
    ledger.add_piece("Don't stop, New York!")
    for index, word in enumerate(["Don't", "STOP", ",", "New York", "!"]):
        ledger.add_word(word, 0.2 * (index + 1))
    ledger.add_audio(2.0)
    assert texts(ledger.take()) == ["Don't", " stop,", " New", " York!"]


def test_a_word_the_voice_forgets_is_heard_with_the_next() -> None:
    """A gap in the reports does not hold up the rest."""
    ledger = SpokenLedger()
    ledger.add_piece("One two three.")
    ledger.add_word("One", 0.2)
    ledger.add_word("three", 0.6)
    ledger.add_audio(1.0)
    assert texts(ledger.take()) == ["One", " two", " three."]


def test_words_of_the_next_piece_close_the_one_before() -> None:
    """A voice that never reports the last word of a piece has said it when it is in the next."""
    ledger = SpokenLedger()
    ledger.add_piece("One two. ")
    ledger.add_piece("Three four.")
    for word, end in (("One", 0.2), ("Three", 0.6)):
        ledger.add_word(word, end)
    ledger.add_audio(0.7)
    assert texts(ledger.take()) == ["One", " two. ", "Three"]


def test_a_word_is_not_handed_out_before_its_end() -> None:
    """Half a word has not been heard."""
    ledger = SpokenLedger(Pace(0.1))
    ledger.add_piece("aaaaaaaa bbbbbbbb")
    ledger.add_audio(0.9)
    assert ledger.take() == []
    ledger.add_audio(0.2)
    assert texts(ledger.take()) == ["aaaaaaaa"]
    assert ledger.take(until=0.5) == []


def test_marks_keep_their_place() -> None:
    """A frame between two pieces comes out between their words."""
    ledger = SpokenLedger()
    ledger.add_mark(mark())
    ledger.add_piece("One ")
    ledger.add_mark(mark())
    ledger.add_piece("two.")
    assert texts(ledger.take()) == ["*"]
    ledger.add_audio(5.0)
    ledger.finish()
    assert texts(ledger.take()) == ["One ", "*", "two."]


def test_without_audio_nothing_was_heard() -> None:
    """Marks come out, words do not."""
    ledger = SpokenLedger()
    ledger.add_piece("One ")
    ledger.add_mark(mark())
    ledger.finish()
    assert texts(ledger.drain()) == ["*"]


def test_what_is_left_at_the_end_has_been_heard() -> None:
    """The last words end with the audio, whatever the estimate was."""
    ledger = SpokenLedger()
    ledger.add_piece("One two three four five six seven")
    ledger.add_audio(0.5)
    before = ledger.take()
    ledger.finish()
    words = [w for w in [*before, *ledger.drain()] if isinstance(w, SpokenWord)]
    assert "".join(w.text for w in words) == "One two three four five six seven"
    assert words[-1].end_secs <= 0.5


def test_a_promise_of_word_times_is_waited_for() -> None:
    """No estimate comes out before the voice has told of its words, or has ended without."""
    ledger = SpokenLedger(word_times=True)
    ledger.add_piece("One two.")
    ledger.add_audio(5.0)
    assert ledger.take() == []
    ledger.add_word("One", 0.4)
    assert texts(ledger.take()) == ["One"]
    silent = SpokenLedger(word_times=True)
    silent.add_piece("One two.")
    silent.add_audio(1.0)
    silent.finish()
    words = [word for word in silent.take() if isinstance(word, SpokenWord)]
    assert [(word.text, word.estimated) for word in words] == [("One", True), (" two.", True)]


def test_what_a_voice_that_broke_off_did_not_say_is_not_heard() -> None:
    """Words within its audio are, by their times or by estimate; marks always come out."""
    for timed in (True, False):
        ledger = SpokenLedger(Pace(0.1))
        ledger.add_piece("aaaa bbbb cccc")
        ledger.add_mark(mark())
        if timed:
            ledger.add_word("aaaa", 0.6)
        ledger.add_audio(0.7)
        ledger.break_off()
        assert texts(ledger.drain()) == ["aaaa", "*"]


def test_a_voice_that_begins_anew_tells_its_words_anew() -> None:
    """What it told in its first attempt does not count."""
    ledger = SpokenLedger()
    ledger.add_piece("one ")
    ledger.add_piece("two three")
    ledger.add_word("one", 0.1)
    ledger.forget_words()
    for word, end in (("one", 0.3), ("two", 0.6), ("three", 0.9)):
        ledger.add_word(word, end)
    ledger.add_audio(0.5)
    assert texts(ledger.take()) == ["one "]


def test_an_estimate_is_held_back_until_it_can_have_been_played() -> None:
    """Until then the length of the piece may become known, and the estimate better."""
    ledger = SpokenLedger(Pace(0.1))
    ledger.add_piece("aaaa bbbb cccc")
    ledger.add_audio(3.6)
    assert ledger.take(played=0.5) == []
    assert ledger.next_end == pytest.approx(0.6)
    ledger.finish()
    words = [word for word in ledger.take(played=0.5) if isinstance(word, SpokenWord)]
    assert [round(word.end_secs, 3) for word in words] == [1.2, 2.4, 3.6]
    assert ledger.next_end is None


def test_a_fixed_mark_is_not_held_up_by_an_estimate() -> None:
    """It has its place behind the audio that was sent before it, so nothing before it waits."""
    ledger = SpokenLedger(Pace(0.1))
    ledger.add_piece("aaaa ")
    ledger.add_mark(mark())
    ledger.add_piece("bbbb")
    ledger.add_audio(0.8)
    assert texts(ledger.take(played=0.0)) == ["aaaa ", "*"]
    loose = SpokenLedger(Pace(0.1))
    loose.add_piece("aaaa ")
    loose.add_mark(mark(), fixed=False)
    loose.add_piece("bbbb")
    loose.add_audio(0.8)
    assert loose.take(played=0.0) == []


def test_a_voice_that_falls_silent_has_spoken_what_it_was_given() -> None:
    """As far as its audio can hold that: the last words do not wait for the next sentence."""
    ledger = SpokenLedger(Pace(0.1))
    ledger.add_piece("aaaa bbbb ")
    ledger.add_piece("cccc dddd ")
    ledger.add_audio(1.0)
    assert texts(ledger.take()) == ["aaaa"]
    ledger.settle()
    words = [word for word in ledger.take() if isinstance(word, SpokenWord)]
    assert [word.text for word in words] == [" bbbb "]
    assert words[0].end_secs == pytest.approx(1.0)


def test_a_piece_does_not_begin_in_audio_from_before_it_was_read() -> None:
    """However fast the pace says that the piece before it was."""
    ledger = SpokenLedger(Pace(0.1))
    ledger.add_piece("aaaa ")
    ledger.add_piece("bbbb")
    ledger.add_audio(2.0)
    ledger.piece_read(2)
    ledger.add_audio(0.6)
    words = [word for word in ledger.take() if isinstance(word, SpokenWord)]
    assert [word.end_secs for word in words] == [pytest.approx(0.6), pytest.approx(2.6)]


def test_which_pieces_have_begun() -> None:
    """By estimate, or by the words that were told."""
    for timed in (True, False):
        ledger = SpokenLedger(Pace(0.1))
        ledger.add_piece("aaaa ")
        ledger.add_piece("bbbb")
        ledger.add_audio(2.0)
        if timed:
            ledger.add_word("aaaa", 0.6)
            ledger.take(0.5)
        assert ledger.begun(0.5) == 1
        ledger.take(0.7)
        assert ledger.begun(0.7) == 2


@pytest.mark.parametrize("timed", [True, False])
def test_laws(timed: bool) -> None:
    """Random texts, audio and reports: all once, in order, ends that grow within the audio."""
    vocabulary = ["a", "word", "it's", "$5", "好", "你好", "end.", "well,", "🎉", "42", "-"]
    for seed in range(1_500):
        rng = random.Random(seed)
        ledger, shown, out = SpokenLedger(), "", list[Heard]()
        marks, spoken_words = 0, list[str]()
        for _ in range(rng.randint(1, 4)):
            piece = " ".join(rng.choice(vocabulary) for _ in range(rng.randint(1, 5))) + " "
            said = (
                piece.replace("$5", "five dollars").replace("🎉", "")
                if rng.random() < 0.5
                else piece
            )
            ledger.add_piece(piece, said)
            spoken_words += said.split()
            shown += piece
            if rng.random() < 0.4:
                ledger.add_mark(mark())
                marks += 1
            for _ in range(rng.randint(0, 3)):
                _advance(ledger, rng, spoken_words if timed else None)
                out += ledger.take()
            if rng.random() < 0.5:
                ledger.piece_spoken()
        ledger.add_audio(rng.random())
        out += ledger.take()
        ledger.finish()
        out += ledger.drain()
        words = [item for item in out if isinstance(item, SpokenWord)]
        assert "".join(word.text for word in words) == shown
        assert len(out) - len(words) == marks
        ends = [word.end_secs for word in words]
        assert ends == sorted(ends)
        assert all(0 <= end <= ledger.audio_secs + 1e-9 for end in ends)
        assert ledger.take() == ledger.drain() == []


def _advance(ledger: SpokenLedger, rng: random.Random, words: list[str] | None) -> None:
    """More audio, and sometimes the report of a word: in time, early, wrong, or not at all."""
    ledger.add_audio(rng.choice((0.0, 0.1, 0.5, 2.0)))
    if words and rng.random() < 0.8:
        word = words.pop(0) if rng.random() < 0.8 else rng.choice(["nonsense", "", "a"])
        ledger.add_word(word, max(0.0, ledger.audio_secs + rng.choice((-0.2, 0.0, 0.3))))


@pytest.mark.parametrize("timed", [True, False])
def test_what_a_transform_takes_away_is_lost_and_nothing_else(timed: bool) -> None:
    """Letters that go in come out, spoken or lost, and what follows a link is heard."""
    for seed in range(300):
        rng = random.Random(f"taken {seed}")
        words = [rng.choice(["no", "yes", "well,", "好", "end."]) for _ in range(rng.randint(2, 9))]
        gone = {index for index in range(len(words)) if rng.random() < 0.2}
        for index in gone:
            words[index] = f"https://x{index}.example"
        said = [word for index, word in enumerate(words) if index not in gone]
        if not said:
            continue
        ledger = SpokenLedger(word_times=timed)
        ledger.add_piece(" ".join(words), " ".join(said))
        for number, word in enumerate(said):
            ledger.add_audio(0.3)
            if timed:
                ledger.add_word(word, 0.3 * (number + 1))
        out = ledger.take()
        ledger.finish()
        out += ledger.drain()
        heard = "".join(item.text for item in out if isinstance(item, SpokenWord)).split()
        assert heard == said, f"seed {seed}"
        assert ledger.lost.split() == [words[index] for index in sorted(gone)], f"seed {seed}"
