"""Stretches between marks, as the voice's service treats them."""

from __future__ import annotations

import pytest

from antiphon.frames.base import Frame
from antiphon.frames.llm import LLMFullResponseEndFrame, LLMFullResponseStartFrame
from antiphon.frames.text import AggregatedTextFrame, LLMTextFrame, TextFrame, TTSTextFrame
from antiphon.services.tts import TTSService
from antiphon.simulation.fakes.tts import FakeTTSProvider
from antiphon.simulation.loop.virtual_time import run
from antiphon.simulation.testing import SleepFrame, run_test
from antiphon.text.markup import MatchAction, Pattern

TEXT = "Look at <x>two words</x> now. Bye."

EXPECTED: dict[MatchAction, tuple[str, list[tuple[str, bool]], str]] = {
    MatchAction.SKIP: (
        "Look at now. Bye.",
        [("Look at", True), ("<x>two words</x>", False), ("now.", True), ("Bye.", True)],
        "Look at <x>two words</x> now. Bye.",
    ),
    MatchAction.REMOVE: (
        "Look at now. Bye.",
        [("Look at", True), ("now.", True), ("Bye.", True)],
        "Look at now. Bye.",
    ),
    MatchAction.AGGREGATE: (
        "Look at two words now. Bye.",
        [("Look at", True), ("two words", True), ("now.", True), ("Bye.", True)],
        "Look at two words now. Bye.",
    ),
    MatchAction.KEEP: (
        "Look at two words now. Bye.",
        [("Look at two words", True), ("now.", True), ("Bye.", True)],
        "Look at two words now. Bye.",
    ),
}


@pytest.mark.parametrize("action", MatchAction)
def test_what_becomes_of_a_stretch(action: MatchAction) -> None:
    """What is spoken, what is shown in its place among the words, and what is remembered; the
    program is told what stood between the marks, whatever becomes of it.
    """
    provider = FakeTTSProvider()
    service = TTSService(provider, patterns=[Pattern("x", "<x>", "</x>", action)])
    matches: list[tuple[str, str]] = []
    service.add_event_handler(
        "on_pattern_match", lambda _, kind, text: matches.append((kind, text))
    )
    tokens = [LLMTextFrame(TEXT[i : i + 3]) for i in range(0, len(TEXT), 3)]
    frames: list[Frame] = [LLMFullResponseStartFrame(), *tokens, LLMFullResponseEndFrame()]
    out, _ = run(run_test(service, frames_to_send=[*frames, SleepFrame(sleep=9.0)]))
    spoken, shown, remembered = EXPECTED[action]
    assert " ".join("".join(map("".join, provider.utterances)).split()) == spoken
    units = [f for f in out if type(f) is AggregatedTextFrame and f.text.strip()]
    assert [(unit.text.strip(), unit.will_be_spoken) for unit in units] == shown
    in_order = [
        f.text
        for f in out
        if isinstance(f, TTSTextFrame) or (type(f) is AggregatedTextFrame and not f.will_be_spoken)
    ]
    assert " ".join("".join(in_order).split()) == remembered
    assert matches == [("x", "two words")]


def test_a_stretch_is_spoken_in_its_own_way() -> None:
    """A transform for a kind makes other words of its units only; the text stays as written."""
    provider = FakeTTSProvider()
    service = TTSService(
        provider,
        patterns=[Pattern("card", "<c>", "</c>", MatchAction.AGGREGATE)],
        text_transforms=[("card", " ".join), str.title],
    )
    answer = LLMTextFrame("Your card <c>42</c> costs 42.")
    frames: list[Frame] = [LLMFullResponseStartFrame(), answer, LLMFullResponseEndFrame()]
    out, _ = run(run_test(service, frames_to_send=[*frames, SleepFrame(sleep=9.0)]))
    heard = "".join(frame.text for frame in out if isinstance(frame, TTSTextFrame))
    spoken = " ".join(map("".join, provider.utterances))
    assert spoken.split() == "Your Card 4 2 Costs 42.".split()
    assert heard.split() == "Your card 42 costs 42.".split()


def reading(*frames: Frame) -> tuple[FakeTTSProvider, list[TextFrame]]:
    """The voice, and the text that comes out of an answer of these frames: heard, or shown."""
    provider = FakeTTSProvider()
    script = [LLMFullResponseStartFrame(), *frames, LLMFullResponseEndFrame()]
    out, _ = run(run_test(TTSService(provider), frames_to_send=[*script, SleepFrame(sleep=9.0)]))
    texts = [frame for frame in out if isinstance(frame, TextFrame)]
    return provider, [
        text
        for text in texts
        if isinstance(text, TTSTextFrame) or not isinstance(text, AggregatedTextFrame)
    ]


def test_text_of_the_programs_that_is_not_spoken_keeps_its_place() -> None:
    """Also where it comes in the middle of a sentence that was not sure to be complete."""
    provider, texts = reading(
        LLMTextFrame("Look "),
        LLMTextFrame("[picture] ", skip_tts=True),
        LLMTextFrame("at that. Bye."),
    )
    assert "".join(text.text for text in texts) == "Look [picture] at that. Bye. "
    assert "picture" not in str(provider.utterances)


def test_a_unit_of_the_programs_keeps_its_place() -> None:
    """It comes behind the text before it, and its words are apart from those behind it."""
    _, texts = reading(
        LLMTextFrame("Look "),
        AggregatedTextFrame("here.", aggregated_by="own"),
        LLMTextFrame("Bye."),
    )
    assert "".join(text.text for text in texts) == "Look here. Bye. "


def test_what_is_not_for_the_context_is_marked_piece_by_piece() -> None:
    """A single sentence as well, which is only sure to be complete when the answer ends; and
    text of one kind is never taken for that of the other.
    """
    _, texts = reading(LLMTextFrame("Not this.", append_to_context=False))
    assert [text.append_to_context for text in texts] == [False, False]
    _, texts = reading(
        LLMTextFrame("Not", append_to_context=False),
        LLMTextFrame(" this. "),
        LLMTextFrame("Nor", append_to_context=False),
    )
    assert [(text.text.strip(), text.append_to_context) for text in texts] == [
        ("Not", False),
        ("this.", True),
        ("Nor", False),
    ]


def test_a_stretch_is_not_torn_by_text_that_is_not_spoken() -> None:
    """Its end is still to come: it stays what it is."""
    provider, _ = reading(
        LLMTextFrame("<think>So "), LLMTextFrame("x", skip_tts=True), LLMTextFrame("so</think>Yes.")
    )
    assert ["".join(pieces).strip() for pieces in provider.utterances] == ["Yes."]
