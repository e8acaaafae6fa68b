"""Runs the plan of a seed on the kernel, in virtual time, and says what broke which law."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from antiphon.frames.lifecycle import InterruptionFrame
from antiphon.simulation.loop.cpu import BUSY, ORDINARY
from antiphon.simulation.loop.loop import VirtualTimeLoop
from antiphon.simulation.loop.schedule import Policy
from antiphon.simulation.loop.virtual_time import RunResult, run_on
from tests.laws.plan import Flavour, make_plan
from tests.laws.reference import check_end
from tests.laws.world import DOWN, UP, Kind, WatchedTask, Work, World, build

CANCEL_BOUND_SECS = 6.0
"""Five stages of at most a second each: handlers, cancel, cleanup, observers, tasks; and slack."""


def sweep(seeds: Iterable[int], flavour: Flavour = Flavour.MIXED) -> dict[int, list[str]]:
    """The violations by seed; empty if no law was broken."""
    return {seed: found for seed in seeds if (found := play(seed, flavour)[0])}


def play(seed: int, flavour: Flavour = Flavour.MIXED) -> tuple[list[str], RunResult[None]]:
    """Runs a seed; returns its violations and its outcome."""
    rng = random.Random(f"scenario {seed}")
    loop = VirtualTimeLoop(
        seed,
        policy=rng.choice(list(Policy)),
        cpu=rng.choice([None, ORDINARY, BUSY]),
        deadline_secs=600.0,
        livelock_steps=50_000,
    )
    world = World(make_plan(seed, flavour), seed)
    with silence():
        outcome = run_on(loop, _converse(world))
    found = list(world.violations)
    if outcome.error is not None:
        found.append(f"{type(outcome.error).__name__}: {outcome.error}")
    found += [f"leaked: {task}" for task in outcome.leaked]
    found += [f"unhandled: {report}" for report in outcome.unhandled]
    return found, outcome


async def _converse(world: World) -> None:
    loop = asyncio.get_running_loop()
    task = build(world)
    conversation = loop.create_task(task.run(), name="conversation")
    program = loop.create_task(_program(world, task), name="program")
    if world.plan.cancel_at is not None:
        await asyncio.sleep(world.plan.cancel_at)
        world.ending = world.over = True
        asked = loop.time()
        await task.cancel("the plan says so")
        if loop.time() - asked > CANCEL_BOUND_SECS:
            world.wrong(f"cancelling took {loop.time() - asked:.2f} s")
        program.cancel()
        await asyncio.wait({program})
        await conversation
    else:
        await program
        await _quiet(world)
        world.ending = True
        asked = loop.time()
        await task.stop_when_done()
        bound = 2.5 * len(world.plan.parts) + CANCEL_BOUND_SECS + 3.0
        await asyncio.wait({conversation}, timeout=bound + 60.0)
        if not conversation.done() or loop.time() - asked > bound:
            world.wrong(f"the end took {loop.time() - asked:.2f} s")
            await task.cancel("too late")
        await conversation
    await asyncio.sleep(45.0)  # abandoned handlers stop by then
    check_end(world, graceful=world.plan.cancel_at is None)


async def _program(world: World, task: WatchedTask) -> None:
    loop = asyncio.get_running_loop()
    steps = [(at, kind, down) for at, kind, down in world.plan.sends]
    steps += [(at, InterruptionFrame, True) for at in world.plan.interruptions]
    outside = Work(Kind.UNBOUND, 0, None, "the program")
    for at, kind, down in sorted(steps, key=lambda step: step[0]):
        if at > loop.time():
            await asyncio.sleep(at - loop.time())
        frame, way = kind(), DOWN if down else UP
        if isinstance(frame, InterruptionFrame):
            world.interrupting(None)
        else:
            world.pushing(frame, None, way, outside)
        await task.queue_frame(frame, way)


async def _quiet(world: World) -> None:
    """Waits until nothing has happened for longer than anybody takes for anything."""
    seen = -1
    while seen != world.events:
        seen = world.events
        await asyncio.sleep(6.0)


@contextmanager
def silence() -> Iterator[None]:
    """Without the kernel's log: actors fail on purpose."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
