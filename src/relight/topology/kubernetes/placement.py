"""Which workloads run in which pool of a cluster now, and what in the declaration makes that impossible."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from relight.errors import Reason, UsageError
from relight.estate import ClusterPool, ClusterSite, Container, Estate, Workload
from relight.estate.fitting import fit_pool, gpus_of_replica, replicas_wanted, workloads_in
from relight.topology.frame import Frame, SiteArgs


@dataclass(frozen=True)
class Placed:
    """A workload of a pool, and how much of it runs now."""

    name: str
    workload: Workload
    container: Container
    pool_name: str
    pool: ClusterPool
    sizes: Mapping[str, int]  # nodes that the pool is asked for now, by rung
    replicas: int  # that run now
    largest: int  # GPUs of the largest replica of the pool

    @property
    def gpus(self) -> int:
        """GPUs of each replica."""
        return gpus_of_replica(self.workload)

    @property
    def wanted(self) -> int:
        """Replicas at full size."""
        return replicas_wanted(self.workload)

    @property
    def selector(self) -> dict[str, str]:
        """Labels that tell its pods from all others of the namespace; a cluster never lets them change."""
        return {"app.kubernetes.io/name": self.name}

    def labels(self, frame: Frame) -> dict[str, str]:
        """Labels of everything that belongs to it."""
        own = {"relight.dev/workload": self.name, "relight.dev/pool": self.pool_name}
        return frame.cluster_labels("compute") | self.selector | own


def place(args: SiteArgs, site: ClusterSite) -> dict[str, tuple[Placed, ...]]:
    """Every workload with a container, by the pool that it runs in here.

    A workload that only one site may run is placed where another has it too, but with nothing running.
    Raise UsageError with every reason why the declaration cannot stand.
    """
    frame = args.frame
    reasons = [*_without_pool(frame.estate, site), *_wrong_sizes(args, site)]
    for pool in site.pools:
        for each in workloads_in(frame.estate, frame.stack, pool).items():
            reasons += _wrong(*each, pool, site.pools[pool])
    if reasons:
        what = f"the stack of {frame.stack} cannot be made"
        raise UsageError(what, "correct the estate", tuple(reasons))
    return {name: _placed(args, name, pool) for name, pool in site.pools.items()}


def _placed(args: SiteArgs, name: str, pool: ClusterPool) -> tuple[Placed, ...]:
    estate, stack = args.frame.estate, args.frame.stack
    workloads = workloads_in(estate, stack, name)
    given = args.sizes.get(name, {})
    sizes = {rung.key: given.get(rung.key, 0) for rung in pool.rungs}
    fitting = fit_pool(estate, stack, name, sum(sizes.values()), args.writes_here)
    largest = max(map(gpus_of_replica, workloads.values()), default=0)
    return tuple(
        Placed(each, workload, workload.container, name, pool, sizes, fitting[each], largest)
        for each, workload in workloads.items()
        if workload.container
    )


def _without_pool(estate: Estate, site: ClusterSite) -> Iterator[Reason]:
    for name, workload in estate.workloads.items():
        if workload.container and workload.pool is None and len(site.pools) > 1:
            what = f"runs in one of several pools: {', '.join(site.pools)}"
            yield Reason(what, "write pool: NAME", path=f"workloads.{name}")


def _wrong(name: str, workload: Workload, pool_name: str, pool: ClusterPool) -> Iterator[Reason]:
    path, each = f"workloads.{name}.container", gpus_of_replica(workload)
    if each > pool.gpus_each:
        what = f"a replica asks for {each} GPUs, and nodes of {pool_name} have {pool.gpus_each}"
        yield Reason(what, f"write gpus_each: {pool.gpus_each} or less", path=path)
    if each and workload.gpus % each:
        what = f"{workload.gpus} GPUs are no whole number of replicas of {each}"
        yield Reason(what, f"write gpus: {replicas_wanted(workload) * each}, or another gpus_each", path=path)


def _wrong_sizes(args: SiteArgs, site: ClusterSite) -> Iterator[Reason]:
    for pool_name, sizes in args.sizes.items():
        pool = site.pools.get(pool_name)
        for rung_name, nodes in sizes.items():
            rung = pool.rung(rung_name) if pool else None
            path = f"sites.{args.frame.stack}.pools.{pool_name}"
            if rung is None:
                yield Reason(f"a size is given for {rung_name}, which is not there", "name it", path=path)
            elif not 0 <= nodes <= rung.nodes:
                what = f"{rung_name} gives 0 to {rung.nodes} nodes, and {nodes} are asked for"
                yield Reason(what, "ask for what it has, or declare more", path=path)
