"""Tools of MCP servers, over stdio or streamable HTTP, by the official `mcp` package.

    async with MCPToolset(StdioServer("python", ["weather.py"])) as weather:
        context = LLMContext(tools=weather.tools)
        ...

States of the connection: *open*; *broken* (a call found it so, or the server went away), which the
next call mends by connecting anew. A call whose connection breaks under it is repeated once if that
is harmless (the tool says that it only reads, or may be repeated); otherwise the model is told that
nobody knows whether it happened.

Each connection is entered and left by a task of its own, as the package wants it; those tasks
belong to the `async with` block, and end with it.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Collection, Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit, urlunsplit

import msgspec

from antiphon.errors import ConfigurationError, ConnectivityError, MissingExtraError
from antiphon.tools.outcome import HandlerOutcome
from antiphon.tools.results import failure
from antiphon.tools.schema import FunctionSchema, ToolOptions, ToolsSchema, tool_options

if TYPE_CHECKING:
    from anyio import CancelScope
    from anyio.abc import TaskGroup

    from antiphon.tools.params import FunctionCallParams

logger: Final = logging.getLogger(__name__)

Filter = Collection[str] | Callable[[str], bool] | None
_CONNECTION_CLOSED = -32000
_TIMED_OUT = -32001
_LEAVING_SECS = 3.0
_AT_ONCE = 500
"""Tools that are described before other work gets its turn."""


class StdioServer(msgspec.Struct, frozen=True):
    """A server that is a program of this machine. `env` is added to a minimal environment.

    What `args` and `env` say stays in the process: no message, frame or model is told it.
    """

    command: str
    args: list[str] = msgspec.field(default_factory=list)
    env: dict[str, str] | None = None
    cwd: str | None = None

    def __repr__(self) -> str:
        return f"StdioServer({self.command!r})"


class _Connection:
    """One connection, for as long as `keep` runs."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._over = asyncio.Event()
        self.ready: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.broken = False
        self._scope: CancelScope | None = None

    async def keep(self) -> None:
        """Connects, waits to be told to leave, leaves; `leave` bounds it wherever it is."""
        import anyio

        with HandlerOutcome() as outcome, anyio.CancelScope() as self._scope:
            async with self._client as client:
                self.ready.set_result(client)
                await self._over.wait()
        self.broken = True
        if not self.ready.done():
            self.ready.set_exception(outcome.error or ConnectionError("it closed at once"))
            self.ready.exception()  # whoever waited may have gone

    def leave(self) -> None:
        """Lets `keep` end, soon."""
        self.broken = True
        self._over.set()
        if self._scope is not None:
            self._scope.deadline = asyncio.get_running_loop().time() + _LEAVING_SECS


