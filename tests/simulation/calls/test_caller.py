"""The scripted caller: speaks, hears, interrupts, expects, on an agent of the real parts."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from antiphon.audio.vad import VADParams
from antiphon.context.llm_context import LLMContext
from antiphon.context.pair import LLMContextAggregatorPair
from antiphon.context.user_aggregator import LLMUserAggregatorParams
from antiphon.frames.transport import InputDTMFFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.params import PipelineParams
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.kernel.task import PipelineTask
from antiphon.services.llm import LLMService
from antiphon.services.stt import STTService
from antiphon.services.tts import TTSService
from antiphon.simulation.calls.caller import Caller, ExpectationError, HeldCall, Script, hold_call
from antiphon.simulation.fakes.language_model import FakeLLMProvider, Reply
from antiphon.simulation.fakes.stt import FakeSTTProvider
from antiphon.simulation.fakes.tts import FakeTTSProvider
from antiphon.simulation.fakes.vad import FakeVADModel
from antiphon.simulation.loop.loop import VirtualTimeLoop
from antiphon.simulation.loop.virtual_time import run, run_on
from antiphon.simulation.record.observer_log import ObserverLog
from antiphon.turns.stop_strategies import SpeechTimeoutUserTurnStopStrategy
from antiphon.turns.strategies import UserTurnStrategies

RATE = 16_000


class Analyzer(FakeVADModel):
    """Loudness as voice activity."""

    params = VADParams(min_volume=0.0)


class Keys(FrameProcessor):
    """Notes the keys that were pressed."""

    def __init__(self) -> None:
        super().__init__()
        self.pressed = ""

    @handles(InputDTMFFrame)
    async def press(self, frame: InputDTMFFrame, direction: FrameDirection) -> None:
        self.pressed += frame.button.value


def parts(
    caller: Caller,
    replies: Sequence[Reply],
    extra: Sequence[FrameProcessor] = (),
    after_ears: Sequence[FrameProcessor] = (),
) -> list[FrameProcessor]:
    """A whole agent; `extra` stands before its ears, `after_ears` behind them."""
    stop = SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=0.6)
    pair = LLMContextAggregatorPair(
        LLMContext(),
        user_params=LLMUserAggregatorParams(
            vad_analyzer=Analyzer(), user_turn_strategies=UserTurnStrategies(stop=[stop])
        ),
    )
    return [
        caller.input(),
        *extra,
        STTService(FakeSTTProvider(sample_rate=RATE, segmented=True)),
        *after_ears,
        pair.user(),
        LLMService(FakeLLMProvider(replies, default="I see.")),
        TTSService(FakeTTSProvider(sample_rate=RATE)),
        caller.output(),
        pair.assistant(),
    ]


def agent(
    caller: Caller,
    replies: Sequence[Reply],
    extra: Sequence[FrameProcessor] = (),
    log: ObserverLog | None = None,
    after_ears: Sequence[FrameProcessor] = (),
) -> PipelineTask:
    return PipelineTask(
        Pipeline(parts(caller, replies, extra, after_ears)),
        params=PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=RATE),
        observers=[] if log is None else [log],
    )


def call(replies: Sequence[Reply], script: Script, *, seed: int | None = None) -> HeldCall:
    async def main() -> HeldCall:
        caller = Caller()
        return await hold_call(agent(caller, replies), caller, script)

    return run(main(), seed=seed)


def test_a_caller_speaks_and_hears_the_answer() -> None:
    """What the caller says reaches the model, the answer is heard word for word."""

    async def script(caller: Caller) -> None:
        await caller.pauses(0.5)
        await caller.says("a table for tonight please")
        assert await caller.expects_reply(within=3.0, containing="HOW MANY") == "For how many?"

    done = call(["For how many?"], script)
    assert done.heard == "For how many?"
    assert done.errors == ()
    assert [line.who for line in done.caller.lines] == ["caller", "agent"]


def test_a_caller_interrupts_and_the_agent_stops() -> None:
    """After the barge-in not much more of the story is heard, and the next answer is."""
    story = " ".join(f"word{n}" for n in range(40))

    async def script(caller: Caller) -> None:
        await caller.says("tell me a story")
        await caller.interrupts("stop it now please", after=1.5)
        assert await caller.expects_reply(within=3.0) == "Alright."

    for seed in (None, 1, 2):
        done = call([story, "Alright."], script, seed=seed)
        assert 4 <= done.heard.count("word") <= 12


def test_what_does_not_come_is_an_error_that_tells_the_story() -> None:
    """Silence and wrong words raise, with what was said and heard and when."""

    async def script(caller: Caller) -> None:
        await caller.says("hello there")
        await caller.expects_reply(within=0.1)

    with pytest.raises(ExpectationError, match=r"(?s)does not speak.*caller: hello there"):
        call(["Hi."], script)

    async def picky(caller: Caller) -> None:
        await caller.says("hello there")
        await caller.expects_reply(containing="goodbye")

    with pytest.raises(ExpectationError, match=r"(?s)'goodbye' is not in .*agent: Hi\."):
        call(["Hi."], picky)


def test_keys_and_mumbles() -> None:
    """Pressed keys arrive one by one; a mumble is heard as a voice but has no words."""
    keys = Keys()

    async def script(caller: Caller) -> None:
        await caller.presses("12#")
        await caller.mumbles(0.3)
        await caller.pauses(3.0)

    async def main() -> HeldCall:
        caller = Caller()
        return await hold_call(agent(caller, [], [keys]), caller, script)

    done = run(main())
    assert keys.pressed == "12#"
    assert done.heard == ""


async def long_talk(caller: Caller) -> None:
    for number in range(25):
        await caller.says(f"this is question number {number}")
        if number % 5 == 4:
            await caller.interrupts("wait a moment please", after=0.7)
        await caller.expects_reply(within=5.0, settle=2.0)


def test_a_conversation_of_minutes_repeats_itself() -> None:
    """Three minutes with a whole agent: one seed gives one log, byte for byte."""
    logs = []
    for _ in range(2):
        log = ObserverLog()

        async def main(log: ObserverLog = log) -> HeldCall:
            caller = Caller()
            return await hold_call(
                agent(caller, ["That is a good question, let me think."] * 100, log=log),
                caller,
                long_talk,
            )

        started = time.process_time()
        outcome = run_on(VirtualTimeLoop(5), main())
        done = outcome.result()
        print(f"{done.secs:.0f} s of talk in {time.process_time() - started:.2f} s")
        logs.append(log.text)
    assert logs[0] == logs[1]
    assert done.secs > 180
