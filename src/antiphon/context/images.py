"""Pictures for the context: raw ones become PNG, encoded ones stay as they are."""

from __future__ import annotations

import struct
import zlib

from antiphon.context.messages import Message, image_message
from antiphon.errors import InvalidInputError
from antiphon.frames.audio import UserImageRawFrame

_CHANNELS = {"L": (1, 0), "RGB": (3, 2), "RGBA": (4, 6)}
"""Bytes per pixel and PNG colour type."""


def message_of(frame: UserImageRawFrame) -> Message:
    """The picture as a user's message, with the text it answers if there is one.

    Raises:
        InvalidInputError: a raw picture of unknown format, or with too few or too many bytes.

    """
    text = frame.text or (frame.request.text if frame.request is not None else None)
    if frame.format is not None and frame.format.startswith("image/"):
        return image_message(frame.image, mime_type=frame.format, text=text)
    png = encode_png(frame.image, frame.size, frame.format or "RGB")
    return image_message(png, mime_type="image/png", text=text)


def encode_png(pixels: bytes, size: tuple[int, int], mode: str) -> bytes:
    """PNG of rows of pixels, top to bottom, in mode "L", "RGB" or "RGBA" (ISO/IEC 15948)."""
    if mode not in _CHANNELS:
        raise InvalidInputError(f"A raw picture is one of {', '.join(_CHANNELS)}, not {mode!r}.")
    channels, colour = _CHANNELS[mode]
    width, height = size
    stride = width * channels
    if min(size) <= 0 or len(pixels) != stride * height:
        raise InvalidInputError(
            f"A {mode} picture of {width}x{height} has {stride * height} bytes, not {len(pixels)}."
        )
    rows = b"".join(b"\0" + pixels[at : at + stride] for at in range(0, len(pixels), stride))
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + checksum
