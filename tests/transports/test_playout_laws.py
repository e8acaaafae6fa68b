"""What the playout machine promises, tried with thousands of random conversations.

Each seed is a conversation of its own: utterances in pieces of random size with words early, late
and beyond their end, sound and frames that may and may not be dropped, interruptions, pauses, keys,
stalls and a random configuration. A reference that only knows what was sent when says what must
come out.
"""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest

from antiphon.audio.pcm import to_samples
from antiphon.frames.speech import TTSStartedFrame, TTSStoppedFrame
from antiphon.frames.text import TTSTextFrame
from antiphon.transports.playout import Playout
from antiphon.transports.playout_events import (
    Acknowledged,
    Drain,
    Drained,
    Event,
    InterruptPlayout,
    Item,
    KeyTones,
    PausePlayout,
    PlayoutConfig,
    ResumePlayout,
    Sound,
    Speaking,
    Started,
    Stopped,
)
from tests.transports.playing import RATE, Stage, Vital, Word, jitter

SEEDS = 1000
NS = 1_000_000_000
TONE = 32_000


class Conversation:
    """One random conversation, and what was sent in it."""

    def __init__(self, seed: int) -> None:
        self.rng = rng = random.Random(seed)
        self.paced = rng.random() < 0.9
        self.clearable_lead = rng.choice([0.0, 0.0, 0.05])
        config = PlayoutConfig(
            sample_rate=RATE,
            chunk_ms=rng.choice([10, 20, 20, 40]),
            paced=self.paced,
            continuous=self.paced and rng.random() < 0.3,
            lead_secs=self.clearable_lead,
            end_silence_secs=rng.choice([0.0, 0.3]),
        )
        self.calm = rng.random() < 0.5
        lateness = (lambda: 0.0) if self.calm else jitter(seed)
        self.stage = Stage(Playout(config), lateness=lateness)
        self.config = config
        self.values = itertools.count(1)
        self.sounds: dict[int, tuple[int, bool, int]] = {}  # value: samples, interruptible, epoch
        self.items: list[tuple[str, bool, int]] = []  # text, interruptible, epoch
        self.before: dict[str, list[int]] = {}  # text: values of the sound sent before it
        self.words: dict[str, tuple[str, int]] = {}  # text: utterance, sample it waits for
        self.utterances: dict[str, list[int]] = {}  # name: values of its sound
        self.interrupted_at: list[float] = []
        self.names = itertools.count()
        self.tones = 0

    @property
    def epoch(self) -> int:
        return len(self.interrupted_at)

    def sound(self, *, speech: bool, context_id: str | None = None) -> Event:
        count = self.rng.choice([1, 37, 80, 160, 400, 1000, 4000])
        value, keep = next(self.values), self.rng.random() < 0.1
        self.sounds[value] = (count, not keep, self.epoch)
        if context_id is not None:
            self.utterances[context_id].append(value)
        pcm = np.full(count, value, "<i2").tobytes()
        return Sound(pcm, speech=speech, context_id=context_id, interruptible=not keep)

    def item(self) -> Event:
        text, keep = f"i{next(self.names)}", self.rng.random() < 0.4
        self.items.append((text, not keep, self.epoch))
        self.before[text] = list(self.sounds)
        return Item(Vital(text) if keep else Word(text))

    def word(self, utterance: str, base: int) -> Event:
        text, offset = f"w{next(self.names)}", self.rng.randrange(0, 5000)
        self.items.append((text, True, self.epoch))
        self.words[text] = (utterance, offset)
        pts = base + offset * NS // RATE + 1
        return Item(TTSTextFrame(text, pts=pts, context_id=utterance))

    def run(self) -> Conversation:
        rng, s = self.rng, self.stage
        for _ in range(rng.randrange(2, 7)):
            self.wait()
            self.speak()
        self.wait()
        s.send(Drain())
        s.until(s.now + 120.0)
        return self

    def wait(self) -> None:
        self.stage.until(self.stage.now + self.rng.choice([0.0, 0.001, 0.013, 0.05, 0.3, 1.0]))

    def speak(self) -> None:
        """One utterance, with what may come between; it ends in mid-sentence when interrupted."""
        rng, s = self.rng, self.stage
        name, base = f"u{next(self.names)}", rng.randrange(0, 10**12)
        self.utterances[name] = []
        if rng.random() < 0.9:
            s.send(Item(TTSStartedFrame(context_id=name, pts=base)))
        else:
            first = self.sound(speech=True, context_id=name)
            assert isinstance(first, Sound)
            s.send(Sound(first.pcm, True, name, first.interruptible, base))
        for _ in range(rng.randrange(0, 12)):
            if rng.random() < 0.3:
                self.wait()
            if rng.random() < 0.04:
                self.interrupted_at.append(s.now)
                s.send(InterruptPlayout())
                return
            self.happen(name, base)
        if rng.random() < 0.9:
            s.send(Item(TTSStoppedFrame(context_id=name)))

    def happen(self, name: str, base: int) -> None:
        """One thing within an utterance."""
        rng, s = self.rng, self.stage
        match rng.choices(range(7), [10, 5, 4, 2, 1, 0.5, 1])[0]:
            case 0:
                s.send(self.sound(speech=True, context_id=name))
            case 1:
                s.send(self.word(name, base))
            case 2:
                s.send(self.item())
            case 3:
                s.send(self.sound(speech=False))
            case 4:
                s.send(PausePlayout())
                s.until(s.now + rng.random())
                s.send(ResumePlayout())
            case 5:
                self.tones += 300
                s.send(KeyTones(np.full(300, TONE, "<i2").tobytes()))
            case 6 if self.paced and self.config.lead_secs == 0.0:
                s.send(Acknowledged(max(0, s.machine.samples_written - rng.randrange(2000))))


