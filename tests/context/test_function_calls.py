"""Function calls in a conversation, from the model's wish to what it is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from antiphon.context.conversation import LLMContext
from antiphon.frames.llm import LLMMessagesAppendFrame, LLMRunFrame
from antiphon.frames.speech import TTSSpeakFrame
from antiphon.frames.tools import FunctionCallFromLLM, FunctionCallResultProperties
from antiphon.services.contracts import ToolCall
from antiphon.simulation.fakes.llm import call
from antiphon.tools.execution import FunctionCallParams
from antiphon.tools.schema import FunctionSchema, ToolsSchema
from tests.context.rig import Rig, calls_in, converse

INTERIM = FunctionCallResultProperties(is_final=False)


def context_with(*names: str) -> LLMContext:
    city = {"city": {"type": "string"}}
    return LLMContext(tools=ToolsSchema([FunctionSchema(n, n, city) for n in names]))


def answering(result: Any, after: float = 0.0) -> Callable[[FunctionCallParams], Awaitable[None]]:
    async def handler(params: FunctionCallParams) -> None:
        await asyncio.sleep(after)
        await params.result_callback(result)

    return handler


def rig_with(
    script: Any, handlers: dict[str, Any], *, options: Any = None, **more: Any
) -> Callable[[], Rig]:
    """A rig whose model follows `script` and whose tools are `handlers`, all with `options`."""

    def make() -> Rig:
        rig = Rig(script, context=context_with(*handlers), **more)
        for name, handler in handlers.items():
            if handler is not None:
                rig.llm.register_function(name, handler, **(options or {}))
        return rig

    return make


async def asks(rig: Rig) -> None:
    """The caller says one thing and then listens."""
    await rig.says("Well?")
    await asyncio.sleep(20)


# ---- synchronous calls ----


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ({"t": 20}, '{"t": 20}'),
        ("Grüße", '"Grüße"'),
        (False, "false"),
        (0, "0"),
        ("", '""'),
        ([], "[]"),
        (None, "COMPLETED"),
    ],
)
def test_the_tool_message_becomes_the_result(result: Any, text: str) -> None:
    """In progress first, then the JSON of whatever was answered; only None is `COMPLETED`."""
    seen: list[Any] = []

    async def handler(params: FunctionCallParams) -> None:
        await asyncio.sleep(1)
        seen.extend(calls_in(params.context.get_messages()))
        await params.result_callback(result)

    rig = converse(rig_with([call("f"), "Done."], {"f": handler}), asks)
    assert seen == [("f", "IN_PROGRESS")]
    assert calls_in(rig.messages) == [("f", text)]
    assert rig.inferences == 2
    assert rig.of_role("assistant") == ["Done."]


def test_what_a_handler_returns_is_its_result_if_it_did_not_answer() -> None:
    """Returning a value is as good as calling the callback."""

    async def handler(params: FunctionCallParams) -> Any:
        return {"t": 20}

    rig = converse(rig_with([call("f"), "Done."], {"f": handler}), asks)
    assert calls_in(rig.messages) == [("f", '{"t": 20}')]


def test_run_llm_false_leaves_the_model_alone() -> None:
    """A result may say that the model need not react; it is in the context all the same."""

    async def handler(params: FunctionCallParams) -> None:
        properties = FunctionCallResultProperties(run_llm=False)
        await params.result_callback("quiet", properties=properties)

    rig = converse(rig_with([call("f")], {"f": handler}), asks)
    assert rig.inferences == 1
    assert calls_in(rig.messages) == [("f", '"quiet"')]


def test_on_context_updated_runs_once_after_the_result_is_written() -> None:
    """Although both halves see the result, the callback runs once, and finds it in the context."""
    found: list[Any] = []

    async def handler(params: FunctionCallParams) -> None:
        async def updated() -> None:
            found.append(calls_in(params.context.get_messages()))

        properties = FunctionCallResultProperties(on_context_updated=updated)
        await params.result_callback(1, properties=properties)

    converse(rig_with([call("f"), "Done."], {"f": handler}), asks)
    assert found == [[("f", "1")]]


# ---- asynchronous calls ----


def test_an_asynchronous_call_lets_the_talk_go_on() -> None:
    """Started is said at once, the caller is answered meanwhile, and the result runs the model."""

    async def play(rig: Rig) -> None:
        await rig.says("Weather?")
        await asyncio.sleep(1)
        await rig.says("And you, how are you?")
        await asyncio.sleep(20)

    script = [call("f", city="Rome"), "Fine.", "It is nice in Rome."]
    options = {"is_async": True, "cancel_on_interruption": False}
    rig = converse(rig_with(script, {"f": answering("nice", 5)}, options=options), play)
    (started,) = (m for m in rig.messages if m["role"] == "tool")
    call_id = started["tool_call_id"]
    assert json.loads(started["content"]) == {
        "type": "async_tool",
        "status": "started",
        "tool_call_id": call_id,
    }
    assert [json.loads(text) for text in rig.of_role("developer")] == [
        {
            "type": "async_tool",
            "status": "finished",
            "tool_call_id": call_id,
            "result": "nice",
        }
    ]
    assert rig.of_role("assistant") == ["Fine.", "It is nice in Rome."]
    assert "async_tool" in (rig.provider.requests[0].system_instruction or "")


def test_intermediate_results_enter_one_by_one_and_leave_the_call_open() -> None:
    """Each is a developer message of status `running` and runs the model; the last one finishes."""

    async def handler(params: FunctionCallParams) -> None:
        for step in (1, 2):
            await asyncio.sleep(3)
            await params.result_callback(step, properties=INTERIM)
        await asyncio.sleep(3)
        await params.result_callback(3)

    rig = converse(rig_with([call("f")], {"f": handler}, options={"is_async": True}), asks)
    told = [json.loads(text) for text in rig.of_role("developer")]
    assert [(t["status"], t["result"]) for t in told] == [
        ("running", 1),
        ("running", 2),
        ("finished", 3),
    ]
    assert rig.inferences == 4


def test_intermediate_results_do_not_stop_the_timeout() -> None:
    """The time of a call runs on while it reports progress."""

    async def handler(params: FunctionCallParams) -> None:
        while True:
            await asyncio.sleep(1)
            await params.result_callback("still", properties=INTERIM)

    options = {"is_async": True, "timeout_secs": 3.5}
    rig = converse(rig_with([call("f")], {"f": handler}, options=options), asks)
    told = [json.loads(text)["status"] for text in rig.of_role("developer")]
    assert told == ["running", "running", "running", "timeout"]


def test_a_synchronous_call_has_no_intermediate_results(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """They are refused with a log that names the function; the final result counts."""

    async def handler(params: FunctionCallParams) -> None:
        await params.result_callback("half", properties=INTERIM)
        await params.result_callback("whole")

    rig = converse(rig_with([call("lookup"), "Done."], {"lookup": handler}), asks)
    assert calls_in(rig.messages) == [("lookup", '"whole"')]
    assert "'lookup'" in caplog.text


# ---- groups ----


def test_a_group_runs_the_model_once_after_its_last_member() -> None:
    """A fast, a slow, a failing, a late and an unknown sibling together cost one inference."""

    async def failing(params: FunctionCallParams) -> None:
        raise ValueError("no network")

    handlers = {
        "fast": answering("fast"),
        "slow": answering("slow", 3),
        "failing": failing,
        "late": answering("late", 60),
        "unknown": None,
    }
    script = [[call(name) for name in handlers], "All done."]
    rig = converse(rig_with(script, handlers, function_call_timeout_secs=5.0), asks)
    assert rig.inferences == 2
    told = dict(calls_in(rig.messages))
    assert told["fast"] == '"fast"'
    assert told["slow"] == '"slow"'
    assert "no network" in told["failing"]
    assert "did not answer in time" in told["late"]
    assert "not currently available" in told["unknown"]
    sent = dict(calls_in(rig.provider.requests[1].messages))
    assert sent == told


def test_without_grouping_every_result_runs_the_model() -> None:
    """`group_parallel_tools=False`: each result is answered when it comes."""
    handlers = {"a": answering("a", 1), "b": answering("b", 4)}
    script = [[call("a"), call("b")], "A.", "B."]
    rig = converse(rig_with(script, handlers, group_parallel_tools=False), asks)
    assert rig.inferences == 3


def test_asynchronous_members_do_not_hold_back_the_synchronous_ones() -> None:
    """The model hears of the synchronous result at once, and of the other when it comes."""

    def make() -> Rig:
        rig = Rig(
            [[call("slow"), call("fast")], "Fast.", "Slow."], context=context_with("slow", "fast")
        )
        rig.llm.register_function("slow", answering("slow", 6), is_async=True)
        rig.llm.register_function("fast", answering("fast"))
        return rig

    rig = converse(make, asks)
    assert rig.inferences == 3
    assert dict(calls_in(rig.provider.requests[1].messages))["fast"] == '"fast"'
    assert rig.of_role("assistant") == ["Fast.", "Slow."]


@pytest.mark.parametrize("seed", range(5))
def test_results_that_arrive_together_cost_one_inference(seed: int) -> None:
    """Two ungrouped results while the agent speaks are told in one go when it has finished."""
    handlers = {"a": answering("a", 0.5), "b": answering("b", 0.5)}
    script = [["Let me look that up for you.", call("a"), call("b")], "A and B."]
    rig = converse(rig_with(script, handlers, group_parallel_tools=False), asks, seed=seed)
    assert rig.inferences == 2


def test_calls_run_one_at_a_time_if_asked() -> None:
    """`run_in_parallel=False`: the next starts when the one before has ended."""
    running: list[int] = [0, 0]

    async def handler(params: FunctionCallParams) -> None:
        running[0] += 1
        running[1] = max(running)
        await asyncio.sleep(1)
        running[0] -= 1
        await params.result_callback("ok")

    handlers = {"a": handler, "b": handler, "c": handler}
    script = [[call("a"), call("b"), call("c")], "Done."]
    rig = converse(rig_with(script, handlers, run_in_parallel=False), asks)
    assert running == [0, 1]
    assert rig.inferences == 2
    assert [text for _, text in calls_in(rig.messages)] == ['"ok"'] * 3


# ---- timing ----


def test_a_result_while_the_user_speaks_is_covered_by_the_users_turn() -> None:
    """It is written at once and costs no inference of its own."""

    async def play(rig: Rig) -> None:
        await rig.says("Weather?")
        await asyncio.sleep(1)
        await rig.user_starts()
        await asyncio.sleep(2)
        assert calls_in(rig.messages) == [("f", '"nice"')]
        assert rig.inferences == 1
        await rig.user_stops("And hurry up.")
        await asyncio.sleep(10)

    options = {"cancel_on_interruption": False}
    script = [call("f"), "It is nice."]
    rig = converse(rig_with(script, {"f": answering("nice", 2)}, options=options), play)
    assert rig.inferences == 2
    assert dict(calls_in(rig.provider.requests[1].messages)) == {"f": '"nice"'}


def test_a_result_while_the_user_makes_only_noise_runs_after_it() -> None:
    """A turn without words has no inference that could cover the result, so it gets its own."""

    async def play(rig: Rig) -> None:
        await rig.says("Weather?")
        await asyncio.sleep(1)
        await rig.user_starts()
        await asyncio.sleep(2)
        await rig.user_stops()
        await asyncio.sleep(20)

    options = {"cancel_on_interruption": False}
    script = [call("f"), "It is nice."]
    rig = converse(rig_with(script, {"f": answering("nice", 2)}, options=options), play)
    assert rig.inferences == 2
    assert rig.of_role("assistant") == ["It is nice."]


def test_a_result_while_the_bot_speaks_waits_for_the_end_of_the_speech() -> None:
    """The follow-up request sees the whole of what was said, before the call."""
    script = [["Let me check that for you now.", call("f")], "Nice."]
    rig = converse(rig_with(script, {"f": answering("nice")}), asks)
    roles = [(m["role"], m.get("content")) for m in rig.provider.requests[1].messages]
    assert roles == [
        ("user", "Well?"),
        ("assistant", "Let me check that for you now."),
        ("assistant", None),
        ("tool", '"nice"'),
    ]
    assert rig.voice.said == "Let me check that for you now.Nice."


def test_a_result_is_not_lost_when_the_user_interrupts_while_it_waits() -> None:
    """The result waits for the bot; the user cuts in; the user's inference covers it."""

    async def play(rig: Rig) -> None:
        await rig.says("Weather?")
        await asyncio.sleep(0.8)
        assert calls_in(rig.messages) == [("f", '"nice"')]
        await rig.says("Never mind.")
        await asyncio.sleep(10)

    script = [["Let me check that for you now, wait.", call("f")], "As you like."]
    rig = converse(rig_with(script, {"f": answering("nice")}), play)
    assert rig.inferences == 2
    sent = rig.provider.requests[1].messages
    assert dict(calls_in(sent)) == {"f": '"nice"'}
    assert [m["role"] for m in sent] == ["user", "assistant", "assistant", "tool", "user"]
    heard = sent[1]["content"]
    assert "Let me check that for you now, wait.".startswith(heard)
    assert len(heard) < 30
    assert rig.turns[0].interrupted
    assert f"{heard} {rig.turns[0].unheard}" == "Let me check that for you now, wait."


