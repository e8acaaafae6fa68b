"""What a frame's type promises."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Iterator

import msgspec
import pytest

import antiphon.frames
from antiphon.errors import ConfigurationError
from antiphon.frames.base import (
    ControlFrame,
    DataFrame,
    Frame,
    SystemFrame,
    UninterruptibleFrame,
)
from antiphon.frames.text import TextFrame

for module in pkgutil.iter_modules(antiphon.frames.__path__):
    importlib.import_module(f"antiphon.frames.{module.name}")


def _below(kind: type[Frame]) -> Iterator[type[Frame]]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)


STANDARD = sorted(
    {kind for kind in _below(Frame) if kind.__module__.startswith("antiphon.frames.")},
    key=lambda kind: kind.__name__,
)
# What a program or a service says once, and would say in vain if somebody coughed at that moment.
KEPT = """
    EndFrame EndRequestFrame EndCallFrame StopFrame TranscriptionFrame
    FunctionCallInProgressFrame FunctionCallResultFrame FunctionCallCancelFrame
    LLMMessagesAppendFrame LLMMessagesUpdateFrame LLMMessagesTransformFrame
    LLMSetToolsFrame LLMSetToolChoiceFrame LLMConfigureOutputFrame
    LLMSummarizeContextFrame LLMContextSummaryResultFrame
    ServiceUpdateSettingsFrame LLMUpdateSettingsFrame STTUpdateSettingsFrame TTSUpdateSettingsFrame
    ServiceSwitcherFrame ManuallySwitchServiceFrame VADParamsUpdateFrame
    MixerControlFrame MixerEnableFrame MixerUpdateSettingsFrame
    FilterControlFrame FilterEnableFrame FilterUpdateSettingsFrame
""".split()


def test_urgent_frames_are_never_dropped_and_others_only_if_nothing_depends_on_them() -> None:
    """System frames are urgent and kept; of the ordered ones, the list of those that are kept."""
    for kind in STANDARD:
        assert kind.urgent is issubclass(kind, SystemFrame), kind
        if kind.urgent:
            assert not kind.interruptible, kind
        elif kind not in (DataFrame, ControlFrame):
            assert issubclass(kind, DataFrame | ControlFrame), kind
    kept = {kind.__name__ for kind in STANDARD if not kind.urgent and not kind.interruptible}
    assert kept == set(KEPT)


def test_only_what_a_live_line_sends_on_and_on_may_be_displaced() -> None:
    """Old sound and old pictures are of no use; everything else urgent is."""
    lossy = {kind.__name__ for kind in STANDARD if kind.lossy}
    assert lossy == {"InputAudioRawFrame", "UserAudioRawFrame", "InputImageRawFrame"}


@pytest.mark.parametrize("kind", STANDARD, ids=lambda kind: kind.__name__)
def test_a_frame_is_frozen_small_and_knows_its_facts_by_type(kind: type[Frame]) -> None:
    """No instance dict, no writing to fields, no fact that differs between two of a type."""
    assert issubclass(kind, msgspec.Struct)
    assert kind.__struct_config__.frozen
    assert "__dict__" not in dir(kind)
    assert not {"urgent", "interruptible", "lossy", "lifecycle"} & set(kind.__struct_fields__)


def test_nobody_can_change_a_frame() -> None:
    """So the same instance may go both ways, and be kept."""
    frame = TextFrame("a")
    with pytest.raises(AttributeError, match="immutable"):
        frame.text = "b"  # type: ignore[misc]
    assert TextFrame("a") != frame
    assert TextFrame("b").id > frame.id


def test_the_mixin_makes_any_ordered_frame_uninterruptible() -> None:
    """In whatever order the bases are written, and for subclasses too."""

    class Before(UninterruptibleFrame, DataFrame):
        pass

    class After(ControlFrame, UninterruptibleFrame):
        pass

    class Below(After):
        pass

    assert not any(kind.interruptible for kind in (Before, After, Below))
    assert DataFrame.interruptible


def test_replace_makes_a_copy_with_an_id_of_its_own() -> None:
    """Other fields are kept; an unknown one is refused with those that there are."""
    frame = TextFrame("x", pts=5)
    other = frame.replace(text="y")
    assert (type(other), other.text, other.pts) == (TextFrame, "y", 5)
    assert other.id > frame.id
    with pytest.raises(ConfigurationError, match="TextFrame has no field 'txt': it has "):
        frame.replace(txt="y")


def test_a_dataclass_decorator_says_what_to_write() -> None:
    """On a frame it is refused where it stands; for others a frame is no dataclass."""
    with pytest.raises(ConfigurationError, match="takes no @dataclass: leave it away"):

        @dataclasses.dataclass
        class Custom(DataFrame):  # type: ignore[misc]
            dish: str = ""

    assert not dataclasses.is_dataclass(TextFrame("x"))
