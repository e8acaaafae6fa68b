from __future__ import annotations

from collections.abc import Hashable

import pytest

from antiphon.errors import ErrorCategory
from antiphon.frames.audio import TTSAudioRawFrame
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import ErrorFrame, InterruptionFrame
from antiphon.frames.llm import LLMFullResponseEndFrame, LLMFullResponseStartFrame
from antiphon.frames.speech import TTSStartedFrame, TTSStoppedFrame
from antiphon.frames.text import AggregatedTextFrame, LLMTextFrame, TranscriptionFrame, TTSTextFrame
from antiphon.frames.tools import (
    FunctionCallCancelFrame,
    FunctionCallFromLLM,
    FunctionCallInProgressFrame,
    FunctionCallResultFrame,
    FunctionCallResultProperties,
    FunctionCallsStartedFrame,
)
from antiphon.frames.turns import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from antiphon.observe.conversation_log import Party, ToolOutcome, Trigger
from antiphon.observe.happenings import AgentFinished, AgentStarted, Happening
from antiphon.observe.tracker import ConversationTracker

OUT = "output"
TTS = "tts"


class Scene:
    """Feeds a tracker with the frames of a conversation, each handed on as the pipeline would."""

    def __init__(self) -> None:
        self.tracker = ConversationTracker()
        self.log = self.tracker.log
        self.happened: list[Happening] = []

    def push(self, at: float, frame: Frame, *sources: Hashable) -> None:
        """One frame, handed on by each of `sources` in turn."""
        for source in sources or ("somebody",):
            self.happened += self.tracker.receive(frame, source, at)

    def caller_says(self, start: float, end: float, text: str) -> None:
        """A whole turn: VAD, transcript and decisions with their usual delays."""
        self.push(start + 0.2, VADUserStartedSpeakingFrame(start_secs=0.2), "user", "more")
        self.push(start + 0.2, UserStartedSpeakingFrame(), "user", "more")
        self.push(end + 0.2, VADUserStoppedSpeakingFrame(stop_secs=0.2), "user", "more")
        self.push(end + 0.3, TranscriptionFrame(text=text), "stt", "filter")
        self.push(end + 0.5, UserStoppedSpeakingFrame(), "user", "more")

    def model_says(self, at: float, *tokens: str) -> None:
        """A run of the model."""
        self.push(at, LLMFullResponseStartFrame(), "user")
        for k, token in enumerate(tokens):
            self.push(at + 0.4 + k * 0.1, LLMTextFrame(text=token), "llm")
        self.push(at + 0.4 + len(tokens) * 0.1, LLMFullResponseEndFrame(), "llm")

    def voice_makes(self, at: float, context_id: str, *pieces: str) -> None:
        """The synthesis of an utterance."""
        self.push(at, TTSStartedFrame(context_id=context_id), TTS)
        for piece in pieces:
            text = AggregatedTextFrame(text=piece, context_id=context_id, will_be_spoken=True)
            self.push(at, text, TTS)
        self.push(at, audio(context_id), TTS)
        self.push(at, TTSStoppedFrame(context_id=context_id), TTS)

    def output_plays(self, start: float, end: float, context_id: str, *words: str) -> None:
        """The utterance from its first sound to its last."""
        self.push(start, BotStartedSpeakingFrame(), OUT, TTS, "user")
        self.push(start, TTSStartedFrame(context_id=context_id), OUT, "assistant")
        self.push(start, audio(context_id), OUT)
        for word in words:
            self.push(start, TTSTextFrame(text=word, context_id=context_id), TTS, OUT)
        self.push(end, BotStoppedSpeakingFrame(), OUT, TTS, "user")


def audio(context_id: str) -> TTSAudioRawFrame:
    """A piece of an utterance."""
    return TTSAudioRawFrame(audio=b"\0\0", sample_rate=16_000, context_id=context_id)


def answered() -> Scene:
    """One question, one answer."""
    scene = Scene()
    scene.caller_says(1.0, 2.0, "How are you?")
    scene.model_says(2.5, "Fine, ", "thanks.")
    scene.voice_makes(3.5, "a", "Fine, thanks.")
    scene.output_plays(3.6, 4.6, "a", "Fine,", "thanks.")
    return scene


