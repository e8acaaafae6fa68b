"""Translation to Gemini's contents."""

from __future__ import annotations

from typing import Any

from antiphon.providers.arrangement import BEGINS, GOES_ON
from antiphon.providers.google.translation import (
    NOT_MADE_BY_GEMINI,
    as_contents,
    config_of,
    contents_of,
    signature_of_call,
)
from antiphon.services.contracts import LLMRequest
from tests.providers.conversations import ELSEWHERE, PICTURE, SOUND
from tests.providers.llm_contract import WEATHER, called, result, user


def turns(*messages: dict[str, Any], signed: bool = False) -> list[tuple[str, list[Any]]]:
    contents = as_contents(messages, signed=signed)
    return [(content["role"], content["parts"]) for content in contents]


def thought(signature: str) -> dict[str, Any]:
    message = {"type": "thought", "text": "Hmm.", "signature": signature}
    return {"role": "provider_specific", "message": message}


def kinds(parts: list[Any]) -> list[str]:
    return [next(key for key in part if key != "thoughtSignature") for part in parts]


def test_roles_are_two_and_the_user_begins_and_ends() -> None:
    """Other roles are the user's, neighbours merge, and notes stand where the user said nothing."""
    assert turns({"role": "assistant", "content": "Hello."}) == [
        ("user", [{"text": BEGINS}]),
        ("model", [{"text": "Hello."}]),
        ("user", [{"text": GOES_ON}]),
    ]
    assert turns(user("Hi"), {"role": "developer", "content": "Hurry."}) == [
        ("user", [{"text": "Hi"}, {"text": "Hurry."}])
    ]


def test_parallel_calls_are_one_turn_and_so_are_their_responses() -> None:
    """Also when the context holds them one after the other; words after them are another turn."""
    found = turns(
        user("Hi"),
        {**called("a", "f", '{"x": 1}'), "content": "One moment."},
        result("a", '{"y": 2}'),
        called("b", "g", "{}"),
        result("b", "[1]"),
        user("Well?"),
    )
    assert [(role, kinds(parts)) for role, parts in found] == [
        ("user", ["text"]),
        ("model", ["text", "functionCall", "functionCall"]),
        ("user", ["functionResponse", "functionResponse"]),
        ("user", ["text"]),
    ]
    responses = [part["functionResponse"]["response"] for part in found[2][1]]
    assert responses == [{"y": 2}, {"result": [1]}]


def test_signatures_go_back_with_what_they_came_with() -> None:
    """A signed call keeps its signature and begins a step of its own; others get the published
    one, and only where the model wants any.
    """
    talk = [user("Hi"), called("a", "f", "{}"), result("a", "1")]
    step = [thought("c2ln"), called("b", "g", "{}"), result("b", "2")]
    found = turns(*talk, *step, signed=True)
    calls = [part for role, parts in found if role == "model" for part in parts]
    assert [call["thoughtSignature"] for call in calls] == [NOT_MADE_BY_GEMINI, "c2ln"]
    assert len(found) == 5
    assert "thoughtSignature" not in str(turns(*talk))
    request = LLMRequest(messages=tuple(talk))
    assert "thoughtSignature" in str(contents_of(request, model="gemini-3-pro"))
    assert "thoughtSignature" not in str(contents_of(request, model="gemini-2.5-flash"))
    said = turns(user("Hi"), thought("c2ln"), {"role": "assistant", "content": "Yes."})
    assert said[1][1] == [{"text": "Yes.", "thoughtSignature": "c2ln"}]


def test_pictures_and_sound() -> None:
    """By value they are inline data, by address file data; a result's picture is the user's."""
    (_, parts), *_ = turns({"role": "user", "content": [PICTURE, ELSEWHERE, SOUND]})
    assert parts == [
        {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}},
        {"fileData": {"fileUri": "https://example.com/x.jpg", "mimeType": "image/jpeg"}},
        {"inlineData": {"mimeType": "audio/wav", "data": "UklGRg=="}},
    ]
    found = turns(user("Hi"), called("a", "look", "{}"), {**result("a", ""), "content": [PICTURE]})
    assert [kinds(parts) for _, parts in found[2:]] == [["functionResponse"], ["inlineData"]]


