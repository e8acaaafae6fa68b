"""What the start of a conversation says of a pipeline that cannot work."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from antiphon import (
    ConfigurationError,
    FrameProcessor,
    FunctionSchema,
    LLMContext,
    LLMContextAggregatorPair,
    LLMService,
    LLMUserAggregatorParams,
    ParallelPipeline,
    Pipeline,
    PipelineTask,
    STTCapabilities,
    STTService,
    TTSService,
    VADParams,
)
from antiphon.simulation import (
    FakeLLMProvider,
    FakeSTTProvider,
    FakeTransport,
    FakeTTSProvider,
    FakeVADModel,
    run,
)


class Analyzer(FakeVADModel):
    """Voice activity by loudness."""

    params = VADParams()


class Parts:
    """Everything that a conversation is made of, by the names that people give it."""

    def __init__(self, *, segmented: bool = False, vad: bool = True) -> None:
        transport = FakeTransport([])
        analyzer = Analyzer() if vad else None
        self.context = LLMContext()
        self.pair = LLMContextAggregatorPair(
            self.context, user_params=LLMUserAggregatorParams(vad_analyzer=analyzer)
        )
        provider = FakeSTTProvider()
        provider.capabilities = STTCapabilities(segmented=segmented)
        self.input, self.output = transport.input(), transport.output()
        self.stt, self.llm = STTService(provider), LLMService(FakeLLMProvider([]))
        self.tts = TTSService(FakeTTSProvider())
        self.user, self.assistant = self.pair

    def line(self, order: str) -> list[FrameProcessor]:
        return [self.__dict__[name] for name in order.split()]


ORDER = "input stt user llm tts output assistant"


def start(pipeline: Pipeline) -> None:
    async def main() -> None:
        task = PipelineTask(pipeline)
        task.add_event_handler("on_pipeline_started", lambda task, _: task.stop_when_done())
        await task.run()

    run(main())


@pytest.mark.parametrize("segmented", [False, True])
def test_the_usual_bot_is_fine(caplog: pytest.LogCaptureFixture, segmented: bool) -> None:
    """A pipeline in the documented order starts, and nothing is said of it."""
    start(Pipeline(Parts(segmented=segmented).line(ORDER)))
    assert [r.message for r in caplog.records if r.name == "antiphon.pipeline_check"] == []


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("input stt llm user tts output assistant", ("LLMService", "LLMUserAggregator")),
        ("input stt user tts llm output assistant", ("TTSService", "LLMService")),
        ("input stt user llm output tts assistant", ("FakeOutput", "TTSService")),
        ("input user stt llm tts output assistant", ("LLMUserAggregator", "STTService")),
        ("stt input user llm tts output assistant", ("STTService", "FakeInput")),
        ("input stt user assistant llm tts output", ("LLMAssistantAggregator", "LLMService")),
    ],
)
def test_an_order_that_cannot_work(order: str, names: tuple[str, str]) -> None:
    """A part that what it needs does not reach is an error: both are named, and the remedy."""
    with pytest.raises(ConfigurationError, match=r"cannot work: .*put it behind") as caught:
        start(Pipeline(Parts().line(order)))
    for name in names:
        assert name.removeprefix("Fake") in str(caught.value)


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ("input user llm tts output assistant", "no STT service"),
        ("input stt llm tts output", "no user half"),
        ("input stt user llm tts assistant", "no transport output"),
        ("input stt user llm tts output", "no assistant half"),
        ("input stt user llm tts assistant output", "nobody has heard yet"),
    ],
)
def test_what_may_be_meant_is_a_warning(
    caplog: pytest.LogCaptureFixture, order: str, said: str
) -> None:
    """A part that is missing, or that stands where it is of little use, is told and no more."""
    start(Pipeline(Parts().line(order)))
    warnings = [r for r in caplog.records if r.name == "antiphon.pipeline_check"]
    assert [r.levelno for r in warnings] == [logging.WARNING]
    assert said in warnings[0].getMessage()


def two_contexts() -> Pipeline:
    parts, other = Parts(), Parts()
    return Pipeline([*parts.line("input stt user llm tts output"), other.assistant])


def no_voice_activity() -> Pipeline:
    return Pipeline(Parts(segmented=True, vad=False).line(ORDER))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (two_contexts, r"LLMUserAggregator.*LLMAssistantAggregator.*halves of two contexts"),
        (no_voice_activity, r"STTService.*vad_analyzer"),
    ],
)
def test_parts_that_do_not_fit(make: Callable[[], Pipeline], said: str) -> None:
    """Halves of two contexts, and a transcriber of segments that nothing cuts, are errors."""
    with pytest.raises(ConfigurationError, match=said):
        start(make())


def test_all_is_told_at_once() -> None:
    """Several mistakes are one error."""
    with pytest.raises(ConfigurationError) as caught:
        start(Pipeline(Parts().line("input tts stt llm user output assistant")))
    assert str(caught.value).count("put it behind") == 2


def test_two_transports_and_tools_without_handlers(caplog: pytest.LogCaptureFixture) -> None:
    """A second output in one line, and a tool that no function answers, are told."""
    parts = Parts()
    parts.context.set_tools([FunctionSchema("weather", "Tells the weather.")])
    start(Pipeline([*parts.line(ORDER), FakeTransport([]).output()]))
    said = " ".join(r.getMessage() for r in caplog.records)
    assert "a conversation has one transport" in said
    assert "no handler for (weather)" in said


def test_branches_side_by_side_have_no_order(caplog: pytest.LogCaptureFixture) -> None:
    """What stands in another branch is neither before nor behind."""
    parts = Parts()
    branches = ParallelPipeline(parts.line("llm tts output"), parts.line("stt"))
    start(Pipeline([parts.input, branches, parts.assistant]))
    assert "no user half" in caplog.text
