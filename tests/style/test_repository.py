"""What may be in the repository, besides code."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

from tests.style.source import ROOT, dotted, files, python, report

MEGABYTE = 1_000_000
CHANGES = ("added", "changed", "deprecated", "fixed", "removed", "security")
# In pieces, so that this file does not name them itself.
REGISTRY_HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("registry", "yarnpkg", "com"),
        ("deb", "debian", "org"),
        ("proxy", "golang", "org"),
    )
)


def _texts() -> list[tuple[str, str]]:
    texts = []
    for path in files():
        data = (ROOT / path).read_bytes()
        if b"\0" not in data[:4096]:
            texts.append((path, data.decode("utf-8", errors="replace")))
    return texts


def _pins(path: Path) -> dict[str, str]:
    """What a lock file pins: each name (lower case, with dashes) to its version."""
    lines = path.read_text(encoding="utf-8").splitlines()
    matches = [re.match(r"([A-Za-z0-9._-]+)==(\S+)", line) for line in lines]
    return {re.sub(r"[-_.]+", "-", m[1]).lower(): m[2] for m in matches if m}


def test_no_file_is_large() -> None:
    """No file has more than a megabyte: models and recordings come from packages."""
    report(
        "Nothing above 1 MB goes into git.",
        [
            f"{path}: {size / MEGABYTE:.1f} MB"
            for path in files()
            if (size := (ROOT / path).stat().st_size) > MEGABYTE
        ],
    )


def test_no_registry_is_named() -> None:
    """No file names the host of a package registry: that is the business of the machine."""
    report(
        "Name packages, not the hosts they come from.",
        [
            f"{path}:{text[: text.index(host)].count(chr(10)) + 1}: {host}"
            for path, text in _texts()
            for host in REGISTRY_HOSTS
            if host in text
        ],
    )


def test_lock_files_name_no_places() -> None:
    """A lock file holds names, versions, markers and hashes, and nothing else."""
    line = re.compile(r"[a-z0-9-]+==[^\s;]+( ; [^#@]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?")
    report(
        "Run make pin.",
        [
            f"{path.relative_to(ROOT)}:{number}: {text}"
            for path in sorted((ROOT / "requirements").glob("*.txt"))
            for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
            if "://" in text or not line.fullmatch(text)
        ],
    )


def test_every_input_is_pinned() -> None:
    """Each requirements/*.in has its lock file, which pins all that it names."""
    findings = []
    for path in sorted((ROOT / "requirements").glob("*.in")):
        pins = _pins(path.with_suffix(".txt"))
        for text in path.read_text(encoding="utf-8").splitlines():
            name = re.match(r"[A-Za-z0-9._-]+", text)
            if name and not text.startswith("-") and name[0].lower() not in pins:
                findings.append(f"{path.relative_to(ROOT)}: {name[0]}")
    report("Run make pin.", findings)


def test_lock_files_agree() -> None:
    """No two lock files pin different versions of one package."""
    seen: dict[str, tuple[str, str]] = {}
    findings = []
    for path in sorted((ROOT / "requirements").glob("*.txt")):
        for name, version in _pins(path).items():
            first, where = seen.setdefault(name, (version, path.name))
            if first != version:
                findings.append(f"{name}: {first} in {where}, {version} in {path.name}")
    report("Run make pin.", findings)


def test_what_the_package_declares_is_tested() -> None:
    """Every dependency and extra of pyproject.toml is among the pins that tests run with."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {*project["dependencies"]}
    for extra in project["optional-dependencies"].values():
        declared |= set(extra)
    names = {re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower() for requirement in declared}
    report(
        "Add it to requirements/*.in and run make pin.",
        sorted(names - {"antiphon"} - set(_pins(ROOT / "requirements/dev.txt"))),
    )


def _extras_named(node: ast.AST) -> list[str]:
    """The extras that a call names, as `MissingExtraError` or `import_sdk` are told them."""
    if not isinstance(node, ast.Call):
        return []
    named = [word.value for word in node.keywords if word.arg == "extra"]
    if dotted(node.func) == "MissingExtraError":
        named += node.args[1:2]
    constants = [value.value for value in named if isinstance(value, ast.Constant)]
    return [value for value in constants if isinstance(value, str)]


def test_a_missing_extra_is_one_that_exists() -> None:
    """Whoever is told to install an extra can: pyproject.toml declares it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    report(
        "Declare it in pyproject.toml.",
        [
            source.at(node, f"antiphon[{extra}]")
            for source in python("src")
            for node in ast.walk(source.tree)
            for extra in _extras_named(node)
            if extra not in project["optional-dependencies"]
        ],
    )


def test_fragments_of_the_changelog_are_well_formed() -> None:
    """Each fragment is named slug.kind.md and says one thing, in whole sentences."""
    findings = []
    for path in files():
        if not path.startswith("changelog/") or path == "changelog/README.md":
            continue
        name = path.removeprefix("changelog/")
        if not re.fullmatch(rf"[a-z0-9]+(-[a-z0-9]+)*\.({'|'.join(CHANGES)})\.md", name):
            findings.append(f"{path}: the name is not slug.kind.md, with kind one of {CHANGES}")
            continue
        text = (ROOT / path).read_text(encoding="utf-8").strip()
        if not text.endswith(".") or text.startswith(("#", "-", "*")) or "\n\n" in text:
            findings.append(f"{path}: a fragment is one paragraph of whole sentences")
    report("See changelog/README.md.", findings)


def test_scripts_are_strict() -> None:
    """Every shell script parses, fails on unset variables and on failures within pipes."""
    findings = []
    for path in [p for p in files() if p.endswith(".sh") or p == ".ci/run"]:
        text = (ROOT / path).read_text(encoding="utf-8")
        if not re.search(r"^set -e?uo pipefail$", text, re.MULTILINE):
            findings.append(f"{path}: no `set -euo pipefail`")
        parsed = subprocess.run(
            ["bash", "-n", str(ROOT / path)], capture_output=True, text=True, check=False
        )
        if parsed.returncode:
            findings.append(f"{path}: {parsed.stderr}")
    report("Shell scripts are strict.", findings)