@pytest.fixture(scope="module")
def conversations() -> list[Conversation]:
    return [Conversation(seed).run() for seed in range(SEEDS)]


def delivered(c: Conversation) -> list[tuple[float, str]]:
    kinds = (Word, Vital, TTSTextFrame)
    return [(at, frame.text) for at, frame in c.stage.delivered if isinstance(frame, kinds)]


def test_every_conversation_ends_with_everything_said(conversations: list[Conversation]) -> None:
    """Draining ends, nothing waits afterwards, and seeds differ in what happens."""
    for c in conversations:
        assert len(c.stage.all(Drained)) == 1
        assert c.stage.machine.deadline is None
    assert sum(len(c.interrupted_at) for c in conversations) > SEEDS / 3


def test_nothing_of_before_an_interruption_is_heard_after_it(
    conversations: list[Conversation],
) -> None:
    """Neither a sample nor a frame that may be dropped."""
    for seed, c in enumerate(conversations):
        for at, write in c.stage.writes:
            for value in set(to_samples(write.pcm).tolist()) - {0, TONE}:
                _, interruptible, epoch = c.sounds[value]
                if interruptible and epoch < len(c.interrupted_at):
                    assert at <= c.interrupted_at[epoch], (seed, value)
        epochs = {text: (drop, epoch) for text, drop, epoch in c.items}
        for at, text in delivered(c):
            drop, epoch = epochs[text]
            if drop and epoch < len(c.interrupted_at):
                assert at <= c.interrupted_at[epoch], (seed, text)


def test_what_may_not_be_dropped_comes_out_once_and_nothing_overtakes(
    conversations: list[Conversation],
) -> None:
    """Frames come out in the order they went in; vital ones all, the others unless interrupted."""
    for seed, c in enumerate(conversations):
        order = [text for text, _, _ in c.items]
        got = [text for _, text in delivered(c)]
        assert len(set(got)) == len(got), seed
        assert got == [text for text in order if text in set(got)], seed
        must = {text for text, drop, e in c.items if not drop or e == len(c.interrupted_at)}
        assert must <= set(got), seed


