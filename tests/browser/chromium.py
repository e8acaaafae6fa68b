"""A headless Chromium for the tests of this folder."""

from __future__ import annotations

import pathlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ARGUMENTS = [
    "--no-sandbox",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    "--mute-audio",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium; skips the test where it, or playwright, is missing."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("no chromium on this machine")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def until(page: Page, condition: str) -> None:
    """Waits until an expression is true. Playwright's own wait would need `eval` in the page."""
    for _ in range(500):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(20)
    pytest.fail(f"never became true: {condition}")


@contextmanager
def opened(
    browser: Browser, path: pathlib.Path, *, width: int = 1280, dark: bool = False
) -> Iterator[tuple[Page, list[str]]]:
    """The page, and everything its console said or that it asked the network for."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
    )
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: said.append(f"error: {error}"))
    page.on(
        "request",
        lambda request: (
            said.append(f"request: {request.url[:80]}")
            if request.url.partition(":")[0] not in {"file", "data"}
            else None
        ),
    )
    page.goto(path.as_uri())
    until(page, "document.getElementById('audio').readyState >= 1")
    try:
        yield page, said
    finally:
        context.close()
