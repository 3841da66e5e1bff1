"""RPO as it stands: what would be lost if a workload's site died now, or is lost since it did.

Counted from sealed points that can be seen now, in stores that do not die with the site; never from a
schedule. A point that only the site's own store holds saves nobody from losing that site.
"""

from __future__ import annotations

from datetime import datetime

from relight.canonical import Frozen
from relight.estate import Estate
from relight.situation import Known, PointSummary, Situation, Unknown
from relight.units import Duration, gpu_hours


class Exposure(Frozen):
    """What one workload stands to lose; `age` is None where no surviving point can be seen, `reason` why."""

    workload: str
    objective: Duration
    counted_to: datetime  # now, or the last time that its site was seen up
    store: str | None = None  # where the newest surviving point is
    point: PointSummary | None = None
    age: Duration | None = None
    steps: int | None = None  # training steps since that point, as observers last saw them
    gpu_hours: float | None = None
    is_met: bool = False
    reason: str = ""


def exposures(estate: Estate, situation: Situation) -> tuple[Exposure, ...]:
    """What every workload that writes points stands to lose, in the estate's order."""
    return tuple(_exposure(estate, situation, name) for name, w in estate.workloads.items() if w.writes)


def _exposure(estate: Estate, situation: Situation, name: str) -> Exposure:
    workload = estate.workloads[name]
    objective = workload.objective.rpo
    site = situation.active_site(estate, name)
    seen = situation.sites.get(site) if site else None
    until = (seen.lost_since() if seen else None) or situation.now
    stores = [store for store in workload.writes if site is None or estate.stores[store].site != site]
    found = [(point, store) for store in stores for point in situation.workloads[name].points_in(store)]
    if not found:
        reason = _why_none(situation, name, site, stores)
        return Exposure(workload=name, objective=objective, counted_to=until, reason=reason)
    point, store = max(found, key=lambda pair: (pair[0].epoch, pair[0].step))
    age = max(until - point.sealed_at, until - until)
    last_step = seen.last_step(name) if seen else None
    return Exposure(
        workload=name,
        objective=objective,
        counted_to=until,
        store=store,
        point=point,
        age=age,
        steps=None if last_step is None else max(0, last_step - point.step),
        gpu_hours=gpu_hours(workload.gpus, age),
        is_met=age <= objective,
    )


def _why_none(situation: Situation, name: str, site: str | None, stores: list[str]) -> str:
    if not stores:
        return f"every store of its points dies with {site}"
    points = situation.workloads[name].points
    unseen = Unknown(reason="not asked")
    silent = [
        f"{store}: {seen.reason}"
        for store in stores
        if not isinstance(seen := points.get(store, unseen), Known)
    ]
    return "; ".join(silent) or f"no point in {', '.join(stores)}"
