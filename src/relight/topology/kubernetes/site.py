"""A site in a Kubernetes cluster that is there."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from relight.errors import UsageError
from relight.estate import ClusterSite
from relight.estate.fitting import is_gang
from relight.topology.frame import SiteArgs
from relight.topology.kubernetes.access import provider
from relight.topology.kubernetes.batch import Batch
from relight.topology.kubernetes.boundaries import Boundaries, BoundariesArgs
from relight.topology.kubernetes.objects import WorkloadArgs
from relight.topology.kubernetes.placement import Placed, place
from relight.topology.kubernetes.priorities import Priorities, PrioritiesArgs
from relight.topology.kubernetes.runner import Runner, RunnerArgs
from relight.topology.kubernetes.serving import Serving
from relight.topology.kubernetes.tenancy import Tenancy, TenancyArgs


class Site(pulumi.ComponentResource):
    """Everything that an estate has in somebody's cluster, with each workload as large as its pool.

    A pool is room in the cluster, its nodes are somebody else's: sizes are counted in nodes, and become
    replicas (`fit_pool`). All rungs of a pool share its workloads, so each names the same URNs as its knob.
    Raise UsageError, before anything is registered, where the declaration cannot stand.

    Billed while asleep: nothing by this stack; what the nodes cost is its owner's affair.
    """

    def __init__(self, name: str, args: SiteArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        site = args.frame.estate.sites.get(args.frame.stack)
        if not isinstance(site, ClusterSite):
            raise UsageError(f"{args.frame.stack} is no site in a Kubernetes cluster", "name one that is")
        placed = place(args, site)
        super().__init__("relight:kubernetes:Site", name, None, opts)
        self._args, self._site = args, site
        self._cluster = provider(args.frame, site, pulumi.ResourceOptions(parent=self))
        before = self._ground(tuple(each for pool in placed.values() for each in pool))
        within = self._child(before)
        sized = {pool: [self._run(each, within) for each in workloads] for pool, workloads in placed.items()}
        self.outputs: dict[str, pulumi.Input[object]] = {
            "pools": {pool: self._knob(pool, objects) for pool, objects in sized.items()},
            "namespace": site.namespace,
        }
        self.register_outputs(self.outputs)

    def _ground(self, placed: Sequence[Placed]) -> list[pulumi.Resource]:
        """What must stand before the first pod, in the order in which it is made."""
        frame, site = self._args.frame, self._site
        has_root = any(each.container.runs_as_root for each in placed)
        tenancy = Tenancy("tenancy", TenancyArgs(frame, site, has_root), self._child())
        within = self._child([tenancy])
        ground: list[pulumi.Resource] = [
            tenancy,
            Boundaries("boundaries", BoundariesArgs(frame, site, placed), within),
            Runner("runner", RunnerArgs(frame, site.namespace, placed), within),
        ]
        if not site.adopt.priority_classes:
            ground.append(Priorities("priorities", PrioritiesArgs(frame), self._child()))
        return ground

    def _child(self, depends_on: Sequence[pulumi.Resource] = ()) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, provider=self._cluster, depends_on=list(depends_on))

    def _run(self, placed: Placed, opts: pulumi.ResourceOptions) -> pulumi.CustomResource:
        args = WorkloadArgs(self._args.frame, placed, self._site.namespace)
        kind = Batch if is_gang(placed.workload) else Serving
        return kind(placed.name, args, opts).sized

    def _knob(self, pool: str, sized: Sequence[pulumi.CustomResource]) -> dict[str, object]:
        """What the knob of each rung turns; `urn` and `id` are of the first, empty where nothing runs."""
        first = sized[0] if sized else None
        sizes = self._args.sizes.get(pool, {})
        return {
            rung.key: {
                "urn": first.urn if first else "",
                "urns": [each.urn for each in sized],
                "resource": first.pulumi_resource_type if first else "",
                "id": first.id if first else "",
                "nodes": sizes.get(rung.key, 0),
            }
            for rung in self._site.pools[pool].rungs
        }
