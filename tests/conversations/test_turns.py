"""Who has the floor, in whole conversations with a scripted caller, each over several seeds.

A seed chooses lengths of pauses and delays, shuffles the order of steps, and lets steps cost time.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from antiphon.audio.wav import WavFile
from antiphon.frames.speech import TTSSpeakFrame
from antiphon.services.contracts import LLMRequest
from antiphon.simulation.fakes.delays import uniform
from antiphon.simulation.fakes.stt import FakeSTTProvider
from antiphon.simulation.fakes.tts import FakeTTSProvider
from antiphon.simulation.fakes.voice import tone
from antiphon.transports.caller_script import (
    CallerScript,
    Say,
    Step,
    Wait,
    WaitForAgent,
    WaitForSpeech,
)
from antiphon.transports.file import FileTransport
from antiphon.turns.echo import EchoGuardUserTurnStartStrategy
from antiphon.turns.endpointing import DynamicEndpointingUserTurnStopStrategy
from antiphon.turns.machine_actions import DecisionKind
from antiphon.turns.start_strategies import (
    TranscriptionUserTurnStartStrategy,
    VADUserTurnStartStrategy,
)
from antiphon.turns.stop_strategies import SpeechTimeoutUserTurnStopStrategy
from antiphon.turns.strategies import FilterIncompleteUserTurnStrategies, UserTurnStrategies
from antiphon.turns.strategy import UserTurnStartStrategy
from tests.conversations.rig import RATE, Outcome, converse, says

SEEDS = range(8)
MANY = 12
STORY = "Once upon a time there was a king who had seven sons and a garden."


def in_order(talk: Outcome) -> None:
    """Turns start and stop in turn, inferences are within them, and nothing else is wrong.

    One spoken reply per turn: an answer that was heard to its end is followed by another turn, or
    by the end.
    """
    is_open = False
    for decision in talk.decisions:
        match decision.kind:
            case DecisionKind.START:
                assert not is_open, "a turn starts within a turn"
                is_open = True
            case DecisionKind.INFER:
                assert is_open, "the model is asked outside a turn"
            case DecisionKind.STOP:
                assert is_open, "a turn stops that never started"
                is_open = False
    assert not is_open, "a turn never stops"
    assert words(talk.inferences) == words(talk.user_turns)
    replies = [turn for turn in talk.assistant_turns if turn.content and not turn.interrupted]
    assert len(replies) <= len(talk.user_turns), "two replies to one turn"
    assert talk.errors == []


def words(parts: Iterable[str]) -> list[str]:
    """All words, in order."""
    return " ".join(parts).split()


def segmented(low: float, high: float) -> FakeSTTProvider:
    """A transcriber that answers each stretch of speech, after some time."""
    return FakeSTTProvider(sample_rate=RATE, segmented=True, latency=uniform(low, high))


@pytest.mark.parametrize("seed", SEEDS)
def test_pauses_in_mid_sentence_are_part_of_the_turn(tmp_path: Path, seed: int) -> None:
    """A caller who stops to think, for less than the agent is patient, is heard out."""
    rng = random.Random(seed)
    steps: list[Step] = []
    for part in ("I would like", "if that is possible", "a table", "for two"):
        steps += [says(part), Wait(rng.uniform(0.05, 0.85))]
    talk = converse(
        [*steps[:-1], WaitForAgent()], ["Very well."], tmp_path, stop_secs=1.2, seed=seed
    )
    assert talk.user_turns == ["I would like if that is possible a table for two"]
    assert talk.heard == "Very well."
    assert len(talk.llm.requests) == 1
    in_order(talk)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_caller_who_goes_on_before_the_answer_gets_one_answer_to_all(
    tmp_path: Path, seed: int
) -> None:
    """Speech that is resumed after the end of the turn voids the answer that nobody has heard."""
    pause = random.Random(seed).uniform(0.9, 1.3)
    talk = converse(
        [says("what time is it"), Wait(pause), says("in London I mean"), WaitForAgent()],
        ["It is noon.", "It is eleven."],
        tmp_path,
        tts=FakeTTSProvider(sample_rate=RATE, first_audio=1.5),
        seed=seed,
    )
    assert talk.user_turns == ["what time is it", "in London I mean"]
    assert talk.heard == "It is eleven."
    assert words(text for role, text in talk.messages if role == "user") == words(talk.user_turns)
    in_order(talk)


@pytest.mark.parametrize("seed", SEEDS)
def test_resumed_speech_before_the_verdict_is_one_turn_with_one_answer(
    tmp_path: Path, seed: int
) -> None:
    """Where the model judges, each part asks it, and only the answer to all of it is spoken."""
    rng = random.Random(seed)
    steps: list[Step] = []
    for part in ("I would like", "a table", "for two please"):
        steps += [says(part), Wait(rng.uniform(0.9, 2.5))]
    talk = converse(
        [*steps[:-1], WaitForAgent()],
        lambda request: (
            "✓ Very well." if "please" in request.messages[-1]["content"] else rng.choice("○◐")
        ),
        tmp_path,
        turns=FilterIncompleteUserTurnStrategies(stop=[SpeechTimeoutUserTurnStopStrategy()]),
        seed=seed,
    )
    assert talk.user_turns == ["I would like a table for two please"]
    assert talk.heard == "Very well."
    assert talk.inferences == ["I would like", "a table", "for two please"]
    in_order(talk)


@pytest.mark.parametrize("seed", SEEDS)
def test_late_transcripts_belong_to_their_turn(tmp_path: Path, seed: int) -> None:
    """However long the transcriber takes over each stretch, the turn has all of them, once."""
    pause = random.Random(seed).uniform(0.3, 0.5)
    talk = converse(
        [says("I would like"), Wait(pause), says("a table for two"), WaitForAgent()],
        ["Very well."],
        tmp_path,
        stt=segmented(0.0, 4.0),
        stop_secs=0.8,
        seed=seed,
    )
    assert talk.user_turns == ["I would like a table for two"]
    assert talk.heard == "Very well."
    in_order(talk)


@pytest.mark.parametrize("seed", SEEDS)
def test_double_talk_gives_the_floor_to_the_caller(tmp_path: Path, seed: int) -> None:
    """Both speak: the agent stops, the caller is heard out and answered, and nothing is lost."""
    after = random.Random(seed).uniform(0.2, 3.0)
    talk = converse(
        [
            says("tell me a story"),
            WaitForSpeech(after_secs=after),
            says("stop it I want something else"),
            WaitForAgent(),
        ],
        [STORY, "What would you like?"],
        tmp_path,
        stt=segmented(0.1, 1.0),
        seed=seed,
    )
    assert talk.user_turns == ["tell me a story", "stop it I want something else"]
    assert [turn.interrupted for turn in talk.assistant_turns] == [True, False]
    assert talk.heard.endswith("What would you like?")
    assert STORY not in talk.heard
    in_order(talk)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_caller_who_never_stops_is_answered(tmp_path: Path, seed: int) -> None:
    """After a minute without a pause the turn ends with what was heard; so does every other."""
    talk = converse(
        [says("and so on " * 90), Wait(12.0)],
        lambda _: "I see.",
        tmp_path,
        stt=FakeSTTProvider(sample_rate=RATE, interim=True, latency=uniform(0.0, 0.5)),
        seed=seed,
    )
    assert talk.user_turns[0].startswith("and so on and so on")
    assert 180 < len(talk.user_turns[0].split()) < 230, "three words a second, for a minute"
    assert len(talk.user_turns) > 1
    in_order(talk)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_cough_does_not_cost_the_answer(tmp_path: Path, seed: int) -> None:
    """A sound without words before the answer is heard: the model is asked again."""
    pause = random.Random(seed).uniform(0.9, 1.3)
    cough = Say(WavFile(tone(0.4), RATE), "(coughs)")
    talk = converse(
        [says("what time is it"), Wait(pause), cough, WaitForAgent()],
        lambda _: "It is noon.",
        tmp_path,
        tts=FakeTTSProvider(sample_rate=RATE, first_audio=1.5),
        seed=seed,
    )
    assert talk.heard == "It is noon."
    assert talk.user_turns == ["what time is it", ""]
    assert talk.messages == [("user", "what time is it"), ("assistant", "It is noon.")]
    in_order(talk)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("answers", [True, False])
def test_a_caller_who_is_never_transcribed_is_not_left_alone(
    tmp_path: Path, seed: int, *, answers: bool
) -> None:
    """The turn ends and says that nothing was understood, so that the agent can say so."""
    talk = converse(
        [says("mumble mumble"), WaitForAgent(), says("mumble"), WaitForAgent()],
        [],
        tmp_path,
        stt=FakeSTTProvider([""] * 4, sample_rate=RATE, segmented=answers, answer_silence=answers),
        react=lambda turn: [TTSSpeakFrame("Sorry?")] if turn.nothing_understood else [],
        seed=seed,
    )
    assert talk.user_turns == ["", ""]
    assert all(message.nothing_understood for message in talk.user_messages)
    assert any("watchdog" in decision.reason for decision in talk.decisions) is not answers
    assert talk.heard == "Sorry? Sorry?"
    in_order(talk)


class EchoingScript(CallerScript):
    """A line on which one hears the `room` while the caller says nothing."""

    def __init__(self, steps: Iterable[Step], sample_rate: int) -> None:
        super().__init__(steps, sample_rate)
        self.room = bytearray()

    def next_chunk(self, samples: int) -> bytes:
        """The caller, or what is heard behind them."""
        chunk = super().next_chunk(samples)
        behind = bytes(self.room[: len(chunk)])
        del self.room[: len(chunk)]
        return chunk if any(chunk) else behind.ljust(len(chunk), b"\0")


class Room(FileTransport):
    """A caller on a loudspeaker: the microphone hears the agent."""

    def __init__(
        self,
        steps: Iterable[Step],
        *,
        agent_wav: Path,
        recording_rate: int,
        hang_up_after_secs: float,
    ) -> None:
        super().__init__(
            (),
            agent_wav=agent_wav,
            recording_rate=recording_rate,
            hang_up_after_secs=hang_up_after_secs,
        )
        self._echo = EchoingScript(steps, RATE)
        self.caller = self._echo

    async def write(self, pcm: bytes) -> None:
        """What the agent says fills the room."""
        await super().write(pcm)
        self._echo.room += pcm


def on_loudspeaker(steps: list[Step], folder: Path, seed: int, *, guarded: bool) -> Outcome:
    """A conversation in a room, with or without the guard against echoes."""
    guard: list[UserTurnStartStrategy] = [EchoGuardUserTurnStartStrategy()] if guarded else []
    start = [*guard, VADUserTurnStartStrategy(), TranscriptionUserTurnStartStrategy()]
    return converse(
        steps,
        [STORY, "Alright then."],
        folder,
        stt=FakeSTTProvider(
            sample_rate=RATE, segmented=True, interim=True, latency=uniform(0.1, 1.0)
        ),
        turns=UserTurnStrategies(start=start, stop=[SpeechTimeoutUserTurnStopStrategy()]),
        line=Room,
        seed=seed,
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_the_echo_of_its_own_voice_does_not_interrupt_the_agent(tmp_path: Path, seed: int) -> None:
    """On a loudspeaker the whole story is heard, and the echo is nobody's turn."""
    steps: list[Step] = [says("tell me a story"), WaitForAgent(settle_secs=3.0)]
    talk = on_loudspeaker(steps, tmp_path, seed, guarded=True)
    assert talk.heard == STORY
    assert talk.user_turns == ["tell me a story"]
    assert talk.messages == [("user", "tell me a story"), ("assistant", STORY)]
    in_order(talk)


