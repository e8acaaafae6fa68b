"""Frames for a `ServiceSwitcher`."""

from __future__ import annotations

from typing import Any

from antiphon.frames.base import ControlFrame, UninterruptibleFrame


class ServiceSwitcherFrame(UninterruptibleFrame, ControlFrame):
    """A command for a switcher."""


class ManuallySwitchServiceFrame(ServiceSwitcherFrame):
    """Makes a service the active one of its switcher: the processor itself, or its name."""

    service: Any