def test_a_question_and_its_answer() -> None:
    """Turns, true times, what was said and heard, and the split latency come out of the frames."""
    log = answered().log
    (user,), (agent,) = log.user_turns, log.agent_turns
    assert (user.start, user.started, user.speech_end, user.stopped) == (1.0, 1.2, 2.0, 2.5)
    assert (user.text, user.transcribed, user.interrupting) == ("How are you?", 2.3, False)
    assert (agent.trigger, agent.reply_to, agent.start, agent.end) == (Trigger.USER, 0, 3.6, 4.6)
    assert (agent.generated, agent.heard, agent.unheard) == ("Fine, thanks.", "Fine, thanks.", "")
    latency = agent.latency
    assert latency is not None
    assert latency.end_of_turn == pytest.approx(0.5)
    assert latency.stt == pytest.approx(0.3)
    assert latency.llm_first_token == pytest.approx(0.4)
    assert latency.tts_first_audio == pytest.approx(0.6)
    assert latency.playout == pytest.approx(0.1)
    assert latency.total == pytest.approx(1.6)


def test_both_sides_have_their_spans() -> None:
    """Speech spans carry the side, the true times and the words."""
    spans = [(s.side, s.start, s.end, s.text) for s in answered().log.speech]
    assert spans == [
        (Party.CALLER, 1.0, 2.0, "How are you?"),
        (Party.AGENT, 3.6, 4.6, "Fine, thanks."),
    ]


def test_a_frame_handed_on_twice_counts_once() -> None:
    """A transcript that several processors hand on is in the turn once."""
    assert answered().log.user_turns[0].text == "How are you?"
    assert [type(h) for h in answered().happened].count(AgentStarted) == 1


def test_what_was_cut_off_is_unheard() -> None:
    """After an interruption `heard` ends with the last word played; the rest is `unheard`."""
    scene = Scene()
    scene.caller_says(1.0, 2.0, "Tell me a story.")
    scene.model_says(2.5, "Once upon ", "a time there ", "was a king.")
    scene.voice_makes(3.5, "a", "Once upon a time there was a king.")
    scene.push(3.6, BotStartedSpeakingFrame(), OUT)
    for word in ("Once", "upon"):
        scene.push(3.8, TTSTextFrame(text=word, context_id="a"), TTS, OUT)
    scene.push(4.2, VADUserStartedSpeakingFrame(start_secs=0.2), "user")
    scene.push(4.2, UserStartedSpeakingFrame(), "user")
    interruption = InterruptionFrame()
    scene.push(4.2, interruption, "user", "llm", "tts", OUT)
    scene.push(4.21, BotStoppedSpeakingFrame(), OUT)
    (agent,) = scene.log.agent_turns
    assert (agent.heard, agent.unheard) == ("Once upon", "a time there was a king.")
    assert (agent.interrupted, agent.end) == (True, 4.2)
    assert [(r.at, r.agent_turn) for r in scene.log.interruptions] == [(4.2, 0)]
    assert scene.log.user_turns[1].interrupting


def test_an_interruption_of_silence_is_none() -> None:
    """Where nothing was being said or planned there is nothing to record."""
    scene = answered()
    scene.push(6.0, InterruptionFrame(), "user")
    assert scene.log.interruptions == []


def test_an_answer_cut_before_it_was_heard_is_kept() -> None:
    """Words generated but never played are in the log, with no start, and answer nothing."""
    scene = Scene()
    scene.caller_says(1.0, 2.0, "Well.")
    scene.model_says(2.5, "Yes, ", "indeed.")
    scene.push(3.2, InterruptionFrame(), "user")
    (agent,) = scene.log.agent_turns
    assert (agent.start, agent.heard, agent.unheard) == (None, "", "Yes, indeed.")
    assert [t.index for t in scene.log.unanswered()] == [0]


def test_after_an_interruption_the_next_answer_is_matched_anew() -> None:
    """Nothing that was planned before an interruption is taken for the answer to what follows."""
    scene = Scene()
    scene.caller_says(1.0, 2.0, "One?")
    scene.model_says(2.5, "First.")
    scene.push(3.0, InterruptionFrame(), "user")
    scene.caller_says(3.0, 4.0, "Two?")
    scene.model_says(4.5, "Second.")
    scene.voice_makes(5.0, "b", "Second.")
    scene.output_plays(5.1, 6.0, "b", "Second.")
    heard = [t for t in scene.log.agent_turns if t.start is not None]
    assert [(t.generated, t.heard, t.reply_to) for t in heard] == [("Second.", "Second.", 1)]


def with_tool(*, filler: bool = True) -> Scene:
    """A question whose answer needs a tool; a filler is spoken by the program, or nothing is."""
    scene = Scene()
    scene.caller_says(1.0, 2.0, "What is the weather like?")
    scene.push(2.5, LLMFullResponseStartFrame(), "user")
    call = FunctionCallFromLLM("get_weather", "c1", {"location": "Rome"})
    scene.push(2.9, FunctionCallsStartedFrame(function_calls=(call,)), "llm")
    progress = FunctionCallInProgressFrame(
        function_name="get_weather",
        tool_call_id="c1",
        arguments={"location": "Rome"},
        is_async=True,
    )
    scene.push(2.9, progress, "llm", "tts", OUT)
    scene.push(2.9, LLMFullResponseEndFrame(), "llm")
    if filler:
        scene.voice_makes(3.2, "f", "One moment.")
        scene.output_plays(3.3, 4.0, "f", "One moment.")
    return scene