def test_an_inference_cut_off_by_noise_is_made_up_for() -> None:
    """The follow-up was interrupted before a word by a cough: the model is asked again."""

    async def play(rig: Rig) -> None:
        await rig.says("Weather?")
        await asyncio.sleep(1.08)
        assert rig.inferences == 2
        await rig.user_starts()
        await asyncio.sleep(0.5)
        await rig.user_stops()
        await asyncio.sleep(20)

    options = {"cancel_on_interruption": False}
    script = [call("f"), "It is nice.", "It is nice."]
    rig = converse(rig_with(script, {"f": answering("nice", 0.6)}, options=options), play)
    assert rig.of_role("assistant") == ["It is nice."]
    assert rig.inferences == 3


def test_speech_during_a_call_is_written_before_it() -> None:
    """What the agent says while the model waits for a result comes before the call."""

    async def handler(params: FunctionCallParams) -> None:
        await params.llm.push_frame(TTSSpeakFrame("One moment."))
        await asyncio.sleep(2)
        await params.result_callback("nice")

    rig = converse(rig_with([call("f"), "It is nice."], {"f": handler}), asks)
    sent = rig.provider.requests[1].messages
    assert [(m["role"], m.get("content")) for m in sent] == [
        ("user", "Well?"),
        ("assistant", "One moment."),
        ("assistant", None),
        ("tool", '"nice"'),
    ]


