"""The tools of an MCP server as the agent's own. The server is this file's other half.

pip install 'antiphon[mcp]'
python examples/tools/mcp_tools.py
"""

from __future__ import annotations

import asyncio
import sys

from antiphon import (
    LLMContext,
    LLMContextAggregatorPair,
    LLMMessagesAppendFrame,
    LLMService,
    Pipeline,
    PipelineTask,
)
from antiphon.tools.mcp import MCPToolset, StdioServer


async def talk(llm: LLMService, line: str) -> LLMContext:
    """Says the line, waits for the answer, and returns the context."""
    async with MCPToolset(StdioServer(sys.executable, [__file__, "serve"])) as toolset:
        context = LLMContext(tools=toolset.tools)
        user, assistant = LLMContextAggregatorPair(context)
        task = PipelineTask(Pipeline([user, llm, assistant]))
        running = asyncio.get_running_loop().create_task(task.run())
        said = {"role": "user", "content": line}
        await task.queue_frame(LLMMessagesAppendFrame([said], run_llm=True))
        await asyncio.sleep(3)
        await task.stop_when_done()
        await running
    return context


def serve() -> None:
    """A server with one tool, on standard input and output."""
    from mcp.server import MCPServer

    server = MCPServer("opening hours", log_level="ERROR")

    @server.tool()
    def opening_hours(day: str) -> str:
        """Says when the shop is open on a day of the week."""
        return "10 to 18" if day.lower() != "sunday" else "closed"

    server.run("stdio")


if __name__ == "__main__":
    if "serve" in sys.argv:
        serve()
    else:
        from antiphon.providers.select import llm_from_env

        conversation = talk(LLMService(llm_from_env().provider), "Are you open on Sunday?")
        for message in asyncio.run(conversation).get_messages():
            print(message)
