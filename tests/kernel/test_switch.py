"""ServiceSwitcher: one of several services is active; nothing is lost, nothing is done twice."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from antiphon.errors import (
    ConfigurationError,
)
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import EndFrame
from antiphon.frames.llm import (
    LLMUpdateSettingsFrame,
    ServiceUpdateSettingsFrame,
)
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.kernel.switch import ServiceSwitcher, Switch
from antiphon.kernel.switch_strategies import ServiceSwitcherStrategyFailover
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.loop.virtual_time import run
from tests.kernel.parts import UP, Ear, Mark, Shout, Slow, Vow, Word, conversation
from tests.kernel.switched import AUTH, Service, pair, to

# ---- who gets what ------------------------------------------------------------------------------


def test_only_the_active_service_gets_frames_and_all_live() -> None:
    """Ordered and urgent frames go to one service; start, end and clean-up to every one."""

    async def main() -> tuple[Service, Service, list[str]]:
        a, b = pair()
        async with conversation(ServiceSwitcher([a, b]), ear := Ear()) as talk:
            await talk.say(Word("x"), Shout("hey"), Vow("v"))
        return a, b, ear.texts

    a, b, heard = run(main())
    assert sorted(heard) == sorted(["hey", "(", "a:x", ")", "a:v"])
    assert (b.begun, b.handled) == ([], [])
    assert a.life == b.life == ["StartFrame", "EndFrame", "cleanup"]


def test_interruptions_and_cancels_reach_every_service() -> None:
    """A standby service is told of an interruption and of the cancel like the active one."""

    async def main() -> tuple[list[int], list[list[str]]]:
        slow, spare, (a, b) = Slow(), Slow(), pair()
        switchers = ServiceSwitcher([slow, spare]), ServiceSwitcher([a, b])
        async with conversation(*switchers, end=False) as talk:
            await talk.interrupt()
            await asyncio.sleep(1)
        return [len(slow.told), len(spare.told)], [a.life, b.life]

    told, lives = run(main())
    assert told == [1, 1]
    assert lives == [["StartFrame", "CancelFrame", "cleanup"]] * 2


def test_what_a_standby_service_pushes_is_dropped_and_its_errors_are_counted() -> None:
    """Neither its content, urgent or not, nor its errors come out; the errors are counted."""

    async def main() -> tuple[list[str], list[str], dict[str, int]]:
        a, b = pair()
        switcher = ServiceSwitcher([a, b], ServiceSwitcherStrategyFailover())
        async with conversation(switcher, ear := Ear()) as talk:
            for frame in (Word("stale"), Vow("stale"), Shout("stale")):
                await b.push_frame(frame)
            await b.push_error("spare is broken", exception=AUTH)
        return ear.texts, talk.complaints, switcher.swallowed

    assert run(main()) == ([], [], {"a": 0, "b": 1})


@pytest.mark.parametrize(
    ("fields", "reached"),
    [
        ({}, "a"),
        ({"service": "b"}, "b"),
        ({"service": "a"}, "a"),
        ({"reach_inactive_services": True}, "ab"),
    ],
)
def test_settings_reach_a_standby_service_when_they_are_for_it(
    fields: dict[str, Any], reached: str
) -> None:
    """By name or by the flag; a standby service's forwarded copy does not come out."""

    async def main() -> tuple[str, list[Frame]]:
        a, b = pair()
        task = PipelineTask(Pipeline([ServiceSwitcher([a, b])]))
        out: list[Frame] = []
        task.set_reached_downstream_filter((ServiceUpdateSettingsFrame,))
        task.add_event_handler("on_frame_reached_downstream", lambda _, frame: out.append(frame))
        async with conversation(task) as talk:
            await talk.say(LLMUpdateSettingsFrame(settings={"model": "m"}, **fields))
        return "".join(s.name for s in (a, b) if s.settings), out

    names, out = run(main())
    assert names == reached
    assert len(out) == (fields.get("service") == "b")  # the active one passes a foreign one on


