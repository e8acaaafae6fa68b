from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from antiphon.audio.wav import WavFile
from antiphon.demo.clips import CALLER_PITCH, SAMPLE_RATE, clips_of
from antiphon.demo.script import Cue, ScriptedSpeech, Turn
from antiphon.kernel.task import PipelineTask
from antiphon.providers.local.model_store import ModelStore
from antiphon.providers.local.registry import MOONSHINE_TINY_EN, PIPER_JOE, SILERO_VAD
from antiphon.providers.local.tts import LocalTTSProvider
from antiphon.simulation.loop.virtual_time import run
from antiphon.transports.caller_script import Say, Step, Wait, WaitForAgent
from antiphon.transports.file import FileTransport
from tests.docs.blocks import blocks

Names = dict[str, Any]

pytestmark = [
    pytest.mark.models,
    pytest.mark.skipif(
        any(
            ModelStore().find(model.name, file.name) is None
            for model in (SILERO_VAD, MOONSHINE_TINY_EN, PIPER_JOE)
            for file in model.files
        ),
        reason="the embedded models are not on this machine",
    ),
]


def of_the_readme(root: Path) -> Names:
    """The first bot that anybody sees."""
    block = blocks(root / "README.md")[0]
    assert len(block.text.splitlines()) <= 30
    names: Names = {"__name__": "example"}
    exec(block.text, names)  # noqa: S102 - the README is ours
    return names


def of_the_examples(root: Path) -> Names:
    """The same with a persona."""
    return runpy.run_path(str(root / "examples" / "minimal_bot.py"), run_name="example")


@pytest.mark.parametrize("bot", [of_the_readme, of_the_examples])
def test_the_minimal_bot_answers(
    root: Path, monkeypatch: pytest.MonkeyPatch, bot: Callable[[Path], Names]
) -> None:
    """The bot of thirty lines hears a question, with the embedded models, and answers it."""
    monkeypatch.setenv("ANTIPHON_LLM", "rules")
    example = bot(root)

    async def main() -> FileTransport:
        turn = Turn((ScriptedSpeech("Hello there what is your name?"),), Cue.START)
        voice = LocalTTSProvider(pitch=CALLER_PITCH, variation=0.0)
        (clip,) = await clips_of([turn], voice)
        steps: list[Step] = [
            Wait(0.5),
            Say(WavFile(clip.pcm, SAMPLE_RATE)),
            WaitForAgent(timeout_secs=20),
        ]
        transport = FileTransport(steps)
        task = example["bot"](transport)
        assert isinstance(task, PipelineTask)
        await task.run()
        return transport

    transport = run(main(), executor_secs=0.05)
    assert transport.caller.overdue == []
    answered = transport.caller.history[-1]
    assert 3.0 < answered.ended < 19.0
