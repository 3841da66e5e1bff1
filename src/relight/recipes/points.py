"""Which recovery points a plan may restore, and what it costs to restore them."""

from __future__ import annotations

from datetime import datetime

from relight.estate import Estate
from relight.plan import Finding
from relight.situation import Known, PointSummary, Situation
from relight.units import format_duration


def floor_of(points: tuple[PointSummary, ...], began: datetime, rpo_seconds: float) -> PointSummary | None:
    """The oldest point that still meets the objective; if none does, the newest; if there are none, None.

    Whatever is restored at or above the floor was agreed to with the plan, so that a newest point that turns
    out broken costs no second question as long as the objective holds.
    """
    meeting = [point for point in points if (began - point.sealed_at).total_seconds() <= rpo_seconds]
    return meeting[0] if meeting else (points[-1] if points else None)


def point_findings(
    estate: Estate, situation: Situation, workload: str, store: str, began: datetime
) -> list[Finding]:
    """What there is to say about the points of a workload that a store holds."""
    seen = situation.workloads[workload].points.get(store)
    objective = estate.workloads[workload].objective
    if not isinstance(seen, Known):
        reason = seen.reason if seen else "it was not asked"
        return [_block("points-unknown", workload, f"the points in store {store} cannot be seen: {reason}")]
    if not seen.value:
        return [_block("no-point", workload, f"store {store} holds no recovery point of {workload}")]
    newest = seen.value[-1]
    age = began - newest.sealed_at
    if age > objective.rpo:
        return [
            Finding(
                strength="override",
                code="rpo-missed",
                subject=workload,
                message=f"the newest point of {workload} ({newest.id}) was sealed {format_duration(age)} "
                f"before the loss; the objective is {format_duration(objective.rpo)}",
                remedy="look for a newer point in another store first",
            )
        ]
    return [
        Finding(
            strength="note",
            code="point",
            subject=workload,
            message=f"{workload} goes on from {newest.id} (step {newest.step}) or newer, sealed "
            f"{format_duration(max(age, age * 0))} before the loss",
        )
    ]


def _block(code: str, subject: str, message: str) -> Finding:
    remedy = "replicate a point there, or restore from another store"
    return Finding(strength="block", code=code, subject=subject, message=message, remedy=remedy)
