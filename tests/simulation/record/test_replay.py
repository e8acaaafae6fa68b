"""Replaying a session: nothing differs while the agent is the same, and what differs is found."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from antiphon.errors import ConfigurationError, InvalidInputError
from antiphon.frames.base import DataFrame
from antiphon.frames.lifecycle import EndFrame
from antiphon.frames.llm import LLMMessagesTransformFrame
from antiphon.kernel.branches import ParallelPipeline
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.loop.virtual_time import run
from antiphon.simulation.record.divergence import Comparison, Order, What
from antiphon.simulation.record.recording import AudioRecord, Recording, SessionRecorder
from antiphon.simulation.record.redaction import names
from antiphon.simulation.record.regression import find_factory, to_regression_test
from antiphon.simulation.record.replay import replay
from tests.simulation.recorded import (
    ANSWERS,
    Kitchen,
    Line,
    Waiter,
    call,
    rude_waiter,
    serve,
    voice_agent,
    waiter,
)

LATER = (*ANSWERS, "I am sorry.")
ROOT = Path(__file__).parents[3]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where to record."""
    return tmp_path / "session.antiphon"


@pytest.fixture
def recorded(path: Path) -> Recording:
    """A session of the waiter."""
    serve([SessionRecorder(path)])
    return Recording.load(path)


@pytest.mark.parametrize("seed", [None, *range(6)])
def test_the_same_waiter_does_the_same(path: Path, seed: int | None) -> None:
    """What was recorded under a seed is replayed under it without a difference."""
    serve([SessionRecorder(path)], seed=seed)
    result = replay(Recording.load(path), waiter)
    assert result.divergence is None, result.report
    assert result.notes == ()
    assert result.replayed.header.seed == seed
    assert len(result.replayed) >= 30
    result.check()


def test_the_seed_can_be_another(recorded: Recording) -> None:
    """A session of no seed can be replayed under many."""
    for seed in range(5):
        result = replay(recorded, waiter, seed)
        assert result.replayed.header.seed == seed
        result.check()


def test_a_changed_agent_is_found_where_it_differs(recorded: Recording) -> None:
    """The first divergence is the first frame that is another, and the report shows both."""
    result = replay(recorded, rude_waiter)
    found = result.divergence
    assert found is not None
    assert (found.what, found.fields, found.time) == (What.CHANGED, ("text",), 0.4)
    assert found.recorded is not None
    assert found.replayed is not None
    assert found.recorded.frame.fields["text"] == "Very"
    assert found.replayed.frame.fields["text"] == "What"
    assert [given.frame.type for given in found.before][-2:] == [
        "InputTransportMessageFrame",
        "LLMFullResponseStartFrame",
    ]
    lines = str(found).splitlines()
    assert lines[0] == "the replay diverges at 0.400 s (another frame: text)"
    assert "Waiter#0 -> Kitchen#0  LLMTextFrame(text='Very')" in lines[-2]
    assert "Waiter#0 -> Kitchen#0  LLMTextFrame(text='What')" in lines[-1]
    with pytest.raises(AssertionError, match=r"diverges at 0\.400 s"):
        result.check()


class Forgetful(Waiter):
    """Never says that it is done."""

    async def push_frame(
        self, frame: object, direction: FrameDirection = FrameDirection.DOWNSTREAM
    ) -> None:
        from antiphon.frames.llm import LLMFullResponseEndFrame

        if not isinstance(frame, LLMFullResponseEndFrame):
            super().push_frame(frame, direction)  # type: ignore[arg-type]


def named(agent: FrameProcessor) -> Pipeline:
    """The waiter's pipeline with somebody else under his name."""
    return Pipeline([Line(()), agent, Kitchen()])


def test_what_is_missing_is_said(recorded: Recording) -> None:
    """A frame that the agent does not push any more is missing from the replay."""
    found = replay(recorded, lambda: named(Forgetful(name="Waiter#0"))).divergence
    assert found is not None
    assert found.what is What.MISSING
    assert found.recorded is not None
    assert found.recorded.frame.type == "LLMFullResponseEndFrame"
    assert found.replayed is None


