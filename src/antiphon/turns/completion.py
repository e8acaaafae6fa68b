"""The model judges whether the caller has finished: the protocol of markers, as a pure machine.

While it is on, the model begins every answer with a marker: complete, incomplete-short (the caller
was cut off and will go on in a moment) or incomplete-long (the caller needs time to think). The
LLM service owns one machine, tells it what comes from the model and what the caller does, and
carries out its actions.

States of one response:

    state      marker or text           complete   incomplete   tool call   end        caller speaks
    IDLE       -                        -          -            -           -          -
    WAITING    no marker: SPEAKING      SPEAKING   SILENCED     SPEAKING    IDLE       VOID
    SPEAKING   text flows               text       text         -           IDLE       -
    SILENCED   text is dropped          -          -            SPEAKING    IDLE       -
    VOID       text is dropped          -          -            -           IDLE       -

* Entering SPEAKING judges the turn complete, once per response.
* SILENCED sets a deadline: when it comes and the caller has not spoken, the model is asked again.
* VOID: the caller went on before the verdict. Whatever it is counts as incomplete; it neither
  finalizes nor speaks, and the model is asked again should the caller fall silent without a new
  turn.
* Never dead air: a response that says nothing and calls nothing is asked for again, `MAX_REPEATS`
  times.
"""

from __future__ import annotations

import enum
from typing import dataclass_transform

import msgspec

COMPLETE, INCOMPLETE_SHORT, INCOMPLETE_LONG = "✓", "○", "◐"
MAX_REPEATS = 1

INSTRUCTIONS = (
    "You hear the user through a microphone, and what you get may be cut off in mid-sentence. "
    "Begin every answer with exactly one of these marks, before any other character:\n"
    "{complete} The user has finished a thought. After the mark, a space and then your answer.\n"
    "{short} The user was cut off and will go on at once. Write the mark alone, nothing else.\n"
    "{long} The user is thinking or asked you to wait. Write the mark alone, nothing else.\n"
    "A question, a greeting, a yes or no, or a request that can be acted on is complete. When you "
    "call a function, the turn is complete. Never explain or mention the marks."
)
SHORT_PROMPT = (
    "The user stopped in the middle of a sentence and has not gone on. Begin with {complete} and, "
    "in a few words, invite the user to finish the thought."
)
LONG_PROMPT = (
    "The user asked for time and has been silent for a while. Begin with {complete} and ask in a "
    "few words whether the user is ready or needs anything."
)
REPEAT_PROMPT = (
    "Your last answer contained no words. Begin with {complete} and answer the user now."
)


class UserTurnCompletionConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How the model judges. Timeouts in seconds; None stands for the defaults of this module."""

    instructions: str | None = None
    incomplete_short_timeout: float = 5.0
    incomplete_long_timeout: float = 10.0
    incomplete_short_prompt: str | None = None
    incomplete_long_prompt: str | None = None
    complete_marker: str = COMPLETE
    incomplete_short_marker: str = INCOMPLETE_SHORT
    incomplete_long_marker: str = INCOMPLETE_LONG

    def system_instruction(self, own: str | None) -> str:
        """The program's system instruction with ours after it. The program's own is not changed."""
        ours = self.instructions or self.with_marks(INSTRUCTIONS)
        return f"{own}\n\n{ours}" if own else ours

    def with_marks(self, text: str) -> str:
        """One of this module's texts with the markers of this configuration."""
        complete, short, long = self.markers
        return text.format(complete=complete, short=short, long=long)

    @property
    def markers(self) -> tuple[str, str, str]:
        """Complete, incomplete-short, incomplete-long."""
        return self.complete_marker, self.incomplete_short_marker, self.incomplete_long_marker


# ---- events -----------------------------------------------------------------------------------


@dataclass_transform(frozen_default=True)
class CompletionEvent(msgspec.Struct, frozen=True):
    """What the LLM service tells."""


class CompletionResponseStarted(CompletionEvent):
    """The model begins to answer."""


class ResponseText(CompletionEvent):
    """A piece of its text."""

    text: str


class ResponseToolCall(CompletionEvent):
    """It calls a function."""


class ResponseEnded(CompletionEvent):
    """The answer is over."""


class ResponseInterrupted(CompletionEvent):
    """An interruption cut it off, or voids what was planned."""


class UserSpeechStarted(CompletionEvent):
    """The caller makes sound."""


class UserSpeechStopped(CompletionEvent):
    """The caller is silent."""


# ---- actions ----------------------------------------------------------------------------------


@dataclass_transform(frozen_default=True)
class CompletionAction(msgspec.Struct, frozen=True):
    """What the LLM service does."""


class Emit(CompletionAction):
    """Push this text of the answer."""

    text: str


class EmitMarker(CompletionAction):
    """Push an `LLMMarkerFrame`; with `append_immediately` also upstream: the turn is held open."""

    marker: str
    append_immediately: bool


class CompleteTurn(CompletionAction):
    """Broadcast `UserTurnInferenceCompletedFrame`."""


class Prompt(CompletionAction):
    """Append a developer message and run the model."""

    text: str


class Warn(CompletionAction):
    """Tell the developer, once per session."""

    message: str


class CompletionState(enum.Enum):
    """Of the response under way."""

    IDLE = "no response is under way"
    WAITING = "no marker has come yet"
    SPEAKING = "complete: what it says is spoken"
    SILENCED = "incomplete: what it says is dropped"
    VOID = "the caller went on before the verdict"