# ---- interruption ----


def test_an_interruption_cancels_a_call_and_says_so() -> None:
    """The handler is stopped, its message says `CANCELLED`, and the event names the call."""
    stopped: list[str] = []
    cancelled: list[FunctionCallFromLLM] = []

    async def handler(params: FunctionCallParams) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            stopped.append(params.function_name)
            raise

    def make() -> Rig:
        rig = rig_with([call("f"), "Fine."], {"f": handler})()
        rig.llm.add_event_handler(
            "on_function_calls_cancelled", lambda _, calls: cancelled.extend(calls)
        )
        return rig

    async def play(rig: Rig) -> None:
        await rig.says("Weather?")
        await asyncio.sleep(2)
        await rig.says("Stop it.")
        await asyncio.sleep(5)

    rig = converse(make, play)
    assert stopped == ["f"]
    assert [one.function_name for one in cancelled] == ["f"]
    assert calls_in(rig.messages) == [("f", "CANCELLED")]
    assert rig.inferences == 2


def test_calls_that_survive_interruptions_do() -> None:
    """`cancel_on_interruption=False`: the call goes on and its result is told afterwards."""

    async def play(rig: Rig) -> None:
        await rig.says("Weather?")
        await asyncio.sleep(1)
        await rig.says("Are you there?")
        await asyncio.sleep(10)

    options = {"cancel_on_interruption": False}
    script = [call("f"), "Yes.", "It is nice."]
    rig = converse(rig_with(script, {"f": answering("nice", 4)}, options=options), play)
    assert dict(calls_in(rig.provider.requests[1].messages)) == {"f": "IN_PROGRESS"}
    assert calls_in(rig.messages) == [("f", '"nice"')]
    assert rig.of_role("assistant") == ["Yes.", "It is nice."]