def test_what_is_new_is_said(path: Path) -> None:
    """A frame that the agent did not push is new in the replay."""

    async def main() -> None:
        pipeline = Pipeline(
            [Line(["soup"]), named(Forgetful(name="Waiter#0")).processors[1], Kitchen()]
        )
        await PipelineTask(pipeline, observers=[SessionRecorder(path)]).run()

    run(main())
    found = replay(Recording.load(path), waiter).divergence
    assert found is not None
    assert found.what is What.EXTRA
    assert found.replayed is not None
    assert found.replayed.frame.type == "LLMFullResponseEndFrame"


def later(recording: Recording, secs: float) -> Recording:
    """The recording with everything the kitchen got so much later."""
    moved = [
        msgspec.structs.replace(given, time=given.time + round(secs * 1e9))
        if given.destination == "Kitchen#0" and given.frame.type == "LLMTextFrame"
        else given
        for given in recording
    ]
    return Recording(recording.header, moved, end=recording.end)


def test_times_have_a_tolerance(recorded: Recording) -> None:
    """What comes too late is a divergence; the tolerance decides what is too late."""
    moved = later(recorded, 0.2)
    found = replay(moved, waiter).divergence
    assert found is not None
    assert found.what is What.LATE
    assert "0.200 s apart" in str(found)
    for tolerance in (0.3, None):
        replay(moved, waiter, comparison=Comparison(tolerance_secs=tolerance)).check()


def test_the_whole_order_of_a_direction_can_be_compared(recorded: Recording) -> None:
    """`Order.DIRECTION` sees that two processors swapped their turns; by link nothing differs."""
    turns = list(recorded.hand_overs)
    one, other = (
        next(i for i, g in enumerate(turns) if g.frame.type == kind and g.time == 100_000_000)
        for kind in ("InputAudioRawFrame", "TranscriptionFrame")
    )
    turns[one], turns[other] = turns[other], turns[one]
    swapped = Recording(recorded.header, turns, end=recorded.end)
    replay(swapped, waiter).check()
    replay(recorded, waiter, comparison=Comparison(order=Order.DIRECTION)).check()
    strict = replay(swapped, waiter, comparison=Comparison(order=Order.DIRECTION))
    assert strict.divergence is not None


def test_types_and_fields_can_be_left_out(recorded: Recording) -> None:
    """What is to be ignored does not diverge."""
    pardoned = Comparison(ignore_types=frozenset({"LLMTextFrame"}))
    replay(recorded, rude_waiter, comparison=pardoned).check()
    assert replay(recorded, rude_waiter).divergence is not None


# ---- a whole agent ----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_a_voice_agent_does_the_same(path: Path, seed: int | None) -> None:
    """A call with an interruption is replayed from the caller's sound alone."""
    recording = call(path, seed)
    assert any(given.frame.type == "InterruptionFrame" for given in recording)
    assert recording.entrances() == {"task", "FileInput#0"}
    replay(recording, lambda: voice_agent(answers=LATER)).check()


@pytest.mark.parametrize("service", ["STTService#0", "LLMService#0", "TTSService#0"])
def test_a_service_need_not_be_asked_again(path: Path, service: str) -> None:
    """What a service said is taken from the recording when it is named as outside."""
    recording = call(path)
    answers = ("wrong", "wrong") if service == "LLMService#0" else LATER
    replay(recording, lambda: voice_agent(answers=answers), outside=[service]).check()


def test_a_word_that_changed_is_found(path: Path) -> None:
    """The first divergence of a long call is the word that the model says otherwise."""
    recording = call(path)
    other = (LATER[0], "Nice to see you dear Ann, how are you?", LATER[2])
    found = replay(recording, lambda: voice_agent(answers=other)).divergence
    assert found is not None
    assert found.recorded is not None
    assert found.recorded.source == "LLMService#0"
    assert found.recorded.frame.fields["text"] == " meet"
    assert found.replayed is not None
    assert found.replayed.frame.fields["text"] == " see"