def test_without_the_guard_the_echo_does_interrupt(tmp_path: Path) -> None:
    """The room is one in which an agent that is not guarded interrupts itself."""
    steps: list[Step] = [says("tell me a story"), WaitForAgent(settle_secs=3.0)]
    talk = on_loudspeaker(steps, tmp_path, 0, guarded=False)
    assert talk.assistant_turns[0].interrupted
    assert len(talk.user_turns) > 1


@pytest.mark.parametrize("seed", SEEDS)
def test_a_caller_on_a_loudspeaker_can_interrupt(tmp_path: Path, seed: int) -> None:
    """Their own words are told from the echo before them."""
    after = random.Random(seed).uniform(0.5, 2.5)
    steps: list[Step] = [
        says("tell me a story"),
        WaitForSpeech(after_secs=after),
        says("no stop it now please"),
        WaitForAgent(settle_secs=3.0),
    ]
    talk = on_loudspeaker(steps, tmp_path, seed, guarded=True)
    assert len(talk.user_turns) == 2
    assert talk.user_turns[1].endswith("stop it now please")
    assert [turn.interrupted for turn in talk.assistant_turns] == [True, False]
    assert talk.heard.endswith("Alright then.")
    in_order(talk)


def chatter(rng: random.Random) -> tuple[list[Step], list[str]]:
    """A caller who says, waits and interrupts as it comes; and the words."""
    steps: list[Step] = []
    said: list[str] = []
    for number in range(rng.randint(3, 6)):
        text = " ".join(f"w{number}{letter}" for letter in "abcdef"[: rng.randint(1, 6)])
        said.append(text)
        steps += [
            says(text),
            rng.choice(
                (
                    Wait(rng.uniform(0.05, 0.6)),
                    Wait(rng.uniform(0.6, 2.5)),
                    WaitForSpeech(after_secs=rng.uniform(0.0, 1.5), timeout_secs=4.0),
                    WaitForAgent(timeout_secs=8.0),
                )
            ),
        ]
    return [*steps, Wait(20.0)], said