def test_sound_is_whole_and_in_order(conversations: list[Conversation]) -> None:
    """Every sample once, in order, but for what an interruption cut off at its end."""
    for seed, c in enumerate(conversations):
        heard = to_samples(b"".join(write.pcm for _, write in c.stage.writes))
        voice = heard[(heard != 0) & (heard != TONE)]
        assert bool(np.all(np.diff(voice) >= 0)), seed
        values, found = np.unique(voice, return_counts=True)
        counts = dict(zip(values.tolist(), found.tolist(), strict=True))
        for value, (count, interruptible, epoch) in c.sounds.items():
            if not interruptible or epoch == len(c.interrupted_at):
                assert counts.get(value) == count, (seed, value)
            else:
                assert counts.get(value, 0) <= count, (seed, value)
        assert np.count_nonzero(heard == TONE) == c.tones


def test_a_frame_never_comes_before_the_sound_before_it_was_heard(
    conversations: list[Conversation],
) -> None:
    """Sound sent before it and not dropped was written by then, and had the time to be heard."""
    for seed, c in enumerate(conversations):
        last_write: dict[int, float] = {}
        for at, write in c.stage.writes:
            for value in set(to_samples(write.pcm).tolist()) - {0, TONE}:
                last_write[value] = at
        epochs = {text: epoch for text, _, epoch in c.items}
        for at, text in delivered(c):
            for value in c.before.get(text, ()):
                _, interruptible, epoch = c.sounds[value]
                dropped = interruptible and epoch < len(c.interrupted_at)
                cut_later = epochs[text] < len(c.interrupted_at) or dropped
                if not cut_later:
                    assert last_write[value] <= at, (seed, text, value)


def test_a_word_comes_when_its_instant_was_written_and_soon_after(
    conversations: list[Conversation],
) -> None:
    """Not before that many samples of its utterance were written, unless the utterance is over."""
    checked = 0
    for seed, c in enumerate(conversations):
        written: dict[int, list[tuple[float, int]]] = {}
        for at, write in c.stage.writes:
            values, counts = np.unique(to_samples(write.pcm), return_counts=True)
            for value, count in zip(values.tolist(), counts.tolist(), strict=True):
                written.setdefault(value, []).append((at, count))
        for at, text in delivered(c):
            if text not in c.words:
                continue
            name, offset = c.words[text]
            mine = c.utterances[name]
            if any(c.sounds[value][2] < len(c.interrupted_at) for value in mine):
                continue
            total = sum(c.sounds[value][0] for value in mine)
            by_then = sum(n for value in mine for t, n in written.get(value, ()) if t <= at)
            assert by_then >= min(offset, total), (seed, text)
            checked += 1
    assert checked > SEEDS


def test_the_agent_starts_and_stops_in_turn(conversations: list[Conversation]) -> None:
    """Started and Stopped alternate; Speaking comes only in between."""
    for seed, c in enumerate(conversations):
        speaking, last = False, -1.0
        for at, action in c.stage.log:
            match action:
                case Started():
                    assert not speaking, seed
                    speaking = True
                case Stopped():
                    assert speaking, seed
                    speaking = False
                case Speaking():
                    assert speaking, seed
            if isinstance(action, Speaking):
                assert at - last >= 0.2 - 1e-5, seed
                last = at
        assert not speaking, seed


def test_the_clock_is_the_samples_written_at_no_more_than_real_time(
    conversations: list[Conversation],
) -> None:
    """Chunks have one size; over any stretch they come no faster than time, lead and burst."""
    for seed, c in enumerate(conversations):
        size = c.config.chunk_ms * RATE // 1000
        writes = c.stage.writes
        assert all(len(write.pcm) == 2 * size for _, write in writes), seed
        assert c.stage.machine.samples_written == size * len(writes), seed
        if not c.paced:
            continue
        allowed = c.config.max_burst_chunks + c.config.lead_secs * 1000 / c.config.chunk_ms + 2
        clears = len(c.interrupted_at) * allowed if c.config.lead_secs else 0.0
        for i in range(0, len(writes), 10):
            for j in range(i + 10, len(writes), 40):
                elapsed = (writes[j][0] - writes[i][0]) * 1000 / c.config.chunk_ms
                assert j - i <= elapsed + allowed + clears, seed
