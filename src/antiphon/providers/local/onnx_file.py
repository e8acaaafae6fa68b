"""Asks an ONNX model for a value that it computes and does not give.

An ONNX file is one protobuf message, and messages merge when their bytes are joined: a second graph
behind the file's own, which holds nothing but an output, adds that output to the model's. So the
file stays as it is, and neither it nor the weights need be understood; the few fields that are
read here are numbered in onnx.proto.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

_GRAPH = 7  # of ModelProto
_NODE, _OUTPUT = 1, 12  # of GraphProto
_NODE_OUTPUT, _OPERATOR = 2, 4  # of NodeProto
_NAME = 1  # of ValueInfoProto
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5  # kinds of fields

_Bytes = bytes | mmap.mmap


def with_output_of(path: Path, operator: str) -> bytes | None:
    """The model, which also gives (last) what its only node of that `operator` computes.

    None if there is not exactly one such node, or the file is no ONNX model.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as model:
        try:
            names = list(_outputs_of(model, operator.encode()))
        except (IndexError, ValueError):
            return None
        if len(names) != 1:
            return None
        return b"".join((model, _field(_GRAPH, _field(_OUTPUT, _field(_NAME, names[0])))))


def _outputs_of(model: _Bytes, operator: bytes) -> Iterator[bytes]:
    for graph_field, begin, end in _fields(model, 0, len(model)):
        if graph_field != _GRAPH:
            continue
        for field, node_begin, node_end in _fields(model, begin, end):
            if field != _NODE:
                continue
            found = {key: model[at:to] for key, at, to in _fields(model, node_begin, node_end)}
            if found.get(_OPERATOR) == operator:
                yield found[_NODE_OUTPUT]


def _fields(data: _Bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """The number of each field of a message, and where its content begins and ends.

    Raises `IndexError` or `ValueError` where the bytes are no message.
    """
    while at < end:
        key, at = _varint(data, at)
        kind, size = key & 7, 0
        if kind == _LENGTH:
            size, at = _varint(data, at)
        elif kind == _VARINT:
            size = _varint(data, at)[1] - at
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"a field of kind {kind}")
        if at + size > end:
            raise ValueError("a field that ends beyond its message")
        yield key >> 3, at, at + size
        at += size


def _varint(data: _Bytes, at: int) -> tuple[int, int]:
    """A number, seven bits a byte and the lowest first, and where it ends."""
    value = shift = 0
    while data[at] & 0x80:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return value | data[at] << shift, at + 1


def _field(number: int, content: bytes) -> bytes:
    size = bytearray()
    left = len(content)
    while left > 0x7F:
        size.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes([number << 3 | _LENGTH, *size, left]) + content
