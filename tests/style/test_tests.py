"""What a test looks like."""

from __future__ import annotations

import ast

from tests.style.source import ROOT, SRC, Source, functions, python, report

BEYOND_THE_ROOMS = {"browser", "conversations", "docs", "examples", "laws", "style"}


def _tests() -> list[tuple[Source, ast.FunctionDef | ast.AsyncFunctionDef]]:
    return [
        (source, node)
        for source in python("tests")
        if source.path.rsplit("/", 1)[-1].startswith("test_")
        for node in functions(source)
        if node.name.startswith("test_")
    ]


def test_every_test_states_its_claim() -> None:
    """Each test has a docstring that is a sentence: it ends with a stop."""
    findings = []
    for source, node in _tests():
        claim = ast.get_docstring(node)
        if not claim:
            findings.append(source.at(node, f"{node.name} has no docstring"))
        elif not claim.rstrip().endswith((".", "!", "?")):
            findings.append(
                source.at(node, f"{node.name}: {claim.splitlines()[0]!r} is no sentence")
            )
    report("A test states its claim in one sentence.", findings)


def test_tests_run_their_own_loop() -> None:
    """No test is a coroutine: a virtual-time loop runs the coroutine inside it."""
    report(
        "Write `def test_...` with an `async def` inside, and run it in virtual time.",
        [
            source.at(node, node.name)
            for source, node in _tests()
            if isinstance(node, ast.AsyncFunctionDef)
        ],
    )


def test_no_two_tests_of_a_file_share_a_name() -> None:
    """A second test of the same name would silently replace the first."""
    seen: set[tuple[str, int, str]] = set()
    findings = []
    for source in python("tests"):
        scopes: list[ast.Module | ast.ClassDef] = [source.tree]
        scopes += [node for node in ast.walk(source.tree) if isinstance(node, ast.ClassDef)]
        for scope in scopes:
            for node in scope.body:
                if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                    key = (source.path, id(scope), node.name)
                    if key in seen:
                        findings.append(source.at(node, node.name))
                    seen.add(key)
    report("Give each its own name.", findings)


def test_folders_of_tests_are_rooms() -> None:
    """A folder of tests is named after the room it tests, or is one of the known few."""
    rooms = {path.name for path in (ROOT / SRC).iterdir() if path.is_dir()}
    folders = {
        source.path.split("/")[1] for source in python("tests") if source.path.count("/") > 1
    }
    report("tests/ mirrors src/antiphon/.", sorted(folders - rooms - BEYOND_THE_ROOMS))
