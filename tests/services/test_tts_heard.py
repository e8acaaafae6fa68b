"""What the voice's service says was heard: late words, broken voices, speech within an answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence

import pytest

from antiphon.context.assistant_aggregator import AssistantTurnStoppedMessage
from antiphon.context.llm_context import LLMContext
from antiphon.context.pair import LLMContextAggregatorPair
from antiphon.errors import ConnectivityError
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import ErrorFrame, InterruptionFrame
from antiphon.frames.llm import (
    LLMAssistantPushAggregationFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    TTSUpdateSettingsFrame,
)
from antiphon.frames.speech import SpeechTurnFrame, TTSSpeakFrame, TTSStartedFrame
from antiphon.frames.text import LLMTextFrame, TTSTextFrame
from antiphon.kernel.params import PipelineParams
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.task import PipelineTask
from antiphon.services.connection_policy import ConnectionPolicy
from antiphon.services.contracts import SpeechAudio, TTSCapabilities, TTSEvent, WordTime
from antiphon.services.tts import TTSService
from antiphon.services.tts_synthesis import SpeechBounds
from antiphon.settings import ServiceSettings, TTSSettings
from antiphon.simulation.fakes.provider import Fail, from_now_on
from antiphon.simulation.fakes.tts import FakeTTSProvider
from antiphon.simulation.fakes.voice import speak_word
from antiphon.simulation.loop.virtual_time import run
from antiphon.simulation.testing import SleepFrame, run_test
from antiphon.transports.output import OutputTransport
from antiphon.transports.sinks import CallbackSink
from tests.services.test_tts import answer, kinds, of, spoken, written

RATE = 24_000


class Heard:
    """A conversation of a voice, the real output and the assistant's half of the context."""

    def __init__(self, service: TTSService) -> None:
        self.context = LLMContext()
        self.turns: list[AssistantTurnStoppedMessage] = []
        self.started = 0
        assistant = LLMContextAggregatorPair(self.context).assistant()
        assistant.add_event_handler("on_assistant_turn_started", self._begins)
        assistant.add_event_handler("on_assistant_turn_stopped", self._ends)
        output = OutputTransport(CallbackSink(lambda pcm: None))
        self.task = PipelineTask(
            Pipeline([service, output, assistant]),
            params=PipelineParams(audio_out_sample_rate=RATE),
            idle_timeout_secs=None,
        )

    def _begins(self, _: object) -> None:
        self.started += 1

    def _ends(self, _: object, message: AssistantTurnStoppedMessage) -> None:
        self.turns.append(message)

    @property
    def contents(self) -> list[str]:
        return [message["content"] for message in self.context.get_messages()]

    def hold(self, *script: Frame | float) -> Heard:
        """Sends the frames, with pauses in seconds."""

        async def main() -> None:
            running = asyncio.get_running_loop().create_task(self.task.run())
            for step in script:
                if isinstance(step, Frame):
                    await self.task.queue_frame(step)
                else:
                    await asyncio.sleep(step)
            await self.task.stop_when_done()
            await running

        run(main())
        assert self.started == len(self.turns)
        return self


def tokens(text: str) -> Sequence[Frame]:
    """The text of an answer, all at once, without its boundaries."""
    return [LLMTextFrame(f"{word} ") for word in text.split()]


def silent_voice(
    *, secs_per_word: float = 0.4, first_audio: float = 0.15, speed: float = 5.0
) -> FakeTTSProvider:
    """Reads its text as it comes, and does not say when it says what."""
    return FakeTTSProvider(
        word_times=False, secs_per_word=secs_per_word, first_audio=first_audio, speed=speed
    )


# ---- no word comes late ------------------------------------------------------------------------


@pytest.mark.parametrize("speed", [1.0, 5.0, 100.0])
def test_the_last_words_do_not_wait_for_the_next_sentence(speed: float) -> None:
    """The model pauses after a sentence, and the caller cuts in: all of the sentence was heard,
    although the voice did not say so and its pace was taken to be slower.
    """
    text = "Unfortunately nobody answered yesterday."
    heard = Heard(TTSService(silent_voice(speed=speed))).hold(
        0.1, LLMFullResponseStartFrame(), *tokens(f"{text} And"), 3.5, InterruptionFrame(), 1.0
    )
    assert heard.contents == [text]
    assert heard.turns[0].interrupted


