"""Who has the floor, as the user's half of a context tells and handles it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from antiphon.context.llm_context import LLMContext
from antiphon.context.pair import LLMContextAggregatorPair
from antiphon.context.user_aggregator import (
    LLMUserAggregator,
    LLMUserAggregatorParams,
    UserTurnStoppedMessage,
)
from antiphon.frames.audio import InputAudioRawFrame
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import InterruptionFrame
from antiphon.frames.llm import LLMContextFrame, LLMUpdateSettingsFrame
from antiphon.frames.text import TranscriptionFrame
from antiphon.frames.tools import (
    FunctionCallFromLLM,
    FunctionCallResultFrame,
    FunctionCallsStartedFrame,
)
from antiphon.frames.turns import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    ProposedUserStartedSpeakingFrame,
    ProposedUserStoppedSpeakingFrame,
    UserIdleTimeoutUpdateFrame,
    UserMuteStartedFrame,
    UserMuteStoppedFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
    UserTurnInferenceCompletedFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.simulation.loop.virtual_time import run
from antiphon.simulation.testing import SleepFrame, run_test
from antiphon.turns.completion_strategies import (
    ExternalUserTurnCompletionStopStrategy,
    LLMTurnCompletionUserTurnStopStrategy,
    deferred,
)
from antiphon.turns.mute import AlwaysUserMuteStrategy, FunctionCallUserMuteStrategy
from antiphon.turns.processor import UserTurnProcessor
from antiphon.turns.start_strategies import VADUserTurnStartStrategy
from antiphon.turns.stop_strategies import SpeechTimeoutUserTurnStopStrategy
from antiphon.turns.strategies import (
    ExternalUserTurnStrategies,
    FilterIncompleteUserTurnStrategies,
    UserTurnStrategies,
)

BOT, SILENT = BotStartedSpeakingFrame(), BotStoppedSpeakingFrame()


def silence() -> UserTurnStrategies:
    """Voice activity starts a turn, 0.6 s of silence ends it."""
    return UserTurnStrategies(stop=[SpeechTimeoutUserTurnStopStrategy()])


class Talk:
    """A user's half alone, the frames it is told, and what came of them."""

    def __init__(self, **params: Any) -> None:
        params.setdefault("user_turn_strategies", silence())
        pair = LLMContextAggregatorPair(LLMContext(), user_params=LLMUserAggregatorParams(**params))
        self.user = pair.user()
        self.context = pair.shared.context
        self.events: list[tuple[float, str]] = []
        self.stopped: list[UserTurnStoppedMessage] = []
        self.stopped_by: list[object] = []
        for name in (
            "on_user_turn_started",
            "on_user_turn_inference_triggered",
            "on_user_turn_stop_timeout",
            "on_user_turn_idle",
            "on_user_mute_started",
            "on_user_mute_stopped",
        ):
            self.user.add_event_handler(name, self._noter(name.removeprefix("on_user_")))

        @self.user.event_handler("on_user_turn_stopped")
        def stopped(user: LLMUserAggregator, by: object, message: UserTurnStoppedMessage) -> None:
            self._note("turn_stopped")
            self.stopped.append(message)
            self.stopped_by.append(by)

    def _noter(self, name: str) -> Callable[..., None]:
        return lambda *_: self._note(name)

    def _note(self, name: str) -> None:
        self.events.append((round(self.user.clock.get_time() / 1e9, 1), name))

    @property
    def what(self) -> list[str]:
        """The events without their times."""
        return [what for _, what in self.events]

    def told(self, *frames: Frame | Sequence[Frame]) -> tuple[list[Frame], list[Frame]]:
        """What comes out downstream and upstream."""
        flat: list[Frame] = []
        for frame in frames:
            flat += [frame] if isinstance(frame, Frame) else frame
        return run(run_test(self.user, frames_to_send=flat))


def wait(secs: float) -> list[Frame]:
    """Time passes."""
    return [SleepFrame(sleep=secs)]


