"""What the voice's place in a pipeline promises."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

from antiphon.errors import AuthenticationError, ConfigurationError, ConnectivityError
from antiphon.frames.audio import TTSAudioRawFrame
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import (
    ErrorFrame,
    InterruptionFrame,
    MetricsFrame,
    TTFBMetricsData,
    TTSUsageMetricsData,
)
from antiphon.frames.llm import (
    LLMAssistantPushAggregationFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMMessagesAppendFrame,
    TTSUpdateSettingsFrame,
)
from antiphon.frames.speech import SpeechLostFrame, TTSSpeakFrame, TTSStartedFrame, TTSStoppedFrame
from antiphon.frames.text import AggregatedTextFrame, LLMTextFrame, TTSTextFrame
from antiphon.frames.tools import FunctionCallInProgressFrame
from antiphon.frames.transport import PlayoutBufferFrame
from antiphon.frames.turns import BotStoppedSpeakingFrame
from antiphon.kernel.params import PipelineParams
from antiphon.services.connection_policy import ConnectionPolicy
from antiphon.services.tts import TTSService
from antiphon.services.tts_synthesis import SpeechBounds
from antiphon.settings import ServiceSettings, TTSSettings
from antiphon.simulation.fakes.provider import Fail, Hang, Stall, from_now_on
from antiphon.simulation.fakes.tts import FakeTTSProvider
from antiphon.simulation.fakes.voice import Listener
from antiphon.simulation.loop.virtual_time import run
from antiphon.simulation.testing import SleepFrame, run_test

F = TypeVar("F", bound=Frame)
STEP = 0.01


def answer(text: str, *, pace: float = STEP) -> list[Frame]:
    """An answer of a model, token by token."""
    frames: list[Frame] = [LLMFullResponseStartFrame()]
    for token in text.replace(" ", " \0").split("\0"):
        frames += [LLMTextFrame(token), SleepFrame(sleep=pace)]
    return [*frames, LLMFullResponseEndFrame()]


def of(frames: Sequence[Frame], kind: type[F]) -> list[F]:
    """The frames of one type."""
    return [frame for frame in frames if isinstance(frame, kind)]


def spoken(frames: Sequence[Frame]) -> str:
    """The words in the audio."""
    listener = Listener()
    pcm = b"".join(frame.audio for frame in of(frames, TTSAudioRawFrame))
    return " ".join(listener.hear(pcm))


def written(frames: Sequence[Frame]) -> str:
    """The words that are said to be heard."""
    return "".join(frame.text for frame in of(frames, TTSTextFrame)).strip()


def kinds(frames: Sequence[Frame]) -> list[str]:
    """The types of frames in order, runs of the same counted once."""
    names = [type(frame).__name__.removesuffix("Frame") for frame in frames]
    return [name for index, name in enumerate(names) if index == 0 or names[index - 1] != name]


def down(
    provider: FakeTTSProvider, frames: Sequence[Frame], *, stall_timeout_secs: float = 8.0
) -> tuple[list[Frame], list[Frame]]:
    """What comes out behind a service over this provider, and before it."""
    params = PipelineParams(enable_metrics=True, enable_usage_metrics=True)
    service = TTSService(provider, policy=ConnectionPolicy(stall_secs=stall_timeout_secs))
    return run(run_test(service, frames_to_send=frames, pipeline_params=params))


def test_an_answer_is_one_utterance_in_order() -> None:
    """Start, announcement, audio with its words, stop, end: one context id, one order."""
    out, _ = down(FakeTTSProvider(), answer("Hello there. How are you?"))
    assert spoken(out) == "Hello there. How are you?"
    assert written(out) == "Hello there. How are you?"
    order = kinds([f for f in out if not isinstance(f, TTSTextFrame | MetricsFrame)])
    assert order == [
        "LLMFullResponseStart",
        "TTSStarted",
        "AggregatedText",
        "TTSAudioRaw",
        "AggregatedText",
        "TTSAudioRaw",
        "TTSStopped",
        "LLMFullResponseEnd",
    ]
    ids = {f.context_id for f in of(out, TTSAudioRawFrame) + of(out, TTSTextFrame)}
    assert ids == {of(out, TTSStartedFrame)[0].context_id}


def test_words_come_with_the_time_at_which_they_have_been_heard() -> None:
    """The pts of a word is the utterance's beginning plus the word's end in the audio."""
    out, _ = down(FakeTTSProvider(secs_per_word=0.3), answer("one two three."))
    base = of(out, TTSStartedFrame)[0].pts
    assert base is not None
    ends = [round((f.pts - base) / 1e9, 2) for f in of(out, TTSTextFrame) if f.pts is not None]
    assert ends == [0.3, 0.6, 0.9]


def test_without_word_times_the_words_are_estimated_from_the_audio() -> None:
    """Every word comes out, in time with its audio within a word, and none beyond its end."""
    text = "A voice without word times says this. And then something else, quickly."
    out, _ = down(FakeTTSProvider(word_times=False, secs_per_word=0.4), answer(text))
    assert written(out) == text
    base = of(out, TTSStartedFrame)[0].pts or 0
    ends = [((f.pts or 0) - base) / 1e9 for f in of(out, TTSTextFrame)]
    assert ends == sorted(ends)
    assert ends[-1] <= 0.4 * len(text.split()) + 1e-6


def test_the_first_sentence_is_heard_before_the_answer_is_complete() -> None:
    """Text is fed as it comes: audio of the first sentence goes out while the model still
    writes.
    """
    frames = answer("This is first. " + "word " * 200 + "end.", pace=0.05)
    out, _ = down(FakeTTSProvider(), frames)
    ttfb = [
        data.value
        for frame in of(out, MetricsFrame)
        for data in frame.data
        if isinstance(data, TTFBMetricsData)
    ]
    assert len(ttfb) == 1
    assert ttfb[0] < 0.3
    usage = [
        data.characters
        for frame in of(out, MetricsFrame)
        for data in frame.data
        if isinstance(data, TTSUsageMetricsData)
    ]
    assert usage[0] > 1000


def test_a_greeting_closes_itself() -> None:
    """Outside an answer a spoken text is followed by the request to commit it to the context."""
    out, _ = down(FakeTTSProvider(), [TTSSpeakFrame("Hello. I am here.")])
    assert spoken(out) == "Hello. I am here."
    assert kinds(out)[-2:] == ["TTSStopped", "LLMAssistantPushAggregation"]


def test_a_text_that_is_not_for_the_context_is_marked_so() -> None:
    """`append_to_context=False` reaches the words and the announcement, and nothing is
    committed.
    """
    out, _ = down(FakeTTSProvider(), [TTSSpeakFrame("One moment.", append_to_context=False)])
    assert [f.append_to_context for f in of(out, TTSTextFrame)] == [False, False]
    assert not of(out, TTSStartedFrame)[0].append_to_context
    assert not of(out, LLMAssistantPushAggregationFrame)


def test_frames_between_utterances_come_out_between_them() -> None:
    """Several utterances in flight, one order."""
    middle = LLMMessagesAppendFrame(messages=[])
    frames = [TTSSpeakFrame("one two."), middle, TTSSpeakFrame("three four.")]
    out, _ = down(FakeTTSProvider(), frames)
    ordered = [f for f in out if isinstance(f, TTSStoppedFrame | TTSStartedFrame) or f is middle]
    assert [type(f).__name__ for f in ordered] == [
        "TTSStartedFrame",
        "TTSStoppedFrame",
        "LLMMessagesAppendFrame",
        "TTSStartedFrame",
        "TTSStoppedFrame",
    ]
    assert spoken(out) == "one two. three four."


def test_utterances_are_synthesised_ahead() -> None:
    """The second utterance does not wait for the first to have been sent."""
    provider = FakeTTSProvider(first_audio=1.0, speed=1.0)
    out, _ = down(provider, [TTSSpeakFrame("one two three."), TTSSpeakFrame("four.")])
    ttfb = [
        data.value
        for frame in of(out, MetricsFrame)
        for data in frame.data
        if isinstance(data, TTFBMetricsData)
    ]
    assert [round(value, 1) for value in ttfb] == [1.1, 1.1]


def test_a_frame_in_the_middle_of_an_answer_keeps_its_place() -> None:
    """What comes after a sentence comes out after its audio and before the next sentence's."""
    call = FunctionCallInProgressFrame(function_name="f", tool_call_id="1", arguments={})
    frames = [*answer("First one. Second")[:-1], call, *answer("x. Third one.")[1:]]
    out, _ = down(FakeTTSProvider(), frames)
    at = out.index(call)
    assert written(out[:at]) == "First one."
    assert written(out) == "First one. Secondx. Third one."


