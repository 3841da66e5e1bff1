"""Answering what people ask of a run: a request becomes the event that they wanted, or a refusal, recorded.

Pure: whether a person may, and whether a signature holds, is asked of `why_not` (empty: believed).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from relight.canonical import canonical_json
from relight.engine.events import (
    EVENT,
    AbortAsked,
    ApprovalGiven,
    Event,
    GateRefused,
    RequestRefused,
    RetryAsked,
    RunContinued,
    RunPaused,
    StepSkipped,
)
from relight.engine.journal import Request
from relight.engine.state import RunState
from relight.engine.steps import SETTLED, UNDO, Status
from relight.plan import Catalogue, Gather, Ref

Judge = Callable[[Request, RunState], str]
"""Why a request is not to be believed; empty: it is."""

_RETRIABLE = (Status.FAILED, Status.RETRYING)


class _RefusedError(Exception):
    """Why a request changes nothing."""


def answer(request: Request, state: RunState, now: datetime, catalogue: Catalogue, why_not: Judge) -> Event:
    """The event that a request comes to."""
    what = " ".join(filter(None, (request.kind, request.body.get("gate") or request.body.get("step"))))
    if request.kind not in _ANSWERS:
        why = f"this version does not know how to {request.kind}"
    elif not (why := why_not(request, state)):
        try:
            event = _ANSWERS[request.kind](request, state, now, catalogue)
        except _RefusedError as refused:
            why = str(refused)
        except (ValueError, RecursionError) as error:
            why = f"it cannot be read: {type(error).__name__}"
        else:
            if not (why := unrecordable(event)):
                return event
    return RequestRefused(at=now, identity=request.identity, request=what, why=why)


def unrecordable(event: Event) -> str:
    """Why an event could not be written and read back; empty: it can."""
    try:
        EVENT.validate_json(canonical_json(event.model_dump(mode="json")))
    except (ValueError, RecursionError) as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'too deep'}"
    return ""


def _approve(request: Request, state: RunState, now: datetime, _catalogue: Catalogue) -> Event:
    given = ApprovalGiven(at=now, **_gate_answer(request, state))
    counted = state.gates[given.gate].approvals
    if given.identity in counted:
        raise _RefusedError(f"{given.identity} has approved already, and counts once")
    for other in counted.values():
        if given.key and other.key == given.key:
            raise _RefusedError(f"its key has approved already, as {other.identity}: one key is one person")
    return given


def _refuse(request: Request, state: RunState, now: datetime, _catalogue: Catalogue) -> Event:
    return GateRefused(at=now, **_gate_answer(request, state))


def _gate_answer(request: Request, state: RunState) -> dict[str, Any]:
    body = request.body
    gate, digest = body.get("gate", ""), body.get("digest", "")
    if gate not in state.gates:
        raise _RefusedError(f"there is no gate {gate!r}")
    if state.gates[gate].refused_by:
        raise _RefusedError(f"{state.gates[gate].refused_by} said no to it already")
    if state.gates[gate].is_open:
        raise _RefusedError("it is open already: what stood behind it may have happened")
    if state.aborted and not gate.startswith(f"again:{UNDO}"):
        raise _RefusedError(f"the run was aborted by {state.aborted.identity}")
    if digest != state.plan.digest:
        raise _RefusedError(f"it was given for {digest or 'no plan'}, and the plan is {state.plan.digest}")
    evidence = {name: body[name] for name in ("statement", "signature") if name in body}
    return {
        "gate": gate,
        "identity": request.identity,
        "reason": body.get("reason", ""),
        "digest": digest,
        "key": body.get("key", ""),
        "evidence": evidence,
    }


def _pause(request: Request, state: RunState, now: datetime, _catalogue: Catalogue) -> Event:
    if state.paused:
        raise _RefusedError(f"it is paused already, by {state.paused.identity}")
    return RunPaused(at=now, identity=request.identity, reason=request.body.get("reason", ""))


def _continue(request: Request, state: RunState, now: datetime, _catalogue: Catalogue) -> Event:
    if not state.paused:
        raise _RefusedError("it is not paused")
    return RunContinued(at=now, identity=request.identity, reason=request.body.get("reason", ""))


def _retry(request: Request, state: RunState, now: datetime, _catalogue: Catalogue) -> Event:
    step = _step(request, state)
    if state.steps[step].status not in _RETRIABLE:
        raise _RefusedError(
            f"{step} is {state.steps[step].status}; what failed or waits for its retry can be"
        )
    return RetryAsked(at=now, step=step, identity=request.identity, reason=request.body.get("reason", ""))


def _skip(request: Request, state: RunState, now: datetime, catalogue: Catalogue) -> Event:
    step = _step(request, state)
    status = state.steps[step].status
    if status in SETTLED and status not in (Status.FAILED, Status.BLOCKED):
        raise _RefusedError(f"{step} is {status} already")
    if state.steps[step].step.spec.proof:
        raise _RefusedError(f"{step} proves that the old side stops writing, which nobody can answer for")
    gate = state.gates.get(step)
    if gate and not gate.is_open:
        raise _RefusedError(f"people must first say yes at its gate ({gate.identities} of them)")
    if state.unmet_overrides:
        raise _RefusedError(f"people must first sign {', '.join(state.unmet_overrides)}")
    if not request.body.get("reason", "").strip():
        raise _RefusedError("a skip needs a reason")
    facts = _facts(request, state, step, catalogue)
    reason = request.body["reason"]
    return StepSkipped(at=now, step=step, identity=request.identity, reason=reason, facts=facts)


def _facts(request: Request, state: RunState, step: str, catalogue: Catalogue) -> dict[str, Any]:
    """The facts that a person gives for a step, checked as a handler's would be.

    They may be left out where no later step refers to them.
    """
    try:
        given = json.loads(request.body.get("facts") or "{}")
    except ValueError as error:
        raise _RefusedError(f"the facts are not JSON: {error}") from None
    wanted = _referred(state, step)
    if not given and not wanted:
        return {}
    kind = state.steps[step].step.spec.kind
    try:
        return catalogue.decode_facts(kind, given).model_dump(mode="json")
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        needs = f" ({', '.join(sorted(wanted))} is what later steps refer to)" if wanted else ""
        raise _RefusedError(f"the facts of {step} do not fit{needs}: {faults}") from None


def _referred(state: RunState, step: str) -> set[str]:
    """The facts of a step that specs of other steps refer to."""
    found: set[str] = set()
    for other in state.steps.values():
        for field in type(other.step.spec).model_fields:
            value = getattr(other.step.spec, field)
            if (isinstance(value, Ref) and value.ref == step) or (
                isinstance(value, Gather) and step in value.gather
            ):
                found.add(value.fact)
    return found


def _abort(request: Request, state: RunState, now: datetime, _catalogue: Catalogue) -> Event:
    if state.aborted:
        raise _RefusedError(f"it was aborted already, by {state.aborted.identity}")
    if not request.body.get("reason", "").strip():
        raise _RefusedError("an abort needs a reason")
    undo = request.body.get("undo") == "yes"
    return AbortAsked(at=now, identity=request.identity, reason=request.body["reason"], undo=undo)


def _step(request: Request, state: RunState) -> str:
    step = request.body.get("step", "")
    if step not in state.steps:
        raise _RefusedError(f"there is no step {step!r}")
    if state.aborted and not step.startswith(UNDO):
        raise _RefusedError("the run was aborted; only what undoes it can still be changed")
    return step


_ANSWERS: Mapping[str, Callable[[Request, RunState, datetime, Catalogue], Event]] = {
    "abort": _abort,
    "approve": _approve,
    "continue": _continue,
    "pause": _pause,
    "refuse": _refuse,
    "retry": _retry,
    "skip": _skip,
}
REQUESTS = tuple(_ANSWERS)
"""Every kind of request that a run answers."""
