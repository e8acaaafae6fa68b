"""Events: handlers run beside, failures are reported, and nobody is left waiting."""

from __future__ import annotations

import asyncio

import pytest

from antiphon.errors import ConfigurationError, UnknownEventError
from antiphon.frames.base import Frame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.event_source import Event, EventSource
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.simulation.loop.virtual_time import run
from tests.kernel.parts import Ear, Shout, Word, conversation


class Door(FrameProcessor):
    """Tells who passed."""

    on_opened = Event[[str]]()

    @handles(Word, Shout)
    async def open(self, frame: Word | Shout, direction: FrameDirection) -> None:
        await self.on_opened.emit(frame.text)
        await self.push_frame(frame, direction)


def test_a_slow_handler_delays_nobody() -> None:
    """The emitting processor goes on at once; the handler finishes in its own time."""

    async def main() -> tuple[float, list[str]]:
        door, ear = Door(), Ear()
        log: list[str] = []

        @door.event_handler("on_opened")
        async def slow(door: Door, who: str) -> None:
            await asyncio.sleep(0.8)
            log.append(who)

        async with conversation(door, ear) as talk:
            start = asyncio.get_running_loop().time()
            await talk.say(Word("a"), Word("b"))
            await asyncio.sleep(0.1)
            delay = ear.times[-1] - start
        return delay, log

    delay, log = run(main())
    assert delay == 0
    assert log == ["a", "b"]


def test_a_handler_that_raises_is_reported_with_its_name() -> None:
    """The ErrorFrame names the processor and the handler; other handlers still run."""

    async def main() -> tuple[list[str], list[str]]:
        door = Door()
        log: list[str] = []

        @door.event_handler("on_opened")
        def broken(door: Door, who: str) -> None:
            raise ValueError(f"no entry for {who}")

        door.add_event_handler("on_opened", lambda door, who: log.append(who))
        async with conversation(door) as talk:
            await talk.say(Word("a"))
            await asyncio.sleep(1)
        return log, talk.complaints

    log, complaints = run(main())
    assert log == ["a"]
    assert "broken of on_opened failed" in complaints[0]
    assert "no entry for a" in complaints[0]


def test_a_handler_shares_the_epoch_of_the_interruptible_frame_it_came_from() -> None:
    """What it pushes after an interruption is void; a handler of an urgent frame is not bound."""

    async def main() -> list[str]:
        door, ear = Door(), Ear()

        @door.event_handler("on_opened")
        async def answer(door: Door, who: str) -> None:
            await asyncio.sleep(1)
            await door.push_frame(Word(f"welcome {who}"))

        async with conversation(door, ear) as talk:
            await talk.say(Word("content"), Shout("urgent"))
            await asyncio.sleep(0.5)
            await talk.interrupt()
            await asyncio.sleep(2)
        return [text for text in ear.texts if text.startswith("welcome")]

    assert run(main()) == ["welcome urgent"]


def test_handlers_can_be_taken_back() -> None:
    """A removed handler is not called."""

    async def main() -> list[str]:
        door = Door()
        log: list[str] = []

        def note(door: Door, who: str) -> None:
            log.append(who)

        door.add_event_handler("on_opened", note)
        door.remove_event_handler("on_opened", note)
        async with conversation(door) as talk:
            await talk.say(Word("a"))
        return log

    assert run(main()) == []


def test_events_are_inherited_and_unknown_ones_refused() -> None:
    """A subclass has the events of its bases; a wrong name lists what there is."""

    class Gate(Door):
        on_closed = Event[[]]()

    gate = Gate()
    gate.add_event_handler("on_opened", lambda *args: None)
    assert gate.on_opened.has_handlers
    assert not gate.on_closed.has_handlers
    with pytest.raises(
        UnknownEventError, match="Gate has no event 'slam': it has on_closed, on_op"
    ):
        gate.event_handler("slam")
    with pytest.raises(UnknownEventError, match="it has none"):
        EventSource().event_handler("x")


class Bells(Door):
    on_rung = Event[[str, int]]()


