"""A site in a Kubernetes cluster, asked through its API server."""

from relight.provision.adapters.kubernetes.access import ClusterAccess
from relight.provision.adapters.kubernetes.capacity import ClusterCapacity
from relight.provision.adapters.kubernetes.finder import ClusterFinder
from relight.provision.adapters.kubernetes.pools import ClusterPoolSizes

__all__ = ["ClusterAccess", "ClusterCapacity", "ClusterFinder", "ClusterPoolSizes"]
