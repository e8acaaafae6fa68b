"""Holds the demonstration: the scripted caller talks to the agent in real time, recorded."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from antiphon.audio.wav import WavFile
from antiphon.context.user_aggregator import LLMUserAggregator
from antiphon.demo.bot import Bot, build
from antiphon.demo.clips import CALLER_PITCH, SAMPLE_RATE, Clip, clips_of
from antiphon.demo.script import SCRIPT, Cue, Turn
from antiphon.kernel.params import PipelineParams
from antiphon.kernel.runner import PipelineRunner
from antiphon.kernel.task import PipelineTask
from antiphon.observe.conversation_log import ConversationLog, Trigger, TurnDecision
from antiphon.observe.happenings import AgentFinished, Happening, TurnDecided
from antiphon.observe.observer import ConversationObserver, RecordingObserver, Watcher
from antiphon.observe.recording import TwoSides
from antiphon.providers.local.tts import LocalTTSProvider
from antiphon.services.contracts import LLMProvider
from antiphon.transports.caller_script import (
    Say,
    Step,
    Wait,
    WaitForAgent,
    WaitForEvent,
    WaitForSpeech,
)
from antiphon.transports.file import FileTransport
from antiphon.turns.machine_actions import Decision, DecisionKind

NEWS = "the agent told a tool's result"
LONGEST_SECS = 300.0
"""A conversation that has not ended by then is ended."""
_REPLY_TIMEOUT_SECS = 30.0
_NEWS_TIMEOUT_SECS = 45.0
_HANG_UP_SECS = 1.2

logger: Final = logging.getLogger("antiphon")


class HeldConversation(msgspec.Struct):
    """A conversation that was held."""

    log: ConversationLog
    sides: TwoSides


def steps_of(turns: Sequence[Turn], clips: Sequence[Clip]) -> list[Step]:
    """The script, as the caller's line plays it."""
    steps: list[Step] = []
    for turn, clip in zip(turns, clips, strict=True):
        settled = WaitForAgent(settle_secs=turn.after, timeout_secs=_REPLY_TIMEOUT_SECS)
        if turn.cue is Cue.START:
            steps.append(Wait(turn.after))
        elif turn.cue is Cue.IN_REPLY:
            steps.append(WaitForSpeech(after_secs=turn.after, timeout_secs=_REPLY_TIMEOUT_SECS))
        elif turn.cue is Cue.NEWS:
            news = WaitForEvent(name=NEWS, timeout_secs=_NEWS_TIMEOUT_SECS)
            steps += [settled, news, settled]
        else:
            steps.append(settled)
        steps.append(Say(WavFile(clip.pcm, SAMPLE_RATE), turn.text))
    steps.append(WaitForAgent(settle_secs=_HANG_UP_SECS, timeout_secs=_REPLY_TIMEOUT_SECS))
    return steps


async def demonstrate(
    provider: LLMProvider,
    *watchers: Watcher,
    say: Callable[[str], None],
    on_begin: Callable[[], None] = lambda: None,
    turns: Sequence[Turn] = SCRIPT,
    handle_sigint: bool = True,
) -> HeldConversation:
    """Holds one conversation by the script.

    `say` is told what is being prepared; `on_begin` is called when the line is open.
    """
    say("The caller rehearses ...")
    clips = await clips_of(turns, LocalTTSProvider(pitch=CALLER_PITCH, variation=0.0))
    transport = FileTransport(steps_of(turns, clips))
    bot = build(transport, provider)

    def hear(happening: Happening) -> None:
        match happening:
            case AgentFinished(turn=turn) if turn.trigger is Trigger.TOOL and turn.heard:
                transport.caller.happened(NEWS)

    say("The models are loaded and warmed up ...")
    await bot.warm_up()
    on_begin()
    held = await converse(
        bot, hear, *watchers, title="A call to a small hotel", handle_sigint=handle_sigint
    )
    recorded = sum(clip.recorded for clip in clips)
    held.log.notes["Caller"] = (
        f"{len(clips)} turns in a synthesised voice, one of them with a recording of a person"
        if recorded
        else f"{len(clips)} turns in a synthesised voice"
    )
    for step in transport.caller.overdue:
        logger.warning("the caller waited in vain: %r", step)
    return held


async def converse(
    bot: Bot,
    *watchers: Watcher,
    title: str,
    longest: float | None = LONGEST_SECS,
    handle_sigint: bool = True,
) -> HeldConversation:
    """Runs the bot until a side hangs up, or the process gets Ctrl-C or SIGTERM.

    The log has the context as it is at the end.
    `longest`: after so many seconds the conversation is ended; None: never.
    """
    observer = ConversationObserver(*watchers, title=title)
    recorder = RecordingObserver()

    @bot.user.event_handler("on_user_turn_decision")
    def decided(user: LLMUserAggregator, decision: Decision) -> None:
        if decision.kind is DecisionKind.INFER:
            return  # the turn's stop says the same
        at = decision.at - user.clock.now() + user.clock.get_time() / 1e9
        record = TurnDecision(
            at=at,
            what=decision.kind.value,
            strategy=decision.strategy,
            reason=decision.reason,
            fact=re.split(r"[( ]", decision.fact)[0],
        )
        observer.log.decisions.append(record)
        for watcher in watchers:
            watcher(TurnDecided(at=at, decision=record))

    task = PipelineTask(
        bot.pipeline,
        params=PipelineParams(enable_metrics=True, enable_usage_metrics=True),
        observers=[observer, recorder],
    )
    try:
        async with asyncio.timeout(longest):
            runner = PipelineRunner(handle_sigint=handle_sigint, handle_sigterm=handle_sigint)
            await runner.run(task)
    except TimeoutError:
        logger.warning("the conversation did not end within %s s and was cut off", longest)
    log = observer.log
    log.parts = bot.parts()
    log.context = bot.context.get_messages()
    return HeldConversation(log, recorder.sides())