def result_of_tool(scene: Scene, at: float) -> None:
    """The tool of `with_tool` ends well, and the model says what it found."""
    result = FunctionCallResultFrame(
        function_name="get_weather", tool_call_id="c1", arguments={}, result={"sky": ("blue", 1)}
    )
    scene.push(at, result, "llm", "user")
    scene.model_says(at, "Blue.")
    scene.voice_makes(at + 0.8, "b", "Blue.")
    scene.output_plays(at + 0.9, at + 1.5, "b", "Blue.")


def test_a_filler_answers_the_turn_that_led_to_the_tool() -> None:
    """The program's words while a tool starts reply to the caller; the call is the first token."""
    (agent,) = with_tool().log.agent_turns
    assert (agent.trigger, agent.reply_to, agent.generated) == (Trigger.SPEAK, 0, "One moment.")
    assert agent.latency is not None
    assert agent.latency.total == pytest.approx(1.3)
    assert agent.latency.llm_first_token == pytest.approx(0.4)


def test_a_result_makes_the_agent_speak_unasked() -> None:
    """What is said about a result replies to no turn, and its wait counts from the result."""
    scene = with_tool()
    result_of_tool(scene, 9.0)
    (call,) = scene.log.tools
    assert (call.start, call.end, call.outcome) == (2.9, 9.0, ToolOutcome.RESULT)
    assert (call.is_async, call.result) == (True, {"sky": ["blue", 1]})
    agent = scene.log.agent_turns[-1]
    assert (agent.trigger, agent.reply_to, agent.heard) == (Trigger.TOOL, None, "Blue.")
    assert agent.latency is not None
    assert agent.latency.total == pytest.approx(0.9)


def test_a_result_answers_the_turn_when_nothing_else_did() -> None:
    """Where a tool is all that the model answered with, what it says about the result is the reply,
    and the caller waited for it since the end of his speech.
    """
    scene = with_tool(filler=False)
    assert [turn.text for turn in scene.log.unanswered()] == ["What is the weather like?"]
    result_of_tool(scene, 3.4)
    (agent,) = scene.log.agent_turns
    assert (agent.trigger, agent.reply_to, agent.heard) == (Trigger.TOOL, 0, "Blue.")
    assert agent.latency is not None
    assert agent.latency.total == pytest.approx(2.3)
    assert scene.log.unanswered() == []


def test_a_result_after_an_interruption_answers_nobody() -> None:
    """A turn that the caller himself cut short is not answered by what its tool found."""
    scene = with_tool(filler=False)
    scene.push(3.0, InterruptionFrame(), "user")
    result_of_tool(scene, 3.4)
    (agent,) = scene.log.agent_turns
    assert (agent.trigger, agent.reply_to) == (Trigger.TOOL, None)


def test_an_intermediate_result_leaves_the_call_running() -> None:
    """Only the final result ends a call; a cancellation after it changes nothing."""
    scene = with_tool()
    half = FunctionCallResultFrame(
        function_name="get_weather",
        tool_call_id="c1",
        arguments={},
        result="half",
        properties=FunctionCallResultProperties(is_final=False),
    )
    scene.push(5.0, half, "llm")
    assert scene.log.tools[0].outcome is ToolOutcome.RUNNING
    cancel = FunctionCallCancelFrame(function_name="get_weather", tool_call_id="c1")
    scene.push(6.0, cancel, "llm")
    scene.push(7.0, FunctionCallCancelFrame(function_name="x", tool_call_id="c1"), "llm")
    (call,) = scene.log.tools
    assert (call.end, call.outcome) == (6.0, ToolOutcome.CANCELLED)


def test_a_pause_in_the_synthesis_does_not_end_an_utterance() -> None:
    """A silence before the synthesis has ended is a gap: one utterance, two spans."""
    scene = Scene()
    scene.caller_says(1.0, 2.0, "And?")
    scene.model_says(2.5, "One. ", "Two.")
    scene.push(3.0, TTSStartedFrame(context_id="a"), TTS)
    scene.push(3.0, audio("a"), TTS)
    scene.output_plays(3.1, 4.0, "a", "One.")
    scene.push(5.0, audio("a"), TTS)
    scene.push(5.1, TTSStoppedFrame(context_id="a"), TTS)
    scene.output_plays(5.2, 6.0, "a", "Two.")
    (agent,) = scene.log.agent_turns
    assert (agent.start, agent.end, agent.heard) == (3.1, 6.0, "One. Two.")
    assert len([s for s in scene.log.speech if s.side is Party.AGENT]) == 2
    assert len([h for h in scene.happened if isinstance(h, AgentFinished)]) == 1


