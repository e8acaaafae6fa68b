"""A deterministic stand-in for a language model: a few rules, and the same Protocol.

It serves continuous integration, machines without weights and scripted conversations. It calls the
tool that the caller's words name, tells what tools return, answers from statements of the system
instruction and a short table, and says what it is. English only. There is no state but the
messages, so the same request gets the same answer.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from collections.abc import AsyncGenerator, Iterator
from typing import Any, Final

import msgspec

from antiphon.providers.chat import (
    AsyncToolNews,
    CallMade,
    Message,
    async_news,
    calls_by_id,
    calls_of,
    text_of,
)
from antiphon.providers.local.caller_words import meant_tool, telling, values
from antiphon.providers.local.instructions import own_instruction
from antiphon.providers.local.llm_prompt import forced_name, usable_tools
from antiphon.providers.local.tool_results import say_result
from antiphon.providers.local.tool_schema import fits, resolved, type_of
from antiphon.providers.vendor_tools import LOCAL, tools_for
from antiphon.services.contracts import (
    LLMEvent,
    LLMRequest,
    TextDelta,
    TokenUsage,
    ToolCall,
    ToolSpec,
)

CAPITALS: Final = {
    "australia": "Canberra", "austria": "Vienna", "brazil": "Brasília", "canada": "Ottawa",
    "china": "Beijing", "france": "Paris", "germany": "Berlin", "india": "New Delhi",
    "italy": "Rome", "japan": "Tokyo", "peru": "Lima", "spain": "Madrid",
    "the united kingdom": "London", "the united states": "Washington, D.C.",
}  # fmt: skip

ANSWERS: Final[tuple[tuple[str, str], ...]] = (
    (r"days.*\bweek\b", "There are seven days in a week."),
    (r"months.*\byear\b", "There are twelve months in a year."),
    (r"\bbye\b|goodbye|see you|hang up", "Goodbye! It was nice talking to you."),
    (r"thank", "You are welcome."),
    (r"how are you", "I am doing well, thank you. How can I help you?"),
    (r"your name|who are you|what are you|introduce yourself|(?:human|robot|real)\b",
     "I am {me}. I run on Antiphon's built-in rules, not a language model. {abilities}"),
    (r"what can you do|help", "{abilities}"),
    (r"hear me|are you there|still there", "Yes, I can hear you."),
    (r"\b(?:hello|hi|hey|good (?:morning|afternoon|evening))\b", "Hello! How can I help you?"),
    (r"\bmy name is\b", "Nice to meet you. How can I help you?"),
)  # fmt: skip
"""What is said on what, the first that matches; `{me}` is the agent's name."""

INSTRUCTIONS: Final[tuple[tuple[str, str], ...]] = (
    (r"good ?bye|farewell|end of the (?:call|conversation)", "Goodbye! Talk to you soon."),
    (r"still there|idle|quiet|silen|not (?:said|responded|spoken|answered)|inactiv",
     "Are you still there?"),
)  # fmt: skip
"""What is said on an instruction of the developer; on others it greets."""

