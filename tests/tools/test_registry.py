"""Who answers which function."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon.tools.registry import FunctionRegistry
from antiphon.tools.schema import FunctionSchema, ToolsSchema, tool_options


async def one(params: Any) -> None: ...


async def two(params: Any) -> None: ...


def tools(handler: Any = one) -> ToolsSchema:
    return ToolsSchema([FunctionSchema("f", "", handler=handler)])


def handler_of(registry: FunctionRegistry, name: str) -> Any:
    found = registry.find(name)
    return found.handler if found else None


def test_none_is_the_catch_all() -> None:
    """A handler without a name answers what nobody else does."""
    registry = FunctionRegistry()
    registry.register(None, one)
    registry.register("g", two)
    assert handler_of(registry, "f") is one
    assert handler_of(registry, "g") is two


def test_carried_handlers_come_and_go_with_their_tools() -> None:
    """A handler carried by an advertised tool is there as long as the tool is."""
    registry = FunctionRegistry()
    registry.adopt(tools())
    assert handler_of(registry, "f") is one
    registry.adopt(tools(two))
    assert handler_of(registry, "f") is two
    registry.adopt(ToolsSchema())
    assert registry.find("f") is None


def test_the_program_wins_over_what_tools_carry() -> None:
    """A registered handler is neither replaced nor removed by a change of tools."""
    registry = FunctionRegistry()
    registry.register("f", two)
    registry.adopt(tools())
    assert handler_of(registry, "f") is two
    registry.adopt(ToolsSchema())
    assert handler_of(registry, "f") is two


def test_an_unregistered_name_stays_away_until_it_is_advertised_anew() -> None:
    """What the program took back is not adopted from the same advertisement."""
    registry = FunctionRegistry()
    registry.adopt(tools())
    registry.unregister("f")
    registry.adopt(tools())
    assert registry.find("f") is None
    registry.adopt(ToolsSchema())
    registry.adopt(tools())
    assert handler_of(registry, "f") is one


def test_what_is_said_at_registration_wins_over_tool_options() -> None:
    """Explicit argument, then `@tool_options`, then the default, each by itself."""

    @tool_options(is_async=True, timeout_secs=5.0)
    async def slow(params: Any) -> None: ...

    registry = FunctionRegistry()
    registry.register("f", slow, timeout_secs=7.0)
    options = registry.options_of("f")
    assert (options.is_async, options.timeout_secs) == (True, 7.0)
    assert options.cancel_on_interruption


def test_options_reach_methods() -> None:
    """`@tool_options` on a method counts for the bound method."""

    class Tools:
        @tool_options(is_async=True)
        async def slow(self, params: Any) -> None: ...

    registry = FunctionRegistry()
    registry.register("f", Tools().slow)
    assert registry.options_of("f").is_async


def test_only_asynchronous_tools_are_cancellable_by_the_model(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The model waits for a synchronous result, so it cannot cancel; a warning says so."""
    registry = FunctionRegistry()
    registry.register("f", one, cancellable_by_llm=True)
    assert not registry.options_of("f").cancellable_by_llm
    assert "'f'" in caplog.text
