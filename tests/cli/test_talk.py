from __future__ import annotations

import sys
import types

import pytest

from antiphon.cli import main as entry


class NoDeviceError(Exception):
    """What PortAudio says."""


def test_without_a_microphone_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`antiphon talk` where there is no sound is one clear message, before any model is loaded."""

    def refuse(**_: object) -> None:
        raise NoDeviceError("no default device")

    card = types.ModuleType("sounddevice")
    vars(card).update(
        PortAudioError=NoDeviceError,
        check_input_settings=refuse,
        check_output_settings=refuse,
        query_devices=lambda: "",
    )
    monkeypatch.setitem(sys.modules, "sounddevice", card)
    monkeypatch.setattr(sys, "argv", ["antiphon", "talk"])
    with pytest.raises(SystemExit) as ended:
        entry.main()
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert "the microphone (default) cannot be used: no default device" in error
    assert "Traceback" not in error