def test_a_switcher_of_other_services_switches_as_the_first_one_does() -> None:
    """`with_branches` keeps the strategy and the event handlers, not the services."""

    async def main() -> tuple[list[str], list[str], list[object]]:
        (a, b), (c, d) = pair(), (Service("c"), Service("d"))
        told: list[object] = []
        switcher = ServiceSwitcher([a, b], ServiceSwitcherStrategyFailover())
        switcher.add_event_handler("on_service_switched", lambda _, service: told.append(service))
        c.broken = AUTH
        async with conversation(switcher.with_branches([[c], [d]]), ear := Ear()) as talk:
            await talk.say(Word("x"))
            await asyncio.sleep(1)
        return ear.texts, a.begun + b.begun, [service is d for service in told]

    assert run(main()) == (["(", "d:x", ")"], [], [True])


# ---- switching ----------------------------------------------------------------------------------


def test_a_switch_hands_over_what_nobody_has_begun_to_answer() -> None:
    """The frame at work and those that wait go to the new service, once and in order."""

    async def main() -> tuple[list[str], list[str], list[str], list[object]]:
        a, b = pair(secs=1.0)
        switcher = ServiceSwitcher([a, b])
        told: list[object] = []
        switcher.add_event_handler("on_service_switched", lambda _, service: told.append(service))
        async with conversation(switcher, ear := Ear()) as talk:
            await talk.say(Word("x"), Vow("v"), Word("y"))
            await asyncio.sleep(0.5)
            await talk.say(to("b"))
            assert switcher.active_service is b
        return a.begun, b.begun, ear.texts, [service is b for service in told]

    assert run(main()) == (
        ["x"],
        ["x", "v", "y"],
        ["(", "b:x", ")", "b:v", "(", "b:y", ")"],
        [True],
    )


def test_an_answer_that_has_begun_is_cut_off_with_its_boundary() -> None:
    """What came out is not said again: its closing mark follows, then comes the new service."""

    async def main() -> tuple[list[str], list[str]]:
        a, b = pair(secs=1.0, pieces=5)
        async with conversation(ServiceSwitcher([a, b]), ear := Ear()) as talk:
            await talk.say(Word("x"))
            await asyncio.sleep(2.5)
            await talk.say(to(b), Vow("v"))
        return ear.texts, b.begun

    assert run(main()) == (["(", "a:x", "a:x1", ")", "b:v"], ["v"])


def test_an_uninterruptible_frame_at_work_is_finished_by_who_began_it() -> None:
    """It is handled once, and its result comes out although the service stands by."""

    async def main() -> tuple[list[str], list[str], list[str]]:
        a, b = pair(secs=1.0)
        async with conversation(ServiceSwitcher([a, b]), ear := Ear()) as talk:
            await talk.say(Vow("v"), Shout("s"))
            await asyncio.sleep(0.5)
            await talk.say(to("b"))
        return a.handled, b.handled, sorted(ear.texts)

    handled, other, heard = run(main())
    assert sorted(handled) == ["s", "v"]
    assert other == []
    assert heard == ["a:v", "s"]


def test_an_emitter_of_the_old_service_is_void_even_when_it_is_active_again() -> None:
    """What was asked before a switch is not answered after it."""

    async def main() -> tuple[bool, bool, list[str]]:
        a, b = pair()
        async with conversation(ServiceSwitcher([a, b]), ear := Ear()) as talk:
            await talk.say(Word("x"))
            await asyncio.sleep(1)
            assert a.answered is not None
            before = a.answered.live
            await talk.say(to("b"), to("a"))
            await a.answered.push_frame(Word("stale"))
            return before, a.answered.live, ear.texts

    assert run(main()) == (True, False, ["(", "a:x", ")"])


def test_a_switch_cancels_the_bound_tasks_of_the_old_service_only() -> None:
    """Work that belongs to a request ends with it; that of other processors goes on."""

    async def main() -> list[bool]:
        (a, b), other = pair(), Service("other")
        async with conversation(ServiceSwitcher([a, b]), other) as talk:
            tasks = [
                service.create_task(asyncio.sleep(9), name="work", bound=True)
                for service in (a, b, other)
            ]
            await asyncio.sleep(1)
            await talk.say(to("b"))
            await asyncio.sleep(1)
            return [task.cancelled() for task in tasks]

    assert run(main()) == [True, False, False]


def test_a_boundary_held_back_is_void_after_an_interruption() -> None:
    """Nothing of an interrupted answer comes out later; that of the next one does."""

    async def main() -> list[str]:
        a, b = pair(secs=1.0)
        async with conversation(ServiceSwitcher([a, b]), ear := Ear()) as talk:
            await talk.say(Word("x"))
            await asyncio.sleep(0.5)
            await talk.interrupt()
            await talk.say(Word("y"))
        return ear.texts

    assert run(main()) == ["(", "a:y", ")"]


