"""Where two sessions part: the first hand-over in which a replay differs from its recording.

Hand-overs are compared link by link: what one processor hands to another in one direction, ordered
frames, urgent frames and sound apart, must be the same frames in the same order. Of two processors
that work side by side the order is left open, for it is the schedule's (`Order.DIRECTION` compares
it all the same). Ids differ in every run and are not compared, nor are measurements and dates;
durations (`..._secs`) are compared as times are. Of sound, what got through just before an
interruption may differ.
"""

from __future__ import annotations

import bisect
import enum
import math
from collections import defaultdict
from collections.abc import Callable, Container, Hashable, Iterable, Sequence
from typing import Any

import msgspec

from antiphon.kernel.epoch import FrameDirection
from antiphon.simulation.record.frame_text import describe_value
from antiphon.simulation.record.record_file import HandOver

IDS = frozenset({"id", "context_id", "response_id", "tool_call_id", "group_id", "request_id"})
MEASURED = frozenset({"timestamp", "value", "processing_ms", "buffered_secs", "version"})
PERIODIC = frozenset({"HeartbeatFrame", "BotSpeakingFrame", "UserSpeakingFrame"})
"""Types that are repeated every so often: a moment's delay decides how often."""
MEDIA = frozenset({"audio", "image"})
_OPEN = frozenset({"arguments", "result", "settings", "message"})
"""Fields with content of strangers, in which no name has a meaning of ours."""
_JOINTS = ("ParallelPipeline#", "ServiceSwitcher#")
"""Where branches part and come together: what each of them gives is compared before that."""
_CONTEXT = 6
_LONG = 200
"""Characters of a line about what went before; what differs is shown whole."""
_SKIPPED = PERIODIC | {"InputAudioRawFrame", "UserAudioRawFrame", "TTSAudioRawFrame"}
"""Not worth showing among what went before."""


class Order(enum.Enum):
    """Within what the order of hand-overs is compared."""

    LINK = "from one processor to another"
    DIRECTION = "all that goes downstream, and all that goes upstream"


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """How a replay is compared with its recording.

    `tolerance_secs`: how far the times of a hand-over, and the pts of its frame, may be apart; any
    distance if None. `ignore_fields` and `ignore_types`: names of fields and of frame types that
    are not compared at all; types by default those that are repeated every so often.
    """

    tolerance_secs: float | None = 0.1
    order: Order = Order.LINK
    ignore_fields: frozenset[str] = frozenset()
    ignore_types: frozenset[str] = PERIODIC


class What(enum.Enum):
    """In what two sessions differ."""

    CHANGED = "another frame"
    LATE = "another time"
    MISSING = "missing from the replay"
    EXTRA = "new in the replay"


class Divergence(msgspec.Struct, frozen=True, kw_only=True):
    """The first difference. `str` says it all; `before` are recorded hand-overs that led to it."""

    what: What
    recorded: HandOver | None
    replayed: HandOver | None
    fields: tuple[str, ...] = ()
    before: tuple[HandOver, ...] = ()

    @property
    def time(self) -> float:
        """When, in seconds of the session."""
        return _time(self.recorded, self.replayed) / 1e9

    def __str__(self) -> str:
        detail = f": {', '.join(self.fields)}" if self.fields else ""
        lines = [f"the replay diverges at {self.time:.3f} s ({self.what.value}{detail})"]
        lines += [f"           {_brief(describe(given))}" for given in self.before]
        lines.append(f"recorded:  {describe(self.recorded) if self.recorded else 'nothing'}")
        lines.append(f"replayed:  {describe(self.replayed) if self.replayed else 'nothing'}")
        return "\n".join(lines)


def describe(given: HandOver) -> str:
    """A hand-over as one line."""
    arrow = "->" if given.direction is FrameDirection.DOWNSTREAM else "<-"
    shown = ", ".join(
        f"{key}={describe_value(value)}"
        for key, value in given.frame.fields.items()
        if key not in {"type", "id"}
    )
    where = f"{given.source} {arrow} {given.destination}"
    return f"{given.time / 1e9:9.3f} s  {where}  {given.frame.type}({shown})"


