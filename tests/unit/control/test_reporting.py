"""Reports: actual against objective, from the events alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from relight.control import WorkloadReport, report_of
from relight.engine import AttemptDone, AttemptFailed, AttemptStarted, Event, RunEnded, RunStarted, RunState
from relight.plan import Expectation, Spec, Step
from relight.vault import Rehydrate
from rig.kinds import Behave, plan_of

LOST_AT = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


class _Rehydrate(Rehydrate):
    kind: ClassVar[str] = "rig.rehydrate"


def after(seconds: float) -> datetime:
    return LOST_AT + timedelta(seconds=seconds)


def reported(events: list[Event], **expected: Any) -> WorkloadReport:
    rehydrate: Spec = _Rehydrate(workload="digits", store="s", folder="/d", floor="f", max_epoch=1)
    promise: dict[str, Any] = {
        "workload": "digits",
        "rpo": timedelta(seconds=60),
        "rto": timedelta(seconds=100),
        "began": LOST_AT,
        "back_at": "verify",
        "point_from": "rehydrate",
        "last_step": 130,
        "gpus": 16,
    } | expected
    plan = plan_of(
        Step(id="rehydrate", title="r", spec=rehydrate),
        Step(id="verify", title="v", spec=Behave(), after=("rehydrate",)),
        expectations=(Expectation(**promise),),
    )
    started = RunStarted(at=after(20), run="r1", by="ann", digest=plan.digest, plan={})
    state = RunState("r1", plan, started)
    for event in events:
        state.apply(event)
    (workload,) = report_of(state, [started, *events]).workloads
    return workload


def restored(sealed: float, step: int = 120, **facts: Any) -> list[Event]:
    found = {"id": "digits-e0001-s00000120", "step": step, "sealed_at": after(sealed).isoformat()} | facts
    return [
        AttemptStarted(at=after(21), step="rehydrate", attempt=1),
        AttemptDone(at=after(30), step="rehydrate", attempt=1, facts=found),
    ]


def back(at: float) -> list[Event]:
    return [
        AttemptStarted(at=after(31), step="verify", attempt=1),
        AttemptDone(at=after(at), step="verify", attempt=1, facts={}),
        RunEnded(at=after(at), result="done"),
    ]


def test_rto_counts_from_the_loss_and_rpo_is_the_age_of_the_restored_point() -> None:
    workload = reported(restored(-36) + back(50))
    assert workload.rto == timedelta(seconds=50)
    assert workload.rpo == timedelta(seconds=36)
    assert workload.rpo_steps == 10
    assert workload.rpo_gpu_hours == 16 * 36 / 3600
    assert workload.rto_met
    assert workload.rpo_met
    assert workload.resumed_from_step == 120


def test_a_missed_objective_is_said() -> None:
    workload = reported(restored(-61) + back(101))
    assert not workload.rto_met
    assert workload.rpo_met is False


def test_what_did_not_come_back_has_no_rto_and_misses_it() -> None:
    failed = AttemptFailed(at=after(40), step="verify", attempt=1, reason="losses differ")
    events = [*restored(-10), AttemptStarted(at=after(31), step="verify", attempt=1), failed]
    workload = reported(events)
    assert not workload.is_back
    assert workload.rto is None
    assert not workload.rto_met


def test_a_planned_move_loses_nothing_if_what_was_drained_came_back() -> None:
    assert reported(restored(5, step=130) + back(50), began=None).rpo == timedelta(0)
    assert reported(restored(5, step=120) + back(50), began=None).rpo is None


def test_a_point_that_was_passed_over_is_reported_and_the_rpo_is_of_the_one_restored() -> None:
    workload = reported(
        restored(-50, step=90, passed_over=("digits-e0001-s00000120: digest differs",)) + back(60)
    )
    assert workload.rpo == timedelta(seconds=50)
    assert workload.rpo_steps == 40
    assert workload.passed_over == ("digits-e0001-s00000120: digest differs",)
