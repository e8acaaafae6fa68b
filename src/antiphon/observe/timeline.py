"""A conversation as lines for people, while it goes on.

`lines_of` is pure: a happening in, lines out. `Timeline` prints them: coloured by `rich`, with a
line at the bottom that says who speaks at the moment, or as plain text where there is no terminal
(or no rich).
"""

from __future__ import annotations

import enum
import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TextIO

import msgspec

from antiphon.observe.conversation_log import AgentTurn, ReplyLatency, ToolCallRecord, ToolOutcome
from antiphon.observe.happenings import (
    AgentFinished,
    AgentInterrupted,
    AgentStarted,
    CallerTurnEnded,
    CallerVoice,
    ErrorSeen,
    Happening,
    ToolFinished,
    ToolStarted,
    TurnDecided,
)

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

LONGEST_VALUE = 90
"""Results of tools are cut to so many characters."""


class RowKind(enum.Enum):
    """What a line is about; decides its colour."""

    CALLER = "caller"
    AGENT = "agent"
    TOOL = "tool"
    CUT = "cut"
    FIGURES = "figures"
    ERROR = "error"


class TimelineRow(msgspec.Struct, frozen=True):
    """`at` in seconds; None: the line continues the one above."""

    kind: RowKind
    at: float | None
    who: str
    text: str
    dim: str = ""
    """The end of the text that was not heard."""


def clock(at: float) -> str:
    """Minutes, seconds and tenths."""
    tenths = round(max(0.0, at) * 10)
    return f"{tenths // 600}:{tenths // 10 % 60:02d}.{tenths % 10}"


def lines_of(happening: Happening) -> list[TimelineRow]:
    """What to print about it; often nothing."""
    match happening:
        case CallerTurnEnded(turn=turn):
            return [
                TimelineRow(
                    RowKind.CALLER, turn.start, "Caller", turn.text or "(nothing understood)"
                )
            ]
        case AgentFinished(turn=turn):
            return _agent_lines(turn)
        case ToolStarted(at=at, call=call):
            return [TimelineRow(RowKind.TOOL, at, "Tool", f"{_call(call)} is running")]
        case ToolFinished(at=at, call=call):
            return [TimelineRow(RowKind.TOOL, at, "Tool", f"{call.name} {_outcome(call)}")]
        case AgentInterrupted(at=at):
            return [TimelineRow(RowKind.CUT, at, "", "the caller interrupts")]
        case TurnDecided(at=at, decision=decision):
            return [TimelineRow(RowKind.FIGURES, at, "", f"{decision.what}: {decision.why}")]
        case ErrorSeen(at=at, record=record):
            return [
                TimelineRow(
                    RowKind.ERROR, at, "Error", f"{record.processor or ''} {record.message}"
                )
            ]
        case _:
            return []


def _agent_lines(turn: AgentTurn) -> list[TimelineRow]:
    if turn.start is None:
        return [
            TimelineRow(
                RowKind.AGENT, None, "Agent", "(cut off before a word was heard)", turn.generated
            )
        ]
    lines = [
        TimelineRow(
            RowKind.AGENT, turn.start, "Agent", turn.heard, turn.unheard if turn.interrupted else ""
        )
    ]
    if turn.latency is not None and turn.reply_to is not None:
        lines.append(TimelineRow(RowKind.FIGURES, None, "", figures(turn.latency)))
    return lines


def figures(latency: ReplyLatency) -> str:
    """One reply's latency, split."""
    if latency.total is None:
        return ""
    stt = "" if latency.stt is None else f" (STT {latency.stt:.2f})"
    stages = (
        ("end of turn", latency.end_of_turn, stt),
        ("LLM first token", latency.llm_first_token, ""),
        ("TTS first audio", latency.tts_first_audio, ""),
        ("playout", latency.playout, ""),
    )
    parts = (f"{name} {value:.2f}{more}" for name, value, more in stages if value is not None)
    return f"{latency.total:.2f} s: {', '.join(parts)}"


def _call(call: ToolCallRecord) -> str:
    arguments = ", ".join(f"{k}={json.dumps(v)}" for k, v in call.arguments.items())
    return f"{call.name}({arguments})"


def _outcome(call: ToolCallRecord) -> str:
    secs = 0.0 if call.end is None else call.end - call.start
    value = json.dumps(call.result, ensure_ascii=False)
    if len(value) > LONGEST_VALUE:
        value = value[: LONGEST_VALUE - 1] + "…"
    verb = "gave" if call.outcome is ToolOutcome.RESULT else "was cancelled:"
    return f"{verb} {value} after {secs:.1f} s"


class _Sink(Protocol):
    def start(self) -> None: ...
    def show(self, line: TimelineRow) -> None: ...
    def stop(self) -> None: ...


