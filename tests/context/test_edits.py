"""What the two halves of a context share: edits and runs between which something comes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from antiphon.context.llm_context import LLMContext
from antiphon.context.pair_state import PairState
from antiphon.context.validate import problems
from antiphon.frames.base import Frame
from antiphon.frames.llm import (
    LLMMessagesAppendFrame,
    LLMMessagesTransformFrame,
    LLMMessagesUpdateFrame,
    LLMRunFrame,
)
from antiphon.frames.tools import (
    FunctionCallFromLLM,
    FunctionCallInProgressFrame,
    FunctionCallResultFrame,
    FunctionCallsStartedFrame,
)
from tests.context.rig import Rig, converse

NOTE = {"role": "developer", "content": "The order has shipped."}


def _appended(messages: list[Any]) -> list[Any]:
    return [*messages, NOTE]


EDITS = [
    lambda: LLMMessagesAppendFrame([NOTE], run_llm=True),
    lambda: LLMMessagesUpdateFrame([NOTE], run_llm=True),
    lambda: LLMMessagesTransformFrame(_appended, run_llm=True),
]


def interrupted_before(frame: Frame, text: str) -> Callable[[Rig], Awaitable[None]]:
    """The frame waits at the user's half when the caller begins to speak, and says `text`."""

    async def play(rig: Rig) -> None:
        await rig.user.pause_processing_frames()
        await rig.send(frame)
        await rig.user_starts()
        await asyncio.sleep(0.2)
        await rig.user.resume_processing_frames()
        await asyncio.sleep(1)
        assert rig.inferences == 0  # not while the caller speaks
        await rig.user_stops(text)
        await asyncio.sleep(10)

    return play


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_survives_and_the_callers_turn_pays_for_its_run(
    edit: Callable[[], Frame],
) -> None:
    """What the program wrote is in the context, and one inference sees it with the words."""
    rig = converse(Rig, interrupted_before(edit(), "Hello?"))
    assert rig.inferences == 1
    said = [message["content"] for message in rig.provider.requests[0].messages]
    assert said == ["The order has shipped.", "Hello?"]


@pytest.mark.parametrize("edit", EDITS)
def test_a_cough_does_not_lose_the_run_either(edit: Callable[[], Frame]) -> None:
    """A turn without words runs nothing, so the run that is owed follows it."""
    rig = converse(Rig, interrupted_before(edit(), ""))
    assert rig.inferences == 1
    assert rig.of_role("developer") == ["The order has shipped."]
    assert rig.of_role("assistant") == ["ok"]


def test_a_bare_run_belongs_to_what_was_interrupted() -> None:
    """LLMRunFrame is dropped: the turn that interrupts runs the model, a cough does not."""
    assert converse(Rig, interrupted_before(LLMRunFrame(), "Hello?")).inferences == 1
    assert converse(Rig, interrupted_before(LLMRunFrame(), "")).inferences == 0


def test_an_edit_after_an_interruption_runs_at_once() -> None:
    """Only what was asked for before it is owed."""

    async def play(rig: Rig) -> None:
        await rig.user.broadcast_interruption()
        await rig.send(LLMMessagesAppendFrame([NOTE], run_llm=True))
        await asyncio.sleep(0.05)
        assert rig.inferences == 1
        await asyncio.sleep(5)

    converse(Rig, play)


class Present:
    """An epoch that goes on."""

    live = True


def test_a_note_to_run_is_looked_at_again_when_its_turn_comes() -> None:
    """Between the note and its turn the caller may have begun, or somebody else may have run."""
    shared = PairState(LLMContext())
    shared.gate.owe()
    assert shared.note_run() is not None
    assert shared.note_run() is None  # one note at a time
    shared.gate.user_speaking(True)
    assert shared.run_now(Present()) is None
    shared.gate.user_speaking(False)
    assert shared.note_run() is not None  # it is still owed
    shared.run(Present())  # the user's turn pays for it
    assert shared.run_now(Present()) is None
    assert shared.note_run() is None


def test_calls_that_run_before_they_are_announced_belong_together_all_the_same() -> None:
    """The announcement is urgent and may be handled late: each call knows its siblings.

    So a call that ends first does not run the model while the other is on its way.
    """
    first, second = (FunctionCallFromLLM(f"f{n}", f"call {n}", {}, "group") for n in (1, 2))
    shared = PairState(LLMContext())
    for asked in (first, second):
        assert not shared.gate.owed
        shared.log(
            FunctionCallInProgressFrame(
                asked.function_name,
                asked.tool_call_id,
                {},
                group_id="group",
                siblings=(first, second),
                response_id=7,
            )
        )
        shared.log(FunctionCallResultFrame(asked.function_name, asked.tool_call_id, {}, "done"))
    assert shared.gate.owed
    written = list(shared.context.messages)
    assert problems(written) == []
    shared.log(FunctionCallsStartedFrame(function_calls=(first, second), response_id=7))
    assert list(shared.context.messages) == written
