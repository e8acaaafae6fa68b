from __future__ import annotations

import pathlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from antiphon.observe.conversation_log import Mark, MarkKind, TurnDecision
from antiphon.observe.report import render
from tests.browser.chromium import chromium, opened, until
from tests.observe.sample import SECS, sample_log, sample_sides

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

INK = """id => {
  const canvas = document.getElementById(id);
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let ink = 0;
  for (let i = 3; i < pixels.length; i += 4) if (pixels[i]) ink++;
  return ink / (canvas.width * canvas.height);
}"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The page of the sample conversation."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render(sample_log(), sample_sides()), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of this module."""
    with chromium() as running:
        yield running


def test_the_page_opens_without_a_complaint_or_a_request(
    browser: Browser, report: pathlib.Path
) -> None:
    """Nothing on the console, nothing from the network, and everything is on the page."""
    with opened(browser, report) as (page, said):
        assert page.inner_text("h1") == sample_log().title
        log = sample_log()
        lines = len(log.user_turns) + len(log.agent_turns) + len(log.tools)
        assert page.locator("#transcript .row").count() == lines
        assert page.locator(".band.agent.cut").count() == 1
        assert page.locator(".tool-bar").inner_text() == 'get_weather(location="London")'
        assert page.locator("#transcript s").inner_text() == log.agent_turns[4].unheard
        assert page.locator("#bars .bar").count() == 6
    assert said == []


def test_both_waveforms_are_drawn(browser: Browser, report: pathlib.Path) -> None:
    """Each canvas has a trace, also in the dark, and after zooming in."""
    for dark in (False, True):
        with opened(browser, report, dark=dark) as (page, _):
            for step in range(2):
                for side in ("caller", "agent"):
                    assert page.evaluate(INK, f"wave-{side}") > 0.01, (side, dark, step)
                page.click("#zoom-in")


def test_the_player_holds_the_whole_conversation(browser: Browser, report: pathlib.Path) -> None:
    """The sound is as long as the conversation."""
    with opened(browser, report) as (page, _):
        duration = page.evaluate("document.getElementById('audio').duration")
    assert duration == pytest.approx(SECS, abs=0.15)


def test_a_line_of_the_transcript_plays_from_there(browser: Browser, report: pathlib.Path) -> None:
    """Selecting a line moves the player and the cursor to it, marks it, and plays."""
    with opened(browser, report) as (page, said):
        page.click("#transcript >> text=It was the best of times")
        until(page, "document.getElementById('audio').currentTime > 15.2")
        at, cursor, paused, marked = page.evaluate(
            """() => [
              document.getElementById("audio").currentTime,
              new DOMMatrix(getComputedStyle(document.getElementById("cursor")).transform).e
                / document.getElementById("inner").clientWidth,
              document.getElementById("audio").paused,
              document.querySelector(".row.caller.on .what").textContent,
            ]"""
        )
        page.click("#play")
        until(page, "document.getElementById('audio').paused")
    assert 15.0 < at < 18.0
    assert cursor == pytest.approx(at / SECS, abs=0.02)
    assert (paused, marked) == (False, sample_log().user_turns[2].text)
    assert said == []


def test_a_click_on_the_timeline_seeks(browser: Browser, report: pathlib.Path) -> None:
    """The middle of the waveform is the middle of the conversation."""
    with opened(browser, report) as (page, _):
        box = page.locator("#wave-caller").bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 5)
        until(page, "document.getElementById('audio').currentTime > 1")
        assert page.evaluate("document.getElementById('audio').currentTime") == pytest.approx(
            SECS / 2, abs=0.3
        )


MARKS = [
    Mark(at=1.0, kind=MarkKind.STEP, text="says(text='Hello! Who am I talking to?')"),
    Mark(at=7.5, kind=MarkKind.STEP, text="expects_reply(within=2.0)"),
    *(Mark(at=at, kind=MarkKind.FAULT, text="stt: delay 2.0") for at in (9.0, 10, 11, 12, 13, 14)),
    Mark(
        at=30.0,
        kind=MarkKind.FAILURE,
        text="expects_reply(within=2.0): <b>no</b>",
        detail="1.00 caller",
    ),
]


@pytest.mark.parametrize("width", [390, 1280])
def test_marks_have_lanes_and_what_fell_short_is_on_top(
    browser: Browser, tmp_path: pathlib.Path, width: int
) -> None:
    """Steps, turns and faults are on the time axis; a failure leads to its moment."""
    log = sample_log()
    log.marks = MARKS
    log.decisions = [
        TurnDecision(at=1.2, what="turn started", strategy="S", reason="voice activity")
    ]
    path = tmp_path / "marked.html"
    path.write_text(render(log, sample_sides()), encoding="utf-8")
    with opened(browser, path, width=width) as (page, said):
        assert page.inner_text("#verdict h2") == "Fell short"
        assert "expects_reply(within=2.0): <b>no</b>" in page.inner_text("#verdict button")
        assert page.inner_text("#verdict pre") == "1.00 caller"
        for lane, count in (("script", 2), ("faults", 6), ("turns", 1)):
            assert page.locator(f"#bands-{lane} .tick").count() == count
        assert page.locator("#bands-turns .tick").get_attribute("title") == (
            "1.20 s turn started: voice activity (S)"
        )
        places = page.evaluate(
            """() => ["#bands-faults .tick.bad", ".fail-line"].map((name) =>
              parseFloat(document.querySelector(name).style.left)
              / document.getElementById("inner").clientWidth)"""
        )
        assert places == pytest.approx([9.0 / SECS, 30.0 / SECS], abs=0.01)
        assert page.locator("#bands-script .tick.bad").inner_text() == MARKS[1].text
        faults = page.locator("#transcript .row.alert >> text=stt: delay 2.0")
        assert faults.count() == 1
        assert page.locator("#decisions li").count() == 1
        page.click("#verdict button")
        until(page, "Math.abs(document.getElementById('audio').currentTime - 30) < 0.5")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert said == []


def test_without_marks_there_are_no_lanes_for_them(browser: Browser, report: pathlib.Path) -> None:
    """A conversation that nobody scripted shows neither verdict nor empty lanes."""
    with opened(browser, report) as (page, _):
        assert not page.locator("#verdict").is_visible()
        for lane in ("script", "faults", "turns"):
            assert page.locator(f"#lane-{lane}").count() == 0


@pytest.mark.parametrize("width", [360, 390, 768, 1280])
def test_nothing_overflows(browser: Browser, report: pathlib.Path, width: int) -> None:
    """From a phone to a desk the page never scrolls sideways."""
    with opened(browser, report, width=width) as (page, _):
        assert page.evaluate("document.documentElement.scrollWidth") <= width
