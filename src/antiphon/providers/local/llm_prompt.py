"""From a request to the text that a small Qwen model completes, and back.

The prompt is ChatML: a fixed preamble, the persona, the tools, a few examples made from these very
tools, then the conversation, oldest messages left out where the window is too small. With tools, an
answer begins with a line that names one or says `none`; the arguments or the words follow:

    tool: get_weather            tool: none
    {"city": "Oslo"}             It is cold and dry in Oslo.

So the model decides first, under a grammar that admits only those names, and then writes either
arguments, under the tool's schema, or free words that can be spoken as they come.
Pure functions, no model.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from antiphon.providers.chat import (
    CallMade,
    Message,
    async_news,
    calls_by_id,
    calls_of,
    json_or_text,
    text_of,
)
from antiphon.providers.local.caller_words import meant_tool, values
from antiphon.providers.local.instructions import own_instruction
from antiphon.providers.local.tool_results import MOST_FACTS, say_result
from antiphon.providers.local.tool_schema import Schema, fits, resolved, type_of
from antiphon.services.contracts import LLMRequest, ToolSpec

NONE = "none"
"""What the model writes in place of a tool's name when it speaks."""

CALL = "tool:"
"""How every answer begins when tools are advertised."""

_PREAMBLE = (
    "You are a friendly voice agent on the phone. Answer in one or two short spoken sentences, "
    "without lists, markdown or emoji. You are a small open model that runs on this computer "
    "inside Antiphon, a framework for voice agents."
)
_WITH_TOOLS = (
    "Begin every answer with a line `tool: ` and the name of the tool that does what the caller "
    f"asks, then its arguments as JSON. If no tool is needed, write `tool: {NONE}` and then what "
    "you say. Results of tools come in square brackets: tell the caller what they say.\nTools:\n"
)
_SMALL_TALK = (
    ("Hi, how are you today?", "I am doing well, thank you. How can I help you?"),
    ("What is the capital of Japan?", "The capital of Japan is Tokyo."),
    ("My name is Tom and I like long walks.", "Nice to meet you, Tom. Where do you like to walk?"),
    ("Tell me a joke.", "Why was the robot tired? It had a hard drive."),
    ("Thank you, that helps.", "You are welcome. Is there anything else?"),
)
_CHARACTERS_PER_TOKEN = 3.2
"""A low estimate for English with some JSON in it; the engine's own count corrects it."""

_LONGEST_RESULT = 1_500
"""Characters of a tool's result that the model gets to read: about 450 tokens, 4 s on one core."""

_LEAN = 3.0
"""Logits; `benchmarks/local_llm.py`: 18 of 24 calls right with 0, 21 with 2 to 5, no false ones."""

_DROP_TOGETHER = 6
"""Units left out at a time, so that the prompt's beginning (and its cache) stays for some turns."""


def _block(role: str, text: str) -> str:
    # "<|" begins ChatML's control tokens: nobody may speak them into the prompt
    return f"<|im_start|>{role}\n{text.replace('<|', '< |')}<|im_end|>\n"


def prefix(request: LLMRequest) -> str:
    """What all turns of a conversation have in common: worth warming."""
    tools = usable_tools(request)
    persona = [own_instruction(request)]
    persona += [text_of(m.get("content")) for m in _leading_system(request.messages)]
    system = "\n".join(text for text in (_PREAMBLE, *persona) if text.strip())
    if not tools:
        return _block("system", system)
    listed = "\n".join(_described(tool) for tool in tools)
    blocks = [_block("system", f"{system}\n{_WITH_TOOLS}{listed}")]
    examples = [example for tool in tools[:4] for example in _examples(tool)]
    for index, (said, answered) in enumerate(_SMALL_TALK):
        blocks += [_block("user", said), _spoken(answered)]
        if index < len(examples):
            blocks += examples[index]
        if index == 0 and examples:
            blocks += [
                _block("user", f"[{tools[0].name}. Tell the caller: That is done.]"),
                _spoken("That is done."),
                _block("user", _STILL_RUNNING.format(tools[0].name)),
                _spoken("I am on it."),
            ]
    return "".join(blocks)