def test_an_interruption_silences_at_once_and_keeps_what_must_not_be_lost() -> None:
    """After it nothing of the old answer comes out but uninterruptible frames, in their order."""
    calls = [
        FunctionCallInProgressFrame(function_name="f", tool_call_id=str(n), arguments={})
        for n in range(3)
    ]
    provider = FakeTTSProvider(speed=1.0)
    frames = [
        *answer("One two three. Four five six. Seven eight nine."),
        *calls,
        SleepFrame(sleep=1.0),
        InterruptionFrame(),
        SleepFrame(sleep=3.0),
        *answer("New answer."),
    ]
    out, _ = down(provider, frames)
    cut = max(out.index(call) for call in calls)
    assert [f for f in out if isinstance(f, FunctionCallInProgressFrame)] == calls
    assert spoken(out[cut:]) == "New answer."
    assert "nine" not in spoken(out)
    assert provider.cut_off == 1
    assert provider.running == 0


def test_a_voice_that_fails_before_a_sound_is_asked_again() -> None:
    """A retryable failure without audio costs no word."""
    provider = FakeTTSProvider(faults={0: Fail(ConnectivityError("reset"))})
    out, up = down(provider, answer("Hello there."))
    assert spoken(out) == "Hello there."
    assert not of(up, ErrorFrame)


