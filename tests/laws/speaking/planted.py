"""Bugs planted on the way from text to what was heard, one at a time, to show that the sweep finds
each.

Each takes a `MonkeyPatch` and breaks one promise by replacing one function.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from antiphon.context.assistant_aggregator import LLMAssistantAggregator
from antiphon.context.assistant_turn import AssistantTurn
from antiphon.context.spoken import Pace, SpokenLedger
from antiphon.frames.base import Frame
from antiphon.frames.text import TTSTextFrame
from antiphon.kernel.epoch import Epoch
from antiphon.services.contracts import SpeechAudio, TTSEvent
from antiphon.services.tts import TTSService
from antiphon.services.tts_order import SpeechOrder
from antiphon.services.tts_utterance import Utterance
from antiphon.transports.player import Player
from antiphon.transports.playout import Playout
from antiphon.transports.playout_events import Written
from antiphon.transports.playout_line import FrameLine, _Waiting
from antiphon.transports.playout_sound import Pacer, SoundBuffer

Plant = Callable[[pytest.MonkeyPatch], None]


# ---- the output --------------------------------------------------------------------------------


def written_is_heard(patch: pytest.MonkeyPatch) -> None:
    """Frames come out when the sound before them is written, not when it has been heard."""
    original = Pacer.wrote

    def wrote(self: Pacer, position: int, total: int, now: float) -> None:
        original(self, position, total, now)
        self._in_flight[-1] = replace(self._in_flight[-1], heard_at=now)

    patch.setattr(Pacer, "wrote", wrote)


def words_come_with_their_sound(patch: pytest.MonkeyPatch) -> None:
    """A word comes out when the sound sent before it was heard, whatever its time says."""
    patch.setattr(_Waiting, "target", lambda self, sample_rate: self.position)


def words_have_a_queue_of_their_own(patch: pytest.MonkeyPatch) -> None:
    """Words follow the conversation's clock, everything else the sound."""
    original = FrameLine.put

    def put(self: FrameLine, frame: Frame, position: int, heard: int, now: float) -> None:
        if isinstance(frame, TTSTextFrame) and frame.pts is not None:
            heapq.heappush(self._timed, (frame.pts, next(self._numbers), frame))
        else:
            original(self, frame, position, heard, now)

    patch.setattr(FrameLine, "put", put)


def buffered_sound_survives(patch: pytest.MonkeyPatch) -> None:
    """An interruption leaves the sound that waits."""
    patch.setattr(SoundBuffer, "drop_interruptible", lambda self: [])


def frames_are_all_dropped(patch: pytest.MonkeyPatch) -> None:
    """An interruption drops uninterruptible frames too."""
    patch.setattr(FrameLine, "drop_interruptible", lambda self, taken, kept: self.clear())


def a_position_is_published_late(patch: pytest.MonkeyPatch) -> None:
    """What has been heard is known a third of a second after it was."""
    original = Pacer.__init__

    def init(self: Pacer, *args: Any, **options: Any) -> None:
        original(self, *args, **options)
        self.latency = 0.3

    patch.setattr(Pacer, "__init__", init)


def stale_sound_is_passed_on(patch: pytest.MonkeyPatch) -> None:
    """A chunk that was being written when somebody cut in goes on behind the output."""

    async def tick(self: Player) -> None:
        write = self._carry_out(self.machine.tick(self._clock.now()))
        if write is not None:
            accepted = await self._writes.call(self.sink.write, write.pcm)
            self._carry_out(self.machine.receive(Written(accepted), self._clock.now()))
            if accepted and write.sound:
                self._host.push_frame(self._heard(write, write.pcm))
        if not self._config.paced:
            await asyncio.sleep(0)

    patch.setattr(Player, "_tick", tick)


def a_sample_is_lost(patch: pytest.MonkeyPatch) -> None:
    """Half a sample at the end of a piece of sound is thrown away."""
    original = Utterance.receive

    def receive(self: Utterance, event: TTSEvent, now: float) -> None:
        if isinstance(event, SpeechAudio) and len(event.pcm) % 2:
            event = SpeechAudio(event.pcm[:-1])
        original(self, event, now)

    patch.setattr(Utterance, "receive", receive)


def the_agent_goes_on_speaking(patch: pytest.MonkeyPatch) -> None:
    """After an interruption nobody is told that the agent stopped, until it speaks again."""
    original = Playout._interrupt

    def interrupt(self: Playout, now: float, actions: list[Any]) -> None:
        original(self, now, actions)
        self.speaking = False

    patch.setattr(Playout, "_interrupt", interrupt)


