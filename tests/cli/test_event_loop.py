"""The event loop of the commands."""

from __future__ import annotations

import asyncio
import importlib.util

import pytest

from antiphon.cli import event_loop


async def _module() -> str:
    return type(asyncio.get_running_loop()).__module__.partition(".")[0]


def test_uvloop_is_used_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands run on uvloop if it is there and nothing else is asked for."""
    monkeypatch.delenv(event_loop.VARIABLE, raising=False)
    if importlib.util.find_spec("uvloop") is not None:
        assert event_loop.run(_module()) == "uvloop"
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert event_loop.run(_module()) == "asyncio"


def test_the_loop_of_the_standard_library_can_be_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The variable keeps uvloop away."""
    monkeypatch.setenv(event_loop.VARIABLE, "asyncio")
    assert event_loop.run(_module()) == "asyncio"