GREETING: Final = "Hello! I am {me}. How can I help you?"
_WHICH = "Sure. Which {} should I use?"
_ASKED = re.compile(r"^Sure\. Which .+ should I use\?$")
_NAME = re.compile(
    r"\b(?:[Yy]our name is|[Yy]ou are|called)\s+(?!(?:I|AI|A|An|The)\b)([A-Z][\w'’]+)"
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_ORDER = re.compile(
    r"\byou(?:r|rself)?\b|^(?:always|never|do not|don['’]t|if|when|be|keep|answer|speak|reply|"
    r"respond|use|avoid|say|ask|tell|only|act|remember|greet|help|call|start|end)\b",
    re.IGNORECASE,
)
"""A sentence of the system instruction that states nothing about the world."""
_SPOKEN_WORD = re.compile(r"\s*\S+")


class RuleBasedLLMProvider:
    """Answers from rules.

    `first_word_secs` and `word_secs` (seconds, default 0) imitate the pace of a model: the wait
    before the first word, and between words.
    """

    name = "rules"
    model = "rules"

    def __init__(self, *, first_word_secs: float = 0.0, word_secs: float = 0.0) -> None:
        self._first_word_secs = first_word_secs
        self._word_secs = word_secs
        self._numbers: Iterator[int] = itertools.count(1)

    async def connect(self) -> None:
        """There is nothing to prepare."""

    async def complete(self, request: LLMRequest) -> AsyncGenerator[LLMEvent, None]:
        """Streams the answer word by word, or its call, then the count of words as usage."""
        reply = answer(request)
        await asyncio.sleep(self._first_word_secs)
        pieces = _SPOKEN_WORD.findall(reply.text)[: request.max_tokens]
        for number, piece in enumerate(pieces):
            if number:
                await asyncio.sleep(self._word_secs)
            yield TextDelta(piece)
        if reply.tool is not None:
            taken = {call.id for message in request.messages for call in calls_of(message)}
            identity = next(i for n in self._numbers if (i := f"call_{n}") not in taken)
            arguments = json.dumps(reply.arguments, ensure_ascii=False)
            yield ToolCall(identity, reply.tool.name, arguments)
        heard = sum(len(text_of(m.get("content")).split()) for m in request.messages)
        yield TokenUsage(heard, max(1, len(pieces)))

    async def close(self) -> None:
        """There is nothing to release."""


class RuleAnswer(msgspec.Struct, frozen=True):
    """What to say, and what to call after it."""

    text: str = ""
    tool: ToolSpec | None = None
    arguments: dict[str, Any] = {}


def answer(request: LLMRequest) -> RuleAnswer:
    """What to say or call: a pure function of the request.

    What is new came after the assistant's last message: results and news of tools are told, then
    the caller's words are answered, or the developer's instruction if there are none.
    """
    request = msgspec.structs.replace(request, tools=tools_for(request.tools, LOCAL))
    messages = request.messages
    last = max((i for i, m in enumerate(messages) if m.get("role") == "assistant"), default=-1)
    new, tools = messages[last + 1 :], usable_tools(request)
    news = " ".join(_news(new, calls_by_id(messages)))
    said = _said(new)
    if tools and (request.tool_choice == "required" or forced_name(request)):
        must = meant_tool(said, tools) or tools[0]
        return RuleAnswer(news, must, _simplest(must.parameters, must) | _values(must, said))
    asked = last >= 0 and _ASKED.match(text_of(messages[last].get("content")))
    if asked and not meant_tool(said, tools):
        said = f"{_said(messages[: last + 1][-2:])} {said}"
    tool = meant_tool(said, tools) if said else None
    if tool is not None:
        arguments = _values(tool, said)
        missing = [n for n in tool.parameters.get("required", ()) if n not in arguments]
        if not missing:
            return RuleAnswer(news, tool, arguments)
        return RuleAnswer(f"{news} {_WHICH.format(missing[0].replace('_', ' '))}".strip())
    reply = _reply(said, request) if said else _on_instruction(new, greets=not news and last < 0)
    if not (news or reply or new):
        reply = "How can I help you?"
    return RuleAnswer(f"{news} {_filled(reply, request)}".strip())


def _said(messages: tuple[Message, ...]) -> str:
    """The caller's words."""
    said = (text_of(m.get("content")) for m in messages if m.get("role") == "user")
    return " ".join(text for text in said if text).strip()


def _news(new: tuple[Message, ...], calls: dict[str, CallMade]) -> list[str]:
    told: list[str] = []
    for message in new:
        background = async_news(message)
        if background:
            told.append(_background(background, calls.get(background.tool_call_id)))
        elif message.get("role") == "tool":
            call = calls.get(str(message.get("tool_call_id", "")))
            told.append(say_result(text_of(message.get("content")), call))
    return list(dict.fromkeys(told))


def _background(news: AsyncToolNews, call: CallMade | None) -> str:
    what = call.name.replace("_", " ") if call else "request"
    if news.status == "started":
        return "I am on it. I will tell you as soon as I know."
    if news.status in ("finished", "completed"):
        return f"I have the result now. {say_result(news.result, call)}"
    if news.status in ("cancelled", "canceled"):
        return f"The {what} was cancelled."
    if news.status in ("timeout", "timed_out", "failed", "error"):
        return f"I am sorry, the {what} did not work out."
    return f"So far: {say_result(news.result, call)}"


def _values(tool: ToolSpec, said: str) -> dict[str, Any]:
    """What the words have for the tool's arguments, as far as its schema takes it."""
    declared = tool.parameters.get("properties", {})
    found = values(tool, said)
    return {n: v for n, v in found.items() if fits(v, declared[n], tool.parameters)}


def _simplest(schema: dict[str, Any], tool: ToolSpec) -> Any:
    """A value for a call that must be made, of the schema's type."""
    schema = resolved(schema, tool.parameters)
    for key in ("default", "const"):
        if key in schema:
            return schema[key]
    if schema.get("enum"):
        return schema["enum"][0]
    kind = type_of(schema)
    if kind == "object":
        properties = schema.get("properties", {})
        return {n: _simplest(properties.get(n, {}), tool) for n in schema.get("required", ())}
    if kind in ("integer", "number"):
        return schema.get("minimum", min(1, schema.get("maximum", 1)))
    if kind == "array":
        return [_simplest(schema.get("items", {}), tool)] * schema.get("minItems", 0)
    text = "unknown"[: schema.get("maxLength")].ljust(schema.get("minLength", 0), ".")
    return {"boolean": True, "null": None}.get(kind, text)


def _reply(said: str, request: LLMRequest) -> str:
    lower = said.lower()
    country = next((c for c in CAPITALS if c in lower), None) if "capital" in lower else None
    if country:
        name = " ".join(w if w == "the" else w.capitalize() for w in country.split())
        return f"The capital of {name} is {CAPITALS[country]}."
    known = _statement(said, request) if not re.search(r"\bname\b", lower) else ""
    if known:
        return known
    found = next((text for pattern, text in ANSWERS if re.search(pattern, lower)), "")
    return found or "I do not know that, I am only a small set of rules. {abilities}"


def _persona(request: LLMRequest) -> str:
    leading = [text_of(m.get("content")) for m in request.messages if m.get("role") == "system"]
    return "\n".join([own_instruction(request), *leading])


def _statement(question: str, request: LLMRequest) -> str:
    """The statement of the system instruction that shares most telling words with the question."""
    asked = telling(question)
    stated = [s.strip() for s in _SENTENCE.split(_persona(request)) if not _ORDER.search(s.strip())]
    best = max(stated, key=lambda sentence: len(asked & telling(sentence)), default="")
    if not asked & telling(best):
        return ""
    return best if best.endswith((".", "!", "?")) else f"{best}."


def _on_instruction(new: tuple[Message, ...], *, greets: bool) -> str:
    told = [m for m in new if m.get("role") in ("developer", "system") and not async_news(m)]
    text = text_of(told[-1].get("content")) if told else ""
    quoted = re.search(r"\bsay(?: exactly)?:?\s*[\"“']([^\"”]+)[\"”']", text, re.IGNORECASE)
    if quoted:
        return quoted.group(1)
    found = next((say for pattern, say in INSTRUCTIONS if re.search(pattern, text.lower())), "")
    return found or (GREETING if greets else "")


def _filled(text: str, request: LLMRequest) -> str:
    named = _NAME.search(_persona(request))
    tools = [" ".join(t.description.split(".")[0].split()) for t in usable_tools(request)[:3]]
    can = ", ".join(t[:1].lower() + t[1:] for t in tools if t)
    abilities = f"I can {can}." if can else "I know a few capitals and what I was told."
    text = text.replace("{me}", named.group(1) if named else "Antiphon")
    return text.replace("{abilities}", abilities)
