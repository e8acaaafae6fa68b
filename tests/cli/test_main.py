from __future__ import annotations

import logging
import sys
from importlib.machinery import ModuleSpec

import pytest

import antiphon
from antiphon.cli import main as entry


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Runs the command; returns its exit code."""
    monkeypatch.setattr(sys, "argv", ["antiphon", *arguments])
    monkeypatch.setattr(logging, "basicConfig", lambda **_: None)
    with pytest.raises(SystemExit) as ended:
        entry.main()
    return int(ended.value.code or 0)


def test_it_says_its_version(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`antiphon --version` is one line."""
    assert call(monkeypatch, "--version") == 0
    assert capsys.readouterr().out == f"antiphon {antiphon.__version__}\n"


@pytest.mark.parametrize("command", ["demo", "talk", "models", "simulate", "replay"])
def test_every_command_explains_itself(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--help` of each command works, without loading a model."""
    assert call(monkeypatch, command, "--help") == 0
    assert "Usage: antiphon" in capsys.readouterr().out.replace("\n", " ").replace("  ", " ")


def test_a_missing_extra_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without typer the command says what to install."""

    def absent(name: str) -> ModuleSpec | None:
        return None

    monkeypatch.setattr(entry, "find_spec", absent)
    assert call(monkeypatch, "demo") == 2
    assert "pip install 'antiphon[cli]'" in capsys.readouterr().err


def test_an_unknown_model_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mistake in ANTIPHON_LLM ends the demonstration before it begins, with one clear line."""
    monkeypatch.setenv("ANTIPHON_LLM", "nobody/model")
    assert call(monkeypatch, "demo") == 2
    error = capsys.readouterr().err
    assert "nobody" in error
    assert error.count("\n") == 1
    assert "Traceback" not in error
