"""Tools of a real MCP server."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from antiphon.errors import ConfigurationError, ConnectivityError
from antiphon.tools.mcp import MCPToolset, StdioServer
from antiphon.tools.registry import FunctionRegistry
from antiphon.tools.schema import ToolOptions

SERVER = str(Path(__file__).with_name("mcp_server.py"))


def stdio(tmp_path: Path) -> StdioServer:
    return StdioServer(sys.executable, [SERVER, str(tmp_path / "crashed")])


@contextlib.contextmanager
def http(tmp_path: Path) -> Iterator[str]:
    """A server on a free port, up before the body runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, SERVER, str(tmp_path / "crashed"), str(port)]
    with subprocess.Popen(command) as process:
        try:
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            process.terminate()


@contextlib.asynccontextmanager
async def connected(url: str) -> AsyncIterator[MCPToolset]:
    """Tries until the server is up."""
    for _ in range(200):
        with contextlib.suppress(ConnectivityError):
            async with MCPToolset(url, timeout_secs=5) as toolset:
                yield toolset
                return
        await asyncio.sleep(0.05)
    raise AssertionError("the server did not come up")


def test_tools_over_stdio(tmp_path: Path) -> None:
    """Described, called, failing, slow, gone: each ends in a result that says so."""

    async def main() -> None:
        async with MCPToolset(stdio(tmp_path), timeout_secs=2.0) as toolset:
            schema = toolset.tools.get("add")
            assert schema is not None
            assert schema.description == "Adds two numbers."
            assert schema.required == ["a", "b"]
            assert await toolset.call("add", {"a": 1, "b": 2}) == 3
            assert "fail" in (await toolset.call("fail", {}))["error"]
            assert "within 2 s" in (await toolset.call("slow", {}))["error"]
            assert "not known whether" in (await toolset.call("crash", {}))["error"]
            assert await toolset.call("add", {"a": 2, "b": 2}) == 4
            assert await toolset.call("crash_once", {}) == "fine now"

    asyncio.run(main())


def test_tools_over_http(tmp_path: Path) -> None:
    """The same server over streamable HTTP, and a call by the handler that the schema carries."""
    answers: list[Any] = []

    class Params:
        arguments: dict[str, Any] = {"a": 20, "b": 22}  # noqa: RUF012 - a stand-in

        async def result_callback(self, result: Any) -> None:
            answers.append(result)

    async def main(url: str) -> None:
        async with connected(url) as toolset:
            schema = toolset.tools.get("add")
            assert schema is not None
            assert schema.handler is not None
            await schema.handler(Params())
            assert "fail" in (await toolset.call("fail", {}))["error"]

    with http(tmp_path) as url:
        asyncio.run(main(url))
    assert answers == [42]


def test_a_server_over_http_that_goes_away(tmp_path: Path) -> None:
    """The call under way is told so, the next one that it cannot be reached."""

    async def main(url: str) -> None:
        async with connected(url) as toolset:
            assert "error" in await toolset.call("crash", {})
            assert "cannot be reached" in (await toolset.call("add", {"a": 1, "b": 1}))["error"]

    with http(tmp_path) as url:
        asyncio.run(main(url))


def test_filters_prefixes_and_options(tmp_path: Path) -> None:
    """Only what is wanted is offered, under names that cannot clash, run as asked."""

    async def main() -> None:
        options = {"add": ToolOptions(is_async=True, timeout_secs=5.0)}
        async with MCPToolset(
            stdio(tmp_path),
            only=lambda name: name in {"add", "fail"},
            prefix="math_",
            options=options,
        ) as toolset:
            assert toolset.tools.names == ("math_add", "math_fail")
            registry = FunctionRegistry()
            registry.adopt(toolset.tools)
            assert registry.options_of("math_add").is_async
            assert not registry.options_of("math_fail").is_async

    asyncio.run(main())


@pytest.mark.parametrize("server", ["http://127.0.0.1:9/mcp", StdioServer("/nonexistent")])
def test_a_server_that_is_not_there_is_one_clear_error(server: Any) -> None:
    """Entering fails with the server's name, and nothing is left running."""

    async def main() -> None:
        with pytest.raises(ConnectivityError, match="cannot be reached"):
            async with MCPToolset(server):
                pass
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def test_a_toolset_is_used_within_its_block(tmp_path: Path) -> None:
    """Outside of it there is nobody to keep a connection."""

    async def main() -> None:
        result = await MCPToolset(stdio(tmp_path)).call("add", {})
        assert "cannot be reached" in result["error"]
        with pytest.raises(ConfigurationError):
            await MCPToolset(stdio(tmp_path)).refresh()

    asyncio.run(main())
