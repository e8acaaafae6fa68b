"""Saying the result of a tool naturally, from its JSON."""

from __future__ import annotations

import math
import re
from typing import Any

from antiphon.providers.chat import CallMade, json_or_text

_ALIASES = {
    "conditions": ("conditions", "condition", "sky", "weather", "forecast"),
    "temperature": ("temperature", "temp", "temperature_c", "temperature_f", "temp_c", "temp_f",
                    "temperature_celsius", "temperature_fahrenheit"),
    "place": ("location", "city", "place", "town"),
    "message": ("message", "summary", "text", "answer", "say", "result", "response"),
    "error": ("error", "errors", "failure"),
}  # fmt: skip
_SILENT = {"status", "ok", "success", "type", "id", "unit", "units", "format", "tool_call_id"}
_PERCENT = {"humidity", "probability", "chance", "battery", "progress", "brightness"}
_NAMES = ("name", "title", "label", "text", "summary", "description")
MOST_FACTS = 6
"""The most facts that are told in a row."""


def say_result(result: Any, call: CallMade | None = None) -> str:
    """One or two sentences that tell the caller what came back."""
    if isinstance(result, str):
        result = json_or_text(result)
    if result == "IN_PROGRESS":
        return "I am still working on that."
    if result in ("COMPLETED", "CANCELLED"):
        return "That is done." if result == "COMPLETED" else "That was cancelled."
    if result is None or result == {} or result is True:
        return "That is done."
    if result in ([], ""):
        return "I found nothing."
    if result is False:
        return "The answer is no."
    if isinstance(result, str):
        return _sentence(result)
    if isinstance(result, list):
        return _sentence(f"I found {len(result)}: {_listed([_value(item) for item in result])}")
    if isinstance(result, dict):
        return _say_object(result, call)
    return _sentence(f"The result is {_value(result)}")


def _say_object(result: dict[str, Any], call: CallMade | None) -> str:
    error = _first(result, "error")
    if error:
        return _sentence(f"I am sorry, that did not work: {_value(error)}")
    arguments = call.arguments if call else {}
    weather = _weather(result, arguments)
    if weather:
        return weather
    facts = {
        key: value
        for key, value in result.items()
        if key.lower() not in _SILENT and arguments.get(key) != value
    }
    message = _first(facts, "message")
    if isinstance(message, str) and message:
        return _sentence(message)
    if not facts:
        return "That is done." if result.get("success", result.get("ok", True)) else "That failed."
    said = [_fact(key, value) for key, value in list(facts.items())[:MOST_FACTS]]
    return _sentence(_listed(said))


def _weather(result: dict[str, Any], arguments: dict[str, Any]) -> str | None:
    conditions, temperature = _first(result, "conditions"), _first(result, "temperature")
    if temperature is None or isinstance(conditions, dict | list):
        return None
    unit = str(result.get("unit") or result.get("units") or arguments.get("format") or "")
    key = next(key for key in _ALIASES["temperature"] if key in result)
    unit = unit or {"c": "celsius", "f": "fahrenheit"}.get(key.rpartition("_")[2][:1], "")
    degrees = _degrees(temperature, unit)
    place = _first(result, "place") or _first(arguments, "place")
    where = f"In {place} it is" if place else "It is"
    if not conditions:
        return _sentence(f"{where} {degrees}")
    return _sentence(f"{where} {_value(conditions).lower()} and {degrees}")


def _degrees(temperature: Any, unit: str) -> str:
    text = re.sub(r"\s*°\s*", " degrees ", _value(temperature)).strip()
    text = re.sub(r"\bdegrees C\b", "degrees Celsius", text)
    text = re.sub(r"\bdegrees F\b", "degrees Fahrenheit", text)
    if "degree" in text:
        return text
    scale = {"c": " Celsius", "f": " Fahrenheit"}.get(unit[:1].lower(), "")
    return f"{text} degrees{scale}"


def _first(data: dict[str, Any], meaning: str) -> Any:
    return next((data[key] for key in _ALIASES[meaning] if data.get(key) is not None), None)


def _fact(key: str, value: Any) -> str:
    name = re.sub(r"([a-z])([A-Z])", r"\1 \2", key).replace("_", " ").lower()
    if value is True or value is False:
        return f"the {name} is {'on' if value else 'off'}"
    if name in ("name", "title"):
        return f"it is called {_value(value)}"
    plural = name.endswith("s") and not name.endswith("ss")
    if isinstance(value, list) and not value:
        return f"there are no {name}"
    percent = " percent" if name in _PERCENT and isinstance(value, int | float) else ""
    return f"the {name} {'are' if plural else 'is'} {_value(value)}{percent}"


def _value(value: Any) -> str:
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, list):
        return _listed([_value(item) for item in value])
    if isinstance(value, dict):
        name = next((value[key] for key in _NAMES if isinstance(value.get(key), str)), None)
        if name:
            return str(name)
        return _listed([f"{k.replace('_', ' ')} {_value(v)}" for k, v in value.items()])
    return " ".join(str(value).split())


def _number(value: float) -> str:
    """A number as one would say it, at most four decimals."""
    if not math.isfinite(value):
        return "more than I can count"
    rounded = round(value, 4)
    return str(int(rounded)) if rounded == int(rounded) else f"{rounded:.4f}".rstrip("0")


def _listed(parts: list[str]) -> str:
    parts = [part for part in parts if part][:MOST_FACTS]
    if not parts:
        return "nothing"
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _sentence(text: str) -> str:
    text = text.strip()
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