def test_an_estimate_is_made_of_what_is_known_when_the_word_is_heard() -> None:
    """The length of the speech is known long before it has been played: the words share it."""
    words = "alpha bravo delta gamma sigma omega".split()
    for count in range(1, 6):
        voice = silent_voice(secs_per_word=1.0, first_audio=0.0, speed=50.0)
        heard = Heard(TTSService(voice)).hold(
            0.1, TTSSpeakFrame(" ".join(words)), count + 0.3, InterruptionFrame(), 1.0
        )
        assert heard.contents == [" ".join(words[:count])], count


def test_estimated_words_are_marked() -> None:
    """Those of a voice that tells its words' times are not."""
    for word_times in (True, False):
        provider = FakeTTSProvider(word_times=word_times)
        out, _ = run(run_test(TTSService(provider), frames_to_send=answer("One two three.")))
        assert {frame.estimated for frame in of(out, TTSTextFrame)} == {not word_times}


# ---- voices that break off ---------------------------------------------------------------------


class Teller(FakeTTSProvider):
    """Tells all its words before it fails, in its first call."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    async def synthesize(self, text: AsyncIterator[str]) -> AsyncGenerator[TTSEvent, None]:
        self.asked += 1
        at = 0.0
        async for piece in text:
            for word in piece.split():
                yield WordTime(word, at, at + 0.3)
                if self.asked > 1:
                    yield SpeechAudio(speak_word(word, sample_rate=RATE, secs=0.3))
                at += 0.3
            if self.asked == 1:
                raise ConnectivityError("reset")


def test_a_second_attempt_tells_its_words_anew() -> None:
    """What the first told does not let words out before they are heard."""
    frames = [LLMFullResponseStartFrame(), *tokens("One two. Three four.")]
    out, _ = run(
        run_test(TTSService(Teller()), frames_to_send=[*frames, LLMFullResponseEndFrame()])
    )
    base = of(out, TTSStartedFrame)[0].pts or 0
    ends = [round(((frame.pts or 0) - base) / 1e9, 3) for frame in of(out, TTSTextFrame)]
    assert ends == [0.3, 0.6, 0.9, 1.2]
    assert written(out) == "One two. Three four."


def test_what_a_broken_voice_did_not_say_is_not_in_the_context() -> None:
    """And the next sentences of the same answer are said by a new request."""
    provider = FakeTTSProvider(faults={0: Fail(ConnectivityError("reset"), after=4)})
    heard = Heard(TTSService(provider)).hold(
        LLMFullResponseStartFrame(), *tokens("One two three four. Five"), 4.0,
        *tokens("six. Seven."), LLMFullResponseEndFrame(),
    )  # fmt: skip
    assert heard.contents == ["One Five six. Seven."]


class Leaver(FakeTTSProvider):
    """Ends after the first piece of its text."""

    async def synthesize(self, text: AsyncIterator[str]) -> AsyncGenerator[TTSEvent, None]:
        async for piece in text:
            for word in piece.split():
                yield SpeechAudio(speak_word(word, sample_rate=RATE))
            return


def test_a_voice_that_ends_before_its_text_is_reported() -> None:
    """What it did not read is not taken for heard."""
    frames = [LLMFullResponseStartFrame(), *tokens("One two. Three four. Five.")]
    frames.append(LLMFullResponseEndFrame())
    out, up = run(run_test(TTSService(Leaver()), frames_to_send=frames))
    assert spoken(out) == "One two."
    assert "Three" not in written(out)
    assert "ended before" in of(up, ErrorFrame)[0].error


class Endless(FakeTTSProvider):
    """Never stops."""

    capabilities = TTSCapabilities(sample_rate=RATE)

    async def synthesize(self, text: AsyncIterator[str]) -> AsyncGenerator[TTSEvent, None]:
        while True:
            await asyncio.sleep(0.1)
            yield SpeechAudio(bytes(RATE))


def test_a_voice_that_never_stops_is_cut_off_and_reported() -> None:
    """After half a minute, and a second for each character."""
    service = TTSService(Endless(), bounds=SpeechBounds(max_secs_per_character=0.5))
    out, up = run(run_test(service, frames_to_send=answer("Hello.")))
    assert "does not stop" in of(up, ErrorFrame)[0].error
    assert of(out, LLMFullResponseEndFrame)


# ---- speech within an answer, and without one --------------------------------------------------


def test_what_is_asked_for_within_an_answer_keeps_its_place() -> None:
    """After the sentences that are complete, before those that come later."""
    heard = Heard(TTSService(FakeTTSProvider())).hold(
        LLMFullResponseStartFrame(), *tokens("First one. Second"), TTSSpeakFrame("One moment."),
        *tokens("one. Third one."), LLMFullResponseEndFrame(),
    )  # fmt: skip
    assert heard.contents == ["First one. One moment. Second one. Third one."]
    assert len(heard.turns) == 1


def test_a_greeting_is_one_turn_whenever_it_is_cut_off() -> None:
    """Before its first sound, within it, at its end: told of once, with what was not heard."""
    text = "One two three four."
    for secs in (0.01, 0.05, 0.3, 0.5, 0.9, 1.2, 1.35, 2.0):
        service = TTSService(FakeTTSProvider(first_audio=0.1, speed=20.0))
        heard = Heard(service).hold(0.1, TTSSpeakFrame(text), secs, InterruptionFrame(), 1.0)
        (turn,) = heard.turns
        assert turn.interrupted is (secs < 1.3), secs
        assert f"{turn.content} {turn.unheard}".strip() == text, secs
        assert heard.contents == [turn.content] * bool(turn.content)


def test_a_greeting_that_no_voice_can_say_is_a_turn_all_the_same() -> None:
    """It begins and ends, with nothing heard."""
    provider = FakeTTSProvider(faults=from_now_on(Fail(ConnectivityError("no route"))))
    heard = Heard(TTSService(provider)).hold(0.1, TTSSpeakFrame("Hello."), 1.0)
    assert [(turn.content, turn.interrupted) for turn in heard.turns] == [("", False)]
    assert heard.contents == []


def test_the_request_to_commit_comes_after_the_last_word() -> None:
    """Its pts is later than that of every word, and so is its place."""
    out, _ = run(run_test(TTSService(FakeTTSProvider()), frames_to_send=[TTSSpeakFrame("A b c.")]))
    assert kinds(out)[0] == "SpeechTurn"
    (commit,) = of(out, LLMAssistantPushAggregationFrame)
    assert commit.pts == max(frame.pts or 0 for frame in of(out, TTSTextFrame)) + 1
    assert out[-1] is commit
    assert of(out, SpeechTurnFrame)[0].text == "A b c."


# ---- settings ----------------------------------------------------------------------------------


class Polyglot(FakeTTSProvider):
    """Takes any settings."""

    configured: ServiceSettings | None = None

    def configure(self, settings: ServiceSettings) -> None:
        """Keeps them."""
        self.configured = settings


def test_a_language_changed_within_an_answer_loses_no_text() -> None:
    """What was not yet a sentence is said; the new language holds from the next answer on."""
    frames = [
        LLMFullResponseStartFrame(),
        *tokens("Half a"),
        TTSUpdateSettingsFrame(settings={"language": "de", "model": "m2"}),
        *tokens("sentence."),
        LLMFullResponseEndFrame(),
        SleepFrame(sleep=3.0),
        *answer("Am 3. Mai kam er. Gut."),
    ]
    provider = Polyglot()
    out, _ = run(run_test(TTSService(provider), frames_to_send=frames))
    assert spoken(out) == "Half a sentence. Am 3. Mai kam er. Gut."
    assert isinstance(provider.configured, TTSSettings)
    assert (provider.configured.language, provider.configured.model) == ("de", "m2")
    assert provider.utterances[1][0].strip() == "Am 3. Mai kam er."


# ---- what a voice did not say is not lost ------------------------------------------------------


def test_what_a_voice_failed_to_say_is_told_as_unheard() -> None:
    """In the middle of an answer, though nobody interrupted; and what comes after is heard."""
    provider = FakeTTSProvider(faults={0: Fail(ConnectivityError("reset"), after=4)})
    heard = Heard(TTSService(provider)).hold(
        LLMFullResponseStartFrame(), *tokens("One two three four. Five"), 4.0,
        *tokens("six. Seven."), LLMFullResponseEndFrame(),
    )  # fmt: skip
    turn = heard.turns[0]
    assert (turn.content, turn.unheard, turn.interrupted) == (
        "One Five six. Seven.",
        "two three four.",
        False,
    )


def test_what_no_voice_says_is_told_as_unheard() -> None:
    """A greeting, and an answer after the voice was given up; not what is not for the context."""
    provider = FakeTTSProvider(faults=from_now_on(Fail(ConnectivityError("down"))))
    service = TTSService(provider, policy=ConnectionPolicy(give_up_secs=0.5))
    heard = Heard(service).hold(
        TTSSpeakFrame("Good day."), 1.0, TTSSpeakFrame("Psst.", append_to_context=False), 1.0,
        LLMFullResponseStartFrame(), *tokens("One. Two three."), LLMFullResponseEndFrame(), 1.0,
    )  # fmt: skip
    assert [turn.unheard for turn in heard.turns] == ["Good day.", "One. Two three."]
    assert heard.contents == []
    assert not any(turn.interrupted for turn in heard.turns)
