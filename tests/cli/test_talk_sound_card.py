"""`antiphon talk` through PortAudio, on a sound card that is a PulseAudio server."""

from __future__ import annotations

import asyncio
import contextlib
import json
import pathlib
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator

import pytest

from antiphon.audio.wav import WavFile, read_wav, write_wav
from antiphon.demo.clips import CALLER_PITCH, SAMPLE_RATE, clips_of
from antiphon.demo.script import SCRIPT
from antiphon.providers.local.stt import LocalSTTProvider
from antiphon.providers.local.tts import LocalTTSProvider
from antiphon.services.contracts import AudioChunk, Finalize
from tests.cli.sound_card import SoundCard, sound_card

PATIENCE_SECS = 90.0


@contextlib.contextmanager
def talk(card: SoundCard, out: pathlib.Path) -> Iterator[subprocess.Popen[str]]:
    """The command, in a process of its own; ended when it takes too long."""
    command = [sys.executable, "-c", "from antiphon.cli.main import main; main()", "talk"]
    environment = {
        **card.environment,
        "ANTIPHON_LLM": "rules",
        "PYTHONUNBUFFERED": "1",
        "COLUMNS": "120",
    }
    with subprocess.Popen(
        [*command, "--out", str(out)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        guard = threading.Timer(PATIENCE_SECS, process.kill)
        guard.start()
        try:
            yield process
        finally:
            guard.cancel()
            process.kill()


def until(process: subprocess.Popen[str], words: str) -> None:
    """Reads what the command says until `words` come."""
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if words in line:
            return
    pytest.fail(f"{words!r} never came:\n{''.join(said)}")


def transcript_of(recording: WavFile) -> str:
    """What the embedded transcriber makes of it."""
    audio = recording.mono_at(16_000)

    async def fed() -> AsyncIterator[AudioChunk | Finalize]:
        yield AudioChunk(audio)
        yield Finalize()

    async def main() -> str:
        heard = LocalSTTProvider().transcribe(fed())
        return " ".join([event.text async for event in heard if event.final])

    return asyncio.run(main())


@pytest.mark.models
def test_a_conversation_through_the_sound_card(tmp_path: pathlib.Path) -> None:
    """The microphone's question is heard, the loudspeaker plays the answer, Ctrl-C ends it well."""
    voice = LocalTTSProvider(pitch=CALLER_PITCH, variation=0.0)
    (clip,) = asyncio.run(clips_of(SCRIPT[:1], voice))  # "Hello there what is your name?"
    question, played, out = tmp_path / "question.wav", tmp_path / "played.wav", tmp_path / "out"
    write_wav(question, clip.pcm, SAMPLE_RATE)
    with sound_card(tmp_path) as card, talk(card, out) as process:
        until(process, "Speak now")
        with card.listening(played):
            card.play(question)
            until(process, "playout")  # the line of latencies, when the answer has begun
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(1.0)  # Ctrl-C lets it finish what it says
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=PATIENCE_SECS)[0]
        assert process.returncode == 0, rest
    spoken = json.loads((out / "transcript.json").read_text())["speech"]
    said = {side: [p["text"] for p in spoken if p["side"] == side] for side in ("caller", "agent")}
    assert "your name" in " ".join(said["caller"])
    assert "Ada" in " ".join(said["agent"])
    assert "weather" in transcript_of(read_wav(played))  # "... I can get the weather in a city"
