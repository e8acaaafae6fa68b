"""Where the agent's audio goes. A sink needs `write`; what else it can do, it has the methods for.

All methods are called by one task, one after the other. They raise when the other side is gone,
whatever they like: what was not taken counts as unheard and is tried again, until the line counts
as lost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from antiphon.errors import ConnectivityError


class AudioSink(Protocol):
    """Takes the agent's audio, chunk by chunk, at the pace of real time."""

    async def write(self, pcm: bytes) -> None:
        """One chunk at the output's rate and channels. To wait long here delays what follows."""


@runtime_checkable
class OpenableSink(Protocol):
    """A sink with a beginning and an end."""

    async def open(self, sample_rate: int, num_channels: int) -> None:
        """Called before the first chunk; `sample_rate` in Hz."""

    async def close(self) -> None:
        """Called after the last chunk, also when opening failed."""


@runtime_checkable
class ClearableSink(Protocol):
    """A sink that holds what is not heard yet, and can throw it away."""

    async def clear(self) -> None:
        """The caller interrupted: what was written and is not heard yet is void."""


@runtime_checkable
class MessageSink(Protocol):
    """A sink whose other side also takes messages."""

    async def send_message(self, message: Any) -> None:
        """Sends one message of the program's."""


@runtime_checkable
class KeySink(Protocol):
    """A sink that can press telephone keys; for others tones are played."""

    async def send_keys(self, keys: str) -> None:
        """Presses keys, such as "12#"."""


class CallbackSink:
    """Hands every chunk to a function: for tests, recordings and programs of one's own."""

    def __init__(self, callback: Callable[[bytes], None]) -> None:
        self._callback = callback

    async def write(self, pcm: bytes) -> None:
        """Calls the function with the chunk."""
        self._callback(pcm)


class ClosedSink:
    """In the place of a sink that could not be opened: takes nothing."""

    async def write(self, pcm: bytes) -> None:
        """Raises `ConnectivityError`."""
        raise ConnectivityError("it could not be opened")
