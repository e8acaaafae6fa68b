"""Which modules import which: no circles, short chains, small rooms, one name for one class."""

from __future__ import annotations

import ast
import functools
from collections import defaultdict
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from tests.style.source import SRC, Source, python, report

CHAIN = 15
"""The longest chain of imports at run time, in modules."""

ROOM_CHAIN = 6
ROOM_CHAINS = {"context": 8, "kernel": 8, "simulation.calls": 7, "turns": 7}
"""Rooms with a longer one. This list only shrinks."""

ROOM_FILES = 10

# Circles of imports that only types need. This list only shrinks.
CIRCLES = {
    *("kernel.branches", "kernel.pipeline"),
    *(f"kernel.{part}" for part in ("call_frames", "interruption", "lane", "life", "processor")),
    *(f"kernel.{part}" for part in ("session", "station", "watch")),
}
TWINS = {"StreamReader"}
"""Public classes of one name in several modules. This list only shrinks."""

Graph = Mapping[str, set[str]]


def _name(source: Source) -> str:
    path = source.path.removeprefix(SRC).removesuffix(".py").removesuffix("/__init__")
    return path.replace("/", ".")


@functools.cache
def _modules() -> dict[str, Source]:
    return {_name(s): s for s in python("src") if s.path != f"{SRC}__init__.py"}


def _imports(node: ast.AST, *, everything: bool) -> Iterator[str]:
    """The modules of ours that are imported below a node: when it is loaded, or at any time."""
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test) and not everything:
        return
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not everything:
        return
    if isinstance(node, ast.ImportFrom) and node.module:
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
        yield node.module
    elif isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    for child in ast.iter_child_nodes(node):
        yield from _imports(child, everything=everything)


@functools.cache
def _graph(*, everything: bool) -> Graph:
    modules = _modules()
    return {
        name: {
            target
            for found in _imports(source.tree, everything=everything)
            if (target := found.removeprefix("antiphon.")) in modules and target != name
        }
        for name, source in modules.items()
    }


def _room(module: str) -> str:
    parts = module.split(".")
    deep = parts[0] == "simulation" and len(parts) > 2
    return ".".join(parts[: 2 if deep else 1])


def _chain(graph: Graph) -> list[str]:
    """The longest chain of imports, from the one that imports to the one that is imported."""
    longest: dict[str, list[str]] = {}
    for module in TopologicalSorter(graph).static_order():
        below = [longest[target] for target in graph.get(module, ())]
        longest[module] = [module, *max(below, key=len, default=[])]
    return max(longest.values(), key=len)


def test_no_circle_at_run_time() -> None:
    """No module is imported again while it is being imported."""
    _chain(_graph(everything=False))


def test_no_circle_among_types_and_lazy_imports() -> None:
    """No two modules need each other, not even for types, nor when a function runs."""
    graph = _graph(everything=True)
    kept = {
        m: {t for t in targets if t not in CIRCLES or m not in CIRCLES}
        for m, targets in graph.items()
    }
    try:
        list(TopologicalSorter(kept).static_order())
    except CycleError as error:
        report(
            "Give a part what it needs, not the whole that holds it.", [" <- ".join(error.args[1])]
        )


def test_chains_of_imports_are_short() -> None:
    """To understand a module one reads few others."""
    chain = _chain(_graph(everything=False))
    assert len(chain) <= CHAIN, " -> ".join(chain)


def test_chains_within_a_room_are_short() -> None:
    """A room is no tower."""
    graph = _graph(everything=False)
    findings = []
    for room in sorted({_room(module) for module in graph}):
        inside = {
            m: {t for t in ts if _room(t) == room} for m, ts in graph.items() if _room(m) == room
        }
        chain = _chain(inside)
        if len(chain) > ROOM_CHAINS.get(room, ROOM_CHAIN):
            findings.append(" -> ".join(chain))
    report(f"At most {ROOM_CHAIN} modules.", findings)


def test_rooms_of_the_simulation_are_small() -> None:
    """Each has at most ten files, besides the page that names what they hold."""
    rooms = defaultdict(list)
    for name, source in _modules().items():
        if name.startswith("simulation.") and not source.path.endswith("__init__.py"):
            rooms[_room(name)].append(name)
    report(
        "Make a room of them.", [room for room, files in rooms.items() if len(files) > ROOM_FILES]
    )


def test_no_two_public_classes_have_one_name() -> None:
    """A name that is found by searching is found once."""
    places = defaultdict(list)
    for name, source in _modules().items():
        for node in source.tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(name)
    report(
        "Rename one of them.",
        [
            f"{name}: {where}"
            for name, where in places.items()
            if len(where) > 1 and name not in TWINS
        ],
    )
