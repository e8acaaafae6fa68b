"""A real MCP server for the tests: stdio, or streamable HTTP on the port given."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from mcp.server import MCPServer
from mcp.types import ToolAnnotations

server = MCPServer("tests", log_level="CRITICAL")
CRASHED = Path(sys.argv[1])


@server.tool()
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


@server.tool()
def fail() -> str:
    """Fails."""
    raise ValueError("out of order")


@server.tool()
async def slow() -> str:
    """Takes its time."""
    await asyncio.sleep(60)
    return "late"


@server.tool()
def crash() -> str:
    """Takes the server down."""
    os._exit(1)


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def crash_once() -> str:
    """Takes the server down the first time."""
    if CRASHED.exists():
        return "fine now"
    CRASHED.touch()
    os._exit(1)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        server.run("streamable-http", port=int(sys.argv[2]))
    else:
        server.run("stdio")
