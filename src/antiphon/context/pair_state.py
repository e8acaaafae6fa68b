"""What the two aggregators of a pair share: the context, the calls, and when an inference is owed.

Every method is synchronous and complete: whoever calls it, on whichever lane, the next one finds a
valid context. Frames that go both ways reach both halves; each is taken once, by its id.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from typing import Any

from antiphon.context.assistant_turn import AssistantTurn
from antiphon.context.call_log import CallLog, Updated
from antiphon.context.images import message_of
from antiphon.context.llm_context import ContextSnapshot, LLMContext
from antiphon.context.messages import Message, assistant_message, developer_message
from antiphon.frames.audio import UserImageRawFrame
from antiphon.frames.base import ControlFrame, Frame, UninterruptibleFrame
from antiphon.frames.lifecycle import InterruptionFrame
from antiphon.frames.llm import (
    LLMContextFrame,
    LLMMessagesAppendFrame,
    LLMMessagesTransformFrame,
    LLMMessagesUpdateFrame,
    LLMRunFrame,
    LLMSetToolChoiceFrame,
    LLMSetToolsFrame,
)
from antiphon.frames.turns import BotStartedSpeakingFrame, BotStoppedSpeakingFrame
from antiphon.tools.run_gate import EpochLike, RunGate
from antiphon.tools.schema import as_tools

EDIT_FRAMES = (
    LLMRunFrame,
    LLMMessagesAppendFrame,
    LLMMessagesUpdateFrame,
    LLMMessagesTransformFrame,
    LLMSetToolChoiceFrame,
)


class RunDueFrame(UninterruptibleFrame, ControlFrame):
    """An aggregator's note to itself: after the frames that are queued already, run what is owed.

    Results that arrive together are all written before it is handled, and cost one inference.
    """


class PairState:
    """The state of one pair."""

    def __init__(self, context: LLMContext, *, add_tool_change_messages: bool = False) -> None:
        self.context = context
        self.gate: RunGate = RunGate()
        self.calls: CallLog = CallLog(context, self.gate)
        self.has_user_half = False
        self.on_answer: Callable[[bool], None] = lambda owed: None
        """Told when an answer begins to come (True), and when it has come to its end."""
        self.open_turn: AssistantTurn | None = None
        self._add_tool_change_messages = add_tool_change_messages
        self._last_bot_frame = 0
        self._last_interruption = 0
        self._run_noted = False
        self._last_run: ContextSnapshot | None = None
        self._halves: set[str] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    # ---- the conversation ----

    def begin(self, half: str) -> None:
        """A half has started.

        Raises:
            AlreadyInPipelineError: the context is used by another conversation.

        """
        self._loop = asyncio.get_running_loop()
        self.context.use.take(self)
        self._halves.add(half)

    def finish(self, half: str) -> None:
        """A half has ended; after the last of them the context is free."""
        self._halves.discard(half)
        if not self._halves:
            self.context.use.leave(self)

    @property
    def over(self) -> bool:
        """The conversation went away with its loop."""
        return self._loop is None or self._loop.is_closed()

    # ---- edits ----

    def edit(self, frame: Frame) -> bool:
        """Applies an edit; True if the model is to run on what has become of the context now.

        A run that was asked for before an interruption is owed instead: whoever interrupted may be
        speaking, and the inference of that turn covers it.

        Raises:
            AntiphonError: the edit makes no sense; the context has not changed.

        """
        match frame:
            case LLMRunFrame():
                return True
            case LLMMessagesAppendFrame(messages=messages, run_llm=run):
                self.context.add_messages(messages)
            case LLMMessagesUpdateFrame(messages=messages, run_llm=run):
                self.context.set_messages(messages)
            case LLMMessagesTransformFrame(transform=transform, run_llm=run):
                self.context.transform_messages(transform)
            case LLMSetToolChoiceFrame(tool_choice=tool_choice):
                self.context.set_tool_choice(tool_choice)
                return False
            case _:
                return False
        if run and frame.id < self._last_interruption:
            self.gate.owe()
            return False
        return bool(run)

    def set_tools(self, frame: LLMSetToolsFrame) -> None:
        """Replaces the tools, with a notice of the difference if the pair wants one.

        The second half that sees the frame finds no difference.
        """
        new = as_tools(frame.tools)
        old_names, new_names = self.context.tools.names, new.names
        if new != self.context.tools:
            self.context.set_tools(new)
        notice = tool_change_text(old_names, new_names)
        if notice and self._add_tool_change_messages:
            self.context.add_message(developer_message(notice))

    def write_assistant(self, messages: Sequence[Any], *, response_id: int | None) -> list[Message]:
        """Writes what the assistant said where it belongs: before the calls it led to, and before
        results that came in while it was being said.
        """
        return self.context.insert(messages, before=self._place(response_id))

    def _place(self, response_id: int | None) -> Message | None:
        """The message before which the text of that answer belongs; None: at the end."""
        before = self.calls.anchor(response_id)
        if before is None and response_id is None:
            before = self.calls.unanswered_tail()
        return before if before is not None else self.calls.unseen_news

    def image(self, frame: UserImageRawFrame) -> bool:
        """Takes in a picture; True if the model is to look at it now.

        One that a running call asked for waits for the end of the call.

        Raises:
            InvalidInputError: it is malformed; nothing has changed.

        """
        request = frame.request
        wanted = frame.append_to_context
        if wanted is None and request is not None:
            wanted = request.append_to_context is not False
        if not wanted:
            return False
        message = message_of(frame)
        call_id = request.tool_call_id if request is not None else None
        if call_id is not None and self.calls.table.is_open(call_id):
            self.calls.attach(call_id, message)
            return False
        self.context.add_message(message)
        return True

    # ---- running the model ----

    def run(self, epoch: EpochLike) -> LLMContextFrame:
        """The frame that runs the model on the context as it is: all that was owed is paid."""
        snapshot = self._with_open_turn(self.context.snapshot())
        self.gate.inference_sent(snapshot.version, epoch)
        self.calls.inference_sent()
        self._last_run = snapshot
        return LLMContextFrame(context=snapshot)

    def _with_open_turn(self, snapshot: ContextSnapshot) -> ContextSnapshot:
        """The snapshot with what the assistant is just saying, so that it does not say it again.

        The context has only what was heard, and that when the turn is over; the model also knows
        what it is about to be heard saying.
        """
        turn = self.open_turn
        if turn is None:
            return snapshot
        text = self.context.drafts.get(turn.response_id).strip() or turn.heard
        if not text:
            return snapshot
        place = self._place(turn.response_id)
        at = None if place is None else self.context.position(place)
        at = len(snapshot.messages) if at is None else at
        said = (*snapshot.messages[:at], assistant_message(text), *snapshot.messages[at:])
        return snapshot.with_messages(said)

    @property
    def told(self) -> int | None:
        """How many messages the model has seen as they are, while it is owed news; else None."""
        if not self.gate.owed:
            return None
        seen = self._last_run.messages if self._last_run is not None else ()
        pairs = zip(seen, self.context.messages, strict=False)
        return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] is pair[1], pairs))

    def heard(self, response_id: int | None) -> None:
        """The caller heard something of an answer."""
        if response_id is not None:
            self.gate.response_heard(self.context.drafts.version(response_id))

    def response_ended(self, response_id: int | None) -> None:
        """An answer has come out to its end."""
        self.gate.response_ended(self.context.drafts.version(response_id))
        self.on_answer(False)

    def note_run(self) -> RunDueFrame | None:
        """The note to queue, if an inference is due and no note is on its way."""
        if self._run_noted or not self.gate.due:
            return None
        self._run_noted = True
        return RunDueFrame()

    def run_now(self, epoch: EpochLike) -> LLMContextFrame | None:
        """The note is handled: runs the model, if the inference is still due."""
        self._run_noted = False
        return self.run(epoch) if self.gate.due else None

    def log(self, frame: Frame) -> Updated | None:
        """A frame of a function call."""
        return self.calls.receive(frame)

    # ---- who speaks ----

    def bot_frame(self, frame: BotStartedSpeakingFrame | BotStoppedSpeakingFrame) -> None:
        if frame.id > self._last_bot_frame:
            self._last_bot_frame = frame.id
            self.gate.bot_speaking(isinstance(frame, BotStartedSpeakingFrame))

    def interruption(self, frame: InterruptionFrame) -> None:
        """An epoch is over; being told twice changes nothing."""
        self._last_interruption = max(self._last_interruption, frame.id)
        self.gate.interrupted()


def tool_change_text(old: Sequence[str], new: Sequence[str]) -> str:
    """What a developer message says about a change of tools; empty if nothing changed."""
    added = [name for name in new if name not in old]
    removed = [name for name in old if name not in new]
    parts = []
    if added:
        parts.append(f"These functions are available from now on: {', '.join(added)}.")
    if removed:
        parts.append(f"These functions are no longer available: {', '.join(removed)}.")
    return " ".join(parts)
