"""`antiphon demo`: a spoken conversation on this machine, measured; no key, no microphone."""

from __future__ import annotations

import pathlib
from typing import Annotated

import typer

from antiphon.cli.event_loop import run

DEFAULT_OUT = pathlib.Path("out/demo")


def demo(
    out: Annotated[
        pathlib.Path, typer.Option(help="Where the recording, transcript and report go.")
    ] = DEFAULT_OUT,
    check: Annotated[
        bool, typer.Option(help="Transcribe the agent's recorded speech back and compare.")
    ] = True,
) -> None:
    """Holds one spoken conversation with the embedded models, in real time, and measures it.

    A scripted caller talks to a small hotel's telephone for about a minute and a half. Exits with 1
    if any turn of the caller got no spoken answer. ANTIPHON_LLM replaces the language model:
    openai/MODEL, http://HOST/v1, rules, ...
    """
    from antiphon.demo.conversation import demonstrate
    from antiphon.demo.results import finish
    from antiphon.demo.script import SCRIPT
    from antiphon.observe.timeline import Timeline
    from antiphon.providers.select import llm_from_env

    chosen = llm_from_env()
    typer.echo(chosen.reason)
    timeline = Timeline()

    def say(text: str) -> None:
        typer.echo(text)

    async def hold() -> bool:
        try:
            held = await demonstrate(chosen.provider, timeline, say=say, on_begin=timeline.start)
        finally:
            timeline.stop()
        return await finish(held, out, say=say, check=check, turns=len(SCRIPT))

    if not run(hold()):
        raise typer.Exit(1)
