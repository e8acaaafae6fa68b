"""Events that programs may listen to, declared with their types.

    class Door(EventSource):
        on_opened = Event[[str]]()          # handlers get (door, who)

    @door.event_handler("on_opened")
    async def greet(door: Door, who: str) -> None: ...

Handlers run beside the code that emits, each in a task of its own, so a slow one delays nobody;
what they raise is reported, never swallowed. A handler of an event that was emitted while an
interruptible frame was handled belongs to the same epoch: what it pushes after an interruption is
void.
"""

from __future__ import annotations

import asyncio
import difflib
import inspect
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Generic, ParamSpec, TypeVar, overload

from antiphon.errors import UnknownEventError
from antiphon.kernel.epoch import Work, context_of, current_work
from antiphon.kernel.tasks import ends_the_task

P = ParamSpec("P")
H = TypeVar("H", bound=Callable[..., Any])

logger = logging.getLogger("antiphon")


class Event(Generic[P]):
    """Declares an event; the attribute's name is the event's name."""

    def __init__(self) -> None:
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, source: None, owner: type) -> Event[P]: ...
    @overload
    def __get__(self, source: EventSource, owner: type) -> BoundEvent[P]: ...
    def __get__(self, source: EventSource | None, owner: type) -> Event[P] | BoundEvent[P]:
        return self if source is None else BoundEvent(source, self.name)


class BoundEvent(Generic[P]):
    """An event of one object."""

    __slots__ = ("_name", "_source")

    def __init__(self, source: EventSource, name: str) -> None:
        self._source = source
        self._name = name

    @property
    def has_handlers(self) -> bool:
        """Whether anybody listens."""
        return bool(self._source.event_handlers.get(self._name))

    def emit(self, *args: P.args, **kwargs: P.kwargs) -> Awaitable[None]:
        """Starts every handler, at the call; awaiting the answer waits for nothing."""
        for handler in self._source.event_handlers.get(self._name, ()):
            self._source.start_handler(self._name, handler, args, kwargs)
        return DONE

    async def emit_and_wait(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Runs the handlers one after the other and waits for them."""
        for handler in self._source.event_handlers.get(self._name, ()):
            await self._source.run_handler(self._name, handler, args, kwargs)


class _Done:
    """An awaitable that is done: lets a synchronous method be awaited like any other."""

    __slots__ = ()

    __await__ = staticmethod(partial(iter, ()))  # written in C: half the price of a method


DONE = _Done()


class EventSource:
    """An object with events."""

    _event_handlers: dict[str, list[Callable[..., Any]]] | None = None
    _event_tasks: set[asyncio.Task[None]] | None = None

    @property
    def event_handlers(self) -> dict[str, list[Callable[..., Any]]]:
        """The registered handlers by event name."""
        if self._event_handlers is None:
            self._event_handlers = {}
        return self._event_handlers

    def event_handler(self, name: str) -> Callable[[H], H]:
        """Decorator that registers a handler; `UnknownEventError` if there is no such event."""
        self._check(name)

        def register(handler: H) -> H:
            self.event_handlers.setdefault(name, []).append(handler)
            return handler

        return register

    def add_event_handler(self, name: str, handler: Callable[..., Any]) -> None:
        """Registers a handler; `UnknownEventError` if there is no such event."""
        self.event_handler(name)(handler)

    def remove_event_handler(self, name: str, handler: Callable[..., Any]) -> None:
        """Takes a handler back; nothing happens if it was not registered."""
        self._check(name)
        if handler in self.event_handlers.get(name, []):
            self.event_handlers[name].remove(handler)

    def start_handler(self, name: str, handler: Callable[..., Any], args: Any, kwargs: Any) -> None:
        """Runs a handler in a task of its own."""
        work = current_work.get()
        bound = work is not None and work.frame is not None and work.frame.interruptible
        context = context_of(Work(work.epoch, work.frame) if work and bound else None)
        task = asyncio.get_running_loop().create_task(
            self.run_handler(name, handler, args, kwargs),
            name=f"{_described(handler)} of {name}",
            context=context,
        )
        if self._event_tasks is None:
            self._event_tasks = set()
        self._event_tasks.add(task)
        task.add_done_callback(self._event_tasks.discard)

    async def run_handler(
        self, name: str, handler: Callable[..., Any], args: Any, kwargs: Any
    ) -> None:
        """Runs a handler; what it raises is reported."""
        try:
            result = handler(self, *args, **kwargs)
            if inspect.isawaitable(result):
                await result
        except BaseException as error:
            if ends_the_task(error):
                raise
            message = f"the handler {_described(handler)} of {name} failed: {error!r}"
            self.report_handler_error(message, error)

    def report_handler_error(self, message: str, error: BaseException) -> None:
        """What becomes of a failed handler: logged here; a processor also pushes an ErrorFrame."""
        logger.error(message, exc_info=error)

    def is_running_handler(self, task: asyncio.Task[Any] | None) -> bool:
        """Whether a task is one of this object's event handlers."""
        return self._event_tasks is not None and task in self._event_tasks

    @property
    def running_handlers(self) -> set[asyncio.Task[None]]:
        """The tasks of the handlers that have not returned, the running one left out."""
        return {task for task in self._event_tasks or () if task is not asyncio.current_task()}

    def _check(self, name: str) -> None:
        if not isinstance(name, str):
            raise UnknownEventError(
                f"event_handler() takes the name of an event, as in "
                f"@{type(self).__name__.lower()}.event_handler('on_...'), not {name!r}"
            )
        events = sorted(
            key
            for cls in type(self).__mro__
            for key, v in vars(cls).items()
            if isinstance(v, Event)
        )
        if name in events:
            return
        close = difflib.get_close_matches(name, events, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        known = ", ".join(events) or "none"
        raise UnknownEventError(
            f"{type(self).__name__} has no event {name!r}: {hint}it has {known}"
        )


async def finish_handlers(sources: Sequence[EventSource], timeout: float) -> None:
    """Waits at most `timeout` seconds for the running handlers of all, then cancels the rest."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    while running := set().union(*(source.running_handlers for source in sources)):
        if (left := deadline - loop.time()) <= 0:
            break
        await asyncio.wait(running, timeout=left)
    if not running:
        return
    for task in running:
        task.cancel()
    _, stubborn = await asyncio.wait(running, timeout=timeout)
    message = "the handler %s did not return within %g s of the end: it %s"
    for task in running:
        fate = "does not stop either, and is abandoned" if task in stubborn else "is cancelled"
        logger.error(message, task.get_name(), timeout, fate)


def _described(handler: Callable[..., Any]) -> str:
    named = handler.func if isinstance(handler, partial) else handler
    where = type(named) if not inspect.isroutine(named) else named
    return f"{where.__module__}.{where.__qualname__}"
