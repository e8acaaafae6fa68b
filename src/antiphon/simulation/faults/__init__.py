"""Things that go wrong, on purpose: around any provider, processor, tool, network or machine.

    plan = FaultPlan.of({
        "stt": {"delay": 2.0, "after": 3},          # from the fourth transcript on, 2 s late
        "llm": {"error_once": "server"},
        "tts": [{"drop": 0.1}, {"error": "connectivity", "every": 5}],
        "tools.weather": {"hang": True},
        "input": {"drop": 0.05},                    # the caller's sound is lossy
        "into.Shout": {"duplicate": 0.1, "frames": ["TextFrame"]},
        "network": {"latency_secs": 0.2, "loss": 0.02},
        "loop": {"stall": 0.5, "every": 10},
    })
    injection = plan.inject(task)

A plan maps targets to faults, each of which has one verb and conditions. By themselves there are
`faulty(provider, {...})` and the processor `FrameFaults({...})`. Whatever is random about them
comes from the loop's seed. `when` decides, the others act.
"""

from __future__ import annotations

from antiphon.simulation.faults.events import FaultEvent, FaultInjectedFrame, FaultLog
from antiphon.simulation.faults.fault import Fault, FaultVerb
from antiphon.simulation.faults.frames import FrameFaults
from antiphon.simulation.faults.plan import FaultPlan, Injection
from antiphon.simulation.faults.streams import faulty
from antiphon.simulation.faults.when import Striker, When

__all__ = [
    "Fault",
    "FaultEvent",
    "FaultInjectedFrame",
    "FaultLog",
    "FaultPlan",
    "FaultVerb",
    "FrameFaults",
    "Injection",
    "Striker",
    "When",
    "faulty",
]