class Say(list[Frame]):
    """Somebody speaks for a second. The frames carry no times: the true ones are not needed."""

    def __init__(self, text: str = "") -> None:
        said = [TranscriptionFrame(text, finalized=True)] if text else []
        super().__init__([
            VADUserStartedSpeakingFrame(),
            SleepFrame(sleep=1.0),
            VADUserStoppedSpeakingFrame(),
            SleepFrame(sleep=0.1),
            *said,
        ])  # fmt: skip


def of(frames: Sequence[Frame], *kinds: type[Frame]) -> list[str]:
    """The names of the frames of these types, in order."""
    return [type(frame).__name__ for frame in frames if isinstance(frame, kinds)]


# ---- mute -------------------------------------------------------------------------------------


def test_a_muted_caller_changes_nothing() -> None:
    """Sound, words and proposals go nowhere; both changes are frames in both directions and
    events.
    """
    talk = Talk(user_mute_strategies=[AlwaysUserMuteStrategy()])
    sounds = [InputAudioRawFrame(bytes(640), 16_000), ProposedUserStartedSpeakingFrame()]
    down, up = talk.told(BOT, wait(0.1), sounds, Say("hello"), wait(3), SILENT, wait(3))
    changes = ["UserMuteStartedFrame", "UserMuteStoppedFrame"]
    assert talk.what == ["mute_started", "mute_stopped"]
    assert not talk.context.messages
    for frames in (down, up):
        assert of(frames, UserMuteStartedFrame, UserMuteStoppedFrame) == changes
    quiet = (InputAudioRawFrame, VADUserStartedSpeakingFrame, ProposedUserStartedSpeakingFrame)
    assert of(down, *quiet, InterruptionFrame, LLMContextFrame) == []


def test_after_a_mute_the_caller_is_heard() -> None:
    """The frame that ends it is not lost, nor is anything after it."""
    talk = Talk(user_mute_strategies=[AlwaysUserMuteStrategy()])
    talk.told(BOT, wait(0.1), Say("mhm"), SILENT, wait(3), Say("hello"), wait(3))
    assert [message.content for message in talk.stopped] == ["hello"]


def test_a_turn_that_a_mute_catches_ends() -> None:
    """The open turn does not wait for an end of speech that nobody hears."""
    talk = Talk(user_mute_strategies=[AlwaysUserMuteStrategy()])
    begun = [VADUserStartedSpeakingFrame(), TranscriptionFrame("so I", finalized=False)]
    talk.told(begun, wait(0.5), BOT, wait(8), VADUserStoppedSpeakingFrame(), SILENT, wait(1))
    assert [message.content for message in talk.stopped] == ["so I"]
    assert talk.what == [
        "turn_started",
        "mute_started",
        "turn_inference_triggered",
        "turn_stopped",
        "mute_stopped",
    ]


def call() -> FunctionCallsStartedFrame:
    """A tool call begins."""
    made = FunctionCallFromLLM(function_name="f", tool_call_id="1", arguments={})
    return FunctionCallsStartedFrame(function_calls=(made,))


def result() -> FunctionCallResultFrame:
    """It ends."""
    return FunctionCallResultFrame(function_name="f", tool_call_id="1", arguments={}, result=1)


def test_one_mute_strategy_is_enough() -> None:
    """They are OR-ed: muted from the first that mutes to the last that does."""
    strategies = [AlwaysUserMuteStrategy(), FunctionCallUserMuteStrategy()]
    talk = Talk(user_mute_strategies=strategies)
    talk.told(call(), wait(1), BOT, wait(1), result(), wait(1), Say("hello"), SILENT, wait(1))
    assert talk.what == ["mute_started", "mute_stopped"]


# ---- idle -------------------------------------------------------------------------------------


def test_an_idle_caller_is_told_once() -> None:
    """The event comes so long after the agent has finished."""
    talk = Talk(user_idle_timeout=4.0)
    talk.told(BOT, wait(1), SILENT, wait(12))
    assert talk.events == [(5.0, "turn_idle")]