def test_handlers_of_successive_events_run_in_order() -> None:
    """Of one event and of several, however long each takes and whatever the schedule."""

    async def main() -> list[str]:
        bells = Bells()
        log: list[str] = []

        @bells.event_handler("on_opened")
        async def opened(bells: Bells, who: str) -> None:
            await asyncio.sleep(0.5 if who == "a" else 0.0)
            log.append(who)

        @bells.event_handler("on_rung")
        async def rung(bells: Bells, who: str, times: int) -> None:
            log.append(f"{who} {times}")

        bells.on_opened.emit("a")
        bells.on_rung.emit("b", 2)
        bells.on_opened.emit("c")
        await asyncio.sleep(2)
        return log

    for seed in (None, *range(20)):
        assert run(main(), seed=seed) == ["a", "b 2", "c"]


def test_a_handler_holds_the_next_event_up_for_a_while_only() -> None:
    """One that hangs costs those of the next event their patience; one may emit and wait."""

    async def main() -> list[tuple[str, float]]:
        door = Door()
        begun: list[tuple[str, float]] = []

        @door.event_handler("on_opened")
        async def hang(door: Door, who: str) -> None:
            begun.append((who, asyncio.get_running_loop().time()))
            await asyncio.sleep(60)

        for who in "abc":
            door.on_opened.emit(who)
        await asyncio.sleep(100)
        return begun

    for seed in (None, *range(20)):
        (a, at), (b, then), (c, last) = run(main(), seed=seed)
        assert (a, b, c) == ("a", "b", "c")
        assert (at, then, last) == pytest.approx((0.0, 2.0, 2.0), abs=0.01)


def test_a_handler_with_the_wrong_arguments_is_refused_when_it_is_registered() -> None:
    """The error shows what it is called with; optional and starred parameters are fine."""

    async def short(bells: Bells) -> None: ...

    async def many(bells: Bells, who: str, times: int, more: int) -> None: ...

    async def optional(bells: Bells, who: str, times: int, more: int = 0) -> None: ...

    async def starred(*args: object) -> None: ...

    bells = Bells()
    for wrong in (short, many):
        with pytest.raises(ConfigurationError, match=r"on_rung\(bells, str, int\)`"):
            bells.add_event_handler("on_rung", wrong)
    with pytest.raises(ConfigurationError, match=r"cannot handle on_opened.*\(bells, str\)`"):
        bells.event_handler("on_opened")(short)
    for right in (optional, starred):
        bells.add_event_handler("on_rung", right)
    with pytest.raises(ConfigurationError, match="is a function, not 'greet'"):
        bells.add_event_handler("on_rung", "greet")  # type: ignore[arg-type]


def test_emit_and_wait_runs_handlers_in_order() -> None:
    """Handlers run one after the other, and the emitter waits for them."""

    async def main() -> list[str]:
        door = Door()
        log: list[str] = []

        @door.event_handler("on_opened")
        async def first(door: Door, who: str) -> None:
            await asyncio.sleep(1)
            log.append("first")

        door.add_event_handler("on_opened", lambda *args: log.append("second"))
        await door.on_opened.emit_and_wait("x")
        return log

    assert run(main()) == ["first", "second"]


def test_a_handler_that_never_ends_does_not_keep_the_conversation() -> None:
    """Running handlers are waited for, bounded, and then cancelled."""

    async def main() -> tuple[bool, float]:
        door = Door()
        cancelled: list[bool] = []

        @door.event_handler("on_opened")
        async def forever(door: Door, who: str) -> None:
            try:
                await asyncio.sleep(10_000)
            except asyncio.CancelledError:
                cancelled.append(True)
                raise

        async with conversation(door) as talk:
            await talk.say(Word("a"))
        return cancelled == [True], asyncio.get_running_loop().time()

    done, when = run(main())
    assert done
    assert when < 20


def test_frames_print_their_name() -> None:
    """A frame's name is made of its type and number when somebody asks."""
    frame: Frame = Word("a")
    assert frame.name == f"Word#{frame.id}"
