"""Calls that would stop a real loop, and with it every conversation of the process.

While a run is watched, what waits for the real world is reported when the loop's thread calls it:
`time.sleep` (which lets virtual time pass instead), processes, sockets that block, and the locks
that threads wait by (`queue.Queue.get`, `threading.Event.wait`, `Future.result`, `Thread.join`).
All but `time.sleep` are done as they are called. A wait without an end that ends by nothing for
very long is ended as an endless step is (see `watchdog`).

What is given to an executor may wait: it is not reported. What escapes: names imported before
(`from time import sleep`), files, and whatever waits in C without one of these.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Protocol

from antiphon.simulation.loop.watchdog import StepEnded, Watchdog, describe_step

_ROOMS = (sysconfig.get_path("stdlib"), str(Path(__file__).parent))
_PACKAGES = "site-packages"
_PATIENCE = 3.0
"""How much more real time a wait without an end may take than a step CPU time."""

_STARTING: CodeType = threading.Thread.start.__code__
"""Waits until the thread runs, which is at once."""


class WatchedCalls(Protocol):
    """What is needed of the loop."""

    steps: int
    may_take_long: bool
    slept_secs: float
    blocking_calls: list[str]
    watchdog: Watchdog

    def spend(self, secs: float) -> None: ...


class BlockingCalls:
    """Tells the loop of the blocking calls that its steps make."""

    def __init__(self, loop: WatchedCalls) -> None:
        self._loop = loop
        self._thread = threading.get_ident()
        self._told: tuple[int, str] | None = None

    def concerns(self) -> bool:
        """Whether the one who calls is a step of the loop's."""
        return threading.get_ident() == self._thread and not self._loop.may_take_long

    def tell(self, call: str) -> None:
        """Reports a call; of several that one line makes in one step the first."""
        frame = sys._getframe(2)
        if not _is_starting(frame):
            place = _place(frame)
            if self._told != (self._loop.steps, place):
                self._told = (self._loop.steps, place)
                self._loop.blocking_calls.append(f"{call} at {place}")

    def sleep(self, secs: float, original: Callable[[float], None]) -> None:
        """Lets virtual time pass instead, and reports it where no executor sleeps."""
        if self.concerns():
            self.tell(f"time.sleep({secs:g})")
            self._loop.spend(secs)
        elif threading.get_ident() == self._thread:
            self._loop.slept_secs += secs
        else:
            original(secs)

    def wait(
        self,
        condition: threading.Condition,
        timeout: float | None,
        original: Callable[..., bool],
    ) -> bool:
        """Reports a wait for a thread; one without an end is ended in the end."""
        limit = self._loop.watchdog.limit_secs
        self.tell("waiting for a thread")
        if timeout is not None or limit is None:
            return original(condition, timeout)
        if original(condition, limit * _PATIENCE):
            return True
        self._loop.watchdog.endless = describe_step(sys._getframe(2))
        raise StepEnded


_now: list[BlockingCalls] = []
"""The run that is watched, if one is. Who took a name of these while another run was watched is
told of this one.
"""


# ---- what stands in place of the calls ----------------------------------------------------------


def _sleeping(original: Callable[[float], None]) -> Callable[[float], None]:
    """`time.sleep`."""

    def sleep(secs: float) -> None:
        calls = _now[-1] if _now else None
        if calls is None:
            original(secs)
        else:
            calls.sleep(secs, original)

    return sleep


def _plain(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    """A call that always blocks."""

    def call(*args: Any, **kwargs: Any) -> Any:
        if _now and _now[-1].concerns():
            _now[-1].tell(name)
        return original(*args, **kwargs)

    return call


def _of_socket(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    """A method of a socket, which blocks unless its timeout is 0."""

    def call(sock: socket.socket, *args: Any, **kwargs: Any) -> Any:
        if _now and sock.gettimeout() != 0.0 and _now[-1].concerns():
            _now[-1].tell(name)
        return original(sock, *args, **kwargs)

    return call


def _waiting(original: Callable[..., bool]) -> Callable[..., bool]:
    """`threading.Condition.wait`, by which queues, events and futures of threads wait."""

    def wait(condition: threading.Condition, timeout: float | None = None) -> bool:
        if not _now or not _now[-1].concerns() or _is_starting(sys._getframe(1)):
            return original(condition, timeout)
        return _now[-1].wait(condition, timeout, original)

    return wait


@contextmanager
def watched(loop: WatchedCalls) -> Iterator[None]:
    """Reports blocking calls to `loop.blocking_calls` as long as it lasts."""
    plain: list[tuple[Any, str, str]] = [
        (os, "system", "os.system"),
        (subprocess.Popen, "__init__", "subprocess.Popen"),
        (subprocess.Popen, "wait", "waiting for a process"),
        (socket, "getaddrinfo", "socket.getaddrinfo"),
        (threading.Thread, "join", "Thread.join"),
    ]
    replaced: list[tuple[Any, str, Any]] = [(time, "sleep", _sleeping(vars(time)["sleep"]))]
    replaced += [(o, name, _plain(call, vars(o)[name])) for o, name, call in plain]
    replaced.append((threading.Condition, "wait", _waiting(threading.Condition.wait)))
    for name in ("connect", "recv", "recv_into", "sendall"):
        original = vars(socket.SocketType)[name]
        replaced.append((socket.socket, name, _of_socket(f"socket.{name}", original)))
    originals = [(o, name, vars(o).get(name)) for o, name, _ in replaced]
    for owner, name, value in replaced:
        setattr(owner, name, value)
    before, _now[:] = list(_now), [BlockingCalls(loop)]
    try:
        yield
    finally:
        _now[:] = before
        for owner, name, value in originals:
            if value is None:  # inherited
                delattr(owner, name)
            else:
                setattr(owner, name, value)


def _is_starting(frame: FrameType | None) -> bool:
    """Whether somebody starts a thread."""
    while frame is not None and frame.f_code.co_filename == _STARTING.co_filename:
        if frame.f_code is _STARTING:
            return True
        frame = frame.f_back
    return False


def _place(frame: FrameType | None) -> str:
    """The innermost line that is neither Python's own nor the simulation's."""
    outermost = frame
    while frame is not None:
        file = frame.f_code.co_filename
        if _PACKAGES in file or not file.startswith(_ROOMS):
            break
        frame = frame.f_back
    found = frame or outermost
    if found is None:
        return "an unknown place"
    return f"{Path(found.f_code.co_filename).name}:{found.f_lineno}"
