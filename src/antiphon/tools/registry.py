"""Which handler runs which function.

Handlers come in two ways. *Registered* by the program: they stay until it unregisters them.
*Carried* by the advertised tools (a `FunctionSchema` with a handler, a direct function): they are
there as long as the tool is advertised. The program wins: a name it registered is never taken over,
and a name it unregistered is not adopted again before the tool has been withdrawn once.
"""

from __future__ import annotations

import inspect
import logging
from typing import Any, Final

import msgspec

from antiphon.errors import ConfigurationError
from antiphon.tools.schema import (
    FunctionSchema,
    ToolOptions,
    ToolsSchema,
    as_schema,
    declared_options,
)
from antiphon.tools.signature import Handler

logger: Final = logging.getLogger(__name__)


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """A handler and how it is run. `name` None is the catch-all.

    `direct`: it takes the arguments as keywords, in the types of its hints. `carried`: by an
    advertised tool.
    """

    name: str | None
    handler: Handler
    options: ToolOptions
    direct: bool = False
    carried: bool = False


class FunctionRegistry:
    """The handlers of one LLM service."""

    def __init__(self) -> None:
        self._known: dict[str | None, Registration] = {}
        self._refused: set[str] = set()
        self._missed: set[str] = set()

    def register(
        self,
        name: str | None,
        handler: Handler,
        *,
        direct: bool = False,
        **explicit: bool | float | None,
    ) -> None:
        """Registers a handler; of `explicit` (names of `ToolOptions`) None means "not said"."""
        if not callable(handler):
            raise ConfigurationError(f"The handler of {name!r} has to be an async function.")
        said = {key: value for key, value in explicit.items() if value is not None}
        options = msgspec.structs.replace(declared_options(handler), **said)
        if options.cancellable_by_llm and not options.is_async:
            logger.warning(
                "The model waits for %r and cannot cancel it: register it with is_async=True.",
                name,
            )
            options = msgspec.structs.replace(options, cancellable_by_llm=False)
        self._known[name] = Registration(name=name, handler=handler, options=options, direct=direct)
        if name is not None:
            self._refused.discard(name)

    def register_direct(self, handler: Handler, **explicit: bool | float | None) -> FunctionSchema:
        """Registers a direct function under its own name; returns its schema."""
        schema = as_schema(handler)
        self.register(schema.name, handler, direct=True, **explicit)
        return schema

    def unregister(self, name: str | None) -> None:
        """Takes a handler back; nothing happens if there is none."""
        self._known.pop(name, None)
        if name is not None:
            self._refused.add(name)

    def adopt(self, tools: ToolsSchema) -> None:
        """Takes over the handlers that the advertised tools carry, and drops those of withdrawn
        ones.
        """
        names = set(tools.names)
        self._refused &= names
        for name, known in list(self._known.items()):
            if known.carried and name not in names:
                del self._known[name]
        for schema in tools.functions:
            if schema.handler is None or schema.name in self._refused:
                continue
            known_one = self._known.get(schema.name)
            if known_one is not None and (
                not known_one.carried or known_one.handler is schema.handler
            ):
                continue
            self._known[schema.name] = Registration(
                name=schema.name,
                handler=schema.handler,
                options=declared_options(schema.handler),
                direct=_is_direct(schema),
                carried=True,
            )

    def missing(self, tools: ToolsSchema) -> list[str]:
        """Advertised functions that nobody answers; each is named once."""
        if None in self._known:
            return []
        found = [name for name in tools.names if name not in self._known]
        fresh = [name for name in found if name not in self._missed]
        self._missed.update(fresh)
        return fresh

    def find(self, name: str) -> Registration | None:
        """The handler of that name, else the catch-all, else None."""
        return self._known.get(name) or self._known.get(None)

    @property
    def names(self) -> list[str]:
        """The functions that have a handler of their own."""
        return [name for name in self._known if name is not None]

    @property
    def covered(self) -> frozenset[str] | None:
        """The functions that it can answer; None: every one, by a catch-all."""
        return None if None in self._known else frozenset(self.names)

    def options_of(self, name: str) -> ToolOptions:
        registration = self.find(name)
        return registration.options if registration is not None else ToolOptions()


def _is_direct(schema: FunctionSchema) -> bool:
    """A schema made from its handler's signature, as opposed to one that merely names a handler."""
    handler: Any = schema.handler
    named = inspect.isroutine(handler) and handler.__name__ == schema.name
    return named and is_direct_function(handler)


def is_direct_function(handler: Any) -> bool:
    """The handler takes more than its `params`: it wants the arguments as keywords."""
    return len(inspect.signature(handler).parameters) > 1
