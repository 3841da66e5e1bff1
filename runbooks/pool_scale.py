"""pool-scale: turn the knob of one pool, by itself.

The size is decided in the witness first, so that no later update from an old checkout takes it back; then the
stack's pool is set to it, and nothing else of the stack.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from relight.errors import UsageError
from relight.estate import CloudSite, Estate, Pool
from relight.plan import Finding, Irreversible, Plan, RetryPolicy, Runbook, RunbookInput, Step
from relight.provision import CapacityCheck, ScalePool, rooms_of, spread
from relight.recipes import asked_nodes, engine_findings, epoch_of, growth_estimate
from relight.situation import Intent, Known, Situation


def build(estate: Estate, situation: Situation, inputs: Mapping[str, str]) -> Plan:
    """The plan that sets one pool to a size."""
    site, name = inputs["site"], inputs["pool"]
    declared = estate.sites[site]
    pools = declared.pools if isinstance(declared, CloudSite) else {}
    if name not in pools:
        raise UsageError(f"{site} has no pool {name!r}", f"it has {', '.join(pools) or 'none'}")
    if not inputs["nodes"].isdecimal():
        raise UsageError(f"{inputs['nodes']!r} is no number of nodes", "write -i nodes=8")
    nodes = int(inputs["nodes"])
    seen = situation.sites[site].intent
    intent = seen.value if isinstance(seen, Known) else None
    quiet = estate.quiet_nodes(site, pools[name].nodes)
    before = asked_nodes(estate, site, name, pools[name], intent)
    sizes = spread(nodes, rooms_of(pools[name], situation.now))
    # Whoever makes a standby larger by hand means it to carry work: an old checkout must not shrink it.
    is_active = nodes > quiet or _carries_work(estate, situation, site, intent, name)
    check = Step(
        id="capacity",
        title=f"ask which rungs of {name} have room",
        spec=CapacityCheck(site=site, pool=name),
    )
    scale = Step(
        id=f"scale-{name}",
        title=f"set pool {name} at {site} to {nodes} nodes",
        spec=ScalePool(
            site=site,
            pool=name,
            nodes=nodes,
            epoch=max(intent.epoch if intent else 0, epoch_of(estate, situation) - 1),
            active=is_active,
            quiet=nodes == quiet and not is_active,
            patience=pools[name].patience,
        ),
        after=(check.id,),
        undo=Irreversible("another size is set by running this again"),
        timeout=timedelta(hours=3),
        retry=RetryPolicy(attempts=8, first=timedelta(seconds=1), longest=timedelta(seconds=30)),
        estimate=growth_estimate(pools[name], sizes, nodes) if nodes > before else None,
    )
    findings = _findings(site, pools[name], name, nodes, before) + engine_findings(situation, site)
    if not isinstance(seen, Known):
        findings.append(_unseen(site, seen.reason))
    return Plan(
        runbook=RUNBOOK.name,
        goal=f"pool {name} at {site} has {nodes} nodes",
        estate=estate.name,
        inputs=dict(inputs),
        steps=(check, scale),
        claims=(f"site:{site}",),
        findings=tuple(findings),
        observed_at=situation.now,
    )


def _carries_work(
    estate: Estate, situation: Situation, site: str, intent: Intent | None, scaled: str
) -> bool:
    """Whether the site is at work, whatever the size; what was decided to work stays so while in doubt."""
    if intent is None or not intent.active:
        return estate.topology.works_quietly(site)
    seen = (situation.workloads[name].authority for name, w in estate.workloads.items() if w.writes)
    writes = any(isinstance(known, Known) and known.value.active == site for known in seen)
    running = situation.sites[site].running
    is_idle = isinstance(running, Known) and not running.value
    declared = estate.sites[site]
    pools = declared.pools if isinstance(declared, CloudSite) else {}
    is_large = any(
        (intent.nodes(name) or 0) > estate.quiet_nodes(site, pool.nodes)
        for name, pool in pools.items()
        if name != scaled
    )
    return writes or is_large or not is_idle or estate.topology.works_quietly(site)


def _unseen(site: str, reason: str) -> Finding:
    return Finding(
        strength="block",
        code="intent-unknown",
        subject=site,
        message=f"what was decided for {site} cannot be seen, nor anything be decided: {reason}",
        remedy="bring back the witness, or the way to it",
    )


def _findings(site: str, pool: Pool, name: str, nodes: int, before: int) -> list[Finding]:
    findings = []
    if nodes > pool.most_nodes:
        message = f"the rungs of {name} give {pool.most_nodes} nodes at most; {nodes} are asked for"
        findings.append(Finding(strength="block", code="pool-too-small", subject=site, message=message))
    elif nodes > pool.guaranteed_nodes:
        unsure = nodes - pool.guaranteed_nodes
        message = f"{unsure} of {nodes} nodes are not guaranteed: nobody knows whether and when they come"
        findings.append(Finding(strength="warning", code="capacity-unknown", subject=site, message=message))
    if nodes < before:
        message = f"{name} is to have {before} nodes now, and gets {nodes}: work on the others ends"
        findings.append(
            Finding(
                strength="override",
                code="shrinks",
                subject=site,
                message=message,
                remedy="drain the workloads first",
            )
        )
    return findings


RUNBOOK = Runbook(
    name="pool-scale",
    summary="turn the knob of one pool: set its size, and wait for its nodes",
    build=build,
    inputs={
        "site": RunbookInput("the site", choices=lambda estate: tuple(estate.sites)),
        "pool": RunbookInput("the pool"),
        "nodes": RunbookInput("how many nodes it should have"),
    },
)
