"""What the agent can do, as it is told to a model: names, descriptions and JSON schemas.

A tool is described by a `FunctionSchema`, or by a *direct function*: an async function whose first
parameter is `params` (a `FunctionCallParams`) and whose name, docstring, type hints and defaults
say the rest.
"""

from __future__ import annotations

import inspect
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from antiphon.errors import ConfigurationError
from antiphon.tools.docstrings import documentation
from antiphon.tools.signature import Handler, parameters_of, properties_of

_F = TypeVar("_F", bound=Callable[..., Any])


class ToolOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a tool is run.

    `cancel_on_interruption`: the caller cutting in cancels it. `is_async`: the talk goes on while
    it runs and its result is told later. `timeout_secs`: None for the service's default.
    `allow_duplicates`: an identical call may run beside this one. `cancellable_by_llm`: the model
    is given a `cancel_<name>` tool.
    """

    cancel_on_interruption: bool = True
    is_async: bool = False
    timeout_secs: float | None = None
    allow_duplicates: bool = False
    cancellable_by_llm: bool = False

    def __post_init__(self) -> None:
        if self.timeout_secs is not None and not self.timeout_secs > 0:
            raise ConfigurationError(
                f"timeout_secs must be above 0 or None, not {self.timeout_secs}."
            )


_options: weakref.WeakKeyDictionary[Callable[..., Any], ToolOptions] = weakref.WeakKeyDictionary()


def tool_options(
    *,
    cancel_on_interruption: bool = True,
    is_async: bool = False,
    timeout_secs: float | None = None,
    allow_duplicates: bool = False,
    cancellable_by_llm: bool = False,
) -> Callable[[_F], _F]:
    """Declares on the handler itself how it is run; what a registration says explicitly wins."""
    options = ToolOptions(
        cancel_on_interruption=cancel_on_interruption,
        is_async=is_async,
        timeout_secs=timeout_secs,
        allow_duplicates=allow_duplicates,
        cancellable_by_llm=cancellable_by_llm,
    )

    def declare(function: _F) -> _F:
        _options[function] = options
        return function

    return declare


def declared_options(handler: Callable[..., Any] | None) -> ToolOptions:
    """What `@tool_options` said about the handler, or the defaults."""
    function = handler.__func__ if inspect.ismethod(handler) else handler
    if function is None or not inspect.isfunction(function):
        return ToolOptions()
    return _options.get(function, ToolOptions())


class FunctionSchema(msgspec.Struct, frozen=True):
    """One tool: `properties` are the JSON schemas of its arguments, `required` names the mandatory
    ones.

    A `handler`, if given, is registered with the LLM service as long as the tool is advertised.
    `schema`: a JSON schema of all arguments that says more than properties can (`$defs`, `anyOf`
    at the root, `additionalProperties`); `properties` and `required` then come from it.
    """

    name: str
    description: str
    properties: dict[str, Any] = msgspec.field(default_factory=dict)
    required: list[str] = msgspec.field(default_factory=list)
    handler: Handler | None = None
    schema: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        if not self.name:
            raise ConfigurationError("A tool needs a name.")
        if self.schema is not None:
            self._read(self.schema)
            return
        if unknown := [name for name in self.required if name not in self.properties]:
            raise ConfigurationError(
                f"Tool {self.name!r} requires {unknown}, which its properties do not describe."
            )

    def _read(self, schema: dict[str, Any]) -> None:
        properties, required = schema.get("properties", {}), schema.get("required", [])
        if not isinstance(properties, dict) or not isinstance(required, list):
            raise ConfigurationError(
                f"The schema of {self.name!r} needs 'properties' that are an object and 'required' "
                "that is a list."
            )
        msgspec.structs.force_setattr(self, "properties", properties)
        msgspec.structs.force_setattr(self, "required", required)

    @property
    def parameters(self) -> dict[str, Any]:
        """The JSON schema of all arguments."""
        if self.schema is not None:
            return {"type": "object", **self.schema}
        return {
            "type": "object",
            "properties": dict(self.properties),
            "required": list(self.required),
        }


class ToolsSchema(msgspec.Struct, frozen=True):
    """All tools advertised to a model.

    `standard_tools` may mix schemas and direct functions. `custom_tools` are handed to the provider
    of that name as they are.
    """

    standard_tools: Sequence[FunctionSchema | Handler] = ()
    custom_tools: Mapping[str, Sequence[Any]] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        tools = tuple(as_schema(tool) for tool in self.standard_tools)
        names = Counter(tool.name for tool in tools)
        if twice := sorted(name for name, count in names.items() if count > 1):
            raise ConfigurationError(f"Tools have to have different names: {', '.join(twice)}.")
        msgspec.structs.force_setattr(self, "standard_tools", tools)

    @property
    def functions(self) -> tuple[FunctionSchema, ...]:
        """The standard tools, direct functions turned into schemas."""
        return tuple(self.standard_tools)  # type: ignore[arg-type] # by __post_init__

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(tool.name for tool in self.functions)

    def get(self, name: str) -> FunctionSchema | None:
        return next((tool for tool in self.functions if tool.name == name), None)

    def __bool__(self) -> bool:
        return bool(self.standard_tools or self.custom_tools)


def as_tools(tools: Any) -> ToolsSchema:
    """A `ToolsSchema` of what users write: one, None, or a list of schemas and direct functions.

    Raises:
        ConfigurationError: anything else; the text names it.

    """
    if tools is None:
        return ToolsSchema()
    if isinstance(tools, ToolsSchema):
        return tools
    if isinstance(tools, Iterable) and not isinstance(tools, str | bytes | Mapping):
        return ToolsSchema(standard_tools=list(tools))
    raise ConfigurationError(
        f"Tools are a ToolsSchema or a list of FunctionSchema and functions, not {tools!r:.100}."
    )


def as_schema(tool: Any) -> FunctionSchema:
    """A schema itself, or that of a direct function."""
    if isinstance(tool, FunctionSchema):
        return tool
    if inspect.iscoroutinefunction(tool):
        return FunctionSchema(
            name=tool.__name__,
            description=documentation(tool).description,
            properties=properties_of(tool),
            required=[parameter.name for parameter in parameters_of(tool) if parameter.required],
            handler=tool,
        )
    raise ConfigurationError(
        "A tool is a FunctionSchema or an async function whose first parameter is 'params', "
        f"not {tool!r:.100}."
    )