class MCPToolset:
    """The tools of one server.

    Args:
        server: a `StdioServer`, or the URL of a streamable HTTP endpoint.
        only: the names to offer, or a function that says which; None is all.
        prefix: put before every name, to tell several servers apart.
        options: how the tools run (`ToolOptions`), for all or by name (without prefix).
        timeout_secs: how long a call may take; `connect_secs` the same for connecting.

    """

    def __init__(
        self,
        server: StdioServer | str,
        *,
        only: Filter = None,
        prefix: str = "",
        options: ToolOptions | Mapping[str, ToolOptions] | None = None,
        timeout_secs: float = 30.0,
        connect_secs: float = 10.0,
    ) -> None:
        self._server = server
        self._only = only
        self._prefix = prefix
        self._options = options or ToolOptions()
        self._timeout_secs = timeout_secs
        self._connect_secs = connect_secs
        self._stack = AsyncExitStack()
        self._group: TaskGroup | None = None
        self._connection: _Connection | None = None
        self._mending = asyncio.Lock()
        self._repeatable: set[str] = set()
        self.tools: ToolsSchema = ToolsSchema()

    async def __aenter__(self) -> Self:
        _needs_mcp()
        import anyio

        self._group = await self._stack.enter_async_context(anyio.create_task_group())
        self._stack.callback(self._leave)
        try:
            await self.refresh()
        except ConnectivityError:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # The block's own exception goes its way unwrapped: the group holds only keepers.
        await self._stack.aclose()
        self._group = None

    async def refresh(self) -> ToolsSchema:
        """Asks the server for its tools again; `tools` is what it offers, filtered.

        Raises:
            ConnectivityError: it cannot be reached, or does not answer in time.

        """
        client = await self._client()
        found: list[Any] = []
        cursor = None
        with HandlerOutcome() as outcome:
            async with asyncio.timeout(self._connect_secs):
                while True:
                    page = await client.list_tools(cursor=cursor)
                    found += page.tools
                    cursor = page.next_cursor
                    if cursor is None:
                        break
        if outcome.error is not None:
            raise self._unreachable(outcome.error)
        self._repeatable = {tool.name for tool in found if _is_repeatable(tool)}
        schemas: dict[str, FunctionSchema] = {}
        for number, tool in enumerate(found):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            with HandlerOutcome() as made:
                if tool.name not in schemas and self._wanted(tool.name):
                    schemas[tool.name] = self._schema(tool)
            if made.error is not None:
                logger.warning("The MCP tool %r is left out: %s", tool.name, made.error)
        self.tools = ToolsSchema(list(schemas.values()))
        return self.tools

    async def call(self, name: str, arguments: dict[str, Any]) -> Any:
        """Calls a tool by the server's name for it; failures are results that say so."""
        for last_try in (False, True):
            with HandlerOutcome() as connecting:
                connecting.value = await self._client()
            if connecting.error is not None:
                logger.warning("The MCP tool %r cannot be called: %s", name, connecting.error)
                return failure(f"The server of the tool `{name}` cannot be reached.")
            with HandlerOutcome() as outcome:
                async with asyncio.timeout(self._timeout_secs + 1.0):  # should the package not
                    outcome.value = _result(
                        await connecting.value.call_tool(
                            name, arguments, read_timeout_seconds=self._timeout_secs
                        )
                    )
            if outcome.error is None:
                return outcome.value
            if isinstance(outcome.error, TimeoutError) or _code(outcome.error) == _TIMED_OUT:
                return failure(f"The tool `{name}` did not answer within {self._timeout_secs:g} s.")
            if not self._lost(outcome.error):
                logger.warning("The MCP tool %r failed.", name, exc_info=outcome.error)
                return failure(f"The tool `{name}` failed.")
            logger.warning("The MCP server of %r went away: %s", name, type(outcome.error).__name__)
            if last_try or name not in self._repeatable:
                break
        return failure(
            f"The connection broke while `{name}` ran: it is not known whether it was carried out."
        )

    # ---- connections ----

    async def _client(self) -> Any:
        """The client of an open connection; makes one if need be."""
        async with self._mending:
            if self._connection is None or self._connection.broken:
                self._leave()
                self._connection = await self._connect()
            return self._connection.ready.result()

    async def _connect(self) -> _Connection:
        if self._group is None:
            raise ConfigurationError("Use an MCPToolset in an `async with` block.")
        connection = _Connection(self._new_client())
        self._group.start_soon(connection.keep)
        with HandlerOutcome() as outcome:
            async with asyncio.timeout(self._connect_secs):
                await asyncio.shield(connection.ready)
        if outcome.error is not None:
            connection.leave()
            raise self._unreachable(outcome.error)
        return connection

    def _new_client(self) -> Any:
        mcp = _needs_mcp()
        server: Any = self._server
        if isinstance(server, StdioServer):
            parameters = mcp.StdioServerParameters(
                command=server.command, args=server.args, env=server.env, cwd=server.cwd
            )
            # The default is what `sys.stderr` was at import, which may be closed by now.
            server = mcp.client.stdio.stdio_client(parameters, errlog=sys.__stderr__)
        return mcp.Client(server)

    def _leave(self) -> None:
        if self._connection is not None:
            self._connection.leave()

    def _lost(self, error: BaseException) -> bool:
        """The connection is of no use any more."""
        code = _code(error)
        if code is not None and code != _CONNECTION_CLOSED:
            return False
        if isinstance(error, ValueError | TypeError | LookupError | AttributeError):
            return False  # an answer that cannot be read is the fault of that call
        if self._connection is not None:
            self._connection.leave()
        return True

    def _unreachable(self, error: BaseException) -> ConnectivityError:
        inner = error
        while isinstance(inner, BaseExceptionGroup):
            inner = inner.exceptions[0]
        what = type(inner).__name__
        if isinstance(inner, TimeoutError):
            what = f"no answer within {self._connect_secs:g} s"
        elif isinstance(inner, OSError) and inner.strerror:
            what = inner.strerror
        return ConnectivityError(f"The MCP server {self._name} cannot be reached: {what}")

    @property
    def _name(self) -> str:
        """The server without what may be a secret: arguments, environment, query, password."""
        if isinstance(self._server, StdioServer):
            return repr(self._server.command)
        address = urlsplit(self._server)
        return repr(urlunsplit((address.scheme, address.netloc.rpartition("@")[2], "", "", "")))

    # ---- tools ----

    def _wanted(self, name: str) -> bool:
        if self._only is None:
            return True
        return self._only(name) if callable(self._only) else name in self._only

    def _schema(self, tool: Any) -> FunctionSchema:
        name: str = tool.name
        options = self._options
        if not isinstance(options, ToolOptions):
            options = options.get(name, ToolOptions())

        @tool_options(**msgspec.structs.asdict(options))
        async def handler(params: FunctionCallParams) -> None:
            await params.result_callback(await self.call(name, params.arguments))

        return FunctionSchema(
            name=self._prefix + name,
            description=tool.description or "",
            handler=handler,
            schema=dict(tool.input_schema),
        )


def _needs_mcp() -> Any:
    try:
        import mcp
    except ImportError as error:
        raise MissingExtraError("MCPToolset", "mcp", "mcp") from error
    return mcp


def _is_repeatable(tool: Any) -> bool:
    hints = tool.annotations
    return hints is not None and bool(hints.read_only_hint or hints.idempotent_hint)


def _code(error: BaseException) -> int | None:
    """The error's code in the protocol, None if it is none of the protocol's."""
    from mcp import MCPError

    return error.error.code if isinstance(error, MCPError) else None


def _result(answer: Any) -> Any:
    texts = [part.text if part.type == "text" else f"[{part.type}]" for part in answer.content]
    if answer.is_error:
        return failure("\n".join(texts) or "The tool failed.")
    structured = answer.structured_content
    if structured is not None:
        return structured["result"] if set(structured) == {"result"} else structured
    return "\n".join(texts)
