"""The three manners in which a caller speaks and hears, with one script."""

from __future__ import annotations

import pytest

from antiphon.context.llm_context import LLMContext
from antiphon.context.pair import LLMContextAggregatorPair
from antiphon.context.user_aggregator import LLMUserAggregatorParams
from antiphon.errors import InvalidInputError
from antiphon.frames.text import TranscriptionFrame
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.task import PipelineTask
from antiphon.providers.local.model_store import ModelState, ModelStore
from antiphon.services.llm import LLMService
from antiphon.services.stt import STTService
from antiphon.services.tts import TTSService
from antiphon.simulation.calls.caller import (
    Caller,
    ExpectationError,
    HeldCall,
    Manner,
    Script,
    hold_call,
)
from antiphon.simulation.calls.mouths import FactMouth
from antiphon.simulation.fakes.language_model import FakeLLMProvider
from antiphon.simulation.loop.loop import VirtualTimeLoop
from antiphon.simulation.loop.virtual_time import RunResult, run, run_on, simulate
from antiphon.simulation.record.observer_log import ObserverLog
from antiphon.turns.stop_strategies import SpeechTimeoutUserTurnStopStrategy
from antiphon.turns.strategies import UserTurnStrategies
from tests.simulation.calls.test_caller import agent

STORY = "Once upon a time there was a king who had seven sons and a very large garden."
REPLIES = ["For how many people?", STORY, "Alright."]


async def script(caller: Caller) -> None:
    """Asks, interrupts a story, makes a sound without words."""
    await caller.says("I would like a table for tonight.")
    await caller.expects_reply(within=4.0, containing="how many people", settle=1.2)
    await caller.says("Tell me a story.")
    await caller.interrupts("Stop it now, please.", after=1.5)
    await caller.expects_reply(within=4.0, containing="right", without="garden")
    await caller.mumbles(0.4)
    await caller.pauses(3.0)


def held(
    manner: Manner, *, seed: int | None = None, log: ObserverLog | None = None
) -> RunResult[HeldCall]:
    async def main() -> HeldCall:
        caller = Caller(manner=manner)
        return await hold_call(agent(caller, REPLIES, log=log), caller, script)

    return simulate(main(), seed=seed)


def hold(manner: Manner, *, seed: int | None = None, log: ObserverLog | None = None) -> HeldCall:
    return held(manner, seed=seed, log=log).result()


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_facts_and_coded_sound_lead_to_the_same_talk(seed: int | None) -> None:
    """Without any sound the same words are said and heard, and take the same time."""
    sound, facts = hold(Manner.CODED, seed=seed), hold(Manner.FRAMES, seed=seed)
    assert facts.heard.startswith("For how many people? Once upon a")
    assert facts.heard.endswith("Alright.")
    assert abs(len(facts.heard.split()) - len(sound.heard.split())) <= 1
    assert facts.secs == pytest.approx(sound.secs, abs=0.5)
    assert facts.errors == sound.errors == ()


def test_facts_are_fast() -> None:
    """Facts take less than half of the steps that sound takes, for the whole agent."""
    assert held(Manner.FRAMES).steps < 0.5 * held(Manner.CODED).steps


def text_agent(caller: Caller, *replies: str) -> PipelineTask:
    """No ears, no voice: nothing but turns, context and a model."""
    stop = SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=0.6)
    pair = LLMContextAggregatorPair(
        LLMContext(),
        user_params=LLMUserAggregatorParams(user_turn_strategies=UserTurnStrategies(stop=[stop])),
    )
    llm = LLMService(FakeLLMProvider(replies))
    return PipelineTask(
        Pipeline([caller.input(), pair.user(), llm, caller.output(), pair.assistant()])
    )


def converse(replies: list[str], talk: Script, caller: Caller) -> HeldCall:
    async def main() -> HeldCall:
        return await hold_call(text_agent(caller, *replies), caller, talk)

    return run(main())


def test_facts_need_neither_ears_nor_a_voice() -> None:
    """An agent that only reads and writes can be called; its text is what is heard."""

    async def talk(caller: Caller) -> None:
        await caller.says("a table please")
        assert await caller.expects_reply(within=4.0) == "For how many people?"
        await caller.says("for four")
        assert await caller.expects_reply(within=4.0) == "Done, then."

    done = converse(["For how many people?", "Done, then."], talk, Caller(manner=Manner.FRAMES))
    assert done.heard == "For how many people? Done, then."


def test_what_is_too_short_is_not_noticed_and_a_pause_joins_no_words() -> None:
    """A sound below `start_secs` makes no turn; words after a short pause make one transcript."""
    caller = Caller(manner=Manner.FRAMES, mouth=FactMouth(latency=0.1, interim=False))
    log = ObserverLog()

    async def talk(caller: Caller) -> None:
        await caller.mumbles(0.1)
        await caller.pauses(1.0)
        await caller.says("one two")
        await caller.pauses(0.1)
        await caller.says("three")
        await caller.expects_reply(within=4.0)

    async def main() -> HeldCall:
        return await hold_call(agent(caller, ["Yes."], log=log), caller, talk)

    assert run(main()).heard == "Yes."
    transcripts = {
        line.partition(" #")[2].partition(" ")[2]
        for line in log.lines
        if TranscriptionFrame.__name__ in line and "Interim" not in line
    }
    assert len(transcripts) == 1
    assert "text='one two three'" in transcripts.pop()
    started = [line for line in log.lines if "VADUserStartedSpeakingFrame" in line]
    assert len({line.partition(" #")[2] for line in started}) == 1