# ---- the voice's service -----------------------------------------------------------------------


def half_a_sentence_survives(patch: pytest.MonkeyPatch) -> None:
    """What was not yet a sentence at the interruption begins the next answer."""
    original = TTSService.voided

    def voided(self: TTSService, epoch: Epoch) -> None:
        units = self._units
        original(self, epoch)
        self._units = units

    patch.setattr(TTSService, "voided", voided)


def the_line_loses_everything(patch: pytest.MonkeyPatch) -> None:
    """Uninterruptible frames between the utterances go with them."""
    original = SpeechOrder.void

    def void(self: SpeechOrder) -> list[Frame | Utterance]:
        items = original(self)
        self._items.clear()
        return items

    patch.setattr(SpeechOrder, "void", void)


def utterances_do_not_wait(patch: pytest.MonkeyPatch) -> None:
    """Each utterance is sent as its sound comes, whoever was asked for first."""
    original = SpeechOrder.join

    def join(self: SpeechOrder, item: Frame | Utterance, answer: Utterance | None = None) -> None:
        if isinstance(item, Utterance):
            self._processor.create_task(self._send(item), name="send", bound=True)
        else:
            original(self, item, answer)

    patch.setattr(SpeechOrder, "join", join)


def asides_come_last(patch: pytest.MonkeyPatch) -> None:
    """What is asked for within an answer is said after all of it."""
    original = TTSService._speak

    async def speak(self: TTSService, text: str, *, append: bool) -> None:
        answer, self._answer = self._answer, None
        await original(self, text, append=append)
        self._answer = answer

    patch.setattr(TTSService, "_speak", speak)


def a_broken_voice_has_said_it_all(patch: pytest.MonkeyPatch) -> None:
    """What a voice did not get to counts as heard."""
    patch.setattr(SpokenLedger, "break_off", SpokenLedger.finish)


def promised_times_are_not_waited_for(patch: pytest.MonkeyPatch) -> None:
    """Words are estimated until the voice tells of the first."""
    original = SpokenLedger.__init__

    def init(self: SpokenLedger, pace: Pace | None = None, *, word_times: bool = False) -> None:
        original(self, pace)

    patch.setattr(SpokenLedger, "__init__", init)


# ---- the context -------------------------------------------------------------------------------


def what_was_generated_is_written(patch: pytest.MonkeyPatch) -> None:
    """The context gets the whole answer when it is cut off."""
    original = LLMAssistantAggregator._close_turn

    async def close(self: LLMAssistantAggregator, *, interrupted: bool) -> None:
        turn = self._turn
        if turn is not None and interrupted and turn.text:
            turn.text = self._shared.context.drafts.get(turn.response_id) or turn.text
        await original(self, interrupted=interrupted)

    patch.setattr(LLMAssistantAggregator, "_close_turn", close)


def a_turn_is_told_of_twice(patch: pytest.MonkeyPatch) -> None:
    """The end of a turn is told of again at the interruption that follows."""
    original = LLMAssistantAggregator._close_turn

    async def close(self: LLMAssistantAggregator, *, interrupted: bool) -> None:
        turn = self._turn
        await original(self, interrupted=interrupted)
        if turn is not None and turn.response_id is None and turn.epoch.live:
            self._shared.open_turn = turn

    patch.setattr(LLMAssistantAggregator, "_close_turn", close)


def utterances_run_together(patch: pytest.MonkeyPatch) -> None:
    """The last word of an utterance that broke off and the first of the next become one."""
    original = AssistantTurn.hear

    def hear(self: AssistantTurn, piece: str, *, spaced: bool, utterance: str | None) -> None:
        self.utterance = utterance
        original(self, piece, spaced=spaced, utterance=utterance)

    patch.setattr(AssistantTurn, "hear", hear)


PLANTS: tuple[Plant, ...] = (
    written_is_heard,
    words_come_with_their_sound,
    words_have_a_queue_of_their_own,
    buffered_sound_survives,
    frames_are_all_dropped,
    a_position_is_published_late,
    stale_sound_is_passed_on,
    a_sample_is_lost,
    the_agent_goes_on_speaking,
    half_a_sentence_survives,
    the_line_loses_everything,
    utterances_do_not_wait,
    asides_come_last,
    a_broken_voice_has_said_it_all,
    promised_times_are_not_waited_for,
    what_was_generated_is_written,
    a_turn_is_told_of_twice,
    utterances_run_together,
)
