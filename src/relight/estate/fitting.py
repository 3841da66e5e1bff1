"""How many replicas of each workload fit into a pool: the knob counts nodes, and workloads follow it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from relight.estate.model import Estate
from relight.estate.pools import ClusterPool
from relight.estate.sites import ClusterSite
from relight.estate.workloads import Workload


def replicas_wanted(workload: Workload) -> int:
    """Replicas at full size: its GPUs by those of each; one where it uses none."""
    container = workload.container
    if container is None:
        return 0
    return -(-workload.gpus // container.gpus_each) if workload.gpus else 1


def gpus_of_replica(workload: Workload) -> int:
    """GPUs that one replica asks of its node."""
    return workload.container.gpus_each if workload.container and workload.gpus else 0


def is_gang(workload: Workload) -> bool:
    """Whether it runs whole or not at all: ranks of a training wait for each other, and a part is no use."""
    return workload.kind in ("training", "dataset")


def is_exclusive(workload: Workload) -> bool:
    """Whether no two sites may run it at once."""
    return workload.writes_points or is_gang(workload)


def workloads_in(estate: Estate, site: str, pool: str) -> dict[str, Workload]:
    """Workloads with a container that run in a pool of a site, in the order of their names.

    One that names no pool runs in a site's only one; where there are several it runs in none.
    """
    pools = pools_of(estate, site)
    only = next(iter(pools)) if len(pools) == 1 else None
    return {
        name: workload
        for name, workload in sorted(estate.workloads.items())
        if workload.container and (workload.pool or only) == pool
    }


def fit_pool(
    estate: Estate, site: str, pool: str, nodes: int, writes_here: Callable[[str], bool]
) -> dict[str, int]:
    """Replicas of each workload of a pool if it had so many nodes.

    `writes_here` says of a workload that only one site may run whether it is this one: others stay at 0,
    and leave their room to the rest.
    """
    workloads = workloads_in(estate, site, pool)
    runs = {name: w for name, w in workloads.items() if not is_exclusive(w) or writes_here(name)}
    fitting = fit(nodes, pools_of(estate, site)[pool].gpus_each, runs)
    return {name: fitting.get(name, 0) for name in workloads}


def pools_of(estate: Estate, site: str) -> Mapping[str, ClusterPool]:
    """The pools of a site in a Kubernetes cluster; none of any other."""
    declared = estate.sites[site]
    return declared.pools if isinstance(declared, ClusterSite) else {}


def fit(nodes: int, gpus_per_node: int, workloads: Mapping[str, Workload]) -> dict[str, int]:
    """Replicas of each workload that fit, those of higher priority first, equal ones by name.

    A replica never spans two nodes, and goes where it leaves the least behind. A gang fits whole or stays
    out, and what it would have taken goes to the next. A pool without nodes runs nothing, not even what
    needs no GPU: it is asleep.
    """
    free = Counter({gpus_per_node: nodes})
    fitting: dict[str, int] = {}
    for name, workload in sorted(workloads.items(), key=lambda item: (-item[1].priority, item[0])):
        wanted, each = replicas_wanted(workload), gpus_of_replica(workload)
        room = _room(free, each, wanted) if nodes else 0
        fitting[name] = 0 if is_gang(workload) and room < wanted else room
        _take(free, each, fitting[name])
    return fitting


def _room(free: Mapping[int, int], each: int, wanted: int) -> int:
    return wanted if not each else min(wanted, sum(left // each * count for left, count in free.items()))


def _take(free: Counter[int], each: int, replicas: int) -> None:
    """Fill nodes that have the least left, whole nodes at a time: thousands cost no more than one."""
    for left in sorted(level for level in free if each and level >= each):
        per_node = left // each
        filled = min(free[left], replicas // per_node)
        _move(free, left, left - per_node * each, filled)
        replicas -= filled * per_node
        if replicas and free[left]:
            _move(free, left, left - replicas * each, 1)
            return


def _move(free: Counter[int], before: int, after: int, nodes: int) -> None:
    free[before] -= nodes
    free[after] += nodes
