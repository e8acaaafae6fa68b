"""Personal data does not get into the file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import EndFrame, ErrorFrame
from antiphon.frames.llm import LLMMessagesAppendFrame
from antiphon.frames.text import LLMTextFrame, TranscriptionFrame, TTSTextFrame
from antiphon.frames.tools import FunctionCallInProgressFrame
from antiphon.frames.transport import InputDTMFFrame, KeypadEntry
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.loop.virtual_time import run
from antiphon.simulation.record.recording import AudioRecord, Recording, SessionRecorder
from antiphon.simulation.record.redaction import (
    EMAILS,
    HELD,
    PHONE_NUMBERS,
    AnyRule,
    Redactor,
    names,
)
from tests.simulation.recorded import Kitchen, serve

RULES: list[AnyRule] = [EMAILS, PHONE_NUMBERS, names("Alice Smith", "Alice")]


def record(path: Path, frames: list[Frame], *rules: AnyRule) -> Recording:
    """A session in which the program queues these frames."""

    async def main() -> None:
        recorder = SessionRecorder(path, redact=rules, settings={"owner": "Alice"})
        task = PipelineTask(Pipeline([Kitchen()]), observers=[recorder])
        await task.queue_frames([*frames, EndFrame()])
        await task.run()

    run(main())
    return Recording.load(path)


def texts(recording: Recording, kind: str, key: str = "text") -> list[Any]:
    """A field of the frames of a type."""
    seen = dict.fromkeys(given.frame for given in recording if given.frame.type == kind)
    return [frame.fields[key] for frame in seen]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Write to alice.b@mail.example.org.", "Write to [e-mail]."),
        ("It is alice dot b at example dot org, ok?", "It is [e-mail], ok?"),
        ("Call +49 (170) 555-1234 now", "Call [phone number] now"),
        ("Call 5551234567.", "Call [phone number]."),
        ("five five five, one two three four please", "[phone number] please"),
        ("alice  smith and ALICE", "[name] and [name]"),
        ("Alices malice at noon, room 12, 2026-01-31, 09:00", None),
        ("We met on 2026-01-31 at 10.30", None),
    ],
)
def test_what_the_rules_find(text: str, left: str | None) -> None:
    """Addresses, numbers and names are found, written and spoken; other things stay."""
    assert Redactor(RULES).text(text) == (text if left is None else left)


def test_rules_may_be_patterns_and_functions() -> None:
    """A pattern, and a function from text to text, are rules; they apply in order."""
    rules: list[AnyRule] = [re.compile("room ([0-9]+)"), lambda text: text.replace("secret", "***")]
    assert Redactor(rules).text("secret room 12, secret") == "*** [redacted], ***"


@pytest.mark.parametrize("rule", [EMAILS, lambda text: EMAILS.pattern.sub("[e-mail]", text)])
def test_pieces_are_redacted_as_a_whole(rule: AnyRule) -> None:
    """However a text is cut into pieces, what is left of it joined is the same."""
    text = "Ask bob@example.org or al@ex.com today."
    for size in range(1, 12):
        pieces = [text[i : i + size] for i in range(0, len(text), size)]
        left = Redactor([rule]).pieces(pieces)
        assert len(left) == len(pieces)
        assert "".join(left) == "Ask [e-mail] or [e-mail] today."


def test_no_trace_of_a_secret_is_in_the_file(path: Path) -> None:
    """Streamed in pieces or words, in messages, arguments, keys, errors, numbers: it is gone."""
    secret = "Alice Smith has alice@example.org and 555 123 4567"
    frames: list[Frame] = [
        *(LLMTextFrame(secret[i : i + 3]) for i in range(0, len(secret), 3)),
        *(TTSTextFrame(word) for word in secret.split()),
        TranscriptionFrame(secret, user_id="Alice"),
        LLMMessagesAppendFrame([{"role": "user", "content": [{"text": secret}]}]),
        FunctionCallInProgressFrame("find", "1", {"alice@example.org": 5551234567}),
        ErrorFrame(secret, exception=ValueError("x" * 180 + "alice@example.org")),
        *(InputDTMFFrame(KeypadEntry(digit)) for digit in "5551234567"),
    ]
    for rules in ((), RULES):
        recording = record(path, frames, *rules)
        data = path.read_bytes().lower()
        keys = "".join(texts(recording, "InputDTMFFrame", "button"))
        found = [part for part in (b"alice", b"smith", b"example", b"555", b"4567") if part in data]
        if rules:
            assert (found, keys) == ([], "0000000000")
        else:
            assert (len(found), keys) == (5, "5551234567")
    assert "".join(texts(recording, "LLMTextFrame")) == "[name] has [e-mail] and [phone number]"
    assert " ".join(" ".join(texts(recording, "TTSTextFrame")).split()) == (
        "[name] has [e-mail] and [phone number]"
    )
    assert recording.header.redacted
    assert recording.header.settings == {"owner": "[name]"}


def test_what_waits_keeps_its_order(path: Path, tmp_path: Path) -> None:
    """A redacted recording differs from the other in nothing but the text."""
    other = tmp_path / "other.antiphon"
    serve([SessionRecorder(path, redact=[names("soup")])])
    serve([SessionRecorder(other)])
    one, two = Recording.load(path), Recording.load(other)
    assert [(g.time, g.source, g.destination, g.frame.type) for g in one] == [
        (g.time, g.source, g.destination, g.frame.type) for g in two
    ]
    assert "".join(texts(two, "LLMTextFrame")) == "Very well: soup.Very well: fish."
    assert "".join(texts(one, "LLMTextFrame")) == "Very well: [name].Very well: fish."


def test_a_recording_is_redacted_afterwards(path: Path) -> None:
    """`redact` makes a new recording, with the old one as it was; saved, it holds no trace."""
    serve([SessionRecorder(path, audio=AudioRecord.DROP)])
    recording = Recording.load(path)
    clean = recording.redact([names("soup")])
    clean.save(path)
    assert b"soup" not in path.read_bytes()
    assert b"oup" not in path.read_bytes()
    assert "".join(texts(recording, "LLMTextFrame")) == "Very well: soup.Very well: fish."
    assert "".join(texts(clean, "LLMTextFrame")) == "Very well: [name].Very well: fish."
    assert clean.header.redacted
    assert not recording.header.redacted


def test_a_long_answer_is_written_as_it_goes(path: Path) -> None:
    """What waits for its neighbours is bounded: of a long text little is held back."""
    words = [LLMTextFrame(f"word{number} ") for number in range(2_000)]
    recorder = SessionRecorder(path, redact=RULES)
    seen: list[int] = []

    async def main() -> None:
        task = PipelineTask(Pipeline([Kitchen()]), observers=[recorder])
        await task.queue_frames([*words, EndFrame()])
        await task.run()

    queue = recorder._queue
    assert queue is not None
    put = queue.put

    def watched(given: Any) -> Any:
        yield from put(given)
        seen.append(len(queue._waiting))

    queue.put = watched  # type: ignore[method-assign]
    run(main())
    assert len(seen) > 2_000
    assert max(seen) < 200 < HELD
    assert "".join(texts(Recording.load(path), "LLMTextFrame")) == "".join(w.text for w in words)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where to record."""
    return tmp_path / "session.antiphon"
