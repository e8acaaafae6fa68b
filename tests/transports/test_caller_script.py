"""Tests of `antiphon.transports.caller_script`."""

from __future__ import annotations

import numpy as np
import pytest

from antiphon.audio.pcm import to_samples
from antiphon.audio.wav import WavFile
from antiphon.transports.caller_script import (
    CallerScript,
    Said,
    Say,
    Step,
    Wait,
    WaitForAgent,
    WaitForEvent,
    WaitForSpeech,
)

RATE = 8_000


def voice(value: int, secs: float) -> WavFile:
    return WavFile(np.full(round(secs * RATE), value, "<i2").tobytes(), RATE)


def hear(script: CallerScript, secs: float) -> list[int]:
    """The values of the next stretch of the line, chunk by chunk of 20 ms."""
    chunks = [script.next_chunk(160) for _ in range(round(secs / 0.02))]
    assert {len(chunk) for chunk in chunks} == {320}
    return [int(value) for value in to_samples(b"".join(chunks))]


def spans(script: CallerScript) -> list[tuple[type[Step], float, float]]:
    return [(type(s.step), round(s.began, 4), round(s.ended, 4)) for s in script.history]


def test_the_line_is_continuous_and_a_script_is_placed_to_the_sample() -> None:
    """Silence, words, a pause within a sentence, words, then silence for ever."""
    script = CallerScript([Wait(0.15), Say(voice(1, 0.105)), Wait(0.3), Say(voice(2, 0.1))], RATE)
    heard = hear(script, 2.0)
    assert heard[:1200] == [0] * 1200
    assert heard[1200:2040] == [1] * 840
    assert heard[4440:5240] == [2] * 800
    assert not any(heard[5240:])
    assert script.finished
    assert spans(script)[1] == (Say, 0.15, 0.255)


def test_the_caller_waits_until_the_agent_has_answered() -> None:
    """An answer counts when it ended after the caller's words, and stays ended for a while."""
    script = CallerScript([Say(voice(1, 0.1)), WaitForAgent(settle_secs=0.5), Wait(1.0)], RATE)
    script.agent_started()
    script.agent_stopped()
    hear(script, 0.1)
    hear(script, 5.0)
    assert not script.finished
    script.agent_started()
    hear(script, 2.0)
    script.agent_stopped()
    hear(script, 0.3)
    script.agent_started()
    hear(script, 1.0)
    script.agent_stopped()
    hear(script, 2.0)
    kind, began, ended = spans(script)[1]
    assert (kind, began) == (WaitForAgent, 0.1)
    assert ended == pytest.approx(5.0 + 2.0 + 0.3 + 1.0 + 0.5 + 0.1)
    assert script.overdue == []


def test_the_caller_interrupts_in_mid_sentence() -> None:
    """Some time after the agent began, to the sample."""
    script = CallerScript([WaitForSpeech(after_secs=0.73), Say(voice(3, 0.1))], RATE)
    hear(script, 1.0)
    script.agent_started()
    heard = hear(script, 2.0)
    assert heard.index(3) == round(0.73 * RATE)


def test_an_agent_that_has_answered_already_is_not_waited_for() -> None:
    """A short answer cannot be interrupted any more: the script goes on."""
    script = CallerScript([Say(voice(1, 0.1)), WaitForSpeech(after_secs=2.0)], RATE)
    hear(script, 0.2)
    script.agent_started()
    hear(script, 0.2)
    script.agent_stopped()
    hear(script, 0.1)
    assert script.finished


@pytest.mark.parametrize("early", [True, False])
def test_an_event_is_waited_for_even_if_it_was_before(early: bool) -> None:
    """Nothing depends on who was first."""
    script = CallerScript([WaitForEvent(name="ready")], RATE)
    if early:
        script.happened("ready")
    hear(script, 0.5)
    script.happened("other")
    assert script.finished is early
    script.happened("ready")
    hear(script, 0.02)
    assert script.finished


def test_a_wait_gives_up_after_its_timeout_and_says_so() -> None:
    """A dead agent does not hold the line for ever."""
    steps: list[Step] = [WaitForAgent(timeout_secs=2.0), WaitForSpeech(timeout_secs=1.0)]
    script = CallerScript(steps, RATE)
    hear(script, 3.1)
    assert script.overdue == steps
    assert script.history == [Said(steps[0], 0.0, 2.0), Said(steps[1], 2.0, 3.0)]


def test_recordings_of_any_rate_are_said_at_the_lines_rate() -> None:
    """A second is a second."""
    fast = WavFile(np.full(48_000, 5, "<i2").tobytes(), 24_000, 2)
    script = CallerScript([Say(fast)], RATE)
    hear(script, 2.0)
    assert spans(script) == [(Say, 0.0, 1.0)]
