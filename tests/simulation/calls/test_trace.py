"""One call as people look at it."""

from __future__ import annotations

from antiphon.kernel.task import PipelineTask
from antiphon.observe.conversation_log import MarkKind, Party
from antiphon.simulation.calls.caller import Caller
from antiphon.simulation.calls.scenario import CallerSettings, Scenario
from antiphon.simulation.calls.trace import CallTrace
from antiphon.simulation.calls.trials import hold
from tests.simulation.calls.test_caller import agent
from tests.simulation.calls.test_caller_manners import STORY, text_agent

STEPS = (
    {"says": "tell me a story"},
    {"interrupts": "stop it please", "after": 1.5},
    {"expects_reply": "of course", "within": 4.0},
)


def traced(
    *, manner: str = "coded", faults: dict[str, object] | None = None, text_only: bool = False
) -> CallTrace:
    """The trace of a call that falls short: the agent does not say what was expected."""
    settings = CallerSettings.parse(manner)
    scenario = Scenario("story", STEPS, caller=settings, faults=faults or {})

    def make(caller: Caller) -> PipelineTask:
        replies = [STORY, "Alright."]
        return text_agent(caller, *replies) if text_only else agent(caller, replies)

    trace = CallTrace("story")
    assert hold(make, scenario, seed=2, trace=trace).problems
    return trace


def test_everything_is_in_the_log() -> None:
    """Words of both sides, the cut, decisions with reasons, steps, and what fell short."""
    log = traced().log
    assert [turn.text for turn in log.user_turns] == ["tell me a story", "stop it please"]
    first, second = log.agent_turns
    assert first.interrupted
    assert f"{first.heard} {first.unheard}" == STORY
    assert second.heard == "Alright."
    assert second.latency is not None
    assert 0.5 < (second.latency.total or 0.0) < 2.0
    assert [cut.agent_turn for cut in log.interruptions] == [0]
    decided = [decision.what for decision in log.decisions]
    assert decided.count("turn started") == decided.count("turn stopped") == 2
    assert all(decision.reason for decision in log.decisions)
    steps = [mark.text for mark in log.marks if mark.kind is MarkKind.STEP]
    assert [step.partition("(")[0] for step in steps] == ["says", "interrupts", "expects_reply"]
    failure = log.marks[-1]
    assert failure.kind is MarkKind.FAILURE
    assert "'of course' is not in what was heard" in failure.text
    assert "agent: Alright." in failure.detail
    assert second.start is not None
    assert second.start < failure.at <= log.duration + 1.0
    assert log.context[-1] == {"role": "assistant", "content": "Alright."}
    assert log.parts["Text to speech"] == "fake-tts"


def test_lines_are_in_order() -> None:
    """Each time is not before the one above, and figures follow the utterance they are about."""
    lines = traced().lines()
    times = [line.at for line in lines if line.at is not None]
    assert times == sorted(times)
    text = traced().text().splitlines()
    reply = next(number for number, line in enumerate(text) if "Alright." in line)
    assert "end of turn" in text[reply + 1]
    assert text[-1].lstrip().split()[1] == "FAILED"


def test_faults_are_marked_when_they_strike() -> None:
    """A fault is in the log at the time at which it was injected."""
    log = traced(faults={"tts": {"error_once": "server"}}).log
    faults = [mark for mark in log.marks if mark.kind is MarkKind.FAULT]
    assert [mark.text for mark in faults] == ["tts: error_once server"]
    assert log.user_turns[0].stopped is not None
    assert faults[0].at > log.user_turns[0].stopped
    assert (
        "Fault   tts: error_once server" in traced(faults={"tts": {"error_once": "server"}}).text()
    )


def test_a_fault_that_strikes_often_is_one_line() -> None:
    """Its first strike says how many there were; the log has them all."""
    trace = traced(faults={"input": {"delay": 0.01, "chance": 0.2}})
    strikes = [mark for mark in trace.log.marks if mark.kind is MarkKind.FAULT]
    assert len(strikes) > 20
    lines = [line.text for line in trace.lines() if line.who == "Fault"]
    assert len(lines) == 1
    assert lines[0].endswith(f"({len(strikes)} times until the end)")


def test_a_caller_of_facts_buzzes_on_the_page() -> None:
    """Words that were said without sound have a waveform where they were said."""
    for manner in ("coded", "frames"):
        trace = traced(manner=manner)
        sides = trace._sides()
        assert len(sides.caller) == len(sides.agent)
        said = [span for span in trace.log.speech if span.side is Party.CALLER]
        for span in said:
            assert span.end is not None
            middle = round((span.start + span.end) / 2 * sides.sample_rate) * 2
            assert any(sides.caller[middle : middle + 400]), manner
        before = round((said[1].start - 0.3) * sides.sample_rate) * 2
        assert not any(sides.caller[before : before + 400]), manner


def test_what_is_written_is_what_an_agent_without_a_voice_says() -> None:
    """Texts are utterances that answer turns, and nothing was cut off."""
    scenario = Scenario(
        "hello",
        (
            {"says": "hello there"},
            {"expects_reply": "Hi."},
            {"says": "bye now"},
            {"expects_reply": "Bye."},
        ),
        caller=CallerSettings.parse("frames"),
    )
    trace = CallTrace("hello")
    held = hold(lambda caller: text_agent(caller, "Hi.", "Bye."), scenario, seed=1, trace=trace)
    assert held.problems == ()
    log = trace.log
    assert [(turn.heard, turn.reply_to) for turn in log.agent_turns] == [("Hi.", 0), ("Bye.", 1)]
    assert log.unanswered() == []
    assert log.interruptions == []
    latency = log.agent_turns[0].latency
    assert latency is not None
    assert latency.total is not None
    assert 0.8 < latency.total < 1.5
    assert "the caller interrupts" not in trace.text()
    assert trace.page().startswith("<!doctype html>")


def test_a_call_that_fails_at_once_has_a_page() -> None:
    """Without a sound and without a word there is still something to look at."""
    scenario = Scenario("quick", ({"expects_reply": {"within": 0.0}},))
    trace = CallTrace("quick")
    hold(lambda caller: agent(caller, []), scenario, seed=1, trace=trace)
    assert "the agent does not speak within 0 s" in trace.text()
    assert "the agent does not speak within 0 s" in trace.page()


def test_a_recording_of_a_call_tells_how_it_was_held() -> None:
    """Settings, versions and the seed are in its header."""
    trace = CallTrace("order", record=True, settings={"agent": "bot:make"})
    scenario = Scenario("order", ({"says": "for four"}, {"expects_reply": "four", "within": 4.0}))
    hold(lambda caller: agent(caller, ["For four."]), scenario, seed=5, trace=trace)
    header = trace.recording.header
    assert (header.seed, header.settings) == (5, {"agent": "bot:make"})
    assert header.antiphon
    assert header.python
