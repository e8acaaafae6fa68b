"""`antiphon demo` on the command line: what its exit code says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from antiphon.cli.app import app
from antiphon.demo import conversation
from antiphon.demo.conversation import HeldConversation
from antiphon.demo.script import SCRIPT
from antiphon.observe.conversation_log import ConversationLog
from tests.observe.sample import sample_log, sample_sides


def demo(log: ConversationLog, out: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """Runs the command on a conversation that has been held; returns exit code and output."""

    async def held(*_: Any, **__: Any) -> HeldConversation:
        return HeldConversation(log, sample_sides())

    monkeypatch.setattr(conversation, "demonstrate", held)
    monkeypatch.setenv("ANTIPHON_LLM", "rules")
    done = CliRunner().invoke(app, ["demo", "--out", str(out), "--no-check"])
    return done.exit_code, done.output


def test_a_turn_without_a_spoken_answer_is_an_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """0 when every turn of the script was answered, 1 when one was not; the files are there."""
    answered = sample_log()
    monkeypatch.setattr("antiphon.demo.script.SCRIPT", SCRIPT[: len(answered.user_turns)])
    code, output = demo(answered, tmp_path / "well", monkeypatch)
    assert (code, "A rule-based responder answers." in output) == (0, True)
    silent = sample_log()
    silent.agent_turns[-1].heard = ""
    code, output = demo(silent, tmp_path / "ill", monkeypatch)
    assert code == 1
    assert "✗ every turn of the caller got a spoken answer" in output
    assert {path.name for path in (tmp_path / "ill").iterdir()} >= {
        "report.html",
        "conversation.wav",
        "transcript.json",
    }