def test_a_voice_that_breaks_in_the_middle_ends_its_utterance() -> None:
    """What was said stays said, the rest is reported as lost, and the next answer is spoken."""
    provider = FakeTTSProvider(faults={0: Fail(ConnectivityError("reset"), after=4)})
    out, up = down(provider, [*answer("One two three four."), *answer("Next one.")])
    assert spoken(out).startswith("One")
    assert spoken(out).endswith("Next one.")
    assert len(of(out, TTSStoppedFrame)) == 2
    assert "failed to speak" in of(up, ErrorFrame)[0].error


def test_a_voice_that_never_answers_is_given_up_in_bounded_time() -> None:
    """A hanging provider is reported; the answer ends all the same, and the next one is spoken."""
    provider = FakeTTSProvider(faults={number: Hang() for number in range(8)})
    frames = [*answer("Never heard."), SleepFrame(sleep=20.0), *answer("Heard.")]
    out, up = down(provider, frames, stall_timeout_secs=2.0)
    assert spoken(out) == "Heard."
    assert len(of(out, LLMFullResponseEndFrame)) == 2
    assert of(up, ErrorFrame)


def test_a_slow_model_is_not_a_stalled_voice() -> None:
    """While the voice waits for text it owes nothing."""
    frames = [*answer("One two. ", pace=3.0)[:-1], SleepFrame(sleep=5.0), *answer("Three.")[1:]]
    out, up = down(FakeTTSProvider(), frames, stall_timeout_secs=1.0)
    assert spoken(out) == "One two. Three."
    assert not of(up, ErrorFrame)


def test_a_stall_in_the_middle_is_bounded() -> None:
    """A voice that stops in its audio for too long is cut off there."""
    provider = FakeTTSProvider(faults={0: Stall(60.0, after=4)})
    out, up = down(provider, answer("One two three four."), stall_timeout_secs=1.0)
    assert spoken(out) == "One"
    assert of(up, ErrorFrame)
    assert of(out, LLMFullResponseEndFrame)


def test_an_error_that_will_not_go_away_is_not_retried() -> None:
    """A wrong key ends speech at once."""
    provider = FakeTTSProvider(faults=from_now_on(Fail(AuthenticationError("bad key"))))
    frames = [*answer("One."), SleepFrame(sleep=1.0), *answer("Two.")]
    _, up = down(provider, frames)
    assert provider.calls == 1
    assert AuthenticationError.category in [f.category for f in of(up, ErrorFrame)]


