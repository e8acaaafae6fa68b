"""A start strategy that tells an interruption from a "mhm": by its length and its words.

Theory of operation
-------------------
While the agent is silent, sound or words of the caller start a turn, as usual. While it speaks,
sound only *stirs*: the agent's speech is held (if `hold`), and what the sound was decides:

    the caller goes on for `min_duration`                        a turn
    words that are not all backchannel words                     a turn
    the agent finishes by itself while the caller makes sound    a turn
    it ends before that                                          nothing, for now: the agent goes on
    the transcript: none                                         nothing
    the transcript: backchannel words only                       forgotten after `answer_secs`,
                                                                 unless the agent finishes before:
                                                                 then it was the answer

A word that comes late counts as said when it was said: over the agent's speech, up to `late_secs`
after the sound. The words are those of the caller's language as the transcriber reports it, else
of `language`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from antiphon.turns.facts import (
    BotStarted,
    BotStopped,
    Fact,
    SpeechStarted,
    SpeechStopped,
    TranscriptReceived,
    TurnStarted,
)
from antiphon.turns.opinions import (
    NOTHING,
    Forget,
    HoldSpeech,
    Opinion,
    ReleaseSpeech,
    StartTurn,
    Swallow,
)
from antiphon.turns.strategy import UserTurnStartStrategy
from antiphon.turns.words import words

BACKCHANNELS: Mapping[str, frozenset[str]] = {
    "en": frozenset(
        "mhm mm mmm hm hmm mh uh uhuh huh um aha ah oh ok okay yeah yep yup yes right sure good "
        "great nice cool wow really exactly true fine alright indeed i see got it of course".split()
    ),
    "de": frozenset(
        "mhm hm hmm mh aha ah oh ok okay ja jo jep genau gut schön klar stimmt richtig eben "
        "achso ach so verstehe natürlich super toll wirklich".split()
    ),
    "fr": frozenset(
        "mhm hm hmm mm ah oh euh ok okay oui ouais d'accord bien bon voilà exactement vraiment "
        "c'est ça je vois bien sûr".split()
    ),
    "es": frozenset(
        "mhm hm hmm mm ajá ah oh eh ok okay sí vale claro bien bueno ya exacto verdad entiendo "
        "de acuerdo por supuesto".split()
    ),
    "it": frozenset("mhm hm mm ah oh eh ok okay sì certo bene va esatto vero capisco già".split()),
    "pt": frozenset("mhm hm mm ah oh ok okay sim tá certo bom claro pois isso entendi é".split()),
    "zh": frozenset("嗯 啊 哦 噢 对 好 是 的 行".split()),
    "ja": frozenset("う ん は い え そ う で す ね へ ー".split()),
}
"""Words with which listeners say that they listen; small on purpose: when in doubt, it is a
turn.
"""


class BackchannelUserTurnStartStrategy(UserTurnStartStrategy):
    """Stands in place of the VAD and the transcription strategy. Times in seconds.

    `answer_secs`: "yes" so shortly before the agent finishes is an answer, not a backchannel.
    `max_words`: more words are never a backchannel. `extra_words` are added to the list of every
    language.
    """

    def __init__(
        self,
        *,
        min_duration: float = 0.9,
        max_words: int = 3,
        hold: bool = True,
        language: str = "en",
        extra_words: Iterable[str] = (),
        late_secs: float = 2.0,
        answer_secs: float = 1.0,
        enable_interruptions: bool = True,
        enable_user_speaking_frames: bool = True,
    ) -> None:
        super().__init__(
            enable_interruptions=enable_interruptions,
            enable_user_speaking_frames=enable_user_speaking_frames,
        )
        self.min_duration = min_duration
        self.max_words = max_words
        self.hold = hold
        self._language = language
        self._extra = frozenset(word.lower() for word in extra_words)
        self._late_secs = late_secs
        self._answer_secs = answer_secs
        self._bot_speaks = False
        self._began: float | None = None
        self._over_bot_until = 0.0
        self._vad_lag = 0.2
        self._long_at: float | None = None
        self._forget_at: float | None = None

    def receive(self, event: Fact, now: float) -> Sequence[Opinion]:
        match event:
            case BotStarted():
                self._bot_speaks = True
            case BotStopped():
                self._bot_speaks = False
                if self._began is not None:
                    return self._start("the agent has finished and the caller speaks")
                if self._forget_at is not None:
                    return self._start("the agent finished right after: it was an answer")
            case SpeechStarted(at=at):
                return self._sound(at, now)
            case SpeechStopped(at=at, stop_secs=lag):
                self._vad_lag = lag
                return self._silence(at, now)
            case TranscriptReceived(text=text) if text.strip():
                return self._heard(event, now)
            case TurnStarted():
                self._over_bot_until = 0.0
                self._wait(long_at=None, forget_at=None)
        return NOTHING

    def tick(self, now: float) -> Sequence[Opinion]:
        if self._long_at is not None and self._long_at <= now:
            return self._start(f"{self.min_duration:.1f} s of speech over the agent")
        self._wait(long_at=self._long_at, forget_at=None)
        return (Forget("backchannel"),)

    def _sound(self, at: float, now: float) -> Sequence[Opinion]:
        self._began = at
        if not self._bot_speaks:
            return self._start("voice activity")
        self._over_bot_until = now + self.min_duration + self._late_secs
        long_at = max(now, at + self.min_duration + self._vad_lag)
        self._wait(long_at=long_at, forget_at=self._forget_at)
        return (HoldSpeech("sound over the agent"),) if self.hold else NOTHING

    def _silence(self, at: float, now: float) -> Sequence[Opinion]:
        began, self._began = self._began, None
        self._wait(long_at=None, forget_at=self._forget_at)
        if began is None or not self._over_bot_until:
            return NOTHING
        self._over_bot_until = now + self._late_secs
        return (ReleaseSpeech(f"{max(at - began, 0.0):.1f} s of sound: not an interruption"),)

    def _heard(self, heard: TranscriptReceived, now: float) -> Sequence[Opinion]:
        if not self._bot_speaks and now > self._over_bot_until:
            return self._start(f"transcript {heard.text!r}")
        if not self._is_backchannel(heard):
            return self._start(f"words over the agent: {heard.text!r}")
        if not heard.final:
            return (Swallow(),)
        self._wait(long_at=self._long_at, forget_at=now + self._answer_secs)
        return (ReleaseSpeech(f"backchannel {heard.text!r}"), Swallow())

    def _is_backchannel(self, heard: TranscriptReceived) -> bool:
        said = words(heard.text)
        known = BACKCHANNELS.get((heard.language or self._language).split("-")[0].lower())
        allowed = (known or BACKCHANNELS["en"]) | self._extra
        return len(said) <= self.max_words and all(word in allowed for word in said)

    def _start(self, reason: str) -> Sequence[Opinion]:
        self._wait(long_at=None, forget_at=None)
        return (StartTurn(reason),)

    def _wait(self, *, long_at: float | None, forget_at: float | None) -> None:
        self._long_at, self._forget_at = long_at, forget_at
        due = [at for at in (long_at, forget_at) if at is not None]
        self.deadline: float | None = min(due) if due else None
