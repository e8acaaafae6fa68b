"""Start strategies: when does the caller take the floor?

Each is told every fact in the order of the list it stands in, until one swallows the fact. What a
strategy needs to know of the agent it learns from `BotStarted` and `BotStopped`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, Final

from antiphon.errors import ConfigurationError
from antiphon.kernel.event_source import Event
from antiphon.turns.facts import (
    AnnouncedStart,
    BotStarted,
    BotStopped,
    Fact,
    ProposedStart,
    SpeechStarted,
    TextForgotten,
    TranscriptReceived,
    TurnStarted,
    TurnStopped,
)
from antiphon.turns.opinions import NOTHING, Doubt, Forget, Notify, Opinion, StartTurn, Swallow
from antiphon.turns.strategy import UserTurnStartStrategy
from antiphon.turns.words import count_words, plain

_WAKE_MEMORY_CHARS = 250


class VADUserTurnStartStrategy(UserTurnStartStrategy):
    """Voice activity starts a turn.

    With `recover` a sound over the agent, or before its answer is heard, holds what the agent says
    until it is clear whether the caller speaks (`Doubt`): it interrupts when words come, or after
    `hold_secs` of sound; without words the agent goes on, `resume_secs` after the sound. False: it
    interrupts at once, and what it cut off is gone. Times in seconds.
    """

    def __init__(
        self,
        *,
        recover: bool = False,
        hold_secs: float = 3.0,
        resume_secs: float = 1.0,
        enable_interruptions: bool = True,
        enable_user_speaking_frames: bool = True,
    ) -> None:
        super().__init__(
            enable_interruptions=enable_interruptions,
            enable_user_speaking_frames=enable_user_speaking_frames,
        )
        if hold_secs <= 0 or resume_secs < 0:
            raise ConfigurationError(
                f"hold_secs is more than 0 and resume_secs not negative, not {hold_secs:g} and "
                f"{resume_secs:g}; recover=False interrupts at once"
            )
        self.doubt: Doubt | None = Doubt(hold_secs, resume_secs) if recover else None

    def receive(self, event: Fact, now: float) -> Sequence[Opinion]:
        match event:
            case SpeechStarted():
                return (StartTurn("voice activity", doubt=self.doubt),)
        return NOTHING


class TranscriptionUserTurnStartStrategy(UserTurnStartStrategy):
    """A transcript starts a turn: for callers whom the VAD does not hear, or without a VAD."""

    def __init__(
        self,
        *,
        use_interim: bool = True,
        enable_interruptions: bool = True,
        enable_user_speaking_frames: bool = True,
    ) -> None:
        super().__init__(
            enable_interruptions=enable_interruptions,
            enable_user_speaking_frames=enable_user_speaking_frames,
        )
        self.use_interim = use_interim

    def receive(self, event: Fact, now: float) -> Sequence[Opinion]:
        match event:
            case TranscriptReceived(text=text, final=final) if text.strip() and (
                final or self.use_interim
            ):
                return (StartTurn(f"{'transcript' if final else 'interim transcript'} {text!r}"),)
        return NOTHING


class MinWordsUserTurnStartStrategy(UserTurnStartStrategy):
    """While the agent speaks it takes `min_words` words, otherwise one.

    They count over the final transcripts of one stretch of the caller's speech, and the interim
    one that follows them; without voice activity in each transcript by itself. What stays below
    the threshold is thrown away when the next stretch begins: it was not addressed to the agent.
    """

    def __init__(
        self,
        min_words: int,
        *,
        use_interim: bool = True,
        enable_interruptions: bool = True,
        enable_user_speaking_frames: bool = True,
    ) -> None:
        super().__init__(
            enable_interruptions=enable_interruptions,
            enable_user_speaking_frames=enable_user_speaking_frames,
        )
        if min_words < 1:
            raise ConfigurationError(f"min_words is {min_words}: it must be 1 or more")
        self.min_words = min_words
        self.use_interim = use_interim
        self._bot_speaks = False
        self._detector = False
        self._words = 0
        """Of the final transcripts of this stretch."""

    def receive(self, event: Fact, now: float) -> Sequence[Opinion]:
        match event:
            case BotStarted():
                self._bot_speaks = True
            case BotStopped():
                self._bot_speaks = False
            case SpeechStarted():
                few, self._words, self._detector = self._words, 0, True
                if few:
                    return (Forget(f"{few} words of {self.min_words} while the agent speaks"),)
            case TurnStarted() | TextForgotten():
                self._words = 0
            case TranscriptReceived(text=text, final=final) if final or self.use_interim:
                return self._count(count_words(text), final=final)
        return NOTHING

    def _count(self, new: int, *, final: bool) -> Sequence[Opinion]:
        words, needed = self._words + new, self.min_words if self._bot_speaks else 1
        if words >= needed and new:
            return (StartTurn(f"{words} words of {needed}"),)
        if not (final and new):
            return NOTHING
        if not self._detector:
            return (Forget(f"{words} words of {needed} while the agent speaks"), Swallow())
        self._words = words
        return (Swallow(),)


class WakePhraseUserTurnStartStrategy(UserTurnStartStrategy):
    """Put first in the list: nothing starts a turn until the caller says one of `phrases`.

    Asleep it swallows every fact and forgets every transcript without a phrase (compared without
    case and punctuation, over the last 250 characters heard). The phrase starts a turn and wakes
    it; awake, the other strategies decide. `timeout` seconds after the last activity of either
    side it sleeps again; with `single_activation` already when the turn is over.
    """

    on_wake_phrase_detected: Final = Event[[str]]()
    on_wake_phrase_timeout: Final = Event[[]]()

    def __init__(
        self,
        phrases: Sequence[str],
        *,
        timeout: float = 10.0,
        single_activation: bool = False,
        enable_interruptions: bool = True,
        enable_user_speaking_frames: bool = True,
    ) -> None:
        super().__init__(
            enable_interruptions=enable_interruptions,
            enable_user_speaking_frames=enable_user_speaking_frames,
        )
        self._phrases = {
            phrase: re.compile(rf"(?<!\w){re.escape(plain(phrase))}(?!\w)") for phrase in phrases
        }
        if not phrases or not all(plain(phrase) for phrase in phrases):
            raise ConfigurationError("phrases: name at least one, and none without letters")
        self.timeout = timeout
        self.single_activation = single_activation
        self.awake: bool = False
        self._memory = ""
        self._turn_open = False
        self._bot_speaks = False

    def receive(self, event: Fact, now: float) -> Sequence[Opinion]:
        match event:
            case BotStarted() | BotStopped():
                self._bot_speaks = isinstance(event, BotStarted)
            case TurnStarted():
                self._turn_open = True
            case TurnStopped():
                self._turn_open = False
                if self.single_activation:
                    self._sleep()
        if self.awake:
            if not self.single_activation:
                self._rearm(now)
            return NOTHING
        if isinstance(event, TranscriptReceived) and event.final:
            return self._listen(event.text, now)
        return (Swallow(),)

    def tick(self, now: float) -> Sequence[Opinion]:
        self._sleep()
        return (Notify(self.on_wake_phrase_timeout),)

    def _listen(self, text: str, now: float) -> Sequence[Opinion]:
        self._memory = f"{self._memory} {plain(text)}"[-_WAKE_MEMORY_CHARS:]
        for phrase, pattern in self._phrases.items():
            if pattern.search(self._memory):
                self.awake, self._memory = True, ""
                self._rearm(now)
                return (
                    Notify(self.on_wake_phrase_detected, (phrase,)),
                    StartTurn(f"wake phrase {phrase!r}"),
                )
        return (Forget("asleep: no wake phrase"), Swallow())

    def _rearm(self, now: float) -> None:
        busy = self._turn_open or self._bot_speaks
        self.deadline = None if busy else now + self.timeout

    def _sleep(self) -> None:
        self.awake, self.deadline, self._memory = False, None, ""


class ExternalUserTurnStartStrategy(UserTurnStartStrategy):
    """A service with a detector of its own decides.

    Its proposal becomes a turn. A turn that somebody else has already announced is adopted, without
    announcing it or interrupting again.
    """

    resolves_proposals: ClassVar[bool] = True

    def receive(self, event: Fact, now: float) -> Sequence[Opinion]:
        match event:
            case ProposedStart():
                return (StartTurn("proposed by a service"),)
            case AnnouncedStart():
                return (StartTurn("announced by somebody else", announce=False),)
        return NOTHING
