"""One end of a simulated TCP connection, as an asyncio transport.

States: open -> closing (`close`, `abort`, the peer's reset) -> lost (`connection_lost` was called,
once). What was written before `close` still arrives, then the end of the stream. Bytes arrive in
order, however their delays were drawn. Who writes to an end that is gone is reset.
"""

from __future__ import annotations

import asyncio
import errno
from collections import deque
from typing import Any, Protocol, cast

from antiphon.simulation.link import Link

Address = tuple[str, int]


class NetworkLoop(Protocol):
    """What the network needs of the loop."""

    def time(self) -> float: ...
    def call_soon(self, callback: Any, *args: Any) -> asyncio.Handle: ...
    def call_at(self, when: float, callback: Any, *args: Any) -> asyncio.TimerHandle: ...
    def stream(self, name: str) -> Any: ...


class TCPTransport(asyncio.Transport):
    """The transport of one side. `number` counts the connections of a network."""

    def __init__(
        self,
        loop: NetworkLoop,
        protocol: asyncio.BaseProtocol,
        link: Link,
        local: Address,
        remote: Address,
    ) -> None:
        super().__init__({"sockname": local, "peername": remote, "socket": None})
        self.link = link
        self.peer: TCPTransport = self
        self.lost = False
        self._loop, self._protocol = loop, protocol
        self._rng = loop.stream("network")
        self._closing = False
        self._eof_sent = False
        self._reading = True
        self._inbox: deque[bytes | None] = deque()
        self._in_flight: deque[bytes | None] = deque()
        self._unread = 0
        self._low, self._high = 16_384, 65_536
        self._writing_paused = False
        self._arrives_at = 0.0

    # ---- what asyncio and protocols call ------------------------------------------------------

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def is_closing(self) -> bool:
        return self._closing

    def is_reading(self) -> bool:
        return self._reading and not self._closing

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        self._reading = True
        self._loop.call_soon(self._read)

    def get_write_buffer_size(self) -> int:
        return self._unread

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._low, self._high

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        if high is None:
            high = 65_536 if low is None else 4 * low
        self._high, self._low = high, high // 4 if low is None else low

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        if self._closing or self._eof_sent or not data:
            return
        self._unread += len(data)
        if self._unread > self._high and not self._writing_paused:
            self._writing_paused = True
            cast("asyncio.Protocol", self._protocol).pause_writing()
        self._send(bytes(data))

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        if not self._closing and not self._eof_sent:
            self._eof_sent = True
            self._send(None)

    def close(self) -> None:
        if self._closing:
            return
        if not self._eof_sent:
            self._eof_sent = True
            self._send(None)
        self._closing = True
        self._loop.call_soon(self._lose, None)

    def abort(self) -> None:
        """Closes at once; the other side is reset."""
        if not self.lost:
            self._closing = True
            self._loop.call_soon(self._lose, None)
            self._reset_peer()

    def reset(self) -> None:
        """The connection breaks: both sides get a `ConnectionResetError`, this one at once."""
        self.break_off()
        self._reset_peer()

    def break_off(self) -> None:
        """Learns that the connection is reset."""
        if not self.lost:
            self._closing = True
            error = ConnectionResetError(errno.ECONNRESET, "connection reset by peer")
            self._loop.call_soon(self._lose, error)

    # ---- the line -----------------------------------------------------------------------------

    def _send(self, data: bytes | None) -> None:
        if self.link.broken:
            return
        size = len(data) if data else 0
        when = self._loop.time() + self.link.travel_secs(size, self._rng)
        self._arrives_at = max(when, self._arrives_at)
        self._in_flight.append(data)
        self._loop.call_at(self._arrives_at, self._arrive)

    def _arrive(self) -> None:
        """The oldest message in flight reaches the other side."""
        if self.link.broken:
            return
        if self.link.stalled:
            self.link.on_resume(self._arrive)
            return
        data = self._in_flight.popleft()
        if not self.peer.lost:
            self.peer.receive(data)
        elif data:
            self._loop.call_at(self._loop.time() + self.link.latency_secs, self.break_off)

    def receive(self, data: bytes | None) -> None:
        """Something arrives (None: the end of the stream)."""
        self._inbox.append(data)
        self._read()

    def _read(self) -> None:
        while self._inbox and self._reading and not self.lost:
            data = self._inbox.popleft()
            if data is None:
                if not cast("asyncio.Protocol", self._protocol).eof_received():
                    self.close()
                continue
            self.peer.taken(len(data))
            if self._closing:
                continue
            if isinstance(self._protocol, asyncio.BufferedProtocol):
                self._fill(self._protocol, data)
            else:
                cast("asyncio.Protocol", self._protocol).data_received(data)

    @staticmethod
    def _fill(protocol: asyncio.BufferedProtocol, data: bytes) -> None:
        while data:
            buffer = memoryview(protocol.get_buffer(len(data))).cast("B")
            count = min(len(buffer), len(data))
            buffer[:count] = data[:count]
            protocol.buffer_updated(count)
            data = data[count:]

    def taken(self, size: int) -> None:
        """The other side's protocol has read so many bytes."""
        self._unread -= size
        if self._writing_paused and self._unread <= self._low and not self.lost:
            self._writing_paused = False
            cast("asyncio.Protocol", self._protocol).resume_writing()

    def _reset_peer(self) -> None:
        if not self.link.broken:
            at = self._loop.time() + self.link.latency_secs
            self._loop.call_at(at, self.peer.break_off)

    def _lose(self, error: Exception | None) -> None:
        if not self.lost:
            self.lost = True
            self._protocol.connection_lost(error)
