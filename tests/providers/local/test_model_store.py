"""The model store: finds files by hash, assembles parts, refuses anything else."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import sys
from pathlib import Path

import pytest

from antiphon.errors import (
    ConfigurationError,
    InvalidInputError,
    MissingModelError,
    UnknownNameError,
)
from antiphon.providers.local import model_store
from antiphon.providers.local.model_store import ModelState, ModelStore
from antiphon.providers.local.registry import MODELS, Model, ModelFile

CONTENT = b"the weights of a small model" * 1000
PARTS = (CONTENT[:9000], CONTENT[9000:20_000], CONTENT[20_000:])


def a_model(content: bytes, parts: tuple[str, ...], name: str = "tiny") -> Model:
    """A model of one file with this content, carried by the paths in `parts`."""
    digest = hashlib.sha256(content).hexdigest()
    return Model(
        name=name,
        purpose="test",
        licence="CC0-1.0",
        publisher="nobody",
        carriers=("carrier-tiny",),
        files=(ModelFile("tiny.bin", digest, len(content), parts),),
    )


WHOLE = a_model(CONTENT, ("carrier_tiny/data/tiny.bin",))
CHUNKED = a_model(CONTENT, tuple(f"carrier_tiny{i}/part.bin" for i in range(3)))


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of importable packages whose import is an error."""
    root = tmp_path / "packages"
    root.mkdir()
    monkeypatch.syspath_prepend(str(root))
    return root


def install(packages: Path, inside: str, content: bytes) -> Path:
    """Lays `content` at `package/dir/file` in a package that cannot be imported."""
    path = packages / inside
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    (packages / inside.split("/", maxsplit=1)[0] / "__init__.py").write_text("raise SystemExit(1)")
    return path


def install_parts(packages: Path, parts: tuple[bytes, ...] = PARTS) -> None:
    """Installs the three carriers of the chunked model."""
    for inside, content in zip(CHUNKED.files[0].parts, parts, strict=True):
        install(packages, inside, content)


def test_a_file_in_a_package_is_used_in_place_without_importing_it(
    tmp_path: Path, packages: Path
) -> None:
    """A whole file is found inside an installed package, which is never imported."""
    lying = install(packages, WHOLE.files[0].parts[0], CONTENT)
    store = ModelStore(tmp_path / "cache", models=(WHOLE,))
    assert store.path("tiny") == lying
    assert "carrier_tiny" not in sys.modules


def test_a_missing_model_says_what_to_run(tmp_path: Path) -> None:
    """The error names the model, its size and the command that gets it; find() returns None."""
    store = ModelStore(tmp_path, models=MODELS[-1:])
    assert store.find(MODELS[-1].name) is None
    with pytest.raises(
        MissingModelError, match=rf"1117 MB.*antiphon models fetch {MODELS[-1].name}"
    ):
        store.path(MODELS[-1].name)


def test_an_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    """A misspelt model or file is an UnknownNameError that lists what exists."""
    store = ModelStore(tmp_path)
    with pytest.raises(UnknownNameError, match="silero-vad"):
        store.path("silero")
    with pytest.raises(UnknownNameError, match=r"tokenizer\.bin"):
        store.path("moonshine-tiny-en")


def test_a_wrong_hash_is_refused_by_name(tmp_path: Path, packages: Path) -> None:
    """A file with other bytes is not used, and the error gives both hashes."""
    other = CONTENT[:-1] + b"?"
    install(packages, WHOLE.files[0].parts[0], other)
    store = ModelStore(tmp_path / "cache", models=(WHOLE,))
    with pytest.raises(MissingModelError) as caught:
        store.path("tiny")
    assert hashlib.sha256(other).hexdigest() in str(caught.value)
    assert WHOLE.files[0].sha256 in str(caught.value)
    assert store.status()[0].state is ModelState.REFUSED


def test_parts_are_assembled_once(tmp_path: Path, packages: Path) -> None:
    """Parts are joined in order into the cache; later look-ups do not need them any more."""
    install_parts(packages)
    store = ModelStore(tmp_path / "cache", models=(CHUNKED,))
    assert store.status()[0].state is ModelState.IN_PARTS
    path = store.path("tiny")
    assert path.read_bytes() == CONTENT
    assert store.status()[0].state is ModelState.READY
    (packages / CHUNKED.files[0].parts[1]).unlink()
    assert ModelStore(tmp_path / "cache", models=(CHUNKED,)).find("tiny") == path


def test_wrong_parts_leave_nothing(tmp_path: Path, packages: Path) -> None:
    """Parts whose whole has another hash are refused, and the cache stays empty."""
    install_parts(packages, (PARTS[1], PARTS[0], PARTS[2]))
    store = ModelStore(tmp_path / "cache", models=(CHUNKED,))
    with pytest.raises(MissingModelError, match=CHUNKED.files[0].sha256):
        store.path("tiny")
    assert not list((tmp_path / "cache").rglob("tiny.bin*"))