def test_a_handler_that_does_not_stop_delays_the_new_service_for_its_deadline_only() -> None:
    """Cut off in mid-answer, it is waited for one second; then the new service goes on."""

    class Stubborn(Service):
        @handles(Word)
        async def answer(self, frame: Word, direction: FrameDirection) -> None:
            await self.push_frame(Word("a:half"))
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                await asyncio.sleep(60)
                await self.push_frame(Mark(")"))

    async def main() -> tuple[list[str], float]:
        a, b = Stubborn("a"), Service("b")
        async with conversation(ServiceSwitcher([a, b]), ear := Ear()) as talk:
            await talk.say(Word("x"))
            await asyncio.sleep(1)
            await talk.say(to("b"), Word("y"))
            await asyncio.sleep(100)
        return ear.texts, ear.times[1]

    heard, at = run(main())
    assert heard == ["a:half", "(", "b:y", ")"]
    assert at == pytest.approx(2.0, abs=0.1)


def test_settings_that_everybody_has_are_not_handed_over() -> None:
    """A copy that waits at the old service stays there; nobody applies it twice."""

    async def main() -> tuple[list[object], list[object]]:
        a, b = pair(secs=1.0)
        async with conversation(ServiceSwitcher([a, b])) as talk:
            update = LLMUpdateSettingsFrame(settings={"model": "m"}, reach_inactive_services=True)
            await talk.say(Word("x"), update)
            await asyncio.sleep(0.5)
            await talk.say(to("b"))
        return a.settings, b.settings

    assert run(main()) == ([{"model": "m"}], [{"model": "m"}])


def test_a_switch_to_nobody_known_is_refused_and_other_switchers_are_found() -> None:
    """An unknown name is one error that names what there is; a name further down is passed on."""

    async def main() -> tuple[list[str], list[str]]:
        (a, b), (c, d) = pair(), (Service("c"), Service("d"))
        first, second = ServiceSwitcher([a, b]), ServiceSwitcher([c, d])
        async with conversation(first, second) as talk:
            await talk.say(to("d"), to("nobody"), to("a"))
            await asyncio.sleep(1)
            names = [s.active_service.name for s in (first, second)]
        return names, talk.complaints

    names, complaints = run(main())
    assert names == ["a", "d"]
    assert complaints == ["ServiceSwitcher#0 cannot switch to 'nobody': it has a, b"]


def test_nobody_is_switched_once_the_end_has_entered() -> None:
    """What waits before the end is done by the service that has it; the command is refused."""

    async def main() -> tuple[list[str], list[str]]:
        a, b = pair(secs=1.0)
        async with conversation(ServiceSwitcher([a, b])) as talk:
            await talk.say(Vow("v"), Vow("w"), EndFrame(), to("b"))
        return a.handled, talk.complaints

    handled, complaints = run(main())
    assert handled == ["v", "w"]
    assert len(complaints) == 1
    assert "the conversation is ending" in complaints[0]


def test_handlers_of_the_event_act_for_themselves() -> None:
    """What a handler of on_service_switched pushes is not void with the work that failed."""

    async def main() -> list[str]:
        a, b = pair()
        a.broken = AUTH
        switcher = ServiceSwitcher([a, b], ServiceSwitcherStrategyFailover())

        @switcher.event_handler("on_service_switched")
        async def told(switcher: ServiceSwitcher, service: FrameProcessor) -> None:
            await asyncio.sleep(1)
            await service.push_frame(Word("one moment"))

        async with conversation(switcher, ear := Ear()) as talk:
            await talk.say(Word("x"))
            await asyncio.sleep(2)
        return ear.texts

    assert run(main()) == ["(", "b:x", ")", "one moment"]


@pytest.mark.parametrize("services", [[], ["a"], [Service("a"), Service("a")]])
def test_a_switcher_of_nobody_or_of_namesakes_is_refused(services: list[FrameProcessor]) -> None:
    """The error comes before the conversation begins."""
    with pytest.raises(ConfigurationError, match="ServiceSwitcher"):
        PipelineTask(Pipeline([ServiceSwitcher(services)]))


