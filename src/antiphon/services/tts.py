"""The voice's place in a pipeline: text in; audio, and the words that are heard in it, out.

Theory of operation
-------------------
The text of one answer (or of a `TTSSpeakFrame`) is an *utterance*, under one context id. It is cut
into units (sentences, stretches between marks); each goes to the provider as soon as it is
complete. Providers work ahead: several utterances are synthesised at once (`Synthesis`), but they
and the ordered frames stand in one line (`SpeechOrder`) and come out one after the other:

    TTSStartedFrame  AggregatedTextFrame  (TTSAudioRawFrame | TTSTextFrame | placed frame)*
    TTSStoppedFrame

An `AggregatedTextFrame` announces each unit before its audio. Words (`TTSTextFrame`) have a pts on
the conversation's clock: that of their `TTSStartedFrame` plus their end in the utterance's audio.

Everything in the line belongs to one epoch. An interruption voids it: the kernel cancels the
provider's streams and the emitting task, and `voided` throws the line away but for uninterruptible
frames, which go on in their order. After a switch the voice that is active then speaks what this
one has not begun to.

Bounds: a provider that owes audio (it took text and gave nothing) for `stall_secs` has failed, and
is left behind where it does not stop when it is told to. A failure before any audio is tried again
until `give_up_secs` have passed; then, or after a failure in the middle, the line goes on, and what
was not spoken is told as lost. Only a lasting cause (key, permission, configuration, quota) makes
the voice unusable, until its settings change.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import ClassVar, Final, NamedTuple

import msgspec

from antiphon.context.spoken import Pace
from antiphon.errors import AntiphonError
from antiphon.frames.base import ControlFrame, DataFrame, Frame
from antiphon.frames.lifecycle import EndFrame, InterruptionFrame, StartFrame, StopFrame
from antiphon.frames.llm import (
    LLMAssistantPushAggregationFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    TTSUpdateSettingsFrame,
)
from antiphon.frames.speech import SpeechTurnFrame, TTSSpeakFrame
from antiphon.frames.switch import ServiceActivatedFrame
from antiphon.frames.text import AggregatedTextFrame, LLMTextFrame, TextFrame, TTSTextFrame
from antiphon.frames.transport import PlayoutBufferFrame
from antiphon.frames.turns import BotStoppedSpeakingFrame
from antiphon.kernel.epoch import Epoch, FrameDirection
from antiphon.kernel.event_source import Event
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.pipeline_check import Role, check_pipeline, part
from antiphon.services.arguments import check_arguments
from antiphon.services.connection import Supervised
from antiphon.services.connection_policy import ConnectionPolicy
from antiphon.services.contracts import Configurable, TTSProvider
from antiphon.services.tts_order import SpeechOrder
from antiphon.services.tts_synthesis import SpeechBounds, Synthesis
from antiphon.services.tts_units import UnitCutter, in_steps
from antiphon.services.tts_utterance import Utterance
from antiphon.settings import TTSSettings
from antiphon.text.markup import DEFAULT_PATTERNS, Pattern, TextUnit, UnitAggregator
from antiphon.text.speakable import DEFAULT_TRANSFORMS, KindTransform, Transform, has_words
from antiphon.text.well_formed import well_formed_text

_DRAIN_STEP_SECS = 5.0


class Unsaid(NamedTuple):
    """What a voice had to say when its epoch ended: its line, and the text that was still to be
    cut, of an answer that goes on if `answering`.
    """

    items: Sequence[Frame | Utterance]
    units: UnitAggregator
    answering: bool


class TTSService(FrameProcessor):
    """Runs one provider. Vendors' services are this class bound to theirs.

    Args:
        provider: the voice.
        settings: voice, language, model, speed.
        text_transforms: make text speakable, one after the other (`Localized` ones in the
        settings' language; with a kind before it, one is for units of this kind); what is shown and
        remembered stays as it was. patterns: stretches of text that are not spoken, or are units of
        their own. skip_kinds: kinds of units that are shown and not spoken. token_mode: text goes
        to the voice as it comes, not sentence by sentence. first_clause: the first piece of an
        answer may end at a comma; by default where the voice speaks piece by piece.
        policy: how patient the connection is; by default a voice may owe audio for 8 s.
        bounds: how much is asked of the voice at once, and how much it may give.

    """

    Settings: ClassVar[type[TTSSettings]] = TTSSettings

    on_connection_error: Final = Event[[str]]()
    on_tts_request: Final = Event[[str, str]]()
    on_pattern_match: Final = Event[[str, str]]()

    check_pipeline = staticmethod(check_pipeline)
    described = part(Role.TTS)

    def __init__(
        self,
        provider: TTSProvider,
        *,
        settings: TTSSettings | None = None,
        text_transforms: Sequence[Transform | KindTransform] = DEFAULT_TRANSFORMS,
        patterns: Sequence[Pattern] = DEFAULT_PATTERNS,
        skip_kinds: Sequence[str] = (),
        token_mode: bool = False,
        first_clause: bool | None = None,
        policy: ConnectionPolicy | None = None,
        bounds: SpeechBounds | None = None,
        name: str | None = None,
    ) -> None:
        check_arguments(
            type(self),
            provider,
            settings,
            kind=TTSSettings,
            instead="use the service of its vendor, as in LocalTTSService()",
        )
        super().__init__(name=name)
        self.provider = provider
        self.settings: TTSSettings = settings or self.Settings()
        self._connection = Supervised(
            self,
            provider,
            policy or ConnectionPolicy(stall_secs=8.0),
            self.on_connection_error.emit,
        )
        self._cutter = UnitCutter(self, text_transforms, patterns, token_mode=token_mode)
        self._cutter.speak_language(self.settings.language)
        self._skip_kinds = frozenset(skip_kinds)
        early = provider.capabilities.piecewise if first_clause is None else first_clause
        self._first_clause = early
        self._language = self.settings.language
        """What `_units` splits; a change holds from the next answer on."""
        self._units = self._cutter.aggregator(self._language, first_clause=early)
        self._appends = True
        """Whether what `_units` holds becomes part of the conversation."""
        self._pace = Pace()
        self._synthesis = Synthesis(self, provider, self._connection, bounds or SpeechBounds())
        self._line = SpeechOrder(self, provider.capabilities.sample_rate)
        self.unsaid: Unsaid | None = None
        """What it had to say when its epoch ended, for the voice that takes over."""
        self._answer: Utterance | None = None
        self._answering = False

    @property
    def usable(self) -> bool:
        """False while the provider refuses: nothing is spoken until its settings change."""
        return self._connection.usable

    # ---- life cycle ----------------------------------------------------------------------------

    @handles(StartFrame)
    async def _start(self, frame: StartFrame, direction: FrameDirection) -> None:
        self._synthesis.model = self.settings.model
        if isinstance(self.provider, Configurable):
            self.provider.configure(self.settings)
        try:
            await self._connection.connect()
        except AntiphonError as error:
            await self._connection.failed(error)

    @handles(EndFrame, StopFrame)
    async def _end(self, frame: Frame, direction: FrameDirection) -> None:
        self._end_answer()
        while self._line:
            self.allow(2 * _DRAIN_STEP_SECS)
            sent = self._line.sent
            await self._line.wait_empty(_DRAIN_STEP_SECS)
            if self._line.sent == sent:
                # A paused output never has room again by itself: its own end resumes it.
                self._line.set_room(full=False)

    async def cleanup(self) -> None:
        await self.provider.close()

    def voided(self, epoch: Epoch) -> None:
        """Throws away what is of the epoch, but for what a service that takes over asks for."""
        units = self._cutter.aggregator(self._language, first_clause=self._first_clause)
        held, self._units = self._units, units
        self.unsaid = Unsaid(self._line.void(), held, self._answering)
        self._answer, self._answering = None, False
        self._synthesis.reset()

    @handles(InterruptionFrame)
    async def _interrupted(self, frame: InterruptionFrame, direction: FrameDirection) -> None:
        self.unsaid = None
        self._line.resume()

    @handles(ServiceActivatedFrame)
    async def _activated(self, frame: ServiceActivatedFrame, direction: FrameDirection) -> None:
        """A switch has made it the active one: it speaks what the former did not begin to."""
        self._connection.revive()
        if not isinstance(frame.previous, TTSService):
            return
        unsaid, frame.previous.unsaid = frame.previous.unsaid, None
        for item in unsaid.items if unsaid is not None else ():
            if isinstance(item, Frame):
                self._line.join(item)
            elif item.began is not None:
                for last in item.lost_frames():
                    self._line.join(last)
            else:
                utterance = self._open(append=item.append_to_context, request=item.request)
                for text in item.pieces:
                    self._give(utterance, TextUnit(text))
                if item.is_complete:
                    utterance.complete()
                else:
                    self._answer = utterance
        if unsaid is not None and unsaid.answering:
            self._answering = True
            for unit in unsaid.units.flush():
                self._say(unit, append=self._appends)

    # ---- what comes in -------------------------------------------------------------------------

    @handles(DataFrame, ControlFrame)
    async def _join(self, frame: Frame, direction: FrameDirection) -> None:
        """Other ordered frames pass in their place between the utterances; urgent ones flow by."""
        if direction is FrameDirection.UPSTREAM:
            await self.push_frame(frame, direction)
            return
        self._line.join(frame, self._answer)

    @handles(PlayoutBufferFrame, BotStoppedSpeakingFrame)
    async def _playout(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, PlayoutBufferFrame):
            self._line.set_room(full=frame.full)
        else:
            self._synthesis.played()
        await self.push_frame(frame, direction)

    @handles(LLMFullResponseStartFrame)
    async def _answer_starts(
        self, frame: LLMFullResponseStartFrame, direction: FrameDirection
    ) -> None:
        self._end_answer()
        if self._language != self.settings.language:
            self._language = self.settings.language
            self._units = self._cutter.aggregator(self._language, first_clause=self._first_clause)
        self._answering = True
        self._line.join(frame)

    @handles(LLMFullResponseEndFrame)
    async def _answer_ends(self, frame: LLMFullResponseEndFrame, direction: FrameDirection) -> None:
        self._end_answer()
        self._line.join(frame)

    @handles(TextFrame, TTSSpeakFrame)
    async def _text(self, frame: TextFrame | TTSSpeakFrame, direction: FrameDirection) -> None:
        if isinstance(frame, TTSSpeakFrame):
            await self._speak(frame.text, append=frame.append_to_context)
        elif isinstance(frame, TTSTextFrame):
            self._line.join(frame, self._answer)
        elif frame.skip_tts:
            self._release()
            self._line.join(frame, self._answer)
        elif isinstance(frame, AggregatedTextFrame):
            self._release()
            text = frame.text if frame.includes_inter_frame_spaces else _apart(frame.text)
            async for part in in_steps(well_formed_text(text)):
                self._say(TextUnit(part, frame.aggregated_by), append=frame.append_to_context)
        elif isinstance(frame, LLMTextFrame) or self._answering:
            if frame.append_to_context is not self._appends:
                self._release()
                self._appends = frame.append_to_context
            async for part in in_steps(frame.text):
                for unit in self._units.push(part):
                    self._say(unit, append=self._appends)
        else:
            await self._speak(frame.text, append=frame.append_to_context)

    @handles(TTSUpdateSettingsFrame)
    async def _update(self, frame: TTSUpdateSettingsFrame, direction: FrameDirection) -> None:
        if frame.service is not None and frame.service != self.name:
            await self._join(frame, direction)
            return
        if not isinstance(self.provider, Configurable):
            await self.push_error(f"{self.name}: {self.provider.name} takes no settings now")
            return
        try:
            settings = self.settings.updated(frame.settings)
            self._cutter.speak_language(settings.language)
            self.provider.configure(settings)
        except AntiphonError as error:
            self._cutter.speak_language(self.settings.language)
            await self.push_error(f"{self.name}: {error}", exception=error)
            return
        self.settings = settings
        self._synthesis.model = settings.model
        self._connection.revive()

    # ---- text to utterances --------------------------------------------------------------------

    async def _speak(self, text: str, *, append: bool) -> None:
        """An utterance of its own; within an answer, after the sentences that are complete."""
        if not has_words(text):
            return
        self._close_answer()
        turn = append and not self._answering
        if turn:
            self._line.join(SpeechTurnFrame(text=text))
        utterance = self._open(append=append, request=text)
        units = self._cutter.aggregator(self.settings.language)
        try:
            async for part in in_steps(_apart(text)):
                for unit in units.push(part):
                    self._give(utterance, unit)
            for unit in units.flush():
                self._give(utterance, unit)
        finally:
            utterance.complete()
        if turn:
            self._line.join(LLMAssistantPushAggregationFrame())

    def _say(self, unit: TextUnit, *, append: bool) -> None:
        """A unit of the answer under way."""
        answer = self._answer
        if answer is None or answer.done or answer.append_to_context is not append:
            self._close_answer()  # one whose voice broke off is done: the rest is said anew
            if not unit.text.strip() and unit.matched is None:
                return
            answer = self._answer = self._open(append=append)
        if unit.text or unit.matched is not None:
            self._give(answer, unit)
        if not self._answering:
            self._close_answer()

    def _release(self) -> None:
        """What comes now has its place behind the text so far, and is not of one piece with it."""
        for unit in self._units.release():
            self._say(unit, append=self._appends)

    def _end_answer(self) -> None:
        *units, last = self._units.flush() or [TextUnit("")]
        if last.spoken and last.text:
            last = msgspec.structs.replace(last, text=_apart(last.text))
        for unit in [*units, last]:
            self._say(unit, append=self._appends)
        self._close_answer()
        self._answering = False

    def _close_answer(self) -> None:
        if self._answer is not None:
            self._answer.complete()
            self._answer = None

    def _open(self, *, append: bool, request: str | None = None) -> Utterance:
        utterance = Utterance(
            uuid.uuid4().hex,
            self.provider.capabilities,
            self._pace,
            append_to_context=append,
            opened=self.clock.now(),
            request=request,
        )
        self._line.join(utterance)
        return utterance

    def _give(self, utterance: Utterance, unit: TextUnit) -> None:
        if unit.matched is not None:
            _ = self.on_pattern_match.emit(unit.pattern or unit.kind, unit.matched)
        if not unit.text:
            return
        speak = unit.spoken and unit.kind not in self._skip_kinds
        spoken = self._cutter.spoken(unit) if speak else ""
        # Words that a transform takes away are lost: nobody hears them.
        speak = speak and (spoken is None or has_words(spoken) or has_words(unit.text))
        said = bool(spoken) and speak and self.usable and has_words(spoken or "")
        utterance.place(
            AggregatedTextFrame(
                text=unit.text,
                aggregated_by=unit.kind,
                context_id=utterance.context_id,
                will_be_spoken=said,
                append_to_context=not speak and utterance.append_to_context,
                includes_inter_frame_spaces=True,
            )
        )
        if said and spoken:
            _ = self.on_tts_request.emit(utterance.context_id, spoken)
            first = utterance.is_silent
            utterance.say(unit.text, spoken)
            if first:
                self._synthesis.add(utterance)
        elif speak:
            utterance.unsaid += unit.text


def _apart(text: str) -> str:
    """With a space at its end, so that the words of two utterances do not run into each other."""
    return text if text[-1:].isspace() else f"{text} "