DECIDERS: dict[str, Callable[[], UserTurnStrategies]] = {
    "silence": lambda: UserTurnStrategies(stop=[SpeechTimeoutUserTurnStopStrategy()]),
    "dynamic": lambda: UserTurnStrategies(stop=[DynamicEndpointingUserTurnStopStrategy()]),
    "the model": lambda: FilterIncompleteUserTurnStrategies(
        stop=[SpeechTimeoutUserTurnStopStrategy()]
    ),
}


def answers(rng: random.Random, *, marked: bool) -> Callable[[LLMRequest], str]:
    """A model that numbers its answers; `marked`: it finds three turns in ten incomplete."""
    numbers = itertools.count(1)

    def reply(request: LLMRequest) -> str:
        asked = request.messages[-1]["role"] == "user"
        if marked and asked and rng.random() < 0.3:
            return "○"
        return f"{'✓ ' if marked else ''}This is answer {next(numbers)}."

    return reply


@pytest.mark.parametrize("decider", DECIDERS)
def test_whatever_a_caller_does(tmp_path: Path, decider: str) -> None:
    """No word is lost or doubled, turns alternate, each has one spoken reply at most, and the last
    word is the agent's.
    """
    for seed in range(MANY):
        rng = random.Random(seed)
        steps, said = chatter(rng)
        talk = converse(
            steps,
            answers(rng, marked=decider == "the model"),
            tmp_path,
            stt=segmented(0.05, 1.5),
            turns=DECIDERS[decider](),
            seed=seed,
        )
        assert words(talk.user_turns) == words(said), f"seed {seed}"
        assert words(text for role, text in talk.messages if role == "user") == words(said)
        assert talk.messages[-1][0] == "assistant", f"seed {seed}"
        assert not talk.assistant_turns[-1].interrupted
        in_order(talk)