# ---- the law ------------------------------------------------------------------------------------


class Worker(Service):
    """Pushes vows and words on under its name; takes a while for each, and to stop."""

    def __init__(self, name: str, rng: random.Random) -> None:
        super().__init__(name)
        self.rng = rng

    @handles(Vow, Word)
    async def work(self, frame: Vow | Word, direction: FrameDirection) -> None:
        self.begun.append(frame.text)
        try:
            await asyncio.sleep(self.rng.choice([0, 0.01, 0.03]))
            await self.push_frame(type(frame)(f"{self.name}:{frame.text}"))
            self.handled.append(frame.text)
            await asyncio.sleep(self.rng.choice([0, 0.01]))
        except asyncio.CancelledError:
            await asyncio.sleep(self.rng.choice([0, 0.01]))
            raise
        finally:
            await self.push_frame(Word(f"stale {self.name}"))


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What has left a switch: the text, and the name of the service that was active then."""
    found: list[tuple[str, str]] = []
    hand_on = Switch._hand_on

    def spy(self: Switch, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, Vow | Word):
            found.append((frame.text, self._switcher.active_service.name))
        hand_on(self, frame, direction)

    monkeypatch.setattr(Switch, "_hand_on", spy)
    return found


def in_order(texts: list[str]) -> bool:
    numbers = [int(text.rpartition(":")[2][1:]) for text in texts]
    return all(before <= after for before, after in pairwise(numbers))


def one_schedule(seed: int, left: list[tuple[str, str]]) -> tuple[int, int]:
    left.clear()
    rng = random.Random(seed)

    async def main() -> tuple[int, int]:
        workers = [Worker(name, rng) for name in "abc"]
        switcher = ServiceSwitcher(workers)
        sent, interrupted, switches = [], 0, 0
        async with conversation(switcher) as talk:
            for number in range(30):
                match rng.choice("vvwwwwssi."):
                    case "v":
                        await talk.say(frame := Vow(f"v{number}"))
                        sent.append(frame.text)
                    case "w":
                        await talk.say(word := Word(f"w{number}"))
                        sent.append(word.text)
                    case "s":
                        await talk.say(to(rng.choice("abc")))
                        switches += 1
                    case "i":
                        await talk.interrupt()
                        interrupted += 1
                    case _:
                        await asyncio.sleep(rng.choice([0, 0.005, 0.02, 0.1]))
        check(workers, left, sent, interrupted)
        return switches, interrupted

    return run(main(), seed=seed)


def check(
    workers: list[Worker], left: list[tuple[str, str]], sent: list[str], interrupted: int
) -> None:
    vows = [text for text in sent if text[0] == "v"]
    handled = Counter(text for worker in workers for text in worker.handled)
    begun = Counter(text for worker in workers for text in worker.begun)
    assert [begun[vow] for vow in vows] == [1] * len(vows)
    assert [handled[vow] for vow in vows] == [1] * len(vows)
    assert max(handled.values(), default=1) == 1
    assert all(in_order(worker.begun) for worker in workers)
    texts = [text for text, _ in left if "stale" not in text]
    assert Counter(text.rpartition(":")[2] for text in texts) == handled
    for worker in workers:
        assert in_order([text for text in texts if text.startswith(worker.name)])
    if not interrupted:
        assert set(handled) == set(sent)
    assert all(
        text.removeprefix("stale ")[0] == active for text, active in left if ":v" not in text
    )


def test_each_frame_is_handled_once_by_one_service(left: list[tuple[str, str]]) -> None:
    """300 schedules of frames, switches and interruptions: vows exactly once, words at most once
    (all of them without interruptions), order kept, no content from a standby service.
    """
    done = [one_schedule(seed, left) for seed in range(300)]
    assert sum(switches for switches, _ in done) > 1_000
    assert sum(interruptions for _, interruptions in done) > 500


def test_frames_go_upstream_through_the_active_service_only() -> None:
    """The standby service does not see them."""

    async def main() -> tuple[list[str], list[str]]:
        a, b = pair()
        async with conversation(ServiceSwitcher([a, b]), ear := Ear()):
            await ear.push_frame(Shout("up"), UP)
            await asyncio.sleep(1)
        return a.handled, b.handled

    assert run(main()) == (["up"], [])