def test_two_utterances_without_a_silence_between_them_are_two() -> None:
    """The output goes on to the next utterance: the first ends there."""
    scene = answered()
    scene.model_says(4.0, "More.")
    scene.voice_makes(5.0, "b", "Aside.")
    scene.voice_makes(5.0, "c", "More.")
    scene.push(5.1, BotStartedSpeakingFrame(), OUT)
    scene.push(5.1, TTSTextFrame(text="Aside.", context_id="b"), OUT)
    scene.push(6.0, TTSTextFrame(text="More.", context_id="c"), OUT)
    scene.push(7.0, BotStoppedSpeakingFrame(), OUT)
    spans = [(t.start, t.end, t.heard) for t in scene.log.agent_turns[1:]]
    assert spans == [(5.1, 6.0, "Aside."), (6.0, 7.0, "More.")]


def test_a_late_transcript_belongs_to_the_turn_that_is_over() -> None:
    """Unless new speech has begun: then it waits for the turn that this speech opens."""
    scene = answered()
    scene.push(5.0, TranscriptionFrame(text="I mean you."), "stt")
    assert scene.log.user_turns[0].text == "How are you? I mean you."
    scene.push(6.2, VADUserStartedSpeakingFrame(start_secs=0.2), "user")
    scene.push(6.3, TranscriptionFrame(text="So"), "stt")
    scene.push(6.4, UserStartedSpeakingFrame(), "user")
    scene.push(7.0, TranscriptionFrame(text="there."), "stt")
    assert [t.text for t in scene.log.user_turns[1:]] == ["So there."]


def test_a_transcript_that_opens_a_turn_belongs_to_it() -> None:
    """A final transcript after the end of a turn may start another, whose words it has."""
    scene = answered()
    scene.push(5.0, TranscriptionFrame(text="And you?"), "stt")
    scene.push(5.001, UserStartedSpeakingFrame(), "user")
    scene.push(5.2, UserStoppedSpeakingFrame(), "user")
    assert [t.text for t in scene.log.user_turns] == ["How are you?", "And you?"]


def test_a_pause_in_a_turn_makes_two_spans_of_one_turn() -> None:
    """The turn ends with its last speech."""
    scene = Scene()
    scene.push(1.2, VADUserStartedSpeakingFrame(start_secs=0.2), "user")
    scene.push(1.2, UserStartedSpeakingFrame(), "user")
    scene.push(2.2, VADUserStoppedSpeakingFrame(stop_secs=0.2), "user")
    scene.push(2.4, TranscriptionFrame(text="I would"), "stt")
    scene.push(3.2, VADUserStartedSpeakingFrame(start_secs=0.2), "user")
    scene.push(4.2, VADUserStoppedSpeakingFrame(stop_secs=0.2), "user")
    scene.push(4.4, TranscriptionFrame(text="like tea."), "stt")
    scene.push(4.5, UserStoppedSpeakingFrame(), "user")
    (turn,) = scene.log.user_turns
    assert (turn.start, turn.speech_end, turn.text) == (1.0, 4.0, "I would like tea.")
    assert [s.text for s in scene.log.speech] == ["I would", "like tea."]


def test_errors_are_kept() -> None:
    """With the processor's name and whose fault it is."""
    scene = Scene()
    frame = ErrorFrame(error="refused", processor="tts", category=ErrorCategory.QUOTA)
    scene.push(1.0, frame, "tts", "llm")
    (error,) = scene.log.errors
    assert (error.at, error.processor, error.message, error.category) == (
        1.0, "tts", "refused", "quota",
    )  # fmt: skip


def test_the_end_closes_what_is_open() -> None:
    """A conversation that ends in mid-word has no open spans or turns left."""
    scene = answered()
    scene.model_says(5.0, "More and more.")
    scene.voice_makes(5.6, "b", "More and more.")
    scene.push(5.7, BotStartedSpeakingFrame(), OUT)
    scene.push(6.2, VADUserStartedSpeakingFrame(start_secs=0.2), "user")
    scene.tracker.finish(6.5)
    assert [s.end for s in scene.log.speech] == [2.0, 4.6, 6.5, 6.5]
    assert scene.log.agent_turns[-1].end == 6.5
    assert scene.log.duration == 6.5
