"""`check_processor`: what every processor must keep.

The part stands between two ends that keep what comes out. It is sent the frames of the user, and in
between keepsakes: frames of types it cannot know, which must pass. Then, at any step: an
interruption, after which nothing more is sent and nothing may be said; an end; a cancel; a change
of settings.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from antiphon.errors import AntiphonError, ServiceError
from antiphon.frames.audio import OutputAudioRawFrame
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import CancelFrame, EndFrame, InterruptionFrame
from antiphon.frames.text import TextFrame
from antiphon.kernel.branches import ParallelPipeline
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.params import PipelineParams
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.contracts.suite import (
    SWEEP,
    ContractRule,
    Run,
    Suite,
    Violation,
    name_of,
    reported,
    require,
)
from antiphon.simulation.contracts.trace import (
    PROTOCOL_LAWS,
    Bell,
    Entry,
    Keepsake,
    Law,
    PartTrace,
    emptied,
    enlarged,
    samples,
)
from antiphon.simulation.record.frame_text import describe_frame

Part = FrameProcessor | Pipeline | ParallelPipeline
CANCEL_SECS = 1.0
"""How long a part may hold up a cancel."""
UPSTREAM_SECS = 1.0
"""How long a frame may take to travel upstream."""
FAILURES = 100
"""Calls out that are made to fail, one after the other, at most."""
_DOWN, _UP = FrameDirection.DOWNSTREAM, FrameDirection.UPSTREAM


def check_processor(
    factory: Callable[[], Part],
    *,
    frames: Sequence[Frame],
    seeds: int | Iterable[int] = 10,
    updates: Sequence[Frame] = (),
    failing: Callable[[int], Part] | None = None,
    laws: Sequence[Law] = (),
    said: tuple[type[Frame], ...] = (OutputAudioRawFrame, TextFrame),
    expected_errors: tuple[type[BaseException], ...] = (ServiceError,),
    recovers: bool = True,
    gap_secs: float = 0.1,
    settle_secs: float = 5.0,
    end_secs: float = 15.0,
    moments: int = SWEEP,
    params: PipelineParams | None = None,
    only: str | None = None,
) -> int:
    """Raises `ContractError` for the first promise that is broken; returns how many runs it took.

    Args:
        factory: makes a new part for each run.
        frames: what it is sent, downstream; together they should make it do its work.
        seeds: how many, or which.
        updates: frames that change its settings, sent at any instant.
        failing: makes a part whose n-th call out fails, counted from 0.
        laws: what must hold of all that comes out, beyond `PROTOCOL_LAWS`.
        said: the types of frames that must not come out any more when an interruption has made
            void what they answer. Interruptible ones only.
        expected_errors: what may be reported without being a fault of the part.
        recovers: after an interruption the same frames bring out the same types of what is said.
        gap_secs: the longest gap between two frames; many are shorter, or 0.
        settle_secs: by then after the last frame the part has come to rest.
        end_secs: how long the end may take, with everything sent before it still to be handled.
        moments: at how many steps the first seed strikes, at most, in each sweep.
        params: those of the conversation.
        only: the case to repeat, as the error names it.

    """
    return ProcessorSuite(
        factory=factory,
        frames=list(frames),
        updates=list(updates),
        failing=failing,
        laws=(*PROTOCOL_LAWS, *laws),
        said=said,
        expected_errors=expected_errors,
        recovers=recovers,
        gap_secs=gap_secs,
        settle_secs=settle_secs,
        end_secs=end_secs,
        moments=moments,
        params=params,
    ).run(seeds, only)


class EndCollector(FrameProcessor):
    """Keeps what comes out at one end, and passes it on."""

    def __init__(self, direction: FrameDirection, trace: PartTrace) -> None:
        super().__init__(name=f"{direction.name.lower()} end")
        self._direction, self._trace = direction, trace

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if frame.lifecycle or isinstance(frame, InterruptionFrame):
            return
        if direction is self._direction:
            now = asyncio.get_running_loop().time()
            self._trace.out.append(Entry(now, frame, direction))
        await self.push_frame(frame, direction)


@dataclass
class CheckedConversation:
    """One conversation with the part."""

    suite: ProcessorSuite
    run: Run
    task: PipelineTask
    job: asyncio.Task[None]
    trace: PartTrace
    keepsakes: int = 0
    ended_at: float = 0.0
    due: dict[int, float] = field(default_factory=dict)
    """When each keepsake must have come at the latest for an end not to overtake it."""
    end_sent_at: float = 0.0

    async def send(self, *, gap_secs: float | None = None, times: int = 1) -> None:
        """The user's frames, with keepsakes in between; stops at the strike."""
        gap_secs = self.suite.gap_secs if gap_secs is None else gap_secs
        rng = self.run.rng
        for frame in self.suite.frames * times:
            if gap_secs:
                await asyncio.sleep(rng.choice([0.0, 0.1, 1.0]) * gap_secs * rng.random())
            if rng.random() < 0.5:
                self.keep(rng.choice([_DOWN, _UP]))
            if self.task.has_finished():
                return
            self.put(frame, _DOWN)

    def keep(self, direction: FrameDirection) -> None:
        """Sends a keepsake and a bell."""
        self.keepsakes += 1
        # An end goes downstream, behind what goes there too; what goes upstream is not waited for.
        if not self.run.struck:
            travel = 0.0 if direction is _DOWN else UPSTREAM_SECS
            self.due[self.keepsakes] = self.run.loop.time() + travel
        self.put(Keepsake(self.keepsakes), direction)
        self.put(Bell(self.keepsakes), direction)

    def put(self, frame: Frame, direction: FrameDirection) -> None:
        """Sends a frame, unless it is too late."""
        if not self.run.struck:
            self.trace.sent.append(frame)
            self.task.queue_frame(frame, direction)

    def finish(self, reason: str) -> None:
        """Ends it gracefully, from now on."""
        self.end_sent_at = self.run.loop.time()
        self.task.queue_frame(EndFrame(reason=reason))

    def end_at(self, now: float) -> None:
        """It is over."""
        self.ended_at = now

    def slip_in(self, frame: Frame) -> None:
        """Sends a frame out of turn."""
        self.trace.sent.append(frame)
        self.task.queue_frame(frame)

    def interrupt(self) -> None:
        """The caller begins to speak."""
        self.trace.interruptions.append(self.run.loop.time())
        self.task.queue_frame(InterruptionFrame())


