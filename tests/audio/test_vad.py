"""Tests of `antiphon.audio.vad`."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path

import numpy as np
import pytest

from antiphon.audio.vad import (
    SpeechActivity,
    VADEvent,
    VADMachine,
    VADParams,
    VADState,
    VoiceDetector,
    VoiceStarted,
    VoiceStopped,
)
from antiphon.errors import InvalidInputError

WINDOW = 0.032
TRACK = Path(__file__).parent / "data" / "speech_track.json"


def play(machine: VADMachine, pattern: str, *, start: float = 0.0) -> list[VADEvent]:
    """Feeds one window a character: `#` is speech, `-` is not, `q` is speech too quiet."""
    events: list[VADEvent] = []
    for index, character in enumerate(pattern):
        confidence = 0.0 if character == "-" else 0.9
        volume = 0.3 if character == "q" else 0.9
        events += machine.receive(confidence, volume, start + (index + 1) * WINDOW)
    return events


def transitions(events: list[VADEvent]) -> list[type]:
    return [type(event) for event in events if not isinstance(event, SpeechActivity)]


def test_speech_starts_after_start_secs_of_it_and_names_its_true_beginning() -> None:
    """0.2 s is six windows of 32 ms; the beginning is that of the first of them."""
    machine = VADMachine(WINDOW)
    assert play(machine, "---#####") == []
    assert machine.state is VADState.STARTING
    (event,) = play(machine, "#", start=8 * WINDOW)
    assert isinstance(event, VoiceStarted)
    assert event.at == 9 * WINDOW
    assert event.since == pytest.approx(3 * WINDOW)


def test_a_short_noise_starts_nothing() -> None:
    """One window without speech throws the count back to zero."""
    assert play(VADMachine(WINDOW), "#####-#####-#####") == []


def test_speech_stops_after_stop_secs_and_names_its_true_end() -> None:
    """The end is that of the last window of speech, not the moment of the decision."""
    machine = VADMachine(WINDOW)
    events = play(machine, "######------")
    assert transitions(events) == [VoiceStarted, VoiceStopped]
    last = events[-1]
    assert isinstance(last, VoiceStopped)
    assert last.at == 12 * WINDOW
    assert last.since == pytest.approx(6 * WINDOW)
    assert machine.state is VADState.QUIET
    assert machine.deadline is None


def test_a_short_pause_stops_nothing() -> None:
    """Speech goes on after a pause shorter than stop_secs, without a second start."""
    assert transitions(play(VADMachine(WINDOW), "######-----#-----#")) == [VoiceStarted]


def test_confident_but_quiet_windows_are_not_speech() -> None:
    """Somebody in the next room does not hold the floor."""
    assert play(VADMachine(WINDOW), "q" * 100) == []


def test_the_volume_falls_slowly_so_that_a_quiet_syllable_is_still_speech() -> None:
    """One quiet window within speech counts; many do not."""
    machine = VADMachine(WINDOW, VADParams(stop_secs=0.0))
    assert transitions(play(machine, "######q")) == [VoiceStarted]
    assert transitions(play(machine, "qqqqqqqq")) == [VoiceStopped]


def test_no_start_or_stop_time_means_the_first_window() -> None:
    """Zero seconds are one window."""
    machine = VADMachine(WINDOW, VADParams(start_secs=0.0, stop_secs=0.0))
    assert transitions(play(machine, "#-#-")) == [VoiceStarted, VoiceStopped] * 2


def test_speech_ends_when_audio_stops_arriving() -> None:
    """A line that goes dead ends the speech at its last audio, once."""
    machine = VADMachine(WINDOW, audio_idle_timeout=1.0)
    play(machine, "######")
    last = 6 * WINDOW
    assert machine.deadline == last + 1.0
    assert machine.tick(last + 0.999) == []
    assert machine.tick(last + 1.5) == [VoiceStopped(last + 1.5, last, forced=True)]
    assert machine.tick(last + 9.0) == []
    assert machine.deadline is None


def test_a_start_that_never_was_ends_without_a_word_when_audio_stops() -> None:
    """Nobody hears of speech that had not been announced."""
    machine = VADMachine(WINDOW)
    play(machine, "##")
    assert machine.tick(10.0) == []
    assert machine.state is VADState.QUIET


def test_activity_is_repeated_while_speech_lasts_at_most_every_period() -> None:
    """Every 0.2 s at most, none after the stop."""
    events = play(VADMachine(WINDOW), "#" * 60 + "-" * 30)
    times = [event.at for event in events if isinstance(event, SpeechActivity)]
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert 7 <= len(times) <= 10
    assert min(gaps) >= 0.2 - 1e-6
    assert times[-1] <= next(event.at for event in events if isinstance(event, VoiceStopped))


def test_a_confidence_that_is_not_a_number_is_not_speech() -> None:
    """A model that fails says nothing; it does not open the floor."""
    machine = VADMachine(WINDOW)
    events = [event for i in range(50) for event in machine.receive(float("nan"), 0.9, i * WINDOW)]
    assert events == []


def test_new_parameters_hold_from_the_next_window_on() -> None:
    """The state survives a change of thresholds."""
    machine = VADMachine(WINDOW)
    play(machine, "######")
    machine.configure(VADParams(stop_secs=1.0))
    assert transitions(play(machine, "-" * 20)) == []
    assert transitions(play(machine, "-" * 20)) == [VoiceStopped]


@pytest.mark.parametrize("wrong", [{"confidence": 1.2}, {"min_volume": -0.1}, {"stop_secs": -1.0}])
def test_impossible_parameters_are_refused(wrong: dict[str, float]) -> None:
    """The error names the parameter."""
    with pytest.raises(InvalidInputError, match=next(iter(wrong))):
        VADParams(**wrong)


def test_a_recorded_sentence_is_cut_where_it_has_pauses() -> None:
    """Ten seconds of a reader's voice, measured by Silero: speech with the pauses that are there.

    The recording has five pauses of 0.6 to 1.1 s between six phrases.
    """
    windows = json.loads(TRACK.read_text())["windows"]
    machine = VADMachine(WINDOW)
    events = [
        event
        for index, (confidence, volume) in enumerate(windows)
        for event in machine.receive(confidence, volume, (index + 1) * WINDOW)
    ]
    starts = [event.since for event in events if isinstance(event, VoiceStarted)]
    stops = [event.since for event in events if isinstance(event, VoiceStopped)]
    assert starts == pytest.approx([0.32, 1.86, 3.52, 4.86, 6.62, 8.13], abs=0.05)
    assert stops == pytest.approx([1.15, 2.75, 4.16, 5.54, 7.36, 8.8], abs=0.25)


def test_a_longer_stop_time_joins_the_phrases() -> None:
    """With patience for its pauses the same recording is one stretch of speech."""
    windows = json.loads(TRACK.read_text())["windows"]
    machine = VADMachine(WINDOW, VADParams(stop_secs=1.4))
    events = [
        event
        for index, (confidence, volume) in enumerate(windows)
        for event in machine.receive(confidence, volume, (index + 1) * WINDOW)
    ]
    events += machine.tick(100.0)
    assert transitions(events) == [VoiceStarted, VoiceStopped]


def test_starts_and_stops_alternate_whatever_comes() -> None:
    """Over a thousand random tracks with gaps in the audio; true times never run backwards."""
    for seed in range(1000):
        rng = random.Random(seed)
        params = VADParams(
            start_secs=rng.choice([0, 0.1, 0.2]), stop_secs=rng.choice([0, 0.2, 0.8])
        )
        machine, now = VADMachine(WINDOW, params), 0.0
        events: list[VADEvent] = []
        level = 0.0
        for _ in range(200):
            if rng.random() < 0.1:
                level = rng.random()
            now += WINDOW if rng.random() < 0.98 else rng.random() * 3
            events += machine.tick(now)
            events += machine.receive(min(1.0, level + rng.random() * 0.3), rng.random(), now)
        kinds = transitions(events)
        assert kinds == ([VoiceStarted, VoiceStopped] * len(kinds))[: len(kinds)]
        times = [e.since for e in events if not isinstance(e, SpeechActivity)]
        assert times == sorted(times)
        assert all(e.since <= e.at for e in events if not isinstance(e, SpeechActivity))


class Loudness:
    """A model whose probability is the first sample of the window."""

    sample_rate = 16_000
    window_samples = 512

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self.resets = 0

    def probability(self, window: bytes) -> float:
        assert len(window) == 1024
        self.seen.append(window)
        return 1.0 if window[0] or window[1] else 0.0

    def reset(self) -> None:
        self.resets += 1


def test_pieces_of_any_size_give_the_same_windows_events_and_times() -> None:
    """How a stream is cut changes nothing."""
    loud = np.full(512 * 20, 5000, "<i2").tobytes()
    stream = bytes(1024 * 5) + loud + bytes(1024 * 20)
    results = []
    for piece in (1024, 640, 320, 2, 3200, len(stream)):
        model = Loudness()
        detector = VoiceDetector(model)
        events: list[VADEvent] = []
        for start in range(0, len(stream), piece):
            chunk = stream[start : start + piece]
            events += detector.feed(chunk, (start + len(chunk)) / 32_000)
        rounded = [(type(e), round(e.at, 6)) for e in events]
        results.append((b"".join(model.seen), rounded))
    assert all(result == results[0] for result in results)
    assert [kind for kind, _ in results[0][1] if kind is not SpeechActivity] == [
        VoiceStarted,
        VoiceStopped,
    ]


def test_a_dead_line_resets_the_model_and_the_window() -> None:
    """What comes after the gap is a new stream."""
    model = Loudness()
    detector = VoiceDetector(model)
    detector.feed(np.full(512 * 7 + 100, 5000, "<i2").tobytes(), 1.0)
    assert detector.deadline is not None
    (event,) = detector.tick(5.0)
    assert isinstance(event, VoiceStopped)
    assert event.forced
    assert model.resets == 1
    detector.feed(bytes(1024), 6.0)
    assert model.seen[-1] == bytes(1024)
