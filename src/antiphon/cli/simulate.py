"""`antiphon simulate`: a scenario with many seeds, or one of them with its timeline."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from antiphon.errors import ConfigurationError, InvalidInputError

if TYPE_CHECKING:
    from rich.console import Console

    from antiphon.observe.timeline import TimelineRow
    from antiphon.simulation.calls.pool import Job, Pool, Shown
    from antiphon.simulation.calls.scenario import Scenario
    from antiphon.simulation.calls.trials import Failure, Machine, Report

DEFAULT_SEEDS = 100
_STORY_LINES = 12
_INTERRUPTED = 130
_CHECKED = 5
"""Kinds of failures of which one is run again."""


_Scenario = Annotated[pathlib.Path, typer.Argument(help="The scenario: YAML, TOML or JSON.")]
_Agent = Annotated[
    str | None,
    typer.Option(help="module:function or file.py:function; by default the scenario's."),
]
_Seeds = Annotated[
    int | None,
    typer.Option(min=1, help="How many; by default the scenario's, or 100."),
]
_First = Annotated[int, typer.Option(min=0, help="The first of them.")]
_Seed = Annotated[int | None, typer.Option(min=0, help="This one only, line by line.")]
_Timeline = Annotated[
    pathlib.Path | None,
    typer.Option(
        dir_okay=False, help="Write a page about it, or about the first that falls short."
    ),
]
_Record = Annotated[
    pathlib.Path | None,
    typer.Option(dir_okay=False, help="With --seed: write a recording, for antiphon replay."),
]
_Faults = Annotated[
    str | None,
    typer.Option(help="YAML, or a file of it, instead of the scenario's; 'none' for none."),
]
_Caller = Annotated[
    str | None, typer.Option(help="coded, frames or spoken; by default the scenario's.")
]
_Jobs = Annotated[
    int | None, typer.Option(min=0, help="Processes; by default one a core. 0: this one.")
]
_Busy = Annotated[bool, typer.Option(help="On a machine with too much to do.")]
_Threads = Annotated[
    bool,
    typer.Option(help="Let models work in real threads, while the virtual clock stands still."),
]
_Sockets = Annotated[
    bool, typer.Option(help="Let the agent use real sockets; time is real while one is open.")
]


def simulate(
    scenario: _Scenario,
    agent: _Agent = None,
    seeds: _Seeds = None,
    first: _First = 0,
    seed: _Seed = None,
    timeline: _Timeline = None,
    record: _Record = None,
    faults: _Faults = None,
    caller: _Caller = None,
    jobs: _Jobs = None,
    busy: _Busy = False,
    threads: _Threads = False,
    sockets: _Sockets = False,
) -> None:
    """Holds a call with many seeds in virtual time, and tells what fell short.

    Exits with 1 if anything did. Each kind of failure comes with the command that repeats it. With
    --threads or --sockets, which agents on embedded models or behind a local server need, a seed
    does not give the same run each time.
    """
    from rich.console import Console

    from antiphon.simulation.calls.pool import Job, Pool
    from antiphon.simulation.calls.scenario import Scenario
    from antiphon.simulation.calls.trials import Machine
    from antiphon.simulation.loop.cpu import BUSY, ORDINARY

    call = _changed(Scenario.load(scenario), agent, faults, caller)
    for target in (timeline, record):
        _check_target(target)
    if record is not None and seed is None:
        raise ConfigurationError("--record is about one run: say which, with --seed N")
    folders = (pathlib.Path(), *call.folders) if agent else call.folders
    machine = Machine(cpu=BUSY if busy else ORDINARY, threads=threads, sockets=sockets)
    job = Job(call, folders, machine)
    console = Console(highlight=False, soft_wrap=True, markup=False, emoji=False)
    again = _Again(scenario, agent, faults, caller, machine)
    count = seeds or call.seeds or DEFAULT_SEEDS
    if jobs is None:
        jobs = 1 if seed is not None else min(_cores(), -(-count // 8))
    with Pool(job, jobs) as pool:
        if seed is not None:
            fell_short = _one(console, pool, seed, timeline, record, again)
        else:
            fell_short = _many(console, pool, job, range(first, first + count), timeline, again)
    if fell_short:
        raise typer.Exit(1)


class _Again:
    """The command that repeats one seed."""

    def __init__(
        self,
        scenario: pathlib.Path,
        agent: str | None,
        faults: str | None,
        caller: str | None,
        machine: Machine,
    ) -> None:
        from antiphon.simulation.loop.cpu import BUSY

        words = ["antiphon", "simulate", str(scenario)]
        for option, value in (("--agent", agent), ("--faults", faults), ("--caller", caller)):
            words += [option, value] if value is not None else []
        flags = {
            "--busy": machine.cpu == BUSY,
            "--threads": machine.threads,
            "--sockets": machine.sockets,
        }
        self._words = words + [flag for flag, given in flags.items() if given]
        self._name = scenario.stem

    def command(self, seed: int | None, *, page: bool = True) -> str:
        """For a shell."""
        words = [*self._words, "--seed", str(seed)]
        return shlex.join([*words, "--timeline", f"{self._name}-{seed}.html"] if page else words)


# ---- one seed -----------------------------------------------------------------------------------


def _one(
    console: Console,
    pool: Pool,
    seed: int,
    timeline: pathlib.Path | None,
    record: pathlib.Path | None,
    again: _Again,
) -> bool:
    shown = pool.show(seed, page=timeline is not None, record=record)
    for line in shown.lines:
        _print_line(console, line)
    console.print()
    if shown.failure is None:
        console.print(f"seed {seed}: as expected", style="bold green")
    else:
        console.print(f"seed {seed} fell short", style="bold red")
        _print_failure(console, shown.failure)
    if timeline is not None:
        _write(console, shown, timeline)
    elif shown.failure is not None and record is None:
        console.print(f"  with its page: {again.command(seed)}", style="dim")
    if record is not None:
        console.print(f"{record}: written")
    return shown.failure is not None


_STYLES = {"Caller": "bold blue", "Agent": "bold yellow", "Tool": "bold green", "Script": "dim"}


def _print_line(console: Console, line: TimelineRow) -> None:
    from rich.text import Text

    from antiphon.observe.timeline import RowKind
    from antiphon.simulation.calls.trace import as_text

    text = Text(as_text(line))
    if line.kind in {RowKind.ERROR, RowKind.CUT}:
        text.stylize("bold red")
    elif line.kind is RowKind.FIGURES:
        text.stylize("dim")
    else:
        text.stylize("dim", 0, 7)
        text.stylize(_STYLES.get(line.who, ""), 9, 9 + len(line.who))
    console.print(text)


def _write(console: Console, shown: Shown, path: pathlib.Path) -> None:
    try:
        path.write_text(shown.page, encoding="utf-8")
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be written: {error.strerror}") from error
    console.print(f"{path}: written")


# ---- many seeds ---------------------------------------------------------------------------------


def _many(
    console: Console,
    pool: Pool,
    job: Job,
    seeds: range,
    timeline: pathlib.Path | None,
    again: _Again,
) -> bool:
    from antiphon.simulation.calls.pool import StopRequest
    from antiphon.simulation.calls.trials import Report

    runs = 0
    failures: dict[int, Failure] = {}
    stop = StopRequest()
    with stop.listening(), _progress(job.scenario.name, len(seeds)) as advance:
        for seed, failure in pool.each(seeds, stop):
            runs += 1
            if failure is not None:
                failures[seed] = failure
            advance(len(failures))
    report = Report(job.scenario.name, runs, failures)
    _print_report(console, report, len(seeds), again)
    doubtful = [] if stop.wanted else _unrepeatable(pool, report)
    for seed in doubtful:
        console.print(
            f"seed {seed} fell short once, and not when it was run again: something outside of "
            f"the simulation decides (state of a module, threads, the real clock)",
            style="bold yellow",
        )
    if timeline is not None and not stop.wanted:
        shown = min(failures, default=seeds[0])
        _write(console, pool.show(shown, page=True), timeline)
    if stop.wanted:
        raise typer.Exit(1 if failures else _INTERRUPTED)
    return bool(failures)


def _print_report(console: Console, report: Report, wanted: int, again: _Again) -> None:
    from antiphon.simulation.calls.trials import seeds_of

    done = f"{report.runs}" if report.runs == wanted else f"{report.runs} of {wanted}"
    console.print(f"{report.scenario}: {done} seeds, ", style="bold", end="")
    if not report.failures:
        good = "all as expected" if report.runs else "nothing was found out"
        console.print(good, style="bold green" if report.runs else "bold")
        return
    groups = report.groups
    kinds = f", in {len(groups)} ways" if len(groups) > 1 else ""
    console.print(f"{len(report.failures)} fell short{kinds}", style="bold red")
    for group in groups:
        one = group[0]
        console.print()
        console.print(f"{len(group)} x ", style="bold red", end="")
        console.print(one.problems[0].what, style="bold")
        console.print(f"  seed {one.seed}:", style="dim")
        _print_failure(console, one, first=False)
        console.print(f"  again: {again.command(one.seed)}")
        if len(group) > 1:
            console.print(f"  also {seeds_of(group[1:])}", style="dim")


def _print_failure(console: Console, failure: Failure, *, first: bool = True) -> None:
    for number, problem in enumerate(failure.problems):
        if first or number:
            console.print(f"  {problem.what}")
        lines = problem.story.splitlines()
        for line in lines[-_STORY_LINES:]:
            console.print(f"  {line}", style="dim")


def _unrepeatable(pool: Pool, report: Report) -> list[int]:
    """The first seeds of each kind that are fine when they are run again."""
    seeds = [group[0].seed for group in report.groups[:_CHECKED]]
    return [s for s in seeds if s is not None and pool.again(s) is None]


@contextmanager
def _progress(name: str, total: int) -> Iterator[Any]:
    """A bar on standard error, where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Remaining(),
        TextColumn("{task.fields[short]}", style="red"),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        bar = progress.add_task(name, total=total, short="")

        def advance(failures: int) -> None:
            short = f"{failures} fell short" if failures else ""
            progress.update(bar, advance=1, short=short)

        yield advance


