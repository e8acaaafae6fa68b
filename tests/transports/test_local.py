"""Tests of `antiphon.transports.local`, with a sound card that is played by the test."""

from __future__ import annotations

import asyncio
import builtins
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from antiphon.errors import ConfigurationError
from antiphon.frames.audio import InputAudioRawFrame
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import ErrorFrame, InterruptionFrame
from antiphon.kernel.pipeline import Pipeline
from antiphon.simulation.loop.virtual_time import run
from antiphon.simulation.testing import SleepFrame, run_test
from antiphon.transports.local import LocalAudioTransport, check_devices
from tests.transports.lines import speech


class PortAudioError(Exception):
    """As `sounddevice` has it."""


class Card:
    """Stands for the `sounddevice` module; its clock is the loop's."""

    def __init__(self) -> None:
        self.played = bytearray()
        self.log: list[str] = []
        self.missing: str | None = None
        self.stopped = False

    def check(self, kind: str) -> None:
        if self.missing == kind:
            raise PortAudioError("no such device")

    def module(self) -> types.ModuleType:
        card = self

        class Stream:
            kind = ""

            def __init__(self, **settings: Any) -> None:
                card.check(self.kind)
                self.settings = settings
                card.log.append(f"{self.kind} {settings['samplerate']}")
                self.running = False

            def start(self) -> None:
                self.running = True
                asyncio.get_running_loop().call_later(0.02, self.turn)

            def turn(self) -> None:
                if not self.running:
                    return
                if not card.stopped:
                    self.block(self.settings["callback"], 2 * self.settings["blocksize"])
                asyncio.get_running_loop().call_later(0.02, self.turn)

            def block(self, callback: Callable[..., None], size: int) -> None:
                raise NotImplementedError

            def stop(self) -> None:
                self.running = False

            def close(self) -> None:
                card.log.append(f"{self.kind} closed")

        class RawOutputStream(Stream):
            kind = "out"

            def block(self, callback: Callable[..., None], size: int) -> None:
                out = bytearray(size)
                callback(memoryview(out), size // 2, None, None)
                card.played += out

        class RawInputStream(Stream):
            kind = "in"

            def block(self, callback: Callable[..., None], size: int) -> None:
                callback(memoryview(np.full(size // 2, 5, "<i2").tobytes()), size // 2, None, None)

        module = types.ModuleType("sounddevice")
        module.__dict__.update(
            PortAudioError=PortAudioError,
            RawInputStream=RawInputStream,
            RawOutputStream=RawOutputStream,
            query_devices=lambda: "0 a card",
            check_input_settings=lambda **settings: card.check("in"),
            check_output_settings=lambda **settings: card.check("out"),
        )
        return module


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Card:
    card = Card()
    monkeypatch.setitem(sys.modules, "sounddevice", card.module())
    return card


def talk(frames: list[Frame]) -> tuple[list[Frame], list[Frame]]:
    async def main() -> tuple[list[Frame], list[Frame]]:
        transport = LocalAudioTransport()
        pipeline = Pipeline([transport.input(), transport.output()])
        return await run_test(pipeline, frames_to_send=frames)

    return run(main())


def test_the_microphone_is_heard_and_the_loudspeaker_played(card: Card) -> None:
    """Both run at the pipeline's rates and are closed at the end."""
    down, up = talk([SleepFrame(0.1), speech(7, 0.5), SleepFrame(1.0)])
    heard = [f for f in down if isinstance(f, InputAudioRawFrame)]
    assert len(heard) > 40
    assert heard[0].audio == np.full(320, 5, "<i2").tobytes()
    assert np.frombuffer(card.played, "<i2").tolist().count(7) == 12_000
    assert sorted(card.log) == ["in 16000", "in closed", "out 24000", "out closed"]
    assert not any(isinstance(f, ErrorFrame) for f in up)


def test_an_interruption_empties_the_buffer(card: Card) -> None:
    """Only the block in the sound card is heard after it."""
    talk([speech(7, 5.0), SleepFrame(1.0), InterruptionFrame(), SleepFrame(1.0)])
    assert np.frombuffer(card.played, "<i2").tolist().count(7) <= 24_000 * 1.03


def test_a_sound_card_that_stands_still_is_reported(card: Card) -> None:
    """One error; the conversation ends all the same."""
    card.stopped = True
    _, up = talk([speech(7, 3.0), SleepFrame(5.0)])
    errors = [f.error for f in up if isinstance(f, ErrorFrame)]
    assert errors == [
        "the caller's side of the output fails: the loudspeaker does not take any sound"
    ]


@pytest.mark.parametrize(("kind", "name"), [("in", "microphone"), ("out", "loudspeaker")])
def test_a_missing_device_is_named_with_those_there_are(card: Card, kind: str, name: str) -> None:
    """The other side still works."""
    card.missing = kind
    _, up = talk([speech(7, 0.1)])
    errors = [f.error for f in up if isinstance(f, ErrorFrame)]
    assert len(errors) == 1
    assert f"the {name} (default) cannot be used: no such device" in errors[0]
    assert "0 a card" in errors[0]
    assert bool(card.played) is (kind == "in")


@pytest.mark.parametrize(("kind", "name"), [("in", "microphone"), ("out", "loudspeaker")])
def test_devices_can_be_checked_before_a_conversation(card: Card, kind: str, name: str) -> None:
    """What a command line does before it loads models."""
    check_devices()
    card.missing = kind
    with pytest.raises(ConfigurationError, match=rf"the {name} 'x' cannot be used"):
        check_devices("x", "x")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ImportError("x"), r"antiphon\[talk\]"),
        (OSError("PortAudio library not found"), "portaudio"),
        (PortAudioError("Error initializing PortAudio"), "sound server"),
    ],
)
def test_what_is_missing_is_said(
    monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    """The package, or the system library that it needs."""
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "sounddevice":
            raise error
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    _, up = talk([])
    errors = [f.exception for f in up if isinstance(f, ErrorFrame)]
    assert len(errors) == 2
    for found in errors:
        with pytest.raises(ConfigurationError, match=said):
            raise found or AssertionError
