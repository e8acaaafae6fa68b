"""`antiphon models` on the command line."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from antiphon.cli import models as command
from antiphon.providers.local.model_store import ModelStore
from antiphon.providers.local.registry import MODELS, Model, ModelFile

CONTENT = b"weights"
TINY = Model(
    name="tiny",
    purpose="test",
    licence="CC0-1.0",
    publisher="nobody",
    carriers=("no-such-carrier",),
    files=(
        ModelFile(
            "tiny.bin",
            hashlib.sha256(CONTENT).hexdigest(),
            len(CONTENT),
            ("no_such_carrier/tiny.bin",),
        ),
    ),
)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelStore:
    """A store of one model, empty, that the command uses."""
    made = ModelStore(tmp_path / "cache", models=(TINY,))
    monkeypatch.setattr(command, "ModelStore", lambda: made)
    return made


def run(*arguments: str) -> tuple[int, str]:
    """Exit code and output of `antiphon models ...`."""
    result = CliRunner().invoke(command.app, list(arguments))
    return result.exit_code, result.output


def test_the_list_names_every_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a terminal, each model is one line of fields: name, purpose, licence, size, state."""
    monkeypatch.setenv("ANTIPHON_MODELS", str(tmp_path))
    code, output = run()
    assert code == 0
    rows = [line.split("\t") for line in output.splitlines() if "\t" in line]
    assert [row[0] for row in rows] == [model.name for model in MODELS]
    assert all(len(row) == 6 for row in rows)
    assert rows[0][1:4] == ["voice activity", "MIT", "3 MB"]


def test_a_missing_model_says_what_to_run(store: ModelStore) -> None:
    """A model that is not here shows the command that gets it."""
    code, output = run("list")
    assert code == 0
    assert "missing\trun: antiphon models fetch tiny" in output
    assert str(store.root) in output


def test_a_file_can_be_added(store: ModelStore, tmp_path: Path) -> None:
    """A file of the publisher's is taken in, and the list then shows the model as ready."""
    given = tmp_path / "from_the_publisher"
    given.write_bytes(CONTENT)
    assert run("add", str(given)) == (0, f"{given}: added to tiny\n")
    assert "\tready\t" in run()[1]


def test_errors_are_one_line_and_a_code(store: ModelStore, tmp_path: Path) -> None:
    """Unknown names, unknown files and absent files end with code 1 and say why."""
    code, output = run("fetch", "nope")
    assert (code, output) == (1, "no model is called 'nope'; there are tiny\n")
    other = tmp_path / "other"
    other.write_bytes(b"?")
    code, output = run("add", str(other))
    assert code == 1
    assert "no file of a known model" in output
    assert run("add", str(tmp_path / "absent"))[0] == 1


def test_fetching_what_is_here_shows_where(store: ModelStore, tmp_path: Path) -> None:
    """A model that is already in the cache is not downloaded; its path is shown."""
    given = tmp_path / "given"
    given.write_bytes(CONTENT)
    store.add(given)
    code, output = run("fetch")
    assert code == 0
    assert str(store.path("tiny")) in output


def test_a_terminal_gets_a_table() -> None:
    """On a terminal the same facts stand in a table with a heading."""
    table = command._table(ModelStore(models=MODELS).status())
    assert [column.header for column in table.columns][:3] == ["model", "purpose", "licence"]
    assert table.row_count == len(MODELS)
