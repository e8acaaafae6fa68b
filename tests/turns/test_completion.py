"""The marker protocol: what a model says before its answer, and what is spoken of it."""

from __future__ import annotations

import random

import pytest

from antiphon.turns.completion import (
    LONG_PROMPT,
    REPEAT_PROMPT,
    SHORT_PROMPT,
    CompleteTurn,
    CompletionAction,
    CompletionEvent,
    CompletionResponseStarted,
    Emit,
    EmitMarker,
    Prompt,
    ResponseEnded,
    ResponseInterrupted,
    ResponseText,
    ResponseToolCall,
    TurnCompletion,
    UserSpeechStarted,
    UserSpeechStopped,
    UserTurnCompletionConfig,
    Warn,
)

CALL = ResponseToolCall()
NAMES = {
    UserTurnCompletionConfig().with_marks(text): name
    for text, name in ((SHORT_PROMPT, "short"), (LONG_PROMPT, "long"), (REPEAT_PROMPT, "repeat"))
}


def answer(*parts: str | ResponseToolCall) -> list[CompletionEvent]:
    """A response of these pieces."""
    events: list[CompletionEvent] = [
        ResponseText(part) if isinstance(part, str) else part for part in parts
    ]
    return [CompletionResponseStarted(), *events, ResponseEnded()]


def shorts(actions: list[CompletionAction]) -> list[str]:
    """Actions in short; text that is spoken is joined."""
    out: list[str] = []
    for action in actions:
        match action:
            case Emit(text=text):
                if out and out[-1].startswith("say "):
                    out[-1] += text
                else:
                    out.append(f"say {text}")
            case EmitMarker(marker=marker, append_immediately=now):
                out.append(f"mark {marker}{' now' if now else ''}")
            case CompleteTurn():
                out.append("complete")
            case Prompt(text=text):
                out.append(f"prompt {NAMES.get(text, text)}")
            case Warn():
                out.append("warn")
    return out


def told(machine: TurnCompletion, events: list[CompletionEvent], now: float = 0.0) -> list[str]:
    """What comes of the events."""
    return shorts([action for event in events for action in machine.receive(event, now)])