def prompt(request: LLMRequest, *, context_tokens: int, scale: float = 1.0) -> str:
    """The whole prompt, up to where the assistant begins to write.

    At most about `context_tokens` long, by an estimate of tokens times `scale` (what an earlier
    attempt showed the estimate to be off by).
    """
    head = prefix(request)
    per_token = _CHARACTERS_PER_TOKEN / scale
    room = context_tokens * per_token - len(head)
    units = _units(request, with_tools=bool(usable_tools(request)))
    tail = "<|im_start|>assistant\n"
    return head + "".join(_newest(units, room)) + tail


def scale_of(prompt: str, tokens: int) -> float:
    """By how much the estimate was off, and a tenth, for a prompt that turned out this long."""
    return 1.1 * tokens * _CHARACTERS_PER_TOKEN / len(prompt)


def _newest(units: Sequence[str], room: float) -> Sequence[str]:
    """The newest units that fit; dropped by several at once, the last one never."""
    dropped = 0
    while dropped < len(units) - 1 and sum(map(len, units[dropped:])) > room:
        dropped = min(dropped + _DROP_TOGETHER, len(units) - 1)
    return units[dropped:]


def usable_tools(request: LLMRequest) -> tuple[ToolSpec, ...]:
    """The tools that the request's tool choice leaves."""
    choice = request.tool_choice
    if choice == "none":
        return ()
    name = forced_name(request)
    return tuple(t for t in request.tools if t.name == name) if name else request.tools


def forced_name(request: LLMRequest) -> str | None:
    """The tool that the tool choice names, if it is an advertised one."""
    choice = request.tool_choice
    if not isinstance(choice, dict):
        return None
    name = (choice.get("function") or {}).get("name") or choice.get("name")
    return name if any(tool.name == name for tool in request.tools) else None


def names_allowed(request: LLMRequest) -> list[str]:
    """The names the model may choose from, `NONE` among them unless a call is required.

    A tool that was called since the caller last spoke is left out: a small model would call it for
    ever instead of telling its result.
    """
    tools = [tool.name for tool in usable_tools(request)]
    if request.tool_choice == "required" or forced_name(request):
        return tools
    last = request.messages[-1] if request.messages else {}
    if last.get("role") == "developer" and async_news(last) is not None:
        return [NONE]  # news are for telling
    called: set[str] = set()
    for message in request.messages:
        called = set() if message.get("role") == "user" else called
        called |= {call.name for call in calls_of(message)}
    return [NONE, *(name for name in tools if name not in called)]


def names_grammar(names: Iterable[str]) -> str:
    """GBNF that admits one of the names and the end of its line."""
    return 'root ::= " " (' + " | ".join(json.dumps(name) for name in names) + ') "\\n"'


def bias(request: LLMRequest) -> tuple[tuple[str, float], ...]:
    """How the caller's words lean the model towards a tool whose name or subject they mention.

    A small model would rather chat than call; it is leaned, not overruled.
    """
    last = request.messages[-1] if request.messages else {}
    if last.get("role") != "user":
        return ()
    meant = meant_tool(text_of(last.get("content")), usable_tools(request))
    return ((f" {NONE}", -_LEAN), (f" {meant.name}", _LEAN)) if meant else ()


def argument_bias(request: LLMRequest, tool: ToolSpec) -> tuple[tuple[str, float], ...]:
    """How the caller's words lean the arguments: to a value that was said, in its own spelling."""
    last = request.messages[-1] if request.messages else {}
    if last.get("role") != "user":
        return ()
    said = values(tool, text_of(last.get("content"))).values()
    truths = {value for value in said if isinstance(value, bool)}
    leaned = [value for value in said if isinstance(value, str)]
    if len(truths) == 1:
        leaned += [json.dumps(*truths), f" {json.dumps(*truths)}"]
    return tuple((text, _LEAN) for text in leaned)


# ---- the conversation -------------------------------------------------------------------------


def _leading_system(messages: Sequence[Message]) -> list[Message]:
    leading: list[Message] = []
    for message in messages:
        if message.get("role") != "system":
            break
        leading.append(message)
    return leading


def _units(request: LLMRequest, *, with_tools: bool) -> list[str]:
    """The conversation in pieces that are kept or left out whole: a call stays with its result."""
    calls = calls_by_id(request.messages)
    units: list[str] = []
    open_calls: set[str] = set()
    for message in request.messages[len(_leading_system(request.messages)) :]:
        text = _rendered(message, calls, with_tools=with_tools)
        if message.get("role") == "tool" and open_calls and units:
            open_calls.discard(str(message.get("tool_call_id", "")))
            units[-1] += text
            continue
        units.append(text)
        open_calls = {call.id for call in calls_of(message)}
    return [unit for unit in units if unit]