class TurnCompletion:
    """Judges the answers of one model in one session. Times in seconds on the loop's clock."""

    def __init__(self, config: UserTurnCompletionConfig | None = None) -> None:
        self.config: UserTurnCompletionConfig = config or UserTurnCompletionConfig()
        self.state: CompletionState = CompletionState.IDLE
        self.deadline: float | None = None
        self._prompt = ""
        self._buffer = ""
        self._said = False
        self._called = False
        self._judged = False
        self._warned = False
        self._repeats = 0
        self._user_speaks = False
        self._lead = False

    def receive(self, event: CompletionEvent, now: float) -> list[CompletionAction]:
        """Takes an event in; returns what is to be done, in order."""
        match event:
            case CompletionResponseStarted():
                self._begin()
            case ResponseText(text=text):
                return self._text(text, now)
            case ResponseToolCall():
                return self._tool_call()
            case ResponseEnded():
                return self._end(now)
            case ResponseInterrupted():
                self.state, self.deadline, self._buffer = CompletionState.IDLE, None, ""
            case UserSpeechStarted():
                self._user_speaks, self.deadline, self._repeats = True, None, 0
                if self.state is CompletionState.WAITING:
                    self.state = CompletionState.VOID
            case UserSpeechStopped():
                self._user_speaks = False
        return []

    def tick(self, now: float) -> list[CompletionAction]:
        """The caller did not go on in time."""
        if self.deadline is None or now < self.deadline:
            return []
        self.deadline = None
        return [Prompt(self._prompt)]

    # ---- the response --------------------------------------------------------------------------

    def _begin(self) -> None:
        self.state, self.deadline, self._buffer = CompletionState.WAITING, None, ""
        self._said = self._called = self._judged = False
        self._lead = True
        if self._user_speaks:
            self.state = CompletionState.VOID

    def _text(self, text: str, now: float) -> list[CompletionAction]:
        if self.state is CompletionState.SPEAKING:
            return self._speak(text)
        if self.state is not CompletionState.WAITING:
            return []
        self._buffer += text
        head = self._buffer.lstrip()
        for marker in self.config.markers:
            if head.startswith(marker):
                return self._verdict(marker, head[len(marker) :], now)
        if not head or any(marker.startswith(head) for marker in self.config.markers):
            return []  # a marker may be split over several pieces
        return self._unmarked()

    def _verdict(self, marker: str, rest: str, now: float) -> list[CompletionAction]:
        config = self.config
        if marker == config.complete_marker:
            actions: list[CompletionAction] = [EmitMarker(marker, append_immediately=False)]
            return [*actions, *self._complete(), *self._speak(rest)]
        self.state = CompletionState.SILENCED
        wait, prompt = config.incomplete_long_timeout, config.incomplete_long_prompt
        if marker == config.incomplete_short_marker:
            wait = config.incomplete_short_timeout
            prompt = config.incomplete_short_prompt or config.with_marks(SHORT_PROMPT)
        self._prompt = prompt or config.with_marks(LONG_PROMPT)
        self.deadline = now + wait
        return [EmitMarker(marker, append_immediately=True)]

    def _unmarked(self) -> list[CompletionAction]:
        """The model did not keep to the protocol: better spoken than swallowed."""
        text, self._buffer, self._lead = self._buffer, "", False
        actions: list[CompletionAction] = []
        if not self._warned:
            self._warned = True
            actions.append(
                Warn("the model began an answer without a turn-completion marker; it is spoken")
            )
        return [*actions, *self._complete(), *self._speak(text)]

    def _complete(self) -> list[CompletionAction]:
        self.state, self._buffer, self.deadline = CompletionState.SPEAKING, "", None
        if self._judged:
            return []
        self._judged = True
        return [CompleteTurn()]

    def _speak(self, text: str) -> list[CompletionAction]:
        if self._lead and text:  # one space separates the marker from the answer
            self._lead, text = False, text.removeprefix(" ")
        if not text:
            return []
        self._said = self._said or bool(text.strip())
        return [Emit(text)]

    def _tool_call(self) -> list[CompletionAction]:
        self._called = True
        if self.state is CompletionState.WAITING:
            held = self._buffer
            actions = self._complete()
            self._lead = False
            return [*actions, *(self._speak(held) if held.strip() else [])]
        return self._complete() if self.state is CompletionState.SILENCED else []

    def _end(self, now: float) -> list[CompletionAction]:
        state, self.state = self.state, CompletionState.IDLE
        actions: list[CompletionAction] = []
        if state is CompletionState.WAITING and self._buffer.strip():
            self.state = CompletionState.WAITING
            actions = self._unmarked()
            self.state = CompletionState.IDLE
        if state is CompletionState.VOID and not self._called:
            again = self.config.incomplete_short_prompt
            self._prompt = again or self.config.with_marks(SHORT_PROMPT)
            if not self._user_speaks:
                self.deadline = now + self.config.incomplete_short_timeout
        mute = state in (CompletionState.WAITING, CompletionState.SPEAKING)
        if mute and not self._said and not self._called and self._repeats < MAX_REPEATS:
            self._repeats += 1
            actions.append(Prompt(self.config.with_marks(REPEAT_PROMPT)))
        elif self._said or self._called:
            self._repeats = 0
        return actions
