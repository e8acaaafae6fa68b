"""What is done in one place only, or nowhere.

Ruff bans the same names as it reads a file; these tests know which room may use which of them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.style.source import Source, classes, dotted, everywhere, functions, python, report

TASK_ROOMS = ("kernel/", "services/connection.py", "transports/", "simulation/", "server/")
CLOCK_ROOMS = ("clock.py", "simulation/", "cli/", "observe/")
# Where strangers' exceptions become reports: handlers run in lanes, stations start and clean up,
# observers and hooks are guests.
CATCH_ALL_ROOMS = tuple(
    f"kernel/{module}" for module in ("hooks", "lane", "observers", "runner", "station")
)

TASK_MAKERS = {"asyncio.Queue", "asyncio.create_task", "asyncio.ensure_future", "asyncio.TaskGroup"}
CLOCKS = {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns"}


def _references(source: Source, module: str) -> Iterator[tuple[ast.AST, str]]:
    """Where `module.name` is used, or `name` imported from `module`."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and dotted(node.value) == module:
            yield node, node.attr
        elif isinstance(node, ast.ImportFrom) and node.module == module:
            for alias in node.names:
                yield node, alias.name


def test_queues_and_tasks_are_the_kernels() -> None:
    """Only the rooms that own tasks make asyncio's queues and tasks."""
    findings = []
    for source in python("src"):
        if source.within(*TASK_ROOMS):
            continue
        for node, name in _references(source, "asyncio"):
            if f"asyncio.{name}" in TASK_MAKERS:
                findings.append(source.at(node, f"asyncio.{name}"))
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Attribute) and node.attr == "create_task":
                owner = dotted(node.value)
                if "loop" in owner or owner.endswith("TaskGroup()"):
                    findings.append(source.at(node, f"{owner}.create_task"))
    report("Tasks are the processor's create_task; a provider is fed through a Feed.", findings)


def test_cancelling_is_the_kernels() -> None:
    """Only the rooms that own tasks cancel them (an awaited `cancel()` ends a conversation)."""
    findings = []
    for source in python("src"):
        if source.within(*TASK_ROOMS):
            continue
        awaited = {id(n.value) for n in ast.walk(source.tree) if isinstance(n, ast.Await)}
        findings += [
            source.at(node, f"{dotted(node.func)}()")
            for node in ast.walk(source.tree)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "cancel"
            and id(node) not in awaited
        ]
    report("There is one canceller: use the processor's cancel_task.", findings)


def test_time_comes_from_the_loop() -> None:
    """Only the rooms that face the real world read a clock."""
    report(
        "Time comes from the loop: processor.clock.now().",
        [
            source.at(node, f"time.{name}")
            for source in python("src")
            if not source.within(*CLOCK_ROOMS)
            for node, name in _references(source, "time")
            if name in CLOCKS
        ],
    )


def test_nothing_sleeps_for_real() -> None:
    """Neither the package nor a test calls time.sleep, but to see a simulation refuse it."""
    report(
        "Nothing blocks: asyncio.sleep, and in tests virtual time.",
        [
            source.at(node, "time.sleep")
            for source in everywhere()
            if not source.path.startswith("tests/simulation/")
            for node, name in _references(source, "time")
            if name == "sleep"
        ],
    )


def test_catch_alls_are_the_kernels() -> None:
    """Outside the runner and the hooks, whoever catches everything raises it again."""
    findings = []
    for source in python("src"):
        if source.within(*CATCH_ALL_ROOMS):
            continue
        for node in ast.walk(source.tree):
            if not isinstance(node, ast.ExceptHandler):
                continue
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            names = {dotted(item) if item else "everything" for item in caught}
            again = any(
                isinstance(n, ast.Raise) for statement in node.body for n in ast.walk(statement)
            )
            if names & {"Exception", "BaseException", "everything"} and not again:
                findings.append(source.at(node, f"except {', '.join(sorted(names))}"))
    report("Catch what you mean; the runner reports what nobody meant.", findings)


def test_no_private_name_is_mangled() -> None:
    """Nobody writes `self.__x`: one underscore says private."""
    report(
        "Write self._x.",
        [
            source.at(node, f"self.{node.attr}")
            for source in everywhere()
            for node in ast.walk(source.tree)
            if isinstance(node, ast.Attribute)
            and dotted(node.value) == "self"
            and node.attr.startswith("__")
            and not node.attr.endswith("__")
        ],
    )


def test_constructors_name_their_arguments() -> None:
    """No constructor takes `**kwargs`: a misspelt argument must fail where it is written."""
    report(
        "Name the arguments, or take a settings object.",
        [
            source.at(node, f"__init__(**{node.args.kwarg.arg})")
            for source in python("src")
            for node in functions(source)
            if node.name == "__init__" and node.args.kwarg
        ],
    )


def test_no_getattr_with_a_default() -> None:
    """The package does not ask at run time whether an object has an attribute."""
    report(
        "Say it with a type, a Protocol or a match.",
        [
            source.at(node, "getattr with a default")
            for source in python("src")
            for node in ast.walk(source.tree)
            if isinstance(node, ast.Call) and dotted(node.func) == "getattr" and len(node.args) > 2
        ],
    )


def test_annotations_are_not_evaluated() -> None:
    """Every module of ours that has code begins with `from __future__ import annotations`."""
    report(
        "Begin with: from __future__ import annotations",
        [
            f"{source.path}:1: missing"
            for source in everywhere()
            if any(not isinstance(node, ast.Expr) for node in source.tree.body)
            and "from __future__ import annotations" not in source.text
        ],
    )


def test_mixins_do_not_guess_their_host() -> None:
    """No class is called a mixin."""
    report(
        "Compose instead.",
        [
            source.at(node, node.name)
            for source in python("src")
            for node in classes(source)
            if node.name.endswith("Mixin")
        ],
    )