def _brief(line: str) -> str:
    return line if len(line) <= _LONG else f"{line[: _LONG - 1]}…"


def first_divergence(
    recorded: Sequence[HandOver],
    replayed: Sequence[HandOver],
    how: Comparison,
    *,
    until: int | None = None,
    outside: Container[str] = (),
) -> Divergence | None:
    """The first difference, by its time; None if there is none.

    `until` (ns): what the replay has from then on is not compared, because the recording was not
    continued. What processors `outside` hand over is compared type by type: a stand-in's turn
    between what it is handed and what it is told to bring in means nothing.
    """
    ours, theirs = _by_link(recorded, how, outside), _by_link(replayed, how, outside)
    near = (_cuts(recorded, how), _cuts(replayed, how))
    found: list[tuple[int, int, Divergence]] = []
    for link in {**ours, **theirs}:
        one, other = ours[link], theirs[link]
        if isinstance(link, tuple) and link[-1]:
            one, other = _without_cut_sound(one, other, near, how)
        divergence = _on_link(one, other, how, until)
        if divergence is not None:
            found.append(divergence)
    if not found:
        return None
    _, index, first = min(found, key=lambda item: item[:2])
    led = [
        given
        for given in recorded[:index]
        if given.frame.type not in _SKIPPED and given.time <= first.time * 1e9
    ]
    return msgspec.structs.replace(first, before=tuple(led[-_CONTEXT:]))


_Numbered = tuple[int, HandOver]


def _by_link(
    hand_overs: Sequence[HandOver], how: Comparison, outside: Container[str]
) -> defaultdict[Hashable, list[_Numbered]]:
    links: defaultdict[Hashable, list[_Numbered]] = defaultdict(list)
    for index, given in enumerate(hand_overs):
        if given.frame.type in how.ignore_types or given.source.startswith(_JOINTS):
            continue
        link: Hashable = given.direction
        if how.order is Order.LINK:
            sound = not MEDIA.isdisjoint(given.frame.fields)
            kind = given.frame.type if given.source in outside else given.urgent
            link = (given.source, given.destination, given.direction, kind, sound)
        links[link].append((index, given))
    return links


def _cuts(hand_overs: Iterable[HandOver], how: Comparison) -> Callable[[HandOver], bool]:
    """Whether a hand-over took place about when somebody interrupted."""
    times = sorted({g.time for g in hand_overs if g.frame.type == "InterruptionFrame"})
    about = round((0.1 if how.tolerance_secs is None else how.tolerance_secs) * 1e9)

    def near(given: HandOver) -> bool:
        place = bisect.bisect_left(times, given.time - about)
        return place < len(times) and times[place] <= given.time + about

    return near


def _without_cut_sound(
    recorded: list[_Numbered],
    replayed: list[_Numbered],
    near: tuple[Callable[[HandOver], bool], Callable[[HandOver], bool]],
    how: Comparison,
) -> tuple[list[_Numbered], list[_Numbered]]:
    """Sound without the pieces that got through before an interruption in one of the two only."""
    if not any(near[0](given) for _, given in recorded):
        return recorded, replayed
    ours, theirs = [], []
    i = j = 0
    while i < len(recorded) or j < len(replayed):
        one = recorded[i][1] if i < len(recorded) else None
        other = replayed[j][1] if j < len(replayed) else None
        if one is not None and other is not None and _match(one, other, how):
            pass
        elif one is not None and near[0](one):
            i += 1
            continue
        elif other is not None and near[1](other):
            j += 1
            continue
        if one is not None:
            ours.append(recorded[i])
            i += 1
        if other is not None:
            theirs.append(replayed[j])
            j += 1
    return ours, theirs


def _match(one: HandOver, other: HandOver, how: Comparison) -> bool:
    late = how.tolerance_secs is not None and _apart(one, other) > how.tolerance_secs
    return not late and not _differences(one, other, how)


def _apart(one: HandOver, other: HandOver) -> float:
    """Seconds between two hand-overs."""
    return abs(one.time - other.time) / 1e9


