"""Who may ask what of a run."""

from __future__ import annotations

from relight.engine import Request, RunState
from relight.estate import Estate

_ANYONE = frozenset({"pause"})
"""Holding a run does no harm, and whoever sees the fire first should not have to look for a name."""


def why_not(estate: Estate, request: Request, state: RunState) -> str:
    """Why a request is not to be followed; empty: it is.

    The estate's approvers may ask anything; where it names none, anyone who can run the command may. People
    that a gate was escalated to may answer that gate.
    """
    who = request.identity
    if not estate.approvers or who in estate.approvers or request.kind in _ANYONE:
        return ""
    gate = state.gates.get(request.body.get("gate", ""))
    if gate and gate.escalated_at and who in gate.gate.escalate_to:
        return ""
    return f"{who} is not among the estate's approvers ({', '.join(estate.approvers)})"
