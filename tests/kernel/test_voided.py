"""`voided(epoch)`: whoever keeps state for an epoch is told of its end in the step itself."""

from __future__ import annotations

import asyncio

import pytest

from antiphon.errors import ConfigurationError
from antiphon.frames.lifecycle import InterruptionFrame
from antiphon.kernel.epoch import Epoch, FrameDirection
from antiphon.kernel.processor import Emitter, FrameProcessor, handles
from antiphon.kernel.switch import ServiceSwitcher
from antiphon.simulation.loop.virtual_time import run
from tests.kernel.parts import Ear, OddError, Relay, Slow, Word, conversation
from tests.kernel.switched import Service, to


class Keeper(FrameProcessor):
    """Keeps words for an epoch; notes what it is told, and when."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[str] = []
        self.request: Emitter | None = None
        self.ended: list[tuple[int, bool, list[str]]] = []

    @handles(Word)
    async def keep(self, frame: Word, direction: FrameDirection) -> None:
        self.kept.append(frame.text)
        self.request = self.emitter()

    def voided(self, epoch: Epoch) -> None:
        live = self.request is not None and self.request.live
        self.ended.append((epoch.number, epoch.live or live, self.kept))
        self.kept = []


def test_a_processor_is_told_in_the_step_itself() -> None:
    """When the interrupting call returns the state is gone, and its emitters are void."""

    async def main() -> tuple[list[tuple[int, bool, list[str]]], list[str]]:
        keeper = Keeper()
        async with conversation(Slow(1), keeper) as talk:
            keeper.queue_frame(Word("kept"))
            await asyncio.sleep(0.1)
            talk.task.queue_frame(InterruptionFrame())
            ended, kept = list(keeper.ended), list(keeper.kept)
            await asyncio.sleep(1)
            talk.task.queue_frame(InterruptionFrame())
            assert keeper.ended[1] == (1, False, [])
        return ended, kept

    assert run(main()) == ([(0, False, ["kept"])], [])


def test_the_end_of_the_conversation_is_not_an_interruption() -> None:
    """Ending tells by its frames; `voided` is not called."""

    async def main() -> list[tuple[int, bool, list[str]]]:
        keeper = Keeper()
        async with conversation(keeper) as talk:
            await talk.say(Word("a"))
        return keeper.ended

    assert run(main()) == []


@pytest.mark.parametrize("error", [ValueError("no"), OddError("odd"), SystemExit(2)])
def test_what_the_hook_raises_is_one_report_and_hurts_nobody(error: BaseException) -> None:
    """The others are told, the step is done, the processor and the conversation go on."""

    class Clumsy(Relay):
        def voided(self, epoch: Epoch) -> None:
            raise error

    async def main() -> tuple[int, list[str], list[str]]:
        clumsy, keeper, ear = Clumsy(name="clumsy"), Keeper(), Ear()
        async with conversation(clumsy, ear, keeper) as talk:
            await talk.interrupt()
            await talk.say(Word("after"))
            await asyncio.sleep(1)
        return len(keeper.ended), [e.error for e in talk.errors], ear.texts

    told, errors, texts = run(main())
    assert (told, texts) == (1, ["after"])
    assert errors == [f"clumsy failed in voided(): {error!r}"]


def test_the_hook_cannot_interrupt() -> None:
    """An interruption inside the step is refused and reported; the step is one."""

    class Eager(Relay):
        def voided(self, epoch: Epoch) -> None:
            self.broadcast_interruption()

    async def main() -> tuple[int, list[str]]:
        keeper = Keeper()
        async with conversation(Eager(name="eager"), keeper) as talk:
            await talk.interrupt()
            await asyncio.sleep(1)
        return len(keeper.ended), [e.error for e in talk.errors]

    told, (error,) = run(main())
    assert told == 1
    assert "eager" in error
    assert "an interruption is under way" in error


def test_a_part_of_a_processor_is_told_after_it() -> None:
    """What `also_voided` names is called too, also when the processor's own hook fails."""

    class Whole(FrameProcessor):
        def voided(self, epoch: Epoch) -> None:
            calls.append("whole")
            raise ValueError

    calls: list[str] = []

    async def main() -> None:
        whole = Whole()
        whole.also_voided = [lambda epoch: calls.append(f"part {epoch.number}")]
        async with conversation(whole) as talk:
            await talk.interrupt()

    run(main())
    assert calls == ["whole", "part 0"]


def test_a_hook_that_awaits_is_refused_at_its_definition() -> None:
    """There is nothing to await in a step: the message says so."""
    with pytest.raises(ConfigurationError, match=r"Late\.voided .*declare it with `def`"):

        class Late(FrameProcessor):
            async def voided(self, epoch: Epoch) -> None:  # type: ignore[override]
                pass


def test_a_service_that_loses_its_place_is_told() -> None:
    """A switch ends the epoch of the service that was active, and no other's."""

    class Singer(Service):
        def voided(self, epoch: Epoch) -> None:
            told.append(self.name)

    told: list[str] = []

    async def main() -> None:
        switch = ServiceSwitcher([Singer("main"), Singer("spare")])
        async with conversation(switch) as talk:
            await talk.say(to("spare"))
            assert told == ["main"]
            await talk.interrupt()

    run(main())
    assert told == ["main", "main", "spare"]
