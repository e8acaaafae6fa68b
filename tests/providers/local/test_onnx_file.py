"""A model is asked for a value that it does not give."""

from __future__ import annotations

from pathlib import Path

import pytest

from antiphon.providers.local.inference import onnx_session
from antiphon.providers.local.model_store import ModelStore
from antiphon.providers.local.onnx_file import with_output_of
from antiphon.providers.local.registry import PIPER_JOE


def field(number: int, content: bytes) -> bytes:
    """A field of a short message."""
    assert len(content) < 128
    return bytes([number << 3 | 2, len(content)]) + content


def node(operator: str, output: str) -> bytes:
    """A node of a graph."""
    return field(1, field(1, b"x") + field(2, output.encode()) + field(4, operator.encode()))


def model(*nodes: bytes) -> bytes:
    """A model: its version, its graph, and fields of every other kind around it."""
    other = b"\x08\x96\x01" + b"\x49" + bytes(8) + b"\x55" + bytes(4)
    return other + field(7, b"".join(nodes)) + other


def test_the_output_of_the_node_is_added_behind_the_file(tmp_path: Path) -> None:
    """The file's own bytes, and a graph whose only output has the node's name."""
    content = model(node("Mul", "/a"), node("Ceil", "/b"), node("Add", "/c"))
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    assert with_output_of(path, "Ceil") == content + field(7, field(12, field(1, b"/b")))
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "content",
    [
        model(node("Mul", "/a")),
        model(node("Ceil", "/a"), node("Ceil", "/b")),
        model(node("Ceil", "/a"))[:-30],
        b"\xff" * 40,
        b"\x0b" + model(node("Ceil", "/a")),
        b"no model",
    ],
)
def test_where_the_node_is_not_known_nothing_is_asked_for(content: bytes, tmp_path: Path) -> None:
    """No such node, two of them, a file cut short or of another kind: None, and no exception."""
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    assert with_output_of(path, "Ceil") is None


@pytest.mark.models
def test_the_voice_gives_what_it_is_asked_for() -> None:
    """The runtime lists the output behind the voice's own, and no output is lost."""
    path = ModelStore().path(PIPER_JOE.name, PIPER_JOE.files[0].name)
    telling = with_output_of(path, "Ceil")
    assert telling is not None
    names = [output.name for output in onnx_session(telling, "test").get_outputs()]
    assert len(names) == 2
    assert names[0] == "output"
    assert "Ceil" in names[1]
