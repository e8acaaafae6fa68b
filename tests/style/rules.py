"""What is done in one place only, or nowhere.

Ruff bans some of the same names as it reads a file; these rules know which room may use which of
them. Each rule comes with a line of code that breaks it and one that does not, so that
`test_rules.py` can see it work.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.style.source import SRC, Source, classes, dotted, functions

# Handlers run in lanes, processors start and clean up in their lives, observers and hooks are
# guests: there strangers' exceptions become reports. In a simulation they belong to whoever awaits
# the outcome.
CATCH_ALL_ROOMS = (
    *(f"kernel/{module}" for module in ("event_source", "lane", "life", "observers", "tasks")),
    "text/markup.py",  # the program's splitters
    *(f"simulation/{module}" for module in ("loop/executors", "loop/virtual_time")),
)
TASK_ROOMS = ("kernel/", "services/connection", "transports/", "simulation/", "server/")
CLOCK_ROOMS = ("clock.py", "simulation/", "cli/", "observe/")

TASK_MAKERS = {"Queue", "create_task", "ensure_future", "TaskGroup"}
CLOCKS = {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns"}

Finding = tuple[ast.AST, str]


@dataclass(frozen=True)
class Rule:
    """A rule: what to do instead, how to find who breaks it, who is exempt.

    It holds for the package, and with `everywhere` for tests, scripts, benchmarks and examples too.
    """

    name: str
    advice: str
    find: Callable[[Source], Iterator[Finding]]
    bad: str
    good: str
    rooms: tuple[str, ...] = ()
    everywhere: bool = False

    def applies(self, source: Source) -> bool:
        """Whether the rule holds in this file."""
        exempt = tuple(room if room.startswith("tests/") else SRC + room for room in self.rooms)
        ours = self.everywhere or source.path.startswith(SRC)
        return ours and not source.path.startswith(exempt)

    def findings(self, source: Source) -> list[str]:
        """Where the file breaks the rule, as `path:line: what`."""
        if not self.applies(source):
            return []
        return [source.at(node, what) for node, what in self.find(source)]


def _used_of(source: Source, module: str, names: set[str]) -> Iterator[Finding]:
    """Where `module.name` is used, or `name` is imported from `module`."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and dotted(node.value) == module and node.attr in names:
            yield node, f"{module}.{node.attr}"
        elif isinstance(node, ast.ImportFrom) and node.module == module:
            for alias in node.names:
                if alias.name in names:
                    yield node, f"{module}.{alias.name}"


def task_makers(source: Source) -> Iterator[Finding]:
    """Queues and tasks of asyncio, also by way of a loop; a processor's create_task is meant."""
    yield from _used_of(source, "asyncio", TASK_MAKERS)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and node.attr == "create_task":
            owner = dotted(node.value)
            if "loop" in owner:
                yield node, f"{owner}.create_task"


def cancels(source: Source) -> Iterator[Finding]:
    """Calls of `cancel()`; one that is awaited ends a conversation, which is another thing."""
    awaited = {id(node.value) for node in ast.walk(source.tree) if isinstance(node, ast.Await)}
    for node in ast.walk(source.tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "cancel"
            and id(node) not in awaited
        ):
            yield node, f"{dotted(node.func)}()"


def clocks(source: Source) -> Iterator[Finding]:
    """Reads of the machine's clocks."""
    yield from _used_of(source, "time", CLOCKS)


def sleeps(source: Source) -> Iterator[Finding]:
    """Uses of time.sleep."""
    yield from _used_of(source, "time", {"sleep"})


