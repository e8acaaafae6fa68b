"""What the laws demand in the end, computed from what was pushed and from the plan alone."""

from __future__ import annotations

from collections import Counter

from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import InterruptionFrame
from antiphon.kernel.epoch import FrameDirection
from tests.laws.plan import Fork, Line
from tests.laws.world import Key, Push, World

DOWN = FrameDirection.DOWNSTREAM


class Routes:
    """Follows every push to those who must handle it next.

    A frame that comes out of several branches goes on once; which of its copies that is depends on
    when each comes out. So the copies after the first count as possible epochs only.
    """

    def __init__(self, world: World) -> None:
        self.expected: Counter[Key] = Counter()
        self.reached: Counter[tuple[int, FrameDirection]] = Counter()
        self.must: Counter[Key] = Counter()
        self.must_reach: Counter[tuple[int, FrameDirection]] = Counter()
        self.epochs: set[tuple[Key, int]] = set()
        self._last_epoch = world.epoch
        self._entered: set[tuple[Fork, int, FrameDirection]] = set()
        self._released: set[tuple[Fork, int, FrameDirection]] = set()
        for push in world.pushes:
            step = 1 if push.direction is DOWN else -1
            if push.part is None:
                line = world.plan.line
                self._walk(line, self._first(line, step), step, push, copy=False)
            else:
                assert push.part.place is not None
                line, index = push.part.place
                self._walk(line, index + step, step, push, copy=False)

    @staticmethod
    def _first(line: Line, step: int) -> int:
        return 0 if step > 0 else len(line.items) - 1

    def _walk(self, line: Line, index: int, step: int, push: Push, *, copy: bool) -> None:
        frame, direction = push.frame, push.direction
        must = not copy and (not frame.interruptible or push.epoch == self._last_epoch)
        while 0 <= index < len(line.items):
            item = line.items[index]
            if isinstance(item, Fork):
                self._entered.add((item, frame.id, direction))
                for branch in item.branches:
                    self._walk(branch, self._first(branch, step), step, push, copy=copy)
                return
            if type(frame) in item.kinds:
                key = (item.number, frame.id, direction)
                self.expected[key] += not copy
                self.must[key] += must
                self.epochs.add((key, push.epoch))
                return
            index += step
        if line.parent is None:
            self.reached[frame.id, direction] += not copy
            self.must_reach[frame.id, direction] += must
            return
        fork, outer, place = line.parent
        leaving = (fork, frame.id, direction)
        copy = copy or leaving in self._released
        if leaving in self._entered:
            self._released.add(leaving)
        self._walk(outer, place + step, step, push, copy=copy)


def check_end(world: World, *, graceful: bool) -> None:
    """Adds to the world's violations what only the end shows."""
    routes = Routes(world)
    _check_counts(world, routes, graceful=graceful)
    _check_order(world)
    if graceful:
        _check_told(world)
        for failure in world.failures:
            if world.errors.count(failure) != 1 and not world.given_up:
                world.wrong(f"{failure}: reported {world.errors.count(failure)} times")


def _check_counts(world: World, routes: Routes, *, graceful: bool) -> None:
    for key in routes.expected | world.begins:
        number, frame_id, direction = key
        frame = world.frames.get(frame_id)
        name = f"part {number}: {type(frame).__name__}#{frame_id} {direction.name}"
        want, got = routes.expected[key], world.begins[key]
        if frame is None or got > want:
            world.wrong(f"{name} handled {got} times, pushed to it {want} times")
        elif graceful and got < routes.must[key] and not _may_lose(world, frame):
            world.wrong(f"{name} handled {got} times instead of {want}")
        elif graceful and not frame.interruptible and not _may_lose(world, frame):
            done = world.completions[key]
            if done < got:
                world.wrong(f"{name} begun {got} times and completed {done} times")
    for key, epoch in world.begin_epochs - routes.epochs:
        number, frame_id, _ = key
        if world.frames[frame_id].interruptible:
            world.wrong(
                f"part {number}: frame {frame_id} handled in epoch {epoch}, not pushed then"
            )
    for place in routes.reached | world.reached:
        frame_id, direction = place
        frame, want, got = world.frames.get(frame_id), routes.reached[place], world.reached[place]
        name = f"{type(frame).__name__}#{frame_id} {direction.name}"
        if frame is None or got > want:
            world.wrong(f"{name} left the pipeline {got} times, expected {want}")
        elif graceful and got < routes.must_reach[place] and not _may_lose(world, frame):
            world.wrong(f"{name} left the pipeline {got} times instead of {want}")


def _may_lose(world: World, frame: Frame) -> bool:
    """What the end itself took away, when handlers had to be given up."""
    return frame.id in world.late or world.given_up


def _check_order(world: World) -> None:
    """Frames from outside are handled in the order sent, where there is one way only."""
    plan = world.plan
    if any(isinstance(item, Fork) for item in plan.line.items):
        return
    sent: dict[FrameDirection, list[int]] = {}
    for push in world.pushes:
        if push.part is None:
            sent.setdefault(push.direction, []).append(push.frame.id)
    for part in plan.parts:
        for direction, ids in sent.items():
            for urgent in (False, True):
                positions = [
                    ids.index(frame_id)
                    for frame_id, way in world.order[part.number]
                    if way is direction
                    and frame_id in ids
                    and world.frames[frame_id].urgent is urgent
                ]
                if positions != sorted(positions):
                    world.wrong(f"part {part.number}: {direction.name} order {positions}")


def _check_told(world: World) -> None:
    for part in world.plan.parts:
        told = world.told[part.number]
        if InterruptionFrame in part.kinds and told < world.interruptions:
            world.wrong(
                f"part {part.number}: told of {told} interruptions of {world.interruptions}"
            )
