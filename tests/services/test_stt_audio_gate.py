"""What of the caller's audio goes to a transcriber, and how long its answers may take."""

from __future__ import annotations

import pytest

from antiphon.services.contracts import AudioChunk, Finalize, STTCapabilities
from antiphon.services.stt_audio_gate import KEEP_SECS, AnswerWatch, AudioGate, Item

RATE = 1_000
SEGMENTED = STTCapabilities(sample_rate=RATE, segmented=True, preroll_secs=0.5)
STREAMING = STTCapabilities(sample_rate=RATE)


def audio(secs: float, value: int = 1) -> bytes:
    """So much audio; each sample is `value`."""
    return value.to_bytes(2, "little") * round(secs * RATE)


def secs(items: list[Item]) -> float:
    """How much audio the items hold."""
    return sum(len(item.pcm) for item in items if isinstance(item, AudioChunk)) / 2 / RATE


def test_the_preroll_reaches_back_before_the_true_beginning_of_speech() -> None:
    """Half a second before the speech, and what the detector needed to be sure."""
    gate = AudioGate(SEGMENTED)
    for value in range(1, 41):  # 4 s in pieces of 0.1 s
        assert gate.audio(audio(0.1, value)) == []
    (chunk,) = gate.speech_started(0.2)
    assert isinstance(chunk, AudioChunk)
    assert round(len(chunk.pcm) / 2 / RATE, 2) == 0.7
    assert chunk.pcm[-2:] == (40).to_bytes(2, "little")
    assert chunk.pcm[:2] == (34).to_bytes(2, "little")


def test_between_segments_nothing_is_sent() -> None:
    """Speech goes as it comes, then `Finalize`, then nothing."""
    gate = AudioGate(SEGMENTED)
    gate.speech_started(0.0)
    assert secs(gate.audio(audio(0.1))) == 0.1
    assert gate.speech_stopped() == [Finalize()]
    assert gate.audio(audio(0.1)) == []
    assert gate.speech_stopped() == []


def test_a_streaming_transcriber_gets_everything() -> None:
    """Speech or not; each end of speech is marked."""
    gate = AudioGate(STREAMING)
    assert secs(gate.audio(audio(0.1))) == 0.1
    assert gate.speech_started(0.2) == []
    assert gate.speech_stopped() == [Finalize()]


def test_a_repeated_start_is_one() -> None:
    """A detector that repeats itself sends no audio twice."""
    gate = AudioGate(SEGMENTED)
    gate.audio(audio(0.1))
    assert gate.speech_started(0.0)
    assert gate.speech_started(0.0) == []


def test_what_is_acknowledged_is_not_kept() -> None:
    """A finalized transcript covers its segment, another final one everything."""
    gate = AudioGate(SEGMENTED)
    gate.speech_started(0.0)
    gate.audio(audio(0.1, 1))
    gate.speech_stopped()
    gate.speech_started(0.0)
    gate.audio(audio(0.2, 2))
    assert gate.awaits_answer
    gate.acknowledge(finalized=True)
    assert not gate.awaits_answer
    assert secs(list(gate.unacknowledged)) == 0.2
    gate.acknowledge(finalized=False)
    assert gate.unacknowledged == ()


def test_what_is_kept_is_bounded() -> None:
    """A transcriber that acknowledges nothing costs a bounded amount of memory."""
    gate = AudioGate(STREAMING)
    gate.speech_started(0.0)
    for _ in range(1000):
        gate.audio(audio(0.1))
    assert secs(list(gate.unacknowledged)) <= KEEP_SECS
    assert gate.take_lost_secs() == pytest.approx(100.0 - KEEP_SECS)
    assert gate.take_lost_secs() == 0.0


def test_of_silence_only_the_preroll_is_kept() -> None:
    """Also where silence cannot be told from speech, as long as there is a stream."""
    gate = AudioGate(STREAMING)
    for _ in range(1000):
        gate.audio(audio(0.1))
    assert secs(list(gate.unacknowledged)) <= 1.5


def test_without_a_stream_and_a_detector_everything_is_kept() -> None:
    """A detector that has spoken once is trusted."""
    gate = AudioGate(STREAMING)
    for _ in range(200):
        gate.audio(audio(0.1), streaming=False)
    assert secs(list(gate.unacknowledged)) == 20.0
    gate.give_up()
    gate.speech_started(0.0)
    gate.speech_stopped()
    gate.acknowledge(finalized=True)
    for _ in range(200):
        gate.audio(audio(0.1), streaming=False)
    assert secs(list(gate.unacknowledged)) <= 1.5


def test_a_mute_finishes_what_is_being_said() -> None:
    """Then nothing is sent, and the pre-roll holds nothing of it."""
    gate = AudioGate(SEGMENTED)
    gate.speech_started(0.0)
    gate.audio(audio(0.1))
    assert gate.mute(True) == [Finalize()]
    assert gate.audio(audio(1.0)) == []
    assert gate.speech_started(0.0) == []
    assert gate.mute(False) == []
    assert gate.speech_started(0.0) == []


def watch() -> AnswerWatch:
    """A watch with round numbers."""
    return AnswerWatch(ttfb_timeout=2.0, stall_timeout=5.0)


def test_the_measurement_ends_with_the_finalized_transcript() -> None:
    """From the true end of speech."""
    timing = watch()
    timing.speech_stopped(10.0, 10.2, answer_due=True)
    assert timing.transcript(10.6, finalized=True, text=True) is not None
    assert timing.deadline is None


def test_otherwise_with_the_last_one_in_time() -> None:
    """Several final transcripts: the last within the timeout counts."""
    timing = watch()
    timing.speech_stopped(10.0, 10.2, answer_due=False)
    assert timing.transcript(10.5, finalized=False, text=True) is None
    assert timing.transcript(11.0, finalized=False, text=True) is None
    assert timing.tick(12.0) == (1.0, False)
    assert timing.deadline is None


def test_without_a_transcript_nothing_is_measured() -> None:
    """Nor with an empty one, nor when the caller goes on."""
    timing = watch()
    timing.speech_stopped(10.0, 10.2, answer_due=False)
    assert timing.transcript(10.5, finalized=True, text=False) is None
    assert timing.tick(12.0) == (None, False)
    timing.speech_stopped(20.0, 20.2, answer_due=False)
    timing.speech_started()
    assert timing.transcript(20.5, finalized=True, text=True) is None


def test_a_stall_is_an_answer_that_is_due_and_does_not_come() -> None:
    """Any final transcript is an answer; stalls are counted until one comes."""
    timing = watch()
    timing.speech_stopped(10.0, 10.2, answer_due=True)
    timing.tick(12.0)
    assert timing.deadline == 15.2
    assert timing.tick(15.2) == (None, True)
    timing.resent(15.2)
    assert timing.tick(20.2) == (None, True)
    assert timing.stalls == 2
    timing.transcript(21.0, finalized=False, text=True)
    assert timing.stalls == 0
