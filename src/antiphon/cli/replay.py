"""`antiphon replay`: a recorded session once more, up to where the agent behaves differently."""

from __future__ import annotations

import difflib
import pathlib
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from antiphon.errors import ConfigurationError, InvalidInputError, UnknownNameError

if TYPE_CHECKING:
    from antiphon.simulation.record.recording import Recording
    from antiphon.simulation.record.replay import Comparison


_File = Annotated[pathlib.Path, typer.Argument(help="The recording.")]
_Agent = Annotated[
    str | None,
    typer.Option(
        help="module:function or file.py:function that makes the agent. Without: what is in it."
    ),
]
_Seed = Annotated[int | None, typer.Option(help="By default the recording's own.")]
_Outside = Annotated[
    list[str] | None,
    typer.Option(help="A processor whose output is taken from the recording; repeatable."),
]
_Tolerance = Annotated[
    float, typer.Option(help="Seconds by which times may differ; negative: any.")
]
_Ignore = Annotated[
    list[str] | None, typer.Option(help="A type of frame that is not compared; repeatable.")
]
_Partial = Annotated[bool, typer.Option(help="Read a damaged file as far as it goes.")]
_AllowThreads = Annotated[bool, typer.Option(help="For agents that use models on this machine.")]
_Cut = Annotated[str | None, typer.Option(help="START:END in seconds: only this stretch.")]
_Redact = Annotated[
    list[str] | None,
    typer.Option(help="emails, phone-numbers or names:NAME,NAME; repeatable."),
]
_SaveAs = Annotated[
    pathlib.Path | None,
    typer.Option(dir_okay=False, help="Write the recording, cut and redacted, to this file."),
]
_WriteTest = Annotated[
    pathlib.Path | None, typer.Option(help="Write a regression test for pytest here.")
]


def replay(
    file: _File,
    agent: _Agent = None,
    seed: _Seed = None,
    outside: _Outside = None,
    tolerance: _Tolerance = 0.1,
    ignore: _Ignore = None,
    partial: _Partial = False,
    allow_threads: _AllowThreads = False,
    cut: _Cut = None,
    redact: _Redact = None,
    save: _SaveAs = None,
    write_test: _WriteTest = None,
) -> None:
    """Runs the recorded inputs through the agent again, in virtual time, and compares.

    Exits with 1 at the first divergence. Without --agent it says what the file holds.
    """
    from antiphon.simulation.record.redaction import rule_named
    from antiphon.simulation.record.regression import find_factory, to_regression_test
    from antiphon.simulation.record.replay import replay as play

    _check_targets(agent, save, write_test)
    rules = [rule_named(name) for name in redact or ()]
    recording = _load(file, partial=partial, cut=cut)
    recording = recording.redact(rules) if rules else recording
    if save is not None:
        _save(recording, save)
    if agent is None:
        _describe(recording)
        return
    comparison = _comparison(tolerance, ignore or (), recording)
    result = play(
        recording,
        find_factory(agent),
        seed,
        outside=outside or (),
        comparison=comparison,
        redact=rules,
        allow_threads=allow_threads,
    )
    typer.echo(result.report)
    if write_test is not None:
        to_regression_test(
            recording,
            write_test,
            agent=agent,
            seed=seed,
            outside=outside or (),
            redact=redact or (),
            comparison=comparison,
            allow_threads=allow_threads,
        )
        typer.echo(f"{write_test}: written")
    if result.divergence is not None:
        raise typer.Exit(1)


def _check_targets(
    agent: str | None, save: pathlib.Path | None, write_test: pathlib.Path | None
) -> None:
    """What cannot be written is told before anything is done."""
    from antiphon.simulation.record.regression import importable, test_file

    if write_test is not None:
        if agent is None:
            raise ConfigurationError("--write-test needs --agent: the test is to replay it")
        importable(agent)
        test_file(write_test)
    if save is not None and not save.absolute().parent.is_dir():
        raise InvalidInputError(f"{save} cannot be written: there is no folder {save.parent}")


def _save(recording: Recording, path: pathlib.Path) -> None:
    try:
        recording.save(path)
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be written: {error.strerror}") from error
    typer.echo(f"{path}: written")


def _comparison(tolerance: float, ignore: Iterable[str], recording: Recording) -> Comparison:
    from antiphon.frames.codec import standard_types
    from antiphon.simulation.record.replay import Comparison

    known = {given.frame.type for given in recording} | set(standard_types())
    for name in ignore:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise UnknownNameError(f"--ignore {name}: there is no such type of frame{hint}")
    usual = Comparison(tolerance_secs=None if tolerance < 0 else tolerance)
    return msgspec.structs.replace(usual, ignore_types=usual.ignore_types | set(ignore))


def _load(file: pathlib.Path, *, partial: bool, cut: str | None) -> Recording:
    from antiphon.simulation.record.recording import Recording

    try:
        recording = Recording.load(file, partial=partial)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InvalidInputError(f"{file} cannot be read: {reason}") from error
    if cut is None:
        return recording
    start, _, end = cut.partition(":")
    try:
        return recording.cut(float(start or 0), float(end) if end else None)
    except ValueError as error:
        raise InvalidInputError(
            f"--cut {cut!r} is no stretch: write it as START:END, in seconds"
        ) from error


def _describe(recording: Recording) -> None:
    """What is in the file."""
    header = recording.header
    seed = "" if header.seed is None else f", seed {header.seed}"
    typer.echo(
        f"{len(recording)} hand-overs in {recording.last / 1e9:.3f} s, {header.started}{seed}"
    )
    typer.echo(f"antiphon {header.antiphon}, Python {header.python}, audio {header.audio.value}")
    for name, value in header.settings.items():
        typer.echo(f"{name}: {value}")
    if recording.damage is not None:
        typer.echo(f"not whole: {recording.damage}")
    typer.echo(f"processors: {' '.join(recording.processors)}")
    inputs = recording.inputs()
    for (source, kind), count in Counter((each.source, each.frame.type) for each in inputs).items():
        typer.echo(f"input of {source}: {count} {kind}")