CASES: dict[str, tuple[list[CompletionEvent], list[str]]] = {
    "complete: the marker is stripped, the text flows, the turn is final": (
        answer("✓ Hello", " there."),
        ["mark ✓", "complete", "say Hello there."],
    ),
    "only one space goes with the marker": (
        answer("✓", "  two"),
        ["mark ✓", "complete", "say  two"],
    ),
    "incomplete-short: nothing is spoken": (answer("○"), ["mark ○ now"]),
    "incomplete-long: nothing is spoken": (answer("◐", " I wait"), ["mark ◐ now"]),
    "no marker at all: it is spoken, with a warning": (
        answer("Hello", " there."),
        ["warn", "complete", "say Hello there."],
    ),
    "white space before the marker does not matter": (
        answer("\n ", "✓ Hi"),
        ["mark ✓", "complete", "say Hi"],
    ),
    "a bare marker is asked for again: never dead air": (
        answer("✓"),
        ["mark ✓", "complete", "prompt repeat"],
    ),
    "so is an empty answer": (answer(), ["prompt repeat"]),
    "marker and then a call: final, and no words needed": (
        answer("✓", CALL),
        ["mark ✓", "complete"],
    ),
    "a call without a marker: final": (answer(CALL), ["complete"]),
    "text without a marker and a call: spoken, final once": (
        answer("One moment.", CALL),
        ["warn", "complete", "say One moment."],
    ),
    "a call after incomplete: it can be acted on": (answer("○", CALL), ["mark ○ now", "complete"]),
    "several calls judge once": (
        answer("✓ Let me see.", CALL, CALL),
        [
            "mark ✓",
            "complete",
            "say Let me see.",
        ],
    ),
    "the caller goes on before the verdict: a late complete neither finalizes nor speaks": (
        [CompletionResponseStarted(), UserSpeechStarted(), *answer("✓ Hello")[1:]],
        [],
    ),
    "the caller goes on after the verdict: that is an interruption like any other": (
        [
            CompletionResponseStarted(),
            ResponseText("✓ Hel"),
            UserSpeechStarted(),
            ResponseText("lo"),
        ],
        ["mark ✓", "complete", "say Hello"],
    ),
    "an interrupted answer says nothing more": (
        [
            CompletionResponseStarted(),
            ResponseInterrupted(),
            ResponseText("✓ Hello"),
            ResponseEnded(),
        ],
        [],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_one_response(case: str) -> None:
    """Marker, text and calls of one response."""
    events, expected = CASES[case]
    assert told(TurnCompletion(), events) == expected


def test_a_marker_may_be_split_over_tokens() -> None:
    """Markers of several characters are recognised however they are cut."""
    config = UserTurnCompletionConfig(
        complete_marker="<done>", incomplete_short_marker="<wait>", incomplete_long_marker="<think>"
    )
    for seed in range(200):
        rng = random.Random(seed)
        text, parts = "<done> Hello there.", []
        while text:
            size = rng.randint(1, 4)
            parts.append(text[:size])
            text = text[size:]
        out = told(TurnCompletion(config), answer(*parts))
        assert out == ["mark <done>", "complete", "say Hello there."]


def test_what_only_looks_like_a_marker_is_spoken() -> None:
    """The beginning of a marker that goes on otherwise is text, also at the end."""
    config = UserTurnCompletionConfig(complete_marker="<done>")
    assert told(TurnCompletion(config), answer("<d", "og")) == ["warn", "complete", "say <dog"]
    assert told(TurnCompletion(config), answer("<d")) == ["warn", "complete", "say <d"]


@pytest.mark.parametrize(("marker", "secs", "prompt"), [("○", 5.0, "short"), ("◐", 10.0, "long")])
def test_incomplete_is_asked_again_after_its_timeout(marker: str, secs: float, prompt: str) -> None:
    """When the caller does not go on, the model is asked again, once."""
    machine = TurnCompletion()
    told(machine, answer(marker), now=100.0)
    assert machine.deadline == 100.0 + secs
    assert machine.tick(100.0 + secs - 0.1) == []
    assert shorts(machine.tick(100.0 + secs)) == [f"prompt {prompt}"]
    assert machine.deadline is None


@pytest.mark.parametrize(
    "event", [UserSpeechStarted(), ResponseInterrupted(), CompletionResponseStarted()]
)
def test_what_cancels_the_timeout(event: CompletionEvent) -> None:
    """Speech, an interruption or another response: nobody needs to be asked again."""
    machine = TurnCompletion()
    told(machine, [*answer("○"), event])
    assert machine.deadline is None


def test_a_void_response_is_asked_again_if_nothing_comes_of_the_speech() -> None:
    """The caller made a sound, fell silent and no new turn came: never dead air."""
    machine = TurnCompletion()
    told(machine, [CompletionResponseStarted(), UserSpeechStarted(), UserSpeechStopped()], now=1.0)
    told(machine, [ResponseText("✓ Hello"), ResponseEnded()], now=2.0)
    assert machine.deadline == 7.0


def test_an_answer_begun_while_the_caller_speaks_is_void() -> None:
    """It answers something that the caller is still saying."""
    assert told(TurnCompletion(), [UserSpeechStarted(), *answer("✓ Hello")]) == []


def test_asking_again_is_bounded() -> None:
    """A model that keeps silent is not asked for ever; after words it may fail again."""
    machine = TurnCompletion()
    assert "prompt repeat" in told(machine, answer("✓"))
    assert "prompt repeat" not in told(machine, answer("✓"))
    told(machine, answer("✓ Words."))
    assert "prompt repeat" in told(machine, answer("✓"))


def test_every_response_is_voiced() -> None:
    """Re-prompts of an idle caller and replies after a tool are not taken for repeated answers."""
    machine = TurnCompletion()
    for text in ("One.", "Two.", "Three."):
        assert told(machine, answer(f"✓ {text}")) == ["mark ✓", "complete", f"say {text}"]


def test_the_warning_comes_once() -> None:
    """A model that never keeps to the protocol is reported once per session."""
    machine = TurnCompletion()
    assert told(machine, answer("a"))[0] == "warn"
    assert "warn" not in told(machine, answer("b"))


def test_the_instructions_follow_the_programs_own() -> None:
    """They are composed for each request, so nothing of the program's is changed or lost."""
    config = UserTurnCompletionConfig(instructions="Mark your answers.")
    assert config.system_instruction("Be kind.") == "Be kind.\n\nMark your answers."
    assert config.system_instruction(None) == "Mark your answers."
    odd = UserTurnCompletionConfig(complete_marker="<done>", incomplete_short_marker="<wait>")
    assert "<done>" in odd.system_instruction(None)
    assert "<wait>" in odd.system_instruction(None)
    for marker in UserTurnCompletionConfig().markers:
        assert marker in UserTurnCompletionConfig().system_instruction(None)


def test_random_responses() -> None:
    """Whatever a model sends: nothing is spoken before a verdict, markers are never spoken, at
    most one verdict a response, and a response that ends silent leaves a deadline, a prompt, or a
    call behind.
    """
    for seed in range(2_000):
        rng = random.Random(seed)
        machine = TurnCompletion()
        choices: list[str | ResponseToolCall] = ["✓", "○", "◐", " ", "word ", "", CALL]
        parts = [rng.choice(choices) for _ in range(rng.randint(0, 6))]
        actions = [a for event in answer(*parts) for a in machine.receive(event, 0.0)]
        verdicts = [i for i, a in enumerate(actions) if isinstance(a, CompleteTurn)]
        said = [i for i, a in enumerate(actions) if isinstance(a, Emit)]
        assert len(verdicts) <= 1
        assert not said or verdicts[0] < said[0]
        silent = not any(a.text.strip() for a in actions if isinstance(a, Emit))
        if silent and CALL not in parts:
            prompted = any(isinstance(a, Prompt) for a in actions)
            assert machine.deadline is not None or prompted
