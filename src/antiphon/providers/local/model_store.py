"""Finds the files of models on this machine, by hash. Never downloads.

Theory of operation
-------------------
A file is looked for in two places, in this order:

1. the cache: `<root>/models/<sha256>/<file name>`;
2. the installed packages that carry it, found through their import spec and never imported (some
   of them would import torch). A file that comes whole is used where it lies. One that comes in
   parts is put together into the cache first.

Invariants

- A path leaves this module only when the file's bytes had the publisher's hash. A file that has
  another is refused, and the error names both hashes.
- A file appears in the cache by one atomic rename of a complete, verified file. A crash leaves at
  most a `*.partial`, which the next assembly removes. One process assembles at a time (a lock on
  `<root>/models/<sha256>/.lock`), the others wait for it and use its result.
- Hashing half a gigabyte takes a second, so a verified file is remembered in `<root>/verified/` by
  path, size, mtime_ns and inode, and hashed again only when one of them changed, or by `verify`.
"""

from __future__ import annotations

import contextlib
import enum
import hashlib
import importlib.util
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from antiphon.errors import ConfigurationError, InvalidInputError, MissingModelError
from antiphon.providers.local.registry import MODELS, Model, ModelFile, model_named

_BLOCK = 1 << 20

Opener = Callable[[], BinaryIO]


class ModelState(enum.Enum):
    """Whether a model can be used here, and if not, why."""

    READY = "ready"
    IN_PARTS = "in parts"
    REFUSED = "refused"
    MISSING = "missing"


class ModelStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What `antiphon models` tells about a model.

    `where` is the directory of its first file when ready. `detail` says what to do otherwise.
    """

    model: Model
    state: ModelState
    where: Path | None = None
    detail: str = ""


class _Verified(msgspec.Struct, frozen=True):
    """A memory of a verification: the file, as it was when its hash was computed."""

    path: str
    size: int
    mtime_ns: int
    inode: int
    sha256: str

    def is_of(self, stat: os.stat_result) -> bool:
        """Whether the file is still the one that was hashed."""
        return (self.size, self.mtime_ns, self.inode) == (
            stat.st_size,
            stat.st_mtime_ns,
            stat.st_ino,
        )


class _Search(msgspec.Struct):
    """The outcome of looking for one file."""

    path: Path | None = None
    parts: tuple[Path, ...] = ()
    refused: tuple[str, ...] = ()


class ModelStore:
    """The models on this machine. Cheap to construct; safe to use from several threads."""

    def __init__(
        self, root: Path | str | None = None, *, models: tuple[Model, ...] = MODELS
    ) -> None:
        """`root`: the cache; by default $ANTIPHON_MODELS, or else ~/.cache/antiphon."""
        chosen = root or os.environ.get("ANTIPHON_MODELS") or "~/.cache/antiphon"
        self.root: Path = Path(chosen).expanduser()
        self.models = models

    def find(self, name: str, file: str | None = None) -> Path | None:
        """The verified file of model `name`, or None. Assembles it if only its parts are here.

        `file` names one of the files of a model that has several.
        """
        try:
            return self.path(name, file)
        except MissingModelError:
            return None

    def path(self, name: str, file: str | None = None) -> Path:
        """Like `find`; MissingModelError says what is missing or refused and what to run."""
        model = model_named(name, self.models)
        wanted = model.file(file)
        search = self._search(wanted)
        if search.path is not None:
            return search.path
        refused = search.refused
        if search.parts:
            try:
                openers = [_opener(part) for part in search.parts]
                return self.assemble(wanted, openers)
            except MissingModelError as error:
                refused = (*refused, str(error))
        raise MissingModelError(_what_is_missing(model, wanted, refused))

    def status(self) -> list[ModelStatus]:
        """The state of every model, in the registry's order. Assembles nothing."""
        return [self._status(model) for model in self.models]

    def verify(self) -> list[ModelStatus]:
        """Like `status`, with every file read and hashed now, whatever is remembered of it."""
        for memory in (self.root / "verified").glob("*.json"):
            memory.unlink(missing_ok=True)
        return self.status()

    def add(self, path: Path | str) -> Model:
        """Copies a file that the user got from its publisher into the cache.

        Its name does not matter, its hash does; InvalidInputError if no known model has it.
        """
        given = Path(path)
        digest = _hash(given)
        for model in self.models:
            for file in model.files:
                if file.sha256 == digest:
                    self.assemble(file, [_opener(given)])
                    return model
        raise InvalidInputError(
            f"{given} has sha256 {digest}, which is no file of a known model; not added"
        )

    def cached(self, file: ModelFile) -> Path:
        """Where `file` lies in the cache, if it is there."""
        return self.root / "models" / file.sha256 / file.name

    def assemble(self, file: ModelFile, parts: Iterable[Opener]) -> Path:
        """Joins `parts` into the cache and returns the path.

        MissingModelError, and nothing in the cache, if the hash is not the publisher's.
        """
        target = self.cached(file)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with _locked(target.parent / ".lock"):
                if self._verified(target, file.sha256) is not None:
                    self._join(file, parts, target)
        except OSError as error:
            raise ConfigurationError(
                f"{file.name} cannot be put into the model cache {self.root}: {error}; make room "
                f"there or choose another directory with ANTIPHON_MODELS"
            ) from error
        return target

    def _join(self, file: ModelFile, parts: Iterable[Opener], target: Path) -> None:
        for leftover in target.parent.glob("*.partial"):
            leftover.unlink(missing_ok=True)
        partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
        digest = hashlib.sha256()
        try:
            with partial.open("wb") as out:
                for opener in parts:
                    with opener() as part:
                        while block := part.read(_BLOCK):
                            digest.update(block)
                            out.write(block)
                out.flush()
                os.fsync(out.fileno())
            if digest.hexdigest() != file.sha256:
                raise MissingModelError(_refusal(file.name, digest.hexdigest(), file.sha256))
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        self._remember(target, file.sha256)

    def _search(self, file: ModelFile) -> _Search:
        refused: list[str] = []
        cached = self.cached(file)
        whole = [cached, *([_package_file(file.parts[0])] if len(file.parts) == 1 else [])]
        for candidate in whole:
            if candidate is None or not candidate.is_file():
                continue
            mismatch = self._verified(candidate, file.sha256)
            if mismatch is None:
                return _Search(path=candidate)
            refused.append(_refusal(str(candidate), mismatch, file.sha256))
        parts = [_package_file(part) for part in file.parts] if len(file.parts) > 1 else []
        there = tuple(part for part in parts if part is not None and part.is_file())
        complete = len(there) == len(file.parts) > 1
        return _Search(parts=there if complete else (), refused=tuple(refused))

    def _status(self, model: Model) -> ModelStatus:
        fetch = f"antiphon models fetch {model.name}"
        searches = [self._search(file) for file in model.files]
        first = searches[0].path
        if first is not None and all(search.path is not None for search in searches):
            return ModelStatus(model=model, state=ModelState.READY, where=first.parent)
        refused = [text for search in searches for text in search.refused]
        if refused:
            detail = f"{'; '.join(refused)}; run: {fetch}"
            return ModelStatus(model=model, state=ModelState.REFUSED, detail=detail)
        if all(search.path or search.parts for search in searches):
            detail = f"put together at first use, or run: {fetch}"
            return ModelStatus(model=model, state=ModelState.IN_PARTS, detail=detail)
        return ModelStatus(model=model, state=ModelState.MISSING, detail=f"run: {fetch}")

    def _verified(self, path: Path, sha256: str) -> str | None:
        """None if the file has this hash, and else the hash it has (empty: it is not there)."""
        try:
            stat = path.stat()
        except FileNotFoundError:
            return ""
        known = self._memory(path)
        if known is not None and known.is_of(stat):
            digest = known.sha256
        else:
            digest = _hash(path)
            self._remember(path, digest)
        return None if digest == sha256 else digest

    def _memory_file(self, path: Path) -> Path:
        return self.root / "verified" / f"{hashlib.sha256(str(path).encode()).hexdigest()}.json"

    def _memory(self, path: Path) -> _Verified | None:
        try:
            known = msgspec.json.decode(self._memory_file(path).read_bytes(), type=_Verified)
        except (OSError, msgspec.DecodeError):
            return None
        return known if known.path == str(path) else None

    def _remember(self, path: Path, digest: str) -> None:
        # A memory that cannot be kept costs the next start a second: no reason to fail.
        with contextlib.suppress(OSError):
            stat = path.stat()
            known = _Verified(str(path), stat.st_size, stat.st_mtime_ns, stat.st_ino, digest)
            memory = self._memory_file(path)
            memory.parent.mkdir(parents=True, exist_ok=True)
            fresh = memory.with_name(f"{memory.name}.{os.getpid()}")
            fresh.write_bytes(msgspec.json.encode(known))
            fresh.replace(memory)


def _opener(path: Path) -> Opener:
    return lambda: path.open("rb")


def _hash(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _package_file(inside: str) -> Path | None:
    """Where `package/dir/file` lies among the installed packages, without importing any."""
    package, *rest = inside.split("/")
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)), *rest)


def _refusal(what: str, found: str, wanted: str) -> str:
    return f"{what} has sha256 {found}, its publisher's is {wanted}; it is not used"


def _what_is_missing(model: Model, file: ModelFile, refused: Iterable[str]) -> str:
    text = f"the model {model.name!r} ({model.purpose}, {model.size / 1e6:.0f} MB) is not here"
    if len(model.files) > 1:
        text += f": {file.name} is missing"
    text += "".join(f"; {reason}" for reason in refused)
    return f"{text}. Run: antiphon models fetch {model.name}"


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Holds an exclusive lock between processes and threads, where the system has `flock`.

    Elsewhere it holds nothing: two assemblies then do the work twice and the second rename, of
    the same verified bytes, wins.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
