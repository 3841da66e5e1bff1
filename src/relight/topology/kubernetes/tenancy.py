"""The estate's own part of a cluster: its namespace, and how much of the cluster it may take."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from relight.estate import ClusterSite
from relight.topology.frame import Frame


@dataclass(frozen=True)
class TenancyArgs:
    """The site, and whether one of its workloads needs root."""

    frame: Frame
    site: ClusterSite
    has_root: bool


class Tenancy(pulumi.ComponentResource):
    """Namespace, quota and limit range; none of them changes with the knob.

    The quota is what all rungs together could give: it keeps the neighbours safe, and never stands in the
    way of a recovery. In an adopted namespace none is made: they would bind its owner's work as well.
    Billed while asleep: nothing.
    """

    def __init__(self, name: str, args: TenancyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("relight:kubernetes:Tenancy", name, None, opts)
        self._frame, self._namespace = args.frame, args.site.namespace
        if not args.site.adopt.namespace:
            within = pulumi.ResourceOptions(parent=self, depends_on=[self._make_namespace(args)])
            self._make_quota(args.site, within)
            self._make_limits(within)
        self.register_outputs({"namespace": self._namespace})

    def _make_namespace(self, args: TenancyArgs) -> k8s.core.v1.Namespace:
        """Protected: with it all that is in it would go, Secrets and volumes of others too."""
        level = "baseline" if args.has_root else "restricted"
        security = {f"pod-security.kubernetes.io/{mode}": level for mode in ("enforce", "warn")}
        return k8s.core.v1.Namespace(
            self._namespace,
            metadata=k8s.meta.v1.ObjectMetaArgs(
                name=self._namespace, labels=self._frame.cluster_labels("state") | security
            ),
            opts=pulumi.ResourceOptions(parent=self, protect=True),
        )

    def _make_quota(self, site: ClusterSite, opts: pulumi.ResourceOptions) -> None:
        most: Counter[str] = Counter()
        for pool in site.pools.values():
            most[pool.resource] += pool.most_nodes * pool.gpus_each
        hard = {f"requests.{resource}": str(gpus) for resource, gpus in sorted(most.items())}
        # Services that would open a port to the world cost money and stand outside the network policies.
        hard |= {"services.loadbalancers": "0", "services.nodeports": "0"}
        k8s.core.v1.ResourceQuota(
            "quota",
            metadata=self._called("relight"),
            spec=k8s.core.v1.ResourceQuotaSpecArgs(hard=hard),
            opts=opts,
        )

    def _make_limits(self, opts: pulumi.ResourceOptions) -> None:
        """What a container asks for where it says nothing, so that the scheduler counts it.

        No maximum of GPUs: Kubernetes makes a maximum the default of every container that asks for none,
        so that each would take GPUs. No limit of memory: it would end a training that outgrows a guess.
        """
        container = k8s.core.v1.LimitRangeItemArgs(
            type="Container", default_request={"cpu": "500m", "memory": "1Gi"}
        )
        k8s.core.v1.LimitRange(
            "limits",
            metadata=self._called("relight"),
            spec=k8s.core.v1.LimitRangeSpecArgs(limits=[container]),
            opts=opts,
        )

    def _called(self, name: str) -> k8s.meta.v1.ObjectMetaArgs:
        labels = self._frame.cluster_labels("compute")
        return k8s.meta.v1.ObjectMetaArgs(name=name, namespace=self._namespace, labels=labels)
