from __future__ import annotations

from pathlib import Path

import pytest

from antiphon.demo.clips import Clip
from antiphon.demo.conversation import NEWS, HeldConversation, demonstrate, steps_of
from antiphon.demo.results import finish
from antiphon.demo.script import SCRIPT, Cue, Reading, ScriptedSpeech, Turn
from antiphon.observe.conversation_log import ConversationLog, Trigger
from antiphon.observe.recording import TwoSides
from antiphon.providers.local.rules import RuleBasedLLMProvider
from antiphon.simulation.loop.virtual_time import run
from antiphon.transports.caller_script import Say, Wait, WaitForAgent, WaitForEvent, WaitForSpeech
from tests.demo.here import needs_models


def test_cues_become_waits_of_the_line() -> None:
    """Each cue is waited for in its own way, and the last reply is heard before hanging up."""
    turns = [
        Turn((ScriptedSpeech("one"),), Cue.START, 0.5),
        Turn((ScriptedSpeech("two"),)),
        Turn((ScriptedSpeech("three"),), Cue.NEWS),
        Turn((ScriptedSpeech("four"),), Cue.IN_REPLY, 2.0),
    ]
    kinds = [
        (type(step), step.label if isinstance(step, Say) else None)
        for step in steps_of(turns, [Clip(b"\0\0")] * 4)
    ]
    assert kinds == [
        (Wait, None),
        (Say, "one"),
        (WaitForAgent, None),
        (Say, "two"),
        (WaitForAgent, None),
        (WaitForEvent, None),
        (WaitForAgent, None),
        (Say, "three"),
        (WaitForSpeech, None),
        (Say, "four"),
        (WaitForAgent, None),
    ]
    assert next(
        s.name for s in steps_of(turns, [Clip(b"\0\0")] * 4) if isinstance(s, WaitForEvent)
    ) == (NEWS)


def test_the_script_shows_what_the_demonstration_is_about() -> None:
    """At least five turns; a reading, a hesitation, an interruption, a wait for a tool's news."""
    cues = [turn.cue for turn in SCRIPT]
    assert len(SCRIPT) >= 5
    assert cues[0] is Cue.START
    assert {Cue.NEWS, Cue.IN_REPLY} < set(cues)
    assert any(isinstance(piece, Reading) for turn in SCRIPT for piece in turn.pieces)
    assert "oodbye" in SCRIPT[-1].text


@needs_models
def test_the_whole_demonstration(tmp_path: Path) -> None:
    """With the embedded models (and rules for a language model) it keeps all its promises."""
    said: list[str] = []

    async def main() -> tuple[HeldConversation, bool]:
        held = await demonstrate(
            RuleBasedLLMProvider(first_word_secs=0.3, word_secs=0.05),
            say=said.append,
            handle_sigint=False,
        )
        return held, await finish(held, tmp_path, say=said.append, turns=len(SCRIPT))

    held, well = run(main(), executor_secs=0.05)
    assert [line for line in said if line.strip().startswith("✗")] == []
    assert well
    log = ConversationLog.load(tmp_path / "transcript.json")
    assert log == held.log
    assert log.errors == []
    ends = [decision for decision in log.decisions if decision.what == "turn stopped"]
    assert len(ends) == len(SCRIPT)
    assert all(decision.strategy and decision.reason for decision in log.decisions)
    begins = [decision for decision in log.decisions if decision.what == "turn started"]
    assert {decision.fact for decision in begins} == {"SpeechStarted"}
    assert {decision.fact for decision in ends} <= {
        "deadline",
        "TranscriptReceived",
        "TurnModelVerdict",
    }
    assert len(log.user_turns) == len(SCRIPT)
    assert [turn.trigger for turn in log.agent_turns].count(Trigger.TOOL) == 1
    sides = TwoSides.read(tmp_path / "conversation.wav")
    assert sides.secs == pytest.approx(log.duration, abs=1.0)
    assert "error" not in log.notes["Agent's recorded speech"]
    assert (tmp_path / "report.html").stat().st_size > 100_000
