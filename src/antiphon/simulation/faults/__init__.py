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

from antiphon.public_names import PublicNames

_NAMES = {
    "antiphon.simulation.faults.events": "FaultEvent FaultInjectedFrame FaultLog",
    "antiphon.simulation.faults.fault": "Fault FaultVerb",
    "antiphon.simulation.faults.frames": "FrameFaults",
    "antiphon.simulation.faults.plan": "FaultPlan Injection",
    "antiphon.simulation.faults.streams": "faulty",
    "antiphon.simulation.faults.when": "Striker When",
}

_public = PublicNames(__name__, _NAMES, globals())
__all__ = _public.names
__getattr__, __dir__ = _public.get, _public.all
