"""Drops what is not the caller's voice but the agent's own, come back through the microphone.

A transcript over the agent's speech, or shortly after it, is an echo when nearly all of its words
stand in what the agent has just said, one near the other and in that order. A short final one is
the caller's: "yes" may well be said after the agent said it; unless it is all that the agent said,
and its sound began over the agent's. A short interim one that repeats the agent waits for the rest.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from difflib import SequenceMatcher

from antiphon.turns.facts import (
    BotSaid,
    BotStarted,
    BotStopped,
    Fact,
    SpeechStarted,
    TranscriptReceived,
)
from antiphon.turns.opinions import NOTHING, Forget, Opinion, Swallow
from antiphon.turns.strategy import UserTurnStartStrategy
from antiphon.turns.words import words

_MEMORY_WORDS = 120
_MIN_WORDS = 3


class EchoGuardUserTurnStartStrategy(UserTurnStartStrategy):
    """Put first in the list. It starts no turn; it keeps echoes from the strategies behind it.

    `similarity` is the share of the transcript's words that must be found, `tail_secs` how long
    after the agent's speech an echo may come. With `guard_sound`, sound over the agent is kept
    from them as well, so that only words can interrupt: without that, a VAD strategy interrupts
    before there is a transcript.
    """

    def __init__(
        self, *, similarity: float = 0.8, tail_secs: float = 1.5, guard_sound: bool = True
    ) -> None:
        super().__init__()
        self.similarity = similarity
        self.tail_secs = tail_secs
        self.guard_sound = guard_sound
        self._said: deque[str] = deque(maxlen=_MEMORY_WORDS)
        self._utterance: list[str] = []
        """What the agent says without a pause, at the moment or last."""
        self._utterance_over = True
        self._bot_speaks = False
        self._stopped_at = self._until = float("-inf")
        self._sound_over_bot = False

    def receive(self, event: Fact, now: float) -> Sequence[Opinion]:
        match event:
            case BotSaid(text=text):
                self._note(words(text))
            case BotStarted():
                self._bot_speaks = True
            case BotStopped():
                self._bot_speaks, self._utterance_over = False, True
                self._stopped_at, self._until = now, now + self.tail_secs
            case SpeechStarted(at=at):
                self._sound_over_bot = self._bot_speaks or at < self._stopped_at
                return (Swallow(),) if self._sound_over_bot and self.guard_sound else NOTHING
            case TranscriptReceived(text=text, final=final) if (
                self._bot_speaks or now < self._until
            ):
                if final and (self.is_echo(text) or self.is_whole_utterance(text)):
                    return (Forget(f"echo {text!r}"), Swallow())
                if not final and self.may_become_echo(text):
                    return (Swallow(),)
        return NOTHING

    def _note(self, said: list[str]) -> None:
        self._said.extend(said)
        if self._utterance_over:
            self._utterance, self._utterance_over = [], False
        self._utterance += said

    def is_whole_utterance(self, text: str) -> bool:
        """Whether the sound over the agent was all that the agent says."""
        said = words(text)
        return bool(said) and self._sound_over_bot and said == self._utterance

    def may_become_echo(self, text: str) -> bool:
        """Whether an interim transcript is one, or is too short to tell and repeats the agent."""
        heard = words(text)
        if len(heard) >= _MIN_WORDS:
            return self.is_echo(text)
        said = list(self._said)
        return any(said[at : at + len(heard)] == heard for at in range(len(said) - len(heard) + 1))

    def is_echo(self, text: str) -> bool:
        """Whether the agent has just said this."""
        heard = words(text)
        if len(heard) < _MIN_WORDS:
            return False
        matcher = SequenceMatcher(None, list(self._said), heard, autojunk=False)
        blocks = [block for block in matcher.get_matching_blocks() if block.size]
        if not blocks:
            return False
        found = sum(block.size for block in blocks)
        spread = blocks[-1].a + blocks[-1].size - blocks[0].a
        return found >= self.similarity * len(heard) and spread <= 2 * len(heard) + 2
