"""Services side by side of which one is active: the others stand by.

Who gets what
* A frame goes to the active service and to no other, urgent ones too.
* All are started, ended and cleaned up, and told of interruptions: that is the kernel's.
* What configures services (settings, whether answers are spoken, muting) belongs to the switch. The
  active one gets it at once, one that stands by when it becomes active, before anything else. A
  settings update that names a service, or says that all are meant, reaches them at once. Only the
  copy of the service that was active when it came may go on.
* A service that becomes active is told (`ServiceActivatedFrame`).

What comes out
* Of the active service: everything.
* Of one that stands by: an uninterruptible frame that came in for it when it was active, and what
  it makes of such work as long as that is ordered and uninterruptible, such as a tool's result.
  Errors are swallowed and counted. All else is dropped.

Switching is one synchronous step, for the old service much like an interruption of its own: its
handler of an interruptible frame, its bound tasks and its emitters are void. All that waits for it
goes to the new one, in order; first the frame at work, if nothing of it has come out. A handler of
which something came out is cut off: it may still push its closing boundaries, and the new service's
ordered frames wait until it has stopped, at most its `stop_timeout_secs`. An uninterruptible frame
at work is finished by the service that began it.

Once the end has entered, nobody is switched: the active service finishes what it has.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from antiphon.errors import ConfigurationError, ErrorCategory
from antiphon.frames.base import ControlFrame, Frame
from antiphon.frames.lifecycle import ErrorFrame
from antiphon.frames.llm import LLMConfigureOutputFrame, ServiceUpdateSettingsFrame
from antiphon.frames.speech import STTMuteFrame
from antiphon.frames.switch import ManuallySwitchServiceFrame, ServiceActivatedFrame
from antiphon.kernel.branches import Fork, ParallelPipeline
from antiphon.kernel.chain import Chain
from antiphon.kernel.epoch import FrameDirection, current_work, free_context
from antiphon.kernel.event_source import Event, EventSource
from antiphon.kernel.processor import FrameProcessor
from antiphon.kernel.session import Session
from antiphon.kernel.station import Station
from antiphon.kernel.switch_station import Closing, ServedStation
from antiphon.kernel.switch_strategies import (
    ServiceSwitcherStrategy,
    ServiceSwitcherStrategyManual,
)

if TYPE_CHECKING:
    from antiphon.kernel.pipeline import Pipeline

logger = logging.getLogger("antiphon")

UPSTREAM, DOWNSTREAM = FrameDirection.UPSTREAM, FrameDirection.DOWNSTREAM

Configuring = ServiceUpdateSettingsFrame | LLMConfigureOutputFrame | STTMuteFrame


def _both(before: Configuring | None, frame: Configuring) -> Configuring:
    """One frame with the effect of two of its type."""
    if not isinstance(frame, ServiceUpdateSettingsFrame):
        return replace(frame)
    old = before.settings if isinstance(before, ServiceUpdateSettingsFrame) else {}
    settings = {**old, **frame.settings}
    if isinstance(old.get("extra"), dict) and isinstance(settings["extra"], dict):
        settings["extra"] = {**old["extra"], **settings["extra"]}
    return replace(frame, settings=settings)


class ServiceSwitcher(ParallelPipeline, EventSource):
    """Services of one kind, the first of which is active: `ServiceSwitcher([main, spare])`."""

    on_service_switched = Event[[FrameProcessor]]()
    """Another service is the active one."""
    on_error_handled = Event[[ErrorFrame]]()
    """An error of the active service led to a switch, and goes no further."""

    def __init__(
        self,
        services: Sequence[FrameProcessor],
        strategy: ServiceSwitcherStrategy | None = None,
    ) -> None:
        if not services:
            raise ConfigurationError("ServiceSwitcher needs at least one service")
        for service in services:
            if not isinstance(service, FrameProcessor):
                raise ConfigurationError(f"a ServiceSwitcher is made of services, not {service!r}")
        super().__init__(*([service] for service in services))
        self.services = tuple(services)
        self.strategy: ServiceSwitcherStrategy = strategy or ServiceSwitcherStrategyManual()
        self.active_service: FrameProcessor = services[0]
        self.swallowed: dict[str, int] = {}
        """How many errors of each service were swallowed while it stood by."""

    def with_branches(
        self, branches: Sequence[Sequence[FrameProcessor | Pipeline | ParallelPipeline]]
    ) -> ServiceSwitcher:
        """A switcher of other services with the same strategy and the same event handlers."""
        services = [part for branch in branches for part in branch]
        found = [service for service in services if isinstance(service, FrameProcessor)]
        other = ServiceSwitcher(found, self.strategy)
        other.event_handlers.update(self.event_handlers)
        return other

    def make_fork(self, session: Session, chain: Chain, index: int) -> Fork:
        """The node that stands for it in a chain."""
        return Switch(self, session, chain, index)

    def find(self, service: object) -> FrameProcessor | None:
        """The service that is meant: the processor itself, or its name."""
        for one in self.services:
            if one is service or one.name == service:
                return one
        return None


class Switch(Fork):
    """The node of a chain that stands for a `ServiceSwitcher`."""

    def __init__(
        self, switcher: ServiceSwitcher, session: Session, chain: Chain, index: int
    ) -> None:
        super().__init__(session, chain, index)
        self.name = f"ServiceSwitcher#{index}"
        self.dropped = 0
        """Frames of standby services that did not come out."""
        self._switcher = switcher
        self._stations: list[ServedStation] = []
        self._active = 0
        self._served = {0}  # those that have been active
        self._ending = False
        self._closing: Closing | None = None
        self._entered: weakref.WeakKeyDictionary[Frame, set[int]] = weakref.WeakKeyDictionary()
        self._told: weakref.WeakKeyDictionary[Frame, set[int]] = weakref.WeakKeyDictionary()
        self._configuration: dict[int, dict[type[Frame], Configuring]] = {}
        """For each service, what it has not been told of while it stood by."""
        session.sources.append(switcher)

    # ---- wiring -------------------------------------------------------------------------------

    def make_station(self, part: FrameProcessor, session: Session, chain: Chain) -> Station:
        """The place of the next service."""
        station = ServedStation(part, session, chain, self._hand_on)
        self._stations.append(station)
        return station

    def exit_of(self, number: int) -> Callable[[Frame, FrameDirection], None]:
        """Where a branch ends."""
        return partial(self._leave_branch, number)

    def wired(self) -> None:
        """All services have their places, and names."""
        names = tuple(station.name for station in self._stations)
        if len(set(names)) < len(names):
            raise ConfigurationError(
                f"the services of a ServiceSwitcher need different names, not {', '.join(names)}"
            )
        switcher = self._switcher
        switcher.active_service = switcher.services[0]
        switcher.swallowed = dict.fromkeys(names, 0)
        switcher.strategy.begin(names)

    # ---- in -----------------------------------------------------------------------------------

    def deliver(self, frame: Frame, direction: FrameDirection) -> None:
        """Hands a frame to the active service, and to others that it is for."""
        if frame.lifecycle:
            self._ending = True
            super().deliver(frame, direction)
            return
        if isinstance(frame, ManuallySwitchServiceFrame):
            self._asked(frame, direction)
            return
        if isinstance(frame, ServiceUpdateSettingsFrame):
            self._tell(frame, direction)
        if isinstance(frame, Configuring):
            self._remember(frame)
        self._enter_service(frame, self._active)
        self.branches[self._active].hand_in(frame, direction)

    def _enter_service(self, frame: Frame, number: int) -> None:
        self._entered.setdefault(frame, set()).add(number)

    def _tell(self, frame: ServiceUpdateSettingsFrame, direction: FrameDirection) -> None:
        """Hands a settings update to the standby services that it is for."""
        self._enter_service(frame, self._active)
        told = self._told[frame] = {self._active}
        for number, station in enumerate(self._stations):
            meant = frame.reach_inactive_services or frame.service == station.name
            if meant and number != self._active:
                told.add(number)
                self.branches[number].hand_in(frame, direction)

    def _remember(self, frame: Configuring) -> None:
        """Keeps what configures services for those that have not got it."""
        if isinstance(frame, ServiceUpdateSettingsFrame) and frame.service is not None:
            return
        told = self._told.get(frame, {self._active})
        for number in range(len(self._stations)):
            if number not in told:
                of = self._configuration.setdefault(number, {})
                of[type(frame)] = _both(of.get(type(frame)), frame)

    def _configure(self, number: int, previous: FrameProcessor) -> None:
        """Tells a service that becomes active of that, and of what it missed."""
        news: list[Frame] = [ServiceActivatedFrame(previous)]
        news += self._configuration.pop(number, {}).values()
        for frame in news:
            self._entered[frame] = set()  # it leaves no branch
            self.branches[number].hand_in(frame, DOWNSTREAM)

    def _asked(self, frame: ManuallySwitchServiceFrame, direction: FrameDirection) -> None:
        wanted = self._switcher.find(frame.service)
        if wanted is not None and not self._ending:
            self.switch_to(self._switcher.services.index(wanted))
            return
        if wanted is None and self._is_for_another(frame):
            self._hand_on(frame, direction)
            return
        name = frame.service.name if isinstance(frame.service, FrameProcessor) else frame.service
        known = ", ".join(station.name for station in self._stations)
        reason = f"it has {known}" if wanted is None else "the conversation is ending"
        message = f"{self.name} cannot switch to {name!r}: {reason}"
        error = ErrorFrame(
            error=message, processor=self.name, category=ErrorCategory.INVALID_REQUEST
        )
        self._hand_on(error, UPSTREAM)

    def _is_for_another(self, frame: ManuallySwitchServiceFrame) -> bool:
        others = (s for s in self._session.sources if isinstance(s, ServiceSwitcher))
        return any(other.find(frame.service) is not None for other in others)

    # ---- out ----------------------------------------------------------------------------------

    def _leave_branch(self, number: int, frame: Frame, direction: FrameDirection) -> None:
        station = self._stations[number]
        if frame.lifecycle:
            station.release()
            self.leave(number, frame, direction)
        elif isinstance(frame, ErrorFrame) and frame.processor == station.name:
            self._failed(number, frame)
        elif not self._may_leave(number, frame):
            self.dropped += 1
        elif not station.holds(frame, direction):
            self._hand_on(frame, direction)

    def _may_leave(self, number: int, frame: Frame) -> bool:
        active = number == self._active
        entered = self._entered.get(frame)
        if entered is not None:
            if number not in entered:
                return False
            return active or not frame.interruptible or self._closes(number, frame)
        if active:
            return True
        lasting = not frame.urgent and not frame.interruptible
        return (lasting and number in self._served) or self._closes(number, frame)

    def _closes(self, number: int, frame: Frame) -> bool:
        """Whether it is a boundary of an answer that is being cut off."""
        closing = self._closing
        return (
            closing is not None
            and current_work.get() is closing.work
            and isinstance(frame, ControlFrame)
        )

    def _hand_on(self, frame: Frame, direction: FrameDirection) -> None:
        if not self._session.closed:
            self._chain.hand_on(self.index, frame, direction)

    # ---- failing and switching ----------------------------------------------------------------

    def _failed(self, number: int, error: ErrorFrame) -> None:
        switcher = self._switcher
        if number != self._active:
            switcher.swallowed[self._stations[number].name] += 1
            logger.info("%s, which stands by, failed: %s", error.processor, error.error)
            return
        target: FrameProcessor | None = None
        if not self._ending and not _is_about_settings():
            name = switcher.strategy.receive(error, self._session.clock.now())
            target = None if name is None else switcher.find(name)
        if target is None:
            self._hand_on(error, UPSTREAM)
            self._stations[number].release()
            return
        logger.warning("%s: %s; %s takes over", error.processor, error.error, target.name)
        self.switch_to(switcher.services.index(target))
        free_context().run(switcher.on_error_handled.emit, error)

    def switch_to(self, number: int) -> None:
        """Makes a service the active one; see the module's docstring."""
        if number == self._active:
            return
        old, new = self._stations[self._active], self._stations[number]
        before = self._active
        self._active = number
        self._served.add(number)
        envelopes, closing = old.take_away(
            lambda frame: _is_for(old.name, frame) or not self._goes_to(number, frame)
        )
        for frame, _, _ in envelopes:
            if isinstance(frame, Configuring):  # the old one has not been told of it
                of = self._configuration.setdefault(before, {})
                of[type(frame)] = _both(of.get(type(frame)), frame)
        observers = self._session.observers
        for frame, direction, _ in envelopes:
            self._enter_service(frame, number)
            if observers is not None:
                observers.pushed(old.name, new.name, frame, direction)
        if self._closing is not None:
            old.ordered.release()
        if closing is not None:
            self._closing = closing
            closing.then(partial(self._settled, closing))
        if self._closing is not None:
            new.ordered.hold()
        self._configure(number, old.processor)
        new.take_over(envelopes)
        self._switched(new)

    def _goes_to(self, number: int, frame: Frame) -> bool:
        """Whether a frame that waits goes to the new service: it came in, and that has no copy."""
        activated = isinstance(frame, ServiceActivatedFrame)
        return frame in self._entered and number not in self._told.get(frame, ()) and not activated

    def _settled(self, closing: Closing) -> None:
        if self._closing is closing:
            self._closing = None
            if not self._session.closed:
                self._stations[self._active].ordered.release()

    def _switched(self, station: ServedStation) -> None:
        switcher = self._switcher
        switcher.active_service = station.processor
        switcher.strategy.switched(station.name)
        # The handlers act for themselves: not on behalf of work that is void now.
        free_context().run(switcher.on_service_switched.emit, station.processor)


def _is_for(name: str, frame: Frame) -> bool:
    """Tell that a frame is for this service and no other."""
    return isinstance(frame, ServiceUpdateSettingsFrame) and frame.service == name


def _is_about_settings() -> bool:
    """Whether a settings update is being handled: refusing it is no failure of the service."""
    work = current_work.get()
    return work is not None and isinstance(work.frame, ServiceUpdateSettingsFrame)
