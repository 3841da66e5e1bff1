"""Making a site large enough: its pools' knobs, and what is known of the capacity behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from relight.estate import CloudSite, Estate, Pool
from relight.plan import Estimate, Finding, Irreversible, RetryPolicy, Step
from relight.provision import ScalePool, rooms_of, spread
from relight.situation import Intent, Known, Situation

_PATIENT = RetryPolicy(attempts=8, first=timedelta(seconds=1), longest=timedelta(seconds=30))
_STAYS = Irreversible("nodes stay until the pool is set back: they may be at work by then")
_HOW_LONG = timedelta(hours=3)  # a cloud that gave no node until then gives none


@dataclass(frozen=True)
class Growth:
    """The steps that make a site's pools as large as they must be, and what is to be known of them."""

    steps: tuple[Step, ...] = ()
    findings: tuple[Finding, ...] = ()
    gpus: int = 0  # that the steps add
    unknown: str | None = None  # why nobody knows how long it takes; None: guaranteed capacity is enough

    @property
    def ids(self) -> tuple[str, ...]:
        """The steps, for what waits for the nodes."""
        return tuple(step.id for step in self.steps)


def grow(estate: Estate, situation: Situation, site: str, after: tuple[str, ...]) -> Growth:
    """Set every pool of a site to its full size. A site without pools has nothing to grow: no steps.

    The pools grow side by side: their nodes come at the same time, and only the engine's updates, which share
    the site's stack, wait for each other (see `ScalePool`).
    """
    declared = estate.sites[site]
    if not isinstance(declared, CloudSite) or not declared.pools:
        return Growth()
    seen = situation.sites[site].intent
    intent = seen.value if isinstance(seen, Known) else None
    findings = [] if isinstance(seen, Known) else [_unseen(site, seen.reason)]
    findings += engine_findings(situation, site)
    steps, gpus, unsure = [], 0, []
    for name, pool in declared.pools.items():
        full = estate.topology.full_nodes(site, pool.nodes)
        sizes = spread(full, rooms_of(pool, situation.now))
        gpus += max(0, full - asked_nodes(estate, site, name, pool, intent)) * pool.gpus_each
        promised = _promised(pool, sizes)
        if promised < full:
            unsure.append(f"{full - promised} of {full} nodes of {name}")
        findings += _findings(site, name, full, sizes)
        steps.append(
            Step(
                id=f"grow-{name}",
                title=f"set pool {name} at {site} to {full} nodes",
                spec=ScalePool(
                    site=site,
                    pool=name,
                    nodes=full,
                    epoch=epoch_of(estate, situation),
                    patience=pool.patience,
                ),
                undo=_STAYS,
                after=after,
                timeout=_HOW_LONG,
                retry=_PATIENT,
                estimate=growth_estimate(pool, sizes, full),
            )
        )
    why = f"{', '.join(unsure)} at {site} are best-effort or booked capacity" if unsure else None
    return Growth(tuple(steps), tuple(findings), gpus, why)


def shrink(estate: Estate, situation: Situation, site: str, after: tuple[str, ...]) -> tuple[Step, ...]:
    """Set every pool of a site that is relieved back to its size in quiet times."""
    declared = estate.sites[site]
    if not isinstance(declared, CloudSite):
        return ()
    return tuple(
        Step(
            id=f"shrink-{name}",
            title=f"set pool {name} at {site} back to {nodes} nodes",
            spec=ScalePool(
                site=site,
                pool=name,
                nodes=nodes,
                epoch=epoch_of(estate, situation),
                active=estate.topology.works_quietly(site),
                quiet=True,
            ),
            undo=Irreversible("nodes that went away come back by growing the pool again"),
            after=after,
            timeout=_HOW_LONG,
            retry=_PATIENT,
        )
        for name, pool in declared.pools.items()
        for nodes in (estate.topology.quiet_nodes(site, pool.nodes),)
    )


def epoch_of(estate: Estate, situation: Situation) -> int:
    """The epoch that a decision of this run belongs to: above every one that the plan saw."""
    seen = (situation.workloads[name].authority for name, w in estate.workloads.items() if w.writes)
    return max((known.value.epoch for known in seen if isinstance(known, Known)), default=0) + 1


def engine_findings(situation: Situation, site: str) -> list[Finding]:
    """That the knob of a site will be turned by its cloud's own API, as there is no engine here."""
    if situation.engine != Known(value=False):
        return []
    message = f"there is no `pulumi` command here: the cloud of {site} will be asked itself, and drift stays"
    remedy = "install it: https://www.pulumi.com/docs/install/"
    return [Finding(strength="warning", code="no-engine", subject=site, message=message, remedy=remedy)]


def growth_estimate(pool: Pool, sizes: Mapping[str, int], full: int) -> Estimate | None:
    """As the slowest of the rungs used promises; None where none of them says: the kind's usual time.

    Where not all of `full` is guaranteed, it is only the least that it takes.
    """
    said = [rung.ready_in for rung in pool.rungs if sizes.get(rung.key) and rung.ready_in]
    p50, p90 = (max(said) * 0.6, max(said)) if said else ScalePool.usual
    is_sure = _promised(pool, sizes) >= full
    return Estimate(p50=p50, p90=p90, at_least=not is_sure) if said or not is_sure else None


def asked_nodes(estate: Estate, site: str, name: str, pool: Pool, intent: Intent | None) -> int:
    """Nodes that a pool is to have now: what was decided, else its quiet size."""
    decided = intent.nodes(name) if intent else None
    return estate.quiet_nodes(site, pool.nodes) if decided is None else decided


def _promised(pool: Pool, sizes: Mapping[str, int]) -> int:
    """Nodes of these that are guaranteed."""
    return sum(
        nodes for key, nodes in sizes.items() if (rung := pool.rung(key)) and rung.capacity == "guaranteed"
    )


def _findings(site: str, name: str, full: int, sizes: Mapping[str, int]) -> list[Finding]:
    room = sum(sizes.values())
    if room >= full:
        return []
    message = f"the rungs of pool {name} at {site} give {room} nodes now; {full} are needed"
    remedy = "a capacity block outside of its dates gives nothing: add a rung, or another site"
    return [Finding(strength="override", code="pool-too-small", subject=site, message=message, remedy=remedy)]


def _unseen(site: str, reason: str) -> Finding:
    message = f"how large the pools of {site} should be now cannot be seen: {reason}"
    return Finding(strength="warning", code="intent-unknown", subject=site, message=message)