def test_what_cannot_be_said_is_shown_in_its_place() -> None:
    """An emoji by itself is not spoken, but stays in the conversation."""
    out, _ = down(FakeTTSProvider(), answer("Well done! 🎉🎉 "))
    shown = [f.text for f in of(out, AggregatedTextFrame) if not f.will_be_spoken]
    assert spoken(out) == "Well done!"
    assert [text.strip() for text in shown] == ["🎉🎉"]


def test_words_that_a_transform_takes_away_are_lost() -> None:
    """A whole sentence or a part of one: it is not heard, it is told, and what follows is heard."""

    def discreet(text: str) -> str:
        return re.sub(r"secret\d*", "", text)

    service = TTSService(FakeTTSProvider(), text_transforms=[discreet])
    out, _ = run(
        run_test(service, frames_to_send=[*answer("secret1. One secret2 two. "), SleepFrame(3.0)])
    )
    assert written(out).split() == ["One", "two."]
    lost = " ".join(frame.text for frame in of(out, SpeechLostFrame))
    assert sorted(re.findall(r"secret\d", lost)) == ["secret1", "secret2"]
    shown = [frame for frame in of(out, AggregatedTextFrame) if "secret" in frame.text]
    assert not any(frame.append_to_context for frame in shown if frame.aggregated_by != "word")


def test_markup_is_spoken_as_words_and_remembered_as_written() -> None:
    """The voice gets speakable text; the context gets what the model wrote."""
    provider = FakeTTSProvider()
    out, _ = down(provider, answer("It is **very** good & cheap. "))
    assert provider.utterances[0][0].split() == "It is very good and cheap.".split()
    assert written(out) == "It is **very** good & cheap."


def test_a_full_output_holds_the_audio_and_nothing_else() -> None:
    """While the output is full no audio is sent; when it has room the rest follows."""
    service = TTSService(FakeTTSProvider(speed=1000.0))
    frames = [
        PlayoutBufferFrame(full=True),
        *answer("One two three."),
        SleepFrame(sleep=5.0),
        PlayoutBufferFrame(full=False),
    ]
    out, _ = run(run_test(service, frames_to_send=frames))
    assert spoken(out) == "One two three."
    released = max(out.index(frame) for frame in of(out, PlayoutBufferFrame))
    assert not of(out[:released], TTSAudioRawFrame)
    assert out.index(of(out, LLMFullResponseStartFrame)[0]) < released


def test_a_voice_that_takes_one_request_at_a_time_waits_for_playout() -> None:
    """The second utterance is asked for when the first has been played, or must have been."""
    for told, least, most in ((True, 1.0, 1.6), (False, 3.3, 4.2)):
        provider = FakeTTSProvider(first_audio=0.1, speed=100.0)
        service = TTSService(provider, bounds=SpeechBounds(wait_for_playout=True))
        frames: list[Frame] = [
            TTSSpeakFrame("One two."),
            TTSSpeakFrame("Three."),
            SleepFrame(sleep=1.0),
        ]
        frames += [BotStoppedSpeakingFrame()] if told else []
        params = PipelineParams(enable_metrics=True)
        out, _ = run(
            run_test(
                service, frames_to_send=[*frames, SleepFrame(sleep=9.0)], pipeline_params=params
            )
        )
        times = [
            data.value
            for frame in of(out, MetricsFrame)
            for data in frame.data
            if isinstance(data, TTFBMetricsData)
        ]
        assert spoken(out) == "One two. Three."
        assert least <= times[1] <= most, times


def fragile(text: str) -> str:
    """A transform of the program's, with a fault."""
    if "two" in text:
        raise KeyError("two")
    return text


def test_a_transform_that_fails_silences_its_sentence_only() -> None:
    """The error is reported; the other sentences are spoken, and the answer ends."""
    for text, expected in (
        ("Say one. Say two. Say three.", "Say one. Say three."),
        ("Say two.", ""),
    ):
        service = TTSService(FakeTTSProvider(), text_transforms=[fragile])
        out, up = run(run_test(service, frames_to_send=answer(text)))
        assert spoken(out) == expected
        assert len(of(out, LLMFullResponseEndFrame)) == 1
        assert "KeyError" in of(up, ErrorFrame)[0].error


