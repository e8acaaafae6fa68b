"""The fakes do what they are told, at the times they are told."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from antiphon.audio.vad import VADModel
from antiphon.errors import ConnectivityError, InvalidInputError, InvalidRequestError, ServerError
from antiphon.services.contracts import (
    AudioChunk,
    Finalize,
    LLMProvider,
    LLMRequest,
    SpeechAudio,
    STTProvider,
    TextDelta,
    TokenUsage,
    ToolCall,
    Transcript,
    TTSProvider,
    WordTime,
)
from antiphon.simulation.fakes.delays import lognormal, uniform
from antiphon.simulation.fakes.language_model import FakeLLMProvider, call
from antiphon.simulation.fakes.provider import Fail, Fault, Hang, Stall, from_now_on
from antiphon.simulation.fakes.stt import FakeSTTProvider
from antiphon.simulation.fakes.tts import FakeTTSProvider
from antiphon.simulation.fakes.vad import FakeTurnModel, FakeVADModel
from antiphon.simulation.fakes.voice import Listener, silence, speak, speak_word
from antiphon.simulation.loop.virtual_time import run
from antiphon.turns.strategy import TurnModel

HELLO = LLMRequest(messages=({"role": "user", "content": "Hello?"},))


def now() -> float:
    return asyncio.get_running_loop().time()


async def pieces(*texts: str) -> AsyncIterator[str]:
    for text in texts:
        yield text


def test_the_fakes_satisfy_the_contracts() -> None:
    """A type checker and this test agree that each fake is a provider."""
    stt: STTProvider = FakeSTTProvider()
    llm: LLMProvider = FakeLLMProvider()
    tts: TTSProvider = FakeTTSProvider()
    vad: VADModel = FakeVADModel()
    turn: TurnModel = FakeTurnModel()
    assert (stt.name, llm.name, tts.name) == ("fake-stt", "fake-llm", "fake-tts")
    assert vad.sample_rate == turn.sample_rate == 16_000


def test_words_survive_audio_cut_anywhere() -> None:
    """A listener reads every word again however the audio is cut into chunks."""
    said = "Zwölf naïve façades, please."
    pcm = silence(0.1) + speak(said) + silence(0.2) + speak("again")
    for seed in range(20):
        rng, listener, words, at = random.Random(seed), Listener(), list[str](), 0
        while at < len(pcm):
            size = rng.choice([2, 14, 320, 640, 5000])
            words += listener.hear(pcm[at : at + size])
            at += size
        assert " ".join(words) == said + " again"
        assert listener.cut() is None


def test_a_word_cut_off_is_known_by_its_fraction() -> None:
    """Half the audio of a word counts as half a word, and is forgotten afterwards."""
    listener, pcm = Listener(), speak_word("interrupted", secs=0.4)
    assert listener.hear(pcm[: len(pcm) // 2]) == []
    heard = listener.cut()
    assert heard is not None
    assert heard.text == "interrupted"
    assert heard.fraction == pytest.approx(0.5)
    assert listener.hear(speak("next")) == ["next"]


def test_stt_reads_the_words_from_the_audio_and_answers_finalize_after_its_latency() -> None:
    """What the voice said comes out, with interim results, 0.3 s after the segment ended."""

    async def audio() -> AsyncIterator[AudioChunk | Finalize]:
        pcm = speak("book a table") + silence(0.5)
        for start in range(0, len(pcm), 640):
            yield AudioChunk(pcm[start : start + 640])
        yield Finalize()

    async def main() -> list[tuple[float, Transcript]]:
        stt = FakeSTTProvider(latency=0.3, interim=True)
        await stt.connect()
        got = [(now(), transcript) async for transcript in stt.transcribe(audio())]
        assert stt.running == 0
        assert stt.audio_secs == pytest.approx(3 * 0.3 + 0.5)
        return got

    got = run(main())
    assert [t.text for _, t in got] == ["book", "book a", "book a table", "book a table"]
    assert got[-1] == (0.3, Transcript(text="book a table", final=True, finalized=True))


def test_stt_follows_its_script() -> None:
    """Scripted transcripts answer the segments in order, whatever the audio was."""

    async def audio() -> AsyncIterator[AudioChunk | Finalize]:
        for _ in range(2):
            yield AudioChunk(bytes(640))
            yield Finalize()

    async def main() -> list[str]:
        stt = FakeSTTProvider(["One.", "Two."])
        return [t.text async for t in stt.transcribe(audio())]

    assert run(main()) == ["One.", "Two."]


def test_llm_streams_tokens_at_its_pace_and_counts_them() -> None:
    """The first token comes after its latency, the others at their distance, then the usage."""

    async def main() -> None:
        llm = FakeLLMProvider(["One two three."], first_token=0.5, between_tokens=0.1)
        got = [(round(now(), 6), event) async for event in llm.complete(HELLO)]
        assert got == [
            (0.5, TextDelta("One")),
            (0.6, TextDelta(" two")),
            (0.7, TextDelta(" three.")),
            (0.7, TokenUsage(1, 3)),
        ]
        assert llm.cut_off == llm.running == 0

    run(main())


def test_llm_calls_functions_and_answers_by_a_function_of_the_request() -> None:
    """A reply may be a call, with an id of its own, or depend on what was asked."""

    def answer(request: LLMRequest) -> list[str | ToolCall]:
        return ["Let me see. ", call("weather", city=str(request.messages[-1]["content"]))]

    async def main() -> list[ToolCall]:
        llm, calls = FakeLLMProvider(answer), list[ToolCall]()
        for _ in range(2):
            async for event in llm.complete(HELLO):
                if isinstance(event, ToolCall):
                    calls.append(event)
        return calls

    first, second = run(main())
    assert (first.id, second.id) == ("call_1", "call_2")
    assert first.arguments == '{"city": "Hello?"}'


def test_llm_refuses_an_invalid_context_and_an_empty_script() -> None:
    """An orphan tool result, and a request the script does not foresee, are one clear error."""

    async def ask(llm: FakeLLMProvider, request: LLMRequest) -> None:
        async for _ in llm.complete(request):
            pass

    async def main() -> None:
        llm = FakeLLMProvider()
        orphan = LLMRequest(messages=({"role": "tool", "tool_call_id": "x", "content": "1"},))
        with pytest.raises(InvalidRequestError, match="not valid"):
            await ask(llm, orphan)
        assert llm.complaints
        with pytest.raises(InvalidRequestError, match="has no reply"):
            await ask(llm, HELLO)

    run(main())


def test_tts_makes_audio_faster_than_real_time_and_counts_what_was_cut_off() -> None:
    """Audio and word times agree; an utterance closed in the middle is counted as cut off."""

    async def main() -> None:
        tts = FakeTTSProvider(first_audio=0.2, speed=10, chunk_secs=0.1, secs_per_word=0.3)
        listener, words, times = Listener(), list[str](), list[WordTime]()
        async for event in tts.synthesize(pieces("Good morning.", "How are you?")):
            if isinstance(event, SpeechAudio):
                words += listener.hear(event.pcm)
            else:
                times.append(event)
        assert words == ["Good", "morning.", "How", "are", "you?"]
        assert [round(time.start_secs, 3) for time in times] == [0.0, 0.3, 0.6, 0.9, 1.2]
        assert now() == pytest.approx(2 * 0.2 + 5 * 0.3 / 10)
        stream = tts.synthesize(pieces("Cut me off."))
        await anext(stream)
        await stream.aclose()
        assert tts.utterances == [["Good morning.", "How are you?"], ["Cut me off."]]
        assert (tts.cut_off, tts.running) == (1, 0)

    run(main())


def test_faults_happen_in_the_call_and_at_the_event_they_name() -> None:
    """A failure, a stall and a hang come where they were planned, and other calls are untouched."""

    async def ask(llm: FakeLLMProvider) -> list[str]:
        return [e.text async for e in llm.complete(HELLO) if isinstance(e, TextDelta)]

    async def main() -> None:
        faults: dict[int, Fault] = {
            0: Fail(ServerError("busy")),
            2: Stall(5.0, after=1),
            3: Hang(after=2),
        }
        llm = FakeLLMProvider(
            default="One two three.", faults=faults, first_token=0.0, between_tokens=0.0
        )
        with pytest.raises(ServerError, match="busy"):
            await ask(llm)
        assert await ask(llm) == ["One", " two", " three."]
        assert now() == 0.0
        assert await ask(llm) == ["One", " two", " three."]
        assert now() == 5.0
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ask(llm), 10)
        assert (llm.cut_off, llm.running) == (1, 0)

        broken = FakeLLMProvider(default="x", faults=from_now_on(Fail(ServerError("down")), 1))
        assert await ask(broken) == ["x"]
        for _ in range(3):
            with pytest.raises(ServerError, match="down"):
                await ask(broken)

    run(main())


def test_connect_takes_its_time_and_fails_once() -> None:
    """The first connect raises the planned error after its delay, the second succeeds."""

    async def main() -> None:
        error = ConnectivityError("no route")
        for provider in (
            FakeSTTProvider(connect_delay=1.0, connect_error=error),
            FakeLLMProvider(connect_delay=1.0, connect_error=error),
            FakeTTSProvider(connect_delay=1.0, connect_error=error),
        ):
            with pytest.raises(ConnectivityError, match="no route"):
                await provider.connect()
            assert not provider.connected
            await provider.connect()
            assert provider.connected
        assert now() == 6.0

    run(main())


def test_delays_come_from_the_seed() -> None:
    """A distribution is drawn alike for one seed, and has the median it was given."""

    async def main() -> float:
        llm = FakeLLMProvider(default="x", first_token=lognormal(0.4, 2.0))
        async for _ in llm.complete(HELLO):
            pass
        return now()

    assert run(main(), seed=1, cpu=None) == run(main(), seed=1, cpu=None)
    times = sorted(run(main(), seed=seed, cpu=None) for seed in range(101))
    assert 0.3 < times[50] < 0.55
    assert times[-1] > 1.0
    draw = uniform(1.0, 2.0)
    assert callable(draw)
    assert 1.0 <= draw(random.Random(0)) <= 2.0


def test_vad_hears_energy_or_follows_its_script() -> None:
    """Encoded words are speech, silence is not, and a script overrides both."""
    vad = FakeVADModel()
    word = speak_word("hello")
    assert vad.probability(word[2000:3024]) == 1.0
    assert vad.probability(bytes(1024)) == 0.0
    assert FakeVADModel([0.7]).probability(bytes(1024)) == 0.7
    with pytest.raises(ValueError, match="1024 bytes"):
        vad.probability(b"")


def test_turn_model_answers_from_its_script_then_by_default() -> None:
    """Probabilities come in order, after the latency."""

    async def main() -> list[float]:
        model = FakeTurnModel([0.1], default=0.9, latency=0.05)
        got = [await model.complete_probability(b"") for _ in range(2)]
        assert now() == pytest.approx(0.1)
        return got

    assert run(main()) == [0.1, 0.9]


def test_models_over_audio_fail_and_stall() -> None:
    """A detector raises or holds up the machine; a turn model fails, stalls, does not connect."""

    async def main() -> None:
        vad = FakeVADModel(faults={1: Stall(0.5), 2: Fail(ServerError("broken"))})
        vad.probability(bytes(1024))
        vad.probability(bytes(1024))
        assert now() == 0.5
        with pytest.raises(ServerError, match="broken"):
            vad.probability(bytes(1024))
        turn = FakeTurnModel(latency=0.0, faults={0: Stall(2.0), 1: Fail(ServerError("broken"))})
        await turn.complete_probability(b"")
        assert now() == 2.5
        with pytest.raises(ServerError, match="broken"):
            await turn.complete_probability(b"")
        with pytest.raises(ConnectivityError):
            await FakeTurnModel(connect_error=ConnectivityError("no")).connect()

    run(main())


def test_llm_gives_several_words_at_once() -> None:
    """The size of the pieces is chosen; joined they are the text."""

    async def main() -> list[str]:
        llm = FakeLLMProvider(["One two three, four five"], words_per_event=2)
        return [e.text async for e in llm.complete(HELLO) if isinstance(e, TextDelta)]

    assert run(main()) == ["One two", " three, four", " five"]


def test_models_over_audio_take_their_time_and_fail_from_now_on() -> None:
    """A latency is drawn for each window and each loading; faults may be a function."""

    async def main() -> None:
        vad = FakeVADModel(latency=0.01, faults=from_now_on(Fail(ServerError("broken")), 2))
        assert [vad.probability(bytes(1024)) for _ in range(2)] == [0.0, 0.0]
        assert now() == pytest.approx(0.02)
        for _ in range(2):
            with pytest.raises(ServerError):
                vad.probability(bytes(1024))
        began = now()
        await FakeTurnModel(connect_delay=1.0).connect()
        assert now() == began + 1.0
        with pytest.raises(InvalidInputError, match="it cannot hang"):
            FakeVADModel(faults={0: Hang()}).probability(bytes(1024))

    run(main())
