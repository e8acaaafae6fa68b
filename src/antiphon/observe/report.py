"""One conversation as one HTML file: sound, waveforms, turns, tools and latencies on one time axis.

The page is self-contained: it loads nothing, needs no server, and works from a mail attachment.
"""

from __future__ import annotations

import base64
import functools
import html
import importlib.resources
import io
from typing import Any

import msgspec
import numpy as np

from antiphon.audio.pcm import Samples, interleave, to_samples
from antiphon.audio.resample import resample
from antiphon.audio.wav import wav_bytes
from antiphon.observe.conversation_log import ConversationLog, MarkKind
from antiphon.observe.latency import summarize
from antiphon.observe.recording import TwoSides

PEAKS_PER_SECOND = 100
"""Resolution of the waveforms: finer than a pixel at every zoom that people use."""
MP3_BIT_RATE = 64_000
WAV_SAMPLE_RATE = 16_000
_ASSETS = "assets"


class Tile(msgspec.Struct, frozen=True, kw_only=True):
    """A figure at the top of the page."""

    label: str
    value: str
    unit: str = ""
    bad: bool = False


def render(log: ConversationLog, sides: TwoSides) -> str:
    """The page."""
    duration = max(log.duration, sides.secs)
    data = {
        "log": log,
        "duration": duration,
        "tiles": tiles(log),
        "peaks": {
            "per_second": PEAKS_PER_SECOND,
            "caller": _base64(waveform(sides.caller, sides.sample_rate)),
            "agent": _base64(waveform(sides.agent, sides.sample_rate)),
        },
    }
    parts = {
        "title": html.escape(log.title),
        "css": _asset("report.css"),
        "js": _asset("report.js"),
        # A script element ends at the first "</script", wherever it stands.
        "data": msgspec.json.encode(data).decode().replace("<", "\\u003c"),
        "audio": audio_uri(sides),
    }
    page: list[str] = []
    for piece in _asset("report.html").split("{{"):
        name, closed, rest = piece.partition("}}")
        page.append(parts[name] + rest if closed and name in parts else piece)
    return "".join(page)


def tiles(log: ConversationLog) -> list[Tile]:
    """The figures that say at one glance how the conversation went."""
    summary, unanswered = summarize(log), len(log.unanswered())
    spoken = sum(1 for turn in log.user_turns if turn.text)
    found = [
        Tile(label="Median response", **_seconds(summary.median)),
        Tile(label="Slowest response", **_seconds(summary.slowest)),
        Tile(
            label="Caller's turns answered",
            value=f"{spoken - unanswered}",
            unit=f"of {spoken}",
            bad=unanswered > 0,
        ),
        Tile(label="Interruptions", value=str(len(log.interruptions))),
        Tile(label="Tool calls", value=str(len(log.tools))),
    ]
    faults = sum(mark.kind is MarkKind.FAULT for mark in log.marks)
    if faults:
        found.append(Tile(label="Faults injected", value=str(faults)))
    if log.errors:
        found.append(Tile(label="Errors", value=str(len(log.errors)), bad=True))
    return found


def _seconds(value: float | None) -> dict[str, Any]:
    return {"value": "–"} if value is None else {"value": f"{value:.2f}", "unit": "s"}


def waveform(pcm: bytes, sample_rate: int, per_second: int = PEAKS_PER_SECOND) -> bytes:
    """Two bytes for each 1/`per_second` of a second: peak and root mean square, 0..255.

    Both are relative to the loudest peak of the track, so that a quiet side is as legible as a loud
    one.
    """
    samples = to_samples(pcm)
    count = -(-len(samples) * per_second // sample_rate)
    if not count:
        return b""
    edges = (np.arange(count) * sample_rate // per_second).astype(np.int64)
    wide = np.abs(samples.astype(np.float32))
    peak = np.maximum.reduceat(wide, edges)
    sizes = np.diff(np.append(edges, len(samples)))
    mean = np.sqrt(np.add.reduceat(wide * wide, edges) / sizes)
    top = max(float(peak.max()), 1.0)
    table = np.stack([peak, mean], axis=1) / top * 255
    return np.rint(table).astype(np.uint8).tobytes()


def audio_uri(sides: TwoSides) -> str:
    """The sound as a data URI: stereo mp3 where `av` is installed, else 16-bit wav at 16 kHz."""
    encoded = _mp3(sides)
    if encoded is not None:
        return "data:audio/mpeg;base64," + _base64(encoded)
    tracks = [_at(WAV_SAMPLE_RATE, t, sides.sample_rate) for t in (sides.caller, sides.agent)]
    return "data:audio/wav;base64," + _base64(wav_bytes(interleave(*tracks), WAV_SAMPLE_RATE, 2))


def _at(target_rate: int, pcm: bytes, sample_rate: int) -> bytes:
    """`pcm` at a lower rate, without `av`: only sound at a multiple of the rate is thinned out."""
    if sample_rate == target_rate:
        return pcm
    return resample(pcm, sample_rate, target_rate)


def _mp3(sides: TwoSides) -> bytes | None:
    try:
        import av
    except ImportError:
        return None
    target = io.BytesIO()
    with av.open(target, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=sides.sample_rate)
        stream.layout = "stereo"
        stream.bit_rate = MP3_BIT_RATE
        samples: Samples = to_samples(interleave(sides.caller, sides.agent))
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate = sides.sample_rate
        for piece in (frame, None):
            container.mux(stream.encode(piece))
    return target.getvalue()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


@functools.cache
def _asset(name: str) -> str:
    files = importlib.resources.files("antiphon.observe") / _ASSETS
    return (files / name).read_text(encoding="utf-8").strip()
