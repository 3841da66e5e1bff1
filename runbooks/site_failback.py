"""site-failback: a site is well again, and its work comes home without losing anything.

Nothing is lost because nothing is cut off: training seals a last point and ends by itself, that very point
is copied to the home site's store, and only then the right to write goes home. The other site goes on serving
until the names have moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

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
from relight.recipes import BringUp, Growth, bring_up, grow, make_room, move_names, shrink
from relight.situation import Known, Situation
from relight.vault import CopyPoint, FenceStore
from relight.workload import Drain, Start, Stop

_NO_WAY_BACK = Irreversible("an epoch never goes back: move the work again with a new run")
_PATIENT = RetryPolicy(attempts=8, first=timedelta(seconds=0.5), longest=timedelta(seconds=10))


def build(estate: Estate, situation: Situation, inputs: Mapping[str, str]) -> Plan:
    """The plan that brings the work whose home is `site` back from the other site."""
    home = inputs["site"]
    away = estate.other_site(home)
    names = _returning(estate, situation, home, away)
    writers = tuple(name for name in names if estate.workloads[name].writes)
    findings = _findings(situation, home, names)
    confirm = Step(
        id="confirm-verdict",
        title=f"ask the observers whether {home} is well",
        spec=ConfirmVerdict(site=home, accept=("healthy",)),
        retry=RetryPolicy(attempts=10, first=timedelta(seconds=0.5), longest=timedelta(seconds=3)),
    )
    steps = [confirm]
    claims = [f"site:{home}", f"site:{away}", *(f"workload:{name}" for name in names)]
    growth = Growth()
    if names:
        growth = grow(estate, situation, home, after=(confirm.id,))
        steps += growth.steps
        findings += growth.findings
        after = (confirm.id, *growth.ids)
        room, room_findings = make_room(estate, situation, home, names, after=after, growing=growth.gpus)
        steps.append(room)
        findings += room_findings
    for name in names:
        if name in writers:
            steps += _hand_over(estate, situation, name, home, away)
        steps += bring_up(estate, situation, home, _wanted(estate, situation, name, writers))
        moved, name_findings, name_claims = move_names(estate, situation, name, away, home)
        steps += moved
        findings += name_findings
        claims += name_claims
        if name not in writers:
            steps.append(_stop_away(name, away, after=moved[-1].id if moved else f"start-{name}"))
    steps += _restart_what_made_room(estate, situation, away, steps)
    if names:
        relieved = tuple(step.id for step in steps if step.id.startswith(("stop-", "drain-", "restart-")))
        steps += shrink(estate, situation, away, after=relieved)
    return Plan(
        runbook=RUNBOOK.name,
        goal=f"the work of {home} is home again",
        estate=estate.name,
        inputs=dict(inputs),
        steps=tuple(steps),
        claims=tuple(claims),
        lanes={f"into-{home}": 2},
        findings=tuple(findings),
        expectations=tuple(
            _expectation(estate, name, steps).model_copy(update={"unknown": growth.unknown}) for name in names
        ),
        observed_at=situation.now,
    )


def _returning(estate: Estate, situation: Situation, home: str, away: str) -> tuple[str, ...]:
    """The workloads whose home it is and that are away: writers first, then by priority."""
    gone = [
        name
        for name, workload in estate.workloads_at(home).items()
        if situation.active_site(estate, name) == away and not workload.may_be_stopped
    ]
    return tuple(
        sorted(gone, key=lambda n: (not estate.workloads[n].writes, -estate.workloads[n].priority, n))
    )


def _findings(situation: Situation, home: str, names: tuple[str, ...]) -> list[Finding]:
    findings = []
    if not names:
        message = f"no work of {home} is away, as far as can be seen"
        findings.append(Finding(strength="block", code="nothing-to-move", subject=home, message=message))
    verdict = situation.sites[home].verdict()
    if verdict != "healthy":
        findings.append(
            Finding(
                strength="block",
                code="home-not-healthy",
                subject=home,
                message=f"{home} is {verdict}: going back there would be a second disaster",
                remedy="rebuild it first; relight status shows what each observer sees",
            )
        )
    return findings


def _hand_over(estate: Estate, situation: Situation, name: str, home: str, away: str) -> list[Step]:
    """Drain, copy the last point home, then move the right to write: in this order nothing can be lost."""
    workload = estate.workloads[name]
    authority = situation.workloads[name].authority
    epoch = authority.value.epoch if isinstance(authority, Known) else 0
    drain = Step(
        id=f"drain-{name}",
        title=f"let {name} seal a last point at {away} and end",
        spec=Drain(site=away, workload=name),
        undo=Irreversible(f"{name} has ended at {away}: start it there from its last point, or go on"),
        after=("make-room",),
        retry=_PATIENT,
    )
    copy = Step(
        id=f"copy-{name}",
        title=f"copy that point to {home}",
        spec=CopyPoint(
            workload=name,
            source=estate.sites[away].store,
            target=estate.sites[home].store,
            at_least_step=Ref(drain.id, "step"),
        ),
        after=(drain.id,),
        retry=_PATIENT,
    )
    fence = Step(
        id=f"fence-{name}",
        title=f"give {home} the right to write for {name}",
        spec=RaiseEpoch(workload=name, above=epoch, active=home),
        undo=_NO_WAY_BACK,
        after=(copy.id,),
        retry=_PATIENT,
    )
    stores = [
        Step(
            id=f"fence-{name}-in-{store}",
            title=f"make store {store} refuse {name}'s old epoch",
            spec=FenceStore(store=store, workload=name, epoch=Ref(fence.id, "epoch")),
            undo=_NO_WAY_BACK,
            after=(fence.id,),
            retry=_PATIENT,
        )
        for store in workload.writes
    ]
    return [drain, copy, fence, *stores]


def _wanted(estate: Estate, situation: Situation, name: str, writers: tuple[str, ...]) -> BringUp:
    workload = estate.workloads[name]
    before = ("make-room", *(f"start-{other}" for other in workload.depends_on))
    writer = name if workload.writes else workload.reads
    if writer is None or writer not in writers:
        return BringUp(name, before, epoch=0)
    epoch = Ref(f"fence-{writer}", "epoch")
    if not workload.writes:
        return BringUp(name, (f"fence-{writer}", *before), epoch)
    authority = situation.workloads[name].authority
    return BringUp(
        name,
        (*(f"fence-{name}-in-{store}" for store in workload.writes), f"drain-{name}", *before),
        epoch,
        floor=Ref(f"drain-{name}", "point"),
        max_epoch=authority.value.epoch if isinstance(authority, Known) else 0,
    )


def _stop_away(name: str, away: str, after: str) -> Step:
    return Step(
        id=f"stop-{name}-at-{away}",
        title=f"stop {name} at {away}, where nobody asks it any more",
        spec=Stop(site=away, workload=name),
        undo=Irreversible(f"{name} was stopped at {away}; it serves from home"),
        after=(after,),
        retry=_PATIENT,
    )


def _restart_what_made_room(
    estate: Estate, situation: Situation, away: str, before: list[Step]
) -> list[Step]:
    """Start again, at the site that is relieved, what was stopped there to make room."""
    running = situation.sites[away].running
    if not isinstance(running, Known):
        return []
    relieved = tuple(step.id for step in before if step.id.startswith(("stop-", "drain-")))
    return [
        Step(
            id=f"restart-{name}",
            title=f"start {name} at {away} again",
            spec=Start(site=away, workload=name, gpus=workload.gpus, epoch=0),
            after=relieved,
            retry=_PATIENT,
        )
        for name, workload in estate.workloads_at(away).items()
        if workload.may_be_stopped and name not in running.value
    ]


def _expectation(estate: Estate, name: str, steps: list[Step]) -> Expectation:
    workload = estate.workloads[name]
    ids = {step.id for step in steps}
    asked = [f"ask-{key}" for key, dns in estate.dns.names.items() if dns.serves == name]
    writes = bool(workload.writes)
    return Expectation(
        workload=name,
        rpo=workload.objective.rpo,
        rto=workload.objective.rto,
        back_at=next((s for s in (*asked, f"verify-{name}") if s in ids), f"start-{name}"),
        point_from=f"rehydrate-{name}" if writes else None,
        last_step_from=f"drain-{name}" if writes else None,
        gpus=workload.gpus,
    )


RUNBOOK = Runbook(
    name="site-failback",
    summary="bring the work of a site home, losing nothing",
    build=build,
    inputs={"site": RunbookInput("the site that is well again", choices=lambda estate: tuple(estate.sites))},
)
