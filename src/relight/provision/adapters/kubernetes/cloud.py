"""A Kubernetes cluster, for the stack that stands in it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from relight.errors import UsageError
from relight.estate import ClusterSite, Estate, fit_pool
from relight.provision.adapters.kubernetes.access import ClusterAccess
from relight.provision.adapters.kubernetes.capacity import ClusterCapacity
from relight.provision.adapters.kubernetes.finder import ClusterFinder
from relight.provision.adapters.kubernetes.pools import ClusterPoolSizes
from relight.provision.port import Cloud


def open_cluster(
    estate: Estate, stack: str, resolve: Callable[[str], str], writes_here: Callable[[str], bool]
) -> Cloud:
    """What the API server is asked for a site; `writes_here` says which workloads may run nowhere else."""
    site = estate.sites.get(stack)
    if not isinstance(site, ClusterSite):
        raise UsageError(f"{stack} does not stand in a Kubernetes cluster", "name a stack of the estate")
    fitting = partial(fit_pool, estate, stack, writes_here=writes_here)
    access = ClusterAccess(stack, site.credentials, resolve)
    return Cloud(
        finder=ClusterFinder(access),
        sizes=ClusterPoolSizes(estate.name, stack, site, access, fitting),
        capacity=ClusterCapacity(stack, site, access),
    )