def test_the_configuration_is_under_the_sdk_s_names() -> None:
    """System texts are joined; tools keep their schema; choices are modes; extras stay."""
    config = config_of(
        LLMRequest(
            messages=({"role": "system", "content": "Be brief."}, user("Hi")),
            system_instruction="Be Ada.",
            tools=(WEATHER,),
            tool_choice="required",
            max_tokens=5,
            extra={"top_k": 3, "custom_tools": [{"google_search": {}}]},
        )
    )
    assert config["system_instruction"] == "Be Ada.\n\nBe brief."
    assert config["tool_config"] == {"function_calling_config": {"mode": "ANY"}}
    declarations, own = config["tools"]
    assert declarations["function_declarations"][0]["parameters_json_schema"] == WEATHER.parameters
    assert own == {"google_search": {}}
    assert (config["max_output_tokens"], config["top_k"]) == (5, 3)
    assert "temperature" not in config


def signed(identity: str, signature: str) -> dict[str, Any]:
    """A thought that belongs to a call, as the provider keeps it."""
    message = {
        "type": "thought",
        "text": "",
        "signature": signature_of_call(signature, identity),
    }
    return {"role": "provider_specific", "message": message}


def signatures(*messages: dict[str, Any]) -> dict[str, Any]:
    """What each call carries, by its name."""
    return {
        part["functionCall"]["name"]: part.get("thoughtSignature")
        for _, parts in turns(*messages, signed=True)
        for part in parts
        if "functionCall" in part
    }


def test_a_signature_belongs_to_its_call() -> None:
    """Wherever the thought stands: before words, before other calls, in an earlier turn."""
    words = {"role": "assistant", "content": "One moment."}
    f, g = called("a", "f", "{}"), called("b", "g", "{}")
    both = {"role": "assistant", "tool_calls": [*f["tool_calls"], *g["tool_calls"]]}
    results = [result("a", "1"), result("b", "2")]
    talk = [user("Hi"), signed("a", "QQ=="), words, f, results[0]]
    assert signatures(*talk) == {"f": "QQ=="}
    assert "thoughtSignature" not in turns(*talk, signed=True)[1][1][0]
    several = [user("Hi"), signed("a", "QQ=="), signed("b", "Qg=="), both, *results]
    assert signatures(*several) == {"f": "QQ==", "g": "Qg=="}
    assert signatures(user("Hi"), signed("b", "Qg=="), both, *results) == {
        "f": NOT_MADE_BY_GEMINI,
        "g": "Qg==",
    }
    earlier = [user("Hi"), signed("a", "QQ=="), user("Well?"), f, results[0], user("And?")]
    assert signatures(*earlier) == {"f": "QQ=="}


def test_signatures_without_a_call_s_name_go_in_order() -> None:
    """Kept by others: the next calls get them one by one, past words; else the words do."""
    words = {"role": "assistant", "content": "One moment."}
    f, g = called("a", "f", "{}"), called("b", "g", "{}")
    both = {"role": "assistant", "tool_calls": [*f["tool_calls"], *g["tool_calls"]]}
    results = [result("a", "1"), result("b", "2")]
    assert signatures(user("Hi"), thought("QQ=="), words, f, results[0]) == {"f": "QQ=="}
    loose = [user("Hi"), thought("QQ=="), thought("Qg=="), both, *results]
    assert signatures(*loose) == {"f": "QQ==", "g": "Qg=="}
    after = turns(user("Hi"), words, thought("QQ=="), user("Well?"), signed=True)
    assert after[1][1][0]["thoughtSignature"] == "QQ=="