def test_a_crash_while_assembling_leaves_no_harm(tmp_path: Path, packages: Path) -> None:
    """A partial file of a killed process is never used, and the next assembly removes it."""
    install_parts(packages)
    store = ModelStore(tmp_path / "cache", models=(CHUNKED,))
    target = store.cached(CHUNKED.files[0])
    target.parent.mkdir(parents=True)
    dead = target.with_name("tiny.bin.999.partial")
    dead.write_bytes(CONTENT[:500])
    assert store.path("tiny").read_bytes() == CONTENT
    assert not dead.exists()


def test_a_damaged_cache_is_mended(tmp_path: Path, packages: Path) -> None:
    """A cached file that changed on disk is noticed, and assembled again from its parts."""
    install_parts(packages)
    store = ModelStore(tmp_path / "cache", models=(CHUNKED,))
    path = store.path("tiny")
    path.write_bytes(b"damaged")
    assert store.path("tiny").read_bytes() == CONTENT


def test_a_verified_file_is_not_hashed_again(
    tmp_path: Path, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second start trusts path, size and mtime; a touched file is hashed again."""
    lying = install(packages, WHOLE.files[0].parts[0], CONTENT)
    hashed: list[Path] = []
    real = model_store._hash

    def counted(path: Path) -> str:
        hashed.append(path)
        return real(path)

    monkeypatch.setattr(model_store, "_hash", counted)
    ModelStore(tmp_path / "cache", models=(WHOLE,)).path("tiny")
    ModelStore(tmp_path / "cache", models=(WHOLE,)).path("tiny")
    assert hashed == [lying]
    lying.write_bytes(CONTENT[:-1] + b"?")
    assert ModelStore(tmp_path / "cache", models=(WHOLE,)).find("tiny") is None
    assert hashed == [lying, lying]


def test_a_file_that_was_replaced_is_hashed_again(tmp_path: Path, packages: Path) -> None:
    """Another file of the same size and time in its place is not taken for it; and whatever is
    remembered, `verify` reads all.
    """
    path = install(packages, "carrier_tiny/data/tiny.bin", CONTENT)
    store = ModelStore(tmp_path / "cache", models=(WHOLE,))
    assert store.find("tiny") == path
    before = path.stat()
    other = path.with_name("other")
    other.write_bytes(bytes(len(CONTENT)))
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)
    assert store.status()[0].state is ModelState.REFUSED
    path.write_bytes(CONTENT)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert store.verify()[0].state is ModelState.READY
    with path.open("r+b") as file:  # as a failing disk does it: no trace but the bytes
        file.write(b"x")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert store.status()[0].state is ModelState.READY
    assert store.verify()[0].state is ModelState.REFUSED


def _assemble_in_a_process(root: str, packages: str) -> bytes:
    sys.path.insert(0, packages)
    return ModelStore(root, models=(CHUNKED,)).path("tiny").read_bytes()


def test_processes_may_assemble_at_once(tmp_path: Path, packages: Path) -> None:
    """Several processes that start together all get the whole file, and leave no partial one."""
    install_parts(packages)
    arguments = [(str(tmp_path / "cache"), str(packages))] * 3
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        results = pool.starmap(_assemble_in_a_process, arguments)
    assert results == [CONTENT] * 3
    assert not list((tmp_path / "cache").rglob("*.partial"))


def test_a_file_from_its_publisher_can_be_added(tmp_path: Path) -> None:
    """A file under any name is taken in by its hash; one that nobody knows is refused."""
    store = ModelStore(tmp_path / "cache", models=(WHOLE,))
    given = tmp_path / "download(1).bin"
    given.write_bytes(CONTENT)
    assert store.add(given) is WHOLE
    assert store.path("tiny").read_bytes() == CONTENT
    given.write_bytes(b"something else")
    with pytest.raises(InvalidInputError, match="no file of a known model"):
        store.add(given)


def test_a_cache_that_cannot_be_written_is_a_configuration_error(
    tmp_path: Path, packages: Path
) -> None:
    """A cache directory that cannot be made is reported with the variable that changes it."""
    install_parts(packages)
    (tmp_path / "cache").write_text("a file, not a directory")
    with pytest.raises(ConfigurationError, match="ANTIPHON_MODELS"):
        ModelStore(tmp_path / "cache", models=(CHUNKED,)).path("tiny")


def test_the_environment_chooses_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """$ANTIPHON_MODELS is the cache when no root is given."""
    monkeypatch.setenv("ANTIPHON_MODELS", str(tmp_path))
    assert ModelStore().root == tmp_path
    monkeypatch.delenv("ANTIPHON_MODELS")
    assert ModelStore().root == Path.home() / ".cache" / "antiphon"
