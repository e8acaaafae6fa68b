"""`antiphon replay` on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from antiphon.cli.app import app
from antiphon.errors import InvalidInputError
from antiphon.simulation.recording import SessionRecorder
from tests.simulation.recorded import serve


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A recorded session."""
    path = tmp_path / "session.antiphon"
    serve([SessionRecorder(path)], seed=3)
    return path


def test_a_file_is_described(file: Path) -> None:
    """Without an agent the command says what is in the file."""
    done = CliRunner().invoke(app, ["replay", str(file)])
    assert done.exit_code == 0
    assert "seed 3" in done.output
    assert "processors: Line#0 Waiter#0 Kitchen#0" in done.output
    assert "input of Line#0: 10 InputAudioRawFrame" in done.output


def test_the_same_agent_succeeds(file: Path) -> None:
    """No divergence is exit code 0, under any seed."""
    for seed in ([], ["--seed", "5"]):
        arguments = ["replay", str(file), "--agent", "tests.simulation.recorded:waiter", *seed]
        done = CliRunner().invoke(app, arguments)
        assert "no divergence in" in done.output
        assert done.exit_code == 0


def test_another_agent_fails_and_a_test_is_written(file: Path, tmp_path: Path) -> None:
    """A divergence is told, with exit code 1; the test is written all the same."""
    test = tmp_path / "test_it.py"
    agent = "tests.simulation.recorded:rude_waiter"
    arguments = ["replay", str(file), "--agent", agent, "--write-test", str(test)]
    done = CliRunner().invoke(app, arguments)
    assert "replayed:      0.40" in done.output
    assert done.exit_code == 1
    assert "from tests.simulation.recorded import rude_waiter" in test.read_text()
    assert (tmp_path / "it.antiphon").exists()


def test_a_damaged_file_is_an_error(file: Path) -> None:
    """What cannot be read is the one error that names it; a part can be asked for."""
    data = bytearray(file.read_bytes())
    data[1500] ^= 1
    file.write_bytes(data)
    done = CliRunner().invoke(app, ["replay", str(file)])
    assert isinstance(done.exception, InvalidInputError)
    done = CliRunner().invoke(app, ["replay", str(file), "--partial"])
    assert done.exit_code == 0
    assert "not whole: record" in done.output