def catch_alls(source: Source) -> Iterator[Finding]:
    """Handlers of every exception that do not raise it again."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.ExceptHandler):
            continue
        caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        names = {dotted(item) if item else "everything" for item in caught}
        again = any(isinstance(n, ast.Raise) for line in node.body for n in ast.walk(line))
        if names & {"Exception", "BaseException", "everything"} and not again:
            yield node, f"except {', '.join(sorted(names))}"


def mangled(source: Source) -> Iterator[Finding]:
    """Attributes such as `self.__x`."""
    for node in ast.walk(source.tree):
        if (
            isinstance(node, ast.Attribute)
            and dotted(node.value) in {"self", "cls"}
            and node.attr.startswith("__")
            and not node.attr.endswith("__")
        ):
            yield node, f"{dotted(node.value)}.{node.attr}"


def open_constructors(source: Source) -> Iterator[Finding]:
    """Constructors with `**kwargs`."""
    for node in functions(source):
        if node.name == "__init__" and node.args.kwarg:
            yield node, f"__init__(**{node.args.kwarg.arg})"


def default_getattrs(source: Source) -> Iterator[Finding]:
    """Calls of getattr with a default, and of hasattr."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            name = dotted(node.func)
            if (name == "getattr" and len(node.args) > 2) or name == "hasattr":
                yield node, name


def mixins(source: Source) -> Iterator[Finding]:
    """Classes that call themselves a mixin."""
    for node in classes(source):
        if node.name.endswith("Mixin"):
            yield node, node.name


def evaluated_annotations(source: Source) -> Iterator[Finding]:
    """Modules with code that do not postpone annotations."""
    code = any(not isinstance(node, ast.Expr) for node in source.tree.body)
    if code and "from __future__ import annotations" not in source.text:
        yield source.tree, "no `from __future__ import annotations`"


RULES = (
    Rule(
        "queues and tasks are the kernel's",
        "Tasks are the processor's create_task; a provider is fed through a Feed.",
        task_makers,
        bad="asyncio.get_running_loop().create_task(x)",
        good="self.create_task(x, name='x')",
        rooms=TASK_ROOMS,
    ),
    Rule(
        "cancelling is the kernel's",
        "There is one canceller: use the processor's cancel_task.",
        cancels,
        bad="self._task.cancel()",
        good="async def f(): await conversation.cancel()",
        rooms=TASK_ROOMS,
    ),
    Rule(
        "time comes from the loop",
        "Read processor.clock.now().",
        clocks,
        bad="from time import monotonic",
        good="self.clock.now()",
        rooms=CLOCK_ROOMS,
    ),
    Rule(
        "nothing sleeps for real",
        "Nothing blocks: asyncio.sleep, and in tests virtual time.",
        sleeps,
        bad="time.sleep(1)",
        good="async def f(): await asyncio.sleep(1)",
        rooms=("tests/simulation/",),  # which see that a simulation refuses it
        everywhere=True,
    ),
    Rule(
        "catch-alls are the kernel's",
        "Catch what you mean; the runner reports what nobody meant.",
        catch_alls,
        bad="try: f()\nexcept (KeyError, Exception): log()",
        good="try: f()\nexcept Exception:\n    undo()\n    raise",
        rooms=CATCH_ALL_ROOMS,
    ),
    Rule(
        "no private name is mangled",
        "Write self._x.",
        mangled,
        bad="self.__x = 1",
        good="self.__dict__",
        everywhere=True,
    ),
    Rule(
        "constructors name their arguments",
        "Name the arguments, or take a settings object: a misspelt one must fail where it is.",
        open_constructors,
        bad="def __init__(self, **kwargs): pass",
        good="def __init__(self, *, rate): pass",
    ),
    Rule(
        "objects are not asked what they have",
        "Say it with a type, a Protocol or a match.",
        default_getattrs,
        bad="getattr(x, 'y', None)",
        good="getattr(x, name)",
        rooms=("simulation/loop/loop.py",),  # it looks into asyncio's handles, which are not ours
    ),
    Rule(
        "mixins do not guess their host",
        "Compose instead.",
        mixins,
        bad="class AudioMixin: pass",
        good="class Audio: pass",
    ),
    Rule(
        "annotations are not evaluated",
        "Begin with: from __future__ import annotations",
        evaluated_annotations,
        bad="x = 1",
        good="from __future__ import annotations\nx = 1",
        everywhere=True,
    ),
)
