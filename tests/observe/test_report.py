from __future__ import annotations

import base64
import io
import json
import re
import wave

import av
import numpy as np
import pytest

from antiphon.audio.pcm import to_bytes
from antiphon.observe import report
from antiphon.observe.recording import TwoSides
from antiphon.observe.report import render, tiles, waveform
from tests.observe.sample import SECS, sample_log, sample_sides


def test_the_page_needs_nothing_but_itself() -> None:
    """No placeholder is left, and nothing in the page points outside it."""
    page = render(sample_log(), sample_sides())
    assert "{{" not in page
    assert re.findall(r"""(?:src|href)=["'](?!data:)[^"']*""", page) == []
    assert "http" not in page.replace("http-equiv", "")


def test_words_cannot_become_markup() -> None:
    """What people say stands in the page's data and in nothing else."""
    log = sample_log()
    log.title = "</script><b>x</b>"
    log.user_turns[0].text = "</script><script>alert(1)</script>"
    page = render(log, sample_sides())
    assert page.count("</script>") == 2
    assert "<b>x</b>" not in page
    data = re.search(r'id="data">(.*?)</script>', page, re.DOTALL)
    assert data is not None
    assert json.loads(data[1])["log"]["user_turns"][0]["text"] == log.user_turns[0].text


def test_the_sound_is_stereo_and_as_long_as_the_conversation() -> None:
    """The mp3 in the page holds both sides."""
    page = render(sample_log(), sample_sides())
    match = re.search(r'src="data:audio/mpeg;base64,([^"]+)"', page)
    assert match is not None
    with av.open(io.BytesIO(base64.b64decode(match[1])), "r") as container:
        stream = container.streams.audio[0]
        frames = list(container.decode(stream))
    assert stream.channels == 2
    assert sum(f.samples for f in frames) / stream.rate == pytest.approx(SECS, abs=0.1)


def test_without_a_codec_the_sound_is_a_wav(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page works where `av` is missing."""
    monkeypatch.setattr(report, "_mp3", lambda _sides: None)
    uri = report.audio_uri(sample_sides())
    head, _, body = uri.partition(",")
    assert head == "data:audio/wav;base64"
    with wave.open(io.BytesIO(base64.b64decode(body))) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (2, 16000, 960000)


def test_a_waveform_shows_where_the_sound_is() -> None:
    """Peak and loudness per hundredth of a second, relative to the loudest peak."""
    quiet, loud = np.full(160, 100, np.int16), np.full(160, -200, np.int16)
    pcm = to_bytes(np.concatenate([quiet, np.zeros(160, np.int16), loud, loud[:80]]))
    assert list(waveform(pcm, 16_000)) == [128, 128, 0, 0, 255, 255, 255, 255]
    assert waveform(b"", 16_000) == b""


def test_silence_is_a_page_too() -> None:
    """A conversation without a sound or a word can be rendered."""
    log = sample_log()
    for part in (log.user_turns, log.agent_turns, log.tools, log.interruptions, log.speech):
        part.clear()
    assert "<canvas" in render(log, TwoSides(16_000, bytes(3200), bytes(3200)))


def test_an_unanswered_turn_stands_out() -> None:
    """The tile of answered turns turns bad when one is missing."""
    log = sample_log()
    log.agent_turns.pop()
    tile = next(t for t in tiles(log) if "answered" in t.label)
    assert (tile.value, tile.unit, tile.bad) == ("5", "of 6", True)
