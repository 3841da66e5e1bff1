"""What a run does next: a function of its state and of the room there is.

`decide` reads the queues of a state to which the time has been told (`pass_time`) and returns events for the
driver to make durable; an `AttemptStarted` among them is then dispatched. Applied and decided again, it
returns what became possible by that, and in the end nothing: the driver loops until then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import datetime, timedelta
from itertools import islice

from relight.engine.events import (
    AttemptDone,
    AttemptFailed,
    AttemptProgressed,
    AttemptRetried,
    AttemptStarted,
    Event,
    GateEscalated,
    GateExpired,
    GateReached,
    GateRefused,
    GroupOpened,
    RunEnded,
    RunStuck,
    StepBlocked,
    StepLetGo,
)
from relight.engine.state import RunState
from relight.engine.steps import SETTLED, SUCCEEDED, UNDO, GateState, Status, StepState
from relight.plan import Done, Failed, Outcome, Retry, Working
from relight.units import format_duration

_MOST_NAMED = 20  # steps that one event names


def decide(state: RunState, now: datetime, room: int, busy: Collection[str] = ()) -> list[Event]:
    """The next events. `room`: attempts that may start; `busy`: steps whose last call has not returned."""
    if state.ended:
        return []
    if state.refused:
        return [*_let_go(state, now), RunEnded(at=now, result="refused", reason=_refusal(state.refused))]
    events: list[Event] = [_timed_out(state, name, now) for name in state.overdue]
    events += [StepBlocked(at=now, step=name, reason=_why_blocked(state, name)) for name in state.impossible]
    events += [_question(state, name, now) for name in state.unannounced]
    events += [event for name in state.gates_due if (event := _unanswered(state.gates[name], name, now))]
    if not state.unmet_overrides and not state.paused:
        events += _next_groups(state, now)
        events += _starts(state, now, room, busy)
    return events or _conclusion(state, now)


def _conclusion(state: RunState, now: datetime) -> list[Event]:
    """The end, when nothing is needed any more; or that people are needed, where a failure stands."""
    if state.paused or state.stuck:
        return []
    if state.needed_open:
        # Nothing runs, nothing is due and nobody is asked: say so instead of waiting for ever.
        startable = any(state.ready.values())
        idle = not (startable or state.running or state.waiting_gates or state.wake_at())
        open_steps = (name for name, step in state.steps.items() if step.status not in SETTLED)
        return [RunStuck(at=now, steps=tuple(islice(open_steps, _MOST_NAMED)))] if idle else []
    end = _end(state, now)
    undo_failed = any(name.startswith(UNDO) for name in state.failed)
    if (end.result == "failed" or undo_failed) and state.plan.when_stuck == "ask":
        dead = state.failed or [n for n, step in state.steps.items() if step.status is Status.BLOCKED]
        return [RunStuck(at=now, steps=tuple(islice(dead, _MOST_NAMED)))]
    return [*_let_go(state, now), end]


def recorded(outcome: Outcome, state: StepState, run: str, now: datetime) -> Event:
    """The event that an outcome of the current attempt becomes."""
    name, attempt = state.step.id, state.attempt
    match outcome:
        case Done():
            return AttemptDone(
                at=now, step=name, attempt=attempt, facts=outcome.facts.model_dump(mode="json")
            )
        case Working():
            return AttemptProgressed(at=now, step=name, attempt=attempt, progress=outcome.progress)
        case Failed():
            return AttemptFailed(
                at=now, step=name, attempt=attempt, reason=outcome.reason, remedy=outcome.remedy
            )
        case Retry():
            policy = state.step.retry
            if state.failures + 1 >= policy.attempts:
                tries = f" (try {state.failures + 1} of {policy.attempts})" if policy.attempts > 1 else ""
                return AttemptFailed(at=now, step=name, attempt=attempt, reason=outcome.reason + tries)
            delay = backoff(state, run) if outcome.delay is None else outcome.delay
            return AttemptRetried(
                at=now, step=name, attempt=attempt, reason=outcome.reason, not_before=now + delay
            )


def backoff(state: StepState, run: str) -> timedelta:
    """The wait before the next try: exponential, and half of it jitter.

    The jitter comes from run, step and attempt, so that the decision can be replayed while a thousand steps
    that failed together still spread out.
    """
    policy = state.step.retry
    grown = policy.first * min(
        policy.factor**state.failures, policy.longest / policy.first if policy.first else 1
    )
    seed = hashlib.sha256(f"{run}/{state.step.id}/{state.attempt}".encode()).digest()
    return grown * (0.5 + 0.5 * int.from_bytes(seed[:4]) / 2**32)


def _timed_out(state: RunState, name: str, now: datetime) -> Event:
    step = state.steps[name]
    return recorded(Retry(f"timed out after {format_duration(step.step.timeout)}"), step, state.run, now)


def _question(state: RunState, name: str, now: datetime) -> Event:
    gate = state.gates[name]
    return GateReached(at=now, gate=name, question=gate.question, identities=gate.identities)


def _unanswered(gate: GateState, name: str, now: datetime) -> Event | None:
    """What follows from nobody having answered a gate until now."""
    limits, reached = gate.gate, gate.reached_at or now
    if limits.expire_after is not None and now - reached >= limits.expire_after:
        return GateExpired(at=now, gate=name, fallback=limits.fallback)
    if limits.escalate_after is not None and gate.escalated_at is None:
        return GateEscalated(at=now, gate=name, to=limits.escalate_to)
    return None


def _next_groups(state: RunState, now: datetime) -> list[Event]:
    events: list[Event] = []
    for name, window in state.windows.items():
        groups = islice(window.waiting, window.room)
        events += [GroupOpened(at=now, window=name, group=group) for group in groups]
        if window.is_closed:
            reason = f"people said no to going on with window {name}"
            held = (step for steps in window.waiting.values() for step in steps)
            events += [StepBlocked(at=now, step=step, reason=reason) for step in held]
    return events


def _starts(state: RunState, now: datetime, room: int, busy: Collection[str]) -> list[Event]:
    events: list[Event] = []
    for lane, ready in state.ready.items():
        free = room - len(events)
        if lane is not None:
            free = min(free, state.plan.lanes[lane] - state.lanes_used[lane])
        if free <= 0:
            continue
        # What undoes a step waits until that step's last call has returned, as its next try would.
        startable = (name for name in ready if name not in busy and name.removeprefix(UNDO) not in busy)
        names = islice(startable, free)
        events += [AttemptStarted(at=now, step=name, attempt=state.steps[name].attempt + 1) for name in names]
    return events


def _refusal(refused: GateRefused | GateExpired) -> str:
    if isinstance(refused, GateExpired):
        return f"nobody answered {refused.gate} in time"
    return f"{refused.identity} said no to {refused.gate}: {refused.reason}"


def _why_blocked(state: RunState, name: str) -> str:
    dead = [
        before for before in state.steps[name].step.after if state.steps[before].status in SETTLED - SUCCEEDED
    ]
    shown = ", ".join(dead[:5]) + (f" and {len(dead) - 5} more" if len(dead) > 5 else "")
    needed = state.steps[name].step.needed
    return f"needs {needed} of {len(state.steps[name].step.after)} steps, and {shown} did not succeed"


def _let_go(state: RunState, now: datetime) -> list[Event]:
    return [
        StepLetGo(at=now, step=name, reason=f"was {step.status.value}; nothing waits for it any more")
        for name, step in state.steps.items()
        if step.status not in SETTLED
    ]


def _end(state: RunState, now: datetime) -> RunEnded:
    failed = "; ".join(f"{name}: {state.steps[name].reason}" for name in list(state.failed)[:3])
    if state.aborted:
        reason = f"aborted by {state.aborted.identity}: {state.aborted.reason}"
        return RunEnded(at=now, result="aborted", reason=f"{reason}; {failed}" if failed else reason)
    missed = [
        name
        for name, followers in state.after.items()
        if not followers and state.steps[name].status not in SUCCEEDED
    ]
    if not missed:
        return RunEnded(at=now, result="done")
    return RunEnded(at=now, result="failed", reason=failed or f"{', '.join(missed[:3])} did not happen")
