"""The tools of an MCP server as the agent's own. The server is this file's other half.

pip install 'antiphon[mcp]'
python -m examples.tools.mcp_tools
"""

from __future__ import annotations

import asyncio
import sys

from antiphon import LLMContext, LLMService, MCPToolset, StdioServer
from examples.tools.typed import TypedCall, chosen_llm

SERVER = StdioServer(sys.executable, ["-m", "examples.tools.mcp_tools", "serve"])


async def talk(llm: LLMService, *, patience_secs: float = 8.0) -> LLMContext:
    """Asks what only the server knows."""
    async with MCPToolset(SERVER, only={"opening_hours"}) as shop:
        print(f"  tools: {list(shop.tools.names)}")
        context = LLMContext(tools=shop.tools)
        await TypedCall(llm, context).hold("Are you open on Sunday?", patience_secs)
    return context


def serve() -> None:
    """A server with two tools, on standard input and output."""
    from mcp.server import MCPServer

    server = MCPServer("shop", log_level="ERROR")

    @server.tool()
    def opening_hours(day: str) -> str:
        """Says when the shop is open on a day of the week."""
        return "10 to 18" if day.lower() != "sunday" else "closed"

    @server.tool()
    def raise_prices(percent: int) -> str:
        """Not for callers: the filter keeps it from the model."""
        return f"Everything costs {percent}% more."

    server.run("stdio")


if __name__ == "__main__":
    if "serve" in sys.argv:
        serve()
    else:
        asyncio.run(talk(chosen_llm()))
