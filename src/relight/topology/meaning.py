"""What a topology means for a site, in numbers: how large it is asleep and at work, and its price asleep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from relight.estate import ActiveActive, ActivePassive, CloudBurst, CloudPool, CloudSite, ClusterPool, Estate
from relight.situation import Intent
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
    idle_usd_per_hour: float  # of reservations and commitments: what nobody uses in quiet times
    quiet_usd_per_hour: float  # of all that is paid for in quiet times, the idle part in it
    full_usd_per_hour: float
    priced: bool  # whether every rung that costs anything at either size has a price


def sentence(estate: Estate, site: str) -> str:
    """What the site is for, in the topology's own numbers."""
    topology = estate.topology
    if site not in topology.members:
        return f"{site} is in no topology: its pools are at 0"
    if isinstance(topology, ActiveActive):
        n = len(topology.members)
        return f"active-active: one of {n} sites that serve; each holds its share x {n}/{n - 1}: one may die"
    if isinstance(topology, CloudBurst):
        return _sentence_of_a_burst(topology, site)
    if site == topology.primary:
        return f"{topology.kind}: {site} works in quiet times, and {topology.standby} takes over"
    runs, within = "no node runs", format_duration(topology.full_within)
    if isinstance(topology, ActivePassive):
        runs = f"{topology.standby_share:.0%} of each pool runs"
    return f"{topology.kind}: {site} stands by for {topology.primary}; {runs}, meant to be full in {within}"


def _sentence_of_a_burst(topology: CloudBurst, site: str) -> str:
    if site == topology.primary:
        ladder = ", else to ".join(topology.ladder)
        return f"cloud-burst: {site} works in quiet times; when it dies, its work goes to {ladder}"
    rung = f"rung {topology.ladder.index(site) + 1} of {len(topology.ladder)}"
    return f"cloud-burst: {rung} that the work of {topology.primary} climbs; no node runs while it sleeps"


def pools_of(estate: Estate, site: str, now: datetime) -> tuple[PoolMeaning, ...]:
    """Every pool of a site; none where it has none."""
    declared = estate.sites[site]
    if not isinstance(declared, CloudSite):
        return ()
    quiet, full = quiet_sizes(estate, site, now), full_sizes(estate, site, now)
    return tuple(_meaning(name, pool, quiet[name], full[name], now) for name, pool in declared.pools.items())


def graph_of(estate: Estate, stack: str, now: datetime, *, at_full: bool = False) -> Graph:
    """All that a stack declares, in quiet times or at full size, without an engine or a cloud.

    Secrets are made up, and so is what other stacks export. Raise UsageError.
    """
    require_stack(estate, stack)

    def ask(site: str) -> Decided:
        return _at_full(estate, site, now) if at_full else Decided()

    def program() -> None:
        declare(estate, stack, ask=ask, now=now, resolve=lambda _reference: "made.up.value")

    return run_under_mocks(program, project=estate.name, stack=stack, references=_references(estate))


def _at_full(estate: Estate, site: str, now: datetime) -> Decided:
    """A site that carries everything: its pools at full size, and the right to write of every workload."""
    sizes = full_sizes(estate, site, now)
    pools = {pool: dict(rungs) for pool, rungs in sizes.items()}
    intent = Intent(site=site, epoch=1, active=True, pools=pools, changed_by="supposed", changed_at=now)
    return Decided(intent, {name: site for name, workload in estate.workloads.items() if workload.writes})


def _references(estate: Estate) -> dict[str, dict[str, object]]:
    """What sites' stacks export, made up, for the stacks of links that read it."""
    return {
        f"organization/{estate.name}/{site}": {name: f"{name}-of-{site}" for name in _EXPORTED}
        for site in estate.sites
    }


def _meaning(
    name: str, pool: CloudPool | ClusterPool, quiet: Mapping[str, int], full: Mapping[str, int], now: datetime
) -> PoolMeaning:
    asleep, at_work = _price(pool, quiet, now), _price(pool, full, now)
    used = sum(
        (rung.usd_per_node_hour or 0.0) * quiet.get(rung.key, 0)
        for rung in pool.rungs
        if rung.kind != "own-metal" and rung.usd_per_month is None
    )
    sure = sum(
        nodes
        for key, nodes in full.items()
        if (rung_of := pool.rung(key)) and rung_of.capacity == "guaranteed"
    )
    return PoolMeaning(
        name=name,
        machine=pool.machine if isinstance(pool, CloudPool) else "",
        gpus_each=pool.gpus_each,
        quiet=quiet,
        full=full,
        guaranteed=sure,
        idle_usd_per_hour=round(asleep.usd_per_hour - used, 2),
        quiet_usd_per_hour=round(asleep.usd_per_hour, 2),
        full_usd_per_hour=round(at_work.usd_per_hour, 2),
        priced=asleep.is_whole and at_work.is_whole,
    )


@dataclass(frozen=True)
class _Price:
    usd_per_hour: float
    is_whole: bool  # no rung that costs anything lacks a price


def _price(pool: CloudPool | ClusterPool, sizes: Mapping[str, int], now: datetime) -> _Price:
    """What the nodes of a pool cost at some size: what is committed, all of it; else what runs."""
    total, is_whole = 0.0, True
    for rung in pool.rungs:
        if rung.kind == "own-metal" or (rung.ends and now >= rung.ends):
            continue
        if rung.usd_per_month is not None:
            total += rung.usd_per_month / _HOURS_OF_A_MONTH
            continue
        is_committed = rung.kind in ("reservation", "capacity-block")
        paid = rung.nodes if is_committed else sizes.get(rung.key, 0)
        is_whole = is_whole and (paid == 0 or rung.usd_per_node_hour is not None)
        total += (rung.usd_per_node_hour or 0.0) * paid
    return _Price(total, is_whole)
