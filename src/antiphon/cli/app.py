"""The commands, put together."""

from __future__ import annotations

from typing import Annotated

import typer

import antiphon
from antiphon.cli.demo import demo
from antiphon.cli.models import app as models
from antiphon.cli.replay import replay
from antiphon.cli.simulate import simulate
from antiphon.cli.talk import talk

app: typer.Typer = typer.Typer(
    name="antiphon",
    help="Real-time voice agents.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(demo)
app.command()(replay)
app.command()(simulate)
app.command()(talk)
app.add_typer(models)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"antiphon {antiphon.__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which.")
    ] = False,
) -> None:
    """Real-time voice agents."""