class Timeline:
    """Prints happenings as they come; use it as a watcher, between `start` and `stop`."""

    def __init__(self, out: TextIO | None = None, *, color: bool | None = None) -> None:
        self._status = _Status()
        stream = out if out is not None else sys.stdout
        self._sink: _Sink = _plain_or_rich(stream, self._status, color)

    def start(self) -> None:
        """Shows who speaks, from now on."""
        self._sink.start()

    def stop(self) -> None:
        """Leaves the terminal as it was."""
        self._sink.stop()

    def __call__(self, happening: Happening) -> None:
        """Prints what is to be said about it."""
        self._status.note(happening)
        for line in lines_of(happening):
            self._sink.show(line)


class _Status:
    """Who speaks, and what runs."""

    def __init__(self) -> None:
        self._since = time.monotonic()
        self._at = 0.0
        self.caller = self.agent = False
        self.tools: dict[str, ToolCallRecord] = {}

    def now(self) -> float:
        """The conversation's time, going on between happenings."""
        return self._at + time.monotonic() - self._since

    def note(self, happening: Happening) -> None:
        """Keeps up."""
        if happening.at >= self._at:
            self._at, self._since = happening.at, time.monotonic()
        match happening:
            case CallerVoice(active=active):
                self.caller = active
            case AgentStarted():
                self.agent = True
            case AgentFinished():
                self.agent = False
            case ToolStarted(call=call):
                self.tools[call.id] = call
            case ToolFinished(call=call):
                self.tools.pop(call.id, None)


def _plain_or_rich(out: TextIO, status: _Status, color: bool | None) -> _Sink:
    try:
        from rich.console import Console
    except ImportError:
        return _Plain(out)
    console = Console(file=out, highlight=False, force_terminal=color)
    return _Rich(console, status) if console.is_terminal else _Plain(out)


class _Plain:
    """One line each, flushed, for logs and pipes."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def start(self) -> None:
        """Nothing to prepare."""

    def stop(self) -> None:
        """Nothing to restore."""

    def show(self, line: TimelineRow) -> None:
        """Writes the line."""
        at = "" if line.at is None else clock(line.at)
        rest = f" [not heard: {line.dim}]" if line.dim else ""
        print(f"{at:>7}  {line.who:<7} {line.text}{rest}".rstrip(), file=self._out, flush=True)


_STYLES = {
    RowKind.CALLER: "bold blue",
    RowKind.AGENT: "bold yellow",
    RowKind.TOOL: "bold green",
    RowKind.CUT: "bold red",
    RowKind.FIGURES: "dim",
    RowKind.ERROR: "bold red",
}


class _Rich:
    """Coloured lines above a line that says who speaks."""

    def __init__(self, console: Console, status: _Status) -> None:
        from rich.live import Live

        self._console = console
        self._status = status
        self._live = Live(
            console=console, get_renderable=self._render, refresh_per_second=8, transient=True
        )

    def start(self) -> None:
        """Shows the line at the bottom."""
        self._live.start()

    def stop(self) -> None:
        """Takes it away."""
        self._live.stop()

    def show(self, line: TimelineRow) -> None:
        """Prints the line above it."""
        from rich.padding import Padding
        from rich.table import Table
        from rich.text import Text

        style = _STYLES[line.kind]
        text = Text(line.text, style=style if line.kind in _WHOLE else "")
        if line.dim:
            text.append(f" {line.dim}", style="dim strike")
        row = Table.grid(padding=(0, 2))
        row.add_column(width=7, justify="right", style="dim")
        row.add_column(width=6)
        row.add_column(ratio=1, overflow="fold")
        row.add_row("" if line.at is None else clock(line.at), Text(line.who, style=style), text)
        self._console.print(Padding(row, (0, 0)))

    def _render(self) -> Text:
        from rich.text import Text

        status = self._status
        text = Text.assemble((f"{clock(status.now()):>7}  ", "dim"))
        for name, active, style in (
            ("caller", status.caller, _STYLES[RowKind.CALLER]),
            ("agent", status.agent, _STYLES[RowKind.AGENT]),
        ):
            text.append(f"{'●' if active else '○'} {name}  ", style=style if active else "dim")
        for call in status.tools.values():
            secs = max(0.0, status.now() - call.start)
            text.append(f"⟳ {call.name} {secs:.0f} s  ", style=_STYLES[RowKind.TOOL])
        return text


_WHOLE = frozenset({RowKind.CUT, RowKind.FIGURES, RowKind.ERROR})


def latency_table(rows: Sequence[tuple[str, ReplyLatency]], say: Callable[[str], None]) -> None:
    """Says one line for each reply: what was asked, and the stages of the wait in seconds."""
    heads = ("end of turn", "STT", "LLM", "TTS", "playout", "total")
    say(f"{'reply to':<36}" + "".join(f"{head:>12}" for head in heads))
    for name, wait in rows:
        values = (
            wait.end_of_turn,
            wait.stt,
            wait.llm_first_token,
            wait.tts_first_audio,
            wait.playout,
            wait.total,
        )
        say(f"{_cut(name):<36}" + "".join(f"{_figure(value):>12}" for value in values))


def _cut(text: str, width: int = 34) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