def test_calls_that_wait_their_turn_are_cancelled_too() -> None:
    """One at a time: an interruption also ends those that have not started, and tells the model."""

    async def play(rig: Rig) -> None:
        await rig.says("Go.")
        await asyncio.sleep(1)
        await rig.says("Stop.")
        await asyncio.sleep(5)

    handlers = {"a": answering("a", 30), "b": answering("b", 30)}
    script = [[call("a"), call("b")], "Fine."]
    rig = converse(rig_with(script, handlers, run_in_parallel=False), play)
    assert dict(calls_in(rig.messages)) == {"a": "CANCELLED", "b": "CANCELLED"}


def test_the_end_of_the_session_cancels_what_is_open() -> None:
    """No call is left open in the context of a conversation that is over."""

    async def play(rig: Rig) -> None:
        await rig.says("Go.")
        await asyncio.sleep(1)

    rig = converse(rig_with([call("f")], {"f": answering("late", 60)}), play)
    assert calls_in(rig.messages) == [("f", "CANCELLED")]


# ---- failures ----


def test_a_handler_that_raises_gives_an_honest_result(caplog: pytest.LogCaptureFixture) -> None:
    """The model reads what failed, the log names the function, the conversation goes on."""

    async def handler(params: FunctionCallParams) -> None:
        raise RuntimeError("the disk is full")

    rig = converse(rig_with([call("save"), "Sorry."], {"save": handler}), asks)
    (told,) = (text for _, text in calls_in(rig.messages))
    assert "the disk is full" in json.loads(told)["error"]
    assert "'save'" in caplog.text
    assert rig.of_role("assistant") == ["Sorry."]


