"""Bugs for the laws of `edges`: each is a fault that an output, a line or a context could have."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from antiphon.context.assistant_turn import AssistantTurn
from antiphon.frames.lifecycle import EndFrame
from antiphon.kernel.processor import FrameProcessor
from antiphon.transports.base import BaseTransport
from antiphon.transports.guard import FailureLog, Guard
from antiphon.transports.line import CallerLine, LineState
from antiphon.transports.output import OutputTransport
from antiphon.transports.playout import Playout
from antiphon.transports.playout_events import Actions
from antiphon.transports.playout_sound import SoundBuffer
from tests.laws import edges

Plant = Callable[[pytest.MonkeyPatch], None]
_KINDS: tuple[type[BaseException], ...] = tuple(type(error) for error in edges.ERRORS)


def sent_is_heard(patch: pytest.MonkeyPatch) -> None:
    """What was written counts, whether the line took it or not."""
    original = Playout._written

    def written(self: Playout, now: float, actions: Actions, *, accepted: bool) -> None:
        original(self, now, actions, accepted=True)

    patch.setattr(Playout, "_written", written)


def a_refused_chunk_is_gone(patch: pytest.MonkeyPatch) -> None:
    """What the line did not take is not given again."""
    patch.setattr(SoundBuffer, "put_back", lambda self: None)


def only_io_errors_are_expected(patch: pytest.MonkeyPatch) -> None:
    """A sink that raises anything but an `OSError` ends the player."""
    original = Guard.call

    async def call(self: Guard, work: Callable[..., Awaitable[None]], *args: object) -> bool:
        unknown: list[BaseException] = []

        async def watched() -> None:
            try:
                await work(*args)
            except _KINDS as error:
                if isinstance(error, OSError):
                    raise
                unknown.append(error)

        fine = await original(self, watched)
        if unknown:
            raise RuntimeError("the player dies") from unknown[0]
        return fine

    patch.setattr(Guard, "call", call)


def a_hang_up_interrupts_nothing(patch: pytest.MonkeyPatch) -> None:
    """The agent speaks on to nobody when the caller has hung up."""

    def over(self: OutputTransport, reason: str) -> None:
        self.push_frame(EndFrame(reason=reason))

    patch.setattr(OutputTransport, "line_over", over)


def a_hang_up_closes_the_turn_as_complete(patch: pytest.MonkeyPatch) -> None:
    """Nothing is unheard, whatever the model meant to say."""
    patch.setattr(AssistantTurn, "unheard", lambda self, draft: "")


def a_lost_line_is_a_hang_up(patch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a caller who may come back."""
    patch.setattr(CallerLine, "lost", CallerLine.hang_up)


def a_lost_line_is_waited_for_forever(patch: pytest.MonkeyPatch) -> None:
    """A caller who does not come back keeps the session."""
    patch.setattr(CallerLine, "_end_after", lambda self, secs: None)


def a_line_that_comes_back_still_ends(patch: pytest.MonkeyPatch) -> None:
    """The deadline of a line that was lost stays."""
    patch.setattr(CallerLine, "_stop_timer", lambda self: None)


def a_restored_line_stays_held(patch: pytest.MonkeyPatch) -> None:
    """The agent does not go on when the caller is there again."""
    patch.setattr(OutputTransport, "line_back", lambda self: None)


def a_loss_is_told_as_a_disconnection(patch: pytest.MonkeyPatch) -> None:
    """`on_client_disconnected` fires when the line is lost, and again when it is over."""
    original = BaseTransport.line_changed

    def changed(self: BaseTransport, state: LineState, before: LineState) -> None:
        original(self, LineState.OVER if state is LineState.LOST else state, before)

    patch.setattr(BaseTransport, "line_changed", changed)


def each_failure_is_told(patch: pytest.MonkeyPatch) -> None:
    """Every write that fails is an error of its own."""
    original = FailureLog.failed

    def failed(self: FailureLog, error: BaseException, said: str = "") -> None:
        self.forget()
        self._patience = 0.0
        original(self, error, said)

    patch.setattr(FailureLog, "failed", failed)


def a_hang_up_is_an_error(patch: pytest.MonkeyPatch) -> None:
    """The end of a call is reported as a failure."""
    original = OutputTransport.line_over

    def over(self: OutputTransport, reason: str) -> None:
        FrameProcessor.push_error(self, reason)
        original(self, reason)

    patch.setattr(OutputTransport, "line_over", over)


def an_interruption_needs_a_moment(patch: pytest.MonkeyPatch) -> None:
    """What the caller has not heard is found out a little after the hang-up."""
    original = OutputTransport.line_over

    def over(self: OutputTransport, reason: str) -> None:
        asyncio.get_running_loop().call_later(0.6, original, self, reason)

    patch.setattr(OutputTransport, "line_over", over)


PLANTS: tuple[Plant, ...] = (
    sent_is_heard,
    a_refused_chunk_is_gone,
    only_io_errors_are_expected,
    a_hang_up_interrupts_nothing,
    a_hang_up_closes_the_turn_as_complete,
    a_lost_line_is_a_hang_up,
    a_lost_line_is_waited_for_forever,
    a_line_that_comes_back_still_ends,
    a_restored_line_stays_held,
    a_loss_is_told_as_a_disconnection,
    each_failure_is_told,
    a_hang_up_is_an_error,
    an_interruption_needs_a_moment,
)
