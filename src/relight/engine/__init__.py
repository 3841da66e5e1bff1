"""Carrying plans out: events, their fold, what follows from it, and the loop that makes it so.

Only the holder of a run's lease appends events; everyone else inserts requests. `Driver.drive` may be killed
at any instant and called again.
"""

from relight.engine.decide import decide, recorded
from relight.engine.driver import LEASE, Driver, Listener, Surroundings
from relight.engine.events import (
    ApprovalGiven,
    AttemptDone,
    AttemptFailed,
    AttemptInterrupted,
    AttemptProgressed,
    AttemptRetried,
    AttemptStarted,
    ClaimsTaken,
    Event,
    GateReached,
    LeaseTaken,
    RequestRefused,
    RunEnded,
    RunStarted,
    StepBlocked,
    StepLetGo,
)
from relight.engine.executor import ThreadExecutor
from relight.engine.holder import is_gone, this_holder
from relight.engine.journal import GENESIS, Entry, Journal, Request, RunRow, chained
from relight.engine.ports import Anchors, Call, Claims, Executor, Processes
from relight.engine.state import SETTLED, GateState, RunState, Status, StepState, begin, fold

__all__ = [
    "GENESIS",
    "LEASE",
    "SETTLED",
    "Anchors",
    "ApprovalGiven",
    "AttemptDone",
    "AttemptFailed",
    "AttemptInterrupted",
    "AttemptProgressed",
    "AttemptRetried",
    "AttemptStarted",
    "Call",
    "Claims",
    "ClaimsTaken",
    "Driver",
    "Entry",
    "Event",
    "Executor",
    "GateReached",
    "GateState",
    "Journal",
    "LeaseTaken",
    "Listener",
    "Processes",
    "Request",
    "RequestRefused",
    "RunEnded",
    "RunRow",
    "RunStarted",
    "RunState",
    "Status",
    "StepBlocked",
    "StepLetGo",
    "StepState",
    "Surroundings",
    "ThreadExecutor",
    "begin",
    "chained",
    "decide",
    "fold",
    "is_gone",
    "recorded",
    "this_holder",
]