def test_the_idle_timeout_changes_live() -> None:
    """A frame sets another one while the time runs."""
    talk = Talk(user_idle_timeout=4.0)
    talk.told(BOT, wait(1), SILENT, wait(1), UserIdleTimeoutUpdateFrame(timeout=7.0), wait(12))
    assert talk.events == [(9.0, "turn_idle")]


def test_an_open_call_suspends_idle() -> None:
    """While a tool is at work nobody is idle; the time starts anew at its end."""
    talk = Talk(user_idle_timeout=4.0)
    talk.told(BOT, wait(1), call(), SILENT, wait(10), result(), wait(10))
    assert talk.events == [(15.0, "turn_idle")]


def test_a_caller_who_speaks_is_not_idle() -> None:
    """Speech cancels it."""
    talk = Talk(user_idle_timeout=4.0)
    talk.told(BOT, wait(1), SILENT, wait(2), Say("hello"), wait(10))
    assert "turn_idle" not in talk.what


# ---- the watchdog -----------------------------------------------------------------------------


def test_a_turn_without_words_ends_and_says_so() -> None:
    """After `user_turn_stop_timeout` both events come, and the model is not asked."""
    talk = Talk(user_turn_stop_timeout=3.0)
    down, _ = talk.told(Say(), wait(9))
    assert talk.events == [
        (0.0, "turn_started"),
        (4.0, "turn_stop_timeout"),
        (4.0, "turn_stopped"),
    ]
    (message,) = talk.stopped
    assert message.nothing_understood
    assert message.content == ""
    assert of(down, LLMContextFrame) == []


def test_a_turn_with_words_was_understood() -> None:
    """The flag is for turns without any."""
    talk = Talk()
    talk.told(Say("hello"), wait(9))
    assert [(m.content, m.nothing_understood) for m in talk.stopped] == [("hello", False)]


def test_what_no_inference_has_taken_is_in_the_context_all_the_same() -> None:
    """Words at the end of a session are written down; the model is not asked about them."""
    talk = Talk()
    begun = [VADUserStartedSpeakingFrame(), TranscriptionFrame("good bye")]
    down, _ = talk.told(begun, wait(0.1))
    assert [message.content for message in talk.stopped] == ["good bye"]
    assert [message["content"] for message in talk.context.get_messages()] == ["good bye"]
    assert of(down, LLMContextFrame) == []


# ---- completion -------------------------------------------------------------------------------


class Classifier(FrameProcessor):
    """Judges a turn complete when it sees the context's second message; a model of one's own."""

    @handles(LLMContextFrame)
    async def judge(self, frame: LLMContextFrame, direction: FrameDirection) -> None:
        """Says so upstream, as soon as the caller has said enough."""
        await self.push_frame(frame, direction)
        if len(frame.context.messages) == 2:
            await self.push_frame(UserTurnInferenceCompletedFrame(), FrameDirection.UPSTREAM)


@pytest.mark.parametrize(
    "gate", [ExternalUserTurnCompletionStopStrategy, LLMTurnCompletionUserTurnStopStrategy]
)
def test_whoever_judges_a_turn_complete_ends_it(gate: Any) -> None:
    """A processor of the program's own is as good as the model's marker."""
    talk = Talk(
        user_turn_strategies=UserTurnStrategies(
            stop=[deferred(SpeechTimeoutUserTurnStopStrategy()), gate()]
        )
    )
    pipeline = Pipeline([talk.user, Classifier()])
    frames = [*Say("I want"), *wait(1), *Say("a pizza"), *wait(1)]
    run(run_test(pipeline, frames_to_send=frames))
    assert talk.what == [
        "turn_started",
        "turn_inference_triggered",
        "turn_inference_triggered",
        "turn_stopped",
    ]
    assert [message.content for message in talk.stopped] == ["I want a pizza"]


