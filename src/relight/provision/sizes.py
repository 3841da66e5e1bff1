"""Which properties of which resources are a pool's size: what the knob may change."""

from __future__ import annotations

from collections.abc import Iterable

from relight.provision.port import Change

SIZES: dict[str, frozenset[str]] = {
    "aws:autoscaling/group:Group": frozenset(
        {"desiredCapacity", "minSize", "maxSize", "warmPool.maxGroupPreparedCapacity"}
    ),
    "aws:eks/nodeGroup:NodeGroup": frozenset(
        {"scalingConfig.desiredSize", "scalingConfig.minSize", "scalingConfig.maxSize"}
    ),
    "gcp:container/nodePool:NodePool": frozenset(
        {
            "nodeCount",
            "autoscaling.minNodeCount",
            "autoscaling.maxNodeCount",
            "autoscaling.totalMinNodeCount",
            "autoscaling.totalMaxNodeCount",
        }
    ),
    "gcp:compute/instanceGroupManager:InstanceGroupManager": frozenset({"targetSize"}),
    "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager": frozenset({"targetSize"}),
    "kubernetes:apps/v1:Deployment": frozenset({"spec.replicas"}),
    "kubernetes:apps/v1:StatefulSet": frozenset({"spec.replicas"}),
    "kubernetes:batch/v1:Job": frozenset({"spec.suspend", "spec.parallelism"}),
}
"""Per type; types of other clouds have what `ANY` says."""

ANY = frozenset({"desiredCapacity", "desiredSize", "nodeCount", "targetSize", "spec.replicas"})


def what_else(changes: Iterable[Change], targets: Iterable[str]) -> tuple[str, ...]:
    """What an update would do besides changing sizes of `targets` (URNs), one line each."""
    own = set(targets)
    return tuple(line for change in changes if (line := _else(change, own)))


def _else(change: Change, own: set[str]) -> str:
    what = f"{change.type} {change.name}"
    if change.urn not in own:
        return f"{change.op} {what}, which is not of the pool"
    if change.op != "update":
        return f"{change.op} {what}"
    others = [path for path in change.paths if path not in SIZES.get(change.type, ANY)]
    if others or not change.paths:
        return f"update {what}: {', '.join(others) or 'in ways that the engine does not tell'}"
    return ""