@pytest.mark.parametrize("result", [object(), float("nan"), "x" * 10_000_000])
def test_what_json_cannot_carry_is_told(result: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The model gets a bounded result that says so, the developer a log with the name."""
    rig = converse(rig_with([call("dump"), "Hm."], {"dump": answering(result)}), asks)
    ((_, told),) = calls_in(rig.messages)
    assert "`dump`" in json.loads(told)["error"]
    assert len(told) < 5_000
    assert "dump" in caplog.text
    assert rig.inferences == 2


def test_lone_surrogates_are_replaced() -> None:
    """A result that UTF-8 cannot carry arrives with replacement characters."""
    rig = converse(rig_with([call("f"), "Hm."], {"f": answering("a\ud800b")}), asks)
    assert calls_in(rig.messages) == [("f", '"a\ufffdb"')]


def test_answering_twice_counts_once(caplog: pytest.LogCaptureFixture) -> None:
    """The second answer is dropped, with a log."""

    async def handler(params: FunctionCallParams) -> None:
        await params.result_callback(1)
        await params.result_callback(2)

    rig = converse(rig_with([call("f"), "Done."], {"f": handler}), asks)
    assert calls_in(rig.messages) == [("f", "1")]
    assert rig.inferences == 2
    assert "too late" in caplog.text


def test_answering_after_the_session_is_harmless(caplog: pytest.LogCaptureFixture) -> None:
    """A callback that is kept beyond the end finds nobody, and says so in the log."""
    kept: list[FunctionCallParams] = []

    async def handler(params: FunctionCallParams) -> None:
        kept.append(params)
        await asyncio.sleep(60)

    async def play(rig: Rig) -> None:
        await rig.says("Go.")
        await asyncio.sleep(1)
        await rig.task.cancel("gone")
        await asyncio.sleep(1)
        await kept[0].result_callback("late")

    converse(rig_with([call("f")], {"f": handler}), play)
    assert "too late" in caplog.text


def test_a_call_that_never_answers_times_out() -> None:
    """The handler is stopped, the model told, and the session's default time is used."""
    rig = converse(
        rig_with([call("f"), "Sorry."], {"f": answering(1, 60)}, function_call_timeout_secs=2.0),
        asks,
    )
    ((_, told),) = calls_in(rig.messages)
    assert "did not answer in time" in told
    assert rig.inferences == 2


def test_an_asynchronous_call_that_never_answers_is_told_too() -> None:
    """A developer message says that there will be no result, and the model reacts."""
    options = {"is_async": True, "timeout_secs": 2.0}
    rig = converse(rig_with([call("f")], {"f": answering(1, 60)}, options=options), asks)
    (told,) = rig.of_role("developer")
    assert json.loads(told)["status"] == "timeout"
    assert rig.inferences == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [("{nonsense", "not valid JSON"), ("[1]", "JSON object"), ('{"city": 5}', "'city'")],
)
def test_bad_arguments_become_a_result_that_says_what_is_wrong(arguments: str, says: str) -> None:
    """The handler does not run; the model can try again."""
    ran: list[Any] = []

    async def handler(params: FunctionCallParams) -> None:
        ran.append(params.arguments)
        await params.result_callback("ok")

    script = [ToolCall("1", "f", arguments), call("f", city="Rome"), "Done."]
    rig = converse(rig_with(script, {"f": handler}), asks)
    first, second = (text for _, text in calls_in(rig.messages))
    assert says in json.loads(first)["error"]
    assert second == '"ok"'
    assert ran == [{"city": "Rome"}]