def _rendered(message: Message, calls: dict[str, Any], *, with_tools: bool) -> str:
    role, text = message.get("role"), text_of(message.get("content"))
    if role == "assistant":
        return _assistant(message, text, with_tools=with_tools)
    news = async_news(message)
    if news is not None:
        call = calls.get(news.tool_call_id)
        name = call.name if call else "tool"
        if news.status == "started":
            return _block("user", _STILL_RUNNING.format(name))
        return _block("user", _told(f"{name} {news.status}", news.result, call))
    if role == "tool":
        call = calls.get(str(message.get("tool_call_id", "")))
        return _block("user", _told(call.name if call else "tool", json_or_text(text), call))
    if not text:
        return ""
    return _block("user", f"[{text}]" if role in ("developer", "system") else text)


def _spoken(text: str) -> str:
    return _block("assistant", f"{CALL} {NONE}\n{text}")


def _assistant(message: Message, text: str, *, with_tools: bool) -> str:
    spoken = _spoken(text) if with_tools else _block("assistant", text)
    blocks = [spoken] if text else []
    blocks += [
        _block("assistant", f"{CALL} {call.name}\n{_compact(call.arguments)}")
        for call in calls_of(message)
    ]
    return "".join(blocks)


_STILL_RUNNING = "[{} is still running. Tell the caller: I am on it.]"


def _told(what: str, result: Any, call: CallMade | None) -> str:
    """A result in brackets: as a sentence where it is small, else as JSON, cut to a length."""
    if isinstance(result, dict | list) and len(result) > MOST_FACTS:
        said = _compact(result)
    else:
        said = say_result(result, call)
    return f"[{what}. Tell the caller: {said[:_LONGEST_RESULT]}]"


def _compact(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


# ---- the tools --------------------------------------------------------------------------------


def _described(tool: ToolSpec) -> str:
    properties: dict[str, Schema] = tool.parameters.get("properties", {})
    parts = []
    for name, declared in properties.items():
        schema = resolved(declared, tool.parameters)
        kind = "|".join(map(str, schema["enum"])) if "enum" in schema else type_of(schema)
        about = schema.get("description", "")
        parts.append(f"{name}: {kind}" + (f" ({about})" if about else ""))
    return f"- {tool.name}({'; '.join(parts)}): {' '.join(tool.description.split())}"


def _examples(tool: ToolSpec) -> list[list[str]]:
    """A made-up request for the tool, the call, its result and how it is told."""
    properties: dict[str, Schema] = tool.parameters.get("properties", {})
    arguments: dict[str, Any] = {}
    for name, declared in properties.items():
        schema = resolved(declared, tool.parameters)
        value = _example_value(name, schema)
        if fits(value, schema, tool.parameters):
            arguments[name] = value
    if any(name not in arguments for name in tool.parameters.get("required", ())):
        return []
    wish = re.split(r"[.\n]", tool.description)[0] or tool.name.replace("_", " ")
    details = ", ".join(f"{n.replace('_', ' ')} {_compact(v)}" for n, v in arguments.items())
    said = f"Please {wish[:1].lower()}{wish[1:]}" + (f", {details}." if details else ".")
    return [
        [_block("user", said), _block("assistant", f"{CALL} {tool.name}\n{_compact(arguments)}")]
    ]


_EXAMPLES = (
    (r"city|location|place|where|country|region|destination|^to$", "Oslo"),
    (r"origin|^from$", "Rome"),
    (r"date|day|when", "tomorrow"),
    (r"time", "noon"),
    (r"name|recipient|contact|person|who", "Mia"),
    (r"message|text|body|note", "see you soon"),
    (r"song|title|track", "Blue Moon"),
)


def _example_value(name: str, schema: Schema) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    kind = type_of(schema)
    if kind == "boolean":
        return True
    if kind in ("integer", "number"):
        return max(schema.get("minimum", 2), min(schema.get("maximum", 2), 2))
    if kind == "array":
        return [_example_value(name, schema.get("items", {}))]
    if kind == "object":
        return {}
    found = (value for pattern, value in _EXAMPLES if re.search(pattern, name.lower()))
    return next(found, "bread")
