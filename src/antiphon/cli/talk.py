"""`antiphon talk`: the demonstration's agent on this machine's microphone and loudspeaker."""

from __future__ import annotations

import pathlib
from typing import Annotated

import typer

from antiphon.cli.event_loop import run

DEFAULT_OUT = pathlib.Path("out/talk")


def talk(
    out: Annotated[
        pathlib.Path, typer.Option(help="Where the recording, transcript and report go.")
    ] = DEFAULT_OUT,
    microphone: Annotated[
        str | None, typer.Option(help="Number or name of the microphone; else the default.")
    ] = None,
    loudspeaker: Annotated[
        str | None, typer.Option(help="Number or name of the loudspeaker; else the default.")
    ] = None,
) -> None:
    """Talk to the demonstration's agent. Say goodbye and press Ctrl-C to end.

    Use headphones, or the agent hears itself.
    """
    from antiphon.demo.bot import build
    from antiphon.demo.conversation import converse
    from antiphon.demo.results import finish
    from antiphon.observe.timeline import Timeline
    from antiphon.providers.select import llm_from_env
    from antiphon.transports.local import LocalAudioTransport, check_devices

    devices = [_device(microphone), _device(loudspeaker)]
    check_devices(*devices)
    chosen = llm_from_env()
    typer.echo(chosen.reason)
    transport = LocalAudioTransport(input_device=devices[0], output_device=devices[1])
    timeline = Timeline()

    async def hold() -> None:
        bot = build(transport, chosen.provider)
        typer.echo("The models are loaded and warmed up ...")
        await bot.warm_up()
        typer.echo("Speak now. Ctrl-C ends the conversation.")
        timeline.start()
        try:
            held = await converse(bot, timeline, title="A conversation", longest=None)
        finally:
            timeline.stop()
        await finish(held, out, say=typer.echo, check=False)

    run(hold())


def _device(given: str | None) -> int | str | None:
    return int(given) if given is not None and given.isdigit() else given