@pytest.mark.parametrize(("advertised", "level"), [(True, "ERROR"), (False, "WARNING")])
def test_a_missing_handler_is_a_neutral_result(
    advertised: bool, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An error in the log if the tool was advertised, a warning if the model made it up."""

    def make() -> Rig:
        context = context_with("f") if advertised else LLMContext()
        return Rig([call("f"), "Sorry."], context=context)

    rig = converse(make, asks)
    assert calls_in(rig.messages) == [("f", '"The function `f` is not currently available."')]
    assert [r.levelname for r in caplog.records if "'f'" in r.getMessage()] == [level]


# ---- guards ----


def test_an_identical_call_that_is_running_is_not_started_twice() -> None:
    """The model is told that it is running already; other arguments are another call."""
    ran: list[Any] = []

    async def handler(params: FunctionCallParams) -> None:
        ran.append(params.arguments["city"])
        await asyncio.sleep(3)
        await params.result_callback("ok")

    cities = ["Rome", "Rome", "Oslo"]
    rig = converse(rig_with([[call("f", city=c) for c in cities]], {"f": handler}), asks)
    assert ran == ["Rome", "Oslo"]
    second = calls_in(rig.messages)[1][1]
    assert json.loads(second)["status"] == "already_running"


def test_duplicates_may_be_allowed() -> None:
    """Tools for which it makes sense opt out of the guard."""
    ran: list[Any] = []

    async def handler(params: FunctionCallParams) -> None:
        ran.append(1)
        await asyncio.sleep(1)
        await params.result_callback("ok")

    options = {"allow_duplicates": True}
    converse(rig_with([[call("f"), call("f")]], {"f": handler}, options=options), asks)
    assert ran == [1, 1]


def test_the_model_can_cancel_what_it_may() -> None:
    """`cancel_<name>` is advertised, stops the call, and is itself not announced as a call."""
    started: list[str] = []

    async def play(rig: Rig) -> None:
        rig.llm.add_event_handler(
            "on_function_calls_started",
            lambda _, calls: started.extend(c.function_name for c in calls),
        )
        await rig.says("Look for it.")
        await asyncio.sleep(2)
        await rig.says("Forget it.")
        await asyncio.sleep(5)

    options = {"is_async": True, "cancel_on_interruption": False, "cancellable_by_llm": True}
    script = [call("f"), call("cancel_f"), "Stopped."]
    rig = converse(
        rig_with(script, {"f": answering(1, 60)}, options=options, function_call_timeout_secs=90.0),
        play,
    )
    assert [tool.name for tool in rig.provider.requests[0].tools] == ["f", "cancel_f"]
    assert started == ["f"]
    (told,) = rig.of_role("developer")
    assert json.loads(told)["status"] == "cancelled"
    assert rig.of_role("assistant") == ["Stopped."]


def test_a_cancellation_that_is_not_clear_is_refused_with_the_reason() -> None:
    """None running, or several: the model is told which there are."""
    options = {"is_async": True, "cancellable_by_llm": True}
    script = [
        call("cancel_f"),
        [call("f", city="a"), call("f", city="b"), call("cancel_f")],
        "Hm.",
    ]
    rig = converse(rig_with(script, {"f": answering(1, 5)}, options=options), asks)
    results = [json.loads(text) for name, text in calls_in(rig.messages) if name == "cancel_f"]
    assert results[0] == {"cancelled": None, "reason": "none is running", "running": []}
    assert results[1]["cancelled"] is None
    assert len(results[1]["running"]) == 2


# ---- registration ----


def test_direct_functions_run_with_typed_arguments() -> None:
    """Advertised as they are, they are registered, described and called by themselves."""

    async def add(params: FunctionCallParams, a: int, b: int = 10) -> None:
        """Adds two numbers."""
        await params.result_callback(a + b)

    def make() -> Rig:
        return Rig([call("add", a=5), "Fifteen."], context=LLMContext(tools=[add]))

    rig = converse(make, asks)
    assert calls_in(rig.messages) == [("add", "15")]
    assert rig.provider.requests[0].tools[0].description == "Adds two numbers."


def test_a_handler_carried_by_a_schema_runs() -> None:
    """A schema with a handler needs no registration."""
    schema = FunctionSchema("f", "does f", handler=answering("carried"))
    rig = converse(lambda: Rig([call("f"), "Ok."], context=LLMContext(tools=[schema])), asks)
    assert calls_in(rig.messages) == [("f", '"carried"')]


def test_the_catch_all_answers_every_name() -> None:
    """`None` registers a handler for whatever has none."""

    async def anything(params: FunctionCallParams) -> None:
        await params.result_callback(params.function_name)

    def make() -> Rig:
        rig = Rig([[call("x"), call("y")], "Ok."])
        rig.llm.register_function(None, anything)
        return rig

    rig = converse(make, asks)
    assert calls_in(rig.messages) == [("x", '"x"'), ("y", '"y"')]


def test_an_unregistered_function_is_missing() -> None:
    """What was taken back is not available any more."""

    def make() -> Rig:
        rig = rig_with([call("f"), "Ok."], {"f": answering(1)})()
        rig.llm.unregister_function("f")
        return rig

    rig = converse(make, asks)
    assert "not currently available" in calls_in(rig.messages)[0][1]


def test_repeated_call_ids_are_told_apart() -> None:
    """A model that reuses an id for a second call still gets both answered."""
    script = [ToolCall("same", "f", "{}"), ToolCall("same", "f", "{}"), "Done."]
    rig = converse(rig_with(script, {"f": answering("ok")}), asks)
    assert [text for _, text in calls_in(rig.messages)] == ['"ok"', '"ok"']


# ---- requests from the program ----


def test_a_run_during_a_call_sees_it_in_progress() -> None:
    """The program may run the model at any moment; the request is valid then too."""

    async def play(rig: Rig) -> None:
        await rig.says("Go.")
        await asyncio.sleep(1)
        await rig.send(LLMMessagesAppendFrame([{"role": "user", "content": "x"}], run_llm=True))
        await asyncio.sleep(1)
        await rig.send(LLMRunFrame())
        await asyncio.sleep(10)

    rig = converse(rig_with([call("f"), "A.", "B.", "C."], {"f": answering(1, 3)}), play)
    assert dict(calls_in(rig.provider.requests[1].messages)) == {"f": "IN_PROGRESS"}
    assert rig.of_role("assistant") == ["A.", "B.", "C."]