def test_hashed_sound_still_compares_what_is_said(path: Path) -> None:
    """Without the caller's sound his words come from the recording; the agent's sound is hashed."""

    async def main() -> None:
        from antiphon.transports.caller_script import WaitForAgent
        from tests.simulation.recorded import _says

        recorder = SessionRecorder(path, audio=AudioRecord.HASH)
        pipeline = voice_agent([_says("good morning"), WaitForAgent()])
        await PipelineTask(pipeline, observers=[recorder]).run()

    run(main())
    recording = Recording.load(path)
    hearing = ["VADProcessor#0", "STTService#0", "LLMUserAggregator#0", "LLMAssistantAggregator#0"]
    result = replay(recording, voice_agent, outside=hearing)
    result.check()
    assert any("was not recorded" in note for note in result.notes)
    other = replay(recording, lambda: voice_agent(answers=["Hello, Ann."]), outside=hearing)
    assert other.divergence is not None
    deaf = replay(recording, voice_agent)
    assert deaf.divergence is not None


# ---- parts, and what does not fit -------------------------------------------------------------


def test_a_cut_replays_without_what_came_after(recorded: Recording) -> None:
    """A stretch is replayed to its end and no further."""
    stretch = recorded.cut(0.0, 0.45)
    result = replay(stretch, waiter)
    result.check()
    assert result.replayed.last < 0.6e9
    assert replay(stretch, rude_waiter).divergence is not None


def test_what_went_before_is_told_briefly(path: Path) -> None:
    """A context of the model before the divergence takes one line of bounded length."""
    answers = [*ANSWERS, "Something else."]
    result = replay(call(path, seed=3), lambda: voice_agent(answers=answers))
    assert result.divergence is not None
    before = result.report.splitlines()[1 : 1 + len(result.divergence.before)]
    assert before
    assert max(map(len, before)) <= 11 + 200


def test_a_stretch_from_the_middle_replays(path: Path) -> None:
    """A cut that begins where nobody speaks starts as the session did, and is replayed whole."""
    recording = call(path, seed=3)
    began = [g.time / 1e9 for g in recording if g.frame.type == "VADUserStartedSpeakingFrame"]
    second = next(at for at in began if at > began[0] + 1.0)
    stretch = recording.cut(second - 0.4, second + 1.5)
    kinds = {given.frame.type for given in stretch}
    assert {"STTMetadataFrame", "TranscriptionFrame"} <= kinds
    without_memory = Comparison(ignore_types=Comparison().ignore_types | {"LLMContextFrame"})
    replay(stretch, voice_agent, comparison=without_memory).check()


def test_a_crashed_session_is_replayed_as_far_as_it_goes(recorded: Recording, path: Path) -> None:
    """What is left of a file is compared, and the report says that it is not whole."""
    path.write_bytes(path.read_bytes()[:-900])
    part = Recording.load(path)
    assert 10 < len(part) < len(recorded)
    result = replay(part, waiter)
    result.check()
    assert "note: the recording is not whole: record" in result.report


def test_a_redacted_session_is_replayed_with_its_rules(path: Path) -> None:
    """What the rules take from the recording they take from the replay as well."""
    rules = [names("very well")]
    serve([SessionRecorder(path, redact=rules)])
    recording = Recording.load(path)
    replay(recording, waiter, redact=rules).check()
    assert replay(recording, waiter).divergence is not None


def test_branches_keep_their_shape(path: Path) -> None:
    """Processors in branches are replaced where they stand, and numbered as they were."""

    def branches() -> Pipeline:
        return Pipeline([Line(["soup"]), ParallelPipeline([Waiter()], [Waiter(), Kitchen()])])

    async def main() -> None:
        await PipelineTask(branches(), observers=[SessionRecorder(path)]).run()

    run(main())
    recording = Recording.load(path)
    assert recording.processors == ["Line#0", "Waiter#0", "Waiter#1", "Kitchen#0"]
    replay(recording, branches).check()
    result = replay(recording, branches, outside=["Waiter#0"])
    result.check()
    assert result.replayed.processors == recording.processors


def test_the_transport_may_be_left_out(recorded: Recording) -> None:
    """Who stood in front of everybody need not be in the pipeline; others must."""
    replay(recorded, lambda: Pipeline([Waiter(), Kitchen()])).check()
    with pytest.raises(ConfigurationError, match=r"Kitchen#0 is not in the pipeline.*behind"):
        replay(recorded, lambda: Pipeline([Line(()), Waiter()]), outside=["Kitchen#0"])
    with pytest.raises(ConfigurationError, match="there is no Cook#0 in the recording"):
        replay(recorded, waiter, outside=["Cook#0"])


