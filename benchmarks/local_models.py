"""Figures of the embedded models on this machine: `python benchmarks/local_models.py`.

Latency is wall time, cost is CPU time of the process; both in milliseconds unless they say
otherwise. Takes about half a minute. Run it on a quiet machine.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from functools import partial
from pathlib import Path

from antiphon.audio.pcm import to_bytes, to_float
from antiphon.providers.local.piper import SAMPLE_RATE, stretched
from antiphon.providers.local.stt import LocalSTTProvider
from antiphon.providers.local.tts import LocalTTSProvider
from antiphon.providers.local.turn import LocalSmartTurnModel
from antiphon.providers.local.vad import SileroVADAnalyzer
from antiphon.services.contracts import AudioChunk, Finalize, SpeechAudio

SESSIONS = 10
SENTENCE = "Of course, I can tell you the time, the weather in your town, or a very short joke."


def resident_mb() -> float:
    """Memory of this process (Linux)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def show(what: str, value: str) -> None:
    """One line of the report."""
    print(f"{what:<58}{value}")


async def timed(what: str, work: Callable[[], Awaitable[object]], times: int = 1) -> None:
    """Runs `work` and shows wall and CPU time, the median of `times`, and what memory it took."""
    walls, cpus, before = [], [], resident_mb()
    for _ in range(times):
        wall, cpu = time.perf_counter(), time.process_time()
        await work()
        walls.append((time.perf_counter() - wall) * 1e3)
        cpus.append((time.process_time() - cpu) * 1e3)
    grown = resident_mb() - before
    memory = f", +{grown:.0f} MB" if grown >= 1 else ""
    show(what, f"{statistics.median(walls):.0f} ({statistics.median(cpus):.0f} CPU){memory}")


async def pieces(*texts: str) -> AsyncIterator[str]:
    """The texts, one after the other."""
    for text in texts:
        yield text


async def utterance(pcm: bytes) -> AsyncIterator[AudioChunk | Finalize]:
    """All of an utterance at once, and its end."""
    yield AudioChunk(pcm)
    yield Finalize()


async def first_audio(voice: LocalTTSProvider, text: str) -> None:
    """Until the first chunk."""
    async with aclosing(voice.synthesize(pieces(text))) as events:
        async for event in events:
            if isinstance(event, SpeechAudio):
                break


async def all_audio(voice: LocalTTSProvider, text: str) -> float:
    """Until the last chunk; the seconds of audio."""
    size = 0
    async for event in voice.synthesize(pieces(text)):
        size += len(event.pcm) if isinstance(event, SpeechAudio) else 0
    return size / 2 / SAMPLE_RATE


async def final(ears: LocalSTTProvider, pcm: bytes) -> None:
    """Until the final transcript."""
    async for _ in ears.transcribe(utterance(pcm)):
        pass


async def spoken(text: str, *, quiet_secs: float = 0.0) -> bytes:
    """PCM at 16 kHz, with silence around it."""
    voice = LocalTTSProvider(variation=0)
    events = [event async for event in voice.synthesize(pieces(text))]
    pcm = b"".join(event.pcm for event in events if isinstance(event, SpeechAudio))
    quiet = bytes(int(quiet_secs * 16_000) * 2)
    return quiet + to_bytes(stretched(to_float(pcm), 16_000 / SAMPLE_RATE)) + quiet


async def voice_activity(pcm: bytes) -> None:
    """CPU of ten sessions in real time for five seconds, and of a window by itself."""
    analyzers = [SileroVADAnalyzer() for _ in range(SESSIONS)]
    windows = [pcm[start : start + 1024] for start in range(0, len(pcm) - 1024, 1024)]
    begun = time.process_time()
    for window in windows * 10:
        analyzers[0].probability(window)
    cost = (time.process_time() - begun) / (10 * len(windows))
    show("voice activity, a window of 32 ms", f"{cost * 1e6:.0f} us CPU")

    async def session(vad: SileroVADAnalyzer | None) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        for window in (windows * 4)[:156]:
            due += 0.032
            await asyncio.sleep(due - loop.time())
            if vad is not None:
                vad.probability(window)

    for what, sessions in (("timers alone", [None] * SESSIONS), ("voice activity", analyzers)):
        wall, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(session(vad) for vad in sessions))
        share = (time.process_time() - cpu) / (time.perf_counter() - wall) / SESSIONS
        show(f"{what}, live, {SESSIONS} sessions", f"{share:.2%} of a core each")


async def main() -> None:
    """Prints the report."""
    show("before", f"{resident_mb():.0f} MB")
    ears, voice, turns = LocalSTTProvider(), LocalTTSProvider(variation=0), LocalSmartTurnModel()

    async def construct_vad() -> None:
        SileroVADAnalyzer()

    await timed("load voice activity (and onnxruntime)", construct_vad)
    await timed("load transcription", ears.connect)
    await timed("load speech", voice.connect)
    await timed("load end of turn", turns.connect)
    show("all four loaded", f"{resident_mb():.0f} MB")

    await voice_activity(await spoken(SENTENCE))

    for text in ("Yes.", "What is the capital of Germany?", SENTENCE):
        pcm = await spoken(text, quiet_secs=0.2)
        what = f"final transcript of {len(pcm) / 32_000:.1f} s"
        await timed(what, partial(final, ears, pcm), 5)
    pcm = await spoken(SENTENCE)
    await timed("end of turn", partial(turns.complete_probability, pcm), 5)

    for text in ("Sure.", "What is the capital of Germany?", SENTENCE):
        await timed(f"first audio of {len(text)} characters", partial(first_audio, voice, text), 5)
    secs = await all_audio(voice, SENTENCE)
    await timed(f"all audio of {secs:.1f} s", partial(all_audio, voice, SENTENCE), 5)

    async def hear_while_speaking() -> None:
        pcm = await spoken("What is the capital of Germany?", quiet_secs=0.2)
        speaking = asyncio.ensure_future(all_audio(voice, f"{SENTENCE} " * 3))
        await asyncio.sleep(0.01)
        await timed("final transcript of 2.2 s while speech is computed", lambda: final(ears, pcm))
        await speaking

    await hear_while_speaking()
    show("at the end", f"{resident_mb():.0f} MB")


if __name__ == "__main__":
    asyncio.run(main())
