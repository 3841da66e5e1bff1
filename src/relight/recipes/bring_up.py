"""Bringing workloads up at a site: room, bytes, start, proof."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from relight.estate import Estate
from relight.plan import Estimate, Finding, Input, Irreversible, Ref, RetryPolicy, Step
from relight.situation import Known, Situation
from relight.vault import Rehydrate
from relight.workload import MakeRoom, Start, Stop, VerifyTraining

_PATIENT = RetryPolicy(attempts=8, first=timedelta(seconds=0.5), longest=timedelta(seconds=10))


@dataclass(frozen=True)
class BringUp:
    """How one workload comes up: what its start waits for, and what it starts from."""

    workload: str
    after: tuple[str, ...]
    epoch: Input[int]
    floor: Input[str] | None = None  # writers: the oldest point that may be restored
    max_epoch: int = 0


def make_room(
    estate: Estate,
    situation: Situation,
    site: str,
    names: tuple[str, ...],
    *,
    after: tuple[str, ...],
    growing: int = 0,
) -> tuple[Step, list[Finding]]:
    """One step that frees the GPUs for `names`, and what is known about whether that can work.

    `growing` are GPUs that other steps add to the site before.
    """
    gpus = sum(estate.workloads[name].gpus for name in names)
    priority = min(estate.workloads[name].priority for name in names)
    yielding = {
        name: workload
        for name, workload in estate.workloads_at(site).items()
        if workload.may_be_stopped and workload.priority < priority and name not in names
    }
    order = sorted(yielding, key=lambda name: (yielding[name].priority, name))
    step = Step(
        id="make-room",
        title=f"make room for {gpus} GPUs at {site}",
        spec=MakeRoom(site=site, gpus=gpus, may_stop=tuple(order)),
        undo=Irreversible("what was stopped to make room is not started again: start it where it is wanted"),
        after=after,
        retry=_PATIENT,
    )
    return step, _room_findings(
        situation, site, gpus - growing, sum(w.gpus for w in yielding.values()), order
    )


def _room_findings(
    situation: Situation, site: str, gpus: int, could_be_freed: int, order: list[str]
) -> list[Finding]:
    free = situation.sites[site].free_gpus
    if not isinstance(free, Known):
        message = f"how many GPUs are free at {site} cannot be seen: {free.reason}"
        remedy = f"is {site} up, and its control plane reachable from here?"
        return [
            Finding(strength="warning", code="room-unknown", subject=site, message=message, remedy=remedy)
        ]
    if free.value + could_be_freed < gpus:
        message = f"{site} has {free.value} GPUs free and may free {could_be_freed} more; {gpus} are needed"
        remedy = "let more workloads there be stopped, or add nodes"
        return [Finding(strength="block", code="no-room", subject=site, message=message, remedy=remedy)]
    if free.value < gpus:
        message = f"to make room at {site}, {', '.join(order)} will be stopped as far as needed"
        return [Finding(strength="warning", code="stops-work", subject=site, message=message)]
    return []


def bring_up(estate: Estate, situation: Situation, site: str, wanted: BringUp) -> list[Step]:
    """Steps that bring one workload up at a site; the last of them shows that it is back.

    A workload that writes is rehydrated from the site's own store, started from the point and, when it
    trains, proven to go on from there. One that reads another's points is started from what that one
    rehydrated, so it must come after it.
    """
    workload = estate.workloads[wanted.workload]
    steps: list[Step] = []
    source = wanted.workload if workload.writes else workload.reads
    if workload.writes and wanted.floor is not None:
        steps.append(_rehydrate(estate, situation, site, wanted))
    restored = f"rehydrate-{source}"
    start = Step(
        id=f"start-{wanted.workload}",
        title=f"start {wanted.workload} at {site}",
        spec=Start(
            site=site,
            workload=wanted.workload,
            gpus=workload.gpus,
            epoch=wanted.epoch,
            point=Ref(restored, "id") if source else None,
            folder=Ref(restored, "folder") if source else None,
        ),
        undo=Stop(site=site, workload=wanted.workload),
        after=(*dict.fromkeys((*wanted.after, *((restored,) if source else ()))),),
        retry=_PATIENT,
    )
    steps.append(start)
    if workload.kind == "training" and workload.writes:
        steps.append(_verify(site, wanted.workload, start.id, restored))
    return steps


def _rehydrate(estate: Estate, situation: Situation, site: str, wanted: BringUp) -> Step:
    declared = estate.sites[site]
    newest = situation.workloads[wanted.workload].points_in(declared.store)[-1:]
    seconds = sum(point.size for point in newest) / declared.bandwidth
    assert wanted.floor is not None  # noqa: S101 (for the type checker; the caller looked)
    return Step(
        id=f"rehydrate-{wanted.workload}",
        title=f"bring {wanted.workload}'s newest whole point to {site}",
        spec=Rehydrate(
            workload=wanted.workload,
            store=declared.store,
            folder=f"{declared.data}/{wanted.workload}",
            floor=wanted.floor,
            max_epoch=wanted.max_epoch,
        ),
        after=wanted.after,
        lane=f"into-{site}",
        timeout=timedelta(hours=4),
        retry=_PATIENT,
        estimate=Estimate(p50=timedelta(seconds=0.5 + seconds), p90=timedelta(seconds=2 + 2 * seconds)),
    )


def _verify(site: str, workload: str, started: str, restored: str) -> Step:
    return Step(
        id=f"verify-{workload}",
        title=f"prove that {workload} goes on from there, with the right losses",
        spec=VerifyTraining(
            site=site,
            workload=workload,
            started=Ref(started, "token"),
            point_step=Ref(restored, "step"),
            next_loss=Ref(restored, "next_loss"),
            highest_loss=Ref(restored, "highest_loss"),
        ),
        after=(started, restored),
        retry=_PATIENT,
    )
