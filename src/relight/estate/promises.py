"""Is what stands ready there as soon as workloads must be back? And is what was booked still to come?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from relight.estate.check import Check, doubtful, wrong
from relight.estate.model import Estate
from relight.estate.pools import Pool, Rung
from relight.estate.sites import CloudSite
from relight.estate.workloads import Workload
from relight.units import format_duration


def check_promises(estate: Estate) -> Iterator[Check]:
    """Rungs slower than the topology asks, and workloads that must be back before their nodes are."""
    within = estate.topology.full_within
    if within is None:  # nobody knows when, and plans say so
        return
    for name in estate.topology.members:
        site = estate.sites.get(name)
        if isinstance(site, CloudSite):
            yield from _check_rungs(estate, name, site, within)
    for name, workload in estate.workloads.items():
        yield from _check_objective(estate, name, workload, within)


def check_bookings(estate: Estate, now: datetime) -> Iterator[Check]:
    """Capacity blocks whose time is over: they give nothing any more."""
    for name, site in estate.sites.items():
        for pool_name, pool in site.pools.items() if isinstance(site, CloudSite) else ():
            over = [i for i, rung in enumerate(pool.rungs) if rung.ends is not None and rung.ends <= now]
            left = pool.most_nodes - sum(pool.rungs[i].nodes for i in over)
            told = wrong if left < estate.topology.full_nodes(name, pool.nodes) else doubtful
            for index in over:
                ended = f"{pool.rungs[index].ends:%Y-%m-%d %H:%M %Z}"
                yield told(
                    "block-is-over",
                    f"sites.{name}.pools.{pool_name}.rungs.{index}.ends",
                    f"the block was booked until {ended}: without it the rungs give {left} nodes at most",
                    "write the block that is booked next, or take the rung out",
                )


def _grown(pool: Pool, quiet: int, wanted: int) -> Iterator[tuple[int, Rung]]:
    """The rungs that nodes come from when a pool grows: rungs are filled in order."""
    before = 0
    for index, rung in enumerate(pool.rungs):
        if before < wanted and before + rung.nodes > quiet:
            yield index, rung
        before += rung.nodes


def _check_rungs(estate: Estate, name: str, site: CloudSite, within: timedelta) -> Iterator[Check]:
    topology = estate.topology
    for pool_name, pool in site.pools.items():
        quiet, full = (size(name, pool.nodes) for size in (topology.quiet_nodes, topology.full_nodes))
        for index, rung in _grown(pool, quiet, full) if full > quiet else ():
            if rung.ready_in is not None and rung.ready_in > within:
                needs = format_duration(rung.ready_in)
                yield wrong(
                    "rung-too-slow",
                    f"sites.{name}.pools.{pool_name}.rungs.{index}.ready_in",
                    f"its nodes work after {needs}; all of them are to be there "
                    f"within {format_duration(within)}",
                    f"write topology.full_within: {needs} or more, or put a faster rung first",
                )


def _check_objective(estate: Estate, name: str, workload: Workload, within: timedelta) -> Iterator[Check]:
    """Whether a workload that needs the standby to grow may wait until it has grown."""
    topology, rto = estate.topology, workload.objective.rto
    standby = topology.successor(workload.runs_on)
    site = estate.sites.get(standby)
    if not topology.works_quietly(workload.runs_on) or not isinstance(site, CloudSite):
        return
    pool_name = workload.pool or (next(iter(site.pools)) if len(site.pools) == 1 else "")
    pool = site.pools.get(pool_name)
    if pool is None or not pool.gpus_each:
        return
    quiet = topology.quiet_nodes(standby, pool.nodes)
    wanted = -(-_gpus_until(estate, name, workload) // pool.gpus_each)
    if not workload.gpus or wanted <= quiet:
        return
    said = [rung.ready_in for _, rung in _grown(pool, quiet, wanted) if rung.ready_in is not None]
    slowest = max(said, default=timedelta(0))
    own = "its RTO" if workload.objective_declared.rto is not None else "by its kind its RTO"
    if rto < max(slowest, within):
        told, waits = (wrong, slowest) if rto < slowest else (doubtful, within)
        yield told(
            "objective-missed",
            f"workloads.{name}.objective.rto",
            f'{own} is {format_duration(rto)}; "{standby}" has the nodes for it '
            f"within {format_duration(waits)}",
            f"write rto: {format_duration(waits)} or more, or have them sooner ("
            + ("a faster rung)" if rto < slowest else "topology.full_within)"),
        )


def _gpus_until(estate: Estate, name: str, workload: Workload) -> int:
    """GPUs of a workload and of all that is back before it, in the same pool."""
    return sum(
        other.gpus
        for key, other in estate.workloads.items()
        if other.runs_on == workload.runs_on
        and other.pool == workload.pool
        and (key == name or other.priority >= workload.priority)
    )
