"""What a topology means for a site, in numbers: how large it is asleep and at work, and its price asleep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from relight.estate import ActiveActive, ActivePassive, CloudBurst, CloudPool, CloudSite, ClusterPool, Estate
from relight.situation import Intent
from relight.topology.frame import Sizes
from relight.topology.graph import Graph, run_under_mocks
from relight.topology.program import Decided, declare, require_stack
from relight.topology.sizing import full_sizes, quiet_sizes
from relight.units import format_duration

_EXPORTED = (
    "vpc", "transitGateway", "privateSubnets", "network", "subnetwork", "router", "vpnGateway",
)  # fmt: skip
_HOURS_OF_A_MONTH = 730.0  # as the clouds count


@dataclass(frozen=True)
class PoolMeaning:
    """One pool: nodes by rung in quiet times and at full size; what is committed for it while it sleeps."""

    name: str
    machine: str
    gpus_each: int
    quiet: Mapping[str, int]
    full: Mapping[str, int]
    guaranteed: int  # nodes at full size that are sure
    idle_usd_per_hour: float  # reservations and commitments, used or not, beyond what runs anyway
    priced: bool  # whether every rung that is paid for asleep has a price


def sentence(estate: Estate, site: str) -> str:
    """What the site is for, in the topology's own numbers."""
    topology = estate.topology
    if site not in topology.members:
        return f"{site} is in no topology: its pools are at 0"
    if isinstance(topology, ActiveActive):
        n = len(topology.members)
        return f"active-active: one of {n} sites that serve; each holds its share x {n}/{n - 1}: one may die"
    if site == topology.primary:
        return f"{topology.kind}: {site} works in quiet times, and {topology.standby} takes over"
    if isinstance(topology, CloudBurst):
        rung = f"rung {topology.ladder.index(site) + 1} of {len(topology.ladder)}"
        return f"cloud-burst: {rung} that the work of {topology.primary} climbs; no node runs while it sleeps"
    within = format_duration(topology.full_within)
    if isinstance(topology, ActivePassive):
        share = f"{topology.standby_share:.0%} of each pool runs"
        return f"active-passive: {site} stands by for {topology.primary}; {share}, all of it within {within}"
    return f"pilot-light: {site} stands by for {topology.primary}; no node runs, all of them within {within}"


def pools_of(estate: Estate, site: str, now: datetime) -> tuple[PoolMeaning, ...]:
    """Every pool of a site; none where it has none."""
    declared = estate.sites[site]
    if not isinstance(declared, CloudSite):
        return ()
    quiet, full = quiet_sizes(estate, site, now), full_sizes(estate, site, now)
    return tuple(_meaning(name, pool, quiet, full) for name, pool in declared.pools.items())


def graph_of(estate: Estate, stack: str, now: datetime, *, at_full: bool = False) -> Graph:
    """All that a stack declares, in quiet times or at full size, without an engine or a cloud.

    Secrets are made up, and so is what other stacks export. Raise UsageError.
    """
    require_stack(estate, stack)

    def ask(site: str) -> Decided:
        return _at_full(estate, site, now) if at_full else Decided()

    def program() -> None:
        declare(estate, stack, ask=ask, now=now, resolve=lambda _reference: "made.up.value")

    return run_under_mocks(program, stack=stack, references=_references(estate))


def _at_full(estate: Estate, site: str, now: datetime) -> Decided:
    """A site that carries everything: its pools at full size, and the right to write of every workload."""
    sizes = full_sizes(estate, site, now)
    pools = {pool: dict(rungs) for pool, rungs in sizes.items()}
    intent = Intent(site=site, epoch=1, active=True, pools=pools, changed_by="supposed", changed_at=now)
    return Decided(intent, {name: site for name, workload in estate.workloads.items() if workload.writes})


def _references(estate: Estate) -> dict[str, dict[str, object]]:
    """What sites' stacks export, made up, for the stacks of links that read it."""
    return {
        f"organization/relight/{site}": {name: f"{name}-of-{site}" for name in _EXPORTED}
        for site in estate.sites
    }


def _meaning(name: str, pool: CloudPool | ClusterPool, quiet: Sizes, full: Sizes) -> PoolMeaning:
    idle, priced = 0.0, True
    for rung in pool.rungs:
        if rung.usd_per_month is not None:
            idle += rung.usd_per_month / _HOURS_OF_A_MONTH
        elif rung.kind in ("reservation", "capacity-block"):
            priced = priced and rung.usd_per_node_hour is not None
            idle += (rung.usd_per_node_hour or 0.0) * (rung.nodes - quiet[name].get(rung.key, 0))
    sure = sum(
        nodes
        for key, nodes in full[name].items()
        if (rung_of := pool.rung(key)) and rung_of.capacity == "guaranteed"
    )
    return PoolMeaning(
        name=name,
        machine=pool.machine if isinstance(pool, CloudPool) else "",
        gpus_each=pool.gpus_each,
        quiet=quiet[name],
        full=full[name],
        guaranteed=sure,
        idle_usd_per_hour=round(idle, 2),
        priced=priced,
    )
