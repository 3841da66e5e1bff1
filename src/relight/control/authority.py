"""Who may ask what of a run, and whether they are who they say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from relight.approval import Decision, Judge
from relight.engine import Request, RunState
from relight.estate import Estate

_ANYONE = frozenset({"pause"})
"""Holding a run does no harm, and whoever sees the fire first should not have to look for a name."""
_DECISIONS: dict[str, Decision] = {"approve": "approve", "refuse": "refuse"}


def why_not(
    estate: Estate, judge: Judge, redact: Callable[[str], str], request: Request, state: RunState
) -> str:
    """Why a request is not to be followed; empty: it is.

    The estate's approvers may ask anything; where it names none, anyone who can run the command may. People
    that a gate was escalated to may answer that gate. Answers to gates are signed where the estate says so.
    """
    who = request.identity
    if decision := _DECISIONS.get(request.kind):
        gate = state.gates.get(request.body.get("gate", ""))
        also = gate.gate.escalate_to if gate and gate.escalated_at else ()
        statement = request.body.get("statement", "")
        if redact(statement) != statement:
            return "its reason holds a secret, which must not be recorded: sign another reason"
        return judge.why_not(
            state.run,
            state.plan.digest,
            who,
            request.body,
            datetime.now(UTC),
            decision=decision,
            taken=state.statements,
            also=also,
        )
    if not estate.approvers or who in estate.approvers or request.kind in _ANYONE:
        return ""
    return f"{who} is not among the estate's approvers ({', '.join(estate.approvers)})"
