"""Events that programs may listen to, declared with their types.

    class Door(EventSource):
        on_opened = Event[[str]]()          # handlers get (door, who)

    @door.event_handler("on_opened")
    async def greet(door: Door, who: str) -> None: ...

Handlers run beside the code that emits, each in a task of its own, so a slow one does not delay the
emitter; what they raise is reported, never swallowed. Those of successive events of one object run
in order: a handler begins when those of the event before have returned, or have had
`PATIENCE_SECS` to. A handler of an event that was emitted while an
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

from antiphon.errors import ConfigurationError, UnknownEventError
from antiphon.kernel.epoch import Work, context_of, current_work
from antiphon.kernel.tasks import described, ends_the_task, running_task

P = ParamSpec("P")
H = TypeVar("H", bound=Callable[..., Any])

PATIENCE_SECS = 2.0
"""How long the handlers of an event may hold up those of the next one."""

logger = logging.getLogger("antiphon")


class Event(Generic[P]):
    """Declares an event; the attribute's name is the event's name."""

    def __init__(self) -> None:
        self.name = ""

    @property
    def given(self) -> int | None:
        """How many arguments a handler gets after the object; None if the declaration is bare."""
        return None if (types := self._types()) is None else len(types)

    def argument_names(self) -> list[str]:
        """Names for an example."""
        names = [
            (kind.__name__ if isinstance(kind, type) else "value").lower()
            for kind in self._types() or ()
        ]
        return [
            f"{name}{number}" if names.count(name) > 1 else name
            for number, name in enumerate(names, 1)
        ]

    def _types(self) -> tuple[Any, ...] | None:
        declared = self.__dict__.get("__orig_class__")  # set by `Event[[...]]()`
        return None if declared is None else tuple(declared.__args__[0])

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
        handlers = self._source.event_handlers.get(self._name)
        if handlers:
            self._source.start_handlers(self._name, handlers, args, kwargs)
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


Turn = tuple[tuple[asyncio.Task[None], ...], "asyncio.Future[None] | None", "asyncio.Future[None]"]
"""The handlers of the event before, when they have begun, and when those of this one have."""


class EventSource:
    """An object with events."""

    _event_handlers: dict[str, list[Callable[..., Any]]] | None = None
    _event_tasks: set[asyncio.Task[None]] | None = None
    _latest_handlers: tuple[asyncio.Task[None], ...] = ()
    _latest_begun: asyncio.Future[None] | None = None

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
            self._check_arguments(name, handler)
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

    def start_handlers(
        self, name: str, handlers: Sequence[Callable[..., Any]], args: Any, kwargs: Any
    ) -> None:
        """Runs each handler in a task of its own, after those of the event before."""
        work = current_work.get()
        bound = work is not None and work.frame is not None and work.frame.interruptible
        if self._event_tasks is None:
            self._event_tasks = set()
        before = tuple(task for task in self._latest_handlers if task is not running_task())
        earlier = self._latest_begun if before else None
        begun = self._latest_begun = asyncio.get_running_loop().create_future()
        started: list[asyncio.Task[None]] = []
        for handler in handlers:
            task = asyncio.get_running_loop().create_task(
                self._run_after((before, earlier, begun), name, handler, args, kwargs),
                name=f"{_described(handler)} of {name}",
                context=context_of(Work(work.epoch, work.frame) if work and bound else None),
            )
            started.append(task)
            self._event_tasks.add(task)
            task.add_done_callback(self._event_tasks.discard)
            task.add_done_callback(lambda _: _set(begun))
        self._latest_handlers = tuple(started)

    async def _run_after(
        self, turn: Turn, name: str, handler: Callable[..., Any], args: Any, kwargs: Any
    ) -> None:
        before, earlier, begun = turn
        if pending := {task for task in before if not task.done()}:
            await asyncio.wait(pending, timeout=PATIENCE_SECS)
        if earlier is not None and not earlier.done():
            await asyncio.wait({earlier})
        _set(begun)
        await self.run_handler(name, handler, args, kwargs)

    async def run_handler(
        self, name: str, handler: Callable[..., Any], args: Any, kwargs: Any
    ) -> None:
        """Runs a handler; what it raises is reported."""
        task = running_task()
        try:
            result = handler(self, *args, **kwargs)
            if inspect.isawaitable(result):
                await result
        except BaseException as error:
            if ends_the_task(error, task):
                raise
            message = f"the handler {_described(handler)} of {name} failed: {described(error)}"
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

    def _check_arguments(self, name: str, handler: Callable[..., Any]) -> None:
        event = inspect.getattr_static(type(self), name)
        given = event.given if isinstance(event, Event) else None
        if not callable(handler):
            raise ConfigurationError(f"a handler of {name} is a function, not {handler!r}")
        if given is None or accepts(handler, given + 1):
            return
        kind = type(self).__name__
        raise ConfigurationError(
            f"{_described(handler)} cannot handle {name}: it is called with {given + 1} arguments, "
            f"the {kind} first, as in "
            f"`async def {name}({', '.join([kind.lower(), *event.argument_names()])})`"
        )

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


def accepts(function: Callable[..., Any], count: int) -> bool:
    """Whether a function can be called with so many positional arguments."""
    try:
        inspect.signature(function).bind(*[None] * count)
    except ValueError:  # a builtin that does not tell
        return True
    except TypeError:
        return False
    return True


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _described(handler: Callable[..., Any]) -> str:
    named = handler.func if isinstance(handler, partial) else handler
    where = type(named) if not inspect.isroutine(named) else named
    return f"{where.__module__}.{where.__qualname__}"
