"""Which properties of which resources are a pool's size: what the knob may change."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from relight.provision.port import Change

ANNOTATION = "relight.dev/sizes"
"""Of workloads in a cluster: what their pool was asked for. Replicas do not tell how many nodes they fit."""

_WRITTEN = f'metadata.annotations["{ANNOTATION}"]'

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
    "kubernetes:apps/v1:Deployment": frozenset({"spec.replicas", _WRITTEN}),
    "kubernetes:apps/v1:StatefulSet": frozenset({"spec.replicas", _WRITTEN}),
    "kubernetes:batch/v1:Job": frozenset({"spec.suspend", "spec.parallelism", _WRITTEN}),
}
"""Per type; types of other clouds have what `ANY` says."""

ANY = frozenset({"desiredCapacity", "desiredSize", "nodeCount", "targetSize", "spec.replicas"})


def what_else(changes: Iterable[Change], targets: Iterable[str]) -> tuple[str, ...]:
    """What an update would do besides changing sizes of `targets` (URNs), one line each."""
    own = set(targets)
    return tuple(line for change in changes if (line := _else(change, own)))


def sizes_in(outputs: Mapping[str, object]) -> dict[str, dict[str, int]]:
    """Nodes by pool and rung in what a stack exports; what is no number of nodes is left out."""
    return {
        str(pool): {
            str(rung): said["nodes"]
            for rung, said in rungs.items()
            if isinstance(said, Mapping) and type(said.get("nodes")) is int
        }
        for pool, rungs in _table(outputs.get("pools")).items()
        if isinstance(rungs, Mapping)
    }


def other_sizes(own: Mapping[str, int], wanted: Mapping[str, int]) -> str:
    """Where sizes by rung are others than wanted, for people; empty: nowhere. A rung not named has 0."""
    return ", ".join(
        f"{rung} {own.get(rung, 0)} instead of {wanted.get(rung, 0)}"
        for rung in {**wanted, **own}
        if own.get(rung, 0) != wanted.get(rung, 0)
    )


def annotate_sizes(sizes: Mapping[str, int]) -> dict[str, str]:
    """The annotation that says how many nodes each rung of a pool was asked for."""
    return {ANNOTATION: json.dumps(dict(sizes), sort_keys=True)}


def _table(value: object) -> Mapping[object, object]:
    return value if isinstance(value, Mapping) else {}


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
