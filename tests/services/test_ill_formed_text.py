"""Text that no encoder takes, and strangers' code that raises, mute nobody."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable

import pytest
import sentencex
from msgspec import structs

from antiphon.context.llm_context import LLMContext
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import ErrorFrame
from antiphon.frames.llm import (
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMThoughtTextFrame,
)
from antiphon.frames.speech import SpeechLostFrame, TTSSpeakFrame
from antiphon.frames.text import AggregatedTextFrame, LLMTextFrame, TTSTextFrame
from antiphon.services.contracts import (
    AudioChunk,
    Finalize,
    LLMEvent,
    TextDelta,
    ThoughtDelta,
    ToolCall,
    Transcript,
)
from antiphon.services.llm import LLMService
from antiphon.services.llm_text import AnswerText
from antiphon.services.stt import STTService
from antiphon.services.tts import TTSService
from antiphon.simulation.fakes.language_model import FakeLLMProvider
from antiphon.simulation.fakes.stt import FakeSTTProvider
from antiphon.simulation.fakes.tts import FakeTTSProvider
from antiphon.simulation.loop.virtual_time import run
from antiphon.simulation.testing import SleepFrame, run_test
from tests.services.test_stt import said, texts
from tests.services.test_tts import of, spoken, written


class Panic(BaseException):
    """What compiled code raises when it gives up."""


def answers(*texts: str) -> list[Frame]:
    """Answers of a model, each in the deltas that bars cut it into."""
    frames: list[Frame] = []
    for text in texts:
        frames.append(LLMFullResponseStartFrame())
        frames += [LLMTextFrame(piece) for piece in text.split("|")]
        frames += [LLMFullResponseEndFrame(), SleepFrame(sleep=1)]
    return frames


def test_a_models_emoji_may_be_cut_in_two() -> None:
    """Halves are joined over deltas, in text and thoughts; lone ones are replaced."""
    deltas: list[LLMEvent] = [
        ThoughtDelta("hm \ud83d"), ThoughtDelta("\ude00"), TextDelta("Hi \ud83d"),
        TextDelta("\ude00 you. \ud83d"),
    ]  # fmt: skip
    llm = LLMService(FakeLLMProvider([deltas]))
    context = LLMContext([{"role": "user", "content": "hello"}])
    down, up = run(run_test(llm, frames_to_send=[LLMContextFrame(context)]))
    assert "".join(frame.text for frame in of(down, LLMTextFrame)) == "Hi 😀 you. \ufffd"
    assert "".join(frame.text for frame in of(down, LLMThoughtTextFrame)) == "hm 😀"
    assert of(up, ErrorFrame) == []


def test_a_call_ends_what_waits_for_its_other_half() -> None:
    """The text before a call comes before it, and the call's own text is well formed."""
    text = AnswerText()
    assert text.push(TextDelta("a\ud83d")) == [TextDelta("a")]
    call = ToolCall("1", "f", '{"x": "\ud83d"}')
    assert text.push(call) == [TextDelta("\ufffd"), ToolCall("1", "f", '{"x": "\ufffd"}')]
    assert text.flush() == []


def test_a_voice_joins_and_replaces_halves() -> None:
    """Whoever made the frames: the text is spoken, and so is the next."""
    for text in ("One \ud83d|\ude00 two.", "One \ud83d two.", "One two. \ude00"):
        out, up = run(
            run_test(TTSService(FakeTTSProvider()), frames_to_send=answers(text, "Next."))
        )
        assert spoken(out).split() == ["One", "two.", "Next."], text
        assert of(up, ErrorFrame) == []
        written(out).encode()
    speak = TTSSpeakFrame("Hello \ud83d there.")
    out, up = run(run_test(TTSService(FakeTTSProvider()), frames_to_send=[speak]))
    assert spoken(out) == "Hello there."
    assert of(up, ErrorFrame) == []


def test_a_transcript_is_well_formed() -> None:
    """A half that a transcriber lets through goes no further."""

    class Half(FakeSTTProvider):
        async def transcribe(
            self, audio: AsyncIterator[AudioChunk | Finalize]
        ) -> AsyncGenerator[Transcript, None]:
            async for transcript in super().transcribe(audio):
                yield structs.replace(transcript, text=f"{transcript.text} \ud83d")

    out, _ = run(run_test(STTService(Half()), frames_to_send=said("hello there")))
    assert texts(out) == ["hello there \ufffd"]


@pytest.mark.parametrize("error", [ValueError, Panic])
def test_a_splitter_that_raises_is_reset(
    monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    """The failure is reported, the text it held is spoken, and so is what comes after it."""
    honest: Callable[[str, str], list[str]] = sentencex.segment

    def segment(language: str, text: str) -> list[str]:
        if "poison" in text:
            raise error("cannot segment this")
        return honest(language, text)

    monkeypatch.setattr(sentencex, "segment", segment)
    frames = answers("One. |A |poison. |Two. Three.", "Four. Five.")
    out, up = run(run_test(TTSService(FakeTTSProvider()), frames_to_send=frames))
    assert spoken(out) == "One. A poison. Two. Three. Four. Five."
    assert "cannot segment this" in of(up, ErrorFrame)[0].error


def test_a_transform_that_panics_costs_one_sentence() -> None:
    """It is told as not spoken; a panic of compiled code is an error like another."""

    def fragile(text: str) -> str:
        if "two" in text:
            raise Panic("index out of bounds")
        return text

    service = TTSService(FakeTTSProvider(), text_transforms=[fragile])
    out, up = run(run_test(service, frames_to_send=answers("Say one. Say two. Say three.")))
    assert spoken(out) == "Say one. Say three."
    units = [f for f in of(out, AggregatedTextFrame) if not isinstance(f, TTSTextFrame)]
    assert [f.text for f in units if not f.will_be_spoken] == ["Say two. "]
    assert [f.text for f in of(out, SpeechLostFrame)] == ["Say two."]
    assert "index out of bounds" in of(up, ErrorFrame)[0].error