@dataclass
class ProcessorSuite:
    """All cases of a processor. See `check_processor` for the arguments."""

    factory: Callable[[], Part]
    frames: list[Frame]
    updates: list[Frame]
    failing: Callable[[int], Part] | None
    laws: tuple[Law, ...]
    said: tuple[type[Frame], ...]
    expected_errors: tuple[type[BaseException], ...]
    recovers: bool
    gap_secs: float
    settle_secs: float
    end_secs: float
    moments: int
    params: PipelineParams | None
    passing: set[int] = field(default_factory=set)
    """The user's uninterruptible and urgent frames that come out once, undisturbed."""
    usual: set[type[Frame]] = field(default_factory=set)
    """The types of what is said, undisturbed."""

    def run(self, seeds: int | Iterable[int], only: str | None) -> int:
        """Runs all cases; returns the number of runs."""
        suite = Suite("check_processor", name_of(self.factory), seeds, only, moments=self.moments)
        suite.case("undisturbed", self._undisturbed, always=True)
        suite.case("nothing", self._nothing)
        suite.case("all at once", self._all_at_once)
        suite.case("empty and huge", self._empty_and_huge)
        suite.case("every frame", self._every_frame)
        suite.sweep("interrupted", self._interrupted)
        suite.case("interrupted again and again", self._again_and_again)
        suite.sweep("ended", self._ended)
        suite.sweep("cancelled", self._cancelled)
        if self.updates:
            suite.sweep("updated", self._updated)
        if self.failing is not None:
            suite.case("failing", self._failing)
        return suite.run()

    # ---- the cases ----------------------------------------------------------------------------

    async def _undisturbed(self, run: Run) -> None:
        async with self._talk(run, self.factory()) as talk:
            await talk.send()
            await asyncio.sleep(self.settle_secs)
            talk.trace.settled = True
        seen = Counter(id(entry.frame) for entry in talk.trace.out)
        self.passing = {
            id(frame) for frame in self.frames if not frame.interruptible and seen[id(frame)] == 1
        }
        self.usual = {type(entry.frame) for entry in talk.trace.made(*self.said)}

    async def _nothing(self, run: Run) -> None:
        async with self._talk(run, self.factory()):
            await asyncio.sleep(run.rng.choice([0.0, 1.0]))

    async def _all_at_once(self, run: Run) -> None:
        async with self._talk(run, self.factory(), end_secs=20 * self.end_secs) as talk:
            await talk.send(gap_secs=0.0, times=10)
            talk.keep(_DOWN)

    async def _empty_and_huge(self, run: Run) -> None:
        """What is unusual may be refused, by an error of ours; what is cut off goes away."""
        async with self._talk(run, self.factory(), tolerant=True) as talk:
            for frame in self.frames:
                for strange in (emptied(frame), enlarged(frame)):
                    talk.put(strange, _DOWN)
                    await asyncio.sleep(self.gap_secs * run.rng.random())
            await self._get_over(talk)

    async def _every_frame(self, run: Run) -> None:
        """Frames of all types from anywhere: what is not for the part goes by, or is refused."""
        async with self._talk(run, self.factory(), tolerant=True) as talk:
            frames = list(samples())
            run.rng.shuffle(frames)
            for frame in frames:
                talk.put(frame, run.rng.choice([_DOWN, _UP]))
                await asyncio.sleep(self.gap_secs * run.rng.choice([0.0, 0.0, run.rng.random()]))
            await self._get_over(talk)

    async def _get_over(self, talk: CheckedConversation) -> None:
        """After all of that the part takes what is usual, and ends."""
        await asyncio.sleep(self.settle_secs)
        talk.interrupt()
        await talk.send()
        await asyncio.sleep(self.settle_secs)
        talk.interrupt()

    async def _interrupted(self, run: Run) -> None:
        async with self._talk(run, self.factory()) as talk:
            run.strike_with(talk.interrupt)
            await talk.send()
            await asyncio.sleep(self.settle_secs / 10)
            run.spare()
            await asyncio.sleep(self.settle_secs)
            talk.trace.settled = True
            self._judge_stale(talk.trace)
            self._judge_passing(talk.trace)
            if not run.struck:
                return
            struck_at, run.struck_at = run.loop.time(), None
            await talk.send()
            await asyncio.sleep(self.settle_secs)
            self._judge_recovery(talk.trace, struck_at)

    async def _again_and_again(self, run: Run) -> None:
        async with self._talk(run, self.factory()) as talk:
            sending = run.loop.create_task(talk.send(times=2), name="sender")
            while not sending.done():
                limit = self.gap_secs * run.rng.choice([0.05, 0.5, 3.0]) * run.rng.random()
                await asyncio.wait({sending}, timeout=limit)
                talk.interrupt()
            await sending
            await asyncio.sleep(self.settle_secs)
            talk.trace.settled = True
            before = run.loop.time()
            await talk.send()
            await asyncio.sleep(self.settle_secs)
            self._judge_recovery(talk.trace, before)

    async def _ended(self, run: Run) -> None:
        async with self._talk(run, self.factory()) as talk:
            run.strike_with(lambda: talk.finish("the middle"))
            await talk.send()
            run.spare()

    async def _cancelled(self, run: Run) -> None:
        async with self._talk(run, self.factory(), whole=False) as talk:
            run.strike_with(lambda: talk.task.cancel_requested(CancelFrame(reason="the middle")))
            await talk.send()
            run.spare()
            if not run.struck:
                await asyncio.sleep(self.settle_secs * run.rng.random())
                run.struck_at = run.loop.time()
                talk.task.cancel_requested(CancelFrame(reason="all is sent"))
            await asyncio.wait({talk.job})
            assert run.struck_at is not None
            late = talk.ended_at - run.struck_at
            require(ContractRule.STOPS, late <= CANCEL_SECS, f"a cancel took {late:.2f} s")

    async def _updated(self, run: Run) -> None:
        async with self._talk(run, self.factory()) as talk:
            update = run.rng.choice(self.updates)
            run.strike_with(lambda: talk.slip_in(update))
            await talk.send()
            await asyncio.sleep(self.settle_secs)
            run.spare()
            run.struck_at = None
            before = run.loop.time()
            await talk.send()
            await asyncio.sleep(self.settle_secs)
            self._judge_recovery(talk.trace, before)

    async def _failing(self, run: Run) -> None:
        assert self.failing is not None
        for number in range(FAILURES):
            errors = len(run.errors)
            async with self._talk(run, self.failing(number)) as talk:
                await talk.send()
                await asyncio.sleep(self.settle_secs)
            if number and len(run.errors) == errors:
                return

    # ---- one conversation ---------------------------------------------------------------------

    @asynccontextmanager
    async def _talk(
        self,
        run: Run,
        part: Part,
        *,
        whole: bool = True,
        end_secs: float | None = None,
        tolerant: bool = False,
    ) -> AsyncIterator[CheckedConversation]:
        """Starts a conversation and ends it; judges what holds of every one.

        A `tolerant` one is sent nonsense: it may be refused, and what comes out need not make
        sense.
        """
        expected = (*self.expected_errors, AntiphonError) if tolerant else self.expected_errors
        trace = PartTrace()
        task = PipelineTask(
            Pipeline([EndCollector(_UP, trace), part, EndCollector(_DOWN, trace)]),
            params=self.params,
            idle_timeout_secs=None,
        )
        job = run.loop.create_task(task.run(), name="conversation")
        talk = CheckedConversation(self, run, task, job, trace)
        job.add_done_callback(lambda _: talk.end_at(run.loop.time()))
        try:
            yield talk
            if whole:
                await self._end(talk, end_secs or self.end_secs)
        finally:
            if not job.done():
                await task.cancel("given up")
            await asyncio.wait({job})
        job.result()
        trace.ended = whole
        found = reported(run.errors, expected)
        if found is not None:
            raise found
        self._judge_keepsakes(talk)
        for law in () if tolerant else self.laws:
            if (wrong := law(trace)) is not None:
                raise Violation(ContractRule.LAW, wrong)

    async def _end(self, talk: CheckedConversation, end_secs: float) -> None:
        if not talk.end_sent_at:
            talk.finish("all is sent")
        await asyncio.wait({talk.job}, timeout=end_secs)
        if not talk.job.done():
            found = reported(talk.run.errors, self.expected_errors)
            raise found or Violation(
                ContractRule.ENDS, f"the end is not through after {end_secs:g} s"
            )

    # ---- what is judged -----------------------------------------------------------------------

    def _judge_keepsakes(self, talk: CheckedConversation) -> None:
        for kind in (Keepsake, Bell):
            for direction in FrameDirection:
                came = [f.number for f in talk.trace.coming(direction) if isinstance(f, kind)]
                require(
                    ContractRule.KEEPS,
                    came == sorted(set(came)),
                    f"{kind.__name__}s came as {came}",
                )
        if not talk.trace.ended:
            return
        for kind in (Keepsake, Bell):
            sent = [number for number, due in talk.due.items() if due <= talk.end_sent_at]
            came = [e.frame.number for e in talk.trace.out if isinstance(e.frame, kind)]
            lost = sorted(set(sent) - set(came))
            require(
                ContractRule.KEEPS,
                not lost,
                f"{kind.__name__}s number {lost} of {len(sent)} are lost",
            )

    def _judge_passing(self, trace: PartTrace) -> None:
        """The user's own uninterruptible frames pass as often as without an interruption."""
        seen = Counter(id(entry.frame) for entry in trace.out)
        for frame in trace.sent:
            if id(frame) in self.passing:
                times = seen[id(frame)]
                what = f"{describe_frame(frame)} came {times} times, undisturbed once"
                require(ContractRule.KEEPS, times == 1, what)

    def _judge_stale(self, trace: PartTrace) -> None:
        if not trace.interruptions:
            return
        for entry in trace.made(*self.said):
            late = entry.at - trace.interruptions[0]
            fresh = late <= 0 or not entry.frame.interruptible
            what = f"{describe_frame(entry.frame)} came {late:.3f} s after the interruption"
            require(ContractRule.STALE, fresh, what)

    def _judge_recovery(self, trace: PartTrace, since: float) -> None:
        if not self.recovers:
            return
        after = {type(e.frame) for e in trace.made(*self.said) if e.at >= since}
        missing = sorted(kind.__name__ for kind in self.usual - after)
        require(
            ContractRule.RECOVERS, not missing, f"the same frames bring out no {', '.join(missing)}"
        )
