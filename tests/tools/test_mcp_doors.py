"""What an MCP server may do that none should, and what never leaves the process."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from typing import Any, Self

import pytest

from antiphon.errors import ConnectivityError
from antiphon.simulation.loop.virtual_time import run
from antiphon.tools.mcp import MCPToolset, StdioServer

SECRET = "s3cret-of-the-bank"


def tool(name: str, schema: Any = None) -> Any:
    return SimpleNamespace(name=name, description="d", input_schema=schema or {}, annotations=None)


class Server:
    """A client of a server that does as it is told."""

    def __init__(self, *tools: Any, answer: Any = None, hangs: str = "") -> None:
        self._tools, self._answer, self._hangs = tools, answer, hangs
        self.left = 0

    async def __aenter__(self) -> Self:
        await self._maybe("connect")
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self._maybe("leave")
        finally:
            self.left += 1

    async def list_tools(self, cursor: Any = None) -> Any:
        await self._maybe("list")
        return SimpleNamespace(tools=list(self._tools), next_cursor=None)

    async def call_tool(self, *_: Any, **__: Any) -> Any:
        await self._maybe("call")
        if isinstance(self._answer, BaseException):
            raise self._answer
        return self._answer

    async def _maybe(self, where: str) -> None:
        if where == self._hangs:
            await asyncio.Event().wait()


def toolset(server: Server, monkeypatch: pytest.MonkeyPatch) -> MCPToolset:
    made = MCPToolset("http://localhost/mcp", timeout_secs=4.0, connect_secs=2.0)
    monkeypatch.setattr(made, "_new_client", lambda: server)
    return made


@pytest.mark.parametrize("where", ["connect", "list"])
def test_a_server_that_never_answers_is_bounded(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entering the block fails in `connect_secs`, and nothing is left running."""
    server = Server(hangs=where)

    async def main() -> float:
        before = asyncio.get_running_loop().time()
        with pytest.raises(ConnectivityError, match="no answer within 2 s"):
            await toolset(server, monkeypatch).__aenter__()
        return asyncio.get_running_loop().time() - before

    assert run(main()) < 6.0


@pytest.mark.parametrize("where", ["call", "leave"])
def test_a_call_and_the_end_are_bounded_too(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call takes at most its timeout, leaving the block a few seconds."""
    server = Server(tool("f"), hangs=where, answer=SimpleNamespace(content=[], is_error=True))

    async def main() -> float:
        before = asyncio.get_running_loop().time()
        async with toolset(server, monkeypatch) as made:
            told = await made.call("f", {})
            assert "error" in told
        return asyncio.get_running_loop().time() - before

    assert run(main()) < 9.0
    assert server.left == 1


def test_a_bad_tool_is_left_out_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Schemas that are none, names twice or missing: the others are there, the log names it."""
    whole = {
        "$defs": {"size": {"enum": ["s", "m"]}},
        "properties": {"size": {"$ref": "#/$defs/size"}},
        "anyOf": [{"required": ["size"]}],
        "additionalProperties": False,
    }
    server = Server(
        tool("good", whole),
        tool("bad", {"properties": ["a"]}),
        tool("worse", {"required": "a"}),
        tool("", {}),
        tool("none", 5),
        tool("good", {}),
        tool("bare"),
    )

    async def main() -> None:
        async with toolset(server, monkeypatch) as made:
            assert made.tools.names == ("good", "bare")
            good = made.tools.get("good")
            assert good is not None
            assert good.parameters == {"type": "object", **whole}

    run(main())
    assert "'bad' is left out" in caplog.text


@pytest.mark.parametrize(
    "answer",
    [
        SimpleNamespace(content=None, is_error=False),
        SimpleNamespace(content=[SimpleNamespace()], is_error=False),
        SimpleNamespace(content=[], is_error=False, structured_content=5),
        ValueError(f"1 validation error, input_value={SECRET}"),
        KeyError("x"),
        None,
    ],
)
def test_a_malformed_answer_is_the_failure_of_that_call(
    answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model is told in neutral words, and the connection stays."""
    server = Server(tool("f"), answer=answer)

    async def main() -> None:
        async with toolset(server, monkeypatch) as made:
            assert await made.call("f", {}) == {"error": "The tool `f` failed."}
            assert await made.call("f", {}) == {"error": "The tool `f` failed."}
            assert server.left == 0

    run(main())


def test_twenty_thousand_tools_let_others_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are described in portions: another task gets many turns meanwhile."""
    server = Server(*(tool(f"t{n}") for n in range(20_000)))
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def main() -> None:
        counting = asyncio.ensure_future(count())
        async with toolset(server, monkeypatch) as made:
            assert len(made.tools.functions) == 20_000
        counting.cancel()

    run(main())
    assert turns > 40


@pytest.mark.parametrize(
    "server",
    [
        StdioServer("/no/such/program", ["--token", SECRET], env={"BANK_TOKEN": SECRET}),
        f"http://me:{SECRET}@127.0.0.1:9/mcp?key={SECRET}",
    ],
    ids=["stdio", "http"],
)
def test_secrets_stay_in_the_process(server: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the error of a server that cannot be reached nor the model's result has them."""
    caplog.set_level(logging.WARNING, logger="antiphon")
    assert SECRET not in repr(server) or isinstance(server, str)

    async def main() -> None:
        made = MCPToolset(server, connect_secs=5.0)
        with pytest.raises(ConnectivityError) as caught:
            await made.__aenter__()
        assert SECRET not in str(caught.value)
        assert caught.value.__cause__ is None
        assert SECRET not in str(await made.call("f", {}))

    asyncio.run(main())
    assert SECRET not in "".join(record.getMessage() for record in caplog.records)