class Order1(DataFrame):
    """A frame of the program's own."""

    dish: str


def test_frames_of_the_program_are_inputs_too(path: Path) -> None:
    """What the program queued is queued again, also before the start, also of its own types."""

    async def main() -> None:
        task = PipelineTask(Pipeline([Kitchen()]), observers=[SessionRecorder(path)])
        await task.queue_frames([Order1("soup"), EndFrame()])
        await task.run()

    run(main())
    recording = Recording.load(path)
    result = replay(recording, lambda: Pipeline([Kitchen()]))
    result.check()
    assert any(given.frame.type == "Order1" for given in result.replayed)


def test_an_input_that_was_not_recorded_is_an_error(path: Path) -> None:
    """A function cannot be recorded: the replay says which frame needs it."""

    async def main() -> None:
        task = PipelineTask(Pipeline([Kitchen()]), observers=[SessionRecorder(path)])
        await task.queue_frames([LLMMessagesTransformFrame(list), EndFrame()])
        await task.run()

    run(main())
    said = "LLMMessagesTransformFrame that task handed over .* transform is not in the recording"
    with pytest.raises(InvalidInputError, match=said):
        replay(Recording.load(path), lambda: Pipeline([Kitchen()]))


# ---- regression tests -------------------------------------------------------------------------


@pytest.mark.parametrize(("agent", "code"), [("waiter", 0), ("rude_waiter", 1)])
def test_a_recording_becomes_a_test(
    recorded: Recording, tmp_path: Path, agent: str, code: int
) -> None:
    """The file that is written passes under pytest with the same agent, and fails with another."""
    test = tmp_path / "test_supper.py"
    beside = to_regression_test(recorded, test, agent=f"tests.simulation.recorded:{agent}")
    assert beside == tmp_path / "supper.antiphon"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--rootdir",
            tmp_path,
            test,
        ],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert ("1 passed" in done.stdout) is (code == 0)
    assert ("the replay diverges at 0.400 s" in done.stdout) is (code == 1)


def test_arguments_of_a_test_are_written(recorded: Recording, tmp_path: Path) -> None:
    """Seed and processors outside are in the generated call."""
    test = tmp_path / "test_a-call.py"
    to_regression_test(recorded, test, agent="a.b:c", seed=4, outside=["LLM#0"])
    text = test.read_text()
    assert 'replay(recording, c, seed=4, outside=["LLM#0"]).check()' in text
    assert "def test_a_call() -> None:" in text
    compile(text, str(test), "exec")


def test_how_a_replay_was_compared_is_in_the_test(recorded: Recording, tmp_path: Path) -> None:
    """The test compares as the replay did that it was made of."""
    test = tmp_path / "test_it.py"
    how = Comparison(tolerance_secs=None, order=Order.DIRECTION, ignore_fields=frozenset(["text"]))
    how = msgspec.structs.replace(how, ignore_types=how.ignore_types | {"TextFrame"})
    to_regression_test(recorded, test, agent="a.b:c", comparison=how, allow_threads=True)
    text = test.read_text()
    assert "allow_threads=True" in text
    written = text[text.index("comparison=") + len("comparison=") : text.index(",\n        allow")]
    assert eval(written, {"Comparison": Comparison}) == how  # noqa: S307 (our own)
    compile(text, str(test), "exec")


@pytest.mark.parametrize("name", ["it.py", "test_it.txt", "missing/test_it.py"])
def test_a_file_that_pytest_would_not_find_is_refused(recorded: Recording, name: str) -> None:
    """A test that would never run, or cannot be written, is one error before anything is."""
    with pytest.raises(InvalidInputError, match=r"pytest finds tests|there is no folder"):
        to_regression_test(recorded, name, agent="a.b:c")


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        ("nonsense", "named as module:function"),
        ("a b:c", "named as module:function"),
        ("no_such_module:build", "there is no module no_such_module"),
        ("tests.simulation.recorded:nobody", "there is no function nobody"),
    ],
)
def test_an_agent_that_cannot_be_found_is_named(agent: str, said: str) -> None:
    """A wrong name is one clear error."""
    with pytest.raises(ConfigurationError, match=said):
        find_factory(agent)
    assert find_factory("tests.simulation.recorded:waiter")().processors
