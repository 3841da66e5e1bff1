"""How gates are said to the people who are to answer them."""

from __future__ import annotations

import shlex
from datetime import datetime

from relight.cli.wording import brief, clock
from relight.engine import SETTLED, GateState, RunState


def people(number: int) -> str:
    """How many people: "one person", "2 different people"."""
    return "one person" if number == 1 else f"{number} different people"


def approve_command(run: str, gate: str) -> str:
    """What a person types to approve a gate."""
    return f'relight approve {run} {shlex.quote(gate)} --as NAME --reason "…"'


def refuse_command(run: str, gate: str) -> str:
    """What a person types to say no to a gate."""
    return f'relight refuse {run} {shlex.quote(gate)} --as NAME --reason "…"'


def open_gates(state: RunState) -> dict[str, GateState]:
    """The gates that an answer still does something to; safe beside the thread that drives the run."""
    return {name: gate for name, gate in list(state.gates.items()) if _is_asked(state, name, gate)}


def _is_asked(state: RunState, name: str, gate: GateState) -> bool:
    if state.ended or gate.reached_at is None or gate.is_open or gate.refused_by:
        return False
    step = state.steps.get(name.removeprefix("again:"))
    if step is None:
        return not state.aborted  # of the whole run, or of a window
    return step.status not in SETTLED


def still_missing(gate: GateState) -> str:
    """Who must still sign: "one person must still sign"; empty if nobody must."""
    missing = gate.identities - len(gate.approvals)
    return f"{people(missing)} must still sign" if missing > 0 else ""


def signed_by(gate: GateState) -> str:
    """Who has signed so far: "1 of 2 signed: ann"."""
    names = ", ".join(list(gate.approvals))
    return f"{len(gate.approvals)} of {gate.identities} signed{': ' + names if names else ''}"


def limits_of(gate: GateState, now: datetime) -> tuple[str, ...]:
    """What happens, or has happened, because nobody answers: a line each."""
    told, limits = [], gate.gate
    called = ", ".join(limits.escalate_to) or "nobody further"
    if gate.escalated_at:
        told.append(f"{called} called at {clock(gate.escalated_at)}, {brief(now - gate.escalated_at)} ago")
    elif gate.reached_at and limits.escalate_after is not None:
        told.append(f"{called} called {_when(gate.reached_at + limits.escalate_after, now)}")
    if gate.reached_at and limits.expire_after is not None:
        meaning = "approved" if limits.fallback == "approve" else "refused"
        told.append(
            f"without an answer it counts as {meaning} {_when(gate.reached_at + limits.expire_after, now)}"
        )
    return tuple(told)


def _when(at: datetime, now: datetime) -> str:
    if at <= now:
        return f"at once, when the run is driven (it was due at {clock(at)})"
    return f"at {clock(at)}, in {brief(at - now)}"