def test_stretches_between_marks() -> None:
    """Code is shown in its place and not spoken; thoughts are dropped; each match is told."""
    service = TTSService(FakeTTSProvider())
    matches: list[tuple[str, str]] = []
    service.add_event_handler(
        "on_pattern_match", lambda _, kind, text: matches.append((kind, text))
    )
    text = "<think>hm.</think>Do this: ```a.b()``` Good?"
    out, _ = run(run_test(service, frames_to_send=answer(text)))
    assert spoken(out) == "Do this: Good?"
    units = [f for f in of(out, AggregatedTextFrame) if not isinstance(f, TTSTextFrame)]
    kinds_shown = [f.aggregated_by for f in units]
    assert kinds_shown == ["sentence", "code", "sentence"]
    shown = "".join(
        f.text
        for f in out
        if isinstance(f, TTSTextFrame)
        or (isinstance(f, AggregatedTextFrame) and not f.will_be_spoken)
    )
    assert shown.strip() == "Do this: ```a.b()``` Good?"
    assert matches == [("thought", "hm."), ("code", "a.b()")]


def test_token_mode_gives_the_voice_every_token() -> None:
    """A voice that takes tokens gets them as they come."""
    provider = FakeTTSProvider()
    service = TTSService(provider, token_mode=True)
    out, _ = run(run_test(service, frames_to_send=answer("One two three.")))
    assert len(provider.utterances[0]) == 3
    assert spoken(out) == "One two three."


class ConfigurableFake(FakeTTSProvider):
    """Takes settings."""

    configured: ServiceSettings | None = None

    def configure(self, settings: ServiceSettings) -> None:
        """Keeps them; German is refused."""
        if isinstance(settings, TTSSettings) and settings.language == "de":
            raise ConfigurationError("no German")
        self.configured = settings


def test_what_the_voice_refuses_changes_nothing() -> None:
    """Settings that the provider does not take are one error, and those before them stay."""
    provider = ConfigurableFake()
    service = TTSService(provider)
    frames = [TTSUpdateSettingsFrame(settings={"language": "de"}), *answer("Hello.")]
    out, up = run(run_test(service, frames_to_send=frames))
    assert "no German" in of(up, ErrorFrame)[0].error
    assert service.settings == TTSSettings()
    assert spoken(out) == "Hello."


def test_voice_and_language_change_between_utterances() -> None:
    """A settings frame holds from the next utterance on; a wrong one is one clear error."""
    provider = ConfigurableFake()
    frames = [
        TTSUpdateSettingsFrame(settings={"voice": "ada"}),
        TTSUpdateSettingsFrame(settings={"vioce": "bob"}),
        *answer("Hello."),
    ]
    out, up = down(provider, frames)
    assert provider.configured == TTSSettings(voice="ada")
    assert "did you mean 'voice'" in of(up, ErrorFrame)[0].error
    assert spoken(out) == "Hello."


def test_an_answer_without_text_has_no_utterance() -> None:
    """A tool call alone passes without a voice being asked."""
    provider = FakeTTSProvider()
    out, _ = down(provider, [LLMFullResponseStartFrame(), LLMFullResponseEndFrame()])
    assert kinds(out) == ["LLMFullResponseStart", "LLMFullResponseEnd"]
    assert provider.calls == 0


def test_the_end_waits_until_everything_has_been_said() -> None:
    """A graceful end does not cut off an answer, however long it takes."""
    out, _ = down(FakeTTSProvider(speed=0.2), answer("One two three four five six seven."))
    assert spoken(out) == "One two three four five six seven."


def test_a_connection_that_fails_at_first_is_tried_again() -> None:
    """A voice out of reach at the start is connected when there is something to say."""
    provider = FakeTTSProvider(connect_error=ConnectivityError("not yet"))
    out, up = down(provider, answer("Hello."))
    assert "not yet" in of(up, ErrorFrame)[0].error
    assert spoken(out) == "Hello."
    assert provider.connected


def test_a_voice_that_cannot_connect_says_so() -> None:
    """A failed connection is an error frame, not a failed start."""
    provider = FakeTTSProvider(connect_error=AuthenticationError("bad key"))
    out, up = down(provider, answer("Hello."))
    assert "bad key" in of(up, ErrorFrame)[0].error
    assert of(out, LLMFullResponseEndFrame)
