"""What a run came to: actual against objective and forecast, step by step, and who did what.

RTO is counted from the loss (for a planned move: from the start of the run) to the step that shows that the
workload is back. RPO is the age of the restored point at the loss; in training steps, the steps to be done
again; in GPU-hours, that age times the workload's GPUs.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from relight.control.critical_path import critical_path, last_step, people_times
from relight.control.improvements import Evidence, improvements_of
from relight.control.report import PersonSaid, Report, StepReport, WorkloadReport
from relight.control.timeline import gates_of, timeline_of
from relight.engine import (
    SUCCEEDED,
    ApprovalGiven,
    AttemptInterrupted,
    AttemptRetried,
    Event,
    LeaseTaken,
    RunState,
)
from relight.plan import Estimate, Expectation, estimate_of
from relight.units import gpu_hours


def report_of(state: RunState, events: Sequence[Event], anchor_trouble: str = "") -> Report:
    """The report of a run from its state and the events that led there.

    `anchor_trouble` says why the witness does not vouch for the end of the record; empty: it does, or nobody
    asked it.
    """
    ended = state.ended
    approvals = [e for e in events if isinstance(e, ApprovalGiven)]
    workloads = tuple(_workload(state, promise) for promise in state.plan.expectations)
    gates = gates_of(events)
    last = last_step(state)
    return Report(
        run=state.run,
        runbook=state.plan.runbook,
        goal=state.plan.goal,
        by=state.by,
        result=ended.result if ended else "running",
        reason=ended.reason if ended else "",
        started_at=state.started_at,
        ended_at=ended.at if ended else None,
        took=_since(state.started_at, ended.at if ended else None),
        forecast=state.plan.forecast,
        workloads=workloads,
        steps=tuple(_step(state, name) for name in state.steps),
        approvals=tuple(
            PersonSaid(at=e.at, identity=e.identity, gate=e.gate, reason=e.reason) for e in approvals
        ),
        refused_requests=tuple(f"{r.identity}: {r.request}: {r.why}" for r in state.refusals),
        controllers=sum(isinstance(e, LeaseTaken) for e in events),
        interruptions=sum(isinstance(e, AttemptInterrupted) for e in events),
        retries=sum(isinstance(e, AttemptRetried) for e in events),
        gates=gates,
        critical_path=critical_path(state, people_times(state, events, gates), last) if last else (),
        timeline=timeline_of(events),
        improve=improvements_of(Evidence(state, events, gates, workloads, anchor_trouble)),
    )


def _workload(state: RunState, promise: Expectation) -> WorkloadReport:
    back = state.steps[promise.back_at]
    is_back = back.status in SUCCEEDED  # a step that a person answered for counts, as the step list says
    began = _began(state, promise)
    rto = _since(began, back.ended_at if is_back else None)
    facts = _facts(state, promise.point_from)
    last_step = _facts(state, promise.last_step_from).get("step", promise.last_step)
    rpo = _rpo(promise, began, facts, last_step)
    resumed = facts.get("step")
    return WorkloadReport(
        workload=promise.workload,
        is_back=is_back,
        rto_objective=promise.rto,
        rto=rto,
        rto_forecast=_from_loss(promise, state.started_at),
        rto_met=rto is not None and rto <= promise.rto,
        rpo_objective=promise.rpo,
        rpo=rpo,
        rpo_steps=max(0, last_step - resumed) if last_step is not None and resumed is not None else None,
        rpo_gpu_hours=None if rpo is None else gpu_hours(promise.gpus, rpo),
        rpo_met=None if rpo is None else rpo <= promise.rpo,
        restored_point=facts.get("id"),
        resumed_from_step=resumed,
        passed_over=tuple(facts.get("passed_over", ())),
    )


def _rpo(
    promise: Expectation, began: datetime, facts: dict[str, Any], last_step: int | None
) -> timedelta | None:
    if "sealed_at" not in facts:
        return None
    if promise.began is None and promise.began_at is None:
        # A planned move: what was drained was all there was, so nothing is lost if that is what came back.
        return timedelta(0) if facts["step"] == last_step else None
    return max(timedelta(0), began - datetime.fromisoformat(facts["sealed_at"]))


def _began(state: RunState, promise: Expectation) -> datetime:
    """When the work was lost: seen, or done by the run itself where the old side still ran, or planned."""
    ended_by = state.steps[promise.began_at].ended_at if promise.began_at else None
    return promise.began or ended_by or state.started_at


def _from_loss(promise: Expectation, started_at: datetime) -> Estimate | None:
    """The forecast, counted from the loss as the actual is."""
    if promise.back is None:
        return None
    passed = started_at - promise.began if promise.began else timedelta(0)
    return Estimate(
        p50=max(timedelta(0), passed + promise.back.p50), p90=max(timedelta(0), passed + promise.back.p90)
    )


def _facts(state: RunState, name: str | None) -> dict[str, Any]:
    return (state.steps[name].facts or {}) if name else {}


def _step(state: RunState, name: str) -> StepReport:
    step = state.steps[name]
    return StepReport(
        step=name,
        title=step.step.title,
        status=step.status.value,
        started_at=step.started_at,
        ended_at=step.ended_at,
        took=_since(step.started_at, step.ended_at),
        forecast=estimate_of(step.step),
        attempts=step.attempt,
        reason=step.reason,
    )


def _since(start: datetime | None, end: datetime | None) -> timedelta | None:
    return None if start is None or end is None else max(timedelta(0), end - start)
