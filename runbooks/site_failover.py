"""site-failover: a site is lost, and its work goes on at the other one.

The order of things: the quorum is asked once more; the lost site's right to write is taken away (epoch in
the witness, then in the stores that answer); the other site grows, and room is made; the newest whole point
is brought over, verified; training is started from it and proven to go on as it would have; names are moved
last, when what they point at is up.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from relight.estate import Estate
from relight.fence import ConfirmVerdict, RaiseEpoch
from relight.plan import (
    Expectation,
    Finding,
    Irreversible,
    Plan,
    Ref,
    RetryPolicy,
    Runbook,
    RunbookInput,
    Step,
)
from relight.recipes import BringUp, Growth, bring_up, floor_of, grow, make_room, move_names, point_findings
from relight.situation import Known, Situation
from relight.vault import FenceStore

_NO_WAY_BACK = Irreversible("an epoch never goes back: the old side stays fenced; go on, or fail back later")


def build(estate: Estate, situation: Situation, inputs: Mapping[str, str]) -> Plan:
    """The plan that moves all work of `site` to the other site of the topology."""
    lost = inputs["site"]
    to = estate.other_site(lost)
    names = _moving(estate, situation, lost)
    began = situation.sites[lost].lost_since() or situation.now
    unknown = _unknown_authority(estate, situation)
    findings = [_verdict_finding(situation, lost), *unknown]
    if not names and not unknown:
        message = f"nothing is meant to run at {lost} now"
        findings.append(Finding(strength="block", code="nothing-to-move", subject=lost, message=message))

    confirm = _confirm(situation, lost)
    steps = [confirm]
    claims = [f"site:{lost}", f"site:{to}", *(f"workload:{name}" for name in names)]
    fences: dict[str, tuple[str, ...]] = {}
    for name in names:
        if estate.workloads[name].writes:
            fenced, barriers = _fence(estate, situation, name, to, confirm.id)
            steps += fenced
            fences[name] = barriers
            findings += point_findings(estate, situation, name, estate.sites[to].store, began)
    growth = Growth()
    if names:
        growth = grow(estate, situation, to, after=(confirm.id,))
        steps += growth.steps
        findings += growth.findings
        after = (confirm.id, *growth.ids)
        room, room_findings = make_room(estate, situation, to, names, after=after, growing=growth.gpus)
        steps.append(room)
        findings += room_findings
    for name in names:
        steps += bring_up(
            estate, situation, to, _wanted(estate, situation, name, to, began=began, fences=fences)
        )
        moved, name_findings, name_claims = move_names(estate, situation, name, lost, to)
        steps += moved
        findings += name_findings
        claims += name_claims
    return Plan(
        runbook=RUNBOOK.name,
        goal=f"the work of {lost} goes on at {to}",
        estate=estate.name,
        inputs=dict(inputs),
        steps=tuple(steps),
        claims=tuple(claims),
        lanes={f"into-{to}": 2},
        findings=tuple(findings),
        expectations=tuple(
            _expectation(estate, situation, name, lost, began=began, steps=steps).model_copy(
                update={"unknown": growth.unknown}
            )
            for name in names
        ),
        observed_at=situation.now,
    )


def _moving(estate: Estate, situation: Situation, lost: str) -> tuple[str, ...]:
    """The workloads to move: writers before those that read from them, then by priority."""
    here = [
        name
        for name, workload in estate.workloads.items()
        if situation.active_site(estate, name) == lost and not workload.may_be_stopped
    ]
    return tuple(
        sorted(here, key=lambda n: (not estate.workloads[n].writes, -estate.workloads[n].priority, n))
    )


def _verdict_finding(situation: Situation, lost: str) -> Finding:
    site = situation.sites[lost]
    verdict = site.verdict()
    sees = [
        f"{o.observer} sees it {'up' if o.up else f'down ({o.reason})'}"
        for o in site.opinions
        if o.capability == "compute"
    ]
    sees += [f"{observer} does not answer ({why})" for observer, why in site.silent_observers.items()]
    told = f"{lost} is {verdict}: {'; '.join(sees)}"
    if verdict == "lost":
        return Finding(strength="note", code="site-lost", subject=lost, message=told)
    return Finding(
        strength="override",
        code=f"site-{verdict}",  # what people saw when they signed: another verdict is another question
        subject=lost,
        message=f"{told}. If it runs, moving its work stops its training at the next checkpoint",
        remedy="is it the way to the site that is down? Two people may decide that it is lost all the same",
        identities=2,
    )


def _unknown_authority(estate: Estate, situation: Situation) -> list[Finding]:
    return [
        Finding(
            strength="block",
            code="authority-unknown",
            subject=name,
            message=f"who may write for {name} cannot be seen: {seen.reason}",
            remedy="bring back the witness, or the way to it: else nothing proves that the old side stops",
        )
        for name, workload in estate.workloads.items()
        if workload.writes and not isinstance(seen := situation.workloads[name].authority, Known)
    ]


def _confirm(situation: Situation, lost: str) -> Step:
    accept = tuple(dict.fromkeys(("lost", situation.sites[lost].verdict())))
    return Step(
        id="confirm-verdict",
        title=f"ask the observers again whether {lost} is lost",
        spec=ConfirmVerdict(site=lost, accept=accept),
        retry=RetryPolicy(attempts=10, first=timedelta(seconds=0.5), longest=timedelta(seconds=3)),
    )


def _fence(
    estate: Estate, situation: Situation, name: str, to: str, after: str
) -> tuple[list[Step], tuple[str, ...]]:
    """Steps that take the right to write from the old side, and those that a restore must wait for."""
    authority = situation.workloads[name].authority
    epoch = authority.value.epoch if isinstance(authority, Known) else 0
    raise_epoch = Step(
        id=f"fence-{name}",
        title=f"take the right to write for {name} from the old side",
        spec=RaiseEpoch(workload=name, above=epoch, active=to),
        undo=_NO_WAY_BACK,
        after=(after,),
        retry=RetryPolicy(attempts=8, first=timedelta(seconds=0.5), longest=timedelta(seconds=5)),
    )
    stores = [
        Step(
            id=f"fence-{name}-in-{store}",
            title=f"make store {store} refuse {name}'s old epoch",
            spec=FenceStore(
                store=store,
                workload=name,
                epoch=Ref(raise_epoch.id, "epoch"),
                if_reachable=store != estate.sites[to].store,
            ),
            undo=_NO_WAY_BACK,
            after=(raise_epoch.id,),
        )
        for store in estate.workloads[name].writes
    ]
    return [raise_epoch, *stores], (raise_epoch.id, *(step.id for step in stores))


def _wanted(
    estate: Estate,
    situation: Situation,
    name: str,
    to: str,
    *,
    began: datetime,
    fences: Mapping[str, tuple[str, ...]],
) -> BringUp:
    workload = estate.workloads[name]
    writer = name if workload.writes else workload.reads
    before = tuple(f"start-{other}" for other in workload.depends_on)
    if writer is None or writer not in fences:
        return BringUp(name, ("make-room", *before), epoch=0)
    epoch = Ref(f"fence-{writer}", "epoch")
    if not workload.writes:
        return BringUp(name, (f"fence-{writer}", "make-room", *before), epoch)
    points = situation.workloads[name].points_in(estate.sites[to].store)
    floor = floor_of(points, began, workload.objective.rpo.total_seconds())
    authority = situation.workloads[name].authority
    return BringUp(
        name,
        (*fences[name], "make-room", *before),
        epoch,
        floor=floor.id if floor else "none",
        max_epoch=authority.value.epoch if isinstance(authority, Known) else 0,
    )


def _expectation(
    estate: Estate, situation: Situation, name: str, lost: str, *, began: datetime, steps: list[Step]
) -> Expectation:
    workload = estate.workloads[name]
    ids = {step.id for step in steps}
    is_lost = situation.sites[lost].verdict() == "lost"
    asked = [f"ask-{key}" for key, dns in estate.dns.names.items() if dns.serves == name]
    back_at = next((s for s in (*asked, f"verify-{name}") if s in ids), f"start-{name}")
    return Expectation(
        workload=name,
        rpo=workload.objective.rpo,
        rto=workload.objective.rto,
        began=began if is_lost else None,
        began_at=None if is_lost else _fence_of(estate, name, ids),
        back_at=back_at,
        point_from=f"rehydrate-{name}" if f"rehydrate-{name}" in ids else None,
        # A side that still runs goes on until it is fenced: what it will have reached nobody knows now.
        last_step=situation.sites[lost].last_step(name) if is_lost else None,
        gpus=workload.gpus,
    )


def _fence_of(estate: Estate, name: str, ids: set[str]) -> str | None:
    """The step that takes a workload from a side that may still run: from there on its work is lost."""
    workload = estate.workloads[name]
    fence = f"fence-{name if workload.writes else workload.reads}"
    return fence if fence in ids else None


RUNBOOK = Runbook(
    name="site-failover",
    summary="move the work of a lost site to the other one",
    build=build,
    inputs={"site": RunbookInput("the site that is lost", choices=lambda estate: tuple(estate.sites))},
)
