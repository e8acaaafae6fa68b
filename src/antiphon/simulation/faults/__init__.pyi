# Generated from __init__.py by scripts/stub.py.

from antiphon.public_names import PublicNames
from antiphon.simulation.faults.events import FaultEvent as FaultEvent
from antiphon.simulation.faults.events import FaultInjectedFrame as FaultInjectedFrame
from antiphon.simulation.faults.events import FaultLog as FaultLog
from antiphon.simulation.faults.fault import Fault as Fault
from antiphon.simulation.faults.fault import FaultVerb as FaultVerb
from antiphon.simulation.faults.frames import FrameFaults as FrameFaults
from antiphon.simulation.faults.plan import FaultPlan as FaultPlan
from antiphon.simulation.faults.plan import Injection as Injection
from antiphon.simulation.faults.streams import faulty as faulty
from antiphon.simulation.faults.when import Striker as Striker
from antiphon.simulation.faults.when import When as When

_public: PublicNames
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