# ---- what the options change --------------------------------------------------------------------


def _changed(
    scenario: Scenario, agent: str | None, faults: str | None, caller: str | None
) -> Scenario:
    from antiphon.simulation.calls.scenario import CallerSettings

    changes: dict[str, Any] = {} if agent is None else {"agent": agent}
    if faults is not None:
        changes["faults"] = {} if faults == "none" else _faults(faults)
    if caller is not None:
        manner = CallerSettings.parse(caller).manner
        changes["caller"] = dataclasses.replace(scenario.caller, manner=manner)
    return dataclasses.replace(scenario, **changes)


def _faults(given: str) -> dict[str, Any]:
    from antiphon.simulation.mapping_file import SUFFIXES, read_mapping, read_yaml

    path = pathlib.Path(given)
    if path.suffix in SUFFIXES and "\n" not in given and ":" not in given:
        data = read_mapping(path).data
        return dict(data.get("faults", data))
    found = read_yaml(given, "--faults")
    if not isinstance(found, dict):
        raise InvalidInputError(
            f"--faults {given!r}: what fails and how, such as 'llm: {{error_once: server}}', or a "
            f"file of it"
        )
    return found


def _check_target(path: pathlib.Path | None) -> None:
    """A page that cannot be written is told before a thousand runs."""
    if path is not None and not path.absolute().parent.is_dir():
        raise InvalidInputError(f"{path} cannot be written: there is no folder {path.parent}")


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        return os.cpu_count() or 1