def test_the_former_flag_warns_and_lets_the_model_judge() -> None:
    """A pair that is made with it turns the protocol on in every model, and keeps what else was
    chosen.
    """
    start = VADUserTurnStartStrategy(enable_interruptions=False)
    given = UserTurnStrategies(start=[start], stop=[SpeechTimeoutUserTurnStopStrategy()])
    with pytest.warns(DeprecationWarning, match="FilterIncompleteUserTurnStrategies"):
        talk = Talk(user_turn_strategies=given, filter_incomplete_user_turns=True)
    down, _ = talk.told(wait(0.1))
    (update,) = (frame for frame in down if isinstance(frame, LLMUpdateSettingsFrame))
    assert update.settings["filter_incomplete_user_turns"]
    assert update.reach_inactive_services
    assert isinstance(talk.user.turns.strategies, FilterIncompleteUserTurnStrategies)
    assert talk.user.turns.strategies.start == [start]


# ---- proposals --------------------------------------------------------------------------------

PROPOSED = [
    ProposedUserStartedSpeakingFrame(),
    SleepFrame(sleep=0.5),
    TranscriptionFrame("hello", finalized=True),
    ProposedUserStoppedSpeakingFrame(),
    SleepFrame(sleep=3.0),
]
ANNOUNCED = (UserStartedSpeakingFrame, UserStoppedSpeakingFrame)
PROPOSALS = (ProposedUserStartedSpeakingFrame, ProposedUserStoppedSpeakingFrame)


def test_proposals_end_where_they_are_decided_about() -> None:
    """The aggregator that resolves them announces the turn; nobody behind it hears of them."""
    talk = Talk(user_turn_strategies=ExternalUserTurnStrategies())
    down, _ = talk.told(PROPOSED)
    assert of(down, *PROPOSALS) == []
    assert of(down, *ANNOUNCED) == ["UserStartedSpeakingFrame", "UserStoppedSpeakingFrame"]
    assert talk.what == ["turn_started", "turn_inference_triggered", "turn_stopped"]


def test_proposals_pass_where_nobody_decides_about_them() -> None:
    """An aggregator with strategies of its own leaves them to others, and its turns alone."""
    talk = Talk(user_turn_strategies=UserTurnStrategies(start=[VADUserTurnStartStrategy()]))
    down, _ = talk.told(PROPOSED)
    assert len(of(down, *PROPOSALS)) == 2
    assert talk.what == []


def test_of_two_that_could_decide_one_does() -> None:
    """A turn processor before an aggregator: one announcement, one interruption, one turn each."""
    talk = Talk(user_turn_strategies=ExternalUserTurnStrategies())
    turns = UserTurnProcessor(user_turn_strategies=ExternalUserTurnStrategies())
    pipeline = Pipeline([turns, talk.user])
    down, _ = run(run_test(pipeline, frames_to_send=PROPOSED))
    assert of(down, *ANNOUNCED) == ["UserStartedSpeakingFrame", "UserStoppedSpeakingFrame"]
    assert of(down, InterruptionFrame) == ["InterruptionFrame"]
    assert talk.what == ["turn_started", "turn_inference_triggered", "turn_stopped"]


# ---- other strategies at run time -------------------------------------------------------------


def test_other_strategies_in_a_running_session() -> None:
    """The open turn goes on and ends once, by the new ones; every event is told once."""
    talk = Talk()
    other = UserTurnStrategies(
        start=talk.user.turns.strategies.start,
        stop=[SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=0.9)],
    )

    class Swapper(FrameProcessor):
        """Swaps them when the agent speaks."""

        @handles(BotStartedSpeakingFrame)
        async def swap(self, frame: Frame, direction: FrameDirection) -> None:
            update: Awaitable[None] = talk.user.turns.update_strategies(other)
            await update

    pipeline = Pipeline([talk.user, Swapper()])
    begun, *rest = Say("hello")
    run(run_test(pipeline, frames_to_send=[begun, *wait(0.5), BOT, *rest, *wait(5)]))
    assert talk.what == ["turn_started", "turn_inference_triggered", "turn_stopped"]
    assert [message.content for message in talk.stopped] == ["hello"]
    assert talk.stopped_by == other.stop