@pytest.mark.parametrize("manner", [Manner.CODED, Manner.FRAMES])
def test_one_seed_is_one_talk_in_every_manner(manner: Manner) -> None:
    """Two runs of a seed give one log, byte for byte; another seed another one."""
    logs = []
    for seed in (5, 5, 6):
        log = ObserverLog()
        hold(manner, seed=seed, log=log)
        logs.append(log.text)
    assert logs[0] == logs[1] != logs[2]


def test_an_agent_that_hangs_up_ends_what_the_caller_waits_for() -> None:
    """Speaking to nobody returns, and a reply that cannot come any more is told so at once."""

    async def talk(caller: Caller) -> None:
        await caller.says("one two three four five six")
        await caller.expects_reply(within=100.0)

    async def main() -> HeldCall:
        caller = Caller()
        task = agent(caller, [])

        @task.event_handler("on_pipeline_started")
        async def soon(task: PipelineTask, frame: object) -> None:
            await task.stop_when_done()

        return await hold_call(task, caller, talk)

    with pytest.raises(ExpectationError, match="the call is over"):
        run(main())


def test_a_reply_may_be_wrong_by_what_it_says_too_much() -> None:
    """`without` raises when the words are in the reply."""

    async def talk(caller: Caller) -> None:
        await caller.says("hello")
        await caller.expects_reply(without="OF COURSE")

    with pytest.raises(ExpectationError, match="'OF COURSE' is in what was heard") as raised:
        converse(["Of course."], talk, Caller(manner=Manner.FRAMES))
    assert raised.value.what == "'OF COURSE' is in what was heard, and should not be"
    assert raised.value.at is not None


def test_an_interruption_has_words_of_its_own() -> None:
    """Without a text the caller says that the agent is to wait."""

    async def talk(caller: Caller) -> None:
        await caller.says("hello")
        await caller.interrupts(after=0.3)
        await caller.expects_reply(within=4.0)

    async def main() -> HeldCall:
        caller = Caller()
        return await hold_call(agent(caller, [STORY, "Yes."]), caller, talk)

    done = run(main())
    assert [line.text for line in done.caller.lines] == ["hello", "hold on a moment", "Yes."]


def test_a_key_that_no_telephone_has_is_one_clear_error() -> None:
    """The key is named, and those there are."""

    async def talk(caller: Caller) -> None:
        await caller.presses("1A")

    with pytest.raises(InvalidInputError, match=r"no key 'A' on a telephone: 0 1 .* #"):
        converse([], talk, Caller(manner=Manner.FRAMES))


MODELS = ("silero-vad", "moonshine-tiny-en", "piper-en-us-joe")


def missing_models() -> list[str]:
    """Models of the spoken manner that are not on this machine."""
    return [
        status.model.name
        for status in ModelStore().status()
        if status.model.name in MODELS and status.state is not ModelState.READY
    ]


@pytest.mark.models
def test_a_spoken_call_goes_through_the_real_ears_and_the_real_voice() -> None:
    """Synthesised speech is detected, transcribed, answered, synthesised and transcribed back, in
    virtual time; one seed is one run.
    """
    if missing := missing_models():
        pytest.skip(f"not on this machine: {', '.join(missing)}")
    from antiphon.providers.local.stt import LocalSTTProvider
    from antiphon.providers.local.tts import LocalTTSProvider
    from antiphon.providers.local.vad import SileroVADAnalyzer

    def spoken(seed: int) -> RunResult[tuple[HeldCall, list[str]]]:
        async def main() -> tuple[HeldCall, list[str]]:
            caller = Caller(manner=Manner.SPOKEN)
            stop = SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=0.6)
            pair = LLMContextAggregatorPair(
                LLMContext(),
                user_params=LLMUserAggregatorParams(
                    vad_analyzer=SileroVADAnalyzer(),
                    user_turn_strategies=UserTurnStrategies(stop=[stop]),
                ),
            )
            provider = FakeLLMProvider(REPLIES, default="Yes?")  # a "hmm" may be understood
            parts = [
                caller.input(),
                STTService(LocalSTTProvider()),
                pair.user(),
                LLMService(provider),
                TTSService(LocalTTSProvider(variation=0.0)),
                caller.output(),
                pair.assistant(),
            ]
            call = await hold_call(PipelineTask(Pipeline(parts)), caller, script)
            asked = [str(request.messages[-1]["content"]) for request in provider.requests]
            return call, asked

        return run_on(VirtualTimeLoop(seed, executor_secs=0.1), main())

    outcome = spoken(1)
    call, asked = outcome.result()
    print(f"{call.secs:.1f} s of talk; understood: {asked}; heard: {call.heard}")
    assert [text.lower().strip(".") for text in asked[1:3]] == [
        "tell me a story",
        "stop it now, please",
    ]
    assert "table for tonight" in asked[0]
    assert call.heard.startswith("For how many people? Once upon a time")
    assert "garden" not in call.heard
    assert call.errors == ()
    assert spoken(1).fingerprint == outcome.fingerprint