def _on_link(
    recorded: list[_Numbered], replayed: list[_Numbered], how: Comparison, until: int | None
) -> tuple[int, int, Divergence] | None:
    """Time, position, and the first difference on one link."""
    for (index, one), (other_index, other) in zip(recorded, replayed, strict=False):
        fields = _differences(one, other, how)
        if fields:
            what = _kind(recorded, replayed, (index, other_index), how)
            return _sorted(what, one, other, (index, other_index), tuple(fields))
        if how.tolerance_secs is not None:
            apart = _apart(one, other)
            if apart > how.tolerance_secs:
                by = (f"{apart:.3f} s apart",)
                return _sorted(What.LATE, one, other, (index, other_index), by)
    common = min(len(recorded), len(replayed))
    if len(recorded) > common:
        index, one = recorded[common]
        return one.time, index, Divergence(what=What.MISSING, recorded=one, replayed=None)
    if len(replayed) > common:
        index, other = replayed[common]
        if until is None or other.time < until:
            return other.time, index, Divergence(what=What.EXTRA, recorded=None, replayed=other)
    return None


def _kind(
    recorded: list[_Numbered], replayed: list[_Numbered], at: tuple[int, int], how: Comparison
) -> What:
    """Whether a frame is another, or whether one is missing or new before it."""
    place = next(i for i, (index, _) in enumerate(recorded) if index == at[0])
    one, other = recorded[place][1], replayed[place][1]
    if len(recorded) > place + 1 and not _differences(recorded[place + 1][1], other, how):
        return What.MISSING
    if len(replayed) > place + 1 and not _differences(one, replayed[place + 1][1], how):
        return What.EXTRA
    return What.CHANGED


def _sorted(
    what: What, one: HandOver, other: HandOver, at: tuple[int, int], fields: tuple[str, ...]
) -> tuple[int, int, Divergence]:
    if what is What.EXTRA:
        return other.time, at[1], Divergence(what=what, recorded=None, replayed=other)
    if what is What.MISSING:
        return one.time, at[0], Divergence(what=what, recorded=one, replayed=None)
    divergence = Divergence(what=what, recorded=one, replayed=other, fields=fields)
    return min(one.time, other.time), at[0], divergence


def _differences(one: HandOver, other: HandOver, how: Comparison) -> list[str]:
    """The names of what differs, times of hand-over apart."""
    found = [
        name
        for name, left, right in (
            ("source", one.source, other.source),
            ("destination", one.destination, other.destination),
        )
        if left != right
    ]
    ours, theirs = one.frame.fields, other.frame.fields
    for key in {**ours, **theirs}:
        if key in IDS or key in MEASURED or key in how.ignore_fields:
            continue
        if key in ours and key in theirs:
            if not _same(ours[key], theirs[key], key, how.tolerance_secs):
                found.append(key)
        elif not key.endswith("_secs"):  # one that is left out is at its default: a time among many
            found.append(key)
    return found


def _same(one: Any, other: Any, key: str, tolerance: float | None) -> bool:
    """Whether two plain values are equal, ids and measurements in them apart."""
    if isinstance(one, dict) and isinstance(other, dict):
        if set(one) == set(other) == {"$opaque"}:
            return bool(_kind_of(one) == _kind_of(other))
        if key in _OPEN:
            return one == other
        left = {k: v for k, v in one.items() if k not in IDS and k not in MEASURED}
        right = {k: v for k, v in other.items() if k not in IDS and k not in MEASURED}
        return set(left) == set(right) and all(
            _same(left[k], right[k], str(k), tolerance) for k in left
        )
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(
            _same(left, right, key, tolerance) for left, right in zip(one, other, strict=True)
        )
    if isinstance(one, int | float) and isinstance(other, int | float):
        if key == "pts" or key.endswith("_secs"):
            allowed = math.inf if tolerance is None else tolerance
            return abs(one - other) <= (allowed * 1e9 if key == "pts" else allowed)
        return math.isclose(one, other, rel_tol=1e-9)
    return type(one) is type(other) and bool(one == other)


def _kind_of(opaque: dict[str, Any]) -> str:
    return str(opaque["$opaque"]).partition(" ")[0].partition("(")[0].strip("<>")


def _time(one: HandOver | None, other: HandOver | None) -> int:
    return min(given.time for given in (one, other) if given is not None)
